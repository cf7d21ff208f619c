# SPDX-License-Identifier: Apache-2.0
"""Another program takes over, and the configuration is read again, while clients ask on: none of them notices."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading

import pytest

import lab
import origins
from conftest import need
from test_edge_h2 import accept_of, echo_websocket

CONFIG = """\
workers 2
user {user}
data {folder}/data
control {folder}/control.sock
drain-timeout {drain}
listen 127.0.0.1:{port} as edge use shop
edge shop {{
	site shop.test {{ certificate {pair[0]} key {pair[1]}; origin http://127.0.0.1:{origin} }}
}}
"""


class Askers:
    """Clients that ask until they are told to stop, half of them on connections that they keep."""

    def __init__(self, edge, n=4):
        self.edge, self.stop, self.good, self.bad = edge, threading.Event(), 0, []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.ask, args=(i % 2 == 0,)) for i in range(n)]
        for thread in self.threads:
            thread.start()

    def connect(self):
        context = ssl.create_default_context(cafile=self.edge.root)
        connection = http.client.HTTPConnection("shop.test", timeout=20)
        connection.sock = context.wrap_socket(
            socket.create_connection(("127.0.0.1", self.edge.port), timeout=20), server_hostname="shop.test")
        return connection

    def ask(self, keeps):
        connection = None
        while not self.stop.is_set():
            try:
                connection = connection or self.connect()
                connection.request("GET", "/", headers={} if keeps else {"Connection": "close"})
                answer = connection.getresponse()
                whole = answer.read() == b"body" and answer.status == 200
            except OSError as err:
                whole = repr(err)
            with self.lock:
                if whole is True:
                    self.good += 1
                else:
                    self.bad.append(whole)
                    return
            if not keeps or answer.will_close:
                connection.close()
                connection = None
        if connection:
            connection.close()

    def count(self, more):
        wanted = self.good + more
        lab.wait_for("answers", lambda: self.good >= wanted or self.bad)

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        return self.bad


class Loads:
    """One h2load after the other, in this version, until they are told to stop."""

    def __init__(self, edge, *flags):
        self.said, self.stop = [], threading.Event()
        self.command = ["h2load", "-n", "300", "-c", "4", *flags, f"--connect-to=127.0.0.1:{edge.port}",
                        f"https://shop.test:{edge.port}/"]
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.stop.is_set():
            done = subprocess.run(self.command, capture_output=True, text=True, timeout=120, check=False)
            self.said.append(re.search(r"requests: .*", done.stdout + "requests: none")[0])

    def more(self):
        wanted = len(self.said) + 2  # one of them began after now
        lab.wait_for("loads", lambda: len(self.said) >= wanted, timeout_s=120)

    def end(self):
        self.stop.set()
        self.thread.join()
        return [line for line in self.said if "300 succeeded, 0 failed, 0 errored, 0 timeout" not in line]


@pytest.fixture
def edge(program, stage, pki, request):
    folder = stage / request.node.name
    folder.mkdir()
    installed = folder / "sekisho"
    shutil.copy(program, installed)
    running = origins.Edge(installed, folder / "run", pki, CONFIG, drain=getattr(request, "param", "10s"))
    running.origin.answers["/"] = [{}]
    running.pids = [running.process.process.pid]
    yield running
    for pid in running.pids[1:]:
        try:
            os.kill(pid, signal.SIGTERM)
            lab.wait_for("the end", lambda pid=pid: not os.path.exists(f"/proc/{pid}"))
        except ProcessLookupError:
            pass
    running.close()


def status(edge):
    return json.loads(edge.ctl("status", "--json").stdout)


def test_nobody_notices_a_reload_and_an_upgrade(edge, program):
    askers = Askers(edge)
    askers.count(20)
    edge.ctl("reload")
    askers.count(20)
    before = status(edge)["pid"]
    new = edge.folder / "new"
    shutil.copy(program, new)
    new.rename(edge.program)  # as a package manager installs it
    edge.ctl("upgrade")
    after = status(edge)["pid"]
    edge.pids.append(after)
    assert after != before
    askers.count(20)
    lab.wait_for("the end of the old one", lambda: edge.process.process.poll() is not None)
    assert edge.process.process.returncode == 0
    askers.count(20)
    assert askers.end() == []


@pytest.mark.parametrize("edge", ["60s"], indirect=True)
def test_h2load_sees_neither_a_reload_nor_an_upgrade(edge, program):
    need("h2load")
    loads = [Loads(edge, "--h1"), Loads(edge, "-m", "10")]
    for each in loads:
        each.more()
    edge.ctl("reload")
    for each in loads:
        each.more()
    new = edge.folder / "new"
    shutil.copy(program, new)
    new.rename(edge.program)
    edge.ctl("upgrade")
    edge.pids.append(status(edge)["pid"])
    for each in loads:
        each.more()
    assert [each.end() for each in loads] == [[], []]


def test_what_was_begun_goes_on_through_a_reload(edge):
    """A WebSocket and a long body."""
    far = lab.Origin(None, routes={"echo": echo_websocket})
    gate = threading.Event()
    edge.origin.answers["/long"] = [{"body": "x" * 1000000, "gate": gate}]
    conf = edge.folder / "edge.conf"
    conf.write_text(conf.read_text().replace(f":{edge.origin.port}", f":{far.port}"))
    answers = []
    long = threading.Thread(target=lambda: answers.append(edge.ask("/long")))
    long.start()
    lab.wait_for("the long one", lambda: edge.asked("/long"))
    edge.ctl("reload")
    with ssl.create_default_context(cafile=edge.root).wrap_socket(
            socket.create_connection(("127.0.0.1", edge.port), timeout=20), server_hostname="shop.test") as s:
        s.sendall(b"GET /echo HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                  b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
        head = b""
        while b"\r\n\r\n" not in head:
            head += s.recv(4096)
        assert head.startswith(b"HTTP/1.1 101") and accept_of("dGhlIHNhbXBsZSBub25jZQ==").encode() in head
        edge.ctl("reload")
        s.sendall(b"still here")
        assert s.recv(100) == b"still here"
    gate.set()
    long.join()
    assert [len(answer.text) for answer in answers] == [1000000]
    far.close()


def test_a_program_that_does_not_come_up_changes_nothing(edge):
    edge.program.with_suffix(".good").write_bytes(edge.program.read_bytes())
    edge.program.with_suffix(".good").chmod(0o755)
    edge.program.unlink()
    edge.program.write_text("#!/bin/sh\nexit 1\n")
    edge.program.chmod(0o755)
    good = edge.program.with_suffix(".good")
    done = lab.run(good, "ctl", "upgrade", "-c", edge.folder / "edge.conf", check=False)
    assert done.returncode != 0 and "could not take over" in done.stderr
    askers = Askers(edge, 2)
    askers.count(5)
    assert askers.end() == []
    assert lab.run(good, "ctl", "status", "-c", edge.folder / "edge.conf").returncode == 0

# SPDX-License-Identifier: Apache-2.0
"""Another program takes over, and the configuration is read again, while clients ask on: none of them notices."""

import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import threading

import pytest

import lab
import origins

CONFIG = """\
workers 2
user {user}
data {folder}/data
control {folder}/control.sock
drain-timeout 10s
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


@pytest.fixture
def edge(program, stage, pki, request):
    folder = stage / request.node.name
    folder.mkdir()
    installed = folder / "sekisho"
    shutil.copy(program, installed)
    running = origins.Edge(installed, folder / "run", pki, CONFIG)
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

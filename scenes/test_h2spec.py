# SPDX-License-Identifier: Apache-2.0
"""An outside suite of RFC 9113 and RFC 7541 (h2spec) as a client of the edge and, through
CONNECT, of the gateway, with origins of either version behind them."""

import contextlib
import os
import re
import socket
import subprocess
import threading

import pytest

import lab
from conftest import SANITIZER, need

CLIENTS = os.path.join(os.path.dirname(__file__), "clients")
HOST = "localhost"  # the suite asks the system where it is
APART = "127.0.0.2"  # where the gateway finds it: the same port leads there and to the tunnel
EDGE = """\
workers 1
user {user}
data {folder}/data
control {folder}/control.sock
events {{ json {folder}/data/events.json }}
resolver {{ hosts {folder}/hosts }}
listen 127.0.0.1:{port} as edge use shop
edge shop {{
	unknown-name default
	site {host} {{ default; certificate {cert} key {key}; origin {origin} }}
}}
"""


def pipe(one, other):
    try:
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class ThroughProxy:
    """A port whose connections are tunnels of the gateway to one host: for clients without
    a word for proxies."""

    def __init__(self, proxy_port, port):
        self.proxy_port, self.port, self.target = proxy_port, port, f"{HOST}:{port}"
        self.socket = socket.create_server(("127.0.0.1", port), backlog=200)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        try:
            while True:
                threading.Thread(target=self._carry, args=(self.socket.accept()[0],), daemon=True).start()
        except OSError:
            pass

    def _carry(self, near):
        with near, socket.create_connection(("127.0.0.1", self.proxy_port)) as far:
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            far.sendall(f"CONNECT {self.target} HTTP/1.1\r\nHost: {self.target}\r\n\r\n".encode())
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += far.recv(1)
            back = threading.Thread(target=pipe, args=(far, near), daemon=True)
            back.start()
            pipe(near, far)
            back.join()

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # accept() holds it otherwise
        self.socket.close()


def is_free(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) != 0


def walk(port, log):
    """What the suite found wrong."""
    done = subprocess.run(["h2spec", "-S", "-t", "-k", "-h", HOST, "-p", str(port), "--path", "/bytes/2000", "-o", "5"],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
    text = done.stdout.decode(errors="replace")
    assert re.search(r"\d+ tests, \d+ passed, \d+ skipped, 0 failed", text), text[-6000:] + log()[-2000:]


@pytest.fixture(scope="module")
def origins(stage, pki):
    need("h2spec", "node")
    h1 = lab.Origin(pki.issue(HOST), address=APART)
    while not is_free(h1.port):  # the tunnel's end wants it, too
        h1.close()
        h1 = lab.Origin(pki.issue(HOST), address=APART)
    plain = lab.Origin()
    ports = [lab.free_port(), lab.free_port()]  # also free at the other address
    node = ["node", os.path.join(CLIENTS, "h2_origin.mjs")]
    programs = [lab.Program([*node, ports[0]], lambda: lab.accepts(ports[0]), stage / "spec_h2c.log"),
                lab.Program([*node, ports[1], *pki.issue(HOST)], lambda: lab.accepts(ports[1], APART), stage / "spec_h2.log",
                            env={**os.environ, "ADDRESS": APART, "CONNECT": "no"})]
    yield {"h1": h1.port, "plain": plain.port, "h2c": ports[0], "h2": ports[1]}
    h1.close()
    plain.close()
    for program in programs:
        program.close()


@pytest.mark.parametrize("scheme, origin", [("http", "plain"), ("h2c", "h2c")])
def test_the_edge_keeps_the_rules(program, stage, pki, origins, scheme, origin):
    folder = stage / f"spec-edge-{origin}"
    (folder / "data").mkdir(parents=True)
    folder.chmod(0o755)
    (folder / "hosts").write_text("")
    cert, key = pki.issue(HOST)
    port = lab.free_port()
    user = "nobody" if os.getuid() == 0 else os.environ.get("USER", "nobody")
    if os.getuid() == 0:
        os.chown(folder / "data", 65534, 65534)
    (folder / "edge.conf").write_text(EDGE.format(user=user, folder=folder, port=port, host=HOST, cert=cert, key=key,
                                                  origin=f"{scheme}://127.0.0.1:{origins[origin]}"))
    log = folder / "edge.log"
    running = lab.Program([program, "run", folder / "edge.conf"], lambda: "generation.serves" in log.read_text(), log)
    try:
        walk(port, running.text)
    finally:
        running.close()
    assert not SANITIZER.search(running.text())


@pytest.mark.parametrize("origin, words", [("h2", ""), ("h2", "http any"), ("h1", "http 1.1")])
def test_the_gateway_keeps_the_rules(open_gateway, origins, stage, origin, words):
    hosts = stage / "spec_hosts"
    hosts.write_text(f"{APART} {HOST}\n")
    gateway = open_gateway(upstream=words, resolver=f"hosts {hosts}")
    door = ThroughProxy(gateway.port, origins[origin])
    try:
        walk(door.port, gateway.log)
    finally:
        door.close()

# SPDX-License-Identifier: Apache-2.0
"""Programs that speak HTTP/2 and know no proxy, at the edge and, through a tunnel of ours, at
the gateway: h2spec (an outside suite of RFC 9113 and RFC 7541), nghttp, h2load; and origins
that people run: nghttpd and h2o."""

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
HOST = "localhost"  # the programs ask the system where it is
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
	upstream {{ trust {root} }}
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
    need("node")
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


@contextlib.contextmanager
def edge_before(program, folder, pki, origin):
    """The port of an edge whose only site is HOST, with this origin, and its log."""
    (folder / "data").mkdir(parents=True)
    folder.chmod(0o755)
    (folder / "hosts").write_text(f"{APART} {HOST}\n")
    cert, key = pki.issue(HOST)
    port = lab.free_port()
    user = "nobody" if os.getuid() == 0 else os.environ.get("USER", "nobody")
    if os.getuid() == 0:
        os.chown(folder / "data", 65534, 65534)
    (folder / "edge.conf").write_text(EDGE.format(user=user, folder=folder, port=port, host=HOST, cert=cert, key=key,
                                                  root=pki.root, origin=origin))
    log = folder / "edge.log"
    running = lab.Program([program, "run", folder / "edge.conf"], lambda: "generation.serves" in log.read_text(), log)
    try:
        yield port, running.text
    finally:
        running.close()
    assert not SANITIZER.search(running.text())


@contextlib.contextmanager
def door_to(open_gateway, stage, port, words=""):
    """The port of a tunnel through a gateway to HOST, and the gateway."""
    hosts = stage / "tool_hosts"
    hosts.write_text(f"{APART} {HOST}\n")
    gateway = open_gateway(upstream=words, resolver=f"hosts {hosts}")
    door = ThroughProxy(gateway.port, port)
    try:
        yield door.port, gateway
    finally:
        door.close()


@pytest.mark.parametrize("scheme, origin", [("http", "plain"), ("h2c", "h2c")])
def test_the_edge_keeps_the_rules(program, stage, pki, origins, scheme, origin):
    need("h2spec")
    with edge_before(program, stage / f"spec-{origin}", pki, f"{scheme}://127.0.0.1:{origins[origin]}") as (port, log):
        walk(port, log)


@pytest.mark.parametrize("origin, words", [("h2", ""), ("h2", "http any"), ("h1", "http 1.1")])
def test_the_gateway_keeps_the_rules(open_gateway, origins, stage, origin, words):
    need("h2spec")
    with door_to(open_gateway, stage, origins[origin], words) as (port, gateway):
        walk(port, gateway.log)


def load(port):
    """Three clients with twenty streams each; and one that asks for several things at once."""
    done = lab.run("h2load", "-n", "300", "-c", "3", "-m", "20", f"https://{HOST}:{port}/bytes/1000", check=False)
    assert "300 succeeded" in done.stdout and "300 2xx" in done.stdout, done.stdout
    done = lab.run("nghttp", "-n", "-s", "-m", "3", f"https://{HOST}:{port}/bytes/7", f"https://{HOST}:{port}/bytes/8",
                   check=False)
    rows = re.findall(r"^ *\d+ .* 200 +(\d+) /bytes/(\d)$", done.stdout, re.M)
    assert sorted(rows) == [("7", "7")] * 3 + [("8", "8")] * 3, done.stdout


def test_nghttp_and_h2load_at_the_edge(program, stage, pki, origins):
    need("nghttp", "h2load")
    with edge_before(program, stage / "load-edge", pki, f"h2c://127.0.0.1:{origins['h2c']}") as (port, _):
        load(port)


def test_nghttp_and_h2load_are_inspected(open_gateway, stage, origins):
    need("nghttp", "h2load")
    with door_to(open_gateway, stage, origins["h2"]) as (port, gateway):
        load(port)
        event = gateway.wait_event(kind="request", path="/bytes/8")
        assert (event["client_http"], event["origin_http"]) == ("HTTP/2", "HTTP/2")


def curl(port, path, *more):
    return subprocess.run(["curl", "-sS", "-k", "--http2", "--max-time", "20", "--noproxy", "*", "-w", " %{http_version}",
                           *more, f"https://{HOST}:{port}{path}"], capture_output=True, timeout=30, check=False)


@pytest.fixture(scope="module")
def files(stage):
    """What file servers serve."""
    folder = stage / "files"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "large").write_bytes(b"y" * 3_000_000)
    return folder


H2O = """\
user: {user}
pid-file: {folder}/h2o.pid
num-ocsp-updaters: 1
listen: {{host: {address}, port: {port}, ssl: {{certificate-file: {cert}, key-file: {key}, ocsp-update-interval: 0}}}}
hosts: {{"{host}:{port}": {{paths: {{"/": {{file.dir: {files}}}}}}}}}
"""


@contextlib.contextmanager
def file_server(name, folder, pki, files):
    """nghttpd or h2o at APART, with TLS; its port."""
    need(name)
    cert, key = pki.issue(HOST)
    port = lab.free_port()
    folder.mkdir()
    if name == "nghttpd":
        command = ["nghttpd", "-a", APART, "-d", files, port, key, cert]
    else:
        user = "root" if os.getuid() == 0 else os.environ.get("USER", "nobody")
        (folder / "h2o.conf").write_text(H2O.format(user=user, folder=folder, address=APART, port=port, cert=cert, key=key,
                                                    host=HOST, files=files))
        command = ["h2o", "-m", "worker", "-c", folder / "h2o.conf"]
    server = lab.Program(command, lambda: lab.accepts(port, APART), folder / "log")
    try:
        yield port
    finally:
        server.close()


@pytest.mark.parametrize("name", ["nghttpd", "h2o"])
def test_file_servers_behind_the_edge(program, stage, pki, files, name):
    with file_server(name, stage / f"{name}-edge", pki, files) as origin, \
            edge_before(program, stage / f"edge-{name}", pki, f"https://{HOST}:{origin}") as (port, log):
        done = curl(port, "/large", "-o", "/dev/null", "-w", " %{size_download}")
        assert done.stdout == b" 3000000", done.stderr.decode() + log()[-2000:]


@pytest.mark.parametrize("name", ["nghttpd", "h2o"])
def test_file_servers_behind_the_gateway(open_gateway, stage, pki, files, name):
    with file_server(name, stage / f"{name}-gate", pki, files) as origin, door_to(open_gateway, stage, origin) as (port, gateway):
        done = curl(port, "/large")
        assert done.stdout == b"y" * 3_000_000 + b" 2", done.stderr.decode() + gateway.log()[-2000:]
        event = gateway.wait_event(kind="request", path="/large")
        assert (event["client_http"], event["origin_http"]) == ("HTTP/2", "HTTP/2")

# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 at the edge: every version of client to every version of origin."""

import base64
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request

import pytest

import lab
from conftest import look_for_reports, need, node_modules

CLIENTS = os.path.join(os.path.dirname(__file__), "clients")
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
CONFIG = """\
workers 1
user {user}
data {folder}/data
control {folder}/control.sock
drain-timeout 2s
admin 127.0.0.1:{admin}
events {{ json {folder}/data/events.json }}
resolver {{ hosts {folder}/hosts }}
listen 127.0.0.1:{port} as edge use shop
edge shop {{
	upstream {{ trust {root} }}
	site h1.test {{ also mtls.test twin.test; certificate {cert} key {key}; origin http://127.0.0.1:{h1} }}
	site h2c.test {{ certificate {cert} key {key}; origin h2c://127.0.0.1:{h2c} }}
	site tls.test {{ certificate {cert} key {key}; origin https://tls.test:{tls}; keep-host off }}
	site grpc.test {{ certificate {cert} key {key}; origin h2c://127.0.0.1:{grpc} }}
	site js.test {{ certificate {cert} key {key}; origin h2c://127.0.0.1:{js} }}
	site few.test {{
		certificate {cert} key {key}
		origin h2c://127.0.0.1:{few}
		origins {{ connect-timeout 1s; handshake-timeout 1s }}
	}}
	site dead.test {{ certificate {cert} key {key}; origin h2c://127.0.0.1:{dead} }}
	clients mtls.test {{ certificate ask; authority {root} }}
	rule no when http.request.uri.path == "/blocked" do block "not here"
}}
"""
NAMES = ("h1.test", "twin.test", "h2c.test", "tls.test", "grpc.test", "js.test", "few.test", "dead.test", "mtls.test")
FEW = 2  # streams that few.test takes on a connection
TRUNKS = 8  # connections to it that clients share: TRUNKS_MOST
H1, H2 = "HTTP/1.1", "HTTP/2"


def accept_of(key):
    return base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()


def echo_websocket(handler):
    """Takes the upgrade, then says every octet again until the other end is silent."""
    handler.send_response(101)
    handler.send_header("Upgrade", "websocket")
    handler.send_header("Connection", "Upgrade")
    handler.send_header("Sec-WebSocket-Accept", accept_of(handler.headers["Sec-WebSocket-Key"]))
    handler.end_headers()
    handler.close_connection = True
    while (piece := handler.connection.recv(4096)):
        handler.connection.sendall(piece)


def has_grpc():
    return not subprocess.run([PYTHON, "-c", "import grpc"], stderr=subprocess.DEVNULL, check=False).returncode


class Edge:
    """An edge before four origins: HTTP/1.1, HTTP/2 with and without TLS, and gRPC."""

    def __init__(self, program, folder, pki):
        self.folder, self.root = folder, pki.root
        (folder / "data").mkdir(parents=True)
        folder.chmod(0o755)
        (folder / "hosts").write_text("127.0.0.1 tls.test\n")
        self.h1 = lab.Origin(routes={"echo": echo_websocket})
        cert, key = pki.issue(*NAMES)
        ports = {name: lab.free_port() for name in ("port", "h2c", "tls", "few", "grpc", "js", "dead", "admin")}
        self.port, self.admin, self.js_port, self.js = ports["port"], ports["admin"], ports["js"], None
        node = ["node", os.path.join(CLIENTS, "h2_origin.mjs")]
        self.origins = [
            lab.Program([*node, ports["h2c"]], lambda: lab.accepts(ports["h2c"]), folder / "h2c.log"),
            lab.Program([*node, ports["tls"], cert, key], lambda: lab.accepts(ports["tls"]), folder / "tls.log"),
            lab.Program([*node, ports["few"]], lambda: lab.accepts(ports["few"]), folder / "few.log",
                        env={**os.environ, "STREAMS": str(FEW)})]
        if has_grpc():
            peer = [PYTHON, os.path.join(CLIENTS, "grpc_peer.py"), "serve", ports["grpc"]]
            self.origins.append(lab.Program(peer, lambda: lab.accepts(ports["grpc"]), folder / "grpc.log"))
        user = "nobody" if os.getuid() == 0 else os.environ.get("USER", "nobody")
        if os.getuid() == 0:
            shutil.chown(folder / "data", user)
        (folder / "edge.conf").write_text(CONFIG.format(
            user=user, folder=folder, root=pki.root, cert=cert, key=key, h1=self.h1.port, **ports))
        log = folder / "edge.log"
        self.process = lab.Program([program, "run", folder / "edge.conf"],
                                   lambda: "generation.serves" in log.read_text(), log)

    def log(self):
        return self.process.text()

    def event(self, **wanted):
        def look():
            path = self.folder / "data" / "events.json"
            lines = path.read_text().split("\n")[:-1] if path.exists() else []
            return next((e for e in map(json.loads, lines) if all(e.get(k) == v for k, v in wanted.items())), None)
        return lab.wait_for(f"an event with {wanted}", look)

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/metrics", timeout=10) as answer:
            return answer.read().decode()

    def holds_client(self):
        """Whether a client is connected to the edge now."""
        wanted = f"0100007F:{self.port:04X}"
        rows = (line.split() for line in open("/proc/net/tcp", encoding="ascii").readlines()[1:])
        return any(row[1] == wanted and row[3] == "01" for row in rows)

    def play(self, name, act, path="/bytes/5", **more):
        """One act of h2_client.mjs."""
        done = subprocess.run(["node", os.path.join(CLIENTS, "h2_client.mjs"), act, f"https://{name}:{self.port}{path}"],
                              env={**os.environ, "DIRECT": str(self.port), "ROOT": str(self.root), **more},
                              capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr.decode() + self.log()[-3000:]
        return json.loads(done.stdout)

    def curl(self, name, path, *more):
        return subprocess.run(
            ["curl", "-sS", "--max-time", "20", "--noproxy", "*", "--cacert", str(self.root), "--resolve",
             f"{name}:{self.port}:127.0.0.1", *more, f"https://{name}:{self.port}{path}"],
            capture_output=True, timeout=30, check=False)

    def serve_js(self, command, env):
        """The gRPC server of Node, once."""
        if not self.js:
            self.js = lab.Program([*command, "serve", self.js_port], lambda: lab.accepts(self.js_port),
                                  self.folder / "js.log", env=env)
            self.origins.append(self.js)

    def connect(self, name):
        """TLS for a client of HTTP/1.1."""
        context = ssl.create_default_context(cafile=self.root)
        context.set_alpn_protocols(["http/1.1"])
        return context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), timeout=20), server_hostname=name)

    def close(self):
        self.process.close()
        self.h1.close()
        for origin in self.origins:
            origin.close()


@pytest.fixture(scope="module")
def edge(program, stage, pki):
    need("node", "curl")
    running = Edge(program, stage / "edge-h2", pki)
    yield running
    running.close()
    look_for_reports(running)


@pytest.mark.parametrize("flag, client", [("--http1.1", H1), ("--http2", H2), ("--http2-prior-knowledge", H2)])
@pytest.mark.parametrize("name, origin", [("h1.test", H1), ("h2c.test", H2), ("tls.test", H2)])
def test_every_client_reaches_every_origin(edge, flag, client, name, origin):
    path = f"/bytes/321?{flag}"
    done = edge.curl(name, path, flag, "-w", " %{http_version}")
    body, version = done.stdout.rsplit(b" ", 1)
    assert (version.decode(), len(body)) == (client[5:], 321), done.stderr
    event = edge.event(kind="request", host=name, query=flag)
    assert (event["client_http"], event["origin_http"]) == (client, origin)
    assert event["session"] and event["bytes_response"] == 321


@pytest.mark.parametrize("name", ["h1.test", "h2c.test", "tls.test", "few.test"])
def test_a_hundred_streams_at_once_come_back_whole(edge, name):
    assert edge.play(name, "many")["whole"] == 100


@pytest.mark.parametrize("name", ["h1.test", "h2c.test"])
def test_a_blocked_stream_gets_its_page_while_others_go_on(edge, name):
    assert edge.play(name, "mixed")["statuses"] == [200, 403, 200, 403, 200, 200]


@pytest.mark.parametrize("name, said", [("h1.test", "5000000 octets\n"), ("h2c.test", "5000000"), ("tls.test", "5000000")])
def test_uploads_arrive_whole(edge, name, said):
    assert edge.play(name, "upload")["body"] == said


@pytest.mark.parametrize("flag", ["--http1.1", "--http2"])
@pytest.mark.parametrize("name", ["h1.test", "h2c.test"])
def test_bodies_of_unknown_length_pass_both_ways(edge, name, flag):
    done = edge.curl(name, "/count", flag, "-H", "Transfer-Encoding: chunked", "--data-binary", "@-",
                     "-H", "Content-Type: text/plain")
    assert done.returncode == 0 and re.match(rb"\d+", done.stdout), done.stderr


@pytest.mark.parametrize("name", ["h1.test", "h2c.test", "tls.test"])
def test_a_websocket_of_http2_reaches_every_origin(edge, name):
    assert edge.play(name, "websocket", "/echo") == {"status": 200, "said": "\x81\x02hi"}


@pytest.mark.parametrize("name", ["h1.test", "h2c.test", "tls.test"])
def test_a_websocket_of_http1_reaches_every_origin(edge, name):
    key = "dGhlIHNhbXBsZSBub25jZQ=="
    with edge.connect(name) as s:
        s.sendall((f"GET /echo HTTP/1.1\r\nHost: {name}:{edge.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n").encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += s.recv(4096)
        assert head.startswith(b"HTTP/1.1 101 "), head
        assert f"sec-websocket-accept: {accept_of(key)}".lower() in head.decode().lower()
        s.sendall(b"\x81\x02hi")
        assert s.recv(100) == b"\x81\x02hi"


def test_a_stalled_stream_stops_no_other(edge):
    assert edge.play("h2c.test", "stalled") == {"fast": 3000000, "slow": 10000000}
    assert edge.play("h1.test", "stalled") == {"fast": 3000000, "slow": 10000000}


def test_a_request_of_another_policy_is_misdirected(edge):
    seen = edge.play("mtls.test", "misdirected")
    assert seen["statuses"] == [421, 200]


@pytest.mark.parametrize("other, status", [("twin.test", 200), ("mtls.test", 421), ("h2c.test", 421), ("nobody.test", 421)])
def test_browsers_may_join_names_of_one_site_and_one_policy(edge, other, status):
    """The certificate is for nearly all of them; mtls.test asks clients for one of theirs."""
    seen = edge.play("h1.test", "misdirected", OTHER=f"{other}:{edge.port}")
    assert seen["statuses"] == [status, 200]


def test_an_origin_that_is_not_there_costs_its_own_stream(edge):
    assert edge.play("dead.test", "one")["status"] == 502
    assert edge.play("h1.test", "one")["status"] == 200


def test_a_stream_that_no_connection_has_room_for_is_told_in_time(edge):
    seen = edge.play("few.test", "crowd", COUNT=str(FEW * TRUNKS))
    assert seen["statuses"] == [200, 504]
    assert edge.event(kind="request", host="few.test", status=504)["err"] == "gate.origin-slow"


def test_curl_asks_forty_things_over_one_connection(edge):
    done = edge.curl("h2c.test", "/bytes/[1-40]", "--http2", "-Z", "-w", "%{http_version} %{num_connects} %{size_download}\n",
                     "-o", "/dev/null")
    rows = [line.split() for line in done.stdout.decode().splitlines()]
    assert [row[0] for row in rows] == ["2"] * 40 and sum(int(row[1]) for row in rows) == 1
    assert sorted(int(row[2]) for row in rows) == list(range(1, 41))


@pytest.mark.parametrize("code", [2, 7, 8, 11])
def test_reset_codes_of_the_origin_reach_the_client(edge, code):
    assert edge.play("h2c.test", "one", f"/reset/{code}")["code"] == code


def test_a_goaway_of_the_origin_is_not_the_clients(edge):
    assert edge.play("h2c.test", "after") == {"statuses": [200, 200], "closed": False}


def test_what_was_spoken_is_counted_by_version_and_code(edge):
    """Each worker's counters are in one page that the scribe shows."""
    edge.play("h2c.test", "one", "/reset/8")
    edge.curl("h1.test", "/bytes/1", "--http1.1")

    def count(name):
        rows = [line.split() for line in edge.metrics().splitlines() if line.startswith(f"sekisho_{name} ")]
        return int(float(rows[0][1])) if rows else 0

    assert count("h2_resets_received_cancel_total") >= 1 and count("h2_resets_sent_cancel_total") >= 1
    assert count("h2_streams_total") >= count("h2_connections_total") >= 1
    assert count("requests_http2_total") >= 1 and count("origin_requests_http2_total") >= 1
    assert count("requests_http1_total") >= 1 and count("origin_requests_http1_total") >= 1


def test_events_of_the_origin_arrive_when_they_are_sent(edge):
    late = edge.play("h2c.test", "events")["late"]
    assert len(late) == 5 and sorted(late)[2] < 25, late


def test_trailers_and_interim_heads_pass(edge):
    seen = edge.play("h2c.test", "one", "/trailers")
    assert (seen["body"], seen["trailers"]["grpc-status"]) == ("body", "7")
    assert edge.play("tls.test", "one", "/hints")["informs"] == [103]


def test_origins_are_told_of_the_client_and_nothing_of_its_connection(edge):
    fields = json.loads(edge.play("h2c.test", "one", "/fields")["body"])
    assert fields["x-forwarded-for"] == "127.0.0.1" and fields[":scheme"] == "http"
    assert not {"connection", "transfer-encoding", "upgrade", "host"} & set(fields)


def test_many_clients_share_few_connections(edge):
    """Three at a time with ten streams each: the origin's connections stay few."""
    need("h2load")
    before = int(edge.curl("h2c.test", "/sessions", "--http2").stdout)
    done = lab.run("h2load", "-n", "300", "-c", "3", "-m", "10", "--connect-to", f"127.0.0.1:{edge.port}",
                   f"https://h2c.test:{edge.port}/bytes/100", check=False)
    assert "300 succeeded" in done.stdout and "300 2xx" in done.stdout, done.stdout
    assert int(edge.curl("h2c.test", "/sessions", "--http2").stdout) - before <= 1


@pytest.mark.parametrize("name", ["h1.test", "h2c.test"])
def test_draining_lets_a_download_end(edge, name):
    before = edge.log().count("generation.serves")
    download = subprocess.Popen(
        ["curl", "-sS", "--http2", "--max-time", "30", "--limit-rate", "1M", "--noproxy", "*", "--cacert", str(edge.root),
         "--resolve", f"{name}:{edge.port}:127.0.0.1", "-o", "/dev/null", "-w", "%{size_download}",
         f"https://{name}:{edge.port}/bytes/1500000"], stdout=subprocess.PIPE)
    lab.wait_for("its beginning", lambda: download.poll() is not None or edge.holds_client())
    os.kill(edge.process.process.pid, signal.SIGHUP)
    assert download.communicate(timeout=40)[0] == b"1500000"
    lab.wait_for("the next generation", lambda: edge.log().count("generation.serves") > before)


GRPC_SEEN = {
    "unary": "cba", "often": [f"n {i}" for i in range(5)], "count": "2000000",
    "talk": {"said": [f"echo word {i}" for i in range(3)], "first": "yes", "last": "yes"},
    "large": 3000000, "late": "DEADLINE_EXCEEDED", "refused": ["PERMISSION_DENIED", "not you"],
    "unknown": "UNIMPLEMENTED"}


def grpc_peer(kind):
    """The command of one end of gRPC, and its environment."""
    if kind == "python":
        if not has_grpc():
            pytest.skip("python3-grpcio is not installed")
        return [PYTHON, os.path.join(CLIENTS, "grpc_peer.py")], os.environ
    return ["node", os.path.join(CLIENTS, "grpc_peer.mjs")], {**os.environ, "MODULES": node_modules("@grpc/grpc-js")}


@pytest.mark.parametrize("client, server", [("python", "python"), ("node", "python"), ("python", "node"), ("node", "node")])
def test_grpc_passes_with_all_its_kinds_of_calls(edge, client, server):
    command, env = grpc_peer(client)
    if server == "node":
        edge.serve_js(*grpc_peer("node"))
    name = {"python": "grpc.test", "node": "js.test"}[server]
    done = lab.run(*command, "play", f"127.0.0.1:{edge.port}", edge.root, name, check=False, env=env)
    assert done.returncode == 0, done.stderr + edge.log()[-3000:]
    assert json.loads(done.stdout) == GRPC_SEEN


def test_clients_cut_in_the_middle_leave_the_worker_whole(edge):
    for name in ("h1.test", "h2c.test"):
        client = subprocess.Popen(
            ["node", os.path.join(CLIENTS, "h2_client.mjs"), "many", f"https://{name}:{edge.port}/"],
            env={**os.environ, "DIRECT": str(edge.port), "ROOT": str(edge.root)},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        before = edge.h1.seen.copy()
        lab.wait_for("a request", lambda: name != "h1.test" or len(edge.h1.seen) > len(before) or client.poll() is not None)
        client.kill()
        client.wait()
        assert edge.play(name, "many")["whole"] == 100
    assert "process.died" not in edge.log()

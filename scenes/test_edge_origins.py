# SPDX-License-Identifier: Apache-2.0
"""Several origins of a site: weights, the same one for the same URL, retries, health checks, limits, PROXY headers."""

import collections
import http.client
import os
import shutil
import socket
import ssl
import threading
import time

import pytest

import lab
import origins

CONFIG = """\
workers 1
user {user}
data {folder}/data
control {folder}/control.sock
listen 127.0.0.1:{port} as edge use shop
edge shop {{
	upstream {{ trust {root} }}
	site mutual.test {{
		certificate {pair[0]} key {pair[1]}
		origin https://localhost:{mutual}
		origins {{ certificate {folder}/own/edge.crt; key {folder}/own/edge.key }}
	}}
	site alone.test {{
		certificate {pair[0]} key {pair[1]}
		origin https://localhost:{mutual}
		origins {{ retries 0 }}
	}}
	site turns.test {{
		certificate {pair[0]} key {pair[1]}
		origin http://127.0.0.1:{origins[0]} weight 3
		origin http://127.0.0.1:{origins[1]} weight 1
		origin http://127.0.0.1:{origins[2]} weight 0
		origins {{ balance turns; fails 1; down-time 1h }}
	}}
	site path.test {{
		certificate {pair[0]} key {pair[1]}
		origin http://127.0.0.1:{origins[0]}
		origin http://127.0.0.1:{origins[1]}
		origin http://127.0.0.1:{origins[2]}
		origins {{ balance path }}
	}}
	site retry.test {{
		certificate {pair[0]} key {pair[1]}
		origin http://127.0.0.1:{origins[0]}
		origin http://127.0.0.1:{origins[1]}
		origins {{ balance turns; retries 1; fails 100 }}
	}}
	site well.test {{
		certificate {pair[0]} key {pair[1]}
		origin http://127.0.0.1:{origins[0]}
		origin http://127.0.0.1:{sick}
		origins {{ balance turns; check /health; check-every 100ms; check-timeout 1s }}
	}}
	site busy.test {{
		certificate {pair[0]} key {pair[1]}
		origin http://127.0.0.1:{origins[0]}
		origins {{ limit 1 }}
	}}
	site small.test {{
		certificate {pair[0]} key {pair[1]}
		origin http://127.0.0.1:{origins[0]}
		origins {{ request-size 10; response-size 10 }}
	}}
	site held.test {{
		certificate {pair[0]} key {pair[1]}
		origin http://127.0.0.1:{origins[0]}
		origins {{ buffer-requests 100k; request-size 200k }}
		keep-host off
	}}
	site v1.test {{
		certificate {pair[0]} key {pair[1]}
		origin http://127.0.0.1:{raw}
		origins {{ proxy-protocol v1 }}
	}}
	site v2.test {{
		certificate {pair[0]} key {pair[1]}
		origin http://127.0.0.1:{raw}
		origins {{ proxy-protocol v2 }}
	}}
}}
"""

NAMES = [f"{name}.test" for name in ("turns", "path", "retry", "well", "busy", "small", "held", "v1", "v2", "mutual", "alone")]


class Raw:
    """Keeps the octets before the first request of each connection."""

    def __init__(self):
        self.heads = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        octets = b""
        with connection:
            while piece := connection.recv(65536):
                octets += piece
                while b"\r\n\r\n" in octets[octets.find(b"GET "):] and b"GET " in octets:
                    before, _, rest = octets.partition(b"GET ")
                    self.heads.append(before)
                    octets = rest.partition(b"\r\n\r\n")[2]
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


class Mutual(origins.Script):
    """An origin of https that asks for a certificate of this authority."""

    def __init__(self, pair, authority):
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority)
        self.context.load_cert_chain(*pair)
        self.context.verify_mode = ssl.CERT_REQUIRED
        super().__init__()

    def serve(self, connection):
        try:
            super().serve(self.context.wrap_socket(connection, server_side=True))
        except OSError:
            connection.close()


@pytest.fixture(scope="module")
def edge(program, stage, pki):
    sick, raw = origins.Script(), Raw()
    sick.answers["/health"] = [{"status": 500}]
    own = stage / "origins" / "own"
    (stage / "origins").mkdir()
    lab.run(program, "key", "init", own, "--server", "unused.test", "--client", "edge")
    mutual = Mutual(pki.issue("localhost"), own / "ca.crt")
    running = origins.Edge(program, stage / "origins", pki, CONFIG, names=NAMES, origins=3, sick=sick.port, raw=raw.port,
                           mutual=mutual.port, root=pki.root)
    running.sick, running.raw = sick, raw
    yield running
    running.close()
    sick.close()
    mutual.close()
    raw.listener.close()


def shares(edge, path):
    return [len(origin.asked.get(path, [])) for origin in edge.origins]


def test_requests_go_by_weight_and_to_the_spare_one_last(edge):
    path = edge.path({})
    for _ in range(16):
        assert edge.ask(path, host="turns.test").status == 200
    assert shares(edge, path) == [12, 4, 0]
    path = edge.path({"status": 503})
    for _ in range(3):
        edge.ask(path, host="turns.test")
    assert shares(edge, path) == [1, 1, 1]  # each is left alone after one failure, then the spare one is asked


def test_a_url_goes_to_the_same_origin(edge):
    used = collections.Counter()
    for _ in range(12):
        path = edge.path({})
        for _ in range(3):
            edge.ask(path, host="path.test")
        assert sorted(shares(edge, path)) == [0, 0, 3]
        used[shares(edge, path).index(3)] += 1
    assert len(used) > 1


def test_a_safe_request_without_an_answer_is_sent_to_another(edge):
    path = edge.path({})
    edge.origins[0].answers[path] = [{"gone": True}]
    assert [edge.ask(path, host="retry.test").status for _ in range(4)] == [200] * 4
    before = sum(shares(edge, path))
    statuses = {edge.ask(path, "POST", host="retry.test", body=b"x").status for _ in range(4)}
    assert statuses == {200, 502}  # what may have been done is not done twice
    assert sum(shares(edge, path)) == before + 4


def test_an_origin_that_is_not_well_is_left_out(edge):
    lab.wait_for("the check", lambda: "well=no" in (edge.folder / "edge.log").read_text())
    path = edge.path({})
    edge.sick.answers[path] = [{}]
    for _ in range(6):
        assert edge.ask(path, host="well.test").status == 200
    assert edge.sick.asked.get(path) is None
    edge.sick.answers["/health"] = [{}]
    lab.wait_for("the check", lambda: "well=yes" in (edge.folder / "edge.log").read_text())
    for _ in range(2):
        edge.ask(path, host="well.test")
    assert len(edge.sick.asked[path]) == 1


def test_an_origin_has_no_more_at_once_than_it_may(edge):
    gate = threading.Event()
    slow, quick = edge.path({"gate": gate}), edge.path({})
    waiting = threading.Thread(target=edge.ask, args=(slow,), kwargs={"host": "busy.test"})
    waiting.start()
    while not edge.asked(slow):
        time.sleep(0.01)
    answer = edge.ask(quick, host="busy.test")
    assert answer.status == 503 and "gate.busy" in answer.text
    gate.set()
    waiting.join()
    lab.wait_for("the end of the slow one", lambda: edge.ask(quick, host="busy.test").status == 200)


def test_bodies_are_no_longer_than_a_site_allows(edge):
    path = edge.path({"body": "x" * 10})
    assert edge.ask(path, "POST", host="small.test", body=b"x" * 10).status == 200
    assert edge.ask(path, "POST", host="small.test", body=b"x" * 11).status == 413
    assert len(edge.asked(path)) == 1
    path = edge.path({"body": "x" * 11})
    answer = edge.ask(path, host="small.test")
    assert answer.status == 502 and "gate.too-large" in answer.text


def begin_upload(edge, path, fields, host="held.test"):
    context = ssl.create_default_context(cafile=edge.root)
    s = context.wrap_socket(socket.create_connection(("127.0.0.1", edge.port), timeout=10), server_hostname=host)
    s.sendall(f"POST {path} HTTP/1.1\r\nHost: {host}\r\n{fields}\r\n\r\n".encode())
    return s


def answer_of(s):
    answer = http.client.HTTPResponse(s)
    answer.begin()
    answer.text = answer.read().decode()
    return answer


def test_a_body_is_read_before_its_origin_is_asked(edge):
    path = edge.path({})
    s = begin_upload(edge, path, "Transfer-Encoding: chunked")
    s.sendall(b"5\r\nhello\r\n")
    assert edge.ask(edge.path({}), host="held.test").status == 200  # so the edge has had its turn
    assert edge.asked(path) == []
    s.sendall(b"6\r\n world\r\n0\r\n\r\n")
    assert answer_of(s).text == "body"
    fields = edge.asked(path)[0][1]
    assert fields["content-length"] == ["11"] and "transfer-encoding" not in fields
    assert fields["host"] == [f"127.0.0.1:{edge.origins[0].port}"] and fields["x-forwarded-host"] == ["held.test"]
    assert edge.origins[0].bodies[path] == b"hello world"
    path = edge.path({})  # the connection lasts
    s.sendall(f"POST {path} HTTP/1.1\r\nHost: held.test\r\nContent-Length: 3\r\n\r\nabc".encode())
    assert answer_of(s).text == "body" and edge.origins[0].bodies[path] == b"abc"
    s.close()


def test_what_does_not_fit_follows_and_what_is_too_long_is_refused(edge):
    path = edge.path({})
    body = bytes(range(256)) * 600  # 150 k: more than is held
    s = begin_upload(edge, path, f"Content-Length: {len(body)}")
    s.sendall(body[:120000])
    lab.wait_for("the origin to be asked", lambda: edge.origins[0].begun.get(path))
    s.sendall(body[120000:])
    assert answer_of(s).status == 200 and edge.origins[0].bodies[path] == body
    s.close()
    path = edge.path({})
    s = begin_upload(edge, path, "Transfer-Encoding: chunked")
    for _ in range(3):
        s.sendall(b"11170\r\n" + b"x" * 0x11170 + b"\r\n")
    assert answer_of(s).status == 413
    s.close()


def test_held_bodies_come_whole_from_http2(edge, tmp_path):
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    for size in (0, 10, 99_999, 150_000):
        path, body = edge.path({}), tmp_path / "body"
        body.write_bytes(os.urandom(size))
        done = lab.run("curl", "-sS", "--http2", "--noproxy", "*", "--cacert", edge.root, "--resolve",
                       f"held.test:{edge.port}:127.0.0.1", "--data-binary", f"@{body}", "-H", "Expect:",
                       f"https://held.test:{edge.port}{path}")
        assert done.stdout == "body" and edge.origins[0].bodies.get(path, b"") == body.read_bytes()


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_origins_are_told_who_comes(edge, version):
    edge.raw.heads.clear()
    context = ssl.create_default_context(cafile=edge.root)
    host = f"{version}.test"
    connection = http.client.HTTPConnection(host)
    connection.sock = context.wrap_socket(socket.create_connection(("127.0.0.1", edge.port), timeout=10), server_hostname=host)
    port = connection.sock.getsockname()[1]
    for _ in range(2):
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"ok"
    edge.ask("/", host=host)
    first, second, other = edge.raw.heads
    assert second == b"" and other  # one connection for one client
    if version == "v1":
        assert first == f"PROXY TCP4 127.0.0.1 127.0.0.1 {port} {edge.port}\r\n".encode()
    else:
        assert first.startswith(b"\r\n\r\n\0\r\nQUIT\n\x21\x11")
        assert first[16:28] == b"\x7f\0\0\1\x7f\0\0\1" + port.to_bytes(2, "big") + edge.port.to_bytes(2, "big")
        assert b"\x02\x00\x07v2.test" in first and b"TLSv1.3" in first


def test_an_origin_is_shown_the_certificate_of_its_site(edge):
    assert edge.ask("/", host="mutual.test").status == 200
    answer = edge.ask("/", host="alone.test")
    assert answer.status == 502 and "alone.test" in answer.text
    assert "127.0.0.1" not in answer.text  # what lies behind a site is not told to strangers

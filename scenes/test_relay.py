# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 through the gateway: what must pass whole, and what must not pass."""

import base64
import hashlib
import json
import os
import threading
import time

import pytest

import lab
import wire


@pytest.fixture
def good(street):
    with wire.secure(street.gateway, street.hosts["good"], street.origins["good"].port,
                     street.gateway.root) as s:
        s.settimeout(wire.TIMEOUT_S)
        yield s


HOST = "www.good.example"


def test_requests_follow_each_other_on_one_connection(good):
    for number in range(20):
        assert len(wire.get(good, HOST, f"/bytes/{number}").body) == number


def test_pipelined_requests_are_answered_in_order(good):
    good.sendall(b"".join(f"GET /bytes/{n} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
                          for n in (3, 1, 2)))
    assert [len(wire.read_answer(good).body) for _ in range(3)] == [3, 1, 2]


def test_a_request_in_single_octets_is_understood(good):
    for octet in f"GET /bytes/5 HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode():
        good.sendall(bytes([octet]))
    assert len(wire.read_answer(good).body) == 5


def test_chunked_answers_arrive_whole(good):
    answer = wire.get(good, HOST, "/chunked/50")
    assert answer.body.count(b"piece") == 50
    assert wire.get(good, HOST).body == b"good\n"


def test_head_has_no_body_and_the_connection_goes_on(good):
    good.sendall(f"HEAD /bytes/1000 HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    assert wire.read_answer(good, head_only=True).fields["content-length"] == "1000"
    assert wire.get(good, HOST).body == b"good\n"


@pytest.mark.parametrize("status", [204, 304, 404, 500])
def test_status_codes_pass(street, good, status):
    def answer(handler):
        handler.send_response(status)
        if status >= 400:
            handler.send_header("Content-Length", "0")
        handler.end_headers()

    street.route("good", f"code{status}", answer)
    assert wire.get(good, HOST, f"/code{status}").status == status
    assert wire.get(good, HOST).body == b"good\n"


def test_bodies_go_up_with_length_and_in_chunks(good):
    body = os.urandom(300_000)
    head = f"POST /up HTTP/1.1\r\nHost: {HOST}\r\n"
    good.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    assert wire.read_answer(good).body == b"300000 octets\n"
    good.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
    for i in range(0, len(body), 10_000):
        good.sendall(b"2710\r\n" + body[i:i + 10_000] + b"\r\n")
    good.sendall(b"0\r\n\r\n")
    assert wire.read_answer(good).body == b"300000 octets\n"


def test_expect_continue_is_answered_before_the_body(good):
    good.sendall(f"POST /up HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 5\r\n"
                 "Expect: 100-continue\r\n\r\n".encode())
    assert wire.read_head(good).startswith(b"HTTP/1.1 100")
    good.sendall(b"12345")
    assert wire.read_answer(good).body == b"5 octets\n"


def test_a_large_download_is_unharmed_and_a_slow_reader_costs_little(street, good):
    size = 64 << 20
    seed = os.urandom(1 << 16)

    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(size))
        handler.end_headers()
        for _ in range(size // len(seed)):
            handler.wfile.write(seed)

    def resident():
        total = 0
        for pid in street.gateway.process.pids():
            text = open(f"/proc/{pid}/status").read()
            total += int(text.split("VmRSS:")[1].split()[0]) if "VmRSS:" in text else 0
        return total

    street.route("good", "large", answer)
    good.sendall(f"GET /large HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    wire.read_head(good)
    before = resident()
    time.sleep(1.5)  # we read nothing; the origin must be held back
    assert resident() - before < 24 << 10, "kB; the sanitizer keeps freed blocks for a while"
    digest = hashlib.sha256(wire.read_exactly(good, size)).digest()
    assert digest == hashlib.sha256(seed * (size // len(seed))).digest()


def test_hop_by_hop_fields_end_here(street, good):
    answer = wire.get(good, HOST, "/headers", "Connection: keep-alive, X-Mine\r\nX-Mine: 1\r\n"
                      "Proxy-Authorization: Basic eDp5\r\nKeep-Alive: timeout=5\r\nX-Other: 2\r\n")
    fields = {name.lower(): value for name, value in json.loads(answer.text)}
    assert fields["x-other"] == "2" and fields["host"] == HOST
    assert not {"x-mine", "proxy-authorization", "keep-alive"} & set(fields)


def test_forged_forwarding_fields_do_not_reach_the_origin(good):
    answer = wire.get(good, HOST, "/headers", "X-Forwarded-For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\n")
    assert "6.6.6.6" not in answer.text


@pytest.mark.parametrize("spoilt", [
    "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n12345",
    "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length: 5, 5\r\n\r\n12345",
    "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length: +5\r\n\r\n12345",
    "POST / HTTP/1.1\r\nHost: {h}\r\nContent-Length: 5 5\r\n\r\n12345",
    "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.0\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\n12345\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\n\r\n5\n12345\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: {h}\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n\r\n",
    "GET / HTTP/1.1\nHost: {h}\n\n",
    "GET / HTTP/1.1\r\nHost: {h}\r\nA: b\r\n folded\r\n\r\n",
    "GET / HTTP/1.1\r\nHost : {h}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: {h}\r\nA: b\rc\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: {h}\r\nA: b\0c\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: {h}\r\n: b\r\n\r\n",
    "GET  / HTTP/1.1\r\nHost: {h}\r\n\r\n",
    "GET /a b HTTP/1.1\r\nHost: {h}\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: {h}\r\nHost: {h}\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: {h}\r\nA: " + "b" * 200_000 + "\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: {h}\r\n" + "A: b\r\n" * 5000 + "\r\n",
])
def test_what_two_readers_could_read_differently_never_reaches_the_origin(street, good, spoilt):
    before = len(street.origins["good"].seen)
    try:
        answer = wire.ask(good, spoilt.replace("{h}", HOST).encode("latin-1"))
        assert answer.status in (0, 400, 405, 413, 414, 417, 421, 431, 501, 505), answer.head
    except OSError:
        pass  # reset while we were still sending: refused all the same
    # A request refused in its body may have been announced; nothing is answered from it.
    later = street.origins["good"].seen[before:]
    assert all("HTTP/1.1" not in path for _, path, _ in later)
    assert wire.ends(good)


def test_a_connect_inside_an_inspected_connection_goes_nowhere(street, good):
    before = len(street.origins["good"].seen)
    answer = wire.ask(good, "CONNECT www.elsewhere.example:443 HTTP/1.1\r\n"
                      "Host: www.elsewhere.example:443\r\n\r\n")
    assert 400 <= answer.status < 600 and len(street.origins["good"].seen) == before


def test_a_request_for_another_host_is_misdirected(street, good):
    answer = wire.get(good, "www.somewhere-else.example")
    assert answer.status == 421
    assert all(fields.get("Host") != "www.somewhere-else.example"
               for _, _, fields in street.origins["good"].seen)


def answering(text, farewell=False):
    """A route that answers with these octets and closes, with TLS's own end or without."""

    def answer(handler):
        handler.wfile.write(text)
        if farewell:
            handler.request.unwrap()
        handler.close_connection = True

    return answer


@pytest.mark.parametrize("spoilt", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1 200 no\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\n1234567",
    b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
    b"ICY 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"garbage",
    b"",
])
def test_a_spoilt_answer_becomes_an_error_page(street, good, spoilt):
    street.route("good", "spoilt", answering(spoilt))
    answer = wire.get(good, HOST, "/spoilt")
    assert answer.status in (502, 504), answer.head


def test_an_answer_cut_short_is_not_passed_off_as_whole(street, good):
    street.route("good", "short", answering(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"))
    with pytest.raises((EOFError, OSError)):
        wire.get(good, HOST, "/short")


def test_an_answer_without_length_ends_with_the_connection(street, good):
    text = b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nuntil the end"
    street.route("good", "till-end", answering(text, farewell=True))
    assert wire.get(good, HOST, "/till-end").body == b"until the end"


def test_an_end_that_tls_did_not_announce_may_be_somebody_elses(street, good):
    """Without close_notify a body that lasts till the end may have been cut by anyone."""
    text = b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nuntil the"
    street.route("good", "cut", answering(text))
    with pytest.raises((EOFError, OSError)):
        wire.get(good, HOST, "/cut")


def test_a_websocket_passes_both_ways(street, good):
    key = base64.b64encode(os.urandom(16)).decode()

    def answer(handler):
        digest = hashlib.sha1((handler.headers["Sec-WebSocket-Key"]
                               + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        handler.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                            b"Connection: Upgrade\r\nSec-WebSocket-Accept: "
                            + base64.b64encode(digest) + b"\r\n\r\n")
        handler.wfile.flush()
        for _ in range(3):
            handler.wfile.write(handler.rfile.read(6)[::-1])
        handler.close_connection = True

    street.route("good", "socket", answer)
    good.sendall(f"GET /socket HTTP/1.1\r\nHost: {HOST}\r\nUpgrade: websocket\r\n"
                 f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
                 "Sec-WebSocket-Version: 13\r\n\r\n".encode())
    assert wire.read_head(good).startswith(b"HTTP/1.1 101")
    for text in (b"abcdef", b"123456", b"\x81\x80\0\0\0\0"):
        good.sendall(text)
        assert wire.read_exactly(good, 6) == text[::-1]


def test_server_sent_events_are_not_held_back(street, good):
    go_on = threading.Event()

    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"9\r\ndata: 1\n\n\r\n")
        handler.wfile.flush()
        go_on.wait(10)
        handler.wfile.write(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")

    street.route("good", "events", answer)
    good.sendall(f"GET /events HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    wire.read_head(good)
    assert wire.read_exactly(good, 14) == b"9\r\ndata: 1\n\n\r\n"
    go_on.set()
    assert wire.read_exactly(good, 14) == b"9\r\ndata: 2\n\n\r\n"


def test_many_clients_at_once_each_get_their_own(street):
    wrong = []

    def visit(number):
        try:
            with wire.secure(street.gateway, HOST, street.origins["good"].port,
                             street.gateway.root) as s:
                for turn in range(5):
                    if len(wire.get(s, HOST, f"/bytes/{number * 10 + turn}").body) != number * 10 + turn:
                        wrong.append(number)
        except (OSError, EOFError, AssertionError) as error:
            wrong.append(error)

    threads = [threading.Thread(target=visit, args=(n,)) for n in range(30)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    assert wrong == []


def test_nginx_as_origin(street, pki, tmp_path):
    from conftest import need
    need("nginx")
    cert, key = pki.issue("www.nginx.example")
    port = lab.free_port()
    (tmp_path / "index.html").write_text("nginx was here\n")
    config = tmp_path / "nginx.conf"
    config.write_text(f"""daemon off; master_process off; pid {tmp_path}/pid;
error_log {tmp_path}/error.log; events {{}} http {{ access_log off;
client_body_temp_path {tmp_path}/b; proxy_temp_path {tmp_path}/p; fastcgi_temp_path {tmp_path}/f;
uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s;
server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {cert}; ssl_certificate_key {key};
root {tmp_path}; }} }}""")
    server = lab.Program(["nginx", "-p", tmp_path, "-c", config, "-e", tmp_path / "e.log"],
                         lambda: lab.accepts(port), tmp_path / "out.log")
    try:
        with wire.secure(street.gateway, "www.nginx.example", port, street.gateway.root) as s:
            assert wire.get(s, "www.nginx.example").body == b"nginx was here\n"
            assert wire.get(s, "www.nginx.example", "/", "Range: bytes=0-4\r\n").status == 206
    finally:
        server.close()


def test_openssl_s_server_as_origin(street, pki, tmp_path):
    cert, key = pki.issue("www.sserver.example")
    port = lab.free_port()
    server = lab.Program(["openssl", "s_server", "-accept", port, "-cert", cert, "-key", key,
                          "-www", "-quiet"], lambda: lab.accepts(port), tmp_path / "out.log")
    try:
        with wire.secure(street.gateway, "www.sserver.example", port, street.gateway.root) as s:
            assert "Ciphers" in wire.get(s, "www.sserver.example").text
    finally:
        server.close()

# SPDX-License-Identifier: Apache-2.0
"""Peers of HTTP/2 that mean harm: floods by clients and by origins, and requests that are
another one in HTTP/1. At the edge and at the gateway; whoever is honest is served meanwhile."""

import contextlib
import socket
import ssl
import threading

import pytest

import frames
import lab
import wire
from conftest import look_for_reports
from frames import (CALM, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PRIORITY, RST_STREAM,
                    SETTINGS, WINDOW_UPDATE, block, frame, request)
from test_h2_tools import APART, edge_before

HOST = "localhost"


class RawOrigin:
    """An origin of HTTP/1 that reads as strict ones do, answers each head, and keeps the lines."""

    def __init__(self, certificate=None):
        self.heard, self.context = [], None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self.socket.accept()[0],), daemon=True).start()

    def _serve(self, s):
        with contextlib.suppress(OSError, ValueError):
            if self.context:
                s = self.context.wrap_socket(s, server_side=True)
            with s.makefile("rb") as lines:
                while self._read_head(lines):
                    s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                    self._read_body(lines)

    def _read_head(self, lines):
        self.length, line = None, lines.readline()
        self.heard.append(line)
        while line and line != b"\r\n":
            line = lines.readline()
            self.heard.append(line)
            name, _, value = line.lower().partition(b":")
            if name == b"content-length":
                self.length = int(value)
            elif name == b"transfer-encoding":
                self.length = -1
        return line

    def _read_body(self, lines):
        if self.length != -1:
            lines.read(self.length or 0)
            return
        while size := int(lines.readline().split(b";")[0], 16):
            lines.read(size + 2)
        while lines.readline() not in (b"", b"\r\n"):
            pass

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Door:
    """Where clients come in: the edge, or the gateway on the way to an origin."""

    def __init__(self, origin, root, port, log, proxy=None):
        self.origin, self.root, self.port, self.log, self.proxy = origin, root, port, log, proxy

    def dial(self):
        return frames.dial(self.port, HOST, self.root, self.proxy)

    def serves(self):
        """Whether a client that means well is answered."""
        peer = self.dial()
        peer.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, block(request(self.authority))))
        fine = 1 in peer.look(lambda p: p.heads or p.resets or p.goaway is not None).heads
        peer.close()
        return fine

    @property
    def authority(self):
        return f"{HOST}:{self.port}"


@pytest.fixture(scope="module", params=["edge", "gateway"])
def door(request, program, stage, pki, make_gateway):
    """A way to an origin of HTTP/1 that is heard octet by octet."""
    if request.param == "edge":
        origin = RawOrigin()
        with edge_before(program, stage / "hostile-edge", pki, f"http://127.0.0.1:{origin.port}") as (port, log):
            yield Door(origin, pki.root, port, log)
        origin.close()
        return
    origin = RawOrigin(pki.issue(HOST))
    hosts = stage / "hostile_hosts"
    hosts.write_text(f"127.0.0.1 {HOST}\n")
    gateway = make_gateway(upstream="http 1.1", resolver=f"hosts {hosts}")
    yield Door(origin, gateway.root, origin.port, gateway.log, gateway.port)
    gateway.close()
    origin.close()
    look_for_reports(gateway)


GET = block(request("localhost"))
FLOODS = {
    "rapid reset": (lambda n: frame(HEADERS, END_HEADERS | END_STREAM, 2 * n + 1, GET) +
                    frame(RST_STREAM, 0, 2 * n + 1, b"\0\0\0\x08")),
    "made you reset": (lambda n: frame(HEADERS, END_HEADERS | END_STREAM, 2 * n + 1, GET) +
                       frame(WINDOW_UPDATE, 0, 2 * n + 1, b"\x7f\xff\xff\xff")),
    "malformed": lambda n: frame(HEADERS, END_HEADERS | END_STREAM, 2 * n + 1, block([("A", "b")])),
    "continuation": lambda n: frame(CONTINUATION, 0, 1, block([("a", "b")])) if n else frame(HEADERS, 0, 1, GET),
    "settings": lambda n: frame(SETTINGS, 0, 0, b"\0\x04\0\0\x80\0"),
    "ping": lambda n: frame(PING, 0, 0, b"12345678"),
    "priority": lambda n: frame(PRIORITY, 0, 2 * n % 1000 + 1, b"\0\0\0\0\x10"),
    "window": lambda n: frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\x01"),
    "empty data": lambda n: frame(DATA, 0, 1) if n else frame(HEADERS, END_HEADERS, 1, block(request("localhost", method="POST"))),
    "padding": (lambda n: frame(DATA, PADDED, 1, b"\x01\0") if n else
                frame(HEADERS, END_HEADERS, 1, block(request("localhost", method="POST")))),
    "unknown": lambda n: frame(0x42, 0, 1),
}


def flood(peer, step):
    """Sends until it is told off."""
    for burst in range(400):
        if peer.goaway is not None or not peer.send(b"".join(step(burst * 50 + i) for i in range(50))):
            break
        peer.take()
    peer.look(lambda p: p.goaway is not None)
    peer.close()


@pytest.mark.parametrize("name", FLOODS)
def test_a_client_that_floods_is_told_to_calm_down(door, name):
    honest = door.dial()
    peer = door.dial()
    flood(peer, FLOODS[name])
    # Streams that still wait to be reset count as open: too many of them are an error.
    assert peer.goaway == CALM or (name in ("made you reset", "malformed") and peer.goaway == 1), door.log()[-2000:]
    honest.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, block(request(door.authority))))
    assert 1 in honest.look(lambda p: p.heads or p.resets or p.goaway is not None).heads
    honest.close()


EVIL = "GET /evil HTTP/1.1\r\nHost: localhost\r\n\r\n"
FIELDS = {  # name, what stands behind an ordinary request, and its body
    "length below the body": ([("content-length", "0")], EVIL),
    "length above the body": ([("content-length", "500")], EVIL),
    "two lengths": ([("content-length", "5"), ("content-length", str(len(EVIL)))], EVIL),
    "length as a list": ([("content-length", "5, 5")], "abcde"),
    "length with a sign": ([("content-length", "+5")], "abcde"),
    "length with a blank": ([("content-length", " 5")], "abcde"),
    "chunked": ([("transfer-encoding", "chunked")], "0\r\n\r\n" + EVIL),
    "chunked and a length": ([("content-length", "5"), ("transfer-encoding", "chunked")], "0\r\n\r\n"),
    "chunked in capitals": ([("Transfer-Encoding", "chunked")], "0\r\n\r\n" + EVIL),
    "chunked with a blank behind the name": ([("transfer-encoding ", "chunked")], "0\r\n\r\n" + EVIL),
    "chunked with a tab before the value": ([("transfer-encoding", "\tchunked")], "0\r\n\r\n" + EVIL),
    "a field in a value": ([("x", "a\r\ntransfer-encoding: chunked")], "0\r\n\r\n" + EVIL),
    "LF in a value": ([("x", "a\ntransfer-encoding: chunked")], "0\r\n\r\n" + EVIL),
    "CR in a value": ([("x", "a\rb")], None),
    "NUL in a value": ([("x", "a\0b")], None),
    "a request in a value": ([("x", "a\r\n\r\n" + EVIL)], None),
    "a field in a name": ([("x: y\r\ntransfer-encoding", "chunked")], "0\r\n\r\n" + EVIL),
    "a colon in a name": ([("transfer-encoding: chunked", "x")], "0\r\n\r\n" + EVIL),
    "a blank in a name": ([("transfer-encoding x", "chunked")], None),
    "a line end in a name": ([("x\r\n", "y")], None),
    "an empty name": ([("", "y")], None),
    "another host": ([("host", "evil.example")], None),
    "host twice": ([("host", "localhost"), ("host", "evil.example")], None),
    "connection": ([("connection", "transfer-encoding")], None),
    "keep-alive": ([("keep-alive", "timeout=5")], None),
    "proxy-connection": ([("proxy-connection", "close")], None),
    "upgrade": ([("upgrade", "h2c")], None),
    "te": ([("te", "chunked")], None),
    "a second :path": ([(":path", "/evil")], None),
    "a second :method": ([(":method", "POST")], None),
    "a second :authority": ([(":authority", "evil.example")], None),
    "a :path behind fields": ([("x", "y"), (":path", "/evil")], None),
    "an unknown pseudo-field": ([(":evil", "y")], None),
    ":status": ([(":status", "200")], None),
}
PSEUDO = {
    ":method that is a request": {":method": "GET /evil HTTP/1.1\r\nHost: b\r\n\r\nGET"},
    ":method with a blank": {":method": "GET /evil"},
    ":method that is empty": {":method": ""},
    ":path that is a request": {":path": "/ HTTP/1.1\r\nHost: localhost\r\n\r\nGET /evil"},
    ":path with a version": {":path": "/evil HTTP/1.1"},
    ":path with LF": {":path": "/\nx: y"},
    ":path with a tab": {":path": "/\tevil"},
    ":path with NUL": {":path": "/\0"},
    ":path that is a URL": {":path": "http://evil.example/"},
    ":path without a slash": {":path": "evil"},
    ":path that is empty": {":path": ""},
    ":path of *": {":path": "*"},
    ":path with a fragment": {":path": "/#evil"},
    ":authority with a line end": {":authority": "localhost\r\nx: y"},
    ":authority with a user": {":authority": "localhost@evil.example"},
    ":authority with a path": {":authority": "localhost/evil"},
    ":authority with a blank": {":authority": "localhost evil.example"},
    ":authority of two": {":authority": "localhost,evil.example"},
    ":scheme with a URL": {":scheme": "https://evil.example/?"},
    ":scheme with a line end": {":scheme": "https\r\nx: y"},
}


def ask(door, head, body):
    """The peer, once the stream was refused: perhaps behind an answer, if only its body is wrong."""
    peer = door.dial()
    payload = block(head)
    peer.send(frame(HEADERS, END_HEADERS | (END_STREAM if body is None else 0), 1, payload))
    if body is not None:
        peer.send(frame(DATA, END_STREAM, 1, body.encode("latin1")))
    peer.look(lambda p: p.resets or p.goaway is not None)
    peer.close()
    return peer


def check_unheard(door, name, path):
    """Refused one way or another: the origin was asked for nothing that was meant as another's."""
    lines = list(door.origin.heard)
    assert not any(b"evil" in line for line in lines), name
    assert name.startswith("length ") or not any(path.encode() in line for line in lines), name


def test_no_request_is_another_one_in_http1(door):
    for number, (name, (fields, body)) in enumerate(FIELDS.items()):
        head = request(door.authority, f"/row-{number}-", "GET" if body is None else "POST")
        peer = ask(door, head + fields, body)
        assert 1 in peer.resets or peer.goaway == 1, name
        check_unheard(door, name, f"/row-{number}-")
    assert door.serves()


def test_no_pseudo_field_is_more_than_it_says(door):
    for number, (name, change) in enumerate(PSEUDO.items()):
        head = request(door.authority, f"/field-{number}-")
        peer = ask(door, [(key, change.get(key, value)) for key, value in head], None)
        assert peer.resets.get(1) == 1 or peer.goaway == 1, name
        check_unheard(door, name, f"/field-{number}-")
    assert door.serves()


# --- origins ---


def answer(fields=(), ended=False):
    return frame(HEADERS, END_HEADERS | (END_STREAM if ended else 0), 1, block([(":status", "200"), *fields]))


ORIGIN_FLOODS = {
    "settings": FLOODS["settings"], "ping": FLOODS["ping"], "priority": FLOODS["priority"], "window": FLOODS["window"],
    "unknown": FLOODS["unknown"],
    "goaway": lambda n: frame(GOAWAY, 0, 0, b"\0\0\0\x01\0\0\0\0"),
    "continuation": lambda n: frame(CONTINUATION, 0, 1, block([("a", "b")])) if n else frame(HEADERS, 0, 1, answer()[9:]),
    "empty data": lambda n: frame(DATA, 0, 1) if n else answer(),
    "padding": lambda n: frame(DATA, PADDED, 1, b"\x01\0") if n else answer(),
}


@pytest.fixture(scope="module")
def gateway(make_gateway):
    running = make_gateway()
    yield running
    running.close()
    look_for_reports(running)


@pytest.mark.parametrize("name", ORIGIN_FLOODS)
def test_an_origin_that_floods_is_told_to_calm_down(gateway, pki, name):
    seen = []

    def act(peer):
        flood(peer, ORIGIN_FLOODS[name])
        seen.append(peer.goaway)

    origin = frames.Server(*pki.issue("www.flood.example"), act)
    client = frames.dial(origin.port, "www.flood.example", gateway.root, gateway.port)
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, block(request(f"www.flood.example:{origin.port}"))))
    client.look(lambda p: p.resets or p.goaway is not None)
    lab.wait_for("what the origin was told", lambda: seen)
    origin.close()
    client.close()
    assert seen == [CALM], gateway.log()[-2000:]


def test_an_origin_that_floods_the_edge_costs_a_request(program, stage, pki):
    """Its connection is one that clients share."""
    names, seen = iter(("settings", "continuation", "empty data")), []

    def act(peer):
        flood(peer, ORIGIN_FLOODS[next(names)])
        seen.append(peer.goaway)

    origin = frames.Server(*pki.issue(HOST), act, APART)
    with edge_before(program, stage / "flooded-edge", pki, f"https://{HOST}:{origin.port}") as (port, log):
        client = frames.dial(port, HOST, pki.root)
        for stream in (1, 3, 5):
            client.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, block(request(f"{HOST}:{port}"))))
            client.look(lambda p, n=stream: n in p.resets or n in p.heads or p.goaway is not None)
            assert client.goaway is None, log()[-2000:]
        client.close()
        lab.wait_for("what the origin was told", lambda: len(seen) == 3)
    origin.close()
    assert seen == [CALM] * 3


ANSWERS = {
    "a push": frame(frames.PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\x02" + block(request("www.flood.example"))),
    "a line end in a value": answer([("x", "a\r\nset-cookie: evil=1")], True),
    "a line end in a name": answer([("x\r\nset-cookie", "evil=1")], True),
    "a body behind too short a length": answer([("content-length", "2")]) + frame(DATA, END_STREAM, 1, b"evil"),
    "a body before too long a length": answer([("content-length", "20")]) + frame(DATA, END_STREAM, 1, b"evil"),
    "transfer-encoding": answer([("transfer-encoding", "chunked")]) + frame(DATA, END_STREAM, 1, b"0\r\n\r\n"),
    "101": frame(HEADERS, END_HEADERS, 1, block([(":status", "101")])),
    "two statuses": answer([(":status", "200")], True),
    "no status": frame(HEADERS, END_HEADERS | END_STREAM, 1, block([("x", "y")])),
    "a body without a head": frame(DATA, END_STREAM, 1, b"evil"),
}


@pytest.mark.parametrize("version", ["h2", "http/1.1"])
def test_no_answer_is_another_one_to_the_client(open_gateway, pki, version):
    gateway = open_gateway(upstream="http any")
    for name, octets in ANSWERS.items():
        def act(peer, octets=octets):
            peer.send(octets)
            peer.look(lambda p: False, timeout_s=5)

        origin = frames.Server(*pki.issue("www.flood.example"), act)
        if version == "h2":
            client = frames.dial(origin.port, "www.flood.example", gateway.root, gateway.port)
            client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, block(request(f"www.flood.example:{origin.port}"))))
            begins = name.startswith("a body b")  # and is cut off when it turns out not to be whole
            client.look(lambda p: p.resets or p.goaway is not None or (p.heads and not begins))
            assert 1 in client.resets if begins else b"evil" not in client.rest, name
            client.close()
        else:
            with wire.secure(gateway, "www.flood.example", origin.port, gateway.root) as s:
                s.sendall(f"GET / HTTP/1.1\r\nHost: www.flood.example:{origin.port}\r\n\r\n".encode())
                head = wire.read_head(s)
                cut = name.startswith("a body b") and head.startswith(b"HTTP/1.1 200 ")
                assert head.startswith(b"HTTP/1.1 502 ") or cut, (name, head)
                assert b"evil" not in head, name
        origin.close()

# SPDX-License-Identifier: Apache-2.0
"""Early data at an edge (0-RTT, RFC 8446 §2.3, RFC 8470): what is answered before the
handshake is over, what has to wait, and what is never taken a second time."""

import contextlib
import re
import socket
import subprocess
import threading

import pytest

import lab
from edge_cast import Edge

CLIENTS = "clients api.shop.test { certificate ask; managed %s }"


class Held:
    """Between client and edge. The client's first flight passes; what the edge answers is kept
    until it is let go, so the client's second flight cannot come before."""

    def __init__(self, port):
        self.port, self.first, self.free = port, b"", threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.here = self.socket.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        near, _ = self.socket.accept()
        with near, socket.create_connection(("127.0.0.1", self.port)) as far:
            threading.Thread(target=self._up, args=(near, far), daemon=True).start()
            with contextlib.suppress(OSError):
                while data := far.recv(65536):
                    self.free.wait(60)
                    near.sendall(data)
                near.shutdown(socket.SHUT_WR)

    def _up(self, near, far):
        with contextlib.suppress(OSError):
            while data := near.recv(65536):
                if not self.free.is_set():
                    self.first += data
                far.sendall(data)
            far.shutdown(socket.SHUT_WR)

    def close(self):
        self.free.set()
        self.socket.close()


class Client:
    """openssl s_client with a ticket."""

    def __init__(self, edge, folder, name="shop.test", alpn=None):
        self.edge, self.folder, self.name = edge, folder, name
        self.kept = folder / "session"
        self.more = ["-alpn", alpn] if alpn else []

    def run(self, *more, port=None, said=b""):
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{port or self.edge.port}", "-servername", self.name,
             "-CAfile", str(self.edge.root), "-ign_eof", *self.more, *map(str, more)], input=said,
            capture_output=True, timeout=30, check=False)
        return (done.stdout + done.stderr).decode(errors="replace")

    def request(self, method, path, body=""):
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        return (f"{method} {path} HTTP/1.1\r\nHost: {self.name}\r\n{length}Connection: close\r\n\r\n{body}").encode()

    def ticket(self):
        """A full handshake, whose ticket is kept; what the edge allows early with it."""
        text = self.run("-sess_out", self.kept, said=self.request("GET", "/ticket"))
        found = re.search(r"Max Early Data: (\d+)", text)
        return int(found[1]) if found else None

    def early(self, octets, port=None, said=b""):
        """said: what the client says after the handshake, for an edge that did not take it early."""
        file = self.folder / "early"
        file.write_bytes(octets)
        return self.run("-sess_in", self.kept, "-early_data", file, port=port, said=said)


@pytest.fixture(scope="module")
def edge(program, stage, pki):
    folder = stage / "early"
    folder.mkdir()
    subprocess.run([program, "client", "init", "--dir", folder / "ca"], check=True, stdout=subprocess.DEVNULL)
    with Edge(program, folder / "edge", pki, workers=1, site="early-data on",
              body=CLIENTS % (folder / "ca")) as running:
        def picky(handler):
            early = handler.headers.get("Early-Data")
            handler.answer(b"picky\n", status=425 if early else 200)

        running.origin.routes["picky"] = picky
        yield running


def seen(edge, path):
    return [(method, fields.get("Early-Data")) for method, at, fields in edge.origin.seen if at == path]


def test_a_safe_request_is_answered_before_the_handshake_is_over(edge, tmp_path):
    client = Client(edge, tmp_path)
    assert client.ticket() == 16384 and seen(edge, "/ticket") == [("GET", None)]
    held = Held(edge.port)
    text = []
    thread = threading.Thread(target=lambda: text.append(client.early(client.request("GET", "/first"), held.here)))
    thread.start()
    try:
        lab.wait_for("the origin to be asked", lambda: seen(edge, "/first"))
        assert seen(edge, "/first") == [("GET", "1")]
        # The very same octets once more, while the first connection is still in its handshake.
        with socket.create_connection(("127.0.0.1", edge.port)) as again:
            again.sendall(held.first)
            assert again.recv(5)[:1] == b"\x16"
    finally:
        held.close()
        thread.join()
    assert "Early data was accepted" in text[0] and "HTTP/1.1 200" in text[0] and "hello from the origin" in text[0]
    assert client.ticket()  # through the same worker, behind the repetition
    assert seen(edge, "/first") == [("GET", "1")]


def test_a_ticket_brings_early_data_once(edge, tmp_path):
    client = Client(edge, tmp_path)
    client.ticket()
    assert "Early data was accepted" in client.early(client.request("GET", "/once"))
    assert "Early data was rejected" in client.early(client.request("GET", "/twice"),
                                                     said=client.request("GET", "/later"))
    assert seen(edge, "/once") == [("GET", "1")] and seen(edge, "/twice") == []
    assert seen(edge, "/later") == [("GET", None)]


def test_what_is_not_safe_to_repeat_waits(edge, tmp_path):
    client = Client(edge, tmp_path)
    client.ticket()
    held = Held(edge.port)
    text = []
    thread = threading.Thread(
        target=lambda: text.append(client.early(client.request("POST", "/order", "two"), held.here)))
    thread.start()
    try:
        lab.wait_for("the first flight", lambda: len(held.first) > 300)
        other = Client(edge, tmp_path / "..", "shop.test")
        other.kept = tmp_path / "other"
        assert "HTTP/1.1 200" in other.run(said=other.request("GET", "/between"))
        assert seen(edge, "/order") == []
    finally:
        held.close()
        thread.join()
    assert "Early data was accepted" in text[0] and "3 octets" in text[0]
    assert seen(edge, "/order") == [("POST", None)]


def test_an_origin_that_finds_it_too_early_is_asked_again(edge, tmp_path):
    client = Client(edge, tmp_path)
    client.ticket()
    text = client.early(client.request("GET", "/picky"))
    assert "HTTP/1.1 200" in text and "425" not in text
    assert seen(edge, "/picky") == [("GET", "1"), ("GET", None)]


def frames(method, path, name):
    """A client's first octets in HTTP/2: preface, SETTINGS, one request as literals (RFC 7541 §6.2.2)."""
    def field(key, value):
        return b"\x00" + bytes([len(key)]) + key + bytes([len(value)]) + value

    block = b"".join(field(key.encode(), value.encode()) for key, value in (
        (":method", method), (":scheme", "https"), (":path", path), (":authority", name)))
    return (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]) +
            len(block).to_bytes(3, "big") + b"\x01\x05\0\0\0\x01" + block)


@contextlib.contextmanager
def visiting(edge, *more):
    """An open visit in HTTP/2, which ends with the block."""
    visit = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{edge.port}", "-servername", "shop.test", "-CAfile",
         str(edge.root), "-alpn", "h2", *map(str, more)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    try:
        yield visit
    finally:
        visit.said = visit.communicate(timeout=30)[0]


def test_streams_of_http2_are_early_too_and_wait_where_they_must(edge, tmp_path):
    for method, path, want in (("GET", "/h2-safe", ("GET", "1")), ("POST", "/h2-post", ("POST", None))):
        kept, early = tmp_path / f"{method}-session", tmp_path / "early"
        with visiting(edge, "-sess_out", kept) as visit:
            visit.stdin.write(frames("GET", path + "-before", "shop.test"))
            visit.stdin.flush()
            lab.wait_for("a ticket", lambda kept=kept: kept.is_file() and kept.stat().st_size)
        early.write_bytes(frames(method, path, "shop.test"))
        with visiting(edge, "-sess_in", kept, "-early_data", early) as visit:
            lab.wait_for(f"{method} {path}", lambda path=path: seen(edge, path))
        assert b"Early data was accepted" in visit.said and seen(edge, path) == [want]


def test_where_certificates_are_asked_for_there_is_none(edge, tmp_path):
    assert Client(edge, tmp_path, "api.shop.test").ticket() == 0


def test_it_is_off_unless_a_site_says_so(program, stage, pki, tmp_path):
    with Edge(program, stage / "not-early", pki, workers=1) as plain:
        client = Client(plain, tmp_path)
        assert client.ticket() == 0
        text = client.run("-sess_in", client.kept, said=client.request("GET", "/plain"))
        assert "Reused, TLSv1.3" in text and "Early data was not sent" in text

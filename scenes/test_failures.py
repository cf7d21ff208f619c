# SPDX-License-Identifier: Apache-2.0
"""Origins that fail before TLS: each way has a page and an event with a code of its own."""

import contextlib
import socket
import threading

import pytest

import lab
import wire


class Silent:
    """Something that listens, in one of the ways in which nothing comes of it."""

    def __init__(self, how):
        self.how = how
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(0 if how == "full" else 16)
        self.port = self.socket.getsockname()[1]
        self.held = []
        if how == "full":
            self.held = [self.knock() for _ in range(4)]
        else:
            threading.Thread(target=self.serve, daemon=True).start()

    def knock(self):
        s = socket.socket()
        s.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            s.connect(("127.0.0.1", self.port))
        return s

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                s, _ = self.socket.accept()
                self.held.append(s)
                if self.how == "plain":
                    s.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                if self.how == "closes":
                    s.recv(5)
                    s.close()

    def close(self):
        for s in [self.socket, *self.held]:
            s.close()


@pytest.fixture(scope="module")
def gateway(make_gateway):
    it = make_gateway("")
    yield it
    it.close()


@pytest.fixture(scope="module")
def hasty(make_gateway):
    it = make_gateway("", upstream="connect-timeout 1500ms; handshake-timeout 1500ms")
    yield it
    it.close()


@pytest.fixture
def silent(request):
    it = Silent(request.param)
    yield it
    it.close()


def check(gateway, host, port, status, code):
    with wire.secure(gateway, host, port, gateway.root) as s:
        answer = wire.get(s, host, "/", "Accept: text/html\r\n")
    assert answer.status == status, answer.words
    assert code in answer.text
    event = gateway.wait_event(kind="session", host=host)
    assert event["err"] == code and event["err_text"] and event["ended_in"]
    request = gateway.wait_event(kind="request", host=host)
    assert request["err"] == code and request["status"] == status


def test_a_refused_connection(gateway):
    check(gateway, "www.refused.example", lab.free_port(), 502, "net.refused")


def test_a_name_that_does_not_exist(gateway):
    check(gateway, "www.nowhere.test", 443, 502, "net.name-unknown")


@pytest.mark.parametrize("silent", ["full"], indirect=True)
def test_a_host_that_does_not_answer(hasty, silent):
    check(hasty, "www.full.example", silent.port, 504, "net.timeout")


@pytest.mark.parametrize("silent", ["mute"], indirect=True)
def test_a_host_that_accepts_and_says_nothing(hasty, silent):
    check(hasty, "www.mute.example", silent.port, 504, "gate.origin-slow")


@pytest.mark.parametrize("silent", ["closes"], indirect=True)
def test_a_host_that_hangs_up_on_our_hello(gateway, silent):
    with wire.secure(gateway, "www.closes.example", silent.port, gateway.root) as s:
        answer = wire.get(s, "www.closes.example")
    event = gateway.wait_event(kind="session", host="www.closes.example")
    assert answer.status == 502 and event["err"] in ("tls.truncated", "net.reset")
    assert event["err"] in answer.text


@pytest.mark.parametrize("silent", ["plain"], indirect=True)
def test_a_host_that_speaks_no_tls(gateway, silent):
    check(gateway, "www.plain.example", silent.port, 502, "tls.handshake")


def test_name_servers_that_do_not_answer(program, stage, pki):
    mute = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    mute.bind(("127.0.0.1", 0))

    class Mute:
        port = mute.getsockname()[1]

    gateway = lab.Gateway(program, stage / "mute-names", Mute, pki.root,
                          upstream="connect-timeout 1500ms")
    try:
        check(gateway, "www.lost.example", 443, 502, "net.name-failed")
    finally:
        gateway.close()
        mute.close()

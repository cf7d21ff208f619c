# SPDX-License-Identifier: Apache-2.0
"""Peers that mean harm, or are merely broken. Each ends by itself, and the next client is
served as if nothing had been."""

import os
import socket
import struct
import time

import pytest

import lab
import wire

HOST = "www.good.example"
SHORT = ("\tclient { ask-timeout 700ms; hello-timeout 700ms; handshake-timeout 700ms; "
         "head-timeout 700ms; idle-timeout 1s; stall-timeout 1s }")


@pytest.fixture(scope="module")
def hasty(make_gateway):
    from conftest import look_for_reports
    gateway = make_gateway(SHORT, upstream="connect-timeout 1s; handshake-timeout 1s; answer-timeout 1s")
    yield gateway
    gateway.close()
    look_for_reports(gateway)


@pytest.fixture(autouse=True)
def served_afterwards(hasty, street):
    yield
    with wire.secure(hasty, HOST, street.origins["good"].port, hasty.root) as s:
        assert wire.get(s, HOST).status == 200


def ended_within(s, seconds):
    began = time.monotonic()
    s.settimeout(seconds)
    try:
        while s.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return time.monotonic() - began < seconds


def test_one_who_says_nothing(hasty):
    with wire.dial(hasty) as s:
        assert ended_within(s, 6)


def test_one_who_says_it_an_octet_at_a_time(hasty):
    with wire.dial(hasty) as s:
        try:
            for octet in b"CONNECT www.good.example:443 HTTP/1.1\r\nX: " + b"y" * 400:
                s.sendall(bytes([octet]))
                time.sleep(0.02)
        except OSError:
            return
        assert ended_within(s, 6)


def test_one_who_connects_and_never_shakes_hands(hasty, street):
    with wire.connect(hasty, HOST, street.origins["good"].port) as s:
        assert ended_within(s, 6)


def test_one_who_stops_in_the_handshake(hasty, street):
    with wire.connect(hasty, HOST, street.origins["good"].port) as s:
        s.sendall(wire.hello(HOST))
        assert ended_within(s, 6)


def test_one_who_stops_in_a_request(hasty, street):
    with wire.secure(hasty, HOST, street.origins["good"].port, hasty.root) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: ")
        assert ended_within(s, 6)


def test_one_who_stops_in_a_body(hasty, street):
    with wire.secure(hasty, HOST, street.origins["good"].port, hasty.root) as s:
        s.sendall(f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 100\r\n\r\nx".encode())
        assert ended_within(s, 8)


def test_one_who_sends_64_kib_of_garbage(hasty, street):
    for start in (wire.dial, lambda g: wire.connect(g, HOST, street.origins["good"].port)):
        with start(hasty) as s:
            try:
                s.sendall(os.urandom(65536))
            except OSError:
                continue
            assert ended_within(s, 6)


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def test_resets_at_every_stage(hasty, street):
    port = street.origins["good"].port
    reset(wire.dial(hasty))
    s = wire.dial(hasty)
    s.sendall(b"CONNECT ")
    reset(s)
    s = wire.dial(hasty)
    s.sendall(f"CONNECT {HOST}:{port} HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n".encode())
    reset(s)
    reset(wire.connect(hasty, HOST, port))
    for n in (1, 60, 10_000):
        s = wire.connect(hasty, HOST, port)
        s.sendall(wire.hello(HOST)[:n])
        reset(s)
    for text in (b"", b"GET ", f"GET /bytes/50000000 HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode(),
                 f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 9\r\n\r\n1".encode()):
        t = wire.secure(hasty, HOST, port, hasty.root)
        if text:
            t.sendall(text)
        reset(t)


def test_one_who_closes_half(hasty, street):
    with wire.secure(hasty, HOST, street.origins["good"].port, hasty.root) as s:
        s.sendall(f"GET /bytes/100000 HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        socket.socket.shutdown(s, socket.SHUT_WR)
        assert ended_within(s, 8)


def test_one_who_stops_reading(hasty, street):
    s = wire.secure(hasty, HOST, street.origins["good"].port, hasty.root)
    s.sendall(f"GET /bytes/300000000 HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    time.sleep(4)
    s.settimeout(8)
    total = 0
    try:
        while piece := s.recv(1 << 20):
            total += len(piece)
    except OSError:
        pass
    assert total < 300_000_000
    s.close()


def raw_origin(behave):
    """A port whose connections are treated by behave(socket), one after the other."""
    import threading
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            try:
                behave(peer)
            except OSError:
                pass

    threading.Thread(target=serve, daemon=True).start()
    return server


@pytest.mark.parametrize("behave", [
    lambda peer: time.sleep(3),
    lambda peer: reset(peer),
    lambda peer: peer.close(),
    lambda peer: (peer.recv(10), reset(peer)),
    lambda peer: (peer.recv(4096), peer.sendall(os.urandom(65536)), peer.close()),
    lambda peer: (peer.recv(4096), peer.sendall(b"\x15\x03\x03\0\2\2\x28"), peer.close()),
    lambda peer: (peer.recv(4096), peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n"), peer.close()),
], ids=["silent", "resets", "closes", "resets-later", "garbage", "alert", "speaks-plain"])
def test_an_origin_that_misbehaves_in_the_handshake_gives_a_page(hasty, behave):
    with raw_origin(behave) as server:
        port = server.getsockname()[1]
        with wire.secure(hasty, "www.broken.example", port, hasty.root) as s:
            answer = wire.get(s, "www.broken.example")
            assert answer.status in (502, 504), answer.head
        server.shutdown(socket.SHUT_RDWR)


def test_an_origin_that_nobody_hears(hasty):
    port = lab.free_port()
    with wire.secure(hasty, "www.nobody.example", port, hasty.root) as s:
        assert wire.get(s, "www.nobody.example").status in (502, 504)


def test_a_name_that_does_not_exist(hasty):
    with wire.secure(hasty, "www.nowhere.invalid", 443, hasty.root) as s:
        assert wire.get(s, "www.nowhere.invalid").status in (502, 504)


def test_an_origin_that_never_answers_a_request(hasty, pki):
    origin = lab.Origin(pki.issue("www.mute.example"), routes={"": lambda h: time.sleep(4)})
    with wire.secure(hasty, "www.mute.example", origin.port, hasty.root) as s:
        assert wire.get(s, "www.mute.example").status == 504
    origin.close()


def test_many_idle_connections_cost_little_and_do_not_stop_others(street, open_gateway):
    """Bounded by this process's descriptors; bench/ holds more."""
    gateway = open_gateway()

    def resident():
        total = 0
        for pid in gateway.process.pids():
            text = open(f"/proc/{pid}/status").read()
            total += int(text.split("VmRSS:")[1].split()[0]) if "VmRSS:" in text else 0
        return total * 1024

    with wire.secure(gateway, HOST, street.origins["good"].port, gateway.root) as s:
        wire.get(s, HOST)
    before = resident()
    held = [wire.dial(gateway) for _ in range(400)]
    time.sleep(0.5)
    with wire.secure(gateway, HOST, street.origins["good"].port, gateway.root) as s:
        assert wire.get(s, HOST).status == 200
    assert (resident() - before) / len(held) < 64 * 1024  # with the sanitizer's shadow
    for s in held:
        s.close()

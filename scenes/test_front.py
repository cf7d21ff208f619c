# SPDX-License-Identifier: Apache-2.0
"""How destinations are named, and which are refused."""

import socket

import pytest

import lab
import wire


def test_connect_by_name_by_ipv4_and_by_bracketed_ipv6(street, names, pki, open_gateway):
    origin = lab.Origin(pki.issue("www.numbers.example", "127.0.0.1"), "numbers\n")
    gateway = open_gateway()
    for host in ("www.numbers.example", "127.0.0.1"):
        with wire.secure(gateway, host, origin.port, gateway.root) as s:
            assert wire.get(s, host).body == b"numbers\n"
    v6 = lab.Origin(pki.issue("www.six.example", "::1"), "six\n", address="::1")
    with wire.connect(gateway, "[::1]", v6.port) as raw:
        with wire.context(gateway.root).wrap_socket(raw, server_hostname="::1") as s:
            assert wire.get(s, f"[::1]:{v6.port}").body == b"six\n"
    origin.close()
    v6.close()


@pytest.mark.parametrize("upstream", ("reuse off", "reuse on"))
def test_each_plain_request_of_a_connection_goes_to_its_own_host(open_gateway, upstream):
    def wants_to_know_who(handler):
        handler.send_response(401)
        handler.send_header("WWW-Authenticate", "Negotiate")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    gateway = open_gateway(upstream=upstream)
    first = lab.Origin(None, "first\n", routes={"who": wants_to_know_who})
    second = lab.Origin(None, "second\n")
    with wire.dial(gateway) as s:
        for origin, path, wanted in ((first, "x", b"first\n"), (second, "x", b"second\n"),
                                     (first, "who", b""), (second, "x", b"second\n")):
            host = f"www.plain.example:{origin.port}"
            answer = wire.ask(s, f"GET http://{host}/{path} HTTP/1.1\r\nHost: {host}\r\n\r\n")
            assert answer.body == wanted
    first.close()
    second.close()


def test_an_answer_that_nobody_asked_for_is_nobodys(open_gateway):
    gateway = open_gateway(upstream="reuse on")
    one = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(10)
        host = f"www.split.example:{door.getsockname()[1]}"
        ask = f"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()

        def answer_with(text):
            peer, _ = door.accept()
            peer.settimeout(10)
            wire.read_head(peer)
            peer.sendall(text)
            return peer

        with wire.dial(gateway) as attacker, wire.dial(gateway) as victim:
            attacker.sendall(ask)
            peer = answer_with(one + b"good" + one + b"evil")
            assert wire.read_answer(attacker).body == b"good"
            victim.sendall(ask)
            other = answer_with(one + b"mine")
            assert wire.read_answer(victim).body == b"mine"
            peer.close()
            other.close()


def test_a_plain_request_with_absolute_target_is_relayed(street):
    origin = lab.Origin(None, "plain\n")
    with wire.dial(street.gateway) as s:
        url = f"http://www.plain.example:{origin.port}/x"
        answer = wire.ask(s, f"GET {url} HTTP/1.1\r\nHost: www.plain.example:{origin.port}\r\n\r\n")
        assert (answer.status, answer.body) == (200, b"plain\n")
    assert origin.seen[-1][1] == "/x"
    origin.close()


@pytest.mark.parametrize("target, status", [
    ("169.254.169.254:443", 403),   # metadata
    ("10.0.0.1:443", 403),          # private
    ("[fe80::1]:443", 403),         # link-local
    ("[::ffff:10.0.0.1]:443", 403),
    ("[64:ff9b::a00:1]:443", 403),  # NAT64 of 10.0.0.1
    ("0.0.0.0:443", 403),
    ("224.0.0.1:443", 403),
])
def test_addresses_that_are_nobodys_business_are_refused(street, target, status):
    """After CONNECT the refusal comes as a page under a certificate of ours, or at once."""
    host = target.rpartition(":")[0].strip("[]")
    with wire.dial(street.gateway) as s:
        s.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        answer = wire.Answer(wire.read_head(s), b"")
        if answer.status == 200:
            context = wire.context(street.gateway.root, check_hostname=False)
            with context.wrap_socket(s, server_hostname=host) as t:
                answer = wire.get(t, target)
        assert answer.status == status


def test_the_gateway_does_not_connect_to_itself(street):
    port = street.gateway.port
    with wire.dial(street.gateway) as s:
        answer = wire.ask(s, f"GET http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n")
        assert answer.status in (403, 508) and "port of this program" in answer.words


def test_only_the_listed_ports_may_be_named(open_gateway):
    gateway = open_gateway(reach="ports 443 8000-8010; allow 127.0.0.0/8")
    with wire.dial(gateway) as s:
        s.sendall(b"CONNECT www.good.example:25 HTTP/1.1\r\nHost: www.good.example:25\r\n\r\n")
        answer = wire.read_answer(s)
    assert answer.status == 403 and "port" in answer.words


@pytest.mark.parametrize("request_text", [
    "GET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "CONNECT nohost HTTP/1.1\r\nHost: nohost\r\n\r\n",
    "CONNECT :443 HTTP/1.1\r\nHost: :443\r\n\r\n",
    "CONNECT a b:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT www.good.example:0 HTTP/1.1\r\nHost: www.good.example:0\r\n\r\n",
    "CONNECT www.good.example:70000 HTTP/1.1\r\nHost: x\r\n\r\n",
    "CONNECT user@www.good.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "NONSENSE\r\n\r\n",
    "GET http://www.good.example/ HTTP/9.9\r\nHost: www.good.example\r\n\r\n",
])
def test_what_is_no_proper_request_is_answered_with_an_error(street, request_text):
    with wire.dial(street.gateway) as s:
        answer = wire.ask(s, request_text)
        assert 400 <= answer.status < 600, answer.head
        assert wire.ends(s)


def test_what_is_not_tls_after_connect_is_refused_or_tunnelled_as_set(street, open_gateway):
    """An echo that speaks only when spoken to, as SSH or SMTP clients would not wait for."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with wire.connect(street.gateway, "127.0.0.1", port) as s:
            s.sendall(b"SSH-2.0-scene\r\n")
            assert wire.ends(s)
        gateway = open_gateway("\tnon-tls tunnel")
        with wire.connect(gateway, "127.0.0.1", port) as s:
            s.sendall(b"SSH-2.0-scene\r\n")
            peer, _ = server.accept()
            assert wire.read_exactly(peer, 15) == b"SSH-2.0-scene\r\n"
            peer.sendall(b"hello back")
            assert wire.read_exactly(s, 10) == b"hello back"
            peer.close()


def test_the_status_page_gives_the_authority(street, tmp_path):
    with wire.dial(street.gateway) as s:
        page = wire.ask(s, "GET http://sekisho.internal/ HTTP/1.1\r\nHost: sekisho.internal\r\n"
                        "Accept: text/html\r\n\r\n")
    assert page.status == 200 and "text/html" in page.fields["content-type"]
    root = street.gateway.root.read_text().strip()
    links = set(part.split('"')[0] for part in page.text.split('href="')[1:])
    pem = next(link for link in links if link.endswith(".pem"))
    der = next(link for link in links if link.endswith((".crt", ".der", ".cer")))
    with wire.dial(street.gateway) as s:
        path = pem if pem.startswith("/") else "/" + pem
        got = wire.ask(s, f"GET http://sekisho.internal{path} HTTP/1.1\r\nHost: sekisho.internal\r\n\r\n")
        assert root.splitlines()[1] in got.text
    with wire.dial(street.gateway) as s:
        path = der if der.startswith("/") else "/" + der
        got = wire.ask(s, f"GET http://sekisho.internal{path} HTTP/1.1\r\nHost: sekisho.internal\r\n\r\n")
        (tmp_path / "root.der").write_bytes(got.body)
    shown = lab.run("openssl", "x509", "-inform", "DER", "-in", tmp_path / "root.der").stdout
    assert shown.strip() == lab.run("openssl", "x509", "-in", street.gateway.root).stdout.strip()


@pytest.mark.parametrize("header", [
    b"PROXY TCP4 203.0.113.7 203.0.113.1 4711 8080\r\n",
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c" + bytes([203, 0, 113, 7, 203, 0, 113, 1])
    + b"\x12\x67\x1f\x90",
], ids=["v1", "v2"])
def test_a_trusted_balancer_says_who_the_client_is(open_gateway, pki, header):
    origin = lab.Origin(pki.issue("www.balanced.example"))
    gateway = open_gateway(listen="proxy-protocol 127.0.0.1")
    s = wire.dial(gateway)
    s.sendall(header + f"CONNECT www.balanced.example:{origin.port} HTTP/1.1\r\n"
              f"Host: www.balanced.example:{origin.port}\r\n\r\n".encode())
    assert wire.read_head(s).startswith(b"HTTP/1.1 200")
    with wire.context(gateway.root).wrap_socket(s, server_hostname="www.balanced.example") as t:
        assert wire.get(t, "www.balanced.example").status == 200
    assert gateway.wait_event(host="www.balanced.example")["client"] == "203.0.113.7"
    origin.close()


def test_without_its_header_a_balancer_is_refused(open_gateway):
    gateway = open_gateway(listen="proxy-protocol 127.0.0.1")
    with wire.dial(gateway) as s:
        s.sendall(b"CONNECT www.good.example:443 HTTP/1.1\r\nHost: www.good.example:443\r\n\r\n")
        assert not wire.read_head(s).startswith(b"HTTP/1.1 200")

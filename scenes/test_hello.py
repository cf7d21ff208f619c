# SPDX-License-Identifier: Apache-2.0
"""The client's first flight, in every shape it can come."""

import os
import ssl
import time

import pytest

import lab
import wire


def rewrap(octets, size):
    """The same handshake message in records of `size` octets."""
    body = b""
    while octets:
        n = int.from_bytes(octets[3:5], "big")
        body += octets[5:5 + n]
        octets = octets[5 + n:]
    return b"".join(b"\x16\x03\x01" + len(body[i:i + size]).to_bytes(2, "big") + body[i:i + size]
                    for i in range(0, len(body), size))


def server_answers(s):
    """Whether a ServerHello comes back."""
    head = wire.read_exactly(s, 6)
    return head[0] == 22 and head[5] == 2


@pytest.mark.parametrize("cut", [1, 7, 100])
def test_a_hello_in_small_segments_is_understood(street, cut):
    octets = wire.hello(street.hosts["good"])
    with wire.connect(street.gateway, street.hosts["good"], street.origins["good"].port) as s:
        for i in range(0, len(octets), cut):
            s.sendall(octets[i:i + cut])
            if i < 40:
                time.sleep(0.002)
        assert server_answers(s)


@pytest.mark.parametrize("size", [1, 5, 64])
def test_a_hello_in_small_records_is_understood(street, size):
    with wire.connect(street.gateway, street.hosts["good"], street.origins["good"].port) as s:
        s.sendall(rewrap(wire.hello(street.hosts["good"]), size))
        assert server_answers(s)


@pytest.mark.parametrize("spoil", [
    lambda o: o[:43] + bytes([255]) + o[44:],                 # session id longer than allowed
    lambda o: o[:5] + b"\x01\xff\xff\xff" + o[9:],            # a message of 16 MiB
    lambda o: o[:-1] + bytes([o[-1] ^ 255]) if False else o[:9] + os.urandom(len(o) - 9),
])
def test_a_malformed_hello_gets_an_alert_and_nothing_else(street, spoil):
    with wire.connect(street.gateway, street.hosts["good"], street.origins["good"].port) as s:
        s.sendall(spoil(wire.hello(street.hosts["good"])))
        answer = b""
        s.settimeout(wire.TIMEOUT_S)
        try:
            while piece := s.recv(100):
                answer += piece
        except OSError:
            pass
        assert answer == b"" or answer[0] == 21, answer


def test_a_hello_that_never_ends_is_given_up(open_gateway, street):
    gateway = open_gateway("\tclient { hello-timeout 500ms }")
    with wire.connect(gateway, street.hosts["good"], street.origins["good"].port) as s:
        s.sendall(wire.hello(street.hosts["good"])[:60])
        began = time.monotonic()
        assert wire.ends(s)
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_are_spoken_with_the_client(street, version):
    with wire.secure(street.gateway, street.hosts["good"], street.origins["good"].port,
                     street.gateway.root, minimum_version=version, maximum_version=version) as s:
        assert wire.get(s, street.hosts["good"]).body == b"good\n"
        assert s.version() == version.name.replace("_", ".").replace("TLSv1.", "TLSv1.")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_are_spoken_with_the_origin(street, pki, version):
    origin = lab.Origin(pki.issue(f"www.v{version.value}.example"))
    origin.context.minimum_version = origin.context.maximum_version = version
    host = f"www.v{version.value}.example"
    with wire.secure(street.gateway, host, origin.port, street.gateway.root) as s:
        assert wire.get(s, host).status == 200
    assert street.gateway.wait_event(host=host, kind="session")["origin_tls"].replace(" ", "") \
        .endswith(version.name[-3:].replace("_", "."))
    origin.close()


def test_the_hello_becomes_facts_of_the_event(street, pki):
    origin = lab.Origin(pki.issue("www.facts.example"))
    with wire.secure(street.gateway, "www.facts.example", origin.port, street.gateway.root) as s:
        wire.get(s, "www.facts.example")
    event = street.gateway.wait_event(host="www.facts.example", action="inspect")
    assert event["sni"] == "www.facts.example"
    assert event["ja4"].startswith("t13d") and len(event["ja3"]) == 32
    assert event["client_tls"].endswith("1.3") and event["origin_verdict"] == "good"
    origin.close()

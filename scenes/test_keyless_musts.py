# SPDX-License-Identifier: Apache-2.0
"""The key protocol's specification, sentence by sentence: hand-made frames to the key server, and what must come back.

Both servers are asked: `key serve`, and a listener `as keyserver`, whose vault signs.
"""

import json
import os
import struct

import pytest

import lab
from keyless_cast import KEY_SERVER, Configured, KeyServer, home, ski_of  # noqa: F401
from keyless_peer import (ECDSA_SHA256, ERROR, OP, PADDING, PAYLOAD, PING, PONG, PSS_SHA256, RESPONSE, RSA_SHA256, SKI,
                          Client, item, message)

DIGEST, NAME, CLIENT_IP, SERVER_IP, CERT_ID, FUNCTION, EXTRA, TRACE, CONTEXT, REGION = (
    0x01, 0x02, 0x03, 0x05, 0x06, 0x13, 0x14, 0x15, 0x16, 0x17)
ED25519, SEAL, RPC, CUSTOM = 0x18, 0x21, 0x23, 0x24
HASHES = {2: 36, 3: 20, 4: 28, 5: 32, 6: 48, 7: 64}
OPEN_SERVER = KEY_SERVER.replace("\tclient edge1 {{ names ec.test rsa.test }}\n", "")


@pytest.fixture(scope="module")
def keys(home, program):  # noqa: F811
    """Three keys to be served, and their SKIs."""
    lab.run("openssl", "genpkey", "-algorithm", "ED25519", "-out", home / "keys" / "ed.key")
    (home / "keys" / "ed.key").chmod(0o400)
    return {name: ski_of(program, home / "keys" / f"{name}.key") for name in ("ec", "rsa", "ed")}


@pytest.fixture(scope="module", params=["command", "configuration"])
def server(request, home, keys, program, tmp_path_factory):  # noqa: F811
    log = tmp_path_factory.mktemp("musts") / "log"
    one = KeyServer(program, home, log) if request.param == "command" else Configured(program, home, log, OPEN_SERVER)
    yield one
    assert one.close() == 0
    assert "ERROR: " not in one.text() and "runtime error:" not in one.text(), one.text()[-6000:]


@pytest.fixture
def client(server, home):  # noqa: F811
    one = Client(server.port, home / "tunnel")
    yield one
    one.close()


def frame(body, ident=7, major=1, minor=0):
    return struct.pack(">BBHI", major, minor, len(body), ident) + body


def answer(client, data):
    """(opcode, payload) of what comes back; (None, None) when the connection ends instead."""
    client.say(data)
    try:
        ident, items, size = client.hear()
    except EOFError:
        return None, None
    assert ident == 7 and set(items) <= {OP, PAYLOAD, PADDING}, "answers carry nothing else"
    assert size >= 1024 and not any(items.get(PADDING, b"")), "answers are padded, with zeros"
    return items[OP][0], items.get(PAYLOAD, b"")


def ask(client, *items):
    return answer(client, frame(b"".join(item(tag, value) for tag, value in items)))


def refusal(code):
    return ERROR, bytes([code])


def sign(client, op, ski, size, *more):
    return ask(client, (OP, bytes([op])), (PAYLOAD, bytes(range(size))), (SKI, ski), *more)


def test_bodies_are_read_as_they_must_be(client, keys):
    ping = item(OP, bytes([PING]))
    assert answer(client, frame(ping)) == (PONG, b"")
    for left_over in (b"\0", b"\x11\0"):  # 2.1: one or two octets are ignored
        assert answer(client, frame(ping + left_over)) == (PONG, b"")
    for strange in (b"", b"x" * 70):  # unknown tags are skipped, and may repeat
        assert answer(client, frame(item(0x70, strange) + ping + item(0x70, strange))) == (PONG, b"")
    assert answer(client, frame(item(PAYLOAD, b"") + ping)) == (PONG, b"")  # absent and empty are equal
    assert answer(client, frame(item(PADDING, b"not zeros") + ping)) == (PONG, b"")
    assert answer(client, frame(item(PAYLOAD, b"order") + ping)) == (PONG, b"order")
    assert answer(client, frame(b"")) == refusal(5)  # processed as opcode 0
    assert ask(client, (PAYLOAD, b"x")) == refusal(5)
    assert answer(client, frame(ping, minor=9)) == (PONG, b"")  # 2.2
    assert answer(client, frame(ping, major=2)) == refusal(4)
    assert answer(client, frame(os.urandom(9000), major=0)) == refusal(4)  # body skipped, and goes on
    assert answer(client, frame(ping)) == (PONG, b"")


OVER = struct.pack(">BH", PAYLOAD, 50) + b"short"
FATAL = {"past the end": item(OP, bytes([PING])) + OVER, "opcode twice": item(OP, bytes([PING])) * 2,
         "padding twice": item(OP, bytes([PING])) + item(PADDING, b"") * 2,
         "name twice": item(OP, bytes([PING])) + item(NAME, b"a") * 2, "opcode of two": item(OP, bytes([PING, PING])),
         "opcode of none": item(OP, b""), "client ip of five": item(OP, bytes([PING])) + item(CLIENT_IP, bytes(5)),
         "server ip of three": item(OP, bytes([PING])) + item(SERVER_IP, bytes(3)),
         "region of two": item(OP, bytes([PING])) + item(REGION, bytes(2))}


@pytest.mark.parametrize("name", list(FATAL))
def test_a_message_framed_wrongly_ends_the_connection(server, home, name):  # noqa: F811
    one = Client(server.port, home / "tunnel")
    assert answer(one, frame(FATAL[name])) == refusal(7)
    assert one.ended()
    again = Client(server.port, home / "tunnel")
    assert again.ask(PING)[0] == PONG
    for stream in (one, again):
        stream.close()


def test_operations_fit_key_and_payload(client, keys):
    for low, size in HASHES.items():
        old = low < 4
        want = (refusal(5),) if old else None
        for op, key in ((low, "rsa"), (0x10 + low, "ec")):
            got = sign(client, op, keys[key], size)
            assert got in want if old else got[0] == RESPONSE, (op, got)
            assert sign(client, op, keys[key], size - 1) == refusal(5 if old else 1)
            assert ask(client, (OP, bytes([op])), (SKI, keys[key])) == refusal(5 if old else 1)
            other = "ec" if key == "rsa" else "rsa"
            assert sign(client, op, keys[other], size) == refusal(5 if old else 1)
            assert sign(client, op, keys["ed"], size) == refusal(5 if old else 1)
        if low >= 5:
            assert sign(client, 0x30 + low, keys["rsa"], size)[0] == RESPONSE
            assert len(sign(client, 0x30 + low, keys["rsa"], size)[1]) == 256
            assert sign(client, 0x30 + low, keys["ec"], size) == refusal(1)
    for size in (0, 1, 250):
        op, signature = sign(client, ED25519, keys["ed"], size)
        assert op == RESPONSE and len(signature) == 64
    for wrong in ("rsa", "ec"):
        assert sign(client, ED25519, keys[wrong], 32) == refusal(1)
    first, again = (sign(client, RSA_SHA256, keys["rsa"], 32)[1] for _ in range(2))
    assert first == again and len(first) == 256  # PKCS#1 has no chance in it; k octets


def test_opcodes_out_of_place_are_refused(client, keys):
    for op in (0xF0, 0xF2, 0xFF):
        assert sign(client, op, keys["ec"], 32) == refusal(6)
    for op in (0x00, 0x08, 0x09, 0x10, 0x11, 0x19, 0x20, RPC, CUSTOM, 0x25, 0x30, 0x34, 0x38, 0xA0, 0xA1, 0xA2, 0xA3,
               0xA4, 0xEF, 0xF3, 0xFE):
        assert sign(client, op, keys["ec"], 32) == refusal(5), hex(op)  # the vault's own among them
    assert sign(client, 0x01, keys["rsa"], 250) == refusal(5)  # the raw operation is off
    assert ask(client, (OP, bytes([CUSTOM])), (FUNCTION, b"site"), (EXTRA, b"keys")) == refusal(5)
    assert ask(client, (OP, bytes([SEAL])), (PAYLOAD, b"x")) in (refusal(5), refusal(8))  # no sealer


def test_keys_are_found_by_what_names_them(client, keys):
    good = (OP, bytes([ECDSA_SHA256])), (PAYLOAD, bytes(32))
    assert ask(client, *good) == refusal(2)  # none named
    assert ask(client, *good, (SKI, bytes(20))) == refusal(2)  # zeros are "absent"
    assert ask(client, *good, (SKI, b"\1" * 20)) == refusal(2)
    assert ask(client, *good, (SKI, keys["ec"][:19])) == refusal(2)  # of a wrong length: absent
    assert ask(client, *good, (SKI, keys["ec"]))[0] == RESPONSE
    assert ask(client, *good, (SKI, keys["ec"]), (DIGEST, b"\2" * 32))[0] == RESPONSE  # the SKI counts
    assert ask(client, *good, (SKI, b"\1" * 20), (DIGEST, b"\2" * 31))[0] == ERROR
    assert ask(client, *good, (NAME, b"ec.test"), (SERVER_IP, bytes(16))) == refusal(2)  # no map was written
    everything = ((NAME, b"ec.test"), (CLIENT_IP, bytes(16)), (SERVER_IP, bytes(4)), (CERT_ID, b"id"),
                  (FUNCTION, b"site"), (EXTRA, b"more"), (TRACE, b"1:2:3:4"),
                  (CONTEXT, json.dumps({"request_id": "r"}).encode()), (REGION, b"\1"))
    assert ask(client, *everything, (SKI, keys["ec"]), *good)[0] == RESPONSE
    assert ask(client, *good, (SKI, keys["ec"]), (CONTEXT, b"{not json"))[0] == RESPONSE


@pytest.mark.parametrize("size", [0, 1, 1006, 1007, 1008, 1009, 1010, 2000, 65528])
def test_padding_is_as_the_reference_has_it(client, size):
    client.say(frame(item(OP, bytes([PING])) + (item(PAYLOAD, b"p" * size) if size else b"")))
    _, items, total = client.hear()
    so_far = 8 + 4 + (3 + size if size else 0)
    assert items.get(PAYLOAD, b"") == b"p" * size
    assert total == (so_far + 3 + max(0, 1024 - so_far - 3) if so_far < 1024 else so_far)


def test_answers_are_matched_by_number_and_pings_overtake(client, keys):
    many = b"".join(message(n, (OP, bytes([PSS_SHA256])), (PAYLOAD, bytes(32)), (SKI, keys["rsa"]), pad=0)
                    for n in range(40))
    client.say(many + message(0xFFFFFFFF, (OP, bytes([PING])), pad=0))
    order = [client.hear()[0] for _ in range(41)]
    assert sorted(order) == [*range(40), 0xFFFFFFFF]
    assert order.index(0xFFFFFFFF) < 40


def test_elliptic_curves_do_not_wait_behind_rsa(client, keys):
    rsa = b"".join(message(n, (OP, bytes([PSS_SHA256])), (PAYLOAD, bytes(32)), (SKI, keys["rsa"]), pad=0)
                   for n in range(200))
    client.say(rsa + message(999, (OP, bytes([ECDSA_SHA256])), (PAYLOAD, bytes(32)), (SKI, keys["ec"]), pad=0))
    order = [client.hear()[0] for _ in range(201)]
    assert order.index(999) < 100

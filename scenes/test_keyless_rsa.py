# SPDX-License-Identifier: Apache-2.0
"""RSA key exchange with the key elsewhere, which both sides have to allow; and key servers that share nothing."""

import json
import subprocess

import pytest

import lab
from keyless_cast import Configured, cast, home, origin, ski_of  # noqa: F401
from keyless_peer import ECDSA_SHA256, ERROR, PSS_SHA256, RESPONSE, Client

COMMON = """\
workers 1
user {user}
data {folder}/data
control {folder}/control.sock
events {{ json {folder}/data/events.json }}
"""

SERVER = COMMON + """\
listen 127.0.0.1:{port} as keyserver use keys
keyserver keys {{
	keys {home}/keys
	certificate {home}/tunnel/server.crt
	key {home}/tunnel/server.key
	authority {home}/tunnel/ca.crt
	rsa-decrypt {decrypt}
}}
"""

EDGE = COMMON + """\
listen 127.0.0.1:{port} as edge use shop
edge shop {{
	client {{ {client} }}
	keys {{
		server 127.0.0.1:{server} called keys.test
		certificate {home}/tunnel/edge1.crt
		key {home}/tunnel/edge1.key
		authority {home}/tunnel/ca.crt
	}}
	site rsa.test {{ keyless {home}/rsa.crt; origin http://127.0.0.1:{origin} }}
	site kept.test {{ certificate {home}/rsa.crt key {kept} kept-by vault; origin http://127.0.0.1:{origin} }}
}}
"""

BOTH = "insecure-rsa-key-exchange on"


@pytest.fixture(scope="module")
def kept(home):  # noqa: F811
    path = home / "kept.key"
    path.write_bytes((home / "keys" / "rsa.key").read_bytes())
    path.chmod(0o400)
    return path


def visit(edge, home, name, cipher):  # noqa: F811
    return subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{edge.port}", "-servername", name, "-tls1_2",
                           "-cipher", cipher, "-CAfile", home / "rsa.crt", "-verify_return_error", "-ign_eof"],
                          input=b"GET / HTTP/1.1\r\nHost: " + name.encode() + b"\r\nConnection: close\r\n\r\n",
                          capture_output=True, timeout=30, check=False)


def start_edge(cast, server, origin, kept, client):  # noqa: F811
    edge = cast(Configured, EDGE, server=server.port, origin=origin.port, kept=kept, client=client)
    lab.wait_for("tunnel", lambda: "keyless.up" in edge.text())
    return edge


def operations(server):
    path = server.folder / "data" / "events.json"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(e["key_operation"], e["action"]) for e in map(json.loads, lines) if e["kind"] == "key"]


@pytest.mark.parametrize("client", [BOTH, "profile compat"])
def test_a_client_without_ecdhe_is_served_where_both_sides_allow_it(cast, home, origin, kept, client):  # noqa: F811
    server = cast(Configured, SERVER, decrypt="on")
    edge = start_edge(cast, server, origin, kept, client)
    for name in ("rsa.test", "kept.test"):
        said = visit(edge, home, name, "AES128-GCM-SHA256")
        assert b"from the origin" in said.stdout, said.stderr
        assert b"Cipher is AES128-GCM-SHA256" in said.stdout
        assert b"from the origin" in visit(edge, home, name, "ECDHE-RSA-AES128-GCM-SHA256").stdout
    lab.wait_for("events", lambda: ("rsa-decrypt", "sign") in operations(server))


def test_a_key_server_that_does_not_allow_it_ends_the_handshake(cast, home, origin, kept):  # noqa: F811
    server = cast(Configured, SERVER, decrypt="off")
    edge = start_edge(cast, server, origin, kept, BOTH)
    said = visit(edge, home, "rsa.test", "AES128-GCM-SHA256")
    assert b"alert" in said.stderr and b"from the origin" not in said.stdout
    lab.wait_for("events", lambda: ("rsa-decrypt", "refuse") in operations(server))
    assert b"from the origin" in visit(edge, home, "rsa.test", "ECDHE-RSA-AES128-GCM-SHA256").stdout


def test_an_edge_that_does_not_allow_it_asks_nobody(cast, home, origin, kept):  # noqa: F811
    server = cast(Configured, SERVER, decrypt="on")
    edge = start_edge(cast, server, origin, kept, "")
    assert b"handshake failure" in visit(edge, home, "rsa.test", "AES128-GCM-SHA256").stderr
    assert b"from the origin" in visit(edge, home, "rsa.test", "ECDHE-RSA-AES128-GCM-SHA256").stdout
    lab.wait_for("events", lambda: operations(server))
    assert not [one for one in operations(server) if one[0] == "rsa-decrypt"]


TWO_SERVERS = COMMON + """\
listen 127.0.0.1:{port} as keyserver use one
listen 127.0.0.1:{other} as keyserver use two
keyserver one {{ keys {home}/one; certificate {home}/tunnel/server.crt; key {home}/tunnel/server.key
	authority {home}/tunnel/ca.crt; rsa-decrypt on }}
keyserver two {{ keys {home}/two; certificate {home}/tunnel/server.crt; key {home}/tunnel/server.key
	authority {home}/tunnel/ca.crt }}
"""


def test_two_key_servers_of_one_program_share_no_key(cast, home, program):  # noqa: F811
    skis = {}
    for folder, name in (("one", "ec"), ("two", "rsa")):
        (home / folder).mkdir()
        key = home / folder / f"{name}.key"
        key.write_bytes((home / "keys" / f"{name}.key").read_bytes())
        key.chmod(0o400)
        skis[name] = ski_of(program, key)
    other = lab.free_port()
    one = cast(Configured, TWO_SERVERS, other=other)
    first, second = Client(one.port, home / "tunnel"), Client(other, home / "tunnel")
    assert first.ask(ECDSA_SHA256, bytes(32), skis["ec"])[0] == RESPONSE
    assert second.ask(PSS_SHA256, bytes(32), skis["rsa"])[0] == RESPONSE
    assert second.ask(ECDSA_SHA256, bytes(32), skis["ec"]) == (ERROR, b"\2")
    assert first.ask(PSS_SHA256, bytes(32), skis["rsa"]) == (ERROR, b"\2")
    number = b"\0" + bytes(254) + b"\2"
    assert second.ask(0x01, number, skis["rsa"]) == (ERROR, b"\5")  # off there, whatever the other allows

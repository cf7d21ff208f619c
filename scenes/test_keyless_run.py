# SPDX-License-Identifier: Apache-2.0
"""Key servers and edges of the configuration: sockets in the file system, seals, changes while it runs."""

import json
import os
import signal
import ssl
import subprocess
import sys

import pytest

import lab
from keyless_cast import (Configured, can_write_cores, cast, core_holds, ends, home, memory_holds, origin,  # noqa: F401
                          private_number, ski_of)
from keyless_peer import (ECDSA_SHA256, ERROR, OP, PAYLOAD, RESPONSE, SKI, Client, message)

SEAL, UNSEAL = 0x21, 0x22

SERVER = """\
workers 1
user {user}
data {folder}/data
control {folder}/control.sock
events {{ json {folder}/data/events.json }}
listen 127.0.0.1:{port} as keyserver use keys
listen {folder}/keys.sock as keyserver use keys
keyserver keys {{
	keys {keys}
	certificate {home}/tunnel/server.crt
	key {home}/tunnel/server.key
	authority {home}/tunnel/ca.crt
	seal-secret {secret}
	client edge1 {{ rate 1000 }}
{more}
}}
"""

EDGE = """\
workers 1
user {user}
data {folder}/data
control {folder}/control.sock
events {{ json {folder}/data/events.json }}
listen 127.0.0.1:{port} as edge use shop
edge shop {{
	keys {{
		server {server} called keys.test
		certificate {home}/tunnel/edge1.crt
		key {home}/tunnel/edge1.key
		authority {home}/tunnel/ca.crt
	}}
	site ec.test {{ keyless {home}/ec.crt; origin http://127.0.0.1:{origin} }}
}}
"""


@pytest.fixture(scope="module")
def secret(home):  # noqa: F811
    path = home / "seal.secret"
    path.write_text("5ea1" * 16)
    path.chmod(0o400)
    return path


@pytest.fixture
def key_server(cast, home, secret):  # noqa: F811
    def start(keys=None, more=""):
        return cast(Configured, SERVER, keys=keys or home / "keys", secret=secret, more=more)
    return start


def get(edge, home):  # noqa: F811
    return lab.run("curl", "-sS", "--max-time", "15", "--cacert", home / "ec.crt", "--resolve",
                   f"ec.test:{edge.port}:127.0.0.1", f"https://ec.test:{edge.port}/").stdout


def visit(edge, home, *more):  # noqa: F811
    """What s_client says of a whole request; it keeps and offers sessions."""
    return subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{edge.port}", "-servername", "ec.test",
                           "-CAfile", home / "ec.crt", "-ign_eof", *more],
                          input=b"GET / HTTP/1.1\r\nHost: ec.test\r\nConnection: close\r\n\r\n", capture_output=True,
                          timeout=30, check=False).stdout


def test_the_edge_next_door_uses_a_socket_in_the_file_system(cast, home, origin, program, key_server):  # noqa: F811
    server = key_server()
    path = server.folder / "keys.sock"
    shown = lab.run(program, "key", "test", path, "--name", "keys.test", "--certificate", home / "ec.crt",
                    *ends(home, "edge1"))
    assert "signature verified" in shown.stdout
    stranger = lab.run(program, "key", "test", path, "--name", "keys.test", "--certificate", home / "ec.crt",
                       *ends(home, "edge2"), check=False)
    assert stranger.returncode == 1 and "bad_certificate" in stranger.stderr
    edge = cast(Configured, EDGE, server=path, origin=origin.port)
    assert "from the origin" in get(edge, home)
    server.process.send_signal(signal.SIGHUP)
    lab.wait_for("reload", lambda: server.text().count("generation.serves") == 2)
    assert "from the origin" in get(edge, home)


def test_one_server_unseals_what_another_sealed(home, key_server):  # noqa: F811
    one, other = (Client(key_server().port, home / "tunnel") for _ in range(2))
    op, blob = one.ask(SEAL, b"a session's secrets")
    assert op == RESPONSE and b"secrets" not in blob and len(blob) == 19 + 1 + 4 + 12 + 16
    assert other.ask(UNSEAL, blob) == (RESPONSE, b"a session's secrets")
    assert other.ask(UNSEAL, blob[:-1] + b"\0") in ((ERROR, b"\1"), (ERROR, b"\1"))
    old = blob[:1] + (1).to_bytes(4, "big") + blob[5:]
    assert other.ask(UNSEAL, old) == (ERROR, b"\x0a")


def test_metrics_tell_operations_results_and_times(cast, home, program, secret):  # noqa: F811
    admin = lab.free_port()
    server = cast(Configured, f"admin 127.0.0.1:{admin}\n" + SERVER, keys=home / "keys", secret=secret, more="")
    client = Client(server.port, home / "tunnel")
    ski = ski_of(program, home / "keys" / "ec.key")
    for _ in range(3):
        assert client.ask(ECDSA_SHA256, bytes(32), ski)[0] == RESPONSE
    assert client.ask(ECDSA_SHA256, bytes(32), bytes(19) + b"1") == (ERROR, b"\2")
    with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
        Client(server.port, home / "tunnel", certificate=False).ask(0xF1)

    def text():
        return lab.run("curl", "-sS", f"http://127.0.0.1:{admin}/metrics").stdout

    lab.wait_for("refusal", lambda: "sekisho_keyless_connections_refused_total 1" in text())
    said = text()
    assert 'sekisho_keyless_requests_total{op="ecdsa-sha256"} 4' in said
    assert 'sekisho_keyless_answers_total{type="ecdsa",result="ok"} 3' in said
    assert 'sekisho_keyless_answers_total{type="ecdsa",result="key-not-found"} 1' in said
    assert 'sekisho_keyless_duration_seconds_bucket{type="ecdsa",le="+Inf"} 4' in said
    assert f'key_answers_total{{key="{ski.hex()}",op="ecdsa-sha256",result="ok"}} 3' in said
    assert f'key_duration_seconds_count{{key="{ski.hex()}",op="ecdsa-sha256"}} 3' in said


def test_without_a_secret_sealing_is_an_internal_error(cast, home, key_server):  # noqa: F811
    text = "\n".join(line for line in SERVER.splitlines() if "seal-secret" not in line) + "\n"
    server = cast(Configured, text, keys=home / "keys", more="")
    assert Client(server.port, home / "tunnel").ask(SEAL, b"x") == (ERROR, b"\x08")


def test_a_reload_brings_new_keys_and_new_policy(home, program, tmp_path, key_server):  # noqa: F811
    keys = tmp_path / "served"
    keys.mkdir()
    (keys / "rsa.key").write_bytes((home / "keys" / "rsa.key").read_bytes())
    (keys / "rsa.key").chmod(0o400)
    server = key_server(keys, "\tclient edge2 { keys " + "00" * 20 + " }")
    ski = ski_of(program, home / "keys" / "ec.key")
    with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
        Client(server.port, home / "tunnel", who="edge3").ask(0xF1)

    def sign(who="edge1"):
        client = Client(server.port, home / "tunnel", who=who)
        answer = client.ask(ECDSA_SHA256, bytes(32), ski)  # workers that were just told to end answer, too
        client.close()
        return answer

    assert sign() == (ERROR, b"\2")
    (keys / "ec.key").write_bytes((home / "keys" / "ec.key").read_bytes())
    (keys / "ec.key").chmod(0o400)
    config = server.folder / "sekisho.conf"
    config.write_text(config.read_text().replace("00" * 20, ski.hex()))
    server.process.send_signal(signal.SIGHUP)
    lab.wait_for("the new key", lambda: sign()[0] == RESPONSE)
    lab.wait_for("the new row", lambda: sign("edge2")[0] == RESPONSE)
    events = server.folder / "data" / "events.json"
    lab.wait_for("events", lambda: events.exists() and events.read_text().count('"sign"') >= 2)
    said = [json.loads(line) for line in events.read_text().splitlines() if '"kind":"key"' in line]
    assert {event["client_cert"] for event in said} >= {"edge1", "edge2"}


def events_of(one):
    path = one.folder / "data" / "events.json"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_when_no_key_server_answers_sessions_go_on_and_events_say_why(cast, home, origin, key_server):  # noqa: F811
    server = key_server()
    edge = cast(Configured, EDGE, server=f"127.0.0.1:{server.port}", origin=origin.port)
    lab.wait_for("tunnel", lambda: "keyless.up" in edge.text())

    for version in ("-tls1_2", "-tls1_3"):
        assert b"from the origin" in visit(edge, home, version, "-sess_out", home / f"session{version}")
    assert server.close() == 0
    lab.wait_for("loss", lambda: "keyless.lost" in edge.text())
    assert b"from the origin" not in visit(edge, home)
    for version in ("-tls1_2", "-tls1_3"):
        again = visit(edge, home, version, "-sess_in", home / f"session{version}")
        assert b"Reused, " in again and b"from the origin" in again
    failed = lab.wait_for("event", lambda: [e for e in events_of(edge) if e.get("err", "").startswith("keyless.")])
    assert failed[0]["sni"] == "ec.test", failed


def test_a_key_server_is_told_whose_request_it_was(cast, home, origin, key_server):  # noqa: F811
    server = key_server()
    text = EDGE.replace("called keys.test\n", "called keys.test {{ request-ids on; padding off }}\n")
    edge = cast(Configured, text, server=f"127.0.0.1:{server.port}", origin=origin.port)
    lab.wait_for("tunnel", lambda: "keyless.up" in edge.text())
    assert "from the origin" in get(edge, home)

    def ids(one, field):
        return {event[field] for event in events_of(one) if field in event}

    lab.wait_for("events", lambda: ids(server, "key_request"))
    lab.wait_for("sessions", lambda: ids(server, "key_request") <= ids(edge, "session"))


@pytest.fixture
def busy_edge(cast, home, origin, key_server):  # noqa: F811
    """A key server and an edge that has asked it for signatures."""
    if os.geteuid() != 0:
        pytest.skip("reads the memory of other processes")
    server = key_server()
    edge = cast(Configured, EDGE, server=f"127.0.0.1:{server.port}", origin=origin.port)
    lab.wait_for("tunnel", lambda: "keyless.up" in edge.text())
    for _ in range(5):
        assert "from the origin" in get(edge, home)
    return server, edge


def test_no_process_of_an_edge_holds_the_key(home, busy_edge):  # noqa: F811
    number = private_number(home / "keys" / "ec.key")
    server, edge = busy_edge
    both = {one: [pid for pid in one.pids() if memory_holds(pid, number)]
            for one in (server, edge)}
    assert len(both[server]) == 1 and not both[edge]  # the scan sees it where it is


def test_no_core_of_an_edge_holds_the_key(home, program, busy_edge, tmp_path):  # noqa: F811
    if not can_write_cores(program):
        pytest.skip("no gdb (see packages), or a sanitizer's shadow, of which no file has the size")
    number = private_number(home / "keys" / "ec.key")
    assert not any(core_holds(pid, number, tmp_path) for pid in busy_edge[1].pids())
    # Somebody who has it in the open, to see that this scan sees, too.
    keep = subprocess.Popen([sys.executable, "-c", f"kept = bytes.fromhex({number.hex()!r}); input()"],
                            stdin=subprocess.PIPE)
    lab.wait_for("it to hold", lambda: memory_holds(keep.pid, number))
    assert core_holds(keep.pid, number, tmp_path)
    keep.communicate(b"\n")


def test_nodes_with_one_ticket_secret_resume_each_others_sessions(cast, home, origin, key_server, secret):  # noqa: F811
    server = key_server()
    text = f"ticket-secret {secret}\n" + EDGE
    one, other = (cast(Configured, text, server=f"127.0.0.1:{server.port}", origin=origin.port) for _ in range(2))
    stranger = cast(Configured, EDGE, server=f"127.0.0.1:{server.port}", origin=origin.port)
    for version in ("-tls1_2", "-tls1_3"):
        session = home / f"shared{version}"
        assert b"New, " in visit(one, home, version, "-sess_out", session)
        assert b"Reused, " in visit(other, home, version, "-sess_in", session)
        assert b"New, " in visit(stranger, home, version, "-sess_in", session)


def test_a_request_that_names_no_key_gets_the_operators(home, program, key_server):  # noqa: F811
    ski = ski_of(program, home / "keys" / "ec.key").hex()
    server = key_server(more=f"\tname EC.test key {ski}\n\tname 192.0.2.9 key {ski}")
    client = Client(server.port, home / "tunnel")

    def ask(*items):
        client.say(message(1, (OP, bytes([ECDSA_SHA256])), (PAYLOAD, bytes(32)), *items))
        return client.hear()[1][OP][0]

    assert ask((0x02, b"ec.TEST"), (0x16, b'{"request_id":"r-7"}')) == RESPONSE
    assert ask((0x05, bytes([192, 0, 2, 9]))) == RESPONSE
    assert ask((0x02, b"other.test")) == ERROR and ask() == ERROR
    path = server.folder / "data" / "events.json"
    lab.wait_for("events", lambda: path.exists() and path.read_text().count('"kind":"key"') >= 4)
    assert [e["key_request"] for e in events_of(server) if "key_request" in e] == ["r-7"]

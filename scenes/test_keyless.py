# SPDX-License-Identifier: Apache-2.0
"""Keys that live elsewhere: the key server, the edge without a key, and bad company."""

import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

import lab
from keyless_cast import EDGE, KEY_SERVER, Configured, Edge, KeyServer, cast, check_list, ends, home, memory_holds, origin, private_number, ski_of  # noqa: F401
from keyless_peer import (ECDSA_SHA256, ERROR, OP, PAYLOAD, PING, PONG, PSS_SHA256, RESPONSE, SKI, Client, Server,
                          item, message, sign)

VECTORS = lab.Path(__file__).resolve().parent.parent / "tests" / "keyless" / "vectors.json"
# Where the specification asks a server to differ from the recorded reference.
DIFFERS = {"no key identifier": 2, "digest only (legacy lookup)": None, "major version 2": 4,
           "tag seen twice": 7, "item runs past the body": 7, "client address of 5 octets": 7}


# ---- the key server ----


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_recorded_exchanges_are_answered_over_mutual_tls(cast, home, tmp_path, version):
    recorded = json.loads(VECTORS.read_text())
    keys = tmp_path / "keys"
    keys.mkdir()
    for name, key in recorded["keys"].items():
        (keys / f"{name}.key").write_text(key["private_pem"])
        (keys / f"{name}.key").chmod(0o400)
    server = cast(KeyServer, "--allow-sha1", "--allow-rsa-decrypt", keys=keys)
    for vector in recorded["vectors"]:
        client = Client(server.port, home / "tunnel", version=version)
        client.say(bytes.fromhex(vector["req"]) + bytes(vector["req_zeros"]))
        _, items, size = client.hear()
        if vector["name"] in DIFFERS:
            code = DIFFERS[vector["name"]]
            assert (items[OP][0], items[PAYLOAD][0]) == (ERROR, code) or code is None, vector["name"]
            assert items[OP][0] == RESPONSE or code is not None
        else:
            want = {int(tag, 16): value for tag, value in vector["resp_items"]}
            assert items[OP].hex() == want[OP] and size == vector["resp_total"], vector["name"]
            if not want.get(PAYLOAD, "<").startswith("<"):
                assert items[PAYLOAD].hex() == want[PAYLOAD], vector["name"]
        client.close()


def test_a_person_can_ask_for_a_verified_signature(cast, home, program):
    server = cast(KeyServer)
    for site in ("ec", "rsa"):
        shown = lab.run(program, "key", "test", f"127.0.0.1:{server.port}", "--name", "keys.test", "--certificate",
                        home / f"{site}.crt", *ends(home, "edge1"))
        assert "signature verified" in shown.stdout
    failed = lab.run(program, "key", "test", f"127.0.0.1:{server.port}", "--name", "keys.test", "--key", "00" * 19 + "01",
                     *ends(home, "edge1"), check=False)
    assert failed.returncode == 1 and "key-not-found" in failed.stderr


@pytest.mark.parametrize("site", ["ec", "rsa"])
def test_a_key_server_signs_delegated_credentials(cast, home, program, tmp_path, site):
    key = home / "keys" / f"{site}.key"
    for name, more in (("plain", []), ("allows", ["-addext", "1.3.6.1.4.1.44363.44=DER:0500"])):
        lab.run("openssl", "req", "-x509", "-new", "-key", key, "-subj", f"/CN={site}.test", "-days", "30", "-addext",
                "keyUsage=critical,digitalSignature", *more, "-out", tmp_path / f"{name}.crt")
    server = cast(KeyServer, "--client", "edge1")
    ask = [program, "key", "delegate", f"127.0.0.1:{server.port}", "--name", "keys.test", *ends(home, "edge1"), "--out",
           tmp_path / "it", "--certificate"]
    refused = lab.run(*ask, tmp_path / "plain.crt", check=False)
    assert refused.returncode == 1 and "DelegationUsage" in refused.stderr and not (tmp_path / "it.dc").exists()
    lab.run(*ask, tmp_path / "allows.crt", "--valid", "2h")
    whole = (tmp_path / "it.dc").read_bytes()
    lab.run("openssl", "pkey", "-in", tmp_path / "it.key", "-pubout", "-outform", "DER", "-out", tmp_path / "spki")
    spki = (tmp_path / "spki").read_bytes()
    length = int.from_bytes(whole[6:9], "big")  # RFC 9345, section 4, read by another program
    cred, rest = whole[:9 + length], whole[9 + length:]
    assert cred[4:6] == b"\4\3" and cred[9:] == spki and 7200 <= int.from_bytes(cred[:4], "big") <= 7300
    assert rest[:2] == (b"\4\3" if site == "ec" else b"\x08\4")
    assert int.from_bytes(rest[2:4], "big") == len(rest) - 4
    lab.run("openssl", "x509", "-in", tmp_path / "allows.crt", "-outform", "DER", "-out", tmp_path / "der")
    der = (tmp_path / "der").read_bytes()
    (tmp_path / "tbs").write_bytes(b" " * 64 + b"TLS, server delegated credentials\0" + der + cred + rest[:2])
    (tmp_path / "sig").write_bytes(rest[4:])
    (tmp_path / "pub").write_text(lab.run("openssl", "pkey", "-in", key, "-pubout").stdout)
    pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"] if site == "rsa" else []
    lab.run("openssl", "dgst", "-sha256", "-verify", tmp_path / "pub", *pss, "-signature", tmp_path / "sig",
            tmp_path / "tbs")


def test_who_has_no_certificate_of_the_ca_says_nothing(cast, home, program, tmp_path):
    server = cast(KeyServer)
    with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
        Client(server.port, home / "tunnel", certificate=False).ask(PING)
    with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
        Client(server.port, home / "tunnel", who="server").ask(PING)  # for servers only
    lab.run(program, "key", "init", tmp_path / "other", "--client", "edge1")
    for part in ("crt", "key"):
        (home / "tunnel" / f"stranger.{part}").write_bytes((tmp_path / "other" / f"edge1.{part}").read_bytes())
    with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
        Client(server.port, home / "tunnel", who="stranger").ask(PING)
    assert Client(server.port, home / "tunnel").ask(PING, b"still here") == (PONG, b"still here")


def test_a_policy_binds_client_key_operation_and_rate(cast, home, program):
    ec, rsa = (ski_of(program, home / "keys" / f"{name}.key") for name in ("ec", "rsa"))
    server = cast(KeyServer, "--client", f"edge1,key={ec.hex()},op=ecdsa-sha256,rate=5")
    client = Client(server.port, home / "tunnel")
    assert client.ask(ECDSA_SHA256, bytes(32), ec)[0] == RESPONSE
    assert client.ask(PSS_SHA256, bytes(32), rsa) == (ERROR, b"\5")
    assert client.ask(ECDSA_SHA256, bytes(32), rsa) == (ERROR, b"\2")
    got = [client.ask(ECDSA_SHA256, bytes(32), ec)[0] for _ in range(10)]
    assert RESPONSE in got and got[-1] == ERROR
    with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
        Client(server.port, home / "tunnel", who="edge2").ask(PING)


def test_odd_and_broken_frames(cast, home, program):
    ski = ski_of(program, home / "keys" / "ec.key")
    server = cast(KeyServer)
    client = Client(server.port, home / "tunnel")
    whole = message(7, (OP, bytes([PING])), (PAYLOAD, b"x"))
    for at in (1, 4, 8, 9, 500):  # half frames in records of their own
        client.say(whole[:at])
        time.sleep(0.02)
        client.say(whole[at:])
        assert client.hear()[1][PAYLOAD] == b"x"
    longest = os.urandom(65528)
    assert client.ask(PING, longest) == (PONG, longest)
    client.say(message(9, (OP, bytes([ECDSA_SHA256])), (PAYLOAD, bytes(32)), (SKI, ski)) * 2)  # one id twice
    assert [client.hear()[0] for _ in range(2)] == [9, 9]
    client.say(message(3, (OP, bytes([PING])), major=2) + message(4, (OP, bytes([PING]))))
    assert client.hear()[1][PAYLOAD] == b"\4" and client.hear()[0] == 4
    bad = item(OP, bytes([PING])) * 2
    client.say(b"\1\0" + len(bad).to_bytes(2, "big") + b"\0\0\0\5" + bad)
    assert client.hear()[1][PAYLOAD] == b"\7" and client.ended()
    for garbage in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(3000), b""):
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            plain.sendall(garbage)
    half = Client(server.port, home / "tunnel")
    half.say(whole[:100])
    half.close()
    assert Client(server.port, home / "tunnel").ask(PING)[0] == PONG


def test_signatures_are_recorded_and_counted(cast, home, program, tmp_path):
    page = lab.free_port()
    server = cast(KeyServer, "--audit", tmp_path / "audit.json", "--metrics", f"127.0.0.1:{page}")
    ski = ski_of(program, home / "keys" / "ec.key")
    client = Client(server.port, home / "tunnel")
    client.say(message(1, (OP, bytes([ECDSA_SHA256])), (PAYLOAD, b"secret?" + bytes(25)), (SKI, ski),
                       (0x02, b"shop.example"), (0x03, bytes([192, 0, 2, 7])), (0x16, b'{"request_id":"r-1"}')))
    client.hear()
    lab.wait_for("audit", lambda: (tmp_path / "audit.json").read_text().endswith("\n"))
    event = json.loads((tmp_path / "audit.json").read_text())
    assert event["client"] == "edge1" and event["op"] == "ecdsa-sha256" and event["result"] == "ok"
    assert event["sni"] == "shop.example" and event["client_ip"] == "192.0.2.7" and event["request_id"] == "r-1"
    assert event["ski"] == ski.hex() and b"secret?".hex() not in json.dumps(event) and "secret" not in json.dumps(event)
    text = lab.run("curl", "-s", f"http://127.0.0.1:{page}/metrics").stdout
    assert 'sekisho_keyless_answers_total{type="ecdsa",result="ok"} 1' in text
    assert 'le="+Inf"} 1' in text and f'ski="{ski.hex()}"' in text


def test_the_directory_of_keys_is_followed(cast, home, program, tmp_path):
    keys = tmp_path / "keys"
    keys.mkdir()
    source = (home / "keys" / "ec.key").read_bytes()
    (keys / "a.key").write_bytes(source)
    (keys / "a.key").chmod(0o440)
    refused = lab.run(program, "key", "list", keys, check=False)
    assert refused.returncode == 1
    (keys / "a.key").unlink()
    server = cast(KeyServer, keys=keys)
    ski = ski_of(program, home / "keys" / "ec.key")
    client = Client(server.port, home / "tunnel")
    assert client.ask(ECDSA_SHA256, bytes(32), ski) == (ERROR, b"\2")
    (keys / "new").write_bytes(source)
    (keys / "new").chmod(0o400)
    (keys / "new").rename(keys / "a.key")
    server.process.send_signal(signal.SIGHUP)
    lab.wait_for("reload", lambda: client.ask(ECDSA_SHA256, bytes(32), ski)[0] == RESPONSE)
    (keys / "a.key").unlink()
    lab.wait_for("removal", lambda: client.ask(ECDSA_SHA256, bytes(32), ski)[0] == ERROR)


# ---- the edge ----


@pytest.mark.parametrize("site", ["ec", "rsa"])
def test_an_edge_without_the_key_serves_both_versions(cast, home, origin, site):
    server = cast(KeyServer)
    edge = cast(Edge, [server.port], origin.port, site=site)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        assert b"from the origin" in edge.get(version=version)


def test_a_session_is_resumed_after_the_key_server_went(cast, home, origin, tmp_path):
    server = cast(KeyServer)
    edge = cast(Edge, [server.port], origin.port)
    client = ["openssl", "s_client", "-connect", f"127.0.0.1:{edge.port}", "-servername", "ec.test", "-tls1_2",
              "-CAfile", str(home / "ec.crt")]
    one = subprocess.run([*client, "-sess_out", tmp_path / "session"], input=b"GET / HTTP/1.0\r\n\r\n",
                         capture_output=True, timeout=20)
    assert b"New, " in one.stdout
    server.close()
    two = subprocess.run([*client, "-sess_in", tmp_path / "session"], input=b"GET / HTTP/1.0\r\n\r\n",
                         capture_output=True, timeout=20)
    assert b"Reused, " in two.stdout, two.stdout.decode()
    assert edge.state()["resumed"] == 1


def test_a_server_restarted_under_load_fails_nobody(cast, home, origin):
    first, second = cast(KeyServer), cast(KeyServer)
    edge = cast(Edge, [first.port, second.port], origin.port, "--no-resumption", "--timeout-ms", "5000")
    edge.wait_up(2)
    failures, done = [], threading.Event()

    def visit():
        while not done.is_set():
            try:
                edge.shake().close()
            except OSError as failure:
                failures.append(failure)

    visitors = [threading.Thread(target=visit) for _ in range(4)]
    for one in visitors:
        one.start()
    time.sleep(0.5)
    assert first.close() == 0
    time.sleep(0.5)
    cast(KeyServer, port=first.port)
    edge.wait_up(3)
    time.sleep(0.5)
    done.set()
    for one in visitors:
        one.join()
    assert not failures and edge.state()["handshakes"] > 20


def lie(server, stream, ident, items):
    stream.sendall(message(ident, (OP, bytes([RESPONSE])), (PAYLOAD, b"\x30\x06\x02\x01\x01\x02\x01\x01")))


def answer_nobody_first(key):
    def answer(server, stream, ident, items):
        stream.sendall(message(ident ^ 0x5555, (OP, bytes([RESPONSE])), (PAYLOAD, b"for nobody")))
        stream.sendall(message(ident, (OP, bytes([RESPONSE])), (PAYLOAD, sign(key, items[PAYLOAD]))) * 2)
    return answer


def dribble(key):
    def answer(server, stream, ident, items):
        for octet in message(ident, (OP, bytes([RESPONSE])), (PAYLOAD, sign(key, items[PAYLOAD])), pad=0):
            stream.sendall(bytes([octet]))
    return answer


def hang_up_halfway(server, stream, ident, items):
    stream.sendall(message(ident, (OP, bytes([RESPONSE])), (PAYLOAD, bytes(70)))[:20])
    stream.unwrap()


def speak_otherwise(server, stream, ident, items):
    stream.sendall(message(ident, (OP, bytes([RESPONSE])), major=2))


def boast(server, stream, ident, items):
    stream.sendall(message(ident, (OP, bytes([RESPONSE])), (PAYLOAD, bytes(65000))))


def refuse(server, stream, ident, items):
    stream.sendall(message(ident, (OP, bytes([ERROR])), (PAYLOAD, b"\1")))


def say_nothing(server, stream, ident, items):
    pass


@pytest.mark.parametrize("answer", [lie, hang_up_halfway, speak_otherwise, boast, refuse, say_nothing])
def test_a_bad_key_server_costs_a_handshake_and_nothing_else(cast, home, origin, answer):
    bad = Server(home / "tunnel", answer)
    edge = cast(Edge, [bad.port], origin.port, "--timeout-ms", "500")
    edge.wait_up()
    for _ in range(3):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            edge.shake()
    assert edge.process.poll() is None and edge.state()["failed"] == 3
    assert "keyless.handshake" in edge.text()
    bad.close()


@pytest.mark.parametrize("answer", [answer_nobody_first, dribble])
def test_an_odd_but_right_key_server_is_enough(cast, home, origin, answer):
    odd = Server(home / "tunnel", answer(home / "keys" / "ec.key"))
    edge = cast(Edge, [odd.port], origin.port)
    for _ in range(3):
        assert b"from the origin" in edge.get()
    sent = odd.seen[0]
    assert set(sent) <= {0x11, 0x12, 0x04, 0x03, 0x05, 0x02, 0x20}  # what every server knows
    odd.close()


def test_hundreds_wait_on_a_slow_server_while_others_resume(cast, home, origin):
    gate = threading.Event()

    def slow(server, stream, ident, items):
        gate.wait(20)
        stream.sendall(message(ident, (OP, bytes([RESPONSE])), (PAYLOAD, sign(home / "keys" / "ec.key", items[PAYLOAD]))))

    server = Server(home / "tunnel", slow)
    edge = cast(Edge, [server.port], origin.port, "--timeout-ms", "30000")
    edge.wait_up()
    results = []
    visitors = [threading.Thread(target=lambda: results.append(edge.get(timeout=40))) for _ in range(150)]
    for one in visitors:
        one.start()
    lab.wait_for("150 parked", lambda: edge.state()["parked"] == 150, timeout_s=30)
    gate.set()
    for one in visitors:
        one.join()
    assert len(results) == 150 and all(b"from the origin" in one for one in results)
    server.close()


def test_a_distant_key_costs_one_round_trip(cast, home, origin):
    round_trip_s = 0.4
    server = cast(KeyServer)
    cable = lab.FarAway(server.port, round_trip_s / 2)
    edge = cast(Edge, [cable.port], origin.port, "--no-resumption", "--timeout-ms", "5000")
    edge.wait_up()
    times = []
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3) * 3:
        began = time.monotonic()
        edge.shake(version=version).close()
        times.append(time.monotonic() - began)
    assert round_trip_s <= min(times) and sorted(times)[3] < 1.5 * round_trip_s, times
    cable.close()


def test_the_edge_never_holds_the_private_key(cast, home, origin):
    number = private_number(home / "keys" / "ec.key")
    server = cast(KeyServer)
    edge = cast(Edge, [server.port], origin.port, "--no-resumption")
    for _ in range(20):
        edge.get()
    workers = [pid for pid in server.pids() if pid != server.process.pid]
    if os.geteuid() == 0:
        assert any(memory_holds(pid, number) for pid in workers)  # the scan can see
    assert not memory_holds(edge.process.pid, number)


# ---- both in the configuration ----


def test_an_edge_and_a_key_server_of_the_configuration_meet(cast, home, origin, program):
    server = cast(Configured, KEY_SERVER)
    edge = cast(Configured, EDGE, server=server.port, origin=origin.port)
    lab.wait_for("tunnel", lambda: "keyless.up" in edge.text())
    for site in ("ec", "rsa"):
        for version in ("1.2", "1.3"):
            got = lab.run("curl", "-sS", "--max-time", "15", "--cacert", home / f"{site}.crt", "--tls-max", version,
                          f"--tlsv{version}", "--resolve", f"{site}.test:{edge.port}:127.0.0.1",
                          f"https://{site}.test:{edge.port}/")
            assert "from the origin" in got.stdout
    # Only the vault has the keys: the worker that reads the network passes on.
    strange = lab.run(program, "key", "test", f"127.0.0.1:{server.port}", "--name", "keys.test", "--certificate",
                      home / "ec.crt", "--sni", "other.test", *ends(home, "edge1"), check=False)
    assert strange.returncode == 1 and "key-not-found" in strange.stderr  # names are listed, and this is none
    refused = lab.run(program, "key", "test", f"127.0.0.1:{server.port}", "--name", "keys.test", "--certificate",
                      home / "ec.crt", *ends(home, "edge2"), check=False)
    assert refused.returncode == 1
    events = server.folder / "data" / "events.json"
    lab.wait_for("events", lambda: events.exists() and events.read_text().count('"kind":"key"') >= 5)
    signed = [json.loads(line) for line in events.read_text().splitlines() if '"sign"' in line]
    assert {event["sni"] for event in signed} == {"ec.test", "rsa.test"}
    assert all(event["client_cert"] == "edge1" and event["key_client"] == "127.0.0.1" for event in signed)
    told = edge.folder / "data" / "events.json"  # and the edge tells who signed, and how long it took
    lab.wait_for("events", lambda: told.exists() and told.read_text().count('"kind":"session"') >= 4)
    visits = [e for e in map(json.loads, told.read_text().splitlines()) if e["kind"] == "session" and e.get("client_tls")]
    assert all(e["signer"] == "127.0.0.1" and e["us_sign"] > 0 for e in visits) and len(visits) >= 4


@pytest.mark.skipif(os.geteuid() != 0, reason="reads the memory of other processes")
def test_the_key_servers_workers_never_hold_the_served_keys(cast, home, program):
    number = private_number(home / "keys" / "ec.key")
    server = cast(Configured, KEY_SERVER)
    client = Client(server.port, home / "tunnel")
    ski = ski_of(program, home / "keys" / "ec.key")
    for ident in range(5):
        client.say(message(ident, (OP, bytes([ECDSA_SHA256])), (PAYLOAD, bytes(32)), (SKI, ski), (0x02, b"ec.test")))
        assert client.hear()[1][OP][0] == RESPONSE
    with_key = [pid for pid in server.pids() if memory_holds(pid, number)]
    assert len(with_key) == 1, with_key  # the vault
    sockets = [os.readlink(f"/proc/{with_key[0]}/fd/{fd}") for fd in os.listdir(f"/proc/{with_key[0]}/fd")]
    inodes = {link[8:-1] for link in sockets if link.startswith("socket:")}
    inet = {line.split()[9] for name in ("tcp", "tcp6", "udp", "udp6")
            for line in lab.Path(f"/proc/net/{name}").read_text().splitlines()[1:]}
    assert not inodes & inet


# ---- everything through one door ----


INSPECTING = """\
workers 1
user {user}
data {folder}/data
control {folder}/control.sock
resolver {{ servers 127.0.0.1:{names} }}
listen 127.0.0.1:{port} as proxy use office
gateway office {{
	authority {ca}
	authority-keys {{
		server 127.0.0.1:{server} called keys.test
		certificate {home}/tunnel/edge2.crt
		key {home}/tunnel/edge2.key
		authority {home}/tunnel/ca.crt
	}}
	upstream {{ trust {trust} }}
	reach {{ allow 127.0.0.0/8; ports 1-65535 }}
}}
"""


@pytest.mark.parametrize("kind", ["p256", "p384", "rsa2048", "ed25519"])
def test_the_inspecting_authority_signs_elsewhere(cast, home, program, pki, names, tmp_path, stage, kind):
    ca = stage / f"ca-{kind}"
    lab.run(program, "ca", "init", ca, "--key", kind)
    away = tmp_path / "away"
    away.mkdir()
    (ca / "node.key").rename(away / "node.key")  # it is in this place no more
    (ca / "root.key").unlink()
    for path in [ca, *ca.glob("*.crt")]:
        path.chmod(0o755)
    keys = cast(KeyServer, "--client", "edge2", keys=away)
    site = lab.Origin(pki.issue("www.good.example"), "good\n")
    gateway = cast(Configured, INSPECTING, server=keys.port, ca=ca, names=names.port, trust=pki.root)
    for _ in range(3):
        got = lab.run("curl", "-sS", "--max-time", "20", "--cacert", ca / "root.crt", "--proxy",
                      f"http://127.0.0.1:{gateway.port}", f"https://www.good.example:{site.port}/", "-v", check=False)
        assert got.stdout == "good\n", got.stderr + gateway.text()
    check_list(gateway.port, ca, tmp_path)
    keys.close()
    stranger = lab.run("curl", "-sS", "--max-time", "20", "--cacert", ca / "root.crt", "--proxy",
                       f"http://127.0.0.1:{gateway.port}", f"https://other.good.example:{site.port}/", check=False)
    assert stranger.returncode != 0  # nobody signs: no leaf, but no crash either
    again = lab.run("curl", "-sS", "--max-time", "20", "--cacert", ca / "root.crt", "--proxy",
                    f"http://127.0.0.1:{gateway.port}", f"https://www.good.example:{site.port}/")
    assert again.stdout == "good\n"  # minted before: still there
    site.close()

# SPDX-License-Identifier: Apache-2.0
"""How TLS is spoken: the hybrid share, renegotiation, and rules that choose a profile."""

import os
import re
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

import lab
import wire

HERE = Path(__file__).resolve().parent
# The program and this Python are built against the same library.
HAS_HYBRID = ssl.OPENSSL_VERSION_INFO[:2] >= (3, 5)
CBC = "ECDHE-RSA-AES128-SHA"


@pytest.fixture(scope="module")
def gateway(make_gateway):
    it = make_gateway("""
	rule weak when net.sni.host == "www.weak.example" do tls client-profile compat
	rule weaker when net.sni.host == "www.both-ways.example" and not any(tls.alpn[*] == "http/1.1") do tls client-profile compat
	rule weak-origin when net.sni.host == "www.weak-origin.example" do tls origin-profile compat-2026
	rule strong when net.sni.host == "www.strong.example" do tls client-profile modern
	rule strong-origin when net.sni.host == "www.strong-origin.example" do tls origin-profile modern
""")
    yield it
    it.close()


@pytest.fixture
def origin(pki):
    made = []

    def make(host, key="ec", **options):
        it = lab.Origin(pki.issue(host, key=key), "spoken\n")
        for name, value in options.items():
            setattr(it.context, name, value)
        made.append(it)
        return it

    yield make
    for it in made:
        it.close()


def go_version():
    found = re.search(r"go1\.(\d+)", lab.run("go", "version").stdout)
    return int(found.group(1)) if found else 0


def event_of(gateway, host):
    return gateway.wait_event(host=host, kind="session")


@pytest.mark.skipif(not shutil.which("go"), reason="go is not installed")
def test_47_a_clients_hybrid_share_is_never_dropped_in_silence(gateway, origin, tmp_path):
    """Go offers it since 1.24; what becomes of it hangs on both libraries, and is in the event."""
    if go_version() < 24:
        pytest.skip("this Go does not offer the hybrid group")
    program = tmp_path / "hybrid"
    lab.run("go", "build", "-o", program, HERE / "clients" / "hybrid.go", timeout=300,
            env={**os.environ, "GO111MODULE": "off", "CGO_ENABLED": "0"})
    rows = {"www.both.example": "kept" if HAS_HYBRID else "dropped by the gateway"}
    both = origin("www.both.example")
    old = origin("www.classical.example", maximum_version=ssl.TLSVersion.TLSv1_2)
    rows["www.classical.example"] = "dropped by the origin" if HAS_HYBRID else "dropped by the gateway"
    for host, it in (("www.both.example", both), ("www.classical.example", old)):
        done = lab.run(program, f"127.0.0.1:{gateway.port}", f"{host}:{it.port}", gateway.root, check=False,
                       env={**os.environ, "GODEBUG": "tlsmlkem=1"})
        assert done.stdout.startswith("304 "), done.stderr
        event = event_of(gateway, host)
        assert event["hybrid"] == rows[host]
        assert (event["client_group"] == "X25519MLKEM768") == HAS_HYBRID


def test_48_49_a_client_may_not_renegotiate(gateway, origin):
    host = "www.again.example"
    it = origin(host)
    done = subprocess.run(["openssl", "s_client", "-proxy", f"127.0.0.1:{gateway.port}", "-connect", f"{host}:{it.port}",
                           "-servername", host, "-tls1_2", "-CAfile", gateway.root], input="R\n", capture_output=True,
                          text=True, timeout=30)
    said = done.stdout + done.stderr
    assert "RENEGOTIATING" in said and "no renegotiation" in said and done.returncode != 0, said
    assert "Compression: NONE" in said and "Secure Renegotiation IS supported" in said
    assert it.seen == []


def test_49_an_origin_may_not_renegotiate(gateway, pki):
    host, port = "www.once-more.example", lab.free_port()
    pem, key = pki.issue(host)
    server = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", pem, "-key", key, "-tls1_2"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        lab.wait_for("the origin", lambda: lab.listens(port))
        with wire.secure(gateway, host, port, gateway.root) as s:
            s.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            said = b""
            while b"GET / HTTP/1.1" not in said:
                said += os.read(server.stdout.fileno(), 4096)
            server.stdin.write(b"r\n")
            server.stdin.flush()
            while b"no renegotiation" not in said:
                piece = os.read(server.stdout.fileno(), 4096)
                assert piece, said
                said += piece
    finally:
        server.kill()
        server.wait()
        server.stdin.close()
        server.stdout.close()


def old_client(gateway):
    c = wire.context(gateway.root)
    c.maximum_version = ssl.TLSVersion.TLSv1_2
    c.set_ciphers(CBC)
    return c


def shake(gateway, host, port, context):
    with context.wrap_socket(wire.connect(gateway, host, port), server_hostname=host) as s:
        return wire.get(s, host).status, s.version()


def test_a_rule_chooses_the_clients_profile(gateway, origin):
    weak, other = origin("www.weak.example"), origin("www.other.example")
    assert shake(gateway, "www.weak.example", weak.port, old_client(gateway)) == (200, "TLSv1.2")
    with pytest.raises((ssl.SSLError, OSError)):
        shake(gateway, "www.other.example", other.port, old_client(gateway))
    strong = origin("www.strong.example")
    twelve = wire.context(gateway.root)
    twelve.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, OSError)):
        shake(gateway, "www.strong.example", strong.port, twelve)
    assert shake(gateway, "www.strong.example", strong.port, wire.context(gateway.root)) == (200, "TLSv1.3")


def test_a_session_does_not_carry_its_profile_to_where_another_holds(gateway, origin):
    host = "www.both-ways.example"
    it, context = origin(host), wire.context(gateway.root)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{CBC}:ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256")

    def visit(session=None):
        with context.wrap_socket(wire.connect(gateway, host, it.port), server_hostname=host, session=session) as s:
            assert wire.get(s, host).status == 200
            return s.session_reused, s.session

    resumed, session = visit()
    assert not resumed
    resumed, session = visit(session)
    assert resumed
    context.set_alpn_protocols(["http/1.1"])  # the rule holds no more
    assert not visit(session)[0]


def test_a_rule_chooses_the_origins_profile(gateway, origin):
    options = {"maximum_version": ssl.TLSVersion.TLSv1_2}
    weak, other = origin("www.weak-origin.example", "rsa", **options), origin("www.plain.example", "rsa", **options)
    strong = origin("www.strong-origin.example", **options)
    for it in (weak, other):
        it.context.set_ciphers(CBC)
    context = wire.context(gateway.root)
    assert shake(gateway, "www.weak-origin.example", weak.port, context)[0] == 200
    assert event_of(gateway, "www.weak-origin.example")["origin_cipher"] == CBC
    assert shake(gateway, "www.plain.example", other.port, context)[0] == 502
    assert shake(gateway, "www.strong-origin.example", strong.port, context)[0] == 502

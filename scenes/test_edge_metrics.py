# SPDX-License-Identifier: Apache-2.0
"""What the metrics of an edge say of handshakes: version, group, resumed, and the verdict on a client's certificate."""

import re
import subprocess
import urllib.request

import pytest

import lab
import origins
from conftest import look_for_reports, need

CONFIG = """\
workers 2
user {user}
data {folder}/data
control {folder}/control.sock
admin 127.0.0.1:{admin}
listen 127.0.0.1:{port} as edge use shop
edge shop {{
	site shop.test {{
		also api.shop.test
		certificate {pair[0]} key {pair[1]}
		origin http://127.0.0.1:{origin}
	}}
	clients api.shop.test {{ certificate ask; managed {ca} }}
}}
"""


@pytest.fixture(scope="module")
def edge(program, stage, pki):
    need("openssl")
    ca = stage / "metrics-ca"
    for verb in (["init"], ["issue", "alice"], ["issue", "bob"], ["revoke", "bob"]):
        subprocess.run([program.resolve(), "client", *verb, "--dir", ca], cwd=stage, check=True, stdout=subprocess.PIPE,
                       timeout=60)
    running = origins.Edge(program, stage / "metrics", pki, CONFIG, names=("shop.test", "api.shop.test"), ca=ca,
                           admin=lab.free_port())
    running.who, running.pki = stage, pki
    yield running
    running.close()
    look_for_reports(running)


def metrics(edge):
    with urllib.request.urlopen(f"http://127.0.0.1:{edge.words['admin']}/metrics", timeout=5) as answer:
        return {name: int(value) for name, value in re.findall(r"^sekisho_(\w+) (\d+)$", answer.read().decode(), re.M)}


def visit(edge, *flags, name="shop.test"):
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{edge.port}", "-servername", name, "-ign_eof", *map(str, flags)],
        input=f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode(), capture_output=True, timeout=30,
        check=False)
    assert b"HTTP/1.1 200" in done.stdout, done.stdout + done.stderr


def risen(edge, before):
    """What has risen, once the handshakes counted are as many as expected."""
    return {name: value - before[name] for name, value in metrics(edge).items()
            if value != before[name] and name.startswith(("handshakes_", "client_certs_"))}


def test_handshakes_are_told_by_version_group_and_resumption(edge, tmp_path):
    before, session = metrics(edge), tmp_path / "session"
    visit(edge, "-tls1_2", "-groups", "P-256", "-sess_out", session)
    visit(edge, "-tls1_2", "-groups", "P-256", "-sess_in", session)
    visit(edge, "-tls1_3", "-groups", "X25519")
    visit(edge, "-tls1_3", "-groups", "P-384")
    want = {"handshakes_tls12_total": 2, "handshakes_tls13_total": 2, "handshakes_resumed_total": 1,
            "handshakes_x25519_total": 1, "handshakes_nist_total": 2}
    lab.wait_for("them to be counted", lambda: risen(edge, before) == want)


def test_certificates_of_clients_are_told_by_verdict(edge):
    stranger = edge.pki.issue("stranger")
    shown = {"none": [], "good": ["alice"], "revoked": ["bob"]}
    for verdict, who in shown.items():
        before = metrics(edge)
        flags = [flag for name in who for flag in ("-cert", edge.who / f"{name}.crt", "-key", edge.who / f"{name}.key")]
        visit(edge, "-tls1_3", "-groups", "X25519", *flags, name="api.shop.test")
        want = {"handshakes_tls13_total": 1, "handshakes_x25519_total": 1, f"client_certs_{verdict}_total": 1}
        lab.wait_for(verdict, lambda before=before, want=want: risen(edge, before) == want)
    before = metrics(edge)
    visit(edge, "-tls1_3", "-cert", stranger[0], "-key", stranger[1], name="api.shop.test")
    lab.wait_for("a bad one", lambda: risen(edge, before).get("client_certs_bad_total") == 1)

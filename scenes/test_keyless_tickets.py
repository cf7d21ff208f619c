# SPDX-License-Identifier: Apache-2.0
"""The secret of session tickets from a private key: in the vault, in a token, on a key server."""

import contextlib
import shutil
import subprocess

import pytest

import lab
from keyless_cast import Configured, KeyServer, cast, home, origin  # noqa: F401
from test_keyless_token import hand_over, in_token, token  # noqa: F401

EDGE = """\
workers 2
user {user}
data {folder}/data
control {folder}/control.sock
{top}
listen 127.0.0.1:{port} as edge use shop
edge shop {{
	site ec.test {{ certificate {home}/ec.crt key {home}/keys/ec.key; origin http://127.0.0.1:{origin} }}
}}
"""

FROM_SERVERS = """\
tickets {{
	public {home}/tickets.pub
	keys {{
		server 127.0.0.1:{server} called keys.test
		certificate {home}/tunnel/edge1.crt
		key {home}/tunnel/edge1.key
		authority {home}/tunnel/ca.crt
	}}
}}
"""


@pytest.fixture(scope="module")
def day_keys(home):  # noqa: F811
    """A key of each kind, for tickets alone: kind -> path."""
    paths = {}
    for name, kind in (("ed25519", ["ED25519"]), ("rsa", ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
                       ("ec", ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"])):
        paths[name] = home / "days" / name / "tickets.key"
        paths[name].parent.mkdir(parents=True)
        lab.run("openssl", "genpkey", "-algorithm", *kind, "-out", paths[name])
        paths[name].chmod(0o400)
    lab.run("openssl", "pkey", "-in", paths["ed25519"], "-pubout", "-out", home / "tickets.pub")
    return paths


def visit(edge, home, *more):  # noqa: F811
    return subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{edge.port}", "-servername", "ec.test",
                           "-CAfile", home / "ec.crt", "-ign_eof", *more],
                          input=b"GET / HTTP/1.1\r\nHost: ec.test\r\nConnection: close\r\n\r\n", capture_output=True,
                          timeout=30, check=False).stdout


def have_secrets(*edges):
    for edge in edges:  # of four days and two workers
        lab.wait_for("secrets", lambda edge=edge: edge.text().count("tickets.day") >= 8)


def resumes(home, one, other, tmp_path):  # noqa: F811
    """Whether a session begun at one goes on at the other; the same in both versions."""
    said = []
    for version in ("-tls1_2", "-tls1_3"):
        session = tmp_path / f"session{version}-{one.port}-{other.port}"
        assert b"from the origin" in visit(one, home, version, "-sess_out", session)
        said.append(b"Reused, " in visit(other, home, version, "-sess_in", session))
    assert said[0] == said[1]
    return said[0]


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_the_vaults_key_makes_one_secret_for_all_who_have_it(cast, home, origin, day_keys, tmp_path, kind):  # noqa: F811
    top = f"tickets {{ key {day_keys[kind]} }}"
    one, other = (cast(Configured, EDGE, top=top, origin=origin.port) for _ in range(2))
    stranger = cast(Configured, EDGE, top="", origin=origin.port)
    have_secrets(one, other)
    assert resumes(home, one, other, tmp_path)
    assert not resumes(home, one, stranger, tmp_path)


def test_the_tokens_key_does_the_same(cast, home, origin, day_keys, tmp_path, token):  # noqa: F811
    in_token(day_keys["rsa"], "days", "07")
    hand_over(token)
    top = ("pkcs11 {{ module {module}; pin {pin}; files {tokens} }}\n".format(**token)
           + 'tickets { key "pkcs11:token=lab;object=days" }')
    one = cast(Configured, EDGE, top=top, origin=origin.port)
    other = cast(Configured, EDGE, top=f"tickets {{ key {day_keys['rsa']} }}", origin=origin.port)
    have_secrets(one, other)
    assert resumes(home, one, other, tmp_path)


def test_a_key_server_has_it_and_may_be_away(cast, home, origin, day_keys, tmp_path):  # noqa: F811
    port = lab.free_port()
    top = FROM_SERVERS.format(home=home, server=port)
    one, other = (cast(Configured, EDGE, top=top, origin=origin.port) for _ in range(2))
    lab.wait_for("complaints", lambda: "tickets.secret" in one.text() and "tickets.secret" in other.text())
    assert resumes(home, one, one, tmp_path)  # nobody waits for it
    assert not resumes(home, one, other, tmp_path)
    cast(KeyServer, port=port, keys=day_keys["ed25519"].parent)
    have_secrets(one, other)
    assert resumes(home, one, other, tmp_path)
    local = cast(Configured, EDGE, top=f"tickets {{ key {day_keys['ed25519']} }}", origin=origin.port)
    have_secrets(local)
    assert resumes(home, one, local, tmp_path)  # the same key in another place


def test_a_key_server_with_another_key_is_not_believed(cast, home, origin, day_keys, tmp_path):  # noqa: F811
    server = cast(KeyServer, keys=day_keys["rsa"].parent)
    edge = cast(Configured, EDGE, top=FROM_SERVERS.format(home=home, server=server.port), origin=origin.port)
    lab.wait_for("complaint", lambda: "key-not-found" in edge.text())
    assert resumes(home, edge, edge, tmp_path)


def test_a_key_whose_signatures_differ_stops_the_start(program, home, origin, day_keys, tmp_path):  # noqa: F811
    log = tmp_path / "log-x"
    with contextlib.suppress(RuntimeError):  # its port may have been seen before its end
        started = Configured(program, home, log, EDGE, top=f"tickets {{ key {day_keys['ec']} }}", origin=origin.port)
        assert started.process.wait(20) != 0
        started.close()
    assert "no two signatures of such a key are alike" in log.read_text()
    shutil.copy(home / "ec.crt", tmp_path)
    conf = tmp_path / "both.conf"
    conf.write_text(f"ticket-secret {day_keys['rsa']}\ntickets {{ key {day_keys['rsa']} }}\n")
    said = lab.run(program, "check", "-c", conf, check=False)
    assert said.returncode == 1 and "which is it" in said.stdout + said.stderr

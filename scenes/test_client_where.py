# SPDX-License-Identifier: Apache-2.0
"""The authority for clients whose key is in a token or on a key server: `ca.where` in its directory says so."""

import pytest

import lab
from keyless_cast import Configured, KeyServer, cast, home  # noqa: F401
from test_keyless_token import MODULE, in_token, token  # noqa: F401

SERVERS = """\
keys {{ server 127.0.0.1:{port} called keys.test
	certificate {home}/tunnel/edge1.crt; key {home}/tunnel/edge1.key; authority {home}/tunnel/ca.crt }}
public {public}
"""
# The vault of a running program keeps the key, and signs for whom the tunnel's certificate names.
VAULT = """\
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
	client edge1
}}
"""
KINDS = {"p384": ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"], "rsa": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
         "ed25519": ["ED25519"]}


def new_key(folder, kind):
    folder.mkdir(exist_ok=True)
    key = folder / "clients.key"
    lab.run("openssl", "genpkey", "-algorithm", *KINDS[kind], "-out", key)
    key.chmod(0o400)
    lab.run("openssl", "pkey", "-in", key, "-pubout", "-out", folder / "clients.pub")
    return key


def play(program, ca, tmp_path):
    """The whole life of a certificate; what openssl thinks of everything signed."""
    lab.run(program, "client", "init", "--dir", ca)
    assert not (ca / "ca.key").exists()
    lab.run(program, "client", "issue", "alice", "--dir", ca, "--out", tmp_path / "alice")
    lab.run("openssl", "verify", "-CAfile", ca / "ca.crt", tmp_path / "alice.crt")
    lab.run("openssl", "verify", "-CAfile", ca / "ca.crt", ca / "ocsp.crt")
    lab.run(program, "client", "revoke", "alice", "--dir", ca)
    listed = lab.run("openssl", "crl", "-in", ca / "clients.crl", "-inform", "DER", "-CAfile", ca / "ca.crt", "-noout",
                     "-text")
    assert "verify OK" in listed.stderr + listed.stdout and "Serial Number" in listed.stdout
    bad = lab.run("openssl", "verify", "-crl_check", "-CAfile", ca / "ca.crt", "-CRLfile", pem(ca, tmp_path),
                  tmp_path / "alice.crt", check=False)
    assert "certificate revoked" in bad.stdout + bad.stderr


def pem(ca, tmp_path):
    lab.run("openssl", "crl", "-in", ca / "clients.crl", "-inform", "DER", "-out", tmp_path / "crl.pem")
    return tmp_path / "crl.pem"


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_key_server_signs_for_the_authority_of_clients(cast, home, program, tmp_path, kind):  # noqa: F811
    away = tmp_path / "away"
    new_key(away, kind)
    server = cast(KeyServer, "--client", "edge1", keys=away)
    ca = tmp_path / "ca"
    ca.mkdir()
    (ca / "ca.where").write_text(SERVERS.format(port=server.port, home=home, public=away / "clients.pub"))
    play(program, ca, tmp_path)
    server.close()
    failed = lab.run(program, "client", "issue", "bob", "--dir", ca, "--out", tmp_path / "bob", check=False)
    assert failed.returncode == 1 and "No key server can be reached" in failed.stderr
    assert "bob" not in lab.run(program, "client", "list", "--dir", ca).stdout  # nothing half done


def test_the_vault_of_a_running_program_signs_for_it(cast, home, program, tmp_path):  # noqa: F811
    away, ca = tmp_path / "away", tmp_path / "ca"
    new_key(away, "p384")
    ca.mkdir()
    running = cast(Configured, VAULT, keys=away)
    (ca / "ca.where").write_text(SERVERS.replace("127.0.0.1:{port}", f"{running.folder}/keys.sock")
                                 .format(home=home, public=away / "clients.pub"))
    play(program, ca, tmp_path)
    told = running.folder / "data" / "events.json"
    lab.wait_for("the events of four signatures", lambda: told.read_text().count('"client_cert":"edge1"') >= 4)


def test_a_token_signs_for_it(home, program, tmp_path, token):  # noqa: F811
    in_token(new_key(tmp_path / "away", "rsa"), "clients", "09")
    ca = tmp_path / "ca"
    ca.mkdir()
    where = ca / "ca.where"
    where.write_text(f'token "pkcs11:token=lab;object=clients"; module {MODULE}; pin {token["pin"]}\n')
    play(program, ca, tmp_path)
    where.write_text(f'token "pkcs11:token=lab;object=ec"; module {MODULE}; pin {token["pin"]}\n')
    failed = lab.run(program, "client", "issue", "bob", "--dir", ca, "--out", tmp_path / "bob", check=False)
    assert failed.returncode == 1  # another key than ca.crt's: nothing leaves that does not verify
    assert not (tmp_path / "bob.crt").exists()


def test_an_authority_made_here_can_move_its_key(cast, home, program, tmp_path):  # noqa: F811
    ca, away = tmp_path / "ca", tmp_path / "away"
    lab.run(program, "client", "init", "--dir", ca)
    away.mkdir()
    (ca / "ca.key").rename(away / "ca.key")
    server = cast(KeyServer, "--client", "edge1", keys=away)
    (ca / "ca.where").write_text(SERVERS.format(port=server.port, home=home, public="unused"))
    lab.run(program, "client", "issue", "carol", "--dir", ca, "--out", tmp_path / "carol")
    lab.run("openssl", "verify", "-CAfile", ca / "ca.crt", tmp_path / "carol.crt")


@pytest.mark.parametrize("text", ["", "token pkcs11:object=a; keys { server a.test; certificate /x; authority /y }",
                                  "tokn x", "token \"pkcs11:odd=1\""])
def test_what_cannot_be_meant_is_said(program, tmp_path, text):
    ca = tmp_path / "ca"
    ca.mkdir()
    (ca / "ca.where").write_text(text + "\n")
    failed = lab.run(program, "client", "init", "--dir", ca, check=False)
    assert failed.returncode == 1 and failed.stderr and not (ca / "ca.crt").exists()

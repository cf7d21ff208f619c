# SPDX-License-Identifier: Apache-2.0
"""Keys in a PKCS#11 token (SoftHSM2) and in the vault: for key servers, sites and the authority."""

import contextlib
import os
import shutil
import subprocess

import pytest

import lab
from keyless_cast import Configured, KeyServer, cast, check_list, ends, home, memory_holds, origin, private_number  # noqa: F401

MODULE = "/usr/lib/softhsm/libsofthsm2.so"

COMMON = """\
workers 1
user {user}
data {folder}/data
control {folder}/control.sock
events {{ json {folder}/data/events.json }}
pkcs11 {{ module {module}; pin {pin}; files {tokens} }}
"""

SERVER = COMMON + """\
listen 127.0.0.1:{port} as keyserver use keys
keyserver keys {{
	token "pkcs11:token=lab;object=ec" "pkcs11:token=lab;object=rsa"
	certificate {home}/tunnel/server.crt
	key {home}/tunnel/server.key
	authority {home}/tunnel/ca.crt
}}
"""

EDGE = COMMON + """\
listen 127.0.0.1:{port} as edge use shop
edge shop {{
	site ec.test {{ certificate {home}/ec.crt key "pkcs11:token=lab;object=ec"; origin http://127.0.0.1:{origin} }}
	site rsa.test {{ certificate {home}/rsa.crt key {rsa} kept-by vault; origin http://127.0.0.1:{origin} }}
}}
"""

GATEWAY = COMMON + """\
resolver {{ servers 127.0.0.1:{names} }}
listen 127.0.0.1:{port} as proxy use office
gateway office {{
	authority {ca}
	authority-token "pkcs11:token=lab;object=ca"
	upstream {{ trust {trust} }}
	reach {{ allow 127.0.0.0/8; ports 1-65535 }}
}}
"""


def in_token(key, label, ident):
    lab.run("softhsm2-util", "--import", key, "--token", "lab", "--label", label, "--id", ident, "--pin", "1234")


@pytest.fixture(scope="module")
def token(home, stage):  # noqa: F811
    """A token with the keys of two sites, usable by the user the program becomes."""
    if not shutil.which("softhsm2-util"):
        pytest.skip("softhsm2 is not installed (see packages)")
    folder = home / "hsm"
    tokens = folder / "tokens"
    tokens.mkdir(parents=True)
    (folder / "conf").write_text(f"directories.tokendir = {tokens}\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "conf")
    lab.run("softhsm2-util", "--init-token", "--free", "--label", "lab", "--pin", "1234", "--so-pin", "5678")
    in_token(home / "keys" / "ec.key", "ec", "01")
    in_token(home / "keys" / "rsa.key", "rsa", "02")
    pin = folder / "pin"
    (home / "keys-none").mkdir()
    pin.write_text("1234\n")
    pin.chmod(0o400)
    yield {"module": MODULE, "pin": pin, "tokens": tokens}
    del os.environ["SOFTHSM2_CONF"]


def hand_over(token):  # noqa: F811
    """To the user that the vault becomes."""
    if os.getuid() == 0:
        for path in [token["tokens"], *token["tokens"].rglob("*")]:
            shutil.chown(path, "nobody")


def get(port, name, ca, *more, check=True):
    return lab.run("curl", "-sS", "--max-time", "20", "--cacert", ca, "--resolve", f"{name}:{port}:127.0.0.1", *more,
                   f"https://{name}:{port}/", check=check)


def test_a_key_server_signs_with_a_token(cast, home, program, token):  # noqa: F811
    hand_over(token)
    server = cast(Configured, SERVER, **token)
    for site in ("ec", "rsa"):
        shown = lab.run(program, "key", "test", f"127.0.0.1:{server.port}", "--name", "keys.test", "--certificate",
                        home / f"{site}.crt", *ends(home, "edge1"))
        assert "signature verified" in shown.stdout


def test_the_command_serves_tokens_too(cast, home, program, tmp_path, token):  # noqa: F811
    options = ["--token", "pkcs11:token=lab;object=ec", "--module", MODULE, "--pin"]
    shown = lab.run(program, "key", "show", options[1], *options[2:], token["pin"]).stdout
    assert shown == lab.run(program, "key", "show", home / "keys" / "ec.key").stdout
    server = cast(KeyServer, *options, token["pin"], "--workers", "2", keys=home / "keys-none")
    shown = lab.run(program, "key", "test", f"127.0.0.1:{server.port}", "--name", "keys.test", "--certificate",
                    home / "ec.crt", *ends(home, "edge1"))
    assert "signature verified" in shown.stdout
    wrong = tmp_path / "wrong"
    wrong.write_text("4321")
    wrong.chmod(0o400)
    failed = subprocess.run([program, "key", "serve", *ends(home, "server"), "--listen",
                             f"127.0.0.1:{lab.free_port()}", *options, wrong],
                            capture_output=True, text=True, timeout=30)
    assert failed.returncode == 1 and failed.stderr.count("the PIN is wrong") == 1


def test_a_sites_key_is_in_the_token_or_the_vault(cast, home, origin, token):  # noqa: F811
    hand_over(token)
    kept = home / "kept.key"
    kept.write_bytes((home / "keys" / "rsa.key").read_bytes())
    kept.chmod(0o400)
    edge = cast(Configured, EDGE, origin=origin.port, rsa=kept, **token)
    for site in ("ec", "rsa"):
        for version in ("1.2", "1.3"):
            got = get(edge.port, f"{site}.test", home / f"{site}.crt", "--tls-max", version, f"--tlsv{version}")
            assert "from the origin" in got.stdout
    if os.geteuid() == 0:
        number = private_number(kept)
        holders = [pid for pid in edge.pids() if memory_holds(pid, number)]
        assert len(holders) == 1  # the vault: not the worker that speaks with clients, not the master


def test_a_key_of_another_certificate_stops_the_start(program, home, origin, token, tmp_path):  # noqa: F811
    hand_over(token)
    text = EDGE.replace("object=ec", "object=rsa")
    log = tmp_path / "log-x"
    with contextlib.suppress(RuntimeError):  # its port may have been seen before its end
        started = Configured(program, home, log, text, origin=origin.port, rsa=home / "keys" / "rsa.key", **token)
        assert started.process.wait(20) != 0
        started.close()
    assert "the key is not that of" in log.read_text()


def test_the_authoritys_key_is_in_the_token(cast, home, program, pki, names, stage, token):  # noqa: F811
    ca = stage / "ca-token"
    lab.run(program, "ca", "init", ca)
    in_token(ca / "node.key", "ca", "03")
    (ca / "node.key").unlink()
    (ca / "root.key").unlink()
    for path in [ca, *ca.glob("*.crt")]:
        path.chmod(0o755)
    hand_over(token)
    site = lab.Origin(pki.issue("www.good.example"), "good\n")
    gateway = cast(Configured, GATEWAY, ca=ca, names=names.port, trust=pki.root, **token)
    for _ in range(2):
        got = lab.run("curl", "-sS", "--max-time", "20", "--cacert", ca / "root.crt", "--proxy",
                      f"http://127.0.0.1:{gateway.port}", f"https://www.good.example:{site.port}/", check=False)
        assert got.stdout == "good\n", got.stderr + gateway.text()
    check_list(gateway.port, ca, stage)
    site.close()

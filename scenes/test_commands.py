# SPDX-License-Identifier: Apache-2.0
"""check, ca, explain: what people type before and beside the gateway."""

import json
import os

import pytest

import lab


def write(tmp_path, text):
    path = tmp_path / "sekisho.conf"
    path.write_text(text)
    return path


GOOD = """listen 127.0.0.1:8080 as proxy use office
gateway office {{
	authority {ca}
	upstream {{ trust system }}
	rule banks when any(http.request.domains[*] in {{"bank.example"}}) do bypass
	rule bad when http.request.host == "malware.example" do block "harmful"
}}
"""


@pytest.fixture
def authority(program, tmp_path):
    lab.run(program, "ca", "init", tmp_path / "ca")
    return tmp_path / "ca"


def test_a_good_configuration_is_good(program, tmp_path, authority):
    path = write(tmp_path, GOOD.format(ca=authority))
    assert lab.run(program, "check", path).returncode == 0


@pytest.mark.parametrize("line, column, text, said", [
    (1, 1, "lisen 127.0.0.1:1 as proxy use office\n", "listen"),
    (2, 2, "gateway office {\n\tauthorty x\n}\n", "authority"),
    (3, None, "gateway office {\n\tauthority x\n\trule a when http.hst == \"x\" do block\n}\n", "http.host"),
    (3, 2, "gateway office {\n\tauthority x\n\tprofile modern\n}\n", "belongs into `upstream"),
    (3, None, "gateway office {\n\tauthority x\n\trule a when ssl do blok\n}\n", "block"),
    (3, None, "gateway office {\n\tauthority x\n\trule a when http.request.method == \"POST\" do bypass\n}\n",
     "bypass"),
])
def test_what_is_wrong_is_told_with_line_and_column(program, tmp_path, line, column, text, said):
    path = write(tmp_path, text)
    done = lab.run(program, "check", path, check=False)
    assert done.returncode == 1
    told = done.stdout + done.stderr
    assert f"{path}:{line}:{column or ''}" in told and said in told, told


def test_a_gateway_without_an_authority_is_told_that_and_nothing_else(program, tmp_path):
    done = lab.run(program, "check", write(tmp_path, "gateway office {\n}\n"), check=False)
    assert done.returncode == 1 and "1 error" in done.stderr and "null" not in done.stderr, done.stderr


def test_ca_init_makes_a_root_and_a_node_with_private_keys(authority):
    for name in ("root.crt", "node.crt"):
        text = lab.run("openssl", "x509", "-in", authority / name, "-noout", "-text").stdout
        assert "CA:TRUE" in text and "critical" in text
    for name in ("root.key", "node.key"):
        assert (authority / name).stat().st_mode & 0o077 == 0
    done = lab.run("openssl", "verify", "-x509_strict", "-CAfile", authority / "root.crt",
                   authority / "node.crt")
    assert done.returncode == 0


def test_ca_init_never_overwrites(program, authority):
    before = (authority / "root.key").read_bytes()
    done = lab.run(program, "ca", "init", authority, check=False)
    assert done.returncode == 1 and (authority / "root.key").read_bytes() == before


def test_ca_show_speaks_json(program, authority):
    shown = json.loads(lab.run(program, "ca", "show", authority, "--json").stdout)
    assert "subject" in json.dumps(shown) and "not_after" in json.dumps(shown)


def test_ca_export_gives_the_root(program, authority):
    out = lab.run(program, "ca", "export", authority).stdout
    assert out.strip() == (authority / "root.crt").read_text().strip()


def test_ca_install_into_a_browsers_store_and_back(program, authority, tmp_path):
    from conftest import need
    need("certutil")
    store = tmp_path / "home" / ".pki" / "nssdb"
    store.mkdir(parents=True)
    lab.run("certutil", "-N", "-d", f"sql:{store}", "--empty-password")
    env = {**os.environ, "HOME": str(tmp_path / "home")}
    lab.run(program, "ca", "install", authority, "--browsers", env=env)
    listing = lab.run("certutil", "-L", "-d", f"sql:{store}").stdout
    assert "C,," in listing
    lab.run(program, "ca", "install", authority, "--browsers", "--undo", env=env)
    assert "C,," not in lab.run("certutil", "-L", "-d", f"sql:{store}").stdout


def test_explain_says_what_would_be_done_and_why(program, tmp_path, authority):
    path = write(tmp_path, GOOD.format(ca=authority))
    for host, action, rule in (("www.bank.example", "bypass", "banks"),
                               ("malware.example", "block", "bad")):
        out = lab.run(program, "explain", "--config", path, host).stdout
        assert action in out and rule in out

# SPDX-License-Identifier: Apache-2.0
"""The authority's life: from one node CA to the next, from one root to the next, and keys."""

import base64
import getpass
import json
import os
import plistlib
import re
import shutil
import signal
import ssl
import subprocess

import pytest

import lab
import wire


@pytest.fixture(scope="module")
def site(pki):
    origin = lab.Origin(pki.issue("www.life.example"), "alive\n")
    yield origin
    origin.close()


def strict(*roots):
    """A client that has these roots alone, as strict as Python 3.13."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    for root in roots:
        context.load_verify_locations(root)
    return context


def visit(gateway, site, context):
    """The leaf, as openssl prints it."""
    with context.wrap_socket(wire.connect(gateway, "www.life.example", site.port),
                             server_hostname="www.life.example") as s:
        assert wire.get(s, "www.life.example").body == b"alive\n"
        leaf = ssl.DER_cert_to_PEM_cert(s.getpeercert(binary_form=True))
    return subprocess.run(["openssl", "x509", "-noout", "-text"], input=leaf, capture_output=True, text=True,
                          check=True).stdout


def reload(gateway):
    before = gateway.log().count("generation.serves")
    gateway.process.process.send_signal(signal.SIGHUP)
    lab.wait_for("the next generation", lambda: gateway.log().count("generation.serves") > before)


def status(gateway, *more):
    shown = gateway.command("ca", "status", gateway.folder / "ca", "--json", *more, check=False)
    return {row["file"]: row["state"] for row in json.loads(shown.stdout)["certificates"]}, shown.returncode


def test_clients_with_either_root_believe_what_follows(open_gateway, site, tmp_path, program):
    gateway = open_gateway("")
    ca = gateway.folder / "ca"
    old = tmp_path / "old.pem"
    old.write_bytes((ca / "root.crt").read_bytes())
    visit(gateway, site, strict(old))
    gateway.command("ca", "rotate", "--root", ca)
    new = ca / "root.crt"
    assert status(gateway)[0] == {
        "root.crt": "trusted", "cross.crt": "sent", "node.crt": "in use", "previous.crt": "retired",
        "previous-root.crt": "retired", "cross-old.crt": "for other nodes"}
    reload(gateway)
    for roots in ([old], [new], [old, new]):
        assert "Issuer: CN = sekisho CA G2 node" in visit(gateway, site, strict(*roots)).replace("CN=", "CN = ")

    # The product's verifier sees both ways, each from its root.
    context = ssl.create_default_context(cafile=new)
    chain = tmp_path / "chain.pem"
    with context.wrap_socket(wire.connect(gateway, "www.life.example", site.port),
                             server_hostname="www.life.example") as s:
        chain.write_text(ssl.DER_cert_to_PEM_cert(s.getpeercert(binary_form=True))
                         + (ca / "node.crt").read_text() + (ca / "cross.crt").read_text())
    for root, length in ((old, 4), (new, 3)):
        shown = lab.run(program, "verify", chain, "--name", "www.life.example", "--roots", root, "--json")
        assert len(json.loads(shown.stdout)["path"]) == length, shown.stdout

    # A node that still serves below the old root is believed by those with the new one.
    done = lab.run("openssl", "verify", "-x509_strict", "-CAfile", new, "-untrusted", ca / "cross-old.crt",
                   ca / "previous.crt")
    assert done.stdout.strip().endswith("OK")


def test_two_offline_roots_sign_each_other(program, tmp_path):
    for name in ("one", "two"):
        lab.run(program, "ca", "init", tmp_path / name, "--name", f"Root {name}", "--node", "gw")
    one, two = tmp_path / "one", tmp_path / "two"
    lab.run(program, "ca", "cross-sign", two / "root.crt", one, "--out", two / "cross.crt")
    printed = lab.run(program, "ca", "cross-sign", one / "root.crt", two).stdout
    (one / "cross.crt").write_text(printed)
    for node, root in ((two, one), (one, two)):
        done = lab.run("openssl", "verify", "-x509_strict", "-CAfile", root / "root.crt", "-untrusted",
                       node / "cross.crt", node / "node.crt")
        assert done.stdout.strip().endswith("OK")
        lab.run(program, "ca", "show", node)
    itself = lab.run(program, "ca", "cross-sign", one / "root.crt", one, check=False)
    assert itself.returncode == 1 and "the same root" in itself.stderr
    leaf = lab.run(program, "ca", "cross-sign", two / "node.crt", one, check=False)
    assert leaf.returncode == 1 and "not self-signed" in leaf.stderr
    (one / "cross.crt").write_text((two / "cross.crt").read_text())
    strange = lab.run(program, "ca", "show", one, check=False)
    assert strange.returncode == 1 and "not of the name and key of root.crt" in strange.stderr


def test_a_node_ca_that_is_available_takes_over_by_itself(open_gateway, site):
    gateway = open_gateway("\tauthority-activate 0")
    ca = gateway.folder / "ca"
    gateway.command("ca", "rotate", "--node-days", 20, "--node", "first", ca)
    reload(gateway)
    assert "node first" in visit(gateway, site, strict(gateway.root))
    gateway.command("ca", "rotate", "--prepare", "--node", "second", ca)
    states, code = status(gateway, "--within", 30)
    assert states["next.crt"] == "available" and code == 1
    gateway.configure("\tauthority-activate 30d")
    reload(gateway)
    lab.wait_for("it takes over", lambda: "authority.activated" in gateway.log())
    lab.wait_for("the generation with it", lambda: gateway.log().count("generation.serves") == 4)
    assert "node second" in visit(gateway, site, strict(gateway.root))
    states, code = status(gateway, "--within", 30)
    assert states["previous.crt"] == "retired" and "next.crt" not in states and code == 0


def test_one_whose_passphrase_is_wrong_is_not_taken(open_gateway, site, stage):
    secret, other = stage / "ca-secret", stage / "ca-other"
    for path, word in ((secret, "right\n"), (other, "wrong\n")):
        path.write_text(word)
        path.chmod(0o400)
    gateway = open_gateway("\tauthority-activate 0")
    ca = gateway.folder / "ca"
    gateway.command("ca", "rotate", "--node-days", 20, "--node", "first", "--node-passphrase", secret, ca)
    gateway.command("ca", "rotate", "--prepare", "--node", "second", "--node-passphrase", other, ca)
    gateway.configure(f"\tauthority-passphrase {secret}")
    reload(gateway)
    lab.wait_for("the complaint", lambda: re.search("authority.activate .*pki.passphrase", gateway.log()))
    assert "node first" in visit(gateway, site, strict(gateway.root))
    assert status(gateway)[0]["next.crt"] == "available"


def test_a_fleets_node_takes_its_answer_on_its_first_day(program, tmp_path):
    home, node = tmp_path / "home", tmp_path / "node"
    lab.run(program, "ca", "init", home, "--root-only", "--name", "Fleet")

    def ask(*more):
        (tmp_path / "csr").write_text(lab.run(program, "ca", "node", "request", node).stdout)
        (tmp_path / "crt").write_text(lab.run(program, "ca", "node", "sign", tmp_path / "csr", home, *more).stdout)
        return lab.run(program, "ca", "node", "adopt", tmp_path / "crt", home / "root.crt", node).stdout

    assert "next reload" in ask("--node", "gw1")
    before = (node / "node.crt").read_text()
    assert "Fleet node gw1" in lab.run(program, "ca", "status", node).stdout
    assert "pending" in ask("--node", "gw1b", "--from-days", "5")
    assert (node / "node.crt").read_text() == before
    shown = lab.run(program, "ca", "status", node).stdout
    assert re.search(r"next.crt +pending .*gw1b", shown), shown
    early = lab.run(program, "ca", "activate", node, check=False)
    assert early.returncode == 1 and "pending until" in early.stderr


@pytest.mark.parametrize("mode, words", [(0o440, "mode is 0440"), (0o604, "mode is 0604")])
def test_a_key_that_others_can_read_is_not_used(program, tmp_path, mode, words):
    ca = tmp_path / "ca"
    lab.run(program, "ca", "init", ca)
    (ca / "node.key").chmod(mode)
    config = tmp_path / "sekisho.conf"
    user = "nobody" if os.getuid() == 0 else getpass.getuser()
    config.write_text(f"user {user}\ndata {tmp_path}/data\ncontrol {tmp_path}/control\n"
                      f"listen 127.0.0.1:{lab.free_port()} as proxy use g\n"
                      f"gateway g {{ authority {ca} }}\n")
    checked = lab.run(program, "check", config, check=False)
    assert checked.returncode == 1 and f"{config}:5:23: error" in checked.stderr and words in checked.stderr
    done = lab.run(program, "run", config, check=False)
    assert done.returncode != 0 and words in done.stdout + done.stderr
    (ca / "root.key").chmod(mode)
    for what in (["ca", "rotate", ca], ["ca", "cross-sign", ca / "root.crt", ca]):
        done = lab.run(program, *what, check=False)
        assert done.returncode == 1 and words in done.stderr


def test_two_processes_that_fail_at_once_end_the_program(program, stage):
    """The vault for its passphrase, the scribe for its store: whichever is heard first."""
    folder = stage / "both-fail"
    folder.mkdir()
    ca, secret = folder / "ca", folder / "secret"
    secret.write_text("correct horse\n")
    lab.run(program, "ca", "init", ca, "--node-passphrase", secret)
    user = "nobody" if os.getuid() == 0 else getpass.getuser()
    running = []
    for number in range(12):
        place = folder / str(number)
        place.mkdir()
        config = place / "sekisho.conf"
        config.write_text(f"user {user}\ndata {place}/data\ncontrol {place}/control\n"
                          f"events {{ store /proc/self/none/x.db }}\n"
                          f"listen 127.0.0.1:{lab.free_port()} as proxy use g\ngateway g {{ authority {ca} }}\n")
        running.append(subprocess.Popen([program, "run", config], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    try:
        assert [p.wait(60) for p in running] == [1] * len(running)
    finally:
        for p in running:
            p.kill()
            p.wait()


def test_an_encrypted_root_needs_its_word(program, tmp_path):
    ca, secret, wrong = tmp_path / "ca", tmp_path / "secret", tmp_path / "wrong"
    secret.write_text("correct horse\n")
    wrong.write_text("battery staple\n")
    lab.run(program, "ca", "init", ca, "--passphrase", secret)
    assert "ENCRYPTED" in (ca / "root.key").read_text()
    for more in ([], ["--passphrase", wrong]):
        done = lab.run(program, "ca", "rotate", *more, ca, check=False)
        assert done.returncode == 1 and "pki.passphrase" in done.stderr
    lab.run(program, "ca", "rotate", "--root", "--passphrase", secret, ca)
    assert "ENCRYPTED" in (ca / "root.key").read_text()  # the new one as well
    with secret.open() as word:
        done = lab.run(program, "ca", "rotate", "--passphrase", f"/dev/fd/{word.fileno()}", ca, pass_fds=[word.fileno()])
    assert "Made." in done.stdout


def test_what_would_protect_or_permit_nothing_is_refused(program, tmp_path):
    empty = tmp_path / "empty"
    empty.write_text("\n")
    for more, words in ((["--passphrase", empty], "it is empty"), (["--node-passphrase", empty], "it is empty"),
                        (["--permit", "*.lab.example"], "no domain"), (["--permit", "lab..example"], "no domain"),
                        (["--permit", ".lab.example"], "no domain"), (["--permit", ""], "no domain"),
                        (["--name", "n" * 65], "string too long"), (["--key", "rsa1024"], "no kind of key"),
                        (["--from-days", "3"], "after the first"), (["--passphrase", tmp_path / "none"], "none")):
        done = lab.run(program, "ca", "init", *more, tmp_path / "ca", check=False)
        assert done.returncode in (1, 2) and words in done.stderr, done.stderr
        shutil.rmtree(tmp_path / "ca", ignore_errors=True)


def test_a_laboratorys_authority_certifies_nothing_else(open_gateway, pki):
    gateway = open_gateway("", authority=["--permit", "lab.example"])
    for host, good in (("www.lab.example", True), ("www.other.example", False)):
        origin = lab.Origin(pki.issue(host), "lab\n")
        with wire.connect(gateway, host, origin.port) as s:
            if good:
                with strict(gateway.root).wrap_socket(s, server_hostname=host) as t:
                    assert wire.get(t, host).body == b"lab\n"
            else:
                with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
                    strict(gateway.root).wrap_socket(s, server_hostname=host)
        origin.close()


def test_every_export_is_what_its_client_reads(program, tmp_path):
    ca = tmp_path / "ca"
    lab.run(program, "ca", "init", ca, "--name", "Exported CA")
    der = ssl.PEM_cert_to_DER_cert((ca / "root.crt").read_text())

    def export(form, *more):
        out = tmp_path / form
        lab.run(program, "ca", "export", ca, "--form", form, "--out", out, *more)
        return out

    assert ssl.PEM_cert_to_DER_cert(export("pem").read_text()) == der
    assert export("der").read_bytes() == der
    profile = plistlib.loads(export("apple").read_bytes())
    content = profile["PayloadContent"][0]
    assert content["PayloadType"] == "com.apple.security.root" and content["PayloadContent"] == der
    script = export("windows").read_text()
    assert base64.b64decode(re.search(r"FromBase64String\('([^']+)'\)", script).group(1)) == der
    chrome = json.loads(export("chrome").read_text())
    assert [base64.b64decode(c) for c in chrome["CACertificates"]] == [der]
    firefox = json.loads(export("firefox").read_text())["policies"]["Certificates"]
    assert firefox["ImportEnterpriseRoots"] is True and firefox["Install"] == ["sekisho.crt"]
    store = export("pkcs12", "--password", "public")
    listed = lab.run("openssl", "pkcs12", "-in", store, "-passin", "pass:public", "-nokeys").stdout
    assert ssl.PEM_cert_to_DER_cert(listed[listed.index("-----BEGIN"):]) == der
    if shutil.which("keytool"):
        listed = lab.run("keytool", "-list", "-keystore", store, "-storepass", "public").stdout
        assert "trustedCertEntry" in listed and "1 entry" in listed
    wrong = lab.run(program, "ca", "export", ca, "--form", "palm", check=False)
    assert wrong.returncode == 2 and "kubernetes" in wrong.stderr

# SPDX-License-Identifier: Apache-2.0
"""The managed authority for certificates of clients, by its commands and in OpenSSL's eyes."""

import json
import plistlib
import subprocess

import pytest


class Authority:
    def __init__(self, program, folder):
        self.program, self.folder = program.resolve(), folder
        self.folder.mkdir(parents=True, exist_ok=True)
        (folder / "secret").write_text("geheim\n")

    def __call__(self, verb, *more, fails=False, text=None):
        done = subprocess.run([self.program, "client", verb, "--dir", "ca", *more], cwd=self.folder,
                              input=text, capture_output=True, text=True, timeout=60)
        assert (done.returncode != 0) == fails, done.stderr
        return done.stderr if fails else done.stdout

    def openssl(self, *arguments, code=0):
        done = subprocess.run(["openssl", *arguments], cwd=self.folder, capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def verify(self, certificate, code=0):
        self.openssl("crl", "-inform", "DER", "-in", "ca/clients.crl", "-out", "list.pem")
        return self.openssl("verify", "-purpose", "sslclient", "-crl_check", "-CAfile", "ca/ca.crt", "-CRLfile",
                            "list.pem", certificate, code=code)


@pytest.fixture(scope="module")
def ca(program, tmp_path_factory):
    ca = Authority(program, tmp_path_factory.mktemp("clients"))
    ca("init", "--name", "Lab clients", "--subject", "CN={name},O=Lab", "--san", "email:{name}@lab.example",
       "--crl-url", "http://pki.lab.example/clients.crl", "--ocsp-url", "http://pki.lab.example/ocsp")
    return ca


@pytest.mark.parametrize("kind", ["p256", "p384", "rsa2048", "ed25519"])
def test_a_certificate_of_every_kind_is_good_to_openssl(ca, kind):
    ca("issue", f"{kind}-user", "--key", kind, "--valid", "10y")
    assert "OK" in ca.verify(f"{kind}-user.crt")
    assert (ca.folder / f"{kind}-user.key").stat().st_mode & 0o777 == 0o400
    assert (ca.folder / "ca" / "ca.key").stat().st_mode & 0o777 == 0o400


def test_show_has_the_fields_of_certinfo(ca):
    ca("issue", "shown", "--label", "laptop")
    info = json.loads(ca("show", "shown"))
    assert info["subject"]["common_name"] == "shown" and info["subject"]["organization"] == "Lab"
    assert info["sans"] == ["shown@lab.example"] and info["ext_key_usage"] == ["client_auth"]
    assert info["crl"] == "http://pki.lab.example/clients.crl" and info["ocsp"] == "http://pki.lab.example/ocsp"
    assert info["state"] == "good" and info["label"] == "laptop" and info["pem"].startswith("-----BEGIN")
    assert int(info["serial_number"]) == int(info["serial"], 16)


def test_revoke_and_restore_reach_the_list_whose_number_rises(ca):
    def number():
        text = ca.openssl("crl", "-inform", "DER", "-in", "ca/clients.crl", "-noout", "-crlnumber")
        return int(text.split("=")[1], 16)

    ca("issue", "gone")
    before = number()
    ca("revoke", "gone")
    assert "revoked" in ca.verify("gone.crt", code=2) and number() == before + 1
    assert "already" in ca("revoke", "gone", fails=True)
    ca("restore", "gone")
    assert "OK" in ca.verify("gone.crt") and number() == before + 2
    ca("revoke", "gone", "--reason", "key-compromise")
    assert "Key Compromise" in ca.openssl("crl", "-inform", "DER", "-in", "ca/clients.crl", "-noout", "-text")
    assert "issue a new one" in ca("restore", "gone", fails=True)
    states = {row["name"]: row["state"] for row in json.loads(ca("list", "--json"))}
    assert states["gone"] == "revoked"
    ca("crl", "--out", "copy.crl")
    assert number() == before + 4


def test_a_request_is_answered_for_its_key_alone(ca):
    ca.openssl("req", "-new", "-newkey", "rsa:3072", "-nodes", "-keyout", "dev.key", "-out", "dev.csr", "-subj",
               "/O=Factory/CN=device 7", "-addext", "subjectAltName=URI:urn:device:7", "-addext",
               "basicConstraints=CA:TRUE", "-addext", "extendedKeyUsage=serverAuth")
    (ca.folder / "dev.crt").write_text(ca("issue", "--csr", "dev.csr"))
    assert "OK" in ca.verify("dev.crt")
    text = ca.openssl("x509", "-in", "dev.crt", "-noout", "-text")
    assert "CA:FALSE" in text and "TLS Web Server" not in text and "URI:urn:device:7" in text
    assert ca.openssl("x509", "-in", "dev.crt", "-noout", "-pubkey") == ca.openssl("pkey", "-in", "dev.key", "-pubout")
    named = ca("issue", "somebody", "--csr", "-", text=(ca.folder / "dev.csr").read_text())
    (ca.folder / "named.crt").write_text(named)
    assert "somebody" in ca.openssl("x509", "-in", "named.crt", "-noout", "-subject")


def test_a_request_without_proof_or_with_a_small_key_is_refused(ca):
    ca.openssl("req", "-new", "-newkey", "rsa:1024", "-nodes", "-keyout", "small.key", "-out", "small.csr", "-subj", "/CN=a")
    assert "no kind we issue for" in ca("issue", "--csr", "small.csr", fails=True)
    ca.openssl("req", "-new", "-newkey", "ed25519", "-nodes", "-keyout", "x.key", "-outform", "DER", "-out", "x.csr",
               "-subj", "/CN=victim")
    made = (ca.folder / "x.csr").read_bytes()
    (ca.folder / "x.csr").write_bytes(made.replace(b"victim", b"wictim"))
    assert "no proof of possession" in ca("issue", "--csr", "x.csr", fails=True)
    assert "valid" in ca("issue", "a", "--valid", "59min", fails=True)


def test_pkcs12_opens_in_both_forms_and_the_profile_holds_it(ca):
    ca("issue", "browser", "--form", "pkcs12", "--form", "pem", "--passphrase", "secret")
    for form in ("pkcs12-legacy", "apple"):
        ca("export", "browser", "--form", form, "--key", "browser.key", "--key-passphrase", "secret",
           "--passphrase", "secret", "--out", f"browser.{form}")
    modern = ca.openssl("pkcs12", "-info", "-in", "browser.p12", "-passin", "file:secret", "-nodes")
    assert "PBES2" in modern and "AES-256-CBC" in modern and "BEGIN PRIVATE KEY" in modern
    legacy = ca.openssl("pkcs12", "-info", "-in", "browser.pkcs12-legacy", "-passin", "file:secret", "-nodes", "-legacy")
    assert "pbeWithSHA1And3-KeyTripleDES-CBC" in legacy and "sha1" in legacy
    profile = plistlib.loads((ca.folder / "browser.apple").read_bytes())
    kinds = {item["PayloadType"]: item["PayloadContent"] for item in profile["PayloadContent"]}
    (ca.folder / "inner.p12").write_bytes(kinds["com.apple.security.pkcs12"])
    ca.openssl("pkcs12", "-in", "inner.p12", "-passin", "file:secret", "-nokeys", "-legacy")
    assert "com.apple.security.root" in kinds
    assert "passphrase" in ca("export", "browser", "--form", "pkcs12", "--key", "browser.key", "--key-passphrase",
                              "secret", fails=True)


def test_renewal_keeps_names_and_key_and_can_end_the_one_before(ca):
    ca("issue", "renewed", "--valid", "2h")
    old = json.loads(ca("show", "renewed"))
    ca("renew", "renewed", "--out", "renewed.crt", "--revoke-old")
    rows = [row for row in json.loads(ca("list", "--json")) if row["name"] == "renewed"]
    assert [row["state"] for row in rows] == ["revoked", "good"] and rows[1]["renews"] == old["serial"]
    new = json.loads(ca("show", rows[1]["serial"]))
    assert new["spki_sha256"] == old["spki_sha256"] and new["sans"] == old["sans"]
    assert "OK" in ca.verify("renewed.crt")
    ca.openssl("x509", "-in", "renewed.crt", "-checkend", str(89 * 86400))


def test_nothing_is_overwritten(ca):
    assert "nothing is overwritten" in ca("init", fails=True)
    ca("issue", "once")
    assert "nothing is overwritten" in ca("issue", "once", fails=True)
    assert len([row for row in json.loads(ca("list", "--json")) if row["name"] == "once"]) == 1


def test_commands_at_once_wait_for_each_other(ca):
    jobs = [subprocess.Popen([ca.program, "client", "issue", f"many-{i}", "--dir", "ca"], cwd=ca.folder,
                             stdout=subprocess.DEVNULL) for i in range(6)]
    assert [job.wait(timeout=60) for job in jobs] == [0] * 6
    assert sum(row["name"].startswith("many-") for row in json.loads(ca("list", "--json"))) == 6

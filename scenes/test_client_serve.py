# SPDX-License-Identifier: Apache-2.0
"""Requests for certificates that programs post, and the limits they cannot change."""

import json
import subprocess

import pytest

import lab


class Desk:
    def __init__(self, program, folder, *more, name="issue.sock"):
        self.program, self.folder, self.socket = program.resolve(), folder, folder / name
        log = folder / f"{name}.log"
        self.process = lab.Program(
            [program, "client", "serve", self.socket, "--dir", folder / "ca", *more],
            lambda: "client.serving" in log.read_text(), log)

    def post(self, path, octets, *more):
        """(status, body) by curl."""
        (self.folder / "posted").write_bytes(octets)
        text = subprocess.run(
            ["curl", "-s", "-w", "\n%{http_code}", "--unix-socket", str(self.socket), "--data-binary",
             f"@{self.folder / 'posted'}", *more, f"http://ca{path}"], capture_output=True, timeout=30, check=True
        ).stdout.decode()
        body, _, status = text.rpartition("\n")
        return int(status), body

    def __enter__(self):
        return self

    def __exit__(self, *_):
        text = self.process.text()
        self.process.close()
        assert "Sanitizer" not in text, text
        assert not self.socket.exists()


def request(folder, subject="/CN=somebody else", *more):
    lab.run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            folder / "device.key", "-out", folder / "device.csr", "-subj", subject, *more)
    return (folder / "device.csr").read_bytes()


@pytest.fixture
def folder(program, tmp_path):
    lab.run(program, "client", "init", "--dir", tmp_path / "ca", "--subject", "CN={name},OU=devices", "--san",
            "uri:urn:device:{name}", "--crl-url", "http://ca.example/clients.crl")
    return tmp_path


def show(program, folder, what):
    return json.loads(lab.run(program, "client", "show", what, "--dir", folder / "ca").stdout)


def test_a_posted_request_gets_a_certificate_by_the_templates(program, folder):
    csr = request(folder, "/CN=root/O=Everything", "-addext", "subjectAltName=DNS:bank.example",
                  "-addext", "basicConstraints=critical,CA:TRUE")
    with Desk(program, folder, "--valid", "30d") as desk:
        assert desk.socket.stat().st_mode & 0o777 == 0o660
        for form in ("PEM", "DER"):
            lab.run("openssl", "req", "-in", folder / "device.csr", "-outform", form, "-out", folder / "form")
            status, pem = desk.post(f"/issue?name=device-{form}&label=lab&valid=7d", (folder / "form").read_bytes())
            assert status == 201, pem
            (folder / "device.crt").write_text(pem)
            text = lab.run("openssl", "x509", "-in", folder / "device.crt", "-noout", "-text").stdout
            assert f"OU = devices, CN = device-{form}" in text or f"CN = device-{form}, OU = devices" in text
            assert f"URI:urn:device:device-{form}" in text and "bank.example" not in text and "Everything" not in text
            assert "CA:FALSE" in text and "TLS Web Client Authentication" in text and "clients.crl" in text
            pub = [lab.run("openssl", what, "-in", folder / file, "-noout", "-pubkey").stdout
                   for what, file in (("x509", "device.crt"), ("req", "device.csr"))]
            assert pub[0] == pub[1]
            lab.run("openssl", "verify", "-CAfile", folder / "ca" / "ca.crt", folder / "device.crt")
            found = show(program, folder, f"device-{form}")
            assert found["label"] == "lab" and found["state"] == "good"
    assert "client.issued serial=" in desk.process.text()


def test_limits_are_the_authoritys(program, folder):
    csr = request(folder)
    small = folder / "small.csr"
    lab.run("openssl", "req", "-new", "-newkey", "rsa:1024", "-nodes", "-keyout", folder / "k", "-out", small, "-subj",
            "/CN=x")
    spoiled = bytearray(csr)
    spoiled[len(spoiled) // 2] ^= 3
    with Desk(program, folder, "--valid", "1d", "--per-hour", "1") as desk:
        for path, octets, want in (
                ("/issue?name=a&valid=2d", csr, 400), ("/issue?name=a&valid=1min", csr, 400), ("/issue", csr, 400),
                ("/issue?name=a%2CO=b", csr, 400), ("/issue?name=a&subject=CN=b", csr, 400),
                ("/issue?name=a", small.read_bytes(), 400), ("/issue?name=a", bytes(spoiled), 400)):
            status, body = desk.post(path, octets)
            assert status == want and json.loads(body)["error"] in ("cli.usage", "pki.csr", "pki.client"), (path, body)
        assert desk.post("/issue?name=a", csr)[0] == 201
        assert desk.post("/issue?name=b", csr)[0] == 429
        assert desk.post("/other", csr)[0] == 404
        assert desk.post("/issue?name=a", b"x" * 20000)[0] == 413
        assert desk.post("/issue?name=a", csr, "-X", "PUT")[0] == 405
    rows = json.loads(lab.run(program, "client", "list", "--json", "--dir", folder / "ca").stdout)
    assert [row["name"] for row in rows] == ["a"]


def test_where_a_token_is_wanted_nothing_goes_without(program, folder):
    csr = request(folder)
    (folder / "token").write_text("0123456789abcdef-secret\n")
    with Desk(program, folder, "--token", folder / "token") as desk:
        assert desk.post("/issue?name=a", csr)[0] == 401
        assert desk.post("/issue?name=a", csr, "-H", "Authorization: Bearer 0123456789abcdef-secreT")[0] == 401
        assert desk.post("/issue?name=a", csr, "-H", "Authorization: Bearer 0123456789abcdef-secret")[0] == 201
    assert "secret" not in desk.process.text()


def test_commands_and_posts_at_once_do_not_get_in_each_others_way(program, folder):
    csr = request(folder)
    with Desk(program, folder) as desk:
        commands = [subprocess.Popen([program.resolve(), "client", "issue", f"c{i}", "--dir", folder / "ca"],
                                     cwd=folder, stdout=subprocess.DEVNULL) for i in range(3)]
        posted = [desk.post(f"/issue?name=p{i}", csr)[0] for i in range(3)]
        assert posted == [201] * 3 and [c.wait(timeout=30) for c in commands] == [0] * 3
        assert lab.run(program, "client", "revoke", "p1", "--dir", folder / "ca").stdout
        assert desk.post("/issue?name=p4", csr)[0] == 201
    rows = json.loads(lab.run(program, "client", "list", "--json", "--dir", folder / "ca").stdout)
    assert sorted(r["name"] for r in rows) == ["c0", "c1", "c2", "p0", "p1", "p2", "p4"]
    assert [r["name"] for r in rows if r["state"] == "revoked"] == ["p1"]

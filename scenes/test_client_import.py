# SPDX-License-Identifier: Apache-2.0
"""An authority for clients that was made elsewhere goes on as a managed one."""

import json
import subprocess

import pytest

pytest.importorskip("cryptography")

from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.x509.oid import ExtendedKeyUsageOID as EKU  # noqa: E402

import forge  # noqa: E402
import lab  # noqa: E402
from edge_cast import Edge  # noqa: E402

RULE = ("rule no-cert when http.host == \"api.shop.test\" and (not cf.tls_client_auth.cert_verified or "
        "cf.tls_client_auth.cert_revoked) do block")


class Elsewhere:
    """An authority with two clients, of whom one was revoked."""

    def __init__(self, folder, **more):
        self.folder = folder
        self.ca = forge.make("Old clients' CA", ca=True, **more)
        self.old = {name: forge.make(name, self.ca, eku=EKU.CLIENT_AUTH) for name in ("kim", "lee")}
        (folder / "old.crt").write_bytes(self.ca.pem())
        (folder / "old.key").write_bytes(self.ca.key_pem())
        (folder / "old.key").chmod(0o600)
        b = (x509.CertificateRevocationListBuilder().issuer_name(self.ca.cert.subject)
             .last_update(forge.now() - forge.DAY).next_update(forge.now() + forge.DAY)
             .add_extension(x509.CRLNumber(41), False))
        for serial, reason in ((self.old["lee"].cert.serial_number, x509.ReasonFlags.key_compromise),
                               (7, x509.ReasonFlags.certificate_hold)):
            b = b.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(forge.now() - forge.DAY)
                .add_extension(x509.CRLReason(reason), False).build())
        self.crl = b.sign(self.ca.key, hashes.SHA256())
        (folder / "old.crl").write_bytes(self.crl.public_bytes(serialization.Encoding.DER))
        (folder / "old.pem").write_bytes(self.crl.public_bytes(serialization.Encoding.PEM))

    def files(self, name):
        return tuple(str(p) for p in self.old[name].save(self.folder))


def client(program, folder, verb, *more):
    return subprocess.run([program.resolve(), "client", verb, "--dir", "ca", *more], cwd=folder, capture_output=True,
                          text=True, timeout=60, check=False)


@pytest.mark.parametrize("crl", ["old.crl", "old.pem"])
def test_old_clients_stay_as_they_were_and_new_ones_come(program, stage, pki, tmp_path, crl):
    folder = stage / f"import-{crl}"
    folder.mkdir()
    folder.chmod(0o755)
    old = Elsewhere(folder)
    done = client(program, folder, "init", "--import", "old.crt", "--import-key", "old.key", "--import-crl", crl)
    assert done.returncode == 0 and "2 certificates stay revoked" in done.stdout, done
    assert (folder / "ca" / "ca.key").stat().st_mode & 0o777 == 0o400
    assert client(program, folder, "issue", "new").returncode == 0
    rows = json.loads(client(program, folder, "list", "--json").stdout)
    assert [(r["state"], r.get("reason"), r["label"]) for r in rows] == [
        ("revoked", "key-compromise", "imported"), ("revoked", "hold", "imported"), ("good", None, "")]
    crl_now = x509.load_der_x509_crl((folder / "ca" / "clients.crl").read_bytes())
    assert crl_now.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number > 41
    assert {r.serial_number for r in crl_now} == {old.old["lee"].cert.serial_number, 7}
    with Edge(program, folder / "edge", pki, workers=1, body=(
            f"clients api.shop.test {{ certificate ask; managed {folder}/ca }}\n{RULE}")) as edge:
        assert edge.status("api.shop.test", who=old.files("kim")) == 200
        assert edge.status("api.shop.test", who=old.files("lee")) == 403
        kim = old.files("kim")
        assert client(program, folder, "add", kim[0], "--label", "desk").returncode == 0
        assert client(program, folder, "add", pki.root).returncode != 0  # another's
        twice = client(program, folder, "add", kim[0])
        assert twice.returncode != 0 and "in the register already" in twice.stderr, twice
        lee = client(program, folder, "add", old.files("lee")[0], "--label", "lee's")
        assert lee.returncode == 0 and "revoked" in lee.stdout and "lee" in lee.stdout, lee
        assert client(program, folder, "revoke", "kim").returncode == 0
        edge.becomes("kim revoked", 403, lambda: edge.status("api.shop.test", who=kim))
        assert client(program, folder, "restore", "kim").returncode == 0
        new = (folder / "new.crt", folder / "new.key")
        assert edge.status("api.shop.test", who=new) == 200
        assert client(program, folder, "revoke", "new").returncode == 0
        edge.becomes("the new one revoked", 403, lambda: edge.status("api.shop.test", who=new))
        assert client(program, folder, "restore", "07").returncode == 0  # a hold of the old list
        assert client(program, folder, "restore", f"{old.old['lee'].cert.serial_number:x}").returncode != 0
    text = lab.run("openssl", "verify", "-CAfile", folder / "ca" / "ca.crt", folder / "new.crt").stdout
    assert text.strip().endswith("OK")
    shown = client(program, folder, "show", "07")
    assert shown.returncode != 0 and "imported" in shown.stdout + shown.stderr, shown


def test_nothing_is_overwritten_and_wishes_do_not_mix(program, tmp_path):
    old = Elsewhere(tmp_path)
    assert client(program, tmp_path, "init", "--import", "old.crt", "--import-key", "old.key", "--days", "3"
                  ).returncode != 0
    assert not (tmp_path / "ca").exists()
    first = client(program, tmp_path, "init", "--import", "old.crt", "--import-key", "old.key")
    assert first.returncode == 0 and "--import-crl" in first.stdout
    again = client(program, tmp_path, "init", "--import", "old.crt", "--import-key", "old.key")
    assert again.returncode != 0 and "nothing is overwritten" in again.stderr
    assert old.ca.pem().decode().split() == (tmp_path / "ca" / "ca.crt").read_text().split()


@pytest.mark.parametrize(("fault", "said"), [
    ({"ca": False}, "is not an authority"),
    ({"eku": EKU.SERVER_AUTH, "extra": [(x509.ExtendedKeyUsage([EKU.SERVER_AUTH]), False)], "ca": True},
     "not for clients"),
    ({"ca": True, "ends": -0.5}, "has ended"),
    ({"ca": True, "begins": 1}, "first day has not come"),
    ({"ca": True, "kind": "p192"}, "no kind"),
    ({"ca": True, "other key": True}, "not the certificate's"),
])
def test_what_could_not_do_the_work_is_refused(program, tmp_path, fault, said):
    more = dict(fault)
    other = more.pop("other key", False)
    ca = forge.make("Old", **more)
    (tmp_path / "old.crt").write_bytes(ca.pem())
    (tmp_path / "old.key").write_bytes((forge.make("x") if other else ca).key_pem())
    (tmp_path / "old.key").chmod(0o600)
    done = client(program, tmp_path, "init", "--import", "old.crt", "--import-key", "old.key")
    assert done.returncode != 0 and said in done.stderr, done
    assert not (tmp_path / "ca" / "ca.crt").exists()


def test_the_list_of_another_authority_is_refused(program, tmp_path):
    Elsewhere(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    Elsewhere(other)
    done = client(program, tmp_path, "init", "--import", "old.crt", "--import-key", "old.key", "--import-crl",
                  "other/old.crl")
    assert done.returncode != 0 and "has not signed the list" in done.stderr

# SPDX-License-Identifier: Apache-2.0
"""Authorities that are not ours, several of one host: their whole lists and the changes to
them (RFC 5280 §5.2.4), from files and from addresses, and what is told before a list ends."""

import datetime
import re

import pytest

pytest.importorskip("cryptography")

from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.x509.oid import ExtendedKeyUsageOID as EKU  # noqa: E402

import forge  # noqa: E402
from edge_cast import Edge  # noqa: E402

RULE = ('rule no-cert when http.host contains "shop.test" and (not cf.tls_client_auth.cert_verified or '
        'cf.tls_client_auth.cert_revoked) do block "a certificate is needed"')


def crl(by, number, revoked=(), *, base=None, lifted=(), freshest=None, hours=96):
    """DER; base: it is a delta that begins there."""
    b = (x509.CertificateRevocationListBuilder().issuer_name(by.cert.subject)
         .last_update(forge.now() - datetime.timedelta(hours=1))
         .next_update(forge.now() + datetime.timedelta(hours=hours))
         .add_extension(x509.CRLNumber(number), False)
         .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), False))
    if base is not None:
        b = b.add_extension(x509.DeltaCRLIndicator(base), True)
    if freshest:
        b = b.add_extension(x509.FreshestCRL([x509.DistributionPoint(
            [x509.UniformResourceIdentifier(freshest)], None, None, None)]), False)
    for made, reason in [(m, x509.ReasonFlags.certificate_hold) for m in revoked] + [
            (m, x509.ReasonFlags.remove_from_crl) for m in lifted]:
        b = b.add_revoked_certificate(
            x509.RevokedCertificateBuilder().serial_number(made.cert.serial_number)
            .revocation_date(forge.now() - datetime.timedelta(hours=1))
            .add_extension(x509.CRLReason(reason), False).build())
    return b.sign(by.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


class Cast:
    """Two authorities with two clients each."""

    def __init__(self, folder):
        folder.mkdir()
        folder.chmod(0o755)
        self.folder = folder
        self.one, self.two = (forge.make(f"Authority {n}", ca=True) for n in ("One", "Two"))
        self.who = {}
        for name, by in (("ann", self.one), ("ben", self.one), ("cyd", self.two), ("dan", self.two)):
            self.who[name] = forge.make(name, by, eku=EKU.CLIENT_AUTH)
        for name, by in (("one", self.one), ("two", self.two)):
            (folder / f"{name}.crt").write_bytes(by.pem())

    def __getitem__(self, name):
        return self.who[name]

    def files(self, name):
        return tuple(str(p) for p in self.who[name].save(self.folder))

    def write(self, name, octets):
        new = self.folder / f"{name}.new"
        new.write_bytes(octets)
        new.rename(self.folder / f"{name}.crl")


@pytest.fixture
def cast(tmp_path, stage):
    return Cast(stage / f"lists-{tmp_path.name}")


def clients(cast, *lines):
    return ("clients api.shop.test { certificate ask; " + "".join(
        f"authority {cast.folder}/{n}.crt; " for n in ("one", "two")) + "; ".join(lines) + " }\n" + RULE)


def test_changes_in_files_reach_a_connection_that_is_open(program, cast, pki):
    """Two authorities of one host, each with its lists; hard, so that what is good is known to be."""
    cast.write("one", crl(cast.one, 10, [cast["ben"]]))
    cast.write("one-delta", crl(cast.one, 11, base=10))
    cast.write("two", crl(cast.two, 3))
    with Edge(program, cast.folder / "edge", pki, workers=1, body=clients(cast, "revocation hard", *(
            f"crl {cast.folder}/{n}.crl" for n in ("one", "one-delta", "two")))) as edge:
        live = {name: edge.connect("api.shop.test", who=cast.files(name)) for name in cast.who}
        assert {n: c.status() for n, c in live.items()} == {"ann": 200, "ben": 403, "cyd": 200, "dan": 200}
        cast.write("one-delta", crl(cast.one, 12, [cast["ann"]], base=10, lifted=[cast["ben"]]))
        edge.becomes("ann revoked", 403, live["ann"].status)
        assert live["ben"].status() == 200 and live["cyd"].status() == 200
        # A whole list that has caught up says the last word; the changes are over.
        cast.write("one", crl(cast.one, 13, [cast["ben"]]))
        edge.becomes("ann good again", 200, live["ann"].status)
        assert live["ben"].status() == 403
        # Changes signed by the other authority, and none at all, change nothing.
        cast.write("one-delta", crl(cast.two, 14, [cast["ann"]], base=13, lifted=[cast["ben"]]))
        edge.becomes("the lists to be read", True, lambda: edge.log().count("edge.crl clients=") >= 3)
        assert live["ann"].status() == 200 and live["ben"].status() == 403
        cast.write("one-delta", b"nothing")
        edge.becomes("a word on it", True, lambda: "kept=old" in edge.log())
        assert live["ann"].status() == 200 and live["dan"].status() == 200


def test_a_list_that_names_its_changes_has_them_fetched(program, cast, pki):
    responder = forge.Responder()
    try:
        responder.answers["/delta"] = crl(cast.one, 11, [cast["ann"]], base=10, lifted=[cast["ben"]])
        cast.write("one", crl(cast.one, 10, [cast["ben"]], freshest=responder.url("/delta")))
        # Of a list that no authority here has signed nothing is believed, not even this.
        stranger = forge.make("Authority Two", ca=True)
        cast.write("two", crl(stranger, 3, [cast["cyd"]], freshest=responder.url("/stranger")))
        with Edge(program, cast.folder / "edge", pki, workers=1, body=clients(cast, *(
                f"crl {cast.folder}/{n}.crl" for n in ("one", "two")))) as edge:
            live = {n: edge.connect("api.shop.test", who=cast.files(n)) for n in ("ann", "ben", "cyd")}
            edge.becomes("the changes to count", 403, live["ann"].status)
            assert live["ben"].status() == 200 and live["cyd"].status() == 200
            assert responder.count("/delta") == 1 and responder.count("/stranger") == 0
            assert re.search(r"edge\.crl .*follows=http://127.0.0.1:\d+/delta", edge.log())
    finally:
        responder.close()


def test_the_end_of_a_list_is_told_and_hard_refuses_after_it(program, cast, pki):
    cast.write("one", crl(cast.one, 10, hours=20))  # of 21 hours 20 are left: not yet
    cast.write("two", crl(cast.two, 3, [cast["dan"]], hours=-0.5))
    with Edge(program, cast.folder / "edge", pki, workers=1, body=clients(
            cast, f"crl {cast.folder}/two.crl", "revocation hard", f"crl {cast.folder}/one.crl")) as edge:
        edge.becomes("a word on the end", True, lambda: "edge.crl-ends clients=api.shop.test left_s=-" in edge.log())
        assert [edge.status("api.shop.test", who=cast.files(n)) for n in ("ann", "cyd", "dan")] == [200, 403, 403]
        cast.write("two", crl(cast.two, 4))
        edge.becomes("a fresh list to count", 200, lambda: edge.status("api.shop.test", who=cast.files("cyd")))
        assert edge.log().count("edge.crl-ends") == 1
        cast.write("one", crl(cast.one, 11, hours=0.2))
        edge.becomes("a word on the other", 2, lambda: edge.log().count("edge.crl-ends"))

# SPDX-License-Identifier: Apache-2.0
"""Origins whose certificate is not good: one class each, one action each (rubric 59)."""

import hashlib
import re
import socket
import ssl
import warnings

import pytest

import forge
import lab
import wire

from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import serialization  # noqa: E402


def careless(files, old=False):
    """An origin that minds neither small keys nor, when old, anything after TLS 1.1."""
    origin = lab.Origin(None, "whole\n")
    origin.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    origin.context.set_ciphers("DEFAULT@SECLEVEL=0")
    origin.context.load_cert_chain(*files)
    if old:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            origin.context.minimum_version = ssl.TLSVersion.TLSv1
            origin.context.maximum_version = ssl.TLSVersion.TLSv1_1
    return origin


class Lane:
    """A root the gateways trust, and an origin for each class of fault."""

    def __init__(self, make_gateway, folder):
        self.make_gateway = make_gateway
        self.folder = folder
        self.responder = forge.Responder()
        self.root = forge.make("Untrusted Root", ca=True, ends=300)
        self.middle = forge.make("Untrusted Middle", self.root, ca=True, ends=200)
        self.trust = folder / "untrusted-root.pem"
        self.trust.write_bytes(self.root.pem())
        self.trust.chmod(0o644)
        self.origins = {}
        self.gateways = {}

    def make(self, kind, host):
        if kind == "unknown-issuer":
            other = forge.make("Stranger", ca=True)
            return forge.make(host, other, names=[host])
        if kind == "self-signed":
            return forge.make(host, names=[host])
        if kind == "incomplete-chain":
            return forge.make(host, self.middle, names=[host], aia="http://127.0.0.1:1/none")
        if kind == "expired":
            return forge.make(host, self.middle, names=[host], begins=-20, ends=-2)
        if kind == "not-yet-valid":
            return forge.make(host, self.middle, names=[host], begins=3)
        if kind == "wrong-name":
            return forge.make(host, self.middle, names=["elsewhere.example"])
        if kind == "revoked":
            url = self.responder.url("/r.crl")
            middle = forge.make("Untrusted Taker", self.root, ca=True)
            leaf = forge.make(host, middle, names=[host], crl_url=url)
            self.responder.answers["/r.crl"] = forge.make_crl(middle, [leaf])
            return leaf
        if kind == "weak-key":
            return forge.make(host, self.middle, names=[host], kind="rsa1024")
        if kind == "ca-violation":
            not_ca = forge.make("Untrusted Leaf", self.middle)
            return forge.make(host, not_ca, names=[host])
        return forge.make(host, self.middle, names=[host])

    def origin(self, kind):
        if kind not in self.origins:
            leaf = self.make(kind, self.host(kind))
            files = leaf.save(self.folder, send=() if kind == "incomplete-chain" else None)
            self.origins[kind] = careless(files, kind == "old-tls")
            self.origins[kind].leaf = leaf
        return self.origins[kind]

    @staticmethod
    def host(kind):
        return f"www.{kind}.example"

    def gateway(self, body):
        if body not in self.gateways:
            self.gateways[body] = self.make_gateway(
                body, upstream=f"trust {self.trust}; fetch-allow 127.0.0.0/8")
        return self.gateways[body]

    def open(self, gateway, kind, **options):
        return wire.secure(gateway, self.host(kind), self.origin(kind).port, gateway.root, **options)

    def visit(self, body, kind, more="", path="/"):
        with self.open(self.gateway(body), kind) as s:
            return wire.get(s, self.host(kind), path, more)

    def close(self):
        self.responder.close()
        for it in [*self.origins.values(), *self.gateways.values()]:
            it.close()


@pytest.fixture(scope="module")
def lane(make_gateway, stage):
    it = Lane(make_gateway, stage)
    yield it
    it.close()


CLASSES = ["unknown-issuer", "self-signed", "incomplete-chain", "expired", "not-yet-valid",
           "wrong-name", "revoked", "weak-key", "ca-violation", "old-tls"]

def test_32_a_blocked_key_is_refused_wherever_it_stands(lane):
    spki = lane.middle.key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    upstream = f"trust {lane.trust}; blocked-keys {hashlib.sha256(spki).hexdigest()}"
    gateway = lane.make_gateway("\tuntrusted allow\n", upstream=upstream)
    try:
        host = "www.blocked.example"
        leaf = forge.make(host, lane.middle, names=[host])
        origin = lab.Origin(leaf.save(lane.folder), "whole\n")
        with wire.secure(gateway, host, origin.port, gateway.root) as s:
            answer = wire.get(s, host)
        origin.close()
        assert answer.status == 502 and "gate.untrusted.blocked" in answer.text and not origin.seen
        gateway.configure("", upstream=f"trust {lane.trust}; blocked-keys abcd")
        done = gateway.command("check", gateway.config, check=False)
        assert done.returncode == 1 and "64 hex digits" in done.stderr
    finally:
        gateway.close()


WITH_ORIGIN = [c for c in CLASSES if c != "wrong-name"]


def test_59_block_names_the_fault(lane):
    for kind in CLASSES:
        answer = lane.visit("", kind)
        assert answer.status == 502, kind
        assert f"gate.untrusted.{kind}" in answer.text and "continue" not in answer.text.lower()
    for kind in CLASSES:
        event = lane.gateway("").wait_event(kind="session", host=lane.host(kind))
        assert event["origin_verdict"] == kind and event["untrusted"] == "block"
        assert event["err"] == "gate.untrusted" and event["hint"]


def test_59_allow_goes_on_and_is_logged(lane):
    body = "\tuntrusted allow"
    for kind in WITH_ORIGIN:
        answer = lane.visit(body, kind)
        assert answer.status == 200 and answer.body == b"whole\n", kind
        assert f"verdict={kind} action=allow" in lane.gateway(body).log()
    for kind in WITH_ORIGIN:
        event = lane.gateway(body).wait_event(kind="session", host=lane.host(kind))
        assert event["origin_verdict"] == kind and event["untrusted"] == "allow"


def test_59_one_class_has_its_own_action_and_others_keep_theirs(lane):
    body = "\tuntrusted block { expired allow; self-signed mirror }"
    assert lane.visit(body, "expired").status == 200
    assert lane.visit(body, "not-yet-valid").status == 502
    with pytest.raises(ssl.SSLCertVerificationError):
        lane.visit(body, "self-signed")


def test_59_several_faults_get_the_strictest_action(lane):
    body = "\tuntrusted block { wrong-name allow; expired block }"
    host = "www.both.example"
    leaf = forge.make(host, lane.middle, names=["elsewhere.example"], begins=-20, ends=-2)
    lane.origins["both"] = lab.Origin(leaf.save(lane.folder), "whole\n")
    assert lane.visit(body, "both").status == 502
    event = lane.gateway(body).wait_event(kind="session", host=host)
    assert set(event["origin_faults"].split(",")) == {"expired", "wrong-name"}


def link_of(answer):
    return re.search(r"(/\.well-known/sekisho/continue\?\S+)", answer.text).group(1)


@pytest.mark.parametrize("kind", ["expired", "self-signed", "old-tls"])
def test_59_prompt_warns_and_whoever_insists_goes_on(lane, kind):
    body = "\tuntrusted prompt"
    warning = lane.visit(body, kind, path="/where?a=b")
    assert warning.status == 502 and f"gate.untrusted.{kind}" in warning.text
    assert lane.origin(kind) and "whole" not in warning.text
    click = lane.visit(body, kind, path=link_of(warning))
    assert click.status == 303 and click.fields["location"] == "/where?a=b"
    cookie = click.fields["set-cookie"].split(";")[0]
    assert "Secure" in click.fields["set-cookie"] and "HttpOnly" in click.fields["set-cookie"]
    assert lane.visit(body, kind).status == 502
    passed = lane.visit(body, kind, more=f"Cookie: a=1; {cookie}\r\n")
    assert passed.status == 200 and passed.body == b"whole\n"
    assert f"verdict={kind} action=prompt" in lane.gateway(body).log()
    # The consent is to this certificate with this fault, not to the site.
    forged = cookie[:-1] + ("0" if cookie[-1] != "0" else "1")
    assert lane.visit(body, kind, more=f"Cookie: {forged}\r\n").status == 502


def test_59_a_consent_to_one_certificate_is_none_to_another(lane):
    body, host = "\tuntrusted prompt", "www.changes.example"
    first = lab.Origin(forge.make(host, names=[host]).save(lane.folder), "whole\n")
    second = lab.Origin(forge.make(host, names=[host]).save(lane.folder), "whole\n")
    lane.origins["changes"] = first
    click = lane.visit(body, "changes", path=link_of(lane.visit(body, "changes")))
    cookie = f"Cookie: {click.fields['set-cookie'].split(';')[0]}\r\n"
    assert lane.visit(body, "changes", more=cookie).status == 200
    lane.origins["changes"] = second
    assert lane.visit(body, "changes", more=cookie).status == 502
    first.close()


@pytest.mark.parametrize("kind", ["expired", "self-signed", "wrong-name", "not-yet-valid"])
def test_59_mirror_shows_the_fault_under_an_authority_nobody_trusts(lane, kind):
    body = "\tuntrusted mirror"
    gateway = lane.gateway(body)
    with pytest.raises(ssl.SSLCertVerificationError):
        lane.visit(body, kind)
    s = lane.open(gateway, kind, check_hostname=False, verify_mode=ssl.CERT_NONE)
    with s:
        shown = x509.load_der_x509_certificate(s.getpeercert(True))
        assert wire.get(s, lane.host(kind)).body == b"whole\n"
    real = lane.origin(kind).leaf.cert
    assert "origin NOT trusted" in shown.issuer.rfc4514_string()
    sans = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    theirs = real.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert sans.get_values_for_type(x509.DNSName) == theirs.get_values_for_type(x509.DNSName)
    if kind in ("expired", "not-yet-valid"):
        begins, ends = forge.dates(shown)
        assert (begins, ends) == forge.dates(real)
        assert not begins < forge.now() < ends


def test_59_a_mirrored_session_is_none_for_another_certificate(lane):
    """Who resumes sees no certificate: so the fault must be the one that was seen."""
    host = "www.turns.example"
    one, other = (forge.make(host, names=[host]).save(lane.folder) for _ in range(2))
    first, twin, second = (lab.Origin(files, "whole\n") for files in (one, one, other))
    gateway, context = lane.gateway("\tuntrusted mirror"), ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # the ticket comes with the handshake

    def visit(origin, session=None):
        s = socket.create_connection(("127.0.0.1", gateway.port), timeout=15)
        s.sendall(f"CONNECT {host}:{origin.port} HTTP/1.1\r\nHost: {host}:{origin.port}\r\n\r\n".encode())
        assert b" 200 " in wire.read_head(s)
        with context.wrap_socket(s, server_hostname=host, session=session) as tls:
            assert wire.get(tls, host).body == b"whole\n"
            return tls.session, tls.session_reused

    session, _ = visit(first)
    assert visit(twin, session)[1] and not visit(second, session)[1]
    for origin in (first, twin, second):
        origin.close()


def test_59_a_rule_leaves_the_client_alone_with_it(lane):
    body = '\trule own when any(http.request.domains[*] in {"self-signed.example"}) do untrusted bypass'
    gateway = lane.gateway(body)
    with pytest.raises(ssl.SSLCertVerificationError):
        lane.visit(body, "self-signed")
    with lane.open(gateway, "self-signed", check_hostname=False, verify_mode=ssl.CERT_NONE) as s:
        assert s.getpeercert(True) == lane.origin("self-signed").leaf.der()
        assert wire.get(s, lane.host("self-signed")).body == b"whole\n"
    assert lane.visit(body, "expired").status == 502
    event = gateway.wait_event(kind="session", host=lane.host("self-signed"), action="bypass")
    assert event["untrusted"] == "bypass"


def test_33_our_own_authority_met_outside_is_refused_whatever_is_allowed(lane):
    body = "\tuntrusted allow"
    gateway, host = lane.gateway(body), "www.ours.example"
    node = x509.load_pem_x509_certificate((gateway.folder / "ca" / "node.crt").read_bytes())
    key = forge.serialization.load_pem_private_key(
        (gateway.folder / "ca" / "node.key").read_bytes(), None)
    ours = forge.Made(node, key)
    leaf = forge.make(host, ours, names=[host])
    origin = lab.Origin(leaf.save(lane.folder, send=(ours,)), "whole\n")
    with wire.secure(gateway, host, origin.port, gateway.root) as s:
        answer = wire.get(s, host)
    origin.close()
    assert answer.status == 502 and "gate.untrusted.own-authority" in answer.text

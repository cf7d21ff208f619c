# SPDX-License-Identifier: Apache-2.0
"""What rules and origins are told of a client's certificate, against what openssl says of the
same file: odd names, long serial numbers, certificates too large for a field; and that
nobody else can say it, on any kind of listener."""

import base64
import hashlib
import json
import re
import socket
import ssl

import pytest

pytest.importorskip("cryptography")

from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: E402
from cryptography.x509.oid import ExtendedKeyUsageOID as EKU  # noqa: E402
from cryptography.x509.oid import NameOID  # noqa: E402

import forge  # noqa: E402
import lab  # noqa: E402
from edge_cast import Edge  # noqa: E402

BODY = """
	clients cf.shop.test { certificate ask; authority %(ca)s; tell-origin cloudflare }
	clients rfc.shop.test { certificate ask; authority %(ca)s; tell-origin rfc9440 }
	clients x.shop.test { certificate ask; authority %(ca)s; tell-origin x-ssl }
	clients envoy.shop.test { certificate ask; authority %(ca)s; tell-origin xfcc }
	rule leaf  when cf.tls_client_auth.cert_rfc9440_too_large do request-header set X-Leaf-Large "1"
	rule chain when cf.tls_client_auth.cert_chain_rfc9440_too_large do request-header set X-Chain-Large "1"
"""


def attribute(oid, value):
    return x509.NameAttribute(oid, value)


def name(*rdns):
    return x509.Name([x509.RelativeDistinguishedName(list(rdn)) for rdn in rdns])


ODD = {
    "plain": name([attribute(NameOID.ORGANIZATION_NAME, "Example")], [attribute(NameOID.COMMON_NAME, "alice")]),
    "multi": name([attribute(NameOID.COMMON_NAME, "two"), attribute(NameOID.USER_ID, "u-1")],
                  [attribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "a"),
                   attribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "b")]),
    "utf8": name([attribute(NameOID.ORGANIZATION_NAME, "関所")], [attribute(NameOID.COMMON_NAME, "Zoë Ångström")]),
    "special": name([attribute(NameOID.ORGANIZATION_NAME, 'Smith, Jones + "Sons" <x>; y\\z')],
                    [attribute(NameOID.COMMON_NAME, "#first = second ")]),
    "space": name([attribute(NameOID.COMMON_NAME, " leads and trails ")]),
    "slash": name([attribute(NameOID.ORGANIZATION_NAME, "a/CN=root")], [attribute(NameOID.COMMON_NAME, "b/c")]),
    "many": name([attribute(NameOID.COUNTRY_NAME, "JP")], [attribute(NameOID.EMAIL_ADDRESS, "a@b.example")],
                 [attribute(NameOID.DOMAIN_COMPONENT, "example")], [attribute(NameOID.SERIAL_NUMBER, "42")],
                 [attribute(x509.ObjectIdentifier("1.2.3.4.5"), "own")], [attribute(NameOID.COMMON_NAME, "m")]),
    "nothing": x509.Name([]),
}


def make(by, subject, *, key=None, serial=None, sans=1, ski=True):
    key = key or ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName(f"device-{i:04}.shop.example") for i in range(sans)]
    b = (x509.CertificateBuilder().subject_name(subject).issuer_name(by.cert.subject).public_key(key.public_key())
         .serial_number(serial or x509.random_serial_number()).not_valid_before(forge.now() - forge.DAY)
         .not_valid_after(forge.now() + 30 * forge.DAY)
         .add_extension(x509.BasicConstraints(False, None), critical=True)
         .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), False)
         .add_extension(x509.ExtendedKeyUsage([EKU.CLIENT_AUTH]), False)
         .add_extension(x509.SubjectAlternativeName(names), critical=not list(subject)))
    if ski:
        b = b.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    return forge.Made(b.sign(by.key, hashes.SHA256()), key)


class Clients:
    """Certificates in files, one file with chain and one with key each."""

    def __init__(self, folder):
        self.folder = folder
        self.ca = forge.make("Clients' root, of odd ones", ca=True)
        self.middle = forge.make("Middle", self.ca, ca=True, path_length=0)
        (folder / "ca.crt").write_bytes(self.ca.pem())
        self.made = {key: make(self.middle, subject) for key, subject in ODD.items()}
        plain = ODD["plain"]
        self.made["long-serial"] = make(self.middle, plain, serial=(1 << 158) + 0xF00D)
        self.made["high-serial"] = make(self.middle, plain, serial=0x80FF)
        self.made["short-serial"] = make(self.middle, plain, serial=0x0A)
        self.made["no-ski"] = make(self.middle, plain, ski=False)
        self.made["ed25519"] = make(self.middle, plain, key=ed25519.Ed25519PrivateKey.generate())
        self.made["rsa"] = make(self.middle, plain, key=rsa.generate_private_key(65537, 2048))
        self.made["fits"] = make(self.middle, plain, sans=210)
        self.made["large"] = make(self.middle, plain, sans=330)

    def files(self, key, above=None):
        made = self.made[key]
        crt, own = self.folder / f"{key}.crt", self.folder / f"{key}.key"
        crt.write_bytes(made.pem(*([self.middle] if above is None else above)))
        own.write_bytes(made.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                               serialization.NoEncryption()))
        return str(crt), str(own)


@pytest.fixture(scope="module")
def clients(stage):
    folder = stage / "fields-ca"
    folder.mkdir()
    folder.chmod(0o755)
    return Clients(folder)


@pytest.fixture(scope="module")
def edge(program, stage, pki, clients):
    folder = stage / "fields"
    with Edge(program, folder, pki, workers=1, body=BODY % {"ca": clients.folder / "ca.crt"}) as running:
        yield running


def told(edge, host, who=None, **more):
    """What the origin got, as pairs with lower-case names."""
    connection = edge.connect(host, who=who)
    status, _, body = connection.get("/headers", **more)
    connection.close()
    assert status == 200
    return [(key.lower(), value) for key, value in json.loads(body)]


def openssl(crt, *more):
    """What the command says, by the word in front of '='."""
    lines = lab.run("openssl", "x509", "-in", crt, "-noout", *more).stdout.split("\n")
    return dict(line.split("=", 1) for line in lines if "=" in line)


def key_ids(crt):
    """(subject's, issuer's) key identifier, or ""."""
    text = lab.run("openssl", "x509", "-in", crt, "-noout", "-ext",
                   "subjectKeyIdentifier,authorityKeyIdentifier").stdout
    found = []
    for word in ("Subject Key Identifier", "Authority Key Identifier"):
        match = re.search(word + r": ?\n\s*(?:keyid:)?([0-9A-F:]+)", text)
        found.append(match[1].replace(":", "") if match else "")
    return found


def said_by_openssl(crt):
    """The forms as openssl's command prints them."""
    rfc2253 = openssl(crt, "-subject", "-issuer", "-serial", "-startdate", "-enddate", "-nameopt", "RFC2253")
    legacy = openssl(crt, "-subject", "-issuer", "-nameopt", "compat")
    ski, aki = key_ids(crt)
    rows = {
        "cf-cert-subject-dn": rfc2253["subject"], "cf-cert-issuer-dn": rfc2253["issuer"],
        "cf-cert-subject-dn-rfc2253": rfc2253["subject"], "cf-cert-issuer-dn-rfc2253": rfc2253["issuer"],
        "cf-cert-subject-dn-legacy": legacy["subject"], "cf-cert-issuer-dn-legacy": legacy["issuer"],
        "cf-cert-serial": rfc2253["serial"], "cf-cert-not-before": rfc2253["notBefore"],
        "cf-cert-not-after": rfc2253["notAfter"], "cf-cert-ski": ski, "cf-cert-issuer-ski": aki,
    }
    for name in ("sha256", "sha1"):
        (digest,) = openssl(crt, "-fingerprint", f"-{name}").values()
        rows[f"cf-cert-fingerprint-{name}"] = digest.replace(":", "").lower()
    return {key: value for key, value in rows.items() if value}


def rfc2253_subject(crt):
    return openssl(crt, "-subject", "-nameopt", "RFC2253")["subject"]


@pytest.mark.parametrize("key", [*ODD, "long-serial", "high-serial", "short-serial", "no-ski", "ed25519", "rsa"])
def test_every_field_is_what_openssl_says(edge, clients, key):
    crt, own = clients.files(key)
    got = dict(told(edge, "cf.shop.test", (crt, own)))
    want = said_by_openssl(crt)
    want.update({"cf-cert-presented": "true", "cf-cert-verified": "true", "cf-cert-revoked": "false"})
    # A field's value has no white space at its ends (RFC 9110 §5.5); names that have it are escaped in RFC 2253.
    assert {k: got.get(k) for k in want} == {k: v.strip(" ") for k, v in want.items()}
    assert got["cf-cert-issuer-serial"] == f"{clients.middle.cert.serial_number:X}".zfill(
        len(f"{clients.middle.cert.serial_number:X}") + len(f"{clients.middle.cert.serial_number:X}") % 2)
    der = clients.made[key].der()
    assert got["cf-client-cert-sha256"] == hashlib.sha256(der).hexdigest()
    assert base64.b64decode(got["cf-client-cert-der-base64"], validate=True) == der


def octets(text):
    """A Byte Sequence (RFC 8941 §3.3.5)."""
    assert text[0] == ":" == text[-1]
    return base64.b64decode(text[1:-1], validate=True)


def test_the_chain_is_told_as_it_was_sent(edge, clients):
    got = dict(told(edge, "rfc.shop.test", clients.files("plain")))
    assert octets(got["client-cert"]) == clients.made["plain"].der()
    assert [octets(part) for part in got["client-cert-chain"].split(", ")] == [clients.middle.der()]
    both = dict(told(edge, "rfc.shop.test", clients.files("plain", [clients.middle, clients.ca])))
    assert [octets(part) for part in both["client-cert-chain"].split(", ")] == [clients.middle.der(), clients.ca.der()]
    assert not any(key.startswith(("cf-", "x-ssl", "x-forwarded-client")) for key in both)


def test_what_is_too_large_is_left_out_and_flagged(edge, clients):
    fits = dict(told(edge, "rfc.shop.test", clients.files("fits")))
    assert octets(fits["client-cert"]) == clients.made["fits"].der() and len(fits["client-cert"]) <= 10240
    assert "x-leaf-large" not in fits and "x-chain-large" not in fits
    large = dict(told(edge, "rfc.shop.test", clients.files("large")))
    assert "client-cert" not in large and large["x-leaf-large"] == "1" and "client-cert-chain" in large
    padded = forge.make("Padding", clients.ca, ca=True, extra=[(x509.UnrecognizedExtension(
        x509.ObjectIdentifier("1.2.3.4.6"), b"\x04\x82\x32\x00" + bytes(12800)), False)])
    long = dict(told(edge, "rfc.shop.test", clients.files("plain", [clients.middle, padded])))
    assert "client-cert-chain" not in long and long["x-chain-large"] == "1" and "client-cert" in long


def test_other_dialects_say_the_same(edge, clients):
    crt, own = clients.files("special")
    got = dict(told(edge, "x.shop.test", (crt, own)))
    assert got["x-ssl-client-verify"] == "SUCCESS"
    assert got["x-ssl-client-s-dn"] == rfc2253_subject(crt)
    assert got["x-ssl-client-serial"] == openssl(crt, "-serial")["serial"]
    assert got["x-ssl-client-fingerprint"] == hashlib.sha1(clients.made["special"].der()).hexdigest()
    assert dict(told(edge, "x.shop.test"))["x-ssl-client-verify"] == "NONE"
    xfcc = dict(told(edge, "envoy.shop.test", (crt, own)))["x-forwarded-client-cert"]
    digest, subject = re.fullmatch(r'Hash=([0-9a-f]{64});Subject="((?:[^"\\]|\\.)*)"', xfcc).groups()
    assert digest == hashlib.sha256(clients.made["special"].der()).hexdigest()
    assert re.sub(r"\\(.)", r"\1", subject) == rfc2253_subject(crt)


def test_of_a_stranger_nothing_is_vouched_for(edge, clients, tmp_path):
    other = forge.make("Clients' root, of odd ones", ca=True)
    stranger = make(other, ODD["plain"])
    crt, own = tmp_path / "s.crt", tmp_path / "s.key"
    crt.write_bytes(stranger.pem())
    own.write_bytes(stranger.key_pem())
    who = (str(crt), str(own))
    assert not [k for k, _ in told(edge, "rfc.shop.test", who) if k.startswith("client-cert")]
    assert not [k for k, _ in told(edge, "envoy.shop.test", who) if k.startswith("x-forwarded-client")]
    got = dict(told(edge, "cf.shop.test", who))
    assert (got["cf-cert-presented"], got["cf-cert-verified"]) == ("true", "false")
    assert got["cf-cert-subject-dn"] == "CN=alice,O=Example"
    assert dict(told(edge, "x.shop.test", who))["x-ssl-client-verify"] == "FAILED"


CLAIMS = {
    "Client-Cert": ":AAAA:", "Client-Cert-Chain": ":AAAA:", "client_cert": "x", "Cf-Client-Cert-Sha256": "x",
    "Cf-Client-Cert-Der-Base64": "x", "CF-Cert-Verified": "true", "cf_cert_presented": "true",
    "Cf-Cert-Subject-Dn": "CN=root", "X-SSL-Client-Verify": "SUCCESS", "X_SSL_Client_S_DN": "CN=root",
    "SSL-Client-Cert": "x", "ssl_client_verify": "SUCCESS", "X-Client-Cert": "x", "X-Forwarded-Client-Cert": "Hash=1",
    "x_forwarded_client_cert": "Hash=1", "X-Ssl-Anything": "x",
}


def spoof(speak, host):
    """The claims in one plain request of HTTP/1.1; what the origin got of them."""
    lines = "".join(f"{key}: {value}\r\n" for key, value in CLAIMS.items())
    speak.sendall(f"GET {host[1]}/headers HTTP/1.1\r\nHost: {host[0]}\r\n{lines}Connection: close\r\n\r\n".encode())
    text = b""
    while chunk := speak.recv(65536):
        text += chunk
    head, _, body = text.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), text
    values = {value for value in CLAIMS.values()} - {"x"}
    got = json.loads(body[body.index(b"["):body.rindex(b"]") + 1])
    return [key for key, value in got if key.lower().replace("_", "-") in {
        claim.lower().replace("_", "-") for claim in CLAIMS} or value in values]


@pytest.mark.parametrize("host", ["shop.test", "cf.shop.test", "rfc.shop.test", "x.shop.test", "envoy.shop.test"])
def test_no_claim_of_a_client_reaches_an_origin_behind_an_edge(edge, host):
    """Also where nothing is told, and without a certificate, where little is."""
    got = spoof(edge.connect(host).sock, (host, ""))
    own = {"cf.shop.test": {"cf-cert-presented", "cf-cert-verified", "cf-cert-revoked"},
           "x.shop.test": {"x-ssl-client-verify"}}.get(host, set())
    assert {key.lower() for key in got} == own & {key.lower() for key in got}
    connection = edge.connect(host)
    fields = dict(json.loads(connection.get("/headers")[2]))
    assert fields.get("Cf-Cert-Verified", "false") == "false"


def test_no_claim_in_http2_reaches_an_origin(edge):
    flags = [word for key, value in CLAIMS.items() for word in ("-H", f"{key}: {value}")]
    text = lab.run("curl", "-s", "--http2", "-w", "%{http_version}", "--cacert", edge.root, "--resolve",
                   f"rfc.shop.test:{edge.port}:127.0.0.1", *flags, f"https://rfc.shop.test:{edge.port}/headers").stdout
    assert text.endswith("]2")
    claims = {key.lower().replace("_", "-") for key in CLAIMS}
    assert not [key for key, _ in json.loads(text[:-1]) if key.lower().replace("_", "-") in claims]


def test_no_claim_reaches_an_origin_behind_an_inspecting_proxy(make_gateway, names, pki):
    """Neither in plain http nor inside a connection that is inspected."""
    inside = lab.Origin(pki.issue("claims.example"))
    plain = lab.Origin()
    gateway = make_gateway()
    try:
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as speak:
            assert spoof(speak, (f"claims.example:{plain.port}", f"http://claims.example:{plain.port}")) == []
        speak = socket.create_connection(("127.0.0.1", gateway.port), timeout=20)
        speak.sendall(f"CONNECT claims.example:{inside.port} HTTP/1.1\r\nHost: claims.example\r\n\r\n".encode())
        assert b" 200 " in speak.recv(4096)
        tls = ssl.create_default_context(cafile=gateway.root).wrap_socket(speak, server_hostname="claims.example")
        assert spoof(tls, (f"claims.example:{inside.port}", "")) == []
    finally:
        gateway.close()
        inside.close()
        plain.close()

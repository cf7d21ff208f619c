# SPDX-License-Identifier: Apache-2.0
"""forge: certificates of every sort, CRLs and OCSP answers, and the servers that give them.

For scenes that `openssl` on a command line is too slow or too polite for. Keys are P-256 and
shared where nothing depends on them.
"""

import contextlib
import datetime
import http.server
import ipaddress
import threading
from dataclasses import dataclass

import pytest

pytest.importorskip("cryptography")

from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, rsa  # noqa: E402
from cryptography.x509 import ocsp  # noqa: E402
from cryptography.x509.oid import AuthorityInformationAccessOID as AIA  # noqa: E402
from cryptography.x509.oid import ExtendedKeyUsageOID as EKU  # noqa: E402
from cryptography.x509.oid import NameOID  # noqa: E402

DAY = datetime.timedelta(days=1)


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None, microsecond=0)


def dates(cert):
    """Its first and last moment, without a zone (UTC)."""
    if hasattr(cert, "not_valid_after_utc"):
        return (cert.not_valid_before_utc.replace(tzinfo=None),
                cert.not_valid_after_utc.replace(tzinfo=None))
    return cert.not_valid_before, cert.not_valid_after


def name_of(cn):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)])


def new_key(kind="p256"):
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind[3:]))
    return ec.generate_private_key({"p256": ec.SECP256R1(), "p384": ec.SECP384R1(),
                                    "p192": ec.SECP192R1()}[kind])


@dataclass
class Made:
    """A certificate with its key, and those above it that a server would send."""

    cert: x509.Certificate
    key: object
    above: tuple = ()

    def pem(self, *others):
        return b"".join(m.cert.public_bytes(serialization.Encoding.PEM) for m in (self, *others))

    def der(self):
        return self.cert.public_bytes(serialization.Encoding.DER)

    def key_pem(self):
        return self.key.private_bytes(serialization.Encoding.PEM,
                                      serialization.PrivateFormat.TraditionalOpenSSL,
                                      serialization.NoEncryption())

    def save(self, folder, send=None):
        """(chain file, key file); send: what follows the leaf, by default all above it."""
        stem = folder / f"{self.cert.serial_number:x}"
        pem, key = stem.with_suffix(".pem"), stem.with_suffix(".key")
        pem.write_bytes(self.pem(*(self.above if send is None else send)))
        key.write_bytes(self.key_pem())
        return pem, key


def _san(text):
    with contextlib.suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(text))
    return x509.DNSName(text)


def _urls(issuers, responder):
    rows = [(AIA.CA_ISSUERS, issuers), (AIA.OCSP, responder)]
    return [x509.AccessDescription(how, x509.UniformResourceIdentifier(url))
            for how, url in rows if url]


def make(cn, by=None, *, ca=False, names=(), kind="p256", begins=-1, ends=30, aia=None, ocsp_url=None,
         crl_url=None, must_staple=False, path_length=None, eku=EKU.SERVER_AUTH, md=None,
         extra=(), issuer_name=None, key=None):
    """A certificate signed by `by`, or by itself."""
    key = key or new_key(kind)
    signer = by.key if by else key
    issuer = issuer_name or (by.cert.subject if by else name_of(cn))
    b = (x509.CertificateBuilder().subject_name(name_of(cn)).issuer_name(issuer)
         .public_key(key.public_key()).serial_number(x509.random_serial_number())
         .not_valid_before(now() + begins * DAY).not_valid_after(now() + ends * DAY)
         .add_extension(x509.BasicConstraints(ca, path_length if ca else None), critical=True)
         .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
         .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False)
         .add_extension(x509.KeyUsage(
             digital_signature=not ca, content_commitment=False, key_encipherment=False,
             data_encipherment=False, key_agreement=False, key_cert_sign=ca, crl_sign=ca,
             encipher_only=False, decipher_only=False), critical=True))
    if not ca and eku:
        b = b.add_extension(x509.ExtendedKeyUsage([eku]), False)
    if names:
        b = b.add_extension(x509.SubjectAlternativeName([_san(n) for n in names]), False)
    if aia or ocsp_url:
        b = b.add_extension(x509.AuthorityInformationAccess(_urls(aia, ocsp_url)), False)
    if crl_url:
        b = b.add_extension(x509.CRLDistributionPoints([x509.DistributionPoint(
            [x509.UniformResourceIdentifier(crl_url)], None, None, None)]), False)
    if must_staple:
        b = b.add_extension(x509.TLSFeature([x509.TLSFeatureType.status_request]), False)
    for extension, critical in extra:
        b = b.add_extension(extension, critical)
    above = () if by is None or by.cert.issuer == by.cert.subject else (by, *by.above)
    return Made(b.sign(signer, md or hashes.SHA256()), key, above)


def make_crl(by, revoked=(), *, begins=-1, ends=7, padding=0):
    """DER; padding: so many serial numbers of nobody."""
    b = (x509.CertificateRevocationListBuilder().issuer_name(by.cert.subject)
         .last_update(now() + begins * DAY).next_update(now() + ends * DAY)
         .add_extension(x509.CRLNumber(1), False)
         .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), False))
    serials = [m.cert.serial_number for m in revoked] + [(1 << 150) + i for i in range(padding)]
    for serial in serials:
        b = b.add_revoked_certificate(x509.RevokedCertificateBuilder().serial_number(serial)
                                      .revocation_date(now() - DAY).build())
    return b.sign(by.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _der(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    size = bytes([n]) if n < 128 else (lambda b: bytes([128 + len(b)]) + b)(
        n.to_bytes((n.bit_length() + 7) // 8, "big"))
    return bytes([tag]) + size + body


def make_long_crl(by, revoked, numbers):
    """A list of so many numbers of 16 octets and those revoked, made by hand: 100,000 take a
    second."""
    when = _der(0x17, now().strftime("%y%m%d%H%M%SZ").encode())
    ends = _der(0x17, (now() + 7 * DAY).strftime("%y%m%d%H%M%SZ").encode())
    own = [m.cert.serial_number.to_bytes(21, "big").lstrip(b"\0") for m in revoked]
    own = [b"\0" + n if n[0] & 0x80 else n for n in own]
    rows = [_der(0x30, _der(2, n), when)
            for n in (*((1 << 120 | i).to_bytes(16, "big") for i in range(numbers)), *own)]
    number = _der(0x30, bytes.fromhex("0603551d14"), _der(4, _der(2, b"\1")))
    method = bytes.fromhex("300a06082a8648ce3d040302")
    tbs = _der(0x30, b"\2\1\1", method, by.cert.subject.public_bytes(), when, ends,
               _der(0x30, *rows), _der(0xA0, _der(0x30, number)))
    signature = by.key.sign(tbs, ec.ECDSA(hashes.SHA256()))
    return _der(0x30, tbs, method, _der(3, b"\0", signature))


def make_ocsp(of, by, *, revoked=False, signer=None, begins=-1, ends=3):
    """DER of an answer about `of`, issued by `by`."""
    signer = signer or by
    status = ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD
    when = now() - DAY if revoked else None
    b = ocsp.OCSPResponseBuilder().add_response(
        cert=of.cert, issuer=by.cert, algorithm=hashes.SHA1(), cert_status=status,
        this_update=now() + begins * DAY, next_update=now() + ends * DAY, revocation_time=when,
        revocation_reason=None).responder_id(ocsp.OCSPResponderEncoding.NAME, signer.cert)
    return b.sign(signer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


class _Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        owner = self.server.owner
        length = int(self.headers.get("Content-Length", "0"))
        self.rfile.read(length)
        owner.asked.append((self.command, self.path))
        answer = owner.answers.get(self.path)
        if answer is None and self.command == "GET":
            answer = owner.by_get.get("/" + self.path.split("/")[1])
        if callable(answer):
            answer(self)
            return
        self.send_response(200 if answer is not None else 404)
        self.send_header("Content-Length", str(len(answer or b"")))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(answer or b"")

    do_POST = do_GET


class Responder:
    """A plain http server: answers is path -> octets, or a function of the handler; by_get the
    same for a first part of the path and whatever question follows it."""

    def __init__(self):
        self.answers = {}
        self.by_get = {}
        self.asked = []
        self.released = threading.Event()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.daemon_threads = True
        self.server.owner = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05},
                         daemon=True).start()

    def url(self, path, host="127.0.0.1"):
        return f"http://{host}:{self.port}{path}"

    def count(self, path):
        return sum(1 for _, p in self.asked if p == path)

    def never(self, _):
        """An answer that does not come until the scene is over."""
        self.released.wait(60)

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

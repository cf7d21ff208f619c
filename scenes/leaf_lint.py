# SPDX-License-Identifier: Apache-2.0
"""leaf_lint: what zlint and its kin look at, told for certificates of ours.

Written from RFC 5280, RFC 8398 and the Baseline Requirements (CA/Browser Forum, BR), and
apart from the product: it reads with python3-cryptography and, where that library is too
kind, by itself. zlint (3.6) itself names besides, of the same certificates, only what public
authorities owe their registers: certificate policies, AIA, country and organisation. leaf() and authority() give the faults; none is the aim. To add one: a function
with a sentence, below.
"""

import ipaddress
import re

import pytest

pytest.importorskip("cryptography")

from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: E402
from cryptography.x509.oid import ExtendedKeyUsageOID as EKU  # noqa: E402
from cryptography.x509.oid import ExtensionOID as OID  # noqa: E402
from cryptography.x509.oid import NameOID  # noqa: E402

from forge import dates  # noqa: E402

LEAF, AUTHORITY = [], []
LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)\Z")
ALLOWED = {OID.SUBJECT_ALTERNATIVE_NAME, OID.CRL_DISTRIBUTION_POINTS, OID.AUTHORITY_KEY_IDENTIFIER,
           OID.SUBJECT_KEY_IDENTIFIER, OID.EXTENDED_KEY_USAGE, OID.KEY_USAGE, OID.BASIC_CONSTRAINTS}


def lint(*tables):
    def add(function):
        for table in tables:
            table.append(function)
        return function

    return add


class Cert:
    def __init__(self, der, issuer=None):
        self.der, self.x, self.issuer = der, x509.load_der_x509_certificate(der), issuer
        self.is_root = self.x.issuer == self.x.subject

    def extension(self, oid):
        try:
            return self.x.extensions.get_extension_for_oid(oid)
        except x509.ExtensionNotFound:
            return None

    def names(self):
        san = self.extension(OID.SUBJECT_ALTERNATIVE_NAME)
        return list(san.value) if san else []

    def common_names(self):
        return [a.value for a in self.x.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]


def _faults(table, cert):
    return [f.__doc__ for f in table if f(cert)]


def leaf(der, issuer):
    """Faults of a leaf; issuer: the DER of what signed it."""
    return _faults(LEAF, Cert(der, Cert(issuer)))


def authority(der, issuer=None):
    """Faults of a root, or of what it signed."""
    return _faults(AUTHORITY, Cert(der, Cert(issuer) if issuer else None))


# ---- what holds for all


@lint(LEAF, AUTHORITY)
def version(c):
    "not version 3 (BR 7.1.1)"
    return c.x.version != x509.Version.v3


@lint(LEAF, AUTHORITY)
def serial(c):
    "a serial number that is not positive, has under 64 bits, or over 20 octets (RFC 5280 4.1.2.2, BR 7.1)"
    n = c.x.serial_number
    return n <= 0 or n.bit_length() < 64 or n.bit_length() > 159


@lint(LEAF, AUTHORITY)
def digest(c):
    "a signature with a hash that is none of SHA-256, SHA-384, SHA-512 (BR 7.1.3.2)"
    hash_of = c.x.signature_hash_algorithm
    return hash_of is not None and hash_of.name not in ("sha256", "sha384", "sha512")


@lint(LEAF, AUTHORITY)
def signature_algorithms(c):
    "the two signature algorithms differ (RFC 5280 4.1.1.2)"
    tbs = c.x.tbs_certificate_bytes
    outer = c.der[c.der.index(tbs) + len(tbs):]
    return tbs.count(outer[:2 + outer[1]]) < 1


@lint(LEAF, AUTHORITY)
def key(c):
    "a key that is no RSA of 2048 bits or more with an odd exponent over 65536, no P-256, P-384, Ed25519 (BR 6.1.5)"
    k = c.x.public_key()
    if isinstance(k, rsa.RSAPublicKey):
        e = k.public_numbers().e
        return k.key_size < 2048 or k.key_size % 8 or e < 65537 or e % 2 == 0
    if isinstance(k, ec.EllipticCurvePublicKey):
        return k.curve.name not in ("secp256r1", "secp384r1")
    return not isinstance(k, ed25519.Ed25519PublicKey)


@lint(LEAF, AUTHORITY)
def doubled(c):
    "an extension twice (RFC 5280 4.2)"
    oids = [e.oid for e in c.x.extensions]
    return len(oids) != len(set(oids))


@lint(LEAF, AUTHORITY)
def times(c):
    "dates that are not whole seconds in UTC, in the wrong order, or in the wrong form (RFC 5280 4.1.2.5)"
    begin, end = dates(c.x)
    return begin >= end or begin.microsecond or end.microsecond or (
        end.year < 2050 and re.search(rb"\x18\x0f20[0-4]\d", c.der))


@lint(LEAF, AUTHORITY)
def subject_key(c):
    "no subjectKeyIdentifier, a critical one, or one that is not the hash of the key (RFC 5280 4.2.1.2)"
    e = c.extension(OID.SUBJECT_KEY_IDENTIFIER)
    return not e or e.critical or (
        e.value.digest != x509.SubjectKeyIdentifier.from_public_key(c.x.public_key()).digest)


@lint(LEAF, AUTHORITY)
def authority_key(c):
    "an authorityKeyIdentifier that is missing, critical, more than a key's, or not the issuer's (RFC 5280 4.2.1.1)"
    e = c.extension(OID.AUTHORITY_KEY_IDENTIFIER)
    if not e:
        return not c.is_root
    above = (c.issuer or c).extension(OID.SUBJECT_KEY_IDENTIFIER).value.digest
    return e.critical or e.value.key_identifier != above or e.value.authority_cert_issuer is not None


@lint(LEAF, AUTHORITY)
def issuer_name(c):
    "an issuer that is not, octet for octet, the subject above (RFC 5280 4.1.2.4)"
    above = c.issuer or c
    return c.x.issuer.public_bytes() != above.x.subject.public_bytes() or (
        above.x.subject.public_bytes() not in c.der)


@lint(LEAF, AUTHORITY)
def inside(c):
    "dates outside the issuer's"
    if not c.issuer:
        return False
    (begin, end), (first, last) = dates(c.x), dates(c.issuer.x)
    return begin < first or end > last


@lint(LEAF, AUTHORITY)
def subject_attributes(c):
    "an attribute in the subject that is empty, over its bound, padded, or of two values (RFC 5280 A.1)"
    for rdn in c.x.subject.rdns:
        for a in rdn:
            if not a.value or len(a.value) > 64 or a.value != a.value.strip() or len(list(rdn)) > 1:
                return True
    return False


# ---- leafs


@lint(LEAF)
def known_extensions(c):
    "an extension that a leaf of ours has no business with (of the origin's: SCTs, AIA, policies, must-staple)"
    return any(e.oid not in ALLOWED for e in c.x.extensions)


@lint(LEAF)
def not_ca(c):
    "basicConstraints that are missing, soft, or of an authority"
    e = c.extension(OID.BASIC_CONSTRAINTS)
    return not e or not e.critical or e.value.ca or e.value.path_length is not None


@lint(LEAF)
def lifetime(c):
    "a life of 200 days and more (BR 6.3.2), or of none"
    begin, end = dates(c.x)
    return not 0 < (end - begin).total_seconds() + 1 <= 199 * 86400


@lint(LEAF)
def usage(c):
    "keyUsage that is missing, soft, or not just what the key does (BR 7.1.2.7.11)"
    e = c.extension(OID.KEY_USAGE)
    if not e or not e.critical:
        return True
    u = e.value
    encipher = isinstance(c.x.public_key(), rsa.RSAPublicKey)
    return not u.digital_signature or u.key_encipherment != encipher or any(
        (u.content_commitment, u.data_encipherment, u.key_agreement, u.key_cert_sign, u.crl_sign))


@lint(LEAF)
def extended_usage(c):
    "extendedKeyUsage that is missing, critical, or not just serverAuth (BR 7.1.2.7.10)"
    e = c.extension(OID.EXTENDED_KEY_USAGE)
    return not e or e.critical or list(e.value) != [EKU.SERVER_AUTH]


@lint(LEAF)
def subject(c):
    "a subject with more than one common name, or another attribute (BR 7.1.2.7.2)"
    return len(c.x.subject) > 1 or len(c.common_names()) != len(c.x.subject)


@lint(LEAF)
def common_name(c):
    "a common name that is none of the names, letter for letter (BR 7.1.4.3)"
    texts = [str(n.value) for n in c.names()]
    return any(cn not in texts for cn in c.common_names())


@lint(LEAF)
def names_there(c):
    "subjectAltName that is missing or empty, or whose criticality does not fit the subject (RFC 5280 4.2.1.6)"
    e = c.extension(OID.SUBJECT_ALTERNATIVE_NAME)
    return not e or not c.names() or e.critical != (len(c.x.subject) == 0)


@lint(LEAF)
def names_once(c):
    "a name twice"
    texts = [(type(n), str(n.value)) for n in c.names()]
    return len(texts) != len(set(texts))


@lint(LEAF)
def names_good(c):
    "a DNS name that is none: RFC 5890 labels, 253 octets, lower case, a wildcard only as the whole first label"
    for n in c.names():
        if isinstance(n, x509.IPAddress):
            continue
        if not isinstance(n, x509.DNSName) or len(n.value) > 253 or n.value.endswith("."):
            return True
        labels = n.value[2:].split(".") if n.value.startswith("*.") else n.value.split(".")
        if not all(LABEL.match(label) for label in labels) or labels[-1].isdigit():
            return True
        if any(label[2:4] == "--" and not label.startswith("xn--") for label in labels):
            return True
    return False


@lint(LEAF)
def addresses(c):
    "an address written as a DNS name, or a network instead of an address"
    for n in c.names():
        if isinstance(n, x509.IPAddress):
            if not isinstance(n.value, (ipaddress.IPv4Address, ipaddress.IPv6Address)):
                return True
        elif re.fullmatch(r"[0-9.]+|.*:.*", n.value):
            return True
    return False


@lint(LEAF)
def lists(c):
    "a distribution point that is critical, no http address, or more than a name (BR 7.1.2.11.2)"
    e = c.extension(OID.CRL_DISTRIBUTION_POINTS)
    if not e:
        return False
    points = list(e.value)
    return e.critical or any(
        p.reasons or p.crl_issuer or p.relative_name or len(p.full_name) != 1
        or not p.full_name[0].value.startswith("http://") for p in points)


# ---- authorities


@lint(AUTHORITY)
def is_ca(c):
    "basicConstraints that are missing, soft, or of no authority (BR 7.1.2.1.4)"
    e = c.extension(OID.BASIC_CONSTRAINTS)
    return not e or not e.critical or not e.value.ca


@lint(AUTHORITY)
def root_length(c):
    "a root with a path length (BR 7.1.2.1.4)"
    return c.is_root and c.extension(OID.BASIC_CONSTRAINTS).value.path_length is not None


@lint(AUTHORITY)
def ca_usage(c):
    "keyUsage that is missing, soft, or not just signing certificates and lists (BR 7.1.2.1.2)"
    e = c.extension(OID.KEY_USAGE)
    if not e or not e.critical:
        return True
    u = e.value
    return not u.key_cert_sign or not u.crl_sign or u.digital_signature or u.key_encipherment or u.key_agreement


@lint(AUTHORITY)
def root_use(c):
    "a root with extendedKeyUsage (BR 7.1.2.1.2)"
    return c.is_root and c.extension(OID.EXTENDED_KEY_USAGE) is not None


@lint(AUTHORITY)
def named(c):
    "an authority without a common name (BR 7.1.4.3.1), or with subjectAltName"
    return len(c.common_names()) != 1 or c.extension(OID.SUBJECT_ALTERNATIVE_NAME) is not None


@lint(AUTHORITY)
def constraints(c):
    "name constraints that are soft or empty (RFC 5280 4.2.1.10)"
    e = c.extension(OID.NAME_CONSTRAINTS)
    return bool(e) and (not e.critical or not (e.value.permitted_subtrees or e.value.excluded_subtrees))

# SPDX-License-Identifier: Apache-2.0
"""What others think of the chains we show: every hard name before every judge.

One gateway mints a leaf for each row of NAMES; OpenSSL, GnuTLS, NSS, Java, Go, Python's
strict flag and a lint of our own (leaf_lint.py) look at each.
"""

import os
import re
import ssl
import subprocess
import types
from pathlib import Path

import pytest

import forge
import lab
import leaf_lint
import wire
from conftest import look_for_reports, need

HERE = Path(__file__).resolve().parent
LONG = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 53, "example"])
# What is visited -> the names in the origin's certificate, and what else is special.
NAMES = {
    "plain": ("www.judged.example", ["www.judged.example"]),
    "longest": (LONG, [LONG]),
    "cn-64": ("e" * 56 + ".example", ["e" * 56 + ".example"]),
    "cn-65": ("f" * 57 + ".example", ["f" * 57 + ".example"]),
    "label-63": ("g" * 63 + ".example", ["g" * 63 + ".example"]),
    "idn": ("xn--bcher-kva.example", ["xn--bcher-kva.example"]),
    "idn-deep": ("www.xn--80akhbyknj4f.xn--e1afmkfd.example", ["www.xn--80akhbyknj4f.xn--e1afmkfd.example"]),
    "wildcard": ("any.wild.example", ["*.wild.example"]),
    "wildcard-and-base": ("both.example", ["*.both.example", "both.example"]),
    "digits": ("127.0.0.1.digits.example", ["127.0.0.1.digits.example"]),
    "deep": (".".join("abcdefghijklmnopqrst") + ".example", [".".join("abcdefghijklmnopqrst") + ".example"]),
    "many": ("n77.many.example", [f"n{i}.many.example" for i in range(150)]),
    "mixed": ("www.mixed.example", ["www.mixed.example", "127.0.0.1", "::1"]),
    "address-4": ("127.0.0.1", ["127.0.0.1"]),
    "address-6": ("::1", ["::1"]),
    "page": ("www.refused.example", ["www.somebody-else.example"]),
    "rsa": ("www.old-client.example", ["www.old-client.example"]),
}
assert len(LONG) == 253


def is_address(host):
    return host == "::1" or host.replace(".", "").isdigit()


def strict(root, which):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(root)
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # as Python 3.13 has it by itself
    if which == "rsa":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
    return context


@pytest.fixture(scope="module")
def shown(make_gateway, stage):
    """For each row the host, the leaf in DER, and a file with the chain as served."""
    folder = stage / "judged"
    folder.mkdir()
    root = forge.make("Origin Root", ca=True, ends=300)
    trust = folder / "trust.pem"
    trust.write_bytes(root.pem())
    trust.chmod(0o644)
    gateway = make_gateway("", upstream=f"trust {trust}")
    node = gateway.folder / "ca" / "node.crt"
    rows, origins = {}, []
    for which, (host, names) in NAMES.items():
        made = forge.make(host[:60], root, names=names).save(folder)
        address = "::1" if host == "::1" else "127.0.0.1"
        origins.append(lab.Origin(made, "judged\n", address=address))
        spelt = f"[{host}]" if ":" in host else host
        with strict(gateway.root, which).wrap_socket(wire.connect(gateway, spelt, origins[-1].port),
                                                     server_hostname=host) as s:
            assert wire.get(s, spelt).status == (502 if which == "page" else 200), which
            der = s.getpeercert(binary_form=True)
        chain = folder / f"{which}.pem"
        chain.write_text(ssl.DER_cert_to_PEM_cert(der) + node.read_text())
        rows[which] = types.SimpleNamespace(host=host, der=der, chain=chain)
    yield types.SimpleNamespace(rows=rows, root=gateway.root, node=node, folder=folder)
    for origin in origins:
        origin.close()
    gateway.close()
    look_for_reports(gateway)


@pytest.mark.parametrize("which", NAMES)
def test_our_own_lint_finds_nothing(shown, which):
    node = ssl.PEM_cert_to_DER_cert(shown.node.read_text())
    assert leaf_lint.leaf(shown.rows[which].der, node) == []


def test_our_own_lint_finds_what_is_wrong():
    """A judge that never says no is none."""
    top = forge.make("Top", ca=True, ends=300, path_length=1)
    bad = forge.make("Bad", top, names=["*.*.example", "UPPER.example", "a.example", "a.example"], ends=400,
                     aia="http://a.example/", must_staple=True, eku=forge.EKU.CLIENT_AUTH, md=forge.hashes.SHA224())
    found = " ".join(leaf_lint.leaf(bad.der(), top.der()))
    for words in ("a DNS name that is none", "a name twice", "of 200 days", "no business with", "just serverAuth",
                  "hash that is none", "outside the issuer's", "none of the names"):
        assert words in found, (words, found)
    assert any("path length" in fault for fault in leaf_lint.authority(top.der()))
    assert any("no authority" in fault for fault in leaf_lint.authority(bad.der(), top.der()))


@pytest.mark.parametrize("kind", ["p256", "p384", "rsa2048", "ed25519"])
def test_authorities_of_every_kind_are_without_fault(program, tmp_path, kind):
    ca = tmp_path / "ca"
    more = ["--permit", "lab.example"] if kind == "p384" else []
    lab.run(program, "ca", "init", ca, "--key", kind, "--organisation", "Example", *more)
    lab.run(program, "ca", "rotate", "--root", "--key", kind, "--organisation", "Example", *more, ca)
    der = {name: ssl.PEM_cert_to_DER_cert((ca / f"{name}.crt").read_text())
           for name in ("root", "node", "previous-root", "previous", "cross", "cross-old")}
    for name in ("root", "previous-root"):
        assert leaf_lint.authority(der[name]) == []
    for name, above in (("node", "root"), ("previous", "previous-root"), ("cross", "previous-root"),
                        ("cross-old", "root")):
        assert leaf_lint.authority(der[name], der[above]) == []
    for root, between in (("root", []), ("previous-root", ["-untrusted", ca / "cross.crt"])):
        done = lab.run("openssl", "verify", "-x509_strict", "-CAfile", ca / f"{root}.crt", *between, ca / "node.crt")
        assert done.stdout.strip().endswith("OK")
        if more:  # GnuTLS takes the node's common name for a host that is not below lab.example
            continue
        need("certtool")
        chain = tmp_path / "chain.pem"
        chain.write_text((ca / "node.crt").read_text() + ((ca / "cross.crt").read_text() if between else ""))
        lab.run("certtool", "--verify", "--load-ca-certificate", ca / f"{root}.crt", "--infile", chain)


@pytest.mark.parametrize("which", NAMES)
def test_openssl_strict(shown, which):
    row = shown.rows[which]
    kind = "-verify_ip" if is_address(row.host) else "-verify_hostname"
    done = lab.run("openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-auth_level", "2", "-policy_check",
                   "-CAfile", shown.root, "-untrusted", shown.node, kind, row.host, row.chain, check=False)
    assert done.stdout.strip().endswith("OK"), done.stderr


@pytest.mark.parametrize("which", NAMES)
def test_gnutls(shown, which):
    need("certtool")
    row = shown.rows[which]
    done = lab.run("certtool", "--verify", "--verify-profile", "medium", "--verify-purpose", "1.3.6.1.5.5.7.3.1",
                   "--verify-hostname", row.host, "--load-ca-certificate", shown.root, "--infile", row.chain, check=False)
    assert done.returncode == 0 and "Chain verification output: Verified." in done.stdout, done.stdout + done.stderr


def nss(shown, chain, *how):
    done = lab.run("vfychain", "-d", f"sql:{shown.folder}/nss", *how, "-u", "1", "-a", chain, check=False)
    return done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("how", [(), ("-pp",)], ids=["classic", "pkix"])
def test_nss(shown, how):
    need("certutil", "vfychain")
    store = shown.folder / "nss"
    if not store.exists():
        store.mkdir()
        lab.run("certutil", "-N", "-d", f"sql:{store}", "--empty-password")
        lab.run("certutil", "-A", "-d", f"sql:{store}", "-n", "root", "-t", "C,,", "-i", shown.root)
        lab.run("certutil", "-A", "-d", f"sql:{store}", "-n", "node", "-t", ",,", "-i", shown.node)
    for which, row in shown.rows.items():
        good, said = nss(shown, row.chain, *how)
        assert good, (which, said)


def test_java(shown):
    need("java", "javac")
    done = lab.run("java", HERE / "clients" / "Judge.java", shown.root, *(r.chain for r in shown.rows.values()),
                   check=False)
    assert f"{len(NAMES)} good" in done.stdout, done.stdout + done.stderr


def test_go(shown):
    need("go")
    program = shown.folder / "judge"
    lab.run("go", "build", "-o", program, HERE / "clients" / "judge.go", timeout=300,
            env={**os.environ, "GO111MODULE": "off", "CGO_ENABLED": "0"})
    done = lab.run(program, shown.root, *(part for r in shown.rows.values() for part in (r.host, r.chain)), check=False)
    assert f"{len(NAMES)} good" in done.stdout, done.stdout + done.stderr


def text_of(row):
    pem = ssl.DER_cert_to_PEM_cert(row.der)
    return subprocess.run(["openssl", "x509", "-noout", "-text"], input=pem, capture_output=True, text=True,
                          check=True).stdout


def test_they_hold_the_names_that_they_must(shown):
    rows = {which: text_of(row) for which, row in shown.rows.items()}
    for which, row in shown.rows.items():
        names = re.findall(r"(?:DNS|IP Address):([^,\s]+)", rows[which])
        wanted = "0:0:0:0:0:0:0:1" if row.host == "::1" else row.host
        assert wanted in names or which == "wildcard" and "*.wild.example" in names, (which, names)
    assert "Subject Alternative Name: critical" in rows["cn-65"] and re.search(r"Subject: *\n", rows["cn-65"])
    assert "Subject Alternative Name: critical" not in rows["cn-64"]
    assert "rsaEncryption" in rows["rsa"] and "Key Encipherment" in rows["rsa"]
    assert "DNS:www.somebody-else.example" not in rows["page"]

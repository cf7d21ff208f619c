# SPDX-License-Identifier: Apache-2.0
"""The certificate a client is shown, and what of an origin it may speak for."""

import datetime
import re
import signal
import ssl

import pytest

import lab
import wire


def shown(street, host, port, tmp_path, **options):
    """The leaf's text, as openssl prints it."""
    with wire.secure(street.gateway, host, port, street.gateway.root, **options) as s:
        (tmp_path / "leaf.der").write_bytes(s.getpeercert(binary_form=True))
    return lab.run("openssl", "x509", "-inform", "DER", "-in", tmp_path / "leaf.der", "-noout",
                   "-text").stdout


def test_the_leaf_says_what_it_must_and_no_more(street, tmp_path):
    text = shown(street, street.hosts["good"], street.origins["good"].port, tmp_path)
    assert "DNS:www.good.example" in text and text.count("DNS:") == 1
    assert "CA:FALSE" in text and "TLS Web Server Authentication" in text
    assert "Authority Key Identifier" in text and "id-ecPublicKey" in text
    assert text.count("URI:") == 1 and "URI:http://sekisho.internal/ca.crl" in text
    assert "Authority Information Access" not in text
    serial = re.search(r"Serial Number:\s*([0-9a-f:]+)", text).group(1)
    assert len(serial.split(":")) >= 15


def test_the_list_that_the_leaf_names_is_served_and_good(street, tmp_path):
    with wire.secure(street.gateway, street.hosts["good"], street.origins["good"].port,
                     street.gateway.root) as s:
        leaf = s.getpeercert(binary_form=True)
    (tmp_path / "leaf.pem").write_text(ssl.DER_cert_to_PEM_cert(leaf))

    def fetch():
        with wire.dial(street.gateway) as s:
            return wire.ask(s, "GET http://sekisho.internal/ca.crl HTTP/1.1\r\n"
                               "Host: sekisho.internal\r\n\r\n")

    answer = lab.wait_for("the list", lambda: (a := fetch()).status == 200 and a)
    assert answer.fields["content-type"] == "application/pkix-crl"
    (tmp_path / "ca.crl").write_bytes(answer.body)
    pem = lab.run("openssl", "crl", "-inform", "DER", "-in", tmp_path / "ca.crl", "-outform", "PEM").stdout
    (tmp_path / "crl.pem").write_text(pem)
    done = lab.run("openssl", "verify", "-x509_strict", "-crl_check", "-CRLfile", tmp_path / "crl.pem",
                   "-CAfile", street.gateway.root, "-untrusted",
                   street.gateway.folder / "ca" / "node.crt", tmp_path / "leaf.pem")
    assert done.stdout.strip().endswith("OK")


def test_an_encrypted_node_key_opens_with_its_passphrase(open_gateway, street, program, stage):
    secret = stage / "node.pass"
    secret.write_text("correct horse\n")
    secret.chmod(0o400)
    gateway = open_gateway("")
    before = (gateway.folder / "ca" / "node.crt").read_bytes()
    gateway.command("ca", "rotate", "--node-passphrase", secret, gateway.folder / "ca")
    assert b"ENCRYPTED" in (gateway.folder / "ca" / "node.key").read_bytes()
    assert (gateway.folder / "ca" / "node.crt").read_bytes() != before
    gateway.configure(f"\tauthority-passphrase {secret}")
    gateway.process.process.send_signal(signal.SIGHUP)
    lab.wait_for("the next generation", lambda: gateway.log().count("generation.serves") == 2)
    with wire.secure(gateway, street.hosts["good"], street.origins["good"].port, gateway.root) as s:
        assert wire.get(s, street.hosts["good"]).status == 200
    # Without it the new generation does not come up, and the old one goes on.
    gateway.configure("")
    gateway.process.process.send_signal(signal.SIGHUP)
    lab.wait_for("the complaint", lambda: "pki.passphrase" in gateway.log()
                 or "encrypted" in gateway.log())
    with wire.secure(gateway, street.hosts["good"], street.origins["good"].port, gateway.root) as s:
        assert wire.get(s, street.hosts["good"]).status == 200


def test_no_list_is_named_where_none_is_wanted(open_gateway, street, tmp_path):
    gateway = open_gateway("\tcrl none")
    with wire.secure(gateway, street.hosts["good"], street.origins["good"].port, gateway.root) as s:
        der = s.getpeercert(binary_form=True)
    assert b"sekisho.internal" not in der
    with wire.dial(gateway) as s:
        assert wire.ask(s, "GET http://sekisho.internal/ca.crl HTTP/1.1\r\n"
                           "Host: sekisho.internal\r\n\r\n").status == 404


def test_the_leaf_lives_thirty_days_at_most(street, tmp_path):
    text = shown(street, street.hosts["good"], street.origins["good"].port, tmp_path)
    form = "%b %d %H:%M:%S %Y GMT"
    begin, end = (datetime.datetime.strptime(re.search(rf"Not {w}\s*: (.*)", text).group(1), form)
                  for w in ("Before", "After"))
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    assert begin < now < end and end - now <= datetime.timedelta(days=30)


def test_the_leaf_never_outlives_the_origins(street, pki, tmp_path):
    origin = lab.Origin(pki.issue("www.short.example", ends_days=3))
    text = shown(street, "www.short.example", origin.port, tmp_path)
    end = datetime.datetime.strptime(re.search(r"Not After\s*: (.*)", text).group(1),
                                     "%b %d %H:%M:%S %Y GMT")
    assert end - datetime.datetime.utcnow() <= datetime.timedelta(days=3)
    origin.close()


def test_a_client_without_ecdsa_gets_an_rsa_leaf(street, tmp_path):
    context = wire.context(street.gateway.root)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-RSA-AES128-GCM-SHA256")
    s = wire.connect(street.gateway, street.hosts["good"], street.origins["good"].port)
    with context.wrap_socket(s, server_hostname=street.hosts["good"]) as t:
        assert wire.get(t, street.hosts["good"]).body == b"good\n"


def test_a_client_resumes_its_session_and_only_for_the_same_host(street, pki):
    other = lab.Origin(pki.issue("www.other.example"))
    context = wire.context(street.gateway.root)
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    def visit(host, port, session=None):
        s = wire.connect(street.gateway, host, port)
        with context.wrap_socket(s, server_hostname=host, session=session) as t:
            assert wire.get(t, host).status == 200
            return t.session, t.session_reused

    session, _ = visit(street.hosts["good"], street.origins["good"].port)
    assert visit(street.hosts["good"], street.origins["good"].port, session)[1]
    assert not visit("www.other.example", other.port, session)[1]
    other.close()


@pytest.mark.parametrize("name, options, word", [
    ("www.expired.example", {"begins_days": -30, "ends_days": -2}, "expired"),
    ("www.future.example", {"begins_days": 2, "ends_days": 30}, "not"),
    ("www.own.example", {"self_signed": True}, "self"),
    ("www.wrong.example", {"as": "www.somebody-else.example"}, "name"),
    ("www.stray.example", {"stray": True}, "issuer"),
])
def test_an_origin_that_is_not_good_is_refused_with_a_page_that_says_why(
        street, pki, tmp_path, name, options, word):
    options = dict(options)
    signer = lab.Pki(tmp_path / "stray") if options.pop("stray", False) else pki
    origin = lab.Origin(signer.issue(options.pop("as", name), **options), "secret\n")
    with wire.secure(street.gateway, name, origin.port, street.gateway.root) as s:
        answer = wire.get(s, name)
    assert answer.status == 502 and "secret" not in answer.text
    assert word in answer.words.lower(), answer.words
    assert origin.seen == []
    event = street.gateway.wait_event(host=name, kind="session")
    assert event["origin_verdict"] != "good" and event["action"] == "block"
    origin.close()


def test_untrusted_origins_are_let_through_only_where_that_is_set(open_gateway, pki):
    origin = lab.Origin(pki.issue("www.own.example", self_signed=True), "own\n")
    gateway = open_gateway("\tuntrusted block { self-signed allow }")
    with wire.secure(gateway, "www.own.example", origin.port, gateway.root) as s:
        assert wire.get(s, "www.own.example").body == b"own\n"
    assert gateway.wait_event(host="www.own.example", kind="session")["origin_verdict"] == "self-signed"
    origin.close()


def test_one_name_is_minted_once_however_many_ask(street, pki):
    origin = lab.Origin(pki.issue("www.herd.example"))
    tunnels = [wire.connect(street.gateway, "www.herd.example", origin.port) for _ in range(12)]
    octets = wire.hello("www.herd.example")
    for s in tunnels:
        s.sendall(octets)
    for s in tunnels:
        assert wire.read_exactly(s, 1) == b"\x16"
        s.close()
    origin.close()


def test_names_keep_being_minted_however_many_came_before(street):
    """Each name gets a leaf of its own, if only for the page that says nobody answers."""
    port = lab.free_port()
    for number in range(150):
        name = f"n{number}.many.example"
        with wire.secure(street.gateway, name, port, street.gateway.root) as s:
            assert s.getpeercert()["subjectAltName"] == (("DNS", name),)

# SPDX-License-Identifier: Apache-2.0
"""The edge: sites by name, client certificates, revocation, sessions, what origins are told."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time

import pytest

import lab

CONFIG = """\
workers 1
user {user}
data {folder}/data
control {folder}/control.sock
drain-timeout 2s
listen 127.0.0.1:{port} as edge use shop
listen 127.0.0.1:{plain} as redirect use shop
edge shop {{
	site shop.test {{
		also *.shop.test
		certificate {ec[0]} key {ec[1]}
		certificate {rsa[0]} key {rsa[1]}
		origin http://127.0.0.1:{dead}
		origin http://127.0.0.1:{origin}
		hsts 30d
	}}
	clients api.shop.test {{
		certificate ask
		authority {folder}/tunnel/ca.crt
		crl {folder}/lists/clients.crl
	}}
	rule no-cert when http.host == "api.shop.test" and (not cf.tls_client_auth.cert_verified or \
cf.tls_client_auth.cert_revoked) do block "a certificate is needed"
}}
"""

CA = """\
[ca]
default_ca = d
[d]
database = {folder}/index.txt
crlnumber = {folder}/crlnumber
certificate = {folder}/tunnel/ca.crt
private_key = {folder}/tunnel/ca.key
default_md = sha256
default_crl_days = 10
"""


class Edge:
    """A running edge with one origin, an authority for clients, and its revocation list."""

    def __init__(self, program, folder, pki):
        self.folder = folder
        (folder / "data").mkdir(parents=True)
        (folder / "lists").mkdir()
        folder.chmod(0o755)
        self.origin = lab.Origin()
        self.port, self.plain = lab.free_port(), lab.free_port()
        self.root = pki.root
        self.user = "nobody" if os.getuid() == 0 else os.environ.get("USER", "nobody")
        if os.getuid() == 0:
            shutil.chown(folder / "data", self.user)
        lab.run(program, "key", "init", folder / "tunnel", "--server", "unused.test", "--client", "alice",
                "--client", "bob")
        (folder / "index.txt").write_text("")
        (folder / "crlnumber").write_text("01\n")
        (folder / "ca.cnf").write_text(CA.format(folder=folder))
        self.list_revoked()
        names = ("shop.test", "*.shop.test")
        (folder / "edge.conf").write_text(CONFIG.format(
            user=self.user, folder=folder, port=self.port, plain=self.plain, dead=lab.free_port(),
            origin=self.origin.port, ec=pki.issue(*names), rsa=pki.issue(*names, key="rsa")))
        log = folder / "edge.log"
        self.process = lab.Program([program, "run", folder / "edge.conf"],
                                   lambda: "generation.serves" in log.read_text(), log)

    def list_revoked(self):
        made = self.folder / "lists" / "made.crl"
        lab.run("openssl", "ca", "-config", self.folder / "ca.cnf", "-gencrl", "-out", made)
        made.chmod(0o644)
        made.rename(self.folder / "lists" / "clients.crl")

    def revoke(self, who):
        lab.run("openssl", "ca", "-config", self.folder / "ca.cnf", "-revoke", self.folder / "tunnel" / f"{who}.crt")
        self.list_revoked()

    def connect(self, name, who=None, **more):
        """An http.client connection with this server name and perhaps a certificate."""
        context = ssl.create_default_context(cafile=self.root)
        if who:
            context.load_cert_chain(self.folder / "tunnel" / f"{who}.crt", self.folder / "tunnel" / f"{who}.key")
        for key, value in more.items():
            setattr(context, key, value)
        connection = http.client.HTTPConnection(name, timeout=20)
        connection.sock = context.wrap_socket(socket.create_connection(("127.0.0.1", self.port)),
                                              server_hostname=name)
        return connection

    def trace(self, name, *more, text="GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n"):
        """What `openssl s_client -state` says of a visit."""
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-servername", name, "-state",
             "-CAfile", str(self.root), "-ign_eof", *more],
            input=text.replace("shop.test", name).encode(), capture_output=True, timeout=30, check=False)
        return (done.stdout + done.stderr).decode(errors="replace")

    def close(self):
        self.process.close()
        self.origin.close()


@pytest.fixture(scope="module")
def edge(program, stage, pki):
    running = Edge(program, stage / "edge", pki)
    yield running
    running.close()


def ask(connection, path="/", host=None, fields=()):
    connection.putrequest("GET", path, skip_host=True)
    connection.putheader("Host", host or connection.host)
    for name, value in fields:
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    return answer.status, answer.read(), answer


def test_a_site_is_served_with_its_certificate(edge):
    for name in ("shop.test", "www.shop.test"):
        connection = edge.connect(name)
        status, body, answer = ask(connection)
        assert (status, body) == (200, b"hello from the origin\n")
        assert answer.headers["Strict-Transport-Security"] == "max-age=2592000"
        connection.close()


def test_a_client_without_ecdsa_gets_the_rsa_certificate(edge):
    for ciphers, kind in (("ECDHE-RSA-AES128-GCM-SHA256", "Server public key is 2048 bit|RSA, 2048"),
                          ("ECDHE-ECDSA-AES128-GCM-SHA256", "Server public key is 256 bit|EC, 256")):
        text = edge.trace("shop.test", "-tls1_2", "-cipher", ciphers)
        assert f"Cipher    : {ciphers}" in text
        assert re.search(kind, text), text  # as OpenSSL 3.0 says it, and 3.5


def test_a_name_nobody_has_is_refused(edge):
    assert "unrecognized name" in edge.trace("other.test").replace("_", " ")


def test_only_the_enabled_name_is_asked_for_a_certificate(edge):
    before, after = edge.trace("www.shop.test", "-tls1_2"), edge.trace("api.shop.test", "-tls1_2")
    assert "read server certificate request" not in before and "No client certificate CA names sent" in before
    assert "read server certificate request" in after
    assert "HTTP/1.1 200" in before and "HTTP/1.1 403" in after


def test_the_walk_with_a_client_certificate(edge):
    connection = edge.connect("api.shop.test")
    assert ask(connection)[0] == 403
    connection = edge.connect("api.shop.test", "alice")
    assert ask(connection)[0] == 200
    edge.revoke("alice")
    deadline = time.monotonic() + 5
    while (status := ask(connection)[0]) == 200 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert status == 403
    assert ask(edge.connect("api.shop.test", "bob"))[0] == 200


def test_what_clients_claim_never_reaches_the_origin(edge):
    claims = [("Client-Cert", ":evil:"), ("client_cert", ":evil:"), ("Cf-Client-Cert-Sha256", "evil"),
              ("Cf-Cert-Verified", "evil"), ("X-SSL-Client-Verify", "evil"), ("X-Ssl_Client_S_Dn", "evil"),
              ("X-Forwarded-Client-Cert", "evil"), ("X-Forwarded-For", "198.51.100.9")]
    for name in ("www.shop.test", "api.shop.test"):
        status, body, _ = ask(edge.connect(name, "bob"), "/headers", fields=claims)
        fields = json.loads(body)
        assert status == 200 and "evil" not in json.dumps(fields) and "198.51.100.9" not in json.dumps(fields)
        told = {key.lower(): value for key, value in fields}
        assert told["x-forwarded-for"] == "127.0.0.1"
        assert ("client-cert" in told) == (name == "api.shop.test")


def test_claims_in_trailers_are_removed_too(edge):
    connection = edge.connect("www.shop.test")
    seen = []

    def read(handler):
        while (size := int(handler.rfile.readline().split(b";")[0], 16)):
            handler.rfile.read(size + 2)
        while (line := handler.rfile.readline().strip()):
            seen.append(line)
        handler.answer(b"read\n")

    edge.origin.routes["trailers"] = read
    connection.sock.sendall(b"GET /trailers HTTP/1.1\r\nHost: www.shop.test\r\nTransfer-Encoding: chunked\r\n"
                            b"Trailer: X-Sum, Client-Cert, X-SSL-Client-Verify\r\n\r\n4\r\nbody\r\n0\r\n"
                            b"X-Sum: 1\r\nClient-Cert: :evil:\r\nX-SSL-Client-Verify: evil\r\n\r\n")
    answer = http.client.HTTPResponse(connection.sock)
    answer.begin()
    assert (answer.status, answer.read()) == (200, b"read\n")
    assert seen == [b"X-Sum: 1"]


def test_a_request_of_another_policy_is_misdirected(edge):
    assert ask(edge.connect("www.shop.test"), host="api.shop.test")[0] == 421
    assert ask(edge.connect("www.shop.test"), host="shop.test")[0] == 200


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_session_never_crosses_to_another_policy(edge, tmp_path, version):
    kept = tmp_path / "session.pem"
    edge.trace("www.shop.test", version, "-sess_out", str(kept))
    assert "Reused, TLSv1" in edge.trace("www.shop.test", version, "-sess_in", str(kept))
    edge.trace("www.shop.test", version, "-sess_out", str(kept))
    across = edge.trace("api.shop.test", version, "-sess_in", str(kept))
    assert "Reused, TLSv1" not in across and "HTTP/1.1 403" in across


def test_a_reload_keeps_connections_and_sessions(edge, tmp_path):
    kept = tmp_path / "session.pem"
    edge.trace("www.shop.test", "-tls1_3", "-sess_out", str(kept))
    connection = edge.connect("www.shop.test")
    assert ask(connection)[0] == 200
    before = edge.process.text().count("generation.serves")
    edge.process.process.send_signal(signal.SIGHUP)
    lab.wait_for("the next generation", lambda: edge.process.text().count("generation.serves") > before)
    assert "Reused, TLSv1" in edge.trace("www.shop.test", "-tls1_3", "-sess_in", str(kept))
    assert ask(edge.connect("api.shop.test", "bob"))[0] == 200


def test_plain_http_is_sent_to_https(edge):
    connection = http.client.HTTPConnection("127.0.0.1", edge.plain, timeout=10)
    status, _, answer = ask(connection, "/a?b", host="shop.test")
    assert status == 308 and answer.headers["Location"] == f"https://shop.test:{edge.port}/a?b"
    connection = http.client.HTTPConnection("127.0.0.1", edge.port, timeout=10)
    assert ask(connection, host="shop.test")[0] == 400

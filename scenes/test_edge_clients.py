# SPDX-License-Identifier: Apache-2.0
"""An edge whose clients have certificates of the managed authority: the whole walk, from no
certificate to a revoked one, with the clients people use."""

import base64
import contextlib
import http.client
import http.server
import os
import shutil
import socket
import ssl
import subprocess
import threading
import urllib.parse

import pytest

import lab
from conftest import look_for_reports, need

CONFIG = """\
workers 2
user {user}
data {folder}/data
control {folder}/control.sock
drain-timeout 2s
listen 127.0.0.1:{port} as edge use shop
listen 127.0.0.1:{pki} as authority use shop
edge shop {{
	site shop.test {{
		also *.shop.test
		certificate {ec[0]} key {ec[1]}
		origin http://127.0.0.1:{origin}
	}}
	clients api.shop.test {{
		certificate ask
		managed {folder}/ca
	}}
	{clients}
	rule no-cert when http.host in {{"api.shop.test" "far.shop.test"}} and \
(not cf.tls_client_auth.cert_verified or cf.tls_client_auth.cert_revoked) do block "a certificate is needed"
}}
"""


class Edge:
    def __init__(self, program, folder, pki, clients=""):
        self.program, self.folder, self.root = program.resolve(), folder, pki.root
        (folder / "data").mkdir(parents=True)
        folder.chmod(0o755)
        self.origin = lab.Origin()
        self.port, self.pki = lab.free_port(), lab.free_port()
        user = "nobody" if os.getuid() == 0 else os.environ.get("USER", "nobody")
        if os.getuid() == 0:
            shutil.chown(folder / "data", user)
        (folder / "secret").write_text("geheim\n")
        self.client("init")
        (folder / "edge.conf").write_text(CONFIG.format(
            user=user, folder=folder, port=self.port, origin=self.origin.port, ec=pki.issue("shop.test", "*.shop.test"),
            pki=self.pki, clients=clients))
        log = folder / "edge.log"
        self.process = lab.Program([program, "run", folder / "edge.conf"],
                                   lambda: "generation.serves" in log.read_text(), log)

    def client(self, verb, *more):
        return subprocess.run([self.program, "client", verb, "--dir", "ca", *more], cwd=self.folder, check=True,
                              stdout=subprocess.PIPE, text=True, timeout=60).stdout

    def connect(self, name="api.shop.test", who=None, session=None):
        context = ssl.create_default_context(cafile=self.root)
        if who:
            context.load_cert_chain(self.folder / f"{who}.crt", self.folder / f"{who}.key")
        connection = http.client.HTTPConnection(name, timeout=20)
        connection.sock = context.wrap_socket(socket.create_connection(("127.0.0.1", self.port)),
                                              server_hostname=name, session=session)
        return connection

    def openssl(self, name, *more):
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-servername", name, "-state",
             "-CAfile", str(self.root), "-ign_eof", *more], cwd=self.folder,
            input=f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode(), capture_output=True,
            timeout=30, check=False)
        return (done.stdout + done.stderr).decode(errors="replace")

    def curl(self, *more):
        return lab.run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", self.root, "--resolve",
                       f"api.shop.test:{self.port}:127.0.0.1", *more, f"https://api.shop.test:{self.port}/").stdout

    def log(self):
        return self.process.text()

    def close(self):
        self.process.close()
        self.origin.close()
        look_for_reports(self)


@pytest.fixture(scope="module")
def edge(program, stage, pki):
    running = Edge(program, stage / "edge-clients", pki)
    yield running
    running.close()


def ask(connection):
    connection.request("GET", "/")
    answer = connection.getresponse()
    answer.read()
    return answer.status


def becomes(connection, status):
    """The answer to the next requests on this connection, within a second of the change."""
    with contextlib.suppress(TimeoutError):
        lab.wait_for(f"a {status}", lambda: ask(connection) == status, timeout_s=5)
    return ask(connection)


def test_the_walk_on_the_command_line(edge):
    assert edge.curl() == "403"
    edge.client("issue", "alice", "--form", "pem", "--form", "pkcs12", "--passphrase", "secret")
    key = edge.folder / "alice.key"
    mine = ("--cert", f"{edge.folder / 'alice.crt'}", "--key", f"{key}", "--pass", "geheim")
    assert edge.curl(*mine) == "200"
    assert edge.curl("--cert-type", "P12", "--cert", f"{edge.folder / 'alice.p12'}:geheim") == "200"


def test_a_certificate_in_a_browsers_store(edge, tmp_path):
    """NSS is the store and the TLS of Firefox; tstclnt is its own client."""
    need("certutil", "pk12util", "tstclnt")
    edge.client("issue", "nina", "--form", "pkcs12", "--passphrase", "secret")
    store = f"sql:{tmp_path}"
    lab.run("certutil", "-N", "-d", store, "--empty-password")
    lab.run("certutil", "-A", "-d", store, "-n", "lab", "-t", "C,,", "-i", edge.root)
    lab.run("pk12util", "-d", store, "-K", "", "-w", edge.folder / "secret", "-i", edge.folder / "nina.p12")
    text = b"GET / HTTP/1.1\r\nHost: api.shop.test\r\nConnection: close\r\n\r\n"
    for nick, status in (("nina", 200), ("none", 403)):
        command = ["tstclnt", "-h", "127.0.0.1", "-p", str(edge.port), "-a", "api.shop.test", "-d", store, "-n", nick]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as tool:
            tool.stdin.write(text)
            tool.stdin.flush()
            line = tool.stdout.readline()
            tool.kill()
        assert line.startswith(f"HTTP/1.1 {status}".encode())


def test_revoked_on_a_connection_that_is_open_and_restored(edge):
    edge.client("issue", "rita")
    live = edge.connect(who="rita")
    assert ask(live) == 200
    edge.client("revoke", "rita")
    assert becomes(live, 403) == 403
    edge.client("restore", "rita")
    assert becomes(live, 200) == 200
    edge.client("revoke", "rita", "--reason", "key-compromise")
    assert becomes(live, 403) == 403


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_resumed_session_of_a_revoked_client(edge, tmp_path, version):
    kept = tmp_path / "session.pem"
    who = f"sam{version}"
    edge.client("issue", who)
    mine = ("-cert", f"{who}.crt", "-key", f"{who}.key", version)
    assert "HTTP/1.1 200" in edge.openssl("api.shop.test", *mine, "-sess_out", str(kept))
    assert "HTTP/1.1 200" in edge.openssl("api.shop.test", *mine, "-sess_in", str(kept))
    read = "edge.crl clients=api.shop.test epoch="
    before = edge.log().count(read)
    edge.client("revoke", who)
    lab.wait_for("both workers to read the list", lambda: edge.log().count(read) >= before + 2)
    for _ in range(4):  # either worker
        assert "HTTP/1.1 403" in edge.openssl("api.shop.test", *mine, "-sess_in", str(kept))


def test_both_traces_of_openssl(edge):
    """The same address: a name that is not enabled goes as before, an enabled one is asked."""
    edge.client("issue", "tom")
    mine = ("-cert", "tom.crt", "-key", "tom.key", "-tls1_2")
    before, after = edge.openssl("www.shop.test", *mine), edge.openssl("api.shop.test", *mine)
    assert "read server certificate request" not in before and "write client certificate" not in before
    for line in ("read server certificate request", "write client certificate", "write certificate verify"):
        assert line in after
    assert "HTTP/1.1 200" in before and "HTTP/1.1 200" in after


def test_a_certificate_of_another_authority_is_not_verified(edge, tmp_path):
    subprocess.run([edge.program, "client", "init", "--dir", "other"], cwd=tmp_path, check=True,
                   stdout=subprocess.DEVNULL)
    subprocess.run([edge.program, "client", "issue", "mallory", "--dir", "other"], cwd=tmp_path, check=True,
                   stdout=subprocess.DEVNULL)
    assert edge.curl("--cert", f"{tmp_path}/mallory.crt", "--key", f"{tmp_path}/mallory.key") == "403"


def ocsp(edge, *more, check=True):
    done = lab.run("openssl", "ocsp", "-issuer", edge.folder / "ca" / "ca.crt", "-CAfile", edge.folder / "ca" / "ca.crt",
                   "-url", f"http://127.0.0.1:{edge.pki}/ocsp", *more, check=check)
    return done.stdout + done.stderr


def get(edge, path):
    connection = http.client.HTTPConnection("127.0.0.1", edge.pki, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer, answer.read()


def test_ocsp_says_good_revoked_and_unknown(edge, tmp_path):
    for who in ("olga", "otto"):
        edge.client("issue", who)
    edge.client("revoke", "otto", "--reason", "superseded")
    text = ocsp(edge, "-cert", edge.folder / "olga.crt", "-cert", edge.folder / "otto.crt", "-serial", "0x1234")
    assert "Response verify OK" in text and "WARNING: no nonce" not in text
    assert f"{edge.folder}/olga.crt: good" in text and f"{edge.folder}/otto.crt: revoked" in text
    assert "Reason: superseded" in text and "0x1234: unknown" in text
    assert "olga.crt: good" in ocsp(edge, "-no_nonce", "-sha256", "-cert", edge.folder / "olga.crt")
    edge.client("revoke", "olga")
    assert "olga.crt: revoked" in ocsp(edge, "-cert", edge.folder / "olga.crt")


def test_ocsp_by_get_may_be_cached_and_nonsense_is_malformed(edge, tmp_path):
    edge.client("issue", "gert")
    request = tmp_path / "request"
    lab.run("openssl", "ocsp", "-issuer", edge.folder / "ca" / "ca.crt", "-cert", edge.folder / "gert.crt", "-no_nonce",
            "-reqout", request)
    text = urllib.parse.quote(base64.b64encode(request.read_bytes()).decode(), safe="")
    answer, body = get(edge, f"/ocsp/{text}")
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/ocsp-response"
    assert "max-age" in answer.headers["Cache-Control"]
    (tmp_path / "answer").write_bytes(body)
    assert "gert.crt: good" in ocsp(edge, "-no_nonce", "-cert", edge.folder / "gert.crt", "-respin", tmp_path / "answer")
    assert get(edge, "/ocsp/AAAA")[1] == b"\x30\x03\x0a\x01\x01"
    assert get(edge, "/ocsp/%%%")[1] == b"\x30\x03\x0a\x01\x01"
    assert get(edge, "/other")[0].status == 404
    other = tmp_path / "other"
    subprocess.run([edge.program, "client", "init", "--dir", other], check=True, stdout=subprocess.DEVNULL)
    done = lab.run("openssl", "ocsp", "-issuer", other / "ca.crt", "-serial", "1", "-url",
                   f"http://127.0.0.1:{edge.pki}/ocsp", check=False)
    assert "unauthorized" in done.stdout + done.stderr


def test_the_list_and_the_authority_are_served(edge, tmp_path):
    edge.client("issue", "cara")
    edge.client("revoke", "cara", "--reason", "cessation-of-operation")
    answer, body = get(edge, "/clients.crl")
    assert answer.headers["Content-Type"] == "application/pkix-crl"
    (tmp_path / "list").write_bytes(body)
    text = lab.run("openssl", "crl", "-inform", "DER", "-in", tmp_path / "list", "-noout", "-text", "-CAfile",
                   edge.folder / "ca" / "ca.crt")
    assert "verify OK" in text.stderr and "Cessation Of Operation" in text.stdout
    der = get(edge, "/ca.crt")[1]
    assert ssl.DER_cert_to_PEM_cert(der).split() == (edge.folder / "ca" / "ca.crt").read_text().split()
    (tmp_path / "ca").write_bytes(der)
    text = lab.run("openssl", "x509", "-inform", "DER", "-in", tmp_path / "ca", "-noout", "-ext",
                   "subjectKeyIdentifier").stdout
    key = text.split("\n")[1].strip().replace(":", "").lower()
    assert get(edge, f"/{key}.crl")[1] == body and get(edge, f"/{'0' * 40}.crl")[0].status == 404


class Lists:
    """A server of one file."""

    def __init__(self, octets=b""):
        self.octets, outer = octets, self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(len(outer.octets)))
                self.end_headers()
                self.wfile.write(outer.octets)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def test_a_list_from_an_address_counts_when_the_authority_signed_it(program, stage, pki, tmp_path):
    lists = Lists()
    far = tmp_path / "far"
    own = Edge.client
    folder = stage / "edge-far"

    class Far(Edge):
        def client(self, verb, *more):
            if verb == "init":  # a second authority, of which only certificate and list are known here
                subprocess.run([program.resolve(), "client", "init", "--dir", far], check=True,
                               stdout=subprocess.DEVNULL)
                shutil.copy(far / "ca.crt", folder / "far.crt")
                subprocess.run([program.resolve(), "client", "issue", "fay", "--dir", far], cwd=folder, check=True,
                               stdout=subprocess.DEVNULL)
                subprocess.run([program.resolve(), "client", "revoke", "fay", "--dir", far], check=True,
                               stdout=subprocess.DEVNULL)
            return own(self, verb, *more)

    lists.octets = b"no list at all"
    clients = (f"clients far.shop.test {{ certificate ask; authority {folder}/far.crt; "
               f"crl-url http://127.0.0.1:{lists.port}/list }}")
    edge = Far(program, folder, pki, clients=clients)
    try:
        live = edge.connect("far.shop.test", "fay")
        lab.wait_for("both workers to try", lambda: edge.log().count("edge.crl clients=far.shop.test url=") >= 2)
        assert ask(live) == 200
        lists.octets = (far / "clients.crl").read_bytes()
        edge.process.process.send_signal(1)
        lab.wait_for("both workers of the next generation to read it",
                     lambda: edge.log().count("edge.crl clients=far.shop.test epoch=") >= 2)
        lab.wait_for("the generation before to be gone", lambda: "generation.gone generation=1" in edge.log())
        assert ask(edge.connect("far.shop.test", "fay")) == 403
    finally:
        edge.close()
        lists.close()

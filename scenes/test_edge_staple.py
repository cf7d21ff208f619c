# SPDX-License-Identifier: Apache-2.0
"""What goes out with a site's certificate, and certificates that change while it is served."""

import http.server
import os
import shutil
import socket
import ssl
import subprocess
import threading

import pytest

import lab
from conftest import look_for_reports

CONFIG = """\
workers 2
user {user}
data {folder}/data
control {folder}/control.sock
listen 127.0.0.1:{port} as edge use shop
edge shop {{
	site shop.test {{
		certificate {folder}/site.crt key {folder}/site.key
		origin http://127.0.0.1:{origin}
	}}
	site filed.test {{
		certificate {folder}/filed.crt key {folder}/filed.key staple {folder}/filed.ocsp
		origin http://127.0.0.1:{origin}
	}}
	site gone.test {{
		certificate {folder}/gone.crt key {folder}/gone.key
		origin http://127.0.0.1:{origin}
	}}
	site quiet.test {{
		stapling off
		certificate {folder}/quiet.crt key {folder}/quiet.key
		origin http://127.0.0.1:{origin}
	}}
}}
"""


class Authority:
    """A small one by openssl, with a responder that counts."""

    def __init__(self, folder):
        self.folder, self.asked, self.broken, outer = folder, 0, False, self
        self.lock = threading.Lock()
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key",
                 "-out", "ca.crt", "-subj", "/CN=Staple Lab", "-days", "30", "-addext",
                 "keyUsage=critical,keyCertSign,cRLSign,digitalSignature")
        (folder / "index.txt").write_text("")
        (folder / "index.txt.attr").write_text("unique_subject = no\n")

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                outer.asked += 1
                body = outer.answer(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Type", "application/ocsp-response")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def run(self, *arguments):
        return subprocess.run(["openssl", *map(str, arguments)], cwd=self.folder, check=True, capture_output=True,
                              text=True, timeout=60).stdout

    def issue(self, name, serial, where=None):
        """The pair NAME.crt and NAME.key, and its row in the index."""
        where = where or name.split(".")[0]
        (self.folder / "ext").write_text(f"subjectAltName=DNS:{name}\nbasicConstraints=critical,CA:FALSE\n"
                                         f"authorityInfoAccess=OCSP;URI:http://127.0.0.1:{self.port}/\n")
        self.run("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                 f"{where}.key.new", "-out", "csr", "-subj", f"/CN={name}")
        self.run("x509", "-req", "-in", "csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-set_serial", serial, "-days",
                 "10", "-extfile", "ext", "-out", f"{where}.crt.new")
        chain = self.folder / f"{where}.crt.new"
        chain.write_text(chain.read_text() + (self.folder / "ca.crt").read_text())
        with (self.folder / "index.txt").open("a") as index:
            index.write(f"V\t391231235959Z\t\t{serial:04X}\tunknown\t/CN={name}\n")

    def take(self, where, *suffixes):
        for suffix in suffixes:
            path = self.folder / f"{where}.{suffix}"
            (self.folder / f"{where}.{suffix}.new").rename(path)
            path.chmod(0o600 if suffix == "key" else 0o644)

    def answer(self, request):
        if self.broken:
            return b"nothing of use"
        with self.lock:
            (self.folder / "request").write_bytes(request)
            self.run("ocsp", "-index", "index.txt", "-CA", "ca.crt", "-rsigner", "ca.crt", "-rkey", "ca.key", "-reqin",
                     "request", "-respout", "response", "-ndays", "2")
            return (self.folder / "response").read_bytes()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Edge:
    def __init__(self, program, folder):
        self.folder = folder
        (folder / "data").mkdir(parents=True)
        folder.chmod(0o755)
        self.user = "nobody" if os.getuid() == 0 else os.environ.get("USER", "nobody")
        if os.getuid() == 0:
            shutil.chown(folder / "data", self.user)
        self.ca = Authority(folder)
        for number, name in enumerate(("site", "filed", "quiet", "gone"), 0x1000):
            self.ca.issue({"site": "shop.test"}.get(name, f"{name}.test"), number, name)
            self.ca.take(name, "crt", "key")
        index = folder / "index.txt"
        index.write_text(index.read_text().replace("V\t391231235959Z\t\t1003", "R\t391231235959Z\t260101000000Z\t1003"))
        self.ca.run("ocsp", "-issuer", "ca.crt", "-cert", "filed.crt", "-reqout", "filed.request", "-no_nonce")
        (folder / "filed.ocsp").write_bytes(self.ca.answer((folder / "filed.request").read_bytes()))
        self.origin, self.port = lab.Origin(), lab.free_port()
        (folder / "edge.conf").write_text(CONFIG.format(user=self.user, folder=folder, port=self.port,
                                                        origin=self.origin.port))
        self.program = program
        self.start()

    def start(self):
        log = self.folder / "edge.log"
        log.write_text("")
        self.process = lab.Program([self.program, "run", self.folder / "edge.conf"],
                                   lambda: "generation.serves" in log.read_text(), log)

    def see(self, name):
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-servername", name,
                               "-status", "-CAfile", "ca.crt"], cwd=self.folder, input=b"", capture_output=True,
                              timeout=30, check=False)
        return (done.stdout + done.stderr).decode(errors="replace")

    def log(self):
        return self.process.text()

    def close(self):
        self.process.close()
        self.origin.close()
        self.ca.close()
        look_for_reports(self)


@pytest.fixture(scope="module")
def edge(program, stage):
    running = Edge(program.resolve(), stage / "edge-staple")
    yield running
    running.close()


def stapled(edge, name="shop.test"):
    return "Cert Status: good" in edge.see(name)


def serial_of(edge):
    context = ssl.create_default_context(cafile=edge.folder / "ca.crt")
    with socket.create_connection(("127.0.0.1", edge.port), timeout=20) as raw, \
            context.wrap_socket(raw, server_hostname="shop.test") as shop:
        return int(shop.getpeercert()["serialNumber"], 16)


def test_answers_are_fetched_ahead_and_shown(edge):
    lab.wait_for("a staple of both workers", lambda: all(stapled(edge) for _ in range(6)))
    lab.wait_for("both questions", lambda: "certificate=gone.test" in edge.log())
    assert edge.ca.asked == 2  # one worker asks for all, once for each certificate
    assert stapled(edge, "filed.test")
    assert "OCSP response: no response sent" in edge.see("quiet.test")


def test_an_answer_that_is_not_good_is_not_shown(edge):
    assert "certificate=gone.test has=none why=\"the certificate is revoked\"" in edge.log()
    assert "no response sent" in edge.see("gone.test")


def test_an_answer_is_kept_on_disk_over_a_restart(edge):
    asked = edge.ca.asked
    edge.process.close()
    edge.ca.broken = True
    edge.start()
    lab.wait_for("a staple of both workers", lambda: all(stapled(edge) for _ in range(6)))
    assert edge.ca.asked <= asked + 1  # for the one that has none
    edge.ca.broken = False


def test_a_pair_that_was_replaced_is_served_without_a_restart(edge):
    before = serial_of(edge)
    edge.ca.issue("shop.test", 0x2000, "site")
    edge.ca.take("site", "crt")  # alone: the key does not fit
    lab.wait_for("the refusal", lambda: "config.kept" in edge.log())
    assert serial_of(edge) == before
    edge.ca.take("site", "key")
    lab.wait_for("the new pair", lambda: serial_of(edge) == 0x2000)
    lab.wait_for("its staple", lambda: all(stapled(edge) for _ in range(4)))

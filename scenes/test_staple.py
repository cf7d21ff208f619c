# SPDX-License-Identifier: Apache-2.0
"""A stapled OCSP answer is held against the origin's certificate (rubric 51 to 53)."""

import pytest

import lab
import wire
from conftest import need

CONFIG = """[req]
distinguished_name = dn
[dn]
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:%s
tlsfeature = status_request
"""


def make_files(pki, folder, host, status, serial, promise=True):
    """A certificate, which promises a staple or not, and an answer about it, if there is to be one."""
    folder.mkdir(exist_ok=True)
    files = {n: folder / n for n in ("l.cnf", "l.csr", "l.pem", "l.key", "index", "r.der")}
    files["l.cnf"].write_text(CONFIG % host if promise else (CONFIG % host).replace("tlsfeature", "# tlsfeature"))
    lab.run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-keyout", files["l.key"], "-out",
            files["l.csr"], "-subj", "/CN=" + host)
    lab.run("openssl", "x509", "-req", "-in", files["l.csr"], "-CA", pki.root, "-CAkey",
            pki.root_key, "-set_serial", str(serial), "-days", "20", "-extfile", files["l.cnf"],
            "-extensions", "leaf", "-out", files["l.pem"])
    if status:
        row = "R\t301231000000Z\t250101000000Z" if status == "revoked" else "V\t301231000000Z\t"
        files["index"].write_text(f"{row}\t{serial:X}\tunknown\t/CN={host}\n")
        lab.run("openssl", "ocsp", "-index", files["index"], "-CA", pki.root, "-rsigner",
                pki.root, "-rkey", pki.root_key, "-issuer", pki.root, "-cert",
                files["l.pem"], "-respout", files["r.der"], "-ndays", "2", "-noverify")
    return files


class Stapler:
    """openssl s_server with a certificate that promises a staple, and perhaps one."""

    def __init__(self, pki, folder, host, status):
        self.port = lab.free_port()
        # What was once stapled is remembered by its number: each has one of its own.
        serial = {"good": 0x1267, "revoked": 0x1268, None: 0x1269}[status]
        files = make_files(pki, folder, host, status, serial)
        more = ["-status_file", files["r.der"]] if status else []
        self.program = lab.Program(
            ["openssl", "s_server", "-accept", f"127.0.0.1:{self.port}", "-cert",
             files["l.pem"], "-key", files["l.key"], "-www", "-quiet", *more],
            lambda: lab.accepts(self.port), folder / "s_server.log")

    def close(self):
        self.program.close()


@pytest.mark.parametrize("status, word", [
    ("good", None), ("revoked", "revoked"), (None, "revocation-unknown")])
def test_a_promised_staple_decides(street, pki, tmp_path, status, word):
    host = f"www.staple-{status}.example".lower()
    origin = Stapler(pki, tmp_path, host, status)
    try:
        with wire.secure(street.gateway, host, origin.port, street.gateway.root) as s:
            answer = wire.get(s, host)
        if word is None:
            assert answer.status == 200 and b"s_server" in answer.body
        else:
            assert answer.status >= 500 and word.encode() in answer.body
    finally:
        origin.close()


NGINX = """daemon off; master_process off; pid {folder}/pid; user root; error_log {folder}/error.log; events {{}}
http {{ log_format how '$ssl_session_reused'; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; {servers} }}"""
SERVER = """server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {folder}/l.pem; ssl_certificate_key {folder}/l.key;
{staple} access_log {folder}/access.log how; location / {{ return 200 "here"; }} }}"""


def test_who_promises_a_staple_is_never_resumed(make_gateway, pki, tmp_path):
    """A resumed handshake brings no staple: whether the promise is kept could not be seen."""
    need("nginx")
    hosts = {"www.promised.example": (True, ["."] * 3), "www.plain.example": (False, [".", "r", "r"])}
    ports, servers = {}, []
    for serial, (host, (promise, _)) in enumerate(hosts.items(), 0x1280):
        folder = tmp_path / host
        make_files(pki, folder, host, "good" if promise else None, serial, promise)
        ports[host] = lab.free_port()
        staple = f"ssl_stapling on; ssl_stapling_file {folder}/r.der;" if promise else ""
        servers.append(SERVER.format(port=ports[host], folder=folder, staple=staple))
    (tmp_path / "nginx.conf").write_text(NGINX.format(folder=tmp_path, servers=" ".join(servers)))
    nginx = lab.Program(["nginx", "-p", tmp_path, "-c", tmp_path / "nginx.conf", "-e", tmp_path / "e.log"],
                        lambda: all(lab.listens(port) for port in ports.values()), tmp_path / "out.log")
    gateway = make_gateway(upstream="reuse off", workers=1)
    try:
        for host, (_, how) in hosts.items():
            log = tmp_path / host / "access.log"
            for n in range(1, 4):
                with wire.secure(gateway, host, ports[host], gateway.root) as s:
                    assert wire.get(s, host).status == 200
                lab.wait_for("nginx to note it", lambda log=log, n=n: len(log.read_text().split()) == n)
            assert log.read_text().split() == how
    finally:
        gateway.close()
        nginx.close()

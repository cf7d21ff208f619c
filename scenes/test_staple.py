# SPDX-License-Identifier: Apache-2.0
"""A stapled OCSP answer is held against the origin's certificate (rubric 51 to 53)."""

import pytest

import lab
import wire

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


class Stapler:
    """openssl s_server with a certificate that promises a staple, and perhaps one."""

    def __init__(self, pki, folder, host, status):
        self.port = lab.free_port()
        # What was once stapled is remembered by its number: each has one of its own.
        serial = {"good": 0x1267, "revoked": 0x1268, None: 0x1269}[status]
        files = {n: folder / n for n in ("l.cnf", "l.csr", "l.pem", "l.key", "index", "r.der")}
        files["l.cnf"].write_text(CONFIG % host)
        lab.run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256", "-nodes", "-keyout", files["l.key"], "-out",
                files["l.csr"], "-subj", "/CN=" + host)
        lab.run("openssl", "x509", "-req", "-in", files["l.csr"], "-CA", pki.root, "-CAkey",
                pki.root_key, "-set_serial", str(serial), "-days", "20", "-extfile", files["l.cnf"],
                "-extensions", "leaf", "-out", files["l.pem"])
        more = []
        if status:
            row = "R\t301231000000Z\t250101000000Z" if status == "revoked" else "V\t301231000000Z\t"
            files["index"].write_text(f"{row}\t{serial:X}\tunknown\t/CN={host}\n")
            lab.run("openssl", "ocsp", "-index", files["index"], "-CA", pki.root, "-rsigner",
                    pki.root, "-rkey", pki.root_key, "-issuer", pki.root, "-cert",
                    files["l.pem"], "-respout", files["r.der"], "-ndays", "2", "-noverify")
            more = ["-status_file", files["r.der"]]
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

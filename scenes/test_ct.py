# SPDX-License-Identifier: Apache-2.0
"""Timestamps of transparency logs that come with the handshake (rubric 58)."""

import base64
import hashlib
import json
import struct
import time

import pytest

import forge
import lab
import wire

from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402

IN_HELLO_12_AND_CERTIFICATE_13 = 0x0080 | 0x0100 | 0x1000


class Log:
    def __init__(self):
        self.key = forge.new_key()
        self.spki = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    def row(self):
        return {"key": base64.b64encode(self.spki).decode(),
                "state": {"usable": {"timestamp": "2024-01-01T00:00:00Z"}}}

    def timestamp(self, leaf):
        """A SignedCertificateTimestamp over the whole certificate (RFC 6962 §3.2)."""
        when = int(time.time() * 1000) - 3_600_000
        der = leaf.der()
        body = (b"\0\0" + struct.pack(">QH", when, 0) + len(der).to_bytes(3, "big") + der + b"\0\0")
        signature = self.key.sign(body, ec.ECDSA(hashes.SHA256()))
        return (b"\0" + hashlib.sha256(self.spki).digest() + struct.pack(">QH", when, 0)
                + b"\4\3" + struct.pack(">H", len(signature)) + signature)


def vector(octets):
    return struct.pack(">H", len(octets)) + octets


def serverinfo(path, timestamps):
    data = vector(b"".join(vector(t) for t in timestamps))
    info = struct.pack(">IHH", IN_HELLO_12_AND_CERTIFICATE_13, 18, len(data)) + data
    text = base64.encodebytes(info).decode()
    path.write_text(f"-----BEGIN SERVERINFOV2 FOR CT-----\n{text}-----END SERVERINFOV2 FOR CT-----\n")


class Walk:
    def __init__(self, make_gateway, folder):
        self.folder = folder
        self.root = forge.make("Transparent Root", ca=True)
        self.trust = folder / "ct-root.pem"
        self.trust.write_bytes(self.root.pem())
        self.logs = [Log(), Log()]
        listed = folder / "logs.json"
        listed.write_text(json.dumps({"operators": [
            {"name": f"Operator {i}", "logs": [log.row()]} for i, log in enumerate(self.logs)]}))
        for path in (self.trust, listed):
            path.chmod(0o644)
        self.gateway = make_gateway("", upstream=f"trust {self.trust}; ct-logs {listed}; ct all")
        self.programs = []

    def origin(self, leaf, timestamps, version):
        chain, key = leaf.save(self.folder)
        info, port = chain.with_suffix(".info"), lab.free_port()
        serverinfo(info, timestamps)
        self.programs.append(lab.Program(
            ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", chain, "-key", key,
             "-serverinfo", info, "-www", "-quiet", version],
            lambda: lab.accepts(port), self.folder / "s_server.log"))
        return port

    def visit(self, host, port):
        with wire.secure(self.gateway, host, port, self.gateway.root) as s:
            return wire.get(s, host)

    def close(self):
        for it in [*self.programs, self.gateway]:
            it.close()


@pytest.fixture(scope="module")
def walk(make_gateway, stage):
    it = Walk(make_gateway, stage)
    yield it
    it.close()


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_58_timestamps_of_the_handshake_are_enough(walk, version):
    host = f"www.sct{version[-1]}.example"
    leaf = forge.make(host, walk.root, names=[host])
    port = walk.origin(leaf, [log.timestamp(leaf) for log in walk.logs], version)
    for _ in range(2):  # the second connection must bring them again
        assert walk.visit(host, port).status == 200
    event = walk.gateway.wait_event(kind="session", host=host)
    assert event["origin_ct"] == "shown to enough logs" and event["origin_verdict"] == "good"


def test_58_those_of_one_log_or_of_another_certificate_are_not(walk):
    for name, make in (("once", lambda leaf: [walk.logs[0].timestamp(leaf)]),
                       ("twice", lambda leaf: [walk.logs[0].timestamp(leaf)] * 2),
                       ("other", lambda _: [log.timestamp(walk.root) for log in walk.logs])):
        host = f"www.{name}.example"
        leaf = forge.make(host, walk.root, names=[host])
        answer = walk.visit(host, walk.origin(leaf, make(leaf), "-tls1_3"))
        assert answer.status == 502 and "gate.untrusted.ct-missing" in answer.text, name

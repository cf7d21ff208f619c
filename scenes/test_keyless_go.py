# SPDX-License-Identifier: Apache-2.0
"""Keys elsewhere, where one end is a Go program written from the protocol's specification."""

import os
import shutil
import subprocess

import pytest

import lab
from keyless_cast import Edge, KeyServer, cast, ends, home, origin  # noqa: F401

SOURCE = lab.Path(__file__).resolve().parent / "clients" / "keyless.go"


@pytest.fixture(scope="module")
def go_peer(stage):
    if not shutil.which("go"):
        pytest.skip("go is not installed (see packages)")
    built = stage / "keyless-go-peer"
    lab.run("go", "build", "-o", built, SOURCE, timeout=300, env={**os.environ, "GO111MODULE": "off", "CGO_ENABLED": "0"})
    return built


@pytest.fixture(scope="module")
def more_keys(home):  # noqa: F811
    """Keys of all kinds with certificates, and a tunnel as the openssl command makes it."""
    folder = home / "go"
    keys = folder / "keys"
    keys.mkdir(parents=True)
    kinds = {"ec": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "ec384": ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
             "ec521": ["EC", "-pkeyopt", "ec_paramgen_curve:P-521"], "rsa": ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
             "ed": ["ED25519"]}
    for name, kind in kinds.items():
        lab.run("openssl", "genpkey", "-algorithm", *kind, "-out", keys / f"{name}.key")
        (keys / f"{name}.key").chmod(0o400)
        lab.run("openssl", "req", "-x509", "-new", "-key", keys / f"{name}.key", "-subj", f"/CN={name}.test",
                "-addext", f"subjectAltName=DNS:{name}.test", "-days", "30", "-out", folder / f"{name}.crt")
    return folder


@pytest.fixture(scope="module")
def plain_tunnel(home):  # noqa: F811
    """Certificates as people make them by hand: RSA, ten years, a client without any extension."""
    tunnel = home / "by-hand" / "tunnel"
    tunnel.mkdir(parents=True)
    for who in ("ca", "server", "edge1"):
        lab.run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", tunnel / f"{who}.key")
    lab.run("openssl", "req", "-x509", "-new", "-key", tunnel / "ca.key", "-subj", "/CN=by hand", "-days", "3650",
            "-out", tunnel / "ca.crt")
    (tunnel / "san").write_text("subjectAltName=DNS:keys.test")
    for who, more in (("server", ["-extfile", tunnel / "san"]), ("edge1", [])):
        lab.run("openssl", "req", "-new", "-key", tunnel / f"{who}.key", "-subj", f"/CN={who}", "-out", tunnel / "csr")
        lab.run("openssl", "x509", "-req", "-in", tunnel / "csr", "-CA", tunnel / "ca.crt", "-CAkey", tunnel / "ca.key",
                "-CAcreateserial", "-days", "3650", *more, "-out", tunnel / f"{who}.crt")
    return tunnel.parent


def certificates(folder):
    return sorted(folder.glob("*.crt"))


@pytest.mark.parametrize("made", ["sekisho", "by hand"])
def test_a_go_edge_gets_every_answer_right(cast, home, go_peer, more_keys, plain_tunnel, made):  # noqa: F811
    whose = home if made == "sekisho" else plain_tunnel
    server = cast(lambda program, _, log: KeyServer(program, whose, log, keys=more_keys / "keys"))
    tunnel = whose / "tunnel"
    said = lab.run(go_peer, "ask", tunnel / "ca.crt", tunnel / "edge1.crt", tunnel / "edge1.key",
                   f"127.0.0.1:{server.port}", "keys.test", *certificates(more_keys))
    assert "TLS 0x0304" in said.stdout


@pytest.fixture
def go_server(go_peer, more_keys):
    started = []

    def start(tunnel):
        one = subprocess.Popen([go_peer, "serve", tunnel / "ca.crt", tunnel / "server.crt", tunnel / "server.key",
                                "127.0.0.1:0", *sorted((more_keys / "keys").glob("*.key"))], stdout=subprocess.PIPE,
                               text=True)
        started.append(one)
        return int(one.stdout.readline().rsplit(":", 1)[1])

    yield start
    for one in started:
        one.kill()
        one.wait()
        one.stdout.close()


@pytest.mark.parametrize("made", ["sekisho", "by hand"])
def test_a_go_key_server_signs_for_us(program, home, go_server, more_keys, plain_tunnel, made):  # noqa: F811
    whose = home if made == "sekisho" else plain_tunnel
    port = go_server(whose / "tunnel")
    for certificate in certificates(more_keys):
        shown = lab.run(program, "key", "test", f"127.0.0.1:{port}", "--name", "keys.test", "--certificate", certificate,
                        *ends(whose, "edge1"))
        assert "signature verified" in shown.stdout, certificate


def test_an_edge_serves_with_a_go_key_server(cast, home, go_server, more_keys, origin):  # noqa: F811
    port = go_server(home / "tunnel")
    (more_keys / "tunnel").symlink_to(home / "tunnel")
    for site in ("rsa", "ec384"):
        edge = cast(lambda program, _, log: Edge(program, more_keys, log, [port], origin.port, site=site))
        assert b"from the origin" in edge.get()

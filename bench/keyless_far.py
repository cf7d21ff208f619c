#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""keyless_far.py [--delay-ms N] [--count N] SEKISHO: what a handshake costs when its key is far away.

Full TLS 1.3 and 1.2 handshakes with an edge whose key server is behind a cable of N ms each
way (tools/lab.FarAway), beside the same edge with its key server next door; one after the
other, from one thread, medians in milliseconds. Expected: one round trip more, and little else.
The cable is a Python program, so a part of what is above the round trip is its own.
"""

import argparse
import socket
import ssl
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

import lab  # noqa: E402


def prepare(folder, program):
    lab.run(program, "key", "init", folder / "tunnel", "--server", "keys.test", "--client", "edge")
    (folder / "keys").mkdir()
    key = folder / "keys" / "site.key"
    lab.run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
    key.chmod(0o400)
    lab.run("openssl", "req", "-x509", "-new", "-key", key, "-subj", "/CN=site.test", "-addext",
            "subjectAltName=DNS:site.test", "-days", "30", "-out", folder / "site.crt")


def end(folder, who):
    tunnel = folder / "tunnel"
    return ["--ca", tunnel / "ca.crt", "--cert", tunnel / f"{who}.crt", "--cert-key", tunnel / f"{who}.key"]


def handshakes(folder, port, version, count):
    context = ssl.create_default_context(cafile=folder / "site.crt")
    context.minimum_version = context.maximum_version = version
    took = []
    for _ in range(count):
        plain = socket.create_connection(("127.0.0.1", port), timeout=20)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        began = time.perf_counter()
        context.wrap_socket(plain, server_hostname="site.test").close()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=Path)
    parser.add_argument("--delay-ms", type=float, default=25)
    parser.add_argument("--count", type=int, default=40)
    options = parser.parse_args()
    program = options.program.resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, program)
        near, origin = lab.free_port(), lab.Origin()
        server = lab.Program([program, "key", "serve", "--keys", folder / "keys", *end(folder, "server"), "--listen",
                              f"127.0.0.1:{near}"], lambda: lab.accepts(near), folder / "server.log")
        cable = lab.FarAway(near, options.delay_ms / 1000)
        edges = []
        for port in (near, cable.port):
            here = lab.free_port()
            edge = lab.Program([program, "key", "edge", "--listen", f"127.0.0.1:{here}", "--certificate",
                                folder / "site.crt", "--origin", f"127.0.0.1:{origin.port}", "--server",
                                f"127.0.0.1:{port}", "--name", "keys.test", "--no-resumption", *end(folder, "edge")],
                               lambda here=here: lab.accepts(here), folder / f"edge{port}.log")
            lab.wait_for("tunnel", lambda edge=edge: "keyless.up" in edge.text())
            edges.append((edge, here))
        print(f"| version | next door, ms | {2 * options.delay_ms:g} ms away, ms | above one round trip, ms |")
        print("| --- | --- | --- | --- |")
        for label, version in (("TLS 1.2", ssl.TLSVersion.TLSv1_2), ("TLS 1.3", ssl.TLSVersion.TLSv1_3)):
            close, far = (handshakes(folder, here, version, options.count) for _, here in edges)
            print(f"| {label} | {close:.2f} | {far:.2f} | {far - close - 2 * options.delay_ms:+.2f} |", flush=True)
        for edge, _ in edges:
            edge.close()
        server.close()
        cable.close()
        origin.close()


if __name__ == "__main__":
    main()

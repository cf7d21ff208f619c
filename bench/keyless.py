#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""keyless.py [--seconds N] [--repeats N] SEKISHO: signatures per second of a key server.

The key server and the asking end (`key test`) run on the same machine over mutual TLS 1.3.
What counts is operations per second **of the server's own CPU time**, read from
/proc/PID/stat, beside `openssl speed` with its own CPU time in the same run: so neither the
asking end nor other work on the machine is in the figure. Wall figures stand beside it.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

import lab  # noqa: E402

KEYS = {
    "ecdsa-p256": (["EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "ecdsa-sha256", "ecdsap256"),
    "ecdsa-p384": (["EC", "-pkeyopt", "ec_paramgen_curve:P-384"], "ecdsa-sha384", "ecdsap384"),
    "rsa-2048": (["RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "pss-sha256", "rsa2048"),
    "rsa-4096": (["RSA", "-pkeyopt", "rsa_keygen_bits:4096"], "pss-sha256", "rsa4096"),
    "ed25519": (["ED25519"], "ed25519", "ed25519"),
}
TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def prepare(folder, program):
    keys = folder / "keys"
    keys.mkdir()
    for name, (kind, _, _) in KEYS.items():
        lab.run("openssl", "genpkey", "-algorithm", *kind, "-out", keys / f"{name}.key")
        (keys / f"{name}.key").chmod(0o400)
    lab.run(program, "key", "init", folder / "tunnel", "--server", "localhost", "--client", "edge")


def speed(name, seconds):
    """Signatures per CPU second of openssl itself; its -seconds counts user time."""
    text = lab.run("openssl", "speed", "-seconds", str(seconds), name, timeout=120).stdout
    row = [line for line in text.splitlines() if re.search(r"\d\.\d+s", line)][-1].split()
    return float(row[-2])


def measure(program, folder, server, name, options):
    _, op, _ = KEYS[name]
    shown = lab.run(program, "key", "show", folder / "keys" / f"{name}.key").stdout
    ski = [line.split()[1] for line in shown.splitlines() if line.startswith("ski")][0]
    tunnel = folder / "tunnel"
    before = cpu_seconds(server.pids())
    began = time.monotonic()
    text = lab.run(program, "key", "test", options.where, "--name", "localhost", "--key", ski, "--op", op, "--seconds",
                   str(options.seconds), "--in-flight", str(options.in_flight), "--connections",
                   str(options.connections), "--ca", tunnel / "ca.crt", "--cert", tunnel / "edge.crt", "--cert-key",
                   tunnel / "edge.key", timeout=options.seconds + 60).stdout
    spent = cpu_seconds(server.pids()) - before
    answers = int(re.search(r": (\d+) answers", text)[1])
    failed = int(re.search(r"(\d+) failed", text)[1])
    p50, p99 = (float(re.search(rf"{p} ([\d.]+) ms", text)[1]) for p in ("p50", "p99"))
    assert failed == 0, text
    return answers / spent, answers / (time.monotonic() - began), p50, p99


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=Path)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--keys", default=",".join(KEYS))
    options = parser.parse_args()
    program = options.program.resolve()
    version = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True).stdout.strip()
    print(f"{version}; {os.cpu_count()} cores; {options.in_flight} asks in flight on {options.connections} connection(s); "
          f"median of {options.repeats}\n")
    print("| key | openssl speed, sign/CPU s | key server, sign/CPU s | ratio | wall sign/s | p50 ms | p99 ms |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, program)
        port = lab.free_port()
        options.where = f"127.0.0.1:{port}"
        tunnel = folder / "tunnel"
        server = lab.Program([program, "key", "serve", "--keys", folder / "keys", "--ca", tunnel / "ca.crt", "--cert",
                              tunnel / "server.crt", "--cert-key", tunnel / "server.key", "--listen", options.where],
                             lambda: lab.accepts(port), folder / "log")
        try:
            for key in options.keys.split(","):
                limits, rows = [], []
                for _ in range(options.repeats):
                    limits.append(speed(KEYS[key][2], 1))
                    rows.append(measure(program, folder, server, key, options))
                limit = statistics.median(limits)
                own, wall, p50, p99 = (statistics.median(column) for column in zip(*rows))
                print(f"| {key} | {limit:,.0f} | {own:,.0f} | {own / limit:.2f} | {wall:,.0f} | {p50:.2f} | {p99:.2f} |",
                      flush=True)
        finally:
            server.close()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""keyless_edge.py [--scale N] [--repeats N] SEKISHO: what an edge pays for a key that is not its own.

Full TLS 1.3 handshakes, one GET each, with an edge whose key is in its worker, and with one
whose key is on a key server on the same machine, in turns; CPU milliseconds per 1,000 of all
processes of the edge, without the key server's. Target: at most 1.6 times.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

import edge  # noqa: E402
import lab  # noqa: E402

OPS = {"ec": 3000, "rsa": 2000}


class Local(edge.Sekisho):
    name = "local"


class Keyless(edge.Sekisho):
    name = "keyless"

    def start(self):
        w = self.world
        (self.folder / "data").mkdir()
        (self.folder / "data").chmod(0o777)
        tunnel = w.folder / "tunnel"
        keys = (f"keys {{ server 127.0.0.1:{w.key_port} called keys.test; certificate {tunnel}/edge.crt; "
                f"key {tunnel}/edge.key; authority {tunnel}/ca.crt }}\n")
        sites = keys + "".join(f"\tsite {edge.HOSTS[kind]} {{ keyless {w.pairs[kind][0]}; "
                               f"origin http://127.0.0.1:{w.origin_port} }}\n" for kind in edge.HOSTS)
        config = self.write("edge.conf", edge.SEKISHO.format(
            user=w.user, folder=self.folder, port=self.port, sites=sites, mtls=edge.HOSTS["mtls"], ca=w.client_ca))
        self.launch(w.program, "run", config)


class World(edge.World):
    """With a key server that has the keys of all sites."""

    def __init__(self, program, folder):
        super().__init__(program, folder)
        lab.run(program, "key", "init", folder / "tunnel", "--server", "keys.test", "--client", "edge")
        (folder / "keys").mkdir()
        for kind, (_, key) in self.pairs.items():
            copy = folder / "keys" / f"{kind}.key"
            copy.write_bytes(Path(key).read_bytes())
            copy.chmod(0o400)
        self.key_port = lab.free_port()
        tunnel = folder / "tunnel"
        self.keys = lab.Program([program, "key", "serve", "--keys", folder / "keys", "--ca", tunnel / "ca.crt", "--cert",
                                 tunnel / "server.crt", "--cert-key", tunnel / "server.key", "--listen",
                                 f"127.0.0.1:{self.key_port}"], lambda: lab.accepts(self.key_port), folder / "keys.log")

    def close(self):
        self.keys.close()
        super().close()


def measure(world, scale, repeats):
    both = [Local(world), Keyless(world)]
    cost = {}
    for peer in both:
        peer.start()
    for _ in range(repeats):  # in turns, so that what else the machine does meets both
        for kind in OPS:
            story = (f"full {kind}", "handshakes", OPS[kind], {"host": edge.HOSTS[kind], "tls": 13})
            for peer in both:
                cost.setdefault((kind, peer.name), []).append(edge.run_story(world, peer, story, scale))
    for peer in both:
        peer.close()
    return {which: statistics.median(times) for which, times in cost.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=Path)
    parser.add_argument("--scale", type=float, default=1, help="share of the operations, as 0.1")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        world = World(options.program.resolve(), Path(folder))
        try:
            cost = measure(world, options.scale, options.repeats)
        finally:
            world.close()
    print("| key | key in the edge, CPU ms / 1,000 | keyless | ratio |\n| --- | --- | --- | --- |")
    for kind in OPS:
        local, keyless = (cost[kind, name] * 1000 for name in ("local", "keyless"))
        print(f"| {kind} | {local:.0f} | {keyless:.0f} | {keyless / local:.2f} |")


if __name__ == "__main__":
    main()

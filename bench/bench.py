#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench [--only NAME,...] [--peers NAME,...] [--repeats N] [--scale X] SEKISHO

CPU seconds of all processes of each proxy per 1,000 operations, medians, all in one run on
one machine against one nginx origin, which resumes nothing. bench/README.md says how to
read the table; it is printed as markdown and kept in build/bench/last.md.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
os.environ["PATH"] += ":/usr/sbin:/sbin"

import lab  # noqa: E402
import peers  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
BODY_10M = 10 * 1024 * 1024
ALL = {cls.name: cls for cls in (
    peers.Sekisho, peers.SekishoPool, peers.Haproxy, peers.HaproxyRsa, peers.HaproxyPool,
    peers.Squid, peers.Sslsplit, peers.Mitmproxy, peers.NginxPreread, peers.Trafficserver)}


class Story:
    """One column of operations: how the client is called, and who takes part."""

    def __init__(self, name, title, mode, ops, who, **words):
        self.name, self.title, self.mode, self.ops = name, title, mode, ops
        self.peers, self.words = who, words


INSPECTING = ["sekisho", "haproxy", "squid", "sslsplit", "mitmproxy"]
KEEPING = [name for name in INSPECTING if name != "sslsplit"]  # it ends after one request
STORIES = [
    Story("handshakes", "full handshakes on both sides, origin verified, one name, no reuse",
          "handshakes", 1500, INSPECTING, host="www.good.example", path="/1k", expect=1024),
    Story("pool", "full handshakes with the client, upstream connections reused", "handshakes",
          3000, ["sekisho pool", "haproxy pool", "trafficserver"], host="www.good.example",
          path="/1k", expect=1024),
    Story("cold", "1,000 cold names, each origin verified first, a leaf minted for each",
          "handshakes", 1000, ["sekisho", "haproxy", "haproxy rsa", "squid", "sslsplit", "mitmproxy"],
          host="n%d.r{round}.cold.example", names=1000, path="/1k", expect=1024),
    Story("requests", "requests of 1 kB on kept connections", "requests", 30000, KEEPING,
          host="www.good.example", path="/1k", expect=1024, per=1000),
    Story("bodies", "10 MB bodies on kept connections", "bodies", 100, KEEPING,
          host="www.good.example", path="/10m", expect=BODY_10M, per=10),
    Story("bypass", "bypassed connections, one request each", "handshakes", 5000,
          ["sekisho", "nginx preread", "squid"], host="www.private.example", path="/1k", expect=1024),
    Story("bypass-bodies", "10 MB bodies through a bypass", "bodies", 200,
          ["sekisho", "nginx preread", "squid"], host="www.private.example", path="/10m",
          expect=BODY_10M, per=10),
]
IDLE_OPS = 500

NGINX = """\
daemon off;
user {user} nogroup;
worker_processes 1;
pid {folder}/nginx.pid;
events {{ worker_connections 16384; }}
http {{
	access_log off;
	keepalive_requests 10000000;
	keepalive_timeout 600s;
	server {{
		listen 127.0.0.1:{port} ssl backlog=4096;
		ssl_certificate {folder}/certs/$ssl_server_name.pem;
		ssl_certificate_key {folder}/certs/$ssl_server_name.pem;
		ssl_session_cache off;
		ssl_session_tickets off;
		root {folder}/www;
	}}
}}
"""


class World:
    """What all peers share: one origin, its names and certificates, the forging authority."""

    few_names = ["www.good.example", "www.private.example"]

    def __init__(self, program, load, folder, rounds):
        self.program, self.load, self.folder = program, load, folder
        folder.chmod(0o755)
        origins = lab.Pki(folder / "origins")
        forging = lab.Pki(folder / "forging", "Forging CA")
        self.root, self.ca, self.ca_key = origins.root, forging.root, forging.root_key
        self.ca_both = folder / "forging-both.pem"
        self.ca_both.write_bytes(self.ca.read_bytes() + self.ca_key.read_bytes())
        self.any_pem, self.rsa_pem = (self._joined(forging.issue("any.example", key=key))
                                      for key in ("ec", "rsa"))
        self.names = lab.Names()
        self.syslog, self.sink = peers.syslog_sink(folder)
        for path in folder.rglob("*.key"):
            path.chmod(0o644)  # a throw-away authority; the peers become other users
        self._certificates(origins, rounds)
        self._start_origin()

    @staticmethod
    def _joined(pair):
        both = pair[0].with_suffix(".both")
        both.write_bytes(pair[0].read_bytes() + pair[1].read_bytes())
        return both

    def _certificates(self, origins, rounds):
        certs = self.folder / "certs"
        certs.mkdir()
        wanted = [(name, 1) for name in self.few_names]
        wanted += [(f"n%d.r{number}.cold.example", 1000) for number in range(rounds)]
        for host, count in wanted:
            lab.run(self.load, "certs", f"host={host}", f"ops={count}", f"names={count}",
                    f"dir={certs}", f"ca={origins.root}", f"key={origins.root_key}")
        self.hosts = self.folder / "hosts"
        every = sorted(path.name.removesuffix(".pem") for path in certs.iterdir())
        self.hosts.write_text("".join(f"127.0.0.1 {name}\n" for name in every))
        self.hosts.chmod(0o644)

    def _start_origin(self):
        www = self.folder / "www"
        www.mkdir()
        (www / "1k").write_bytes(b"x" * 1024)
        (www / "10m").write_bytes(os.urandom(1024 * 1024) * 10)
        self.origin_port = lab.free_port()
        config = self.folder / "origin.conf"
        config.write_text(NGINX.format(folder=self.folder, port=self.origin_port, user=peers.NOBODY))
        self.origin = lab.Program(["nginx", "-p", self.folder, "-c", config, "-e",
                                   self.folder / "origin.log"],
                                  lambda: lab.accepts(self.origin_port), self.folder / "origin.out")

    def close(self):
        self.origin.close()
        self.names.close()
        self.sink.close()


def cpu_seconds(pids):
    """User and system time of the processes and of their children that ended."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(fields[i]) for i in (11, 12, 13, 14))
    return total / TICK


def pss_bytes(pids):
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in text.splitlines()
                     if line.startswith("Pss:"))
    return total


def load_words(world, peer, words):
    bypassed = words["host"].endswith("private.example")
    ca = world.root if bypassed else getattr(peer, "ca", world.ca)
    out = [f"{k}={v}" for k, v in words.items()]
    out += [f"proxy={peer.port}", f"origin={world.origin_port}", f"ca={ca}"]
    if peer.connect:
        out.append(f"connect={peer.connect}")
    return out


def run_story(world, peer, story, number, scale):
    words = dict(story.words, host=story.words["host"].format(round=number))
    ops = max(1, int(story.ops * scale))
    command = [world.load, story.mode, f"ops={ops}", *load_words(world, peer, words)]
    if story.name != "cold":  # the leaf, the pool and the caches are warm; cold is cold
        warm = [world.load, story.mode, *load_words(world, peer, words), "ops=20", "per=5"]
        lab.run(*warm, check=False, timeout=120)
    before = cpu_seconds(peer.pids())
    done = lab.run(*command, check=False, timeout=600)
    time.sleep(0.1)  # what is done after the last answer belongs to it
    spent = cpu_seconds(peer.pids()) - before
    try:
        result = json.loads(done.stdout)
    except ValueError:
        result = {"ops": 0, "errors": ops, "seconds": 0, "p50_us": 0, "p99_us": 0}
    result["complaint"] = done.stderr.strip().split("\n")[0]
    result["cpu"] = spent * 1000 / result["ops"] if result["ops"] else None
    return result


def run_idle(world, peer):
    """Octets per idle intercepted connection: both TLS halves, all processes."""
    words = load_words(world, peer, {"host": "www.good.example", "path": "/1k"})
    lab.run(world.load, "handshakes", "ops=50", *words, check=False, timeout=120)
    before = pss_bytes(peer.pids())
    client = subprocess.Popen([str(world.load), "idle", f"ops={IDLE_OPS}", *words],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        line = client.stdout.readline().split()
        good = int(line[1]) if line else 0
        time.sleep(1)
        held = pss_bytes(peer.pids()) - before
        client.communicate("", timeout=60)
    finally:
        client.kill()
        client.wait()
    return held / good if good else None


def median(values):
    values = [v for v in values if v is not None]
    return statistics.median(values) if values else None


def story_table(story, results):
    """Rows sorted by cost; the ratio is sekisho's cost to the peer's."""
    base = next((median([r["cpu"] for r in runs]) for name, runs in results.items()
                 if name.startswith("sekisho")), None)
    out = [f"### {story.title}", "",
           "| proxy | CPU s / 1,000 | sekisho is | ops/s | p50 ms | p99 ms | again | errors |",
           "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    rows = sorted(results.items(), key=lambda item: median([r["cpu"] for r in item[1]]) or 1e9)
    for name, runs in rows:
        cpu = median([r["cpu"] for r in runs])
        again, errors = (sum(r.get(key, 0) for r in runs) for key in ("again", "errors"))
        rate = median([r["ops"] / r["seconds"] if r["seconds"] else None for r in runs])
        p50, p99 = (median([r[key] / 1000 for r in runs]) for key in ("p50_us", "p99_us"))
        ratio = f"{base / cpu:.2f}×" if base and cpu and not name.startswith("sekisho") else ""
        cost = f"{cpu:.4f}" if cpu is not None else "failed"
        out.append(f"| {name} | {cost} | {ratio} | {rate or 0:.0f} | {p50:.2f} | {p99:.2f} | {again} | {errors} |")
    return out + [""]


def machine():
    model = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "?")
    openssl = lab.run("openssl", "version").stdout.split(" ")[1]
    return (f"{os.cpu_count()} × {model}, Linux {platform.release()}, OpenSSL {openssl}, "
            f"load at start {os.getloadavg()[0]:.1f}")


def versions(chosen):
    packages = {"haproxy": "haproxy", "squid": "squid-openssl", "sslsplit": "sslsplit",
                "mitmproxy": "mitmproxy", "nginx preread": "nginx-light", "trafficserver": "trafficserver"}
    out = []
    for name in chosen:
        if name in packages:
            done = lab.run("dpkg-query", "-W", "-f=${Version}", packages[name], check=False)
            out.append(f"{name} {done.stdout or '?'}")
    return ", ".join(out)


def build_load(folder):
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / "load"
    source = ROOT / "bench" / "load.c"
    if not out.exists() or out.stat().st_mtime < source.stat().st_mtime:
        lab.run("gcc", "-O2", "-D_GNU_SOURCE", "-o", out, source, "-lssl", "-lcrypto", "-lpthread")
    return out


def start_peers(world, wanted, notes):
    running = {}
    for name in wanted:
        if not ALL[name].installed():
            notes.append(f"{name}: not installed, left out")
            continue
        peer = ALL[name](world)
        try:
            peer.start()
            running[name] = peer
        except (RuntimeError, TimeoutError, subprocess.SubprocessError) as error:
            notes.append(f"{name}: did not start: {str(error).strip().splitlines()[-1][:200]}")
            peer.close()
    return running


def measure(world, stories, running, repeats, scale, notes):
    lines = []
    for story in stories:
        results = {name: [] for name in story.peers if name in running}
        for number in range(repeats):
            for name, runs in results.items():
                runs.append(run_story(world, running[name], story, number, scale))
                print(f"  {story.name} {number + 1}/{repeats} {name}: {runs[-1]}", file=sys.stderr)
        notes += [f"{story.name}, {name}: {runs[0]['complaint']}" for name, runs in results.items()
                  if runs and runs[0]["errors"]]
        lines += story_table(story, results)
    return lines


def idle_table(world, running):
    out = [f"### memory of an idle intercepted connection ({IDLE_OPS} held)", "",
           "| proxy | kB (PSS, all processes) |", "| --- | ---: |"]
    for name in KEEPING + ["sekisho pool"]:
        if name in running:
            held = run_idle(world, running[name])
            out.append(f"| {name} | {held / 1024:.1f} |" if held is not None else f"| {name} | failed |")
    return out + [""]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", type=Path)
    parser.add_argument("--only", default=",".join([s.name for s in STORIES] + ["idle"]))
    parser.add_argument("--peers", default=",".join(ALL))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1, help="share of the operations, as 0.1")
    args = parser.parse_args()
    only, chosen = args.only.split(","), [p for p in args.peers.split(",") if p in ALL]
    stories = [s for s in STORIES if s.name in only]
    kept = ROOT / "build" / "bench"
    load = build_load(kept)
    folder = Path(tempfile.mkdtemp(prefix="sekisho-bench-"))
    notes, running, world = [], {}, None
    try:
        world = World(args.program.resolve(), load, folder, args.repeats)
        needed = {name for s in stories for name in s.peers} | (set(KEEPING) if "idle" in only else set())
        lines = [f"Measured {time.strftime('%Y-%m-%d')}: {machine()}; {versions(chosen)}. "
                 f"Medians of {args.repeats}.", ""]
        running = start_peers(world, [p for p in chosen if p in needed], notes)
        idle = idle_table(world, running) if "idle" in only else []  # while all are young
        lines += measure(world, stories, running, args.repeats, args.scale, notes)
        lines += idle
        lines += [f"- {note}" for note in notes]
        (kept / "last.md").write_text("\n".join(lines) + "\n")
        print("\n".join(lines))
    finally:
        for peer in running.values():
            peer.close()
        if world:
            world.close()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

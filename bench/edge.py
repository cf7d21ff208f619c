#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""edge.py PROGRAM: what ending TLS costs, beside nginx, haproxy and hitch, in one run.

CPU seconds of all processes of a peer per 1,000 operations, as in bench.py; every peer has one worker or thread, the
same certificates, tickets for resumption, and the same plain nginx as origin over kept connections. hitch ends TLS
only: it passes bytes on to that nginx, so it has no HTTP to look at.
"""

import argparse
import grp
import json
import os
import pwd
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "bench")]

import bench  # noqa: E402
import lab  # noqa: E402
import peers  # noqa: E402

HOSTS = {"ec": "ec.edge.example", "rsa": "rsa.edge.example", "mtls": "mtls.edge.example"}

ORIGIN = """\
worker_processes 1; daemon off; user {user} {group}; pid {folder}/origin.pid; error_log {folder}/origin.log;
events {{ worker_connections 8192; }}
http {{ access_log off; keepalive_requests 1000000; keepalive_timeout 600s;
server {{ listen 127.0.0.1:{port}; root {folder}/www; }} }}
"""

SEKISHO = """\
workers 1
user {user}
data {folder}/data
control {folder}/control.sock
listen 127.0.0.1:{port} as edge use bench
edge bench {{
	upstream {{ idle-timeout 10min }}
{sites}
	clients {mtls} {{ certificate require; authority {ca} }}
}}
"""

NGINX = """\
worker_processes 1; daemon off; user {user} {group}; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{ access_log {folder}/access.log; keepalive_requests 1000000; keepalive_timeout 600s; ssl_protocols TLSv1.2 TLSv1.3;
ssl_session_cache off; ssl_session_tickets on; ssl_session_timeout 18h; proxy_http_version 1.1; proxy_set_header Connection "";
upstream back {{ server 127.0.0.1:{origin}; keepalive 512; keepalive_requests 1000000; }}
{servers} }}
"""

HAPROXY = """\
global
	nbthread 1
	maxconn 8000
	log {log} format raw local0
	tune.ssl.cachesize 0
	tune.ssl.default-dh-param 2048
defaults
	mode http
	log global
	option httplog
	timeout connect 10s
	timeout client 600s
	timeout server 600s
frontend front
	bind 127.0.0.1:{port} ssl crt-list {list} alpn http/1.1
	default_backend back
backend back
	http-reuse always
	server origin 127.0.0.1:{origin}
"""

HITCH = """\
frontend = {{ host = "127.0.0.1" port = "{port}" }}
backend = "[127.0.0.1]:{origin}"
workers = 1
daemon = off
user = "{user}"
pem-file = "{ec}"
pem-file = "{rsa}"
tls-protos = TLSv1.2 TLSv1.3
"""


class Sekisho(peers.Peer):
    name = "sekisho"
    keys_in = "worker"

    @classmethod
    def installed(cls):
        return True

    def start(self):
        w = self.world
        (self.folder / "data").mkdir()
        os.chmod(self.folder / "data", 0o777)
        sites = "".join(f"\tsite {HOSTS[kind]} {{ certificate {w.pairs[kind][0]} key {w.pairs[kind][1]} "
                        f"kept-by {self.keys_in}; origin http://127.0.0.1:{w.origin_port} }}\n" for kind in HOSTS)
        config = self.write("edge.conf", SEKISHO.format(user=w.user, folder=self.folder, port=self.port, sites=sites,
                                                        mtls=HOSTS["mtls"], ca=w.client_ca))
        self.launch(w.program, "run", config)


class SekishoVault(Sekisho):
    """Each signature is asked of the process that has the keys and no network."""

    name = "sekisho vault"
    keys_in = "vault"


class Nginx(peers.Peer):
    name = program = "nginx"

    def start(self):
        w = self.world
        asks = f"ssl_client_certificate {w.client_ca}; ssl_verify_client on;"
        servers = "".join(
            f"server {{ listen 127.0.0.1:{self.port} ssl; server_name {HOSTS[kind]}; ssl_certificate {w.pairs[kind][0]}; "
            f"ssl_certificate_key {w.pairs[kind][1]}; {asks if kind == 'mtls' else ''} "
            f"location / {{ proxy_pass http://back; }} }}\n" for kind in HOSTS)
        config = self.write("nginx.conf", NGINX.format(user=w.user, group=w.group, folder=self.folder, origin=w.origin_port, servers=servers))
        self.launch("nginx", "-p", self.folder, "-c", config)


class Haproxy(peers.Peer):
    name = program = "haproxy"

    def start(self):
        w = self.world
        asks = f"[ca-file {w.client_ca} verify required] "
        crts = self.write("crt-list", "".join(
            f"{w.joined[kind]} {asks if kind == 'mtls' else ''}{HOSTS[kind]}\n" for kind in HOSTS))
        config = self.write("haproxy.cfg", HAPROXY.format(port=self.port, list=crts, origin=w.origin_port, log=w.syslog))
        self.launch("haproxy", "-W", "-db", "-f", config)


class Hitch(peers.Peer):
    name = program = "hitch"

    def start(self):
        w = self.world
        config = self.write("hitch.conf", HITCH.format(port=self.port, origin=w.origin_port, user=w.user,
                                                       ec=w.joined["ec"], rsa=w.joined["rsa"]))
        self.launch("hitch", "--config", config)


PEERS = [Sekisho, SekishoVault, Nginx, Haproxy, Hitch]

# name, what, mode, operations, words
STORIES = [
    ("full P-256", "handshakes", 3000, {"host": HOSTS["ec"]}),
    ("full RSA-2048", "handshakes", 2000, {"host": HOSTS["rsa"]}),
    ("mTLS P-256", "handshakes", 2000, {"host": HOSTS["mtls"], "cert": "{client}"}),
    ("resumed TLS 1.3", "handshakes", 4000, {"host": HOSTS["ec"], "tls": 13, "resume": 1}),
    ("resumed TLS 1.2", "handshakes", 6000, {"host": HOSTS["ec"], "tls": 12, "resume": 1}),
    ("requests", "requests", 40000, {"host": HOSTS["ec"], "per": 1000}),
    ("10 MB bodies", "bodies", 60, {"host": HOSTS["ec"], "per": 10, "path": "/10m"}),
]
IDLE = 1000


class World:
    def __init__(self, program, folder):
        self.program, self.folder, self.user = program, folder, peers.NOBODY
        self.group = grp.getgrgid(pwd.getpwnam(self.user).pw_gid).gr_name
        folder.chmod(0o755)
        self.load = bench.build_load(folder)
        pki = lab.Pki(folder / "pki")
        lab.run(program, "key", "init", folder / "clients", "--server", "unused.example", "--client", "client")
        self.root, self.client_ca = pki.root, folder / "clients" / "ca.crt"
        self.client_ca.chmod(0o644)
        self.client_ca.parent.chmod(0o755)
        self.pairs = {kind: pki.issue(host, key="rsa" if kind == "rsa" else "ec") for kind, host in HOSTS.items()}
        self.joined = {kind: bench.World._joined(pair) for kind, pair in self.pairs.items()}
        self.client = bench.World._joined([folder / "clients" / f"client.{end}" for end in ("crt", "key")])
        self.syslog, self.sink = peers.syslog_sink(folder)
        (folder / "www").mkdir()
        (folder / "www" / "1k").write_bytes(b"x" * 1024)
        (folder / "www" / "10m").write_bytes(os.urandom(1024 * 1024) * 10)
        self.origin_port = lab.free_port()
        config = folder / "origin.conf"
        config.write_text(ORIGIN.format(folder=folder, port=self.origin_port, user=self.user, group=self.group))
        self.origin = lab.Program(["nginx", "-p", folder, "-c", config, "-e", folder / "origin.log"],
                                  lambda: lab.accepts(self.origin_port), folder / "origin.out")

    def words(self, peer, words):
        return [f"{key}={str(value).format(client=self.client)}" for key, value in {"path": "/1k", **words}.items()] + \
            [f"proxy={peer.port}", f"ca={self.root}"]

    def close(self):
        self.origin.close()
        self.sink.close()


def run_story(world, peer, story, scale):
    _, mode, ops, words = story
    ops = max(8, int(ops * scale))
    lab.run(world.load, mode, *world.words(peer, {**words, "per": 5}), "ops=40", check=False, timeout=120)
    before = bench.cpu_seconds(peer.pids())
    done = lab.run(world.load, mode, f"ops={ops}", *world.words(peer, words), check=False, timeout=600)
    time.sleep(0.1)  # what is done after the last answer belongs to it
    spent = bench.cpu_seconds(peer.pids()) - before
    result = json.loads(done.stdout) if done.stdout.startswith("{") else {"ops": 0, "errors": ops}
    if result["ops"] == 0 or result["errors"] > 0:
        print(f"{peer.name}: {story[0]}: {done.stderr.strip()[:200]}", file=sys.stderr)
        return None
    return spent * 1000 / result["ops"]


def run_idle(world, peer):
    words = world.words(peer, {"host": HOSTS["ec"]})
    before = bench.pss_bytes(peer.pids())
    client = subprocess.Popen([str(world.load), "idle", f"ops={IDLE}", *words], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    try:
        line = client.stdout.readline().split()
        good = int(line[1]) if line else 0
        time.sleep(1)
        held = bench.pss_bytes(peer.pids()) - before
        client.communicate("", timeout=60)
    finally:
        client.kill()
        client.wait()
    return held / good / 1024 if good else None


def cell(value, ours, digits):
    if value is None:
        return "–"
    ratio = f" ({ours / value:.2f}×)" if ours is not None and value and value != ours else ""
    return f"{value:.{digits}f}{ratio}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", type=Path)
    parser.add_argument("--scale", type=float, default=1, help="share of the operations, as 0.1")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-edge-") as folder:
        world = World(args.program.resolve(), Path(folder))
        running = []
        try:
            for kind in PEERS:
                if not kind.installed():
                    print(f"{kind.name}: not installed", file=sys.stderr)
                    continue
                peer = kind(world)
                peer.start()
                running.append(peer)
            names = [peer.name for peer in running]
            print("CPU seconds per 1,000 operations; in brackets what sekisho needs of it.\n")
            print("| story | " + " | ".join(names) + " |\n| --- |" + " ---: |" * len(names))
            for story in STORIES:
                found = {peer.name: [] for peer in running}
                for _ in range(args.repeats):
                    for peer in running:
                        if peer.name == "hitch" and "cert" in story[3]:
                            continue
                        value = run_story(world, peer, story, args.scale)
                        found[peer.name] += [] if value is None else [value]
                values = {name: bench.median(v) if v else None for name, v in found.items()}
                print(f"| {story[0]} | " + " | ".join(
                    cell(values[name], values["sekisho"], 3) for name in names) + " |", flush=True)
            idle = {peer.name: run_idle(world, peer) for peer in running}
            print("| idle connection, KiB | " + " | ".join(cell(idle[name], idle["sekisho"], 1) for name in names) + " |")
        finally:
            for peer in running:
                peer.close()
            world.close()


if __name__ == "__main__":
    main()

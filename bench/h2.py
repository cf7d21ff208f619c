#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench/h2.py [--repeats N] [--requests N] SEKISHO

HTTP/2, beside haproxy, mitmproxy and nginx in the same run: CPU seconds of all processes of
each proxy per 1,000 requests of 1 kB, 100 streams at a time over 4 connections (h2load),
inspected and terminated; how much later the first octet of an event arrives than straight
from the origin; what an idle connection and an idle stream cost in memory.
"""

import argparse
import asyncio
import contextlib
import os
import re
import shutil
import socket
import ssl
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
os.environ["PATH"] += ":/usr/sbin:/sbin"

import h2_frames  # noqa: E402
import lab  # noqa: E402
from bench import cpu_seconds, machine, pss_bytes  # noqa: E402

HOST = "www.good.example"
CONNECTIONS = 200  # idle ones that are held
STREAMS = 1000     # idle ones that are held, over
STREAMS_OVER = 10  # connections
REST_S = 4         # sekisho gives memory back when a connection has been idle for 3 s
NGINX = """\
daemon off;
user nobody nogroup;
worker_processes 1;
pid {folder}/nginx.pid;
events {{ worker_connections 4096; }}
http {{
	access_log off;
	keepalive_requests 10000000;
	http2_max_requests 10000000;
	server {{
		listen 127.0.0.1:{tls} ssl http2;
		listen 127.0.0.1:{plain};
		ssl_certificate {cert};
		ssl_certificate_key {key};
		root {folder}/www;
	}}
}}
"""
NGINX_EDGE = """\
daemon off;
user nobody nogroup;
worker_processes 1;
pid {folder}/nginx-edge.pid;
events {{ worker_connections 4096; }}
http {{
	access_log {folder}/nginx-edge.access combined buffer=32k;
	keepalive_requests 10000000;
	http2_max_requests 10000000;
	upstream plain {{ server 127.0.0.1:{plain}; keepalive 200; }}
	server {{
		listen 127.0.0.1:{nginx_edge} ssl http2;
		ssl_certificate {cert};
		ssl_certificate_key {key};
		location / {{ proxy_pass http://plain; proxy_http_version 1.1; proxy_set_header Connection ""; }}
	}}
}}
"""
# The name's own certificate is there: haproxy 2.6 offers no ALPN with one that it forges.
HAPROXY = """\
global
	nbthread 1
defaults
	mode http
	log {log} format raw local0
	option httplog
	timeout connect 10s
	timeout client 300s
	timeout server 300s
frontend forging
	bind 127.0.0.1:{forging} ssl crt {both} ca-sign-file {ca} generate-certificates alpn h2,http/1.1
	default_backend inspected
backend inspected
	http-reuse safe
	server origin 127.0.0.1:{tls} ssl verify required ca-file {root} sni ssl_fc_sni alpn h2
frontend frames
	bind 127.0.0.1:{frames} ssl crt {both} ca-sign-file {ca} generate-certificates alpn h2,http/1.1
	default_backend frames
backend frames
	http-reuse safe
	server origin 127.0.0.1:{origin_port} ssl verify required ca-file {root} sni ssl_fc_sni alpn h2
frontend edge
	bind 127.0.0.1:{edge} ssl crt {both} alpn h2,http/1.1
	default_backend plain
backend plain
	http-reuse safe
	server origin 127.0.0.1:{plain}
"""
EDGE = """\
workers 1
user {user}
data {folder}/data
control {folder}/control.sock
events {{ store {folder}/data/events.db }}
listen 127.0.0.1:{edge_port} as edge use shop
edge shop {{
	site {host} {{ certificate {cert} key {key}; origin http://127.0.0.1:{plain} }}
}}
"""


class Doorway:
    """Lets h2load, which knows no CONNECT, through a proxy that wants one. Costs the proxy nothing.
    The target is an address for those that ask no name server of ours."""

    def __init__(self, proxy, target):
        self.proxy, self.target, self.port = proxy, target, lab.free_port()
        self.loop = asyncio.new_event_loop()
        self.loop.run_until_complete(asyncio.start_server(self.visit, "127.0.0.1", self.port))
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    async def visit(self, reader, writer):
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.proxy)
        far_writer.write(f"CONNECT {self.target} HTTP/1.1\r\nHost: {self.target}\r\n\r\n".encode())
        await far_reader.readuntil(b"\r\n\r\n")
        await asyncio.gather(self.pump(reader, far_writer), self.pump(far_reader, writer))

    @staticmethod
    async def pump(reader, writer):
        try:
            while (piece := await reader.read(65536)):
                writer.write(piece)
                await writer.drain()
            writer.write_eof()
        except OSError:
            writer.close()


class World:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        folder.chmod(0o755)
        origins, forging = lab.Pki(folder / "origins"), lab.Pki(folder / "forging", "Forging CA")
        self.root = origins.root
        self.cert, self.key = origins.issue(HOST)
        self.both, self.ca = folder / "both.pem", folder / "ca.pem"
        self.both.write_bytes(self.cert.read_bytes() + self.key.read_bytes())
        self.ca.write_bytes(forging.root.read_bytes() + forging.root_key.read_bytes())
        (folder / "www").mkdir()
        (folder / "www" / "1k").write_bytes(b"x" * 1024)
        self.names = lab.Names()
        self.tls, self.plain = lab.free_port(), lab.free_port()
        self.origin = h2_frames.Origin(self.cert, self.key)
        self.origin_port = self.origin.port
        self.running = [self.start("nginx", NGINX, self.tls, "nginx", "-p", folder, "-e", folder / "origin.log", "-c")]

    def start(self, name, text, port, *command, **words):
        config = self.folder / f"{name}.conf"
        config.write_text(text.format(**{**vars(self), "host": HOST, **words}))
        return lab.Program([*command, config], lambda: lab.accepts(port), self.folder / f"{name}.log")

    def start_haproxy(self):
        self.sink = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.log = self.folder / "syslog.sock"
        self.sink.bind(str(self.log))
        threading.Thread(target=self.read_log, daemon=True).start()
        self.forging, self.edge, self.frames = lab.free_port(), lab.free_port(), lab.free_port()
        self.running.append(self.start("haproxy", HAPROXY, self.edge, "haproxy", "-W", "-db", "-f"))
        return self.running[-1]

    def read_log(self):
        with contextlib.suppress(OSError):
            while True:
                self.sink.recv(65536)

    def start_gateway(self, name="gateway", json=False):
        """Events go to the store, as they do unasked; `json`: to a file of lines as well."""
        gateway = lab.Gateway(self.program, self.folder / name, self.names, self.root, "", json=json)
        self.running.append(gateway.process)
        return gateway

    def start_mitmproxy(self):
        folder = self.folder / "mitmproxy"
        folder.mkdir()
        (folder / "mitmproxy-ca.pem").write_bytes(self.ca.read_bytes())
        self.mitmproxy = lab.free_port()
        self.running.append(lab.Program(
            ["mitmdump", "-q", "--listen-host", "127.0.0.1", "-p", self.mitmproxy, "--set", f"confdir={folder}",
             "--set", f"ssl_verify_upstream_trusted_ca={self.root}"],
            lambda: lab.accepts(self.mitmproxy), self.folder / "mitmproxy.log"))
        return self.running[-1]

    def start_nginx(self):
        self.nginx_edge = lab.free_port()
        self.running.append(self.start("nginx-edge", NGINX_EDGE, self.nginx_edge, "nginx", "-p", self.folder,
                                       "-e", self.folder / "nginx-edge.log", "-c"))
        return self.running[-1]

    def start_edge(self):
        user = "nobody" if os.getuid() == 0 else os.environ.get("USER", "nobody")
        folder = self.folder / "edge"
        (folder / "data").mkdir(parents=True)
        if os.getuid() == 0:
            shutil.chown(folder / "data", user)
        self.edge_port = lab.free_port()
        self.running.append(self.start("edge", EDGE, self.edge_port, self.program, "run",
                                       user=user, folder=folder))
        return self.running[-1]

    def close(self):
        for program in reversed(self.running):
            program.close()
        self.origin.close()
        self.names.close()


def load(port, requests):
    """Requests that were answered, and per second."""
    done = lab.run("h2load", "-n", requests, "-c", "4", "-m", "25", "--connect-to", f"127.0.0.1:{port}",
                   f"https://{HOST}/1k", check=False, timeout=600)
    good = re.search(r"(\d+) 2xx", done.stdout)
    rate = re.search(r", ([\d.]+) req/s", done.stdout)
    return int(good[1]) if good else 0, float(rate[1]) if rate else 0.0


def measure(process, port, requests):
    load(port, 400)
    before = cpu_seconds(process.pids())
    good, rate = load(port, requests)
    time.sleep(0.1)
    spent = cpu_seconds(process.pids()) - before
    return (spent * 1000 / good if good == requests else None), rate


def table(title, rows, repeats, requests):
    """rows: name, process, port, and which part of the requests it gets."""
    results = {name: [] for name, *_ in rows}
    for _ in range(repeats):
        for name, process, port, part in rows:
            results[name].append(measure(process, port, requests // part))
    cost = {name: statistics.median(cpu for cpu, _ in runs) if all(cpu for cpu, _ in runs) else None
            for name, runs in results.items()}
    out = [f"### {title}", "", "| proxy | CPU s / 1,000 | sekisho is | requests/s |", "| --- | ---: | ---: | ---: |"]
    for name, runs in results.items():
        ratio = f"{cost['sekisho'] / cost[name]:.2f}×" if name != "sekisho" and cost["sekisho"] and cost[name] else ""
        text = f"{cost[name]:.4f}" if cost[name] is not None else "failed"
        out.append(f"| {name} | {text} | {ratio} | {statistics.median(r for _, r in runs):.0f} |")
    return out + [""]


def secured(s, roots):
    context = ssl.create_default_context(cafile=roots)
    context.set_alpn_protocols(["h2"])
    tls = context.wrap_socket(s, server_hostname=HOST)
    if tls.selected_alpn_protocol() != "h2":
        raise ConnectionError("no HTTP/2")
    return h2_frames.Client(tls, HOST)


def open_straight(port, roots):
    """A client whose connection goes to this port and finds there whom it looks for."""
    return lambda: secured(socket.create_connection(("127.0.0.1", port)), roots)


def open_asking(proxy, port, roots):
    """The same by way of a proxy that wants CONNECT."""
    def open_one():
        s = socket.create_connection(("127.0.0.1", proxy))
        s.sendall(f"CONNECT {HOST}:{port} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        s.recv(4096)
        return secured(s, roots)

    return open_one


def delay_table(world, rows, count):
    out = [f"### the first octet of an event, from the origin to the client ({count} streams)", "",
           "| way | p50 ms | p99 ms |", "| --- | ---: | ---: |"]
    world.origin.mode.value = h2_frames.EVENT
    for name, opened in rows:
        h2_frames.delays(opened(), 20)
        delays = h2_frames.delays(opened(), count)
        out.append(f"| {name} | {delays[count // 2] * 1000:.3f} | {delays[count * 99 // 100] * 1000:.3f} |")
    return out + [""]


def hold_connections(process, opened, keep):
    """KiB of one of so many that were answered once and wait. They stay in `keep`: what would be freed
    would be used again by what is measured next."""
    keep += [opened() for _ in range(20)]
    before = pss_bytes(process.pids())
    for _ in range(CONNECTIONS):
        keep.append(opened())
        keep[-1].ask("/1k")
        keep[-1].answer()
    time.sleep(REST_S)
    return (pss_bytes(process.pids()) - before) / CONNECTIONS / 1024


def hold_streams(world, process, opened):
    """(Streams that a connection is offered, KiB of one that waits for its answer.)"""
    clients = [opened() for _ in range(STREAMS_OVER)]
    for client in clients:
        client.ask()
        client.answer()
    before = pss_bytes(process.pids())
    world.origin.mode.value = h2_frames.SILENCE
    for client in clients:
        client.ask(count=STREAMS // STREAMS_OVER)
    time.sleep(2)
    return clients[0].most, (pss_bytes(process.pids()) - before) / STREAMS / 1024


def memory_table(world, inspected, terminated):
    out = ["### memory (PSS of all processes, KiB)", "",
           "| proxy | idle connection, inspected | streams a connection | idle stream, inspected "
           "| idle connection, terminated |", "| --- | ---: | ---: | ---: | ---: |"]
    for name in [*inspected, *(name for name in terminated if name not in inspected)]:
        cells, keep = ["", "", "", ""], []
        if name in inspected:
            process, opened = inspected[name]
            world.origin.mode.value = h2_frames.PAGE
            cells[0] = f"{hold_connections(process, opened, keep):.1f}"
            most, stream = hold_streams(world, process, opened)
            cells[1:3] = [str(most), f"{stream:.1f}"]
        if name in terminated:
            cells[3] = f"{hold_connections(*terminated[name], keep):.1f}"
        out.append(f"| {name} | " + " | ".join(cells) + " |")
    return out + [""]


def bench(world, args):
    """The tables. Memory first, while all are young."""
    haproxy, mitmproxy, nginx, edge = (world.start_haproxy(), world.start_mitmproxy(), world.start_nginx(),
                                       world.start_edge())
    gateway, lines = world.start_gateway(), world.start_gateway("lines", json=True)
    origin = world.origin.port
    inspected = {"sekisho": (gateway.process, open_asking(gateway.port, origin, gateway.root)),
                 "haproxy": (haproxy, open_straight(world.frames, world.root))}
    terminated = {"sekisho": (edge, open_straight(world.edge_port, world.root)),
                  "haproxy": (haproxy, open_straight(world.edge, world.root)),
                  "nginx": (nginx, open_straight(world.nginx_edge, world.root))}
    memory = memory_table(world, inspected, terminated)
    target = f"{HOST}:{world.tls}"
    out = table("inspected, HTTP/2 on both sides",
                [("sekisho", gateway.process, Doorway(gateway.port, target).port, 1),
                 ("sekisho, JSON lines too", lines.process, Doorway(lines.port, target).port, 1),
                 ("haproxy", haproxy, world.forging, 1),
                 ("mitmproxy", mitmproxy, Doorway(world.mitmproxy, f"127.0.0.1:{world.tls}").port, 20)], args.repeats, args.requests)
    out += table("terminated, HTTP/2 to an origin of HTTP/1.1",
                 [("sekisho", edge, world.edge_port, 1), ("haproxy", haproxy, world.edge, 1),
                  ("nginx", nginx, world.nginx_edge, 1)], args.repeats, args.requests)
    out += delay_table(world, [("straight", open_straight(origin, world.root)),
                               ("sekisho", inspected["sekisho"][1]), ("haproxy", inspected["haproxy"][1])], 500)
    return out + memory


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[2])
    parser.add_argument("program", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--requests", type=int, default=20000)
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="sekisho-bench-h2-"))
    world = None
    try:
        world = World(args.program.resolve(), folder)
        print(f"Measured {time.strftime('%Y-%m-%d')}: {machine()}. Medians of {args.repeats}.\n")
        print("\n".join(bench(world, args)))
    finally:
        if world:
            world.close()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

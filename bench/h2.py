#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench/h2.py [--repeats N] [--requests N] SEKISHO

HTTP/2, beside haproxy in the same run: CPU seconds of all processes of each proxy per 1,000
requests of 1 kB, 100 streams at a time over 4 connections (h2load), inspected and terminated;
and by how much later the first octets of events arrive than straight from the origin.
"""

import argparse
import asyncio
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

import lab  # noqa: E402
from bench import cpu_seconds, machine  # noqa: E402

HOST = "www.good.example"
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
events {{ store {folder}/data/events.db; json {folder}/data/events.json }}
listen 127.0.0.1:{edge_port} as edge use shop
edge shop {{
	site {host} {{ certificate {cert} key {key}; origin http://127.0.0.1:{plain} }}
}}
"""


class Doorway:
    """Lets h2load, which knows no CONNECT, through a proxy that wants one. Costs the proxy nothing."""

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
        self.running = [self.start("nginx", NGINX, self.tls, "nginx", "-p", folder, "-e", folder / "origin.log", "-c")]

    def start(self, name, text, port, *command, **words):
        config = self.folder / f"{name}.conf"
        config.write_text(text.format(**{**vars(self), "host": HOST, **words}))
        return lab.Program([*command, config], lambda: lab.accepts(port), self.folder / f"{name}.log")

    def start_haproxy(self):
        self.sink = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.log = self.folder / "syslog.sock"
        self.sink.bind(str(self.log))
        self.forging, self.edge = lab.free_port(), lab.free_port()
        self.running.append(self.start("haproxy", HAPROXY, self.edge, "haproxy", "-W", "-db", "-f"))
        return self.running[-1]

    def start_gateway(self):
        self.gateway = lab.Gateway(self.program, self.folder / "gateway", self.names, self.root, "")
        self.running.append(self.gateway.process)
        return self.gateway.process

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
    results = {name: [measure(process, port, requests) for _ in range(repeats)] for name, process, port in rows}
    cost = {name: statistics.median(cpu for cpu, _ in runs) if all(cpu for cpu, _ in runs) else None
            for name, runs in results.items()}
    out = [f"### {title}", "", "| proxy | CPU s / 1,000 | sekisho is | requests/s |", "| --- | ---: | ---: | ---: |"]
    for name, runs in results.items():
        ratio = f"{cost['sekisho'] / cost[name]:.2f}×" if name != "sekisho" and cost["sekisho"] and cost[name] else ""
        text = f"{cost[name]:.4f}" if cost[name] is not None else "failed"
        out.append(f"| {name} | {text} | {ratio} | {statistics.median(r for _, r in runs):.0f} |")
    return out + [""]


def event_delays(open_socket, world, count):
    """Seconds from the writing of an event to its reading, all in this process."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(world.cert, world.key)
    door = socket.create_server(("127.0.0.1", 0))
    sent, told = [], threading.Semaphore(0)

    def serve():
        connection, _ = door.accept()
        with context.wrap_socket(connection, server_side=True) as s:
            s.recv(65536)
            s.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(count):
                told.acquire()
                time.sleep(0.002)
                sent.append(time.perf_counter())
                s.sendall(b"9\r\ndata: x\n\n\r\n")

    threading.Thread(target=serve, daemon=True).start()
    port = door.getsockname()[1]
    delays = []
    with open_socket(port) as s:
        s.sendall(f"GET / HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n".encode())
        s.recv(65536)
        for number in range(count):
            told.release()
            while b"data" not in s.recv(65536):
                pass
            delays.append(time.perf_counter() - sent[number])
    door.close()
    return sorted(delays)


def open_straight(world):
    context = ssl.create_default_context(cafile=world.root)
    return lambda port: context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname=HOST)


def open_inspected(world):
    context = ssl.create_default_context(cafile=world.gateway.root)

    def open_one(port):
        s = socket.create_connection(("127.0.0.1", world.gateway.port))
        s.sendall(f"CONNECT {HOST}:{port} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        s.recv(4096)
        return context.wrap_socket(s, server_hostname=HOST)

    return open_one


def delay_table(world, count):
    out = ["### an event's way from the origin to the client", "", "| way | p50 ms | p99 ms |", "| --- | ---: | ---: |"]
    for name, opened in (("straight", open_straight(world)), ("inspected", open_inspected(world))):
        delays = event_delays(opened, world, count)
        out.append(f"| {name} | {delays[count // 2] * 1000:.3f} | {delays[count * 99 // 100] * 1000:.3f} |")
    return out + [""]


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
        haproxy, gateway, edge = world.start_haproxy(), world.start_gateway(), world.start_edge()
        doorway = Doorway(world.gateway.port, f"{HOST}:{world.tls}")
        lines = [f"Measured {time.strftime('%Y-%m-%d')}: {machine()}. Medians of {args.repeats}.", ""]
        lines += table("inspected, HTTP/2 on both sides", [("sekisho", gateway, doorway.port), ("haproxy", haproxy, world.forging)],
                       args.repeats, args.requests)
        lines += table("terminated, HTTP/2 to an origin of HTTP/1.1", [("sekisho", edge, world.edge_port), ("haproxy", haproxy, world.edge)],
                       args.repeats, args.requests)
        lines += delay_table(world, 500)
        print("\n".join(lines))
    finally:
        if world:
            world.close()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""lab: a little internet on loopback, for demo, scenes and bench.

An authority for origins (made with openssl), a name server that knows their names, origins
that speak TLS, and the gateway under test with a configuration of its own. Everything
lives in a directory of the caller's and on ephemeral ports; everything started here is
ended by process id. Standard library only.
"""

import contextlib
import datetime
import http.server
import json
import os
import queue
import random
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time
from pathlib import Path

START_TIMEOUT_S = 20
STOP_TIMEOUT_S = 20


def run(*command, timeout=60, check=True, **more):
    """A command without standard input, its output captured as text."""
    return subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=timeout, check=check, **more)


def free_port():
    """A loopback port nobody uses now, below those the kernel gives to outgoing connections."""
    while True:
        port = random.SystemRandom().randint(11000, 31999)
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            return port


def wait_for(what, condition, timeout_s=START_TIMEOUT_S):
    """Asks until the condition holds; fails with the given words otherwise."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.03)
    raise TimeoutError(f"{what}: not within {timeout_s} s")


def accepts(port, host="127.0.0.1"):
    with contextlib.suppress(OSError):
        socket.create_connection((host, port), timeout=1).close()
        return True
    return False


def listens(port):
    """Whether somebody listens on the IPv4 port, without knocking (Linux)."""
    wanted = f"0100007F:{port:04X}"
    rows = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(row.split()[1] == wanted and row.split()[3] == "0A" for row in rows)


class Pki:
    """A root and what it signs. Names in `roots` (default: root) are PEM files."""

    def __init__(self, folder, name="Lab Root"):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.root = self.folder / "root.pem"
        self.root_key = self.folder / "root.key"
        self.serial = 1
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-keyout", self.root_key, "-out", self.root, "-days", "30",
            "-subj", f"/O=Lab/CN={name}",
            "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    @staticmethod
    def _san(names):
        kinds = ("IP" if n.replace(".", "").isdigit() or ":" in n else "DNS" for n in names)
        return ",".join(f"{kind}:{name}" for kind, name in zip(kinds, names))

    def issue(self, *names, begins_days=-1, ends_days=30, key="ec", self_signed=False):
        """(certificate file, key file) for these names."""
        stem = self.folder / f"{names[0].replace('*', 'any').replace(':', '_')}-{self.serial}"
        self.serial += 1
        pem, key_file, csr = (stem.with_name(stem.name + s) for s in (".pem", ".key", ".csr"))
        new_key = (["-newkey", "rsa:2048"] if key == "rsa" else
                   ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"])
        run("openssl", "req", "-new", *new_key, "-nodes", "-keyout", key_file, "-out", csr,
            "-subj", f"/O=Lab/CN={names[0][:60]}")
        now = datetime.datetime.now(datetime.timezone.utc)
        begin, end = (now + datetime.timedelta(days=d) for d in (begins_days, ends_days))
        self._sign(csr, pem, key_file if self_signed else None, self._san(names), begin, end)
        return pem, key_file

    def _sign(self, csr, pem, own_key, san, begin, end):
        """openssl ca, because it alone can set both dates on OpenSSL 3.0."""
        work = self.folder / f"{pem.name}.d"
        work.mkdir()
        (work / "index.txt").write_text("")
        (work / "serial").write_text(f"{0x10000 + self.serial:06X}\n")
        (work / "ca.cnf").write_text(
            f"[ca]\ndefault_ca = lab\n[lab]\ndatabase = {work}/index.txt\n"
            f"serial = {work}/serial\nnew_certs_dir = {work}\ndefault_md = sha256\n"
            "policy = any\nunique_subject = no\n[any]\norganizationName = optional\n"
            "commonName = optional\n[leaf]\nbasicConstraints = critical,CA:FALSE\n"
            "keyUsage = critical,digitalSignature,keyEncipherment\n"
            "extendedKeyUsage = serverAuth\nsubjectKeyIdentifier = hash\n"
            + ("" if own_key else "authorityKeyIdentifier = keyid\n")
            + f"subjectAltName = {san}\n")
        signer = (["-selfsign", "-keyfile", own_key] if own_key else
                  ["-cert", self.root, "-keyfile", self.root_key])
        run("openssl", "ca", "-batch", "-notext", "-config", work / "ca.cnf", *signer,
            "-extensions", "leaf", "-in", csr, "-out", pem,
            "-startdate", begin.strftime("%Y%m%d%H%M%SZ"),
            "-enddate", end.strftime("%Y%m%d%H%M%SZ"))
        shutil.rmtree(work)


class Names:
    """A name server on a UDP port: every name below `zone` is 127.0.0.1, others are not."""

    def __init__(self, zone="example"):
        self.zone = zone
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.asked = []
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    @staticmethod
    def _question(packet):
        labels, at = [], 12
        while packet[at]:
            labels.append(packet[at + 1:at + 1 + packet[at]].decode("ascii", "replace"))
            at += 1 + packet[at]
        kind = struct.unpack("!H", packet[at + 1:at + 3])[0]
        return ".".join(labels).lower(), kind, packet[12:at + 5]

    def _serve(self):
        while True:
            try:
                packet, peer = self.socket.recvfrom(4096)
                if not packet:
                    continue
                name, kind, question = self._question(packet)
            except OSError:
                return
            except (IndexError, struct.error):
                continue
            self.asked.append((name, kind))
            known = name == self.zone or name.endswith("." + self.zone)
            answers = 1 if known and kind == 1 else 0
            flags = 0x8580 | (0 if known else 3)
            reply = packet[:2] + struct.pack("!HHHHH", flags, 1, answers, 0, 0) + question
            if answers:
                reply += struct.pack("!HHHIH", 0xC00C, 1, 1, 5, 4) + bytes([127, 0, 0, 1])
            with contextlib.suppress(OSError):
                self.socket.sendto(reply, peer)

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Handler(http.server.BaseHTTPRequestHandler):
    """GET / a line; /headers what arrived; /bytes/N; /chunked/N; POST anything: its length."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, body, kind="text/plain; charset=utf-8", status=200):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _chunked(self, count):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(count):
            piece = f"piece {number}\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def do_GET(self):
        self.server.origin.seen.append((self.command, self.path, dict(self.headers)))
        parts = self.path.split("?")[0].strip("/").split("/")
        if parts[0] in self.server.origin.routes:
            self.server.origin.routes[parts[0]](self)
        elif parts[0] == "headers":
            self.answer(json.dumps(list(self.headers.items())).encode(), "application/json")
        elif parts[0] == "bytes" and len(parts) > 1:
            self.answer(bytes(int(parts[1])), "application/octet-stream")
        elif parts[0] == "chunked" and len(parts) > 1:
            self._chunked(int(parts[1]))
        elif parts[0] == "status" and len(parts) > 1:
            self.answer(b"as asked\n", status=int(parts[1]))
        else:
            self.answer(self.server.origin.greeting.encode())

    do_HEAD = do_GET

    def read_body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = b""
        while (size := int(self.rfile.readline().split(b";")[0], 16)):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def do_POST(self):
        self.server.origin.seen.append((self.command, self.path, dict(self.headers)))
        first = self.path.split("?")[0].strip("/").split("/")[0]
        body = self.read_body()
        if first in self.server.origin.routes:
            self.body = body
            self.server.origin.routes[first](self)
        else:
            self.answer(f"{len(body)} octets\n".encode())

    do_PUT = do_POST


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def finish_request(self, request, address):
        """The handshake belongs to the connection's thread, not to accept()."""
        with contextlib.suppress(OSError, ValueError):
            if self.origin.context:
                request.settimeout(30)
                request = self.origin.context.wrap_socket(request, server_side=True)
            super().finish_request(request, address)

    def handle_error(self, *_):
        pass


class Server6(Server):
    address_family = socket.AF_INET6


class Origin:
    """A TLS origin (plain HTTP without certificate) in threads of this process.

    routes: first part of the path -> function of the handler, which answers.
    """

    def __init__(self, certificate=None, greeting="hello from the origin\n", routes=None, alpn=None,
                 address="127.0.0.1"):
        self.greeting = greeting
        self.routes = routes or {}
        self.seen = []
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
            if alpn:
                self.context.set_alpn_protocols(alpn)
        server = Server6 if ":" in address else Server
        self.server = server((address, 0), Handler)
        self.server.origin = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05},
                         daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class FarAway:
    """Passes bytes on, each `delay_s` later, both ways: a long cable."""

    def __init__(self, target, delay_s, host="127.0.0.1"):
        self.target, self.delay_s = (host, target), delay_s
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.socket.accept()
                far = socket.create_connection(self.target)
                for one, other in ((near, far), (far, near)):
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one, other):
        waiting = queue.Queue()

        def deliver():
            while (due_and_data := waiting.get()) is not None:
                time.sleep(max(0, due_and_data[0] - time.monotonic()))
                with contextlib.suppress(OSError):
                    other.sendall(due_and_data[1])
            other.close()

        threading.Thread(target=deliver, daemon=True).start()
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                waiting.put((time.monotonic() + self.delay_s, data))
        waiting.put(None)

    def close(self):
        self.socket.close()


class Program:
    """A process that serves; ended by its id, and nobody else's."""

    def __init__(self, command, ready, log, **more):
        self.log = Path(log)
        self.file = self.log.open("wb")
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL,
                                        stdout=self.file, stderr=subprocess.STDOUT,
                                        start_new_session=True, **more)
        try:
            wait_for(f"start of {command[0]}", lambda: self._up(ready))
        except BaseException:
            self.close()
            raise

    def _up(self, ready):
        if self.process.poll() is not None:
            raise RuntimeError(f"ended with {self.process.returncode}:\n{self.text()}")
        return ready()

    def text(self):
        return self.log.read_text(errors="replace")

    def pids(self):
        """The process and all below it."""
        found, todo = [], [self.process.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            with contextlib.suppress(OSError):
                for task in Path(f"/proc/{pid}/task").iterdir():
                    todo += [int(p) for p in (task / "children").read_text().split()]
        return found

    def close(self, how=signal.SIGTERM):
        """Its exit code; whatever does not end in time is killed."""
        family = self.pids()
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            code = self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            code = None
        for pid in family:
            with contextlib.suppress(OSError):
                if code is None or os.getsid(pid) == self.process.pid:
                    os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.file.close()
        return code


CONFIG = """\
workers {workers}
user {user}
data {folder}/data
control {folder}/control.sock
drain-timeout {drain}
{top}
events {{ store {folder}/data/events.db; {json} }}
resolver {{ servers 127.0.0.1:{names}; {resolver} }}
listen 127.0.0.1:{port} as proxy use lab {{ {listen} }}
gateway lab {{
	authority {folder}/ca
	upstream {{ trust {trust}; {upstream} }}
	reach {{ {reach} }}
{body}
}}
"""


class Gateway:
    """The gateway under test, with an authority and a configuration of its own."""

    def __init__(self, program, folder, names, trust, body="", *, top="", upstream="", listen="", resolver="",
                 reach="ports any; allow 127.0.0.0/8 ::1/128", workers=1, drain="2s", json=True,
                 authority=()):
        self.program = Path(program).resolve()
        self.folder = Path(folder)
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.config = self.folder / "sekisho.conf"
        self.root = self.folder / "lab-root.pem"
        self.user = "nobody" if os.getuid() == 0 else os.environ.get("USER", "nobody")
        self.values = {"workers": workers, "user": self.user, "folder": self.folder, "top": top,
                       "names": names.port, "port": self.port, "trust": trust,
                       "upstream": upstream, "listen": listen, "resolver": resolver, "reach": reach, "drain": drain,
                       "json": f"json {self.folder}/data/events.json" if json else ""}
        self.configure(body)
        self.command("ca", "init", *authority, self.folder / "ca")
        self.root.write_bytes((self.folder / "ca" / "root.crt").read_bytes())
        self.root.chmod(0o644)
        self._own()
        log = self.folder / "gateway.log"  # ports are open before all processes are ready
        self.process = Program([self.program, "run", self.config],
                               lambda: listens(self.port) and "generation.serves" in log.read_text(),
                               log)

    def configure(self, body, **changes):
        """Writes the configuration; a running gateway reads it at SIGHUP."""
        self.config.write_text(CONFIG.format(**{**self.values, "body": body, **changes}))

    def _own(self):
        """Started as root the processes become somebody else, who must own the data."""
        if os.getuid() == 0:
            os.chmod(self.folder, 0o755)
            shutil.chown(self.folder / "data", self.user)

    def command(self, *arguments, check=True, timeout=60):
        return run(self.program, *arguments, check=check, timeout=timeout)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def events(self):
        """What the JSON sink has so far."""
        path = self.folder / "data" / "events.json"
        if not path.exists():
            return []
        lines = path.read_text(errors="replace").split("\n")
        return [json.loads(line) for line in lines[:-1] if line]

    def wait_event(self, timeout_s=10, **wanted):
        """The first event with these values."""

        def look():
            for event in self.events():
                if all(event.get(k) == v for k, v in wanted.items()):
                    return event
            return None

        return wait_for(f"event with {wanted} among {len(self.events())}", look, timeout_s)

    def log(self):
        return self.process.text()

    def close(self):
        return self.process.close()

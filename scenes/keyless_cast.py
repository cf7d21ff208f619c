# SPDX-License-Identifier: Apache-2.0
"""Who plays in the scenes of keys that live elsewhere: key servers, edges, their certificates."""

import os
import shutil
import signal
import socket
import ssl
import time

import pytest

import lab


@pytest.fixture(scope="module")
def home(stage, program):
    """A tunnel's certificates, two keys, and the certificates of their sites."""
    folder = stage / f"keyless-{len(list(stage.iterdir()))}"  # one for each file of scenes
    folder.mkdir()
    lab.run(program, "key", "init", folder / "tunnel", "--server", "keys.test", "--client", "edge1",
            "--client", "edge2", "--client", "edge3")
    keys = folder / "keys"
    keys.mkdir()
    for name, kind in (("ec", ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
                       ("rsa", ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])):
        lab.run("openssl", "genpkey", *kind, "-out", keys / f"{name}.key")
        (keys / f"{name}.key").chmod(0o400)
        lab.run("openssl", "req", "-x509", "-new", "-key", keys / f"{name}.key", "-subj", f"/CN={name}.test",
                "-addext", f"subjectAltName=DNS:{name}.test", "-days", "30", "-out", folder / f"{name}.crt")
    return folder


def ends(home, who):
    tunnel = home / "tunnel"
    return ["--ca", tunnel / "ca.crt", "--cert", tunnel / f"{who}.crt", "--cert-key", tunnel / f"{who}.key"]


class KeyServer(lab.Program):
    def __init__(self, program, home, log, *more, port=None, keys=None):
        self.port = port or lab.free_port()
        super().__init__([program, "key", "serve", "--keys", keys or home / "keys", *ends(home, "server"),
                          "--listen", f"127.0.0.1:{self.port}", *more],
                         lambda: lab.accepts(self.port), log)


class Edge(lab.Program):
    def __init__(self, program, home, log, servers, origin, *more, site="ec"):
        self.port = lab.free_port()
        self.site, self.home = site, home
        ports = [part for port in servers for part in ("--server", f"127.0.0.1:{port}")]
        super().__init__([program, "key", "edge", "--listen", f"127.0.0.1:{self.port}", "--certificate",
                          home / f"{site}.crt", "--origin", f"127.0.0.1:{origin}", *ports, "--name", "keys.test",
                          *ends(home, "edge1"), *more],
                         lambda: lab.accepts(self.port), log)

    def shake(self, version=None, timeout=15):
        """One handshake; the open stream."""
        context = ssl.create_default_context(cafile=self.home / f"{self.site}.crt")
        if version:
            context.minimum_version = context.maximum_version = version
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=timeout)
        return context.wrap_socket(plain, server_hostname=f"{self.site}.test")

    def get(self, **more):
        with self.shake(**more) as stream:
            stream.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = b""
            while piece := stream.recv(65536):
                answer += piece
        return answer

    def wait_up(self, count=1):
        lab.wait_for("tunnel", lambda: self.text().count("keyless.up") >= count)

    def state(self):
        before = self.text().count("handshakes=")
        self.process.send_signal(signal.SIGUSR1)
        lab.wait_for("state", lambda: self.text().count("handshakes=") > before)
        time.sleep(0.1)
        line = [line for line in self.text().splitlines() if line.startswith("handshakes=")][-1]
        return {key: int(value) for key, value in (word.split("=") for word in line.split())}


@pytest.fixture
def cast(tmp_path, home, program):
    """start("server" | "edge", ...): ended, and looked through for reports, afterwards."""
    started = []

    def start(kind, *arguments, **more):
        one = kind(program, home, tmp_path / f"log-{len(started)}", *arguments, **more)
        started.append(one)
        return one

    yield start
    for one in reversed(started):
        code = one.close()
        assert code == 0, one.text()[-3000:]
        assert "ERROR: " not in one.text() and "runtime error:" not in one.text(), one.text()[-6000:]


@pytest.fixture(scope="module")
def origin():
    server = lab.Origin(greeting="from the origin\n")
    yield server
    server.close()


def ski_of(program, path):
    text = lab.run(program, "key", "show", path).stdout
    return bytes.fromhex([line.split()[1] for line in text.splitlines() if line.startswith("ski")][0])


def resident(pid):
    """All that is mapped, readable and there: (begin, end) of each such mapping."""
    at = None
    for line in lab.Path(f"/proc/{pid}/smaps").read_text().splitlines():
        words = line.split()
        if "-" in words[0] and not words[0].endswith(":"):
            at = words if words[1].startswith("r") and "[v" not in line else None
        elif at and words[0] == "Rss:" and int(words[1]) > 0:
            begin, end = (int(part, 16) for part in at[0].split("-"))
            if end - begin <= 1 << 30:  # else a sanitizer's shadow
                yield begin, end


def memory_holds(pid, number):
    """Whether the process has these octets, in this order or as big numbers lie in memory."""
    turned = number[::-1]
    with open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for begin, end in resident(pid):
            try:
                memory.seek(begin)
                data = memory.read(end - begin)
            except (OSError, ValueError):
                continue
            if number in data or turned in data:
                return True
    return False


def can_write_cores(program):
    """Whether a debugger is there, and the program's memory is of a size for a file: a sanitizer's shadow is not."""
    return shutil.which("gcore") and b"__asan_" not in lab.Path(program).read_bytes()


def core_holds(pid, number, place):
    """The same for a core of the process, as a debugger writes one: registers and all that is mapped."""
    shown = lab.run("gcore", "-o", place / "core", pid, timeout=120, check=False)
    core = place / f"core.{pid}"
    assert core.exists(), shown.stdout + shown.stderr
    turned, kept, before = number[::-1], len(number) - 1, b""
    with core.open("rb") as file:
        while piece := file.read(1 << 24):
            if number in before + piece or turned in before + piece:
                return True
            before = piece[-kept:]
    core.unlink()
    return False


def private_number(key):
    """What nobody else may have of it: the scalar of an EC key, a prime of an RSA key."""
    text = lab.run("openssl", "pkey", "-in", key, "-noout", "-text").stdout
    part = text.split("priv:")[1].split("pub:")[0] if "priv:" in text else \
        text.split("prime1:")[1].split("prime2:")[0]
    return bytes.fromhex("".join(part.split()).replace(":", ""))[-32:]


KEY_SERVER = """\
workers 2
user {user}
data {folder}/data
control {folder}/control.sock
events {{ json {folder}/data/events.json }}
listen 127.0.0.1:{port} as keyserver use keys
keyserver keys {{
	keys {home}/keys
	certificate {home}/tunnel/server.crt
	key {home}/tunnel/server.key
	authority {home}/tunnel/ca.crt
	client edge1 {{ names ec.test rsa.test }}
}}
"""

EDGE = """\
workers 1
user {user}
data {folder}/data
control {folder}/control.sock
events {{ json {folder}/data/events.json }}
listen 127.0.0.1:{port} as edge use shop
edge shop {{
	keys {{
		server 127.0.0.1:{server} called keys.test
		certificate {home}/tunnel/edge1.crt
		key {home}/tunnel/edge1.key
		authority {home}/tunnel/ca.crt
	}}
	site ec.test {{ keyless {home}/ec.crt; origin http://127.0.0.1:{origin} }}
	site rsa.test {{ keyless {home}/rsa.crt; origin http://127.0.0.1:{origin} }}
}}
"""


class Configured(lab.Program):
    def __init__(self, program, home, log, text, **words):
        self.port = lab.free_port()
        self.folder = log.parent / log.name.replace("log", "run")
        (self.folder / "data").mkdir(parents=True)
        user = "nobody" if os.getuid() == 0 else os.environ.get("USER", "nobody")
        if os.getuid() == 0:
            for path in [self.folder / "data", self.folder, *self.folder.parents]:
                if path == lab.Path("/tmp"):
                    break
                path.chmod(path.stat().st_mode | 0o711)
            shutil.chown(self.folder / "data", user)
        config = self.folder / "sekisho.conf"
        config.write_text(text.format(user=user, folder=self.folder, port=self.port, home=home, **words))
        self.log = log
        super().__init__(self.command_line(program, config), self.is_ready, log)

    def command_line(self, program, config):
        return [program, "run", "-c", config]

    def is_ready(self):
        return lab.accepts(self.port)


def check_list(port, ca, folder):
    """The list that leafs name is served, though the key that signs it is elsewhere."""
    url, got = "http://sekisho.internal/ca.crl", folder / "ca.crl"
    lab.wait_for("the list", lambda: lab.run("curl", "-sf", "--proxy", f"http://127.0.0.1:{port}", url, "-o", got,
                                             check=False).returncode == 0)
    done = lab.run("openssl", "crl", "-inform", "DER", "-in", got, "-noout", "-CAfile", ca / "node.crt")
    assert "verify OK" in done.stderr

# SPDX-License-Identifier: Apache-2.0
"""Ten thousand handshakes that wait for one key server that has stopped, and everybody else, who goes on."""

import contextlib
import os
import resource
import selectors
import signal
import socket
import ssl
import time

import pytest

import lab
from keyless_cast import Configured, KeyServer, cast, home, origin  # noqa: F401

CROWD = 10_000

EDGE = """\
workers 1
connections 12000
user {user}
data {folder}/data
control {folder}/control.sock
admin 127.0.0.1:{admin}
listen 127.0.0.1:{port} as edge use shop
listen 127.0.0.1:{other} as edge use others
edge shop {{
	client {{ handshake-timeout 10min }}
	keys {{
		server 127.0.0.1:{slow} called keys.test
		certificate {home}/tunnel/edge1.crt
		key {home}/tunnel/edge1.key
		authority {home}/tunnel/ca.crt
		timeout 5min
	}}
	site ec.test {{ keyless {home}/ec.crt; origin http://127.0.0.1:{origin} }}
}}
edge others {{
	keys {{
		server 127.0.0.1:{quick} called keys.test
		certificate {home}/tunnel/edge2.crt
		key {home}/tunnel/edge2.key
		authority {home}/tunnel/ca.crt
	}}
	site rsa.test {{ keyless {home}/rsa.crt; origin http://127.0.0.1:{origin} }}
}}
"""


def hello(name):
    """The first flight of a client, as octets; nothing it says is secret, so many may say the same."""
    out = ssl.MemoryBIO()
    context = ssl.create_default_context()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name).do_handshake()
    return out.read()


class Crowd:
    """So many clients that have said hello and wait."""

    def __init__(self, port, count):
        first = hello("ec.test")
        self.streams = []
        for i in range(count):
            one = socket.socket()
            one.bind((f"127.0.0.{2 + i % 8}", 0))
            one.connect(("127.0.0.1", port))
            one.sendall(first)
            self.streams.append(one)

    def answered(self, deadline_s):
        """How many have the certificate's signature: in TLS 1.3 it comes with the whole flight, or not at all."""
        got, ends = 0, time.monotonic() + deadline_s
        with selectors.DefaultSelector() as waiting:
            for one in self.streams:
                waiting.register(one, selectors.EVENT_READ)
            while got < len(self.streams) and time.monotonic() < ends:
                for key, _ in waiting.select(1):
                    waiting.unregister(key.fileobj)
                    flight = key.fileobj.recv(65536)
                    got += flight[:1] == b"\x16" and len(flight) > 500
        return got

    def close(self):
        for one in self.streams:
            one.close()


@pytest.fixture
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < CROWD + 1000:
        pytest.skip(f"at most {hard} open files here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def waiting(admin):
    text = lab.run("curl", "-sS", f"http://127.0.0.1:{admin}/metrics").stdout
    return sum(int(line.split()[-1]) for line in text.splitlines()
               if line.startswith("sekisho_signatures_waiting"))


def test_ten_thousand_wait_while_others_are_served(cast, home, origin, many_files):  # noqa: F811
    slow, quick = cast(KeyServer), cast(KeyServer)
    admin, other = lab.free_port(), lab.free_port()
    edge = cast(Configured, EDGE, admin=admin, other=other, slow=slow.port, quick=quick.port, origin=origin.port)
    lab.wait_for("tunnels", lambda: edge.text().count("keyless.up") == 2)
    stopped = slow.pids()
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        crowd = Crowd(edge.port, CROWD)
        lab.wait_for("all to wait", lambda: waiting(admin) == CROWD, timeout_s=120)
        for version in ("1.2", "1.3"):  # a full handshake each, signed by the other key server
            got = lab.run("curl", "-sS", "--max-time", "30", "--cacert", home / "rsa.crt", "--tls-max", version,
                          f"--tlsv{version}", "--resolve", f"rsa.test:{other}:127.0.0.1", f"https://rsa.test:{other}/")
            assert "from the origin" in got.stdout
        assert waiting(admin) == CROWD
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    assert crowd.answered(120) == CROWD
    crowd.close()
    lab.wait_for("nobody to wait", lambda: waiting(admin) == 0)

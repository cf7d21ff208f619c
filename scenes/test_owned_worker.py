# SPDX-License-Identifier: Apache-2.0
"""Somebody owns a worker: what comes of it (rubric 36, 37, 100).

Code execution is simulated by taking over: the worker is stopped, and this test speaks in its
place, over its own line to the vault and as its own user.
"""

import contextlib
import ctypes
import os
import signal
import socket
import struct
import subprocess

import pytest

import keyless_peer as keys
import lab
import wire

from test_processes import HOST, kind

MINT, LEAFKEYS, CERT_ID, FUNCTION = 0xA0, 0xA1, 0x06, 0x13
PIDFD_OPEN, PIDFD_GETFD = 434, 438


def facts(name):
    """As pki/leaf_facts.c reads them: version, normal, P-256, days, dates, names, addresses."""
    names = bytes([len(name)]) + name.encode()
    return struct.pack(">BBBHqq", 1, 0, 1, 30, 0, 0) + struct.pack(">H", len(names)) + names + b"\0\0"


class Owned:
    """A worker that does what we say."""

    def __init__(self, gateway):
        self.pid = kind(gateway, "worker")[0]
        self.authority = str(gateway.folder / "ca").encode()
        os.kill(self.pid, signal.SIGSTOP)
        self.ident = 1 << 20  # of nobody's question
        self.stream = None
        for name in sorted(os.listdir(f"/proc/{self.pid}/fd"), key=int):
            if not os.readlink(f"/proc/{self.pid}/fd/{name}").startswith("socket:"):
                continue
            taken = self.take(int(name))
            if (taken.family, taken.type) == (socket.AF_UNIX, socket.SOCK_STREAM):
                self.stream = self.stream or (taken if self.is_vault(taken) else None)
                if self.stream is taken:
                    break
            taken.close()

    def take(self, fd):
        libc = ctypes.CDLL(None, use_errno=True)
        pidfd = libc.syscall(PIDFD_OPEN, self.pid, 0)
        got = libc.syscall(PIDFD_GETFD, pidfd, fd, 0)
        os.close(pidfd)
        if got < 0:
            pytest.skip(f"taking over a process: {os.strerror(ctypes.get_errno())}")
        return socket.socket(fileno=got)

    def is_vault(self, stream):
        stream.setblocking(True)
        stream.settimeout(2)
        try:
            stream.sendall(keys.message(77, (keys.OP, bytes([keys.PING])), pad=0))
            return keys.read_message(stream)[1][keys.OP][0] == keys.PONG
        except (OSError, EOFError, KeyError):
            return False

    def ask(self, op, payload=b"", *more):
        self.ident += 1
        self.stream.sendall(keys.message(self.ident, (keys.OP, bytes([op])),
                                         (keys.PAYLOAD, payload), *more, pad=0))
        _, items, _ = keys.read_message(self.stream)
        return items[keys.OP][0], items.get(keys.PAYLOAD, b"")

    def mint(self, name):
        return self.ask(MINT, facts(name), (CERT_ID, self.authority))[0] == keys.RESPONSE

    def close(self):
        if self.stream:
            self.stream.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


@pytest.fixture
def owned(open_gateway):
    if os.getuid() != 0:
        pytest.skip("taking over another user's process needs root")
    gateway = open_gateway("\tmint { never bank.example; rate 1; burst 20 }")
    it = Owned(gateway)
    it.gateway = gateway
    yield it
    it.close()


def test_37_it_mints_no_name_that_policy_forbids_and_not_many_of_the_others(owned):
    assert owned.stream, "the worker's line to the vault was not found"
    assert owned.mint("a.good.example")
    for name in ["bank.example", "www.bank.example", "*.bank.example", "*.example"]:
        assert not owned.mint(name), name
    minted = sum(owned.mint(f"n{i}.good.example") for i in range(60))
    assert 10 <= minted < 60
    log = owned.gateway.log()
    assert "code=vault.name" in log and "code=vault.rate" in log
    # What was minted before costs nothing, and the vault lives.
    assert owned.mint("a.good.example")


def test_37_it_signs_nothing_with_the_authoritys_key(owned):
    pem = (owned.gateway.folder / "ca" / "node.crt").read_bytes()
    ski = subprocess.run(["openssl", "x509", "-noout", "-ext", "subjectKeyIdentifier"], input=pem,
                         capture_output=True, check=True).stdout.split()[-1]
    ski = bytes.fromhex(ski.decode().replace(":", ""))
    for function in (b"", b"own"):
        code, _ = owned.ask(0x15, bytes(32), (keys.SKI, ski), (FUNCTION, function))
        assert code == keys.ERROR
    for op in (0xA3, 0xA7, 0xAF, 0xF5):
        assert owned.ask(op)[0] == keys.ERROR


def test_36_neither_the_key_nor_the_vaults_memory_is_in_its_reach(owned):
    status = open(f"/proc/{owned.pid}/status").read()
    uid = int(status.split("\nUid:")[1].split()[0])
    vault = kind(owned.gateway, "vault")[0]
    tries = [f"open({str(owned.gateway.folder / 'ca' / 'node.key')!r})", f"open('/proc/{vault}/mem')",
             f"open('/proc/{vault}/environ')", f"__import__('os').listdir('/proc/{vault}/fd')"]
    for what in tries:
        r = subprocess.run(["/usr/bin/python3", "-c", what], user=uid, capture_output=True, text=True)
        assert "PermissionError" in r.stderr, (what, r.stderr)
    code, answer = owned.ask(LEAFKEYS)
    assert code == keys.RESPONSE  # of the day; they end with it
    secret = (owned.gateway.folder / "ca" / "node.key").read_bytes()
    der = subprocess.run(["openssl", "pkey", "-outform", "DER"], input=secret, capture_output=True,
                         check=True).stdout
    assert der[-40:] not in answer and der[36:68] not in answer


def test_the_others_do_not_notice(owned, street):
    assert owned.mint("x.good.example")
    os.kill(owned.pid, signal.SIGKILL)
    lab.wait_for("a new worker",
                 lambda: [p for p in kind(owned.gateway, "worker") if p != owned.pid])
    with wire.secure(owned.gateway, HOST, street.origins["good"].port, owned.gateway.root) as s:
        assert wire.get(s, HOST).status == 200

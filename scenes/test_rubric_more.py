# SPDX-License-Identifier: Apache-2.0
"""The trust rubric, end to end, second half: running short, running dark, and running hidden.

Tests are named after the number; test_rubric.py has the table of all of them.
"""

import contextlib
import os
import resource
import select
import shutil
import signal
import subprocess
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

import hellos
import lab
import wire

ROOT = Path(__file__).resolve().parent.parent
HOST = "www.good.example"


def visit(gateway, street, host=HOST):
    with wire.secure(gateway, host, street.origins["good"].port, gateway.root) as s:
        return wire.get(s, host)


def child(gateway, word):
    """The process id of a worker, vault or scribe."""
    for pid in gateway.process.pids():
        if word in Path(f"/proc/{pid}/comm").read_text() or word in Path(
                f"/proc/{pid}/cmdline").read_text().replace("\0", " "):
            if pid != gateway.process.process.pid:
                return pid
    raise AssertionError(f"no {word}")


def test_90_nothing_is_administered_from_afar(open_gateway, street):
    quiet = open_gateway()
    assert visit(quiet, street).status == 200
    mine = {quiet.port}
    inodes = {os.readlink(f).removeprefix("socket:[").rstrip("]")
              for pid in quiet.process.pids() for f in sockets_of(pid)}
    listening = {int(row.split()[1].split(":")[1], 16)
                 for row in Path("/proc/net/tcp").read_text().splitlines()[1:]
                 if row.split()[3] == "0A" and row.split()[9] in inodes}
    assert listening == mine  # no port but the configured one
    assert (quiet.folder / "control.sock").stat().st_mode & 0o077 == 0

    port = lab.free_port()
    open_gateway(top=f"admin 127.0.0.1:{port}")

    def ask(path, **headers):
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    assert ask("/metrics") == 200 and ask("/metrics", Host=f"localhost:{port}") == 200
    assert ask("/metrics", Host="rebound.example") == 421
    assert ask("/reload") == 404
    posted = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", data=b"x")
    with pytest.raises(urllib.error.HTTPError, match="405"):
        urllib.request.urlopen(posted, timeout=10)


def sockets_of(pid):
    for f in Path(f"/proc/{pid}/fd").iterdir():
        if str(os.readlink(f)).startswith("socket:["):
            yield f


FEW = 96  # descriptors


@pytest.fixture
def starved(program, stage, names, pki):
    """A gateway that may not open as many descriptors as it has clients."""
    wrapper = stage / "few-descriptors"
    wrapper.write_text(f'#!/bin/sh\nulimit -n {FEW}\nexec {program.resolve()} "$@"\n')
    wrapper.chmod(0o755)
    gateway = lab.Gateway(wrapper, stage / "starved", names, pki.root)
    with contextlib.suppress(PermissionError):  # whoever may raise the limit has done so
        for pid in gateway.process.pids():
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (FEW, FEW))
    yield gateway
    gateway.close()


def test_98_without_descriptors_it_sheds_load_and_recovers(starved, street):
    assert visit(starved, street).status == 200
    worker, crowd, ends = child(starved, "worker"), [], []
    for _ in range(FEW + 16):
        with contextlib.suppress(OSError):
            crowd.append(wire.dial(starved))

    def try_it():
        try:
            ends.append(visit(starved, street).status)
        except (OSError, EOFError, AssertionError) as error:
            ends.append(error)

    late = threading.Thread(target=try_it)
    late.start()
    # It comes last, so while the others stay there is nothing to serve it with.
    lab.wait_for("somebody sent away", lambda: select.select(crowd, [], [], 0)[0])
    shed = [s for s in select.select(crowd, [], [], 0)[0] if wire.ends(s)]
    for s in crowd:
        s.close()
    late.join(60)
    assert shed and not late.is_alive()
    # Inspected or refused: never past the gateway, whose root alone is trusted here.
    assert "CERTIFICATE_VERIFY_FAILED" not in str(ends[0])
    assert ends[0] in (200, 502, 503, 504) or isinstance(ends[0], (OSError, EOFError, AssertionError))
    lab.wait_for("service", lambda: visit(starved, street).status == 200)
    assert child(starved, "worker") == worker  # the same one: it did not die of it


def test_99_while_the_vault_is_stuck_nobody_passes_unseen(open_gateway, street):
    gateway = open_gateway("""
	rule named when net.sni.host == "www.bypassed.example" do bypass
""")
    assert visit(gateway, street).status == 200
    vault, answers = child(gateway, "vault"), []
    os.kill(vault, signal.SIGSTOP)
    try:
        before = len(street.origins["good"].seen)
        waiting = threading.Thread(target=lambda: answers.append(visit(gateway, street, "www.fresh.example")))
        waiting.start()
        # Meanwhile a bypass by name goes on, honestly: with the origin's own certificate.
        host = "www.bypassed.example"
        with wire.connect(gateway, host, street.origins["good"].port) as s:
            with pytest.raises(OSError, match="(?i)certificate"):
                wire.context(gateway.root).wrap_socket(s, server_hostname=host)
        gateway.wait_event(kind="session", host=host, action="bypass")
        assert not answers and len(street.origins["good"].seen) == before
    finally:
        os.kill(vault, signal.SIGCONT)
    waiting.join(60)
    assert answers


ECH = 0xFE0D


def outer(host):
    """A ClientHello that offers ECH (RFC 9849 §5); its inside is for others."""
    body = (b"\0" + bytes.fromhex("00010001") + b"\7" + b"\0\x20" + bytes(range(32)) + b"\0\x80"
            + bytes(128))
    return hellos.client_hello(host, more=hellos._extension(ECH, body))


def test_105_the_outer_name_rules_where_the_inner_is_hidden(open_gateway, street):
    gateway = open_gateway("""
	rule dark when net.sni.host == "www.dark.example" and tls.ech do block "no hidden names"
""")
    for host, action in ((HOST, "inspect"), ("www.dark.example", "block")):
        with wire.connect(gateway, host, street.origins["good"].port) as s:
            s.sendall(outer(host))
            kind, body = hellos.answer_to(s)
        assert kind == 22 and body[0] == 2  # an ordinary ServerHello: the offer is not taken
        assert body.find(ECH.to_bytes(2, "big"), 38) < 0
        event = gateway.wait_event(kind="session", host=host)
        assert event["ech"] is True and event["sni"] == host and event["action"] == action, event


def test_106_nobody_is_sent_to_quic(open_gateway, street):
    def advertise(handler):
        handler.send_response(200)
        handler.send_header("Alt-Svc", 'h3=":443"; ma=86400')
        handler.send_header("Content-Length", "2")
        handler.end_headers()
        handler.wfile.write(b"ok")

    street.route("good", "quick", advertise)
    for words, stays in (("", False), ("forward { strip-alt-svc off }", True)):
        gateway = open_gateway(f"\t{words}\n" if words else "")
        with wire.secure(gateway, HOST, street.origins["good"].port, gateway.root) as s:
            answer = wire.get(s, HOST, "/quick")
        assert answer.status == 200 and ("alt-svc" in answer.fields) == stays
    # What else is to be done about it is written down.
    assert "UDP 443" in (ROOT / "docs" / "failures.md").read_text()


def test_110_the_program_is_hardened_and_its_policy_is_there(program):
    readelf = shutil.which("readelf")
    assert readelf, "binutils come with the compiler"

    def shown(*what):
        return subprocess.run([readelf, *what, program], capture_output=True, text=True).stdout

    head, parts, needs, symbols = shown("-h"), shown("-lW"), shown("-dW"), shown("--dyn-syms", "-W")
    assert "DYN (" in head  # position-independent
    assert "GNU_RELRO" in parts and ("BIND_NOW" in needs or "NOW" in needs)
    stack = next(row for row in parts.splitlines() if "GNU_STACK" in row)
    assert "RWE" not in stack and not any("RWE" in row for row in parts.splitlines())
    assert "__stack_chk_fail" in symbols
    policy = (ROOT / "SECURITY.md").read_text().lower()
    for word in ("reporting", "supported versions", "advisory"):
        assert word in policy, word

# SPDX-License-Identifier: Apache-2.0
"""The family of processes: reload, drain, crash, and who may do what."""

import contextlib
import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

import lab
import wire

HOST = "www.good.example"


def children(gateway):
    """pid -> what it calls itself, of the processes below the master."""
    out = {}
    for pid in gateway.process.pids()[1:]:
        with contextlib.suppress(OSError):  # it may have ended meanwhile
            line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            comm = Path(f"/proc/{pid}/comm").read_text().strip()
            out[pid] = f"{comm} {line}"
    return out


def kind(gateway, word):
    return [pid for pid, name in children(gateway).items() if word in name]


def visit(gateway, street):
    with wire.secure(gateway, HOST, street.origins["good"].port, gateway.root) as s:
        return wire.get(s, HOST).status


def hang_up(gateway):
    gateway.process.process.send_signal(signal.SIGHUP)


def test_there_is_a_vault_a_scribe_and_as_many_workers_as_asked(open_gateway):
    gateway = open_gateway(workers=2)
    lab.wait_for("two workers", lambda: len(kind(gateway, "worker")) == 2)
    assert len(kind(gateway, "vault")) == 1 and len(kind(gateway, "scribe")) == 1


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_nobody_who_meets_strangers_is_root(open_gateway):
    gateway = open_gateway()
    for pid, name in children(gateway).items():
        status = Path(f"/proc/{pid}/status").read_text()
        uids = status.split("\nUid:")[1].split("\n")[0].split()
        assert "0" not in uids, name
        assert "\nNoNewPrivs:\t1" in status, name
        assert "\nSeccomp:\t2" in status, name


def test_a_reload_takes_the_new_rules_and_keeps_serving(open_gateway, street):
    gateway = open_gateway()
    assert visit(gateway, street) == 200
    old = set(kind(gateway, "worker"))
    gateway.configure(f'\trule closed when http.request.host == "{HOST}" do block "closed"')
    hang_up(gateway)
    lab.wait_for("the new rule", lambda: visit(gateway, street) == 403)
    lab.wait_for("the old workers' end", lambda: not old & set(kind(gateway, "worker")))


def test_a_connection_outlives_a_reload_until_it_is_drained(open_gateway, street):
    gateway = open_gateway(top="", workers=1)
    with wire.secure(gateway, HOST, street.origins["good"].port, gateway.root) as s:
        assert wire.get(s, HOST).status == 200
        hang_up(gateway)
        time.sleep(0.5)
        answer = wire.get(s, HOST)
        assert answer.status in (200, 0)  # 0: it was idle, and ended between two requests


def test_a_bad_configuration_leaves_the_old_one_serving_and_says_where(open_gateway, street):
    gateway = open_gateway()
    gateway.config.write_text(gateway.config.read_text() + "\nlisten nowhere at all\n")
    hang_up(gateway)
    lab.wait_for("the complaint", lambda: "sekisho.conf" in gateway.log())
    assert visit(gateway, street) == 200
    line = gateway.config.read_text().count("\n")
    assert f":{line}:" in gateway.log()


def test_a_killed_worker_is_replaced_and_the_others_do_not_notice(open_gateway, street):
    gateway = open_gateway(workers=2)
    lab.wait_for("two workers", lambda: len(kind(gateway, "worker")) == 2)
    tunnels = [wire.secure(gateway, HOST, street.origins["good"].port, gateway.root)
               for _ in range(12)]
    victim = kind(gateway, "worker")[0]
    os.kill(victim, signal.SIGKILL)
    lab.wait_for("a new worker", lambda: len(kind(gateway, "worker")) == 2
                 and victim not in kind(gateway, "worker"))
    alive = 0
    for s in tunnels:
        try:
            alive += wire.get(s, HOST).status == 200
        except (OSError, EOFError):
            pass
        s.close()
    assert 0 < alive < 12  # each worker had some
    assert all(visit(gateway, street) == 200 for _ in range(8))


@pytest.mark.parametrize("word", ["vault", "scribe"])
def test_a_killed_vault_or_scribe_is_replaced(open_gateway, street, word):
    gateway = open_gateway()
    assert visit(gateway, street) == 200
    victim = kind(gateway, word)[0]
    os.kill(victim, signal.SIGKILL)
    lab.wait_for(f"a new {word}", lambda: kind(gateway, word) not in ([], [victim]))
    lab.wait_for("service", lambda: visit(gateway, street) == 200)


def test_sigterm_ends_everything_within_the_deadline(make_gateway, street):
    gateway = make_gateway()
    assert visit(gateway, street) == 200
    family = gateway.process.pids()
    s = wire.secure(gateway, HOST, street.origins["good"].port, gateway.root)
    began = time.monotonic()
    assert gateway.close() == 0
    assert time.monotonic() - began < 10
    assert not [pid for pid in family if Path(f"/proc/{pid}").exists()]
    s.close()


def test_a_second_signal_ends_it_at_once(make_gateway, street):
    gateway = make_gateway(drain="30s")
    s = wire.secure(gateway, HOST, street.origins["good"].port, gateway.root)
    s.sendall(f"POST / HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 10\r\n\r\n1".encode())
    gateway.process.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    began = time.monotonic()
    gateway.close()
    assert time.monotonic() - began < 5
    s.close()


def test_ctl_tells_reloads_and_drains(make_gateway, street):
    gateway = make_gateway()
    control = gateway.folder / "control.sock"
    status = gateway.command("ctl", "status", "--socket", control).stdout
    assert "worker" in status and "generation" in status
    gateway.configure(f'\trule closed when http.request.host == "{HOST}" do block "closed"')
    gateway.command("ctl", "reload", "--socket", control)
    lab.wait_for("the new rule", lambda: visit(gateway, street) == 403)
    gateway.command("ctl", "drain", "--socket", control)
    lab.wait_for("its end", lambda: gateway.process.process.poll() is not None)
    assert gateway.close() == 0


HAND_IN = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_a_listening_socket_can_be_handed_in(make_gateway):
    """As systemd does it: descriptor 3, LISTEN_PID, LISTEN_FDS."""
    gateway = make_gateway()
    gateway.close()
    with socket.create_server(("127.0.0.1", gateway.port)) as server:
        process = lab.Program(
            [sys.executable, "-c", HAND_IN, server.fileno(), gateway.program, "run", gateway.config],
            lambda: "generation.serves" in (gateway.folder / "activated.log").read_text(),
            gateway.folder / "activated.log", pass_fds=(server.fileno(),))
        try:
            with wire.dial(gateway) as s:
                assert wire.ask(s, "GET http://sekisho.internal/ HTTP/1.1\r\n"
                                "Host: sekisho.internal\r\n\r\n").status == 200
        finally:
            assert process.close() == 0

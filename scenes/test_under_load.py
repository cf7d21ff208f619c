# SPDX-License-Identifier: Apache-2.0
"""Reload, crash and many idle callers while others are being served."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import lab
import wire

HOST = "www.good.example"


class Load:
    """Clients that come, ask and go, over and over, until stopped."""

    def __init__(self, gateway, street, clients=6):
        self.served, self.failures, self.stopping = 0, [], False
        self.visit = lambda: self._visit(gateway, street.origins["good"].port)
        self.threads = [threading.Thread(target=self._run) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def _visit(gateway, port):
        """A second request may find the connection ended: it was idle, and any client has
        to ask again then. The first must be answered."""
        with wire.secure(gateway, HOST, port, gateway.root) as s:
            answer = wire.get(s, HOST)
            assert answer.status == 200, ("first", answer.head)
            if answer.fields.get("connection") != "close":
                with contextlib.suppress(OSError):
                    assert wire.get(s, HOST).status in (200, 0)

    def _run(self):
        while not self.stopping:
            try:
                self.visit()
                self.served += 1
            except Exception as e:
                self.failures.append(f"{time.time():.3f} {type(e).__name__}: {e}")

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join()


def workers(gateway):
    found = []
    for pid in gateway.process.pids():
        with contextlib.suppress(OSError):
            if "worker" in Path(f"/proc/{pid}/comm").read_text():
                found.append(pid)
    return sorted(found)


def test_reloads_under_load_lose_nothing(open_gateway, street):
    gateway = open_gateway(workers=2, drain="10s")
    load = Load(gateway, street)
    for round_ in range(4):
        before = workers(gateway)
        time.sleep(1)
        gateway.process.process.send_signal(signal.SIGHUP)
        lab.wait_for("other workers", lambda: set(workers(gateway)) - set(before), timeout_s=40)
    time.sleep(1)
    load.stop()
    print(f"\n{load.served} visits, {len(load.failures)} failed, over 4 reloads")
    assert load.served > 20
    assert not load.failures, load.failures[:5]


def test_a_killed_worker_under_load_costs_only_what_it_carried(open_gateway, street):
    gateway = open_gateway(workers=2)
    load = Load(gateway, street, clients=6)
    time.sleep(1)
    victim = workers(gateway)[0]
    os.kill(victim, signal.SIGKILL)
    lab.wait_for("its successor", lambda: len(workers(gateway)) == 2 and victim not in workers(gateway))
    time.sleep(2)
    load.stop()
    print(f"\n{load.served} visits, {len(load.failures)} failed, one worker killed")
    assert load.served > 20
    assert len(load.failures) <= 6  # at most one per client: what it carried or was about to


HOLD = """
import resource, socket, sys
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
port, n = int(sys.argv[1]), int(sys.argv[2])
held = []
for i in range(n):
    held.append(socket.create_connection(("127.0.0.1", port), timeout=60))
print(len(held), flush=True)
sys.stdin.read()
"""


def proportional_set(gateway):
    """PSS of all processes, octets."""
    total = 0
    for pid in gateway.process.pids():
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


@pytest.mark.skipif(os.getuid() != 0, reason="smaps of other users")
def test_twenty_thousand_idle_callers_cost_what_is_stated(open_gateway, street):
    """An idle caller that has not said anything yet costs at most 8 KiB (without the
    sanitizers' own memory, at most a quarter of what is allowed here)."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    each = min(10_000, hard - 1000)
    gateway = open_gateway("\tclient { ask-timeout 5min }", workers=2, top="connections 15000")
    with wire.secure(gateway, HOST, street.origins["good"].port, gateway.root) as s:
        assert wire.get(s, HOST).status == 200
    before = proportional_set(gateway)
    holders = [subprocess.Popen([sys.executable, "-c", HOLD, str(gateway.port), str(each)],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
    held = sum(int(h.stdout.readline()) for h in holders)
    assert held == 2 * each

    def open_sessions():
        text = gateway.command("ctl", "status", "--socket", gateway.folder / "control.sock").stdout
        return sum(int(line.split("open,")[0].split()[-1]) for line in text.splitlines() if "open," in line)

    lab.wait_for("all to be accepted", lambda: open_sessions() >= held, timeout_s=60)
    after = proportional_set(gateway)
    each_costs = (after - before) / held
    print(f"\n{held} idle: PSS {before / 1e6:.1f} MB before, {after / 1e6:.1f} MB with them, "
          f"{each_costs:.0f} octets each")
    with wire.secure(gateway, HOST, street.origins["good"].port, gateway.root) as s:
        assert wire.get(s, HOST).status == 200
    assert each_costs < 32 * 1024
    for h in holders:
        h.communicate()

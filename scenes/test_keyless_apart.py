# SPDX-License-Identifier: Apache-2.0
"""Edge and key server in two network namespaces, with 25 ms of cable each way between them."""

import json
import os
import subprocess
import sys
import time

import pytest

import lab
from keyless_cast import Configured, ends, home  # noqa: F401

KEYS, EDGE = "10.203.0.1", "10.203.0.2"
LAB = str(lab.Path(lab.__file__).parent)

SERVER_TEXT = """\
workers 1
user {user}
data {folder}/data
control {folder}/control.sock
events {{ json {folder}/data/events.json }}
listen 10.203.0.1:2407 as keyserver use keys
keyserver keys {{
	keys {home}/keys
	certificate {home}/tunnel/server.crt
	key {home}/tunnel/server.key
	authority {home}/tunnel/ca.crt
	client edge1 {{ names ec.test; rate 100 }}
}}
"""

EDGE_TEXT = """\
workers 1
user {user}
data {folder}/data
control {folder}/control.sock
listen 127.0.0.1:8443 as edge use shop
edge shop {{
	keys {{
		server 127.0.0.1:{cable} called keys.test
		certificate {home}/tunnel/edge1.crt
		key {home}/tunnel/edge1.key
		authority {home}/tunnel/ca.crt
	}}
	site ec.test {{ keyless {home}/ec.crt; origin http://127.0.0.1:{origin} }}
}}
"""


class Land:
    """Two namespaces joined by one cable; what is started in them ends with them."""

    def __init__(self):
        self.names = {who: f"sekisho-{who}-{os.getpid()}" for who in ("keys", "edge")}
        self.started = []

    def open(self):
        for name in self.names.values():
            lab.run("ip", "netns", "add", name)
            lab.run("ip", "-n", name, "link", "set", "lo", "up")
        keys, edge = self.names["keys"], self.names["edge"]
        lab.run("ip", "-n", keys, "link", "add", "to-edge", "type", "veth", "peer", "name", "to-keys", "netns", edge)
        for name, link, address in ((keys, "to-edge", KEYS), (edge, "to-keys", EDGE)):
            lab.run("ip", "-n", name, "address", "add", f"{address}/30", "dev", link)
            lab.run("ip", "-n", name, "link", "set", link, "up")

    def inside(self, who, *command):
        return ["ip", "netns", "exec", self.names[who], *command]

    def helper(self, who, code):
        """A Python program there that prints a port."""
        one = subprocess.Popen(self.inside(who, sys.executable, "-B", "-c", f"import sys; sys.path.insert(0, {LAB!r})\n"
                                           f"import lab, time\n{code}\nprint(it.port, flush=True)\ntime.sleep(600)"),
                               stdout=subprocess.PIPE, text=True)
        self.started.append(one)
        return int(one.stdout.readline())

    def close(self):
        for one in self.started:
            one.kill()
            one.wait()
            one.stdout.close()
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


@pytest.fixture
def land():
    made = Land()
    try:
        made.open()
    except (OSError, AssertionError, RuntimeError, subprocess.CalledProcessError) as why:
        made.close()
        pytest.skip(f"no network namespaces here: {str(why)[:200]}")
    yield made
    made.close()


class Apart(Configured):
    """A program of the configuration in a namespace: its log says when it serves."""

    def __init__(self, program, home, log, text, *, prefix, **words):  # noqa: F811
        self.prefix = prefix
        super().__init__(program, home, log, text, **words)

    def command_line(self, program, config):
        return [*self.prefix, program, "run", "-c", config]

    def is_ready(self):
        return self.log.exists() and "generation.serves" in self.log.read_text()


def test_a_site_is_served_with_its_key_in_another_network(land, home, program, tmp_path):  # noqa: F811
    origin = land.helper("edge", "it = lab.Origin(greeting='from the origin\\n')")
    cable = land.helper("edge", f"it = lab.FarAway(2407, 0.025, {KEYS!r})")
    server = Apart(program, home, tmp_path / "log-keys", SERVER_TEXT, prefix=land.inside("keys"))
    edge = Apart(program, home, tmp_path / "log-edge", EDGE_TEXT, prefix=land.inside("edge"), cable=cable, origin=origin)
    lab.wait_for("tunnel", lambda: "keyless.up" in edge.text())
    took = []
    for _ in range(5):
        began = time.monotonic()
        got = lab.run(*land.inside("edge", "curl", "-sS", "--max-time", "20", "--cacert", home / "ec.crt", "--resolve",
                                   "ec.test:8443:127.0.0.1", "https://ec.test:8443/"))
        took.append(time.monotonic() - began)
        assert got.stdout == "from the origin\n"
    assert min(took) >= 0.05  # no signature without the cable
    shown = lab.run(*land.inside("edge", program, "key", "test", KEYS, "--name", "keys.test", "--certificate",
                                 home / "ec.crt", *ends(home, "edge1")))
    assert "signature verified" in shown.stdout
    events = server.folder / "data" / "events.json"
    lab.wait_for("events", lambda: events.exists() and events.read_text().count('"sign"') >= 5)
    signed = [json.loads(line) for line in events.read_text().splitlines() if '"sign"' in line]
    assert {one["client"] for one in signed} == {EDGE} and {one["client_cert"] for one in signed} == {"edge1"}
    assert edge.close() == 0 and server.close() == 0

# SPDX-License-Identifier: Apache-2.0
"""TLS sessions at an edge: who resumes whose, for how long, and never past a policy."""

import os
import re
import shutil
import signal
import subprocess

import pytest

import lab
from conftest import look_for_reports

CONFIG = """\
workers 2
user {user}
data {folder}/data
control {folder}/control.sock
ticket-secret {secret}
listen 127.0.0.1:{port} as edge use shop
edge shop {{
	site shop.test {{
		also api.shop.test
		certificate {ec[0]} key {ec[1]}
		origin http://127.0.0.1:{origin}
		hsts 366d
		hsts-subdomains on
		hsts-preload on
	}}
	site short.test {{
		session-time 10min
		certificate {ec[0]} key {ec[1]}
		origin http://127.0.0.1:{origin}
	}}
	site never.test {{
		session-time 0
		certificate {ec[0]} key {ec[1]}
		origin http://127.0.0.1:{origin}
	}}
	clients api.shop.test {{ certificate ask; managed {ca} }}
	rule no-cert when http.host == "api.shop.test" and not cf.tls_client_auth.cert_verified do block
}}
"""


class Node:
    def __init__(self, program, folder, origin, **more):
        (folder / "data").mkdir(parents=True)
        folder.chmod(0o755)
        user = "nobody" if os.getuid() == 0 else os.environ.get("USER", "nobody")
        if os.getuid() == 0:
            shutil.chown(folder / "data", user)
        self.program, self.folder, self.port = program, folder, lab.free_port()
        (folder / "edge.conf").write_text(CONFIG.format(user=user, folder=folder, port=self.port,
                                                        origin=origin.port, **more))
        self.start()

    def start(self):
        log = self.folder / "edge.log"
        log.write_text("")
        self.process = lab.Program([self.program, "run", self.folder / "edge.conf"],
                                   lambda: "generation.serves" in log.read_text(), log)

    def log(self):
        return self.process.text()

    def visit(self, name, *more):
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-servername", name,
                               "-ign_eof", *map(str, more)], capture_output=True, timeout=30, check=False,
                              input=f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
        return (done.stdout + done.stderr).decode(errors="replace")


@pytest.fixture(scope="module")
def fleet(program, stage, pki):
    """Two nodes that share nothing but their configuration and a secret."""
    folder = stage / "fleet"
    folder.mkdir()
    secret = folder / "secret"
    secret.write_text(os.urandom(32).hex())
    secret.chmod(0o400)
    subprocess.run([program, "client", "init", "--dir", folder / "ca"], check=True, stdout=subprocess.DEVNULL)
    origin = lab.Origin()
    ec = pki.issue("shop.test", "*.shop.test", "short.test", "never.test")
    nodes = [Node(program, folder / f"node{i}", origin, secret=secret, ca=folder / "ca", ec=ec) for i in range(2)]
    yield nodes
    for node in nodes:
        node.process.close()
        look_for_reports(node)
    origin.close()


RESUMED = "Reused, TLSv1"


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_one_node_resumes_the_others_sessions_also_after_a_restart(fleet, tmp_path, version):
    kept = tmp_path / "session.pem"
    assert RESUMED not in fleet[0].visit("shop.test", version, "-sess_out", kept)
    assert RESUMED in fleet[1].visit("shop.test", version, "-sess_in", kept)
    fleet[0].process.close()
    fleet[0].start()
    assert RESUMED in fleet[0].visit("shop.test", version, "-sess_in", kept)


def test_an_id_without_a_ticket_is_resumed_too(fleet, tmp_path):
    kept = tmp_path / "session.pem"
    assert RESUMED not in fleet[0].visit("shop.test", "-tls1_2", "-no_ticket", "-sess_out", kept)
    assert RESUMED in fleet[0].visit("shop.test", "-tls1_2", "-no_ticket", "-sess_in", kept)
    across = fleet[0].visit("api.shop.test", "-tls1_2", "-no_ticket", "-sess_in", kept)
    assert RESUMED not in across and "HTTP/1.1 403" in across


def test_an_id_is_known_to_all_workers_and_through_a_reload(fleet, tmp_path):
    kept = tmp_path / "session.pem"
    node = fleet[1]
    assert RESUMED not in node.visit("shop.test", "-tls1_2", "-no_ticket", "-sess_out", kept)
    for _ in range(6):  # of two workers the kernel picks one
        assert RESUMED in node.visit("shop.test", "-tls1_2", "-no_ticket", "-sess_in", kept)
    before = node.log().count("generation.serves")
    node.process.process.send_signal(signal.SIGHUP)
    lab.wait_for("the next generation", lambda: node.log().count("generation.serves") > before)
    for _ in range(4):
        assert RESUMED in node.visit("shop.test", "-tls1_2", "-no_ticket", "-sess_in", kept)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_site_says_how_long_its_sessions_last(fleet, tmp_path, version):
    kept = tmp_path / "session.pem"

    def hint(name):
        text = fleet[0].visit(name, version, "-sess_out", kept)
        return [int(n) for n in re.findall(r"ticket lifetime hint: (\d+)", text)]

    assert set(hint("shop.test")) == {18 * 3600}
    assert set(hint("short.test")) == {600}
    assert RESUMED in fleet[0].visit("short.test", version, "-sess_in", kept)
    assert RESUMED not in fleet[0].visit("never.test", version, "-sess_in", kept)
    assert hint("never.test") == []


def test_a_session_begun_elsewhere_never_gets_past_a_policy(fleet, tmp_path):
    kept = tmp_path / "session.pem"
    for name in ("shop.test", "short.test"):
        fleet[0].visit(name, "-tls1_3", "-sess_out", kept)
        for node in fleet:
            text = node.visit("api.shop.test", "-tls1_3", "-sess_in", kept)
            assert RESUMED not in text and "HTTP/1.1 403" in text


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_another_set_of_client_authorities_is_another_policy(fleet, tmp_path, version):
    """A session begun when another authority was asked for is not resumed, on no node."""
    kept, node = tmp_path / "session.pem", fleet[1]
    config, other = node.folder / "edge.conf", node.folder / f"other{version}"
    before = config.read_text()
    node.visit("api.shop.test", version, "-sess_out", kept)
    assert RESUMED in node.visit("api.shop.test", version, "-sess_in", kept)
    subprocess.run([node.program, "client", "init", "--dir", other], check=True, stdout=subprocess.DEVNULL)
    config.write_text(re.sub("managed [^ ]+", f"managed {other}", before))
    gone = node.log().count("generation.gone")
    node.process.process.send_signal(signal.SIGHUP)
    lab.wait_for("the other policy", lambda: node.log().count("generation.gone") > gone)
    assert RESUMED not in node.visit("api.shop.test", version, "-sess_in", kept)
    assert RESUMED in fleet[0].visit("api.shop.test", version, "-sess_in", kept)
    config.write_text(before)
    node.process.process.send_signal(signal.SIGHUP)
    lab.wait_for("the first policy again", lambda: node.log().count("generation.gone") > gone + 1)
    assert RESUMED in node.visit("api.shop.test", version, "-sess_in", kept)


def test_what_is_said_of_the_future(fleet, tmp_path):
    text = fleet[0].visit("shop.test")
    assert f"Strict-Transport-Security: max-age={366 * 86400}; includeSubDomains; preload" in text
    text = (fleet[0].folder / "edge.conf").read_text()
    (tmp_path / "edge.conf").write_text(text.replace("hsts 366d", "hsts 30d"))
    done = lab.run(fleet[0].program, "check", tmp_path / "edge.conf", check=False)
    assert done.returncode != 0 and "preloading needs" in done.stdout + done.stderr


def test_a_time_outside_the_bounds_is_refused(fleet, tmp_path):
    text = (fleet[0].folder / "edge.conf").read_text()
    for wrong in (text.replace("session-time 10min", "session-time 10s"),
                  text.replace("edge shop {", "edge shop {\n\tclient { session-time 4min }")):
        (tmp_path / "edge.conf").write_text(wrong)
        done = lab.run(fleet[0].program, "check", tmp_path / "edge.conf", check=False)
        assert done.returncode != 0 and "5min to 48h" in done.stdout + done.stderr

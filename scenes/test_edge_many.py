# SPDX-License-Identifier: Apache-2.0
"""A thousand sites on one address, and what the usual scanners find there."""

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import xml.etree.ElementTree

import pytest

import lab
from conftest import look_for_reports, need

SITES = 1000
HEAD = """\
workers 1
user {user}
data {folder}/data
control {folder}/control.sock
listen 127.0.0.1:{port} as edge use shop
edge shop {{
"""
SITE = """\
	site s{i}.test {{
		also *.s{i}.test
		certificate {ec[0]} key {ec[1]}
		certificate {rsa[0]} key {rsa[1]}
		origin http://127.0.0.1:{origin}
		hsts {seconds}s
	}}
"""


class Edge:
    def __init__(self, program, folder, pki):
        (folder / "data").mkdir(parents=True)
        folder.chmod(0o755)
        user = "nobody" if os.getuid() == 0 else os.environ.get("USER", "nobody")
        if os.getuid() == 0:
            shutil.chown(folder / "data", user)
        self.origin, self.port, self.root = lab.Origin(), lab.free_port(), pki.root
        more = {"begins_days": -1, "ends_days": 180}
        pairs = {"ec": pki.issue("s1.test", **more), "rsa": pki.issue("s1.test", key="rsa", **more)}
        (folder / "edge.conf").write_text(
            HEAD.format(user=user, folder=folder, port=self.port)
            + "".join(SITE.format(i=i, origin=self.origin.port, seconds=1000 + i, **pairs) for i in range(SITES)) + "}\n")
        log = folder / "edge.log"
        self.process = lab.Program([program, "run", folder / "edge.conf"],
                                   lambda: "generation.serves" in log.read_text(), log)

    def log(self):
        return self.process.text()

    def ask(self, name):
        context = ssl.create_default_context(cafile=self.root)
        context.check_hostname = False
        connection = http.client.HTTPConnection(name, timeout=20)
        connection.sock = context.wrap_socket(socket.create_connection(("127.0.0.1", self.port)), server_hostname=name)
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer

    def close(self):
        self.process.close()
        self.origin.close()
        look_for_reports(self)


@pytest.fixture(scope="module")
def edge(program, stage, pki):
    running = Edge(program.resolve(), stage / "edge-many", pki)
    yield running
    running.close()


def test_each_of_a_thousand_names_has_its_own_site(edge):
    for i in (0, 1, 499, 998, 999):
        for name in (f"s{i}.test", f"www.s{i}.test", f"S{i}.TEST"):
            assert edge.ask(name).headers["Strict-Transport-Security"] == f"max-age={1000 + i}"
    for name in ("s1000.test", "a.b.s1.test", "test"):
        with pytest.raises(ssl.SSLError, match="unrecognized name"):
            edge.ask(name)


def test_sslscan_finds_nothing_old_or_weak(edge):
    need("sslscan")
    text = lab.run("sslscan", "--xml=-", "--sni-name=s1.test", f"127.0.0.1:{edge.port}").stdout
    found = xml.etree.ElementTree.fromstring(text).find("ssltest")
    assert {(p.get("type"), p.get("version")) for p in found.findall("protocol") if p.get("enabled") == "1"} == {
        ("tls", "1.2"), ("tls", "1.3")}
    assert found.find("renegotiation").get("supported") == "0"
    for cipher in found.findall("cipher"):
        assert cipher.get("strength") in ("acceptable", "strong") and int(cipher.get("bits")) >= 128
        assert "GCM" in cipher.get("cipher") or "CHACHA20" in cipher.get("cipher")
    assert all(beat.get("vulnerable") == "0" for beat in found.findall("heartbleed"))


@pytest.mark.skipif(not os.environ.get("SEKISHO_LONG"), reason="takes minutes; SEKISHO_LONG=1 runs it")
def test_testssl_finds_nothing_of_medium_or_above(edge, tmp_path):
    """All but what it has to say of a private authority and of the origin's own fields."""
    need("testssl")
    report = tmp_path / "report.json"
    subprocess.run(["testssl", "--quiet", "--color", "0", "--warnings", "off", "--ip", "127.0.0.1", "--add-ca", edge.root,
                    "-p", "-s", "-f", "-P", "-U", "-S", "--severity", "MEDIUM", "--jsonfile", report,
                    f"s1.test:{edge.port}"], stdin=subprocess.DEVNULL, capture_output=True, timeout=900, check=False)
    grave = [row for row in json.loads(report.read_text()) if row["severity"] in ("MEDIUM", "HIGH", "CRITICAL")]
    assert {row["id"].split()[0] for row in grave} <= {"cert_revocation"}

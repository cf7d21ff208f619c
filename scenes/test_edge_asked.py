# SPDX-License-Identifier: Apache-2.0
"""What workers themselves ask origins: whether they are well, and whether what is stored is still good. In every version of
HTTP, over TLS that is judged as the site says, and behind a PROXY header."""

import contextlib
import os
import ssl
import uuid

import pytest

import lab
import origins
from conftest import look_for_reports, need

CLIENTS = os.path.join(os.path.dirname(__file__), "clients")
CONFIG = """\
workers 1
user {user}
data {folder}/data
control {folder}/control.sock
resolver {{ hosts {folder}/hosts }}
listen 127.0.0.1:{port} as edge use shop
edge shop {{
	site tls.test {{
		certificate {pair[0]} key {pair[1]}
		origin https://origin.test:{tls}
		origins {{ trust {root}; check /health; check-every 100ms }}
		cache on
	}}
	site h2.test {{
		certificate {pair[0]} key {pair[1]}
		origin https://origin.test:{h2}
		origins {{ trust {root}; check /health; check-every 100ms }}
		cache on
	}}
	site h2c.test {{
		certificate {pair[0]} key {pair[1]}
		origin h2c://127.0.0.1:{h2c}
		origins {{ check /health; check-every 100ms }}
		cache on
	}}
	site v1.test {{
		certificate {pair[0]} key {pair[1]}
		origin http://127.0.0.1:{v1}
		origins {{ proxy-protocol v1; check /health; check-every 100ms }}
	}}
	site v2.test {{
		certificate {pair[0]} key {pair[1]}
		origin http://127.0.0.1:{v2}
		origins {{ proxy-protocol v2; check /health; check-every 100ms }}
	}}
	site watched.test {{
		certificate {pair[0]} key {pair[1]}
		origin https://origin.test:{tls}
		origins {{ trust {folder}/roots.pem }}
	}}
	site strange.test {{
		certificate {pair[0]} key {pair[1]}
		origin https://origin.test:{tls}
		origins {{ check /health; check-every 100ms }}
	}}
}}
"""
SITES = ("tls.test", "h2.test", "h2c.test")
V2_LOCAL = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"


class Secret(origins.Script):
    """A scripted origin that speaks TLS."""

    def __init__(self, pair):
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(*pair)
        super().__init__()

    def serve(self, connection):
        try:
            super().serve(self.context.wrap_socket(connection, server_side=True))
        except OSError:
            connection.close()


class Announced(origins.Script):
    """A scripted origin to which every connection begins with a PROXY header."""

    def __init__(self, length):
        self.length, self.heads = length, []
        super().__init__()

    def serve(self, connection):
        head = b""
        with contextlib.suppress(OSError):
            while len(head) < self.length:
                head += connection.recv(self.length - len(head))
            self.heads.append(head)
            super().serve(connection)


@pytest.fixture(scope="module")
def edge(program, stage, pki):
    need("node")
    folder = stage / "asked"
    folder.mkdir()
    (folder / "hosts").write_text("127.0.0.1 origin.test\n")
    (folder / "roots.pem").write_bytes(pki.root.read_bytes())
    cert, key = pki.issue("origin.test")
    ports = {name: lab.free_port() for name in ("h2", "h2c")}
    node = ["node", os.path.join(CLIENTS, "h2_origin.mjs")]
    programs = [lab.Program([*node, ports["h2"], cert, key], lambda: lab.accepts(ports["h2"]), folder / "h2.log"),
                lab.Program([*node, ports["h2c"]], lambda: lab.accepts(ports["h2c"]), folder / "h2c.log")]
    v1, v2, secret = Announced(len(b"PROXY UNKNOWN\r\n")), Announced(len(V2_LOCAL)), Secret((cert, key))
    secret.answers["/health"] = [{}]
    running = origins.Edge(program, folder, pki, CONFIG, names=[*SITES, "v1.test", "v2.test", "strange.test", "watched.test"], root=pki.root,
                           tls=secret.port, v1=v1.port, v2=v2.port, **ports)
    running.v1, running.v2, running.secret = v1, v2, secret
    yield running
    running.close()
    for each in (*programs, v1, v2, secret):
        each.close()
    look_for_reports(running)


def says(edge, port, well):
    text = (edge.folder / "edge.log").read_text()
    return [line for line in text.splitlines() if f"port={port} well={well}" in line]


def test_checks_speak_what_the_origin_speaks(edge):
    for name in ("h2.test", "h2c.test"):
        port = edge.words[name.partition(".")[0]]
        edge.ask("/sick/1", host=name)
        lab.wait_for("a sick origin", lambda port=port: says(edge, port, "no"))
        edge.ask("/sick/0", host=name)
        lab.wait_for("a well one", lambda port=port: says(edge, port, "yes"))
    edge.secret.answers["/health"] = [{"status": 404}]
    lab.wait_for("a sick origin", lambda: any("the answer is 404" in line for line in says(edge, edge.words["tls"], "no")))
    edge.secret.answers["/health"] = [{}]
    lab.wait_for("a well one", lambda: says(edge, edge.words["tls"], "yes"))


def test_checks_believe_whom_the_site_believes(edge):
    """The same origin: for one site its roots are named, for the other they are the system's."""
    lab.wait_for("the verdict", lambda: any("is not known" in line for line in says(edge, edge.words["tls"], "no")))
    path = f"/{uuid.uuid4()}"
    edge.secret.answers[path] = [{}]
    assert edge.ask(path, host="tls.test").status == 200
    answer = edge.ask(path, host="strange.test")
    assert answer.status == 502 and "untrusted" in answer.text


def test_roots_and_certificates_of_a_site_are_watched(edge, pki):
    """What a site's origins are verified against is replaced, and then put back."""
    path = f"/{uuid.uuid4()}"
    edge.secret.answers[path] = [{}]
    roots = edge.folder / "roots.pem"
    good = roots.read_bytes()
    assert edge.ask(path, host="watched.test").status == 200
    stranger = lab.Pki(edge.folder / "stranger")
    for octets, status in ((stranger.root.read_bytes(), 502), (good, 200)):
        (edge.folder / "next.pem").write_bytes(octets)
        (edge.folder / "next.pem").rename(roots)
        lab.wait_for(f"a {status}", lambda status=status: edge.ask(path, host="watched.test").status == status)


def test_checks_announce_nobody(edge):
    lab.wait_for("checks", lambda: edge.v1.heads and edge.v2.heads)
    assert edge.v1.heads[0] == b"PROXY UNKNOWN\r\n" and edge.v2.heads[0] == V2_LOCAL


@pytest.mark.parametrize("name", ["h2.test", "h2c.test"])
def test_what_is_stale_is_renewed_in_http2(edge, name):
    path = f"/stale/{uuid.uuid4()}"
    first, stale = edge.ask(path, host=name), edge.ask(path, host=name)
    assert (first.text, stale.text) == ("old", "old") and "hit" in stale.headers["Cache-Status"]
    lab.wait_for("the new one", lambda: edge.ask(path, host=name).text == "new")
    last = edge.ask(path, host=name)
    assert last.headers["X-Asked"] == '"a"' and "hit" in last.headers["Cache-Status"]


@pytest.mark.parametrize("name", ["h2.test", "h2c.test"])
def test_a_304_about_something_else_is_asked_about_again(edge, name):
    path = f"/strange/{uuid.uuid4()}"
    assert [edge.ask(path, host=name).text for _ in range(3)] == ["1", "3", "3"]


@pytest.mark.parametrize("changed", [False, True])
def test_what_is_stale_is_renewed_over_tls(edge, changed):
    path = f"/{uuid.uuid4()}"
    soon = [("Cache-Control", "max-age=1, stale-while-revalidate=3600"), ("Age", "5"), ("ETag", '"a"')]
    edge.secret.answers[path] = [{"fields": soon}, {"fields": [("Cache-Control", "max-age=3600"), ("ETag", '"a"')],
                                                    "new": changed, "body": "new"}]
    assert [edge.ask(path, host="tls.test").text for _ in range(2)] == ["body", "body"]
    lab.wait_for("the new one", lambda: edge.ask(path, host="tls.test").headers["Cache-Control"] == "max-age=3600")
    assert edge.ask(path, host="tls.test").text == ("new" if changed else "body")
    assert len(edge.secret.asked[path]) == 2

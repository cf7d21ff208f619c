# SPDX-License-Identifier: Apache-2.0
"""edge_cast: an edge of one's own for a scene, and a client that speaks with it over TLS.

    with Edge(program, folder, pki, body="…") as edge:
        status, fields, body = edge.connect("api.shop.test", who=(crt, key)).get("/")

The body is what stands in the block `edge shop` besides one site for shop.test and all
names one label below it.
"""

import contextlib
import http.client
import os
import shutil
import socket
import ssl

import lab
from conftest import look_for_reports

TOP = """\
workers {workers}
user {user}
data {folder}/data
control {folder}/control.sock
drain-timeout 2s
{top}
{listens}
edge shop {{
	site shop.test {{
		also *.shop.test
		certificate {chain} key {key}
		origin http://127.0.0.1:{origin}
		{site}
	}}
	{body}
}}
"""


class Connection:
    """One connection, kept open; of HTTP/1.1."""

    def __init__(self, sock, name):
        self.http = http.client.HTTPConnection(name, timeout=20)
        self.http.sock, self.sock = sock, sock

    def get(self, path="/", host=None, method="GET", **fields):
        headers = {key.replace("_", "-"): value for key, value in fields.items()}
        if host:
            headers["Host"] = host
        self.http.request(method, path, headers=headers)
        answer = self.http.getresponse()
        return answer.status, answer.headers, answer.read()

    def status(self, path="/", **more):
        return self.get(path, **more)[0]

    def close(self):
        self.http.close()


class Edge:
    def __init__(self, program, folder, pki, *, body="", site="", top="", workers=2, listens=None):
        self.program, self.folder, self.root = program.resolve(), folder, pki.root
        (folder / "data").mkdir(parents=True)
        folder.chmod(0o755)
        self.origin = lab.Origin()
        self.port = lab.free_port()
        self.user = "nobody" if os.getuid() == 0 else os.environ.get("USER", "nobody")
        if os.getuid() == 0:
            shutil.chown(folder / "data", self.user)
        chain, key = pki.issue("shop.test", "*.shop.test")
        lines = listens or f"listen 127.0.0.1:{self.port} as edge use shop"
        self.path = folder / "edge.conf"
        self.path.write_text(TOP.format(
            workers=workers, user=self.user, folder=folder, top=top, listens=lines, chain=chain, key=key,
            origin=self.origin.port, site=site, body=body))
        log = folder / "edge.log"
        self.process = lab.Program([program, "run", self.path],
                                   lambda: "generation.serves" in log.read_text(), log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.close()
        self.origin.close()
        look_for_reports(self)

    def log(self):
        return self.process.text()

    def context(self, who=None, version=None):
        context = ssl.create_default_context(cafile=self.root)
        if who:
            context.load_cert_chain(*who)
        if version:
            context.minimum_version = context.maximum_version = version
        return context

    def connect(self, name="shop.test", who=None, version=None, session=None, context=None):
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        context = session.context if session else context or self.context(who, version)
        return Connection(context.wrap_socket(
            raw, server_hostname=name, session=session.session if session else None), name)

    def status(self, name="shop.test", **more):
        """Of one request on a connection of its own; 0 when there is no connection."""
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            connection = self.connect(name, **more)
            try:
                return connection.status()
            finally:
                connection.close()
        return 0

    def becomes(self, what, want, ask):
        """Asks until it is so; fails with what it is instead."""
        with contextlib.suppress(TimeoutError):
            lab.wait_for(what, lambda: ask() == want, timeout_s=10)
        assert ask() == want, what

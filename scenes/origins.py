# SPDX-License-Identifier: Apache-2.0
"""An edge with scripted origins, for scenes that care what is asked of an origin and what comes back."""

import http.client
import os
import shutil
import socket
import ssl
import threading
import uuid

import lab


class Script:
    """An origin that answers what a scene said it would, and remembers what it was asked."""

    def __init__(self):
        self.answers, self.asked, self.lines, self.lock = {}, {}, {}, threading.Lock()
        self.begun, self.bodies = {}, {}
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection, connection.makefile("rb") as lines:
            while True:
                start = lines.readline().split()
                if len(start) < 2:
                    return
                fields = {}
                for line in iter(lines.readline, b"\r\n"):
                    name, _, value = line.decode("latin-1").partition(":")
                    fields.setdefault(name.lower(), []).append(value.strip())
                path, method = start[1].decode(), start[0].decode()
                self.begun[path] = True
                self.bodies[path] = self.body(lines, fields)
                with self.lock:
                    seen = self.asked.setdefault(path.partition("?")[0], [])
                    seen.append((method, fields))
                    self.lines[path.partition("?")[0]] = path
                    answers = self.answers.get(path.partition("?")[0], [])
                    answer = answers[min(len(seen), len(answers)) - 1] if answers else {}
                if not self.answer(connection, method, fields, answer, len(seen)):
                    return

    @staticmethod
    def body(lines, fields):
        if "transfer-encoding" not in fields:
            return lines.read(int(fields.get("content-length", ["0"])[0]))
        pieces = []
        while size := int(lines.readline() or b"0", 16):
            pieces.append(lines.read(size))
            lines.readline()
        lines.readline()
        return b"".join(pieces)

    @staticmethod
    def answer(connection, method, fields, answer, number):
        if answer.get("gate"):
            answer["gate"].wait(20)
        if answer.get("gone"):
            return False
        status, body = answer.get("status", 200), answer.get("body", "body").encode()
        head = [(n, v() if callable(v) else v) for n, v in answer.get("fields", [])]
        tag = dict(head).get("ETag")
        if status == 200 and tag and tag in fields.get("if-none-match", []) and not answer.get("new"):
            status = 304
        lines = [f"HTTP/1.1 {status} Whatever", f"Number: {number}"] + [f"{n}: {v}" for n, v in head]
        if status in (204, 304):
            body = b""
        else:
            lines.append(f"Content-Length: {len(body)}")
        interim = answer.get("interim", "").encode()
        octets = interim + "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        connection.sendall(octets + (b"" if method == "HEAD" else body))
        return True

    def close(self):
        self.listener.close()


class Edge:
    """A running edge of this configuration; words in braces are filled in. It has one origin, or `origins` of them."""

    def __init__(self, program, folder, pki, config, names=("shop.test",), origins=1, **more):
        (folder / "data").mkdir(parents=True)
        folder.chmod(0o755)
        self.program, self.folder, self.root, self.config = program, folder, pki.root, config
        self.origins, self.port = [Script() for _ in range(origins)], lab.free_port()
        self.origin = self.origins[0]
        user = "nobody" if os.getuid() == 0 else os.environ.get("USER", "nobody")
        if os.getuid() == 0:
            shutil.chown(folder / "data", user)
        shutil.copy(pki.root, folder / "ca.crt")
        self.words = {"user": user, "folder": folder, "port": self.port, "pair": pki.issue(*names),
                      "origin": self.origin.port, "origins": [each.port for each in self.origins], **more}
        (folder / "edge.conf").write_text(config.format(**self.words))
        log = folder / "edge.log"
        self.process = lab.Program([program, "run", folder / "edge.conf"],
                                   lambda: "generation.serves" in log.read_text(), log)

    def ask(self, path, method="GET", fields=(), body=None, host="shop.test"):
        """One request on a connection of its own: any worker may get it."""
        context = ssl.create_default_context(cafile=self.root)
        connection = http.client.HTTPConnection(host, timeout=10)
        connection.sock = context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), timeout=10),
                                              server_hostname=host)
        connection.putrequest(method, path)
        for name, value in fields:
            connection.putheader(name, value)
        if body:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        answer.text = answer.read().decode("latin-1")
        connection.close()
        return answer

    def path(self, *answers, path=None):
        path = path or f"/{uuid.uuid4()}"
        for origin in self.origins:
            origin.answers[path] = list(answers)
        return path

    def asked(self, path):
        return [each for origin in self.origins for each in origin.asked.get(path, [])]

    def log(self):
        return self.process.text()

    def ctl(self, *words):
        return lab.run(self.program, "ctl", *words, "--socket", self.folder / "control.sock")

    def close(self):
        self.process.close()
        for origin in self.origins:
            origin.close()

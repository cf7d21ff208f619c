# SPDX-License-Identifier: Apache-2.0
"""The key protocol once more, in Python: written from its specification, to meet ours.

`Client` says anything, right or wrong; `Server` answers through a function that may lie,
wait or hang up. Signatures come from the openssl command, so nothing is shared with the
program under test.
"""

import contextlib
import socket
import ssl
import struct
import subprocess
import threading

PING, PONG, RESPONSE, ERROR = 0xF1, 0xF2, 0xF0, 0xFF
ECDSA_SHA256, PSS_SHA256, RSA_SHA256 = 0x15, 0x35, 0x05
OP, PAYLOAD, SKI, PADDING = 0x11, 0x12, 0x04, 0x20


def item(tag, value):
    return struct.pack(">BH", tag, len(value)) + value


def message(ident, *items, pad=1024, major=1):
    body = b"".join(item(tag, value) for tag, value in items if value or tag == OP)
    if 8 + len(body) < pad:
        body += item(PADDING, bytes(max(0, pad - 8 - len(body) - 3)))
    return struct.pack(">BBHI", major, 0, len(body), ident) + body


def parse(body):
    found, at = {}, 0
    while len(body) - at >= 3:
        tag, length = struct.unpack_from(">BH", body, at)
        found[tag] = body[at + 3:at + 3 + length]
        at += 3 + length
    return found


def read_exactly(stream, count):
    data = b""
    while len(data) < count:
        piece = stream.recv(count - len(data))
        if not piece:
            raise EOFError(f"after {len(data)} of {count} octets")
        data += piece
    return data


def read_message(stream):
    head = read_exactly(stream, 8)
    _, _, length, ident = struct.unpack(">BBHI", head)
    return ident, parse(read_exactly(stream, length)), 8 + length


class Client:
    def __init__(self, port, tunnel, *, who="edge1", name="keys.test", version=None, certificate=True):
        context = ssl.create_default_context(cafile=tunnel / "ca.crt")
        if certificate:
            context.load_cert_chain(tunnel / f"{who}.crt", tunnel / f"{who}.key")
        if version:
            context.minimum_version = context.maximum_version = version
        plain = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.stream = context.wrap_socket(plain, server_hostname=name)

    def say(self, data):
        self.stream.sendall(data)

    def hear(self):
        return read_message(self.stream)

    def ask(self, op, payload=b"", ski=b"", ident=1):
        self.say(message(ident, (OP, bytes([op])), (PAYLOAD, payload), (SKI, ski)))
        got, items, _ = self.hear()
        assert got == ident
        return items[OP][0], items.get(PAYLOAD, b"")

    def ended(self):
        """Whether the other side says no more."""
        try:
            return self.stream.recv(1) == b""
        except (ConnectionError, ssl.SSLError):
            return True

    def close(self):
        self.stream.close()


def sign(key, digest):
    """ECDSA with SHA-256 over a digest, by another program."""
    return subprocess.run(["openssl", "pkeyutl", "-sign", "-inkey", key, "-pkeyopt", "digest:sha256"],
                          input=digest, capture_output=True, check=True).stdout


class Server:
    """answer(server, stream, ident, items) for every message but pings."""

    def __init__(self, tunnel, answer, port=0, pings=True):
        self.answer, self.pings = answer, pings
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(tunnel / "server.crt", tunnel / "server.key")
        self.context.load_verify_locations(tunnel / "ca.crt")
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.socket = socket.create_server(("127.0.0.1", port))
        self.port = self.socket.getsockname()[1]
        self.seen = []
        self.open = True
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while self.open:
            with contextlib.suppress(OSError):
                plain, _ = self.socket.accept()
                threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain):
        with contextlib.suppress(OSError, EOFError, ssl.SSLError):
            stream = self.context.wrap_socket(plain, server_side=True)
            while True:
                ident, items, _ = read_message(stream)
                if items[OP][0] == PING and self.pings:
                    stream.sendall(message(ident, (OP, bytes([PONG])), (PAYLOAD, items.get(PAYLOAD, b""))))
                else:
                    self.seen.append(items)
                    self.answer(self, stream, ident, items)

    def close(self):
        self.open = False
        self.socket.close()

# SPDX-License-Identifier: Apache-2.0
"""hellos: first flights of TLS, written and read by hand: for what no library would send."""

import socket
import struct
import threading

TLS10, TLS11, TLS12, TLS13 = 0x0301, 0x0302, 0x0303, 0x0304


def _vector(length, data):
    return len(data).to_bytes(length, "big") + data


def _extension(kind, data):
    return struct.pack(">H", kind) + _vector(2, data)


def client_hello(host, version=TLS12, ciphers=(0xC02B, 0xC02F), more=b"", compressions=b"\0"):
    """A record with a ClientHello of at most TLS 1.2 for this name."""
    name = b"\0" + _vector(2, host.encode())
    extensions = (_extension(0, _vector(2, name)) + _extension(10, _vector(2, bytes.fromhex("001d0017")))
                  + _extension(11, b"\1\0") + _extension(13, _vector(2, bytes.fromhex("0403080408050401")))
                  + more)
    body = (struct.pack(">H", version) + bytes(range(32)) + b"\0"
            + _vector(2, b"".join(struct.pack(">H", c) for c in ciphers)) + _vector(1, compressions)
            + _vector(2, extensions))
    return struct.pack(">BH", 22, min(version, TLS10)) + _vector(2, b"\1" + _vector(3, body))


class Reading:
    """What a ClientHello record says."""

    def __init__(self, record):
        body = record[9:]
        self.version = int.from_bytes(body[:2], "big")
        at = 34
        at += 1 + body[at]
        n = int.from_bytes(body[at:at + 2], "big")
        self.ciphers = [int.from_bytes(body[i:i + 2], "big") for i in range(at + 2, at + 2 + n, 2)]
        at += 2 + n
        self.compressions = body[at + 1:at + 1 + body[at]]
        at += 1 + body[at] + 2
        self.extensions = {}
        while at + 4 <= len(body):
            kind, n = struct.unpack_from(">HH", body, at)
            self.extensions[kind] = body[at + 4:at + 4 + n]
            at += 4 + n

    @property
    def versions(self):
        raw = self.extensions.get(43, b"\0")[1:]
        return [int.from_bytes(raw[i:i + 2], "big") for i in range(0, len(raw), 2)]


def answer_to(stream):
    """(kind of the first record, its body); kind 0 when the peer just ended."""
    stream.settimeout(10)
    try:
        head = stream.recv(5, socket.MSG_WAITALL)
        if len(head) < 5:
            return 0, b""
        return head[0], stream.recv(int.from_bytes(head[3:5], "big"), socket.MSG_WAITALL)
    except OSError:
        return 0, b""


class Relay:
    """Between gateway and origin: change(direction, octets) -> octets. Keeps what it saw."""

    def __init__(self, port=None, change=None):
        self.port_behind = port
        self.change = change or (lambda _, octets: octets)
        self.seen = []
        self.connections = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            if self.port_behind is None:
                threading.Thread(target=self._listen, args=(near,), daemon=True).start()
                continue
            far = socket.create_connection(("127.0.0.1", self.port_behind))
            for way, a, b in (("up", near, far), ("down", far, near)):
                threading.Thread(target=self._pump, args=(way, a, b), daemon=True).start()

    def _listen(self, near):
        try:
            self.seen.append(near.recv(65536))
        except OSError:
            pass
        near.close()

    def _pump(self, way, a, b):
        try:
            while piece := a.recv(65536):
                b.sendall(self.change(way, piece))
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.socket.close()

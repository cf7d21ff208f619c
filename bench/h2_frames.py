# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 by hand, as much of it as bench/h2.py needs: a client whose streams wait, and an
origin that answers as it is told. Times are of the machine's one monotonic clock, so that
they can be compared between processes.
"""

import ctypes
import multiprocessing
import socket
import ssl
import struct
import threading
import time

DATA, HEADERS, SETTINGS, PING, GOAWAY = 0, 1, 4, 6, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1
MAX_CONCURRENT_STREAMS = 3
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
STAMP = struct.Struct(">Q")
PAGE, EVENT, SILENCE = range(3)  # what the origin does


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def text(s):
    return bytes([len(s)]) + s.encode()  # below 127 octets, without Huffman's code


def get(host, path):
    """:method GET, :scheme https, :path, :authority, out of the static table."""
    return b"\x82\x87\x04" + text(path) + b"\x01" + text(host)


ANSWER = b"\x88\x0f\x10" + text("text/event-stream")  # :status 200, content-type


class Wire:
    def __init__(self, s):
        self.s, self.have = s, b""
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def take(self, n):
        while len(self.have) < n:
            piece = self.s.recv(65536)
            if not piece:
                raise EOFError("the peer went away")
            self.have += piece
        out, self.have = self.have[:n], self.have[n:]
        return out

    def next(self):
        """(kind, flags, stream, payload) of the next frame about a message; others are seen to."""
        while True:
            head = self.take(9)
            kind, flags, stream = struct.unpack(">BBI", head[3:])
            payload = self.take(int.from_bytes(head[:3], "big"))
            if kind in (DATA, HEADERS):
                return kind, flags, stream & 0x7FFFFFFF, payload
            if kind == GOAWAY:
                raise EOFError("GOAWAY")
            self.see_to(kind, flags, payload)

    def see_to(self, kind, flags, payload):
        if kind in (SETTINGS, PING) and not flags & ACK:
            self.s.sendall(frame(kind, ACK, 0, payload if kind == PING else b""))


class Client(Wire):
    def __init__(self, s, host):
        super().__init__(s)
        self.host, self.stream, self.most = host, 1, None
        s.sendall(PREFACE + frame(SETTINGS, 0, 0))

    def see_to(self, kind, flags, payload):
        super().see_to(kind, flags, payload)
        if kind == SETTINGS and not flags & ACK:
            for key, value in struct.iter_unpack(">HI", payload):
                self.most = value if key == MAX_CONCURRENT_STREAMS else self.most

    def ask(self, path="/", count=1):
        """Begins so many requests; the number of the last one."""
        out = b""
        for _ in range(count):
            last = self.stream
            out += frame(HEADERS, END_HEADERS | END_STREAM, last, get(self.host, path))
            self.stream += 2
        self.s.sendall(out)
        return last

    def answer(self):
        """The body of one answer, and when its first octet was here."""
        body, came = b"", None
        while True:
            kind, flags, _, payload = self.next()
            if kind == DATA and payload:
                came = came or time.monotonic_ns()
                body += payload
            if flags & END_STREAM:
                return body, came


class Origin:
    """Answers every request in its own process: at once, with an event 2 ms later, or never."""

    def __init__(self, cert, key):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        self.context.set_alpn_protocols(["h2"])
        self.door = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.door.getsockname()[1]
        self.mode = multiprocessing.Value(ctypes.c_int, PAGE)
        self.process = multiprocessing.get_context("fork").Process(target=self.serve, daemon=True)
        self.process.start()

    def serve(self):
        while True:
            s, _ = self.door.accept()
            threading.Thread(target=self.visit, args=(s,), daemon=True).start()

    def visit(self, s):
        try:
            with self.context.wrap_socket(s, server_side=True) as tls:
                wire = Wire(tls)
                wire.take(len(PREFACE))
                tls.sendall(frame(SETTINGS, 0, 0, struct.pack(">HI", MAX_CONCURRENT_STREAMS, 1000)))
                while True:
                    kind, _, stream, _ = wire.next()
                    if kind == HEADERS:
                        self.answer(tls, stream)
        except (OSError, EOFError):
            return

    def answer(self, tls, stream):
        mode = self.mode.value
        if mode == SILENCE:
            return
        head = frame(HEADERS, END_HEADERS, stream, ANSWER)
        if mode == PAGE:
            tls.sendall(head + frame(DATA, END_STREAM, stream, b"x" * 1024))
            return
        tls.sendall(head)
        time.sleep(0.002)
        tls.sendall(frame(DATA, END_STREAM, stream, STAMP.pack(time.monotonic_ns())))

    def close(self):
        self.process.kill()
        self.process.join()
        self.door.close()


def delays(client, count):
    """Seconds from the writing of an event's first octet to its arrival, sorted."""
    out = []
    for _ in range(count):
        client.ask("/events")
        body, came = client.answer()
        out.append((came - STAMP.unpack(body)[0]) / 1e9)
    return sorted(out)

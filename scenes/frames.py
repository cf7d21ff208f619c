# SPDX-License-Identifier: Apache-2.0
"""frames: either end of HTTP/2, frame by frame, for what well-behaved peers do not do.

Fields are sent as literals without compression; what comes back is looked at by its frames
alone."""

import contextlib
import socket
import ssl
import struct
import threading

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8
CALM = 11
TIMEOUT_S = 20


def frame(kind, flags, stream, payload=b""):
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


def literal(name, value):
    def text(octets):
        n = len(octets)
        if n < 127:
            return bytes([n]) + octets
        out, n = b"\x7f", n - 127
        while n >= 128:
            out, n = out + bytes([n % 128 + 128]), n // 128
        return out + bytes([n]) + octets

    return b"\0" + text(name) + text(value)


def block(fields):
    return b"".join(literal(*(x if isinstance(x, bytes) else x.encode("latin1") for x in pair)) for pair in fields)


def request(host, path="/", method="GET", scheme="https"):
    return [(":method", method), (":scheme", scheme), (":authority", host), (":path", path)]


class Peer:
    """One end of a connection; `sent` counts what send() was asked for."""

    def __init__(self, s):
        self.socket, self.rest = s, b""
        self.goaway, self.resets, self.heads, self.ended = None, {}, set(), False
        self.acks = 0

    def send(self, octets):
        """False when the other end has gone."""
        with contextlib.suppress(OSError):
            self.socket.sendall(octets)
            return True
        return False

    def look(self, done, timeout_s=TIMEOUT_S):
        """Reads frames until done(self), the end, or too late."""
        self.socket.settimeout(timeout_s)
        with contextlib.suppress(OSError):
            while not done(self):
                while len(self.rest) < 9 or len(self.rest) < 9 + int.from_bytes(self.rest[:3], "big"):
                    piece = self.socket.recv(65536)
                    if not piece:
                        self.ended = True
                        return self
                    self.rest += piece
                self._take(9 + int.from_bytes(self.rest[:3], "big"))
            return self
        self.ended = True
        return self

    def take(self):
        """Reads what is there, without waiting. A TLS socket is not to be read and written by two
        threads at once, so whoever writes much reads in between."""
        self.socket.settimeout(0)
        try:
            while piece := self.socket.recv(65536):
                self.rest += piece
            self.ended = True
        except (ssl.SSLWantReadError, BlockingIOError):
            pass
        except OSError:
            self.ended = True
        self.socket.settimeout(TIMEOUT_S)
        while len(self.rest) >= 9 and len(self.rest) >= 9 + int.from_bytes(self.rest[:3], "big"):
            self._take(9 + int.from_bytes(self.rest[:3], "big"))

    def _take(self, n):
        kind, flags, stream = struct.unpack("!BBI", self.rest[3:9])
        payload, self.rest = self.rest[9:n], self.rest[n:]
        if kind == GOAWAY:
            self.goaway = struct.unpack("!I", payload[4:8])[0]
        elif kind == RST_STREAM:
            self.resets[stream] = struct.unpack("!I", payload)[0]
        elif kind == HEADERS:
            self.heads.add(stream)
        elif kind == SETTINGS and flags & ACK:
            self.acks += 1
        elif kind == SETTINGS:
            self.send(frame(SETTINGS, ACK, 0))

    def close(self):
        self.socket.close()


def dial(port, host, root, proxy=None):
    """A client that has said hello and was answered: straight to the port, or through a proxy."""
    raw = socket.create_connection(("127.0.0.1", proxy or port), timeout=TIMEOUT_S)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if proxy:
        raw.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += raw.recv(1)
    context = ssl.create_default_context(cafile=root)
    context.set_alpn_protocols(["h2", "http/1.1"])
    peer = Peer(context.wrap_socket(raw, server_hostname=host))
    assert peer.socket.selected_alpn_protocol() == "h2"
    peer.send(PREFACE + frame(SETTINGS, 0, 0))
    return peer.look(lambda p: p.acks > 0)


class Server:
    """An origin of HTTP/2 with TLS; `act` is called with each connection's Peer once a request came."""

    def __init__(self, cert, key, act, address="127.0.0.1"):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        self.context.set_alpn_protocols(["h2"])
        self.act = act
        self.socket = socket.create_server((address, 0), backlog=50)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=(self.socket.accept()[0],), daemon=True).start()

    def _serve(self, raw):
        with contextlib.suppress(OSError), raw:
            raw.settimeout(TIMEOUT_S)
            s = self.context.wrap_socket(raw, server_side=True)
            preface = b""
            while len(preface) < len(PREFACE):
                piece = s.recv(len(PREFACE) - len(preface))
                if not piece:
                    return
                preface += piece
            peer = Peer(s)
            peer.send(frame(SETTINGS, 0, 0))
            peer.look(lambda p: p.heads)
            if peer.heads:
                self.act(peer)

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

# SPDX-License-Identifier: Apache-2.0
"""wire: a client of sockets, for what well-behaved clients do not do."""

import contextlib
import re
import socket
import ssl

TIMEOUT_S = 15


def dial(gateway):
    return socket.create_connection(("127.0.0.1", gateway.port), timeout=TIMEOUT_S)


def read_head(s):
    """Octets up to and with the empty line, read one by one so that nothing is lost."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = s.recv(1)
        if not piece:
            break
        head += piece
    return head


class Answer:
    def __init__(self, head, body):
        line = head.split(b"\r\n")[0].split(b" ", 2)
        self.status = int(line[1]) if len(line) > 1 else 0
        self.head, self.body = head, body
        self.fields = {}
        for field in head.split(b"\r\n")[1:]:
            name, colon, value = field.partition(b":")
            if colon:
                self.fields[name.decode().lower()] = value.strip().decode()

    @property
    def text(self):
        return self.body.decode(errors="replace")

    @property
    def words(self):
        """The text without markup, blanks joined."""
        plain = re.sub(r"(?s)<(style|script)\b.*?</\1>|<[^>]*>", " ", self.text)
        return re.sub(r"\s+", " ", plain).strip()


def read_exactly(s, n):
    out = bytearray()  # grows in place: some bodies are large
    while len(out) < n:
        piece = s.recv(min(65536, n - len(out)))
        if not piece:
            raise EOFError(f"{len(out)} of {n} octets")
        out += piece
    return bytes(out)


def read_chunked(s):
    """The body; trailers are left in the last element."""
    out = b""
    while True:
        line = b""
        while not line.endswith(b"\r\n"):
            line += read_exactly(s, 1)
        size = int(line.split(b";")[0], 16)
        if size == 0:
            trailers = b""
            while not trailers.endswith(b"\r\n\r\n") and trailers != b"\r\n":
                trailers += read_exactly(s, 1)
            return out, trailers
        out += read_exactly(s, size)
        read_exactly(s, 2)


def read_answer(s, head_only=False):
    """One final answer, interim ones skipped. A connection that ends gives status 0."""
    head = read_head(s)
    answer = Answer(head, b"")
    if 100 <= answer.status < 200 and answer.status != 101:
        return read_answer(s, head_only)
    if head_only or answer.status in (0, 101, 204, 304):
        return answer
    if answer.fields.get("transfer-encoding", "").lower() == "chunked":
        answer.body, answer.trailers = read_chunked(s)
    elif "content-length" in answer.fields:
        answer.body = read_exactly(s, int(answer.fields["content-length"]))
    else:
        with contextlib.suppress(OSError):
            while piece := s.recv(65536):
                answer.body += piece
    return answer


def ask(s, text):
    s.sendall(text if isinstance(text, bytes) else text.encode())
    return read_answer(s)


def connect(gateway, host, port):
    """A tunnel; fails unless the answer is 200."""
    s = dial(gateway)
    s.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    head = read_head(s)
    assert head.startswith(b"HTTP/1.1 200 "), head
    return s


def context(ca, **options):
    c = ssl.create_default_context(cafile=ca)
    for name, value in options.items():
        setattr(c, name, value)
    return c


def secure(gateway, host, port, ca, sni=None, **options):
    """A TLS connection through a tunnel, verified against one root."""
    s = connect(gateway, host, port)
    return context(ca, **options).wrap_socket(s, server_hostname=sni or host)


def get(s, host, path="/", more=""):
    return ask(s, f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n")


def ends(s, timeout_s=TIMEOUT_S):
    """Whether the other side ends the connection, cleanly or not, without saying more."""
    s.settimeout(timeout_s)
    try:
        return s.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def hello(host, ca=None):
    """The octets of a ClientHello."""
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    c = context(ca) if ca else ssl._create_unverified_context()
    c.set_alpn_protocols(["http/1.1"])
    half = c.wrap_bio(into, out, server_hostname=host)
    with contextlib.suppress(ssl.SSLWantReadError):
        half.do_handshake()
    return out.read()

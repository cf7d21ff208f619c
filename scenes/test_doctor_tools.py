# SPDX-License-Identifier: Apache-2.0
"""doctor, with real programs: each breaks behind a gateway whose CA it does not know, the
doctor explains its words, applies, verifies with the program itself, and takes everything
back to the octet.

Programs reach the inspected host through a plain relay that asks the gateway for a tunnel,
so that none of them needs proxy settings. The bypassed host is the origin itself, whose root
is the only "public" one of a system below `--root`. HOME is a directory of the scene's own.
"""

import contextlib
import hashlib
import json
import os
import socket
import subprocess
import threading
from pathlib import Path

import pytest

import lab
from conftest import need

PATH = f"/usr/bin:/bin:{os.environ['PATH']}"  # the distribution's programs before others
GREETING = '{"good": 1}\n'
TRUST = ("unknown-issuer", "self-signed-in-chain", "missing-intermediate")


class Relay:
    """A TCP port whose every connection becomes a CONNECT tunnel through a proxy."""

    def __init__(self, proxy_port, port):
        self.proxy_port, self.target, self.port = proxy_port, f"localhost:{port}", port
        self.listener = socket.create_server(("127.0.0.1", port), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with contextlib.suppress(OSError), client:
            with socket.create_connection(("127.0.0.1", self.proxy_port)) as up:
                up.sendall(f"CONNECT {self.target} HTTP/1.1\r\nHost: {self.target}\r\n\r\n".encode())
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    piece = up.recv(1)
                    if not piece:
                        return
                    head += piece
                back = threading.Thread(target=self._pump, args=(up, client), daemon=True)
                back.start()
                self._pump(client, up)
                back.join(30)

    @staticmethod
    def _pump(source, sink):
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                sink.sendall(piece)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def close(self):
        self.listener.close()


class Network:
    """An inspected and a bypassed way to one host, and a system that knows only one root."""

    def __init__(self, make_gateway, pki, folder, program):
        self.program = Path(program).resolve()
        certificate = pki.issue("localhost")
        hosts = folder / "hosts"
        hosts.write_text("127.0.0.2 localhost\n")
        self.gateway = make_gateway(resolver=f"hosts {hosts}")
        self.origin, self.relay = self.meet(certificate)
        self.direct = lab.Origin(certificate, GREETING)
        self.inspected = f"https://localhost:{self.relay.port}"
        self.bypassed = f"https://localhost:{self.direct.port}"
        self.system = folder / "system"
        store = self.system / "etc/ssl/certs/ca-certificates.crt"
        store.parent.mkdir(parents=True)
        store.write_bytes(pki.root.read_bytes())

    def meet(self, certificate):
        """Origin and relay on one port of two addresses: a request's Host has the port, and
        must be the tunnel's."""
        for _ in range(20):
            origin = lab.Origin(certificate, GREETING, address="127.0.0.2")
            try:
                return origin, Relay(self.gateway.port, origin.port)
            except OSError:
                origin.close()
        raise RuntimeError("no port is free on both addresses")

    def close(self):
        self.relay.close()
        self.origin.close()
        self.direct.close()


@pytest.fixture(scope="module")
def network(make_gateway, pki, tmp_path_factory, program):
    it = Network(make_gateway, pki, tmp_path_factory.mktemp("doctor"), program)
    yield it
    it.close()


class Person:
    """Somebody with a home, a shell and a doctor."""

    def __init__(self, network, home):
        self.network, self.home = network, home
        home.mkdir()
        (home / ".bashrc").write_text("alias ll='ls -l'")  # no line end, on purpose
        (home / ".npmrc").write_text("; mine\r\naudit=false\r\n")
        (home / ".gitconfig").write_text("[user]\n\tname = Me ; myself\n")
        self.env = {"PATH": PATH, "HOME": str(home), "LANG": "C.UTF-8",
                    "SHELL": "/bin/bash", "npm_config_update_notifier": "false",
                    "npm_config_globalconfig": str(home / "no-npmrc"),
                    "npm_config_cache": str(home.parent / "npm-cache"),
                    "PIP_CONFIG_FILE": str(home / ".config/pip/pip.conf"),
                    "UV_CACHE_DIR": str(home.parent / "uv-cache"),
                    "GOCACHE": str(home.parent / "go-cache"),
                    "GOPATH": str(home.parent / "go"), "GOFLAGS": "-modcacherw",
                    "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
                    "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", os.path.expanduser("~/.rustup")),
                    "DENO_DIR": str(home.parent / "deno"), "DENO_NO_UPDATE_CHECK": "1",
                    "PYTHONDONTWRITEBYTECODE": "1", "no_proxy": "*"}

    def doctor(self, *arguments, check=None, **more):
        done = lab.run(self.network.program, "doctor", *arguments, check=False, timeout=150,
                       env={**self.env, **more}, cwd=self.home.parent)
        assert check is None or done.returncode == check, done.stdout + done.stderr
        return done

    def apply(self, *tools, check=0):
        return self.doctor("apply", *tools, "--yes", "--ca", self.network.gateway.root,
                           "--root", self.network.system, check=check)

    def verify(self, tool, which):
        url = getattr(self.network, which)
        done = self.doctor("verify", tool, f"--{which}", url, "--json")
        rows = json.loads(done.stdout)
        assert len(rows) == 1, done.stdout + done.stderr
        return rows[0]

    def everything(self):
        """Every file with its mode and octets, every directory, every link."""
        found = {}
        for path in sorted(self.home.rglob("*")):
            name, mode = str(path.relative_to(self.home)), path.lstat().st_mode
            octets = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
            found[name] = (mode, octets)
        return found


@pytest.fixture
def person(network, tmp_path):
    return Person(network, tmp_path / "home")


def python_has(module):
    return subprocess.run(["python3", "-c", f"import {module}"], stdin=subprocess.DEVNULL,
                          capture_output=True, check=False, env={"PATH": PATH}).returncode == 0


# tool, what must be there, does its setting replace the public list (so that the bypassed
# host, whose root is public here alone, must work too)
TOOLS = [
    ("curl", "curl", True),
    ("wget", "wget", False),
    ("wget2", "wget2", False),
    ("aria2", "aria2c", True),
    ("lynx", "lynx", True),
    ("git", "git", True),
    ("openssl", "openssl", True),
    ("python", "python3", True),
    ("requests", "python3:requests", True),
    ("httpx", "python3:httpx", True),
    ("aiohttp", "python3:aiohttp", True),
    ("pip", "python3:pip", True),
    ("uv", "uv", True),
    ("node", "node", False),
    ("npm", "npm", False),
    ("pnpm", "pnpm", False),
    ("yarn", "yarnpkg", False),
    ("deno", "deno", False),
    ("bun", "bun", False),
    ("java", "java", False),  # it does; each trial takes seconds
    ("maven", "mvn", False),
    ("go", "go", True),
    ("cargo", "cargo", True),
    ("ruby", "ruby", True),
    ("php", "php", True),
    ("perl", "perl:LWP::UserAgent", True),
    ("aws", "aws", False),
    ("ansible", "ansible", False),
    ("cmake", "cmake", True),
    ("hg", "hg", True),
]


def require(what):
    program, _, module = what.partition(":")
    need(program)
    if program in ("yarnpkg", "pnpm") and subprocess.run(
            [program, "--version"], capture_output=True, stdin=subprocess.DEVNULL, cwd="/tmp",
            check=False).returncode:
        pytest.skip("the one that is installed does not start under this node")
    if module and program == "python3" and not python_has(module):
        pytest.skip(f"the Python module {module} is not installed")
    if module and program == "perl" and subprocess.run(
            ["perl", f"-M{module}", "-MLWP::Protocol::https", "-e1"], capture_output=True,
            stdin=subprocess.DEVNULL, check=False).returncode:
        pytest.skip(f"the Perl module {module} is not installed")


@pytest.mark.parametrize("tool, what, replaces", TOOLS, ids=[row[0] for row in TOOLS])
def test_it_breaks_is_cured_is_verified_and_taken_back(person, tool, what, replaces):
    require(what)
    before = person.everything()

    broken = person.verify(tool, "inspected")
    assert broken["result"] == "fails", broken
    assert broken["hidden"] or broken["class"] in TRUST, broken
    clean = person.everything()

    person.apply(tool)
    cured = person.verify(tool, "inspected")
    assert cured["result"] == "works", cured
    if replaces:
        other = person.verify(tool, "bypassed")
        assert other["result"] == "works", other
    assert "Nothing to change" in person.apply(tool).stdout

    person.doctor("undo", tool, check=0)
    after = person.everything()
    assert {n: v for n, v in after.items() if n in before} == before
    # What the program itself left in its home is its own.
    assert not [n for n in after if n not in clean and "sekisho" in n]


@pytest.mark.parametrize("shell, start, ask", [
    ("bash", ".bashrc", ["bash", "-ic", 'printf %s "$NODE_EXTRA_CA_CERTS"']),
    ("sh", ".profile", ["sh", "-c", '. ~/.profile; printf %s "$NODE_EXTRA_CA_CERTS"']),
    ("zsh", ".zshrc", ["zsh", "-ic", 'printf %s "$NODE_EXTRA_CA_CERTS"']),
    ("fish", ".config/fish/config.fish", ["fish", "-c", 'printf %s "$NODE_EXTRA_CA_CERTS"'])])
def test_each_shell_reads_what_was_applied_and_forgets_it(person, shell, start, ask):
    need(shell, "node")
    person.home = person.home.rename(person.home.with_name("it's a home"))
    person.env["HOME"], person.env["SHELL"] = str(person.home), f"/bin/{shell}"
    (person.home / start).parent.mkdir(parents=True, exist_ok=True)
    (person.home / start).write_text("")
    before = person.everything()

    def seen():
        return lab.run(*ask, env=person.env, cwd=person.home, check=False).stdout

    assert seen() == ""
    person.apply("node")
    assert seen() == str(person.home / ".local/share/sekisho/ca/org.pem")
    person.doctor("undo", "node", check=0)
    assert seen() == ""
    after = person.everything()
    assert {name: after.get(name) for name in before} == before


def test_unsafe_settings_go_with_the_cure_and_come_back_with_undo(person):
    need("npm", "git")
    (person.home / ".npmrc").write_text("strict-ssl=false\ncafile=/old/corp.pem\n")
    (person.home / ".gitconfig").write_text("[http]\n\tsslVerify = false ; temporarily\n")
    before = person.everything()
    ask = ("show", "npm", "git", "--json", "--root", person.network.system)
    shown = json.loads(person.doctor(*ask, check=1).stdout)
    kinds = {(tool["tool"], finding["kind"]) for tool in shown["tools"] for finding in tool["findings"]}
    assert {("npm", "unsafe"), ("npm", "missing"), ("git", "unsafe")} <= kinds
    person.apply("npm", "git")
    assert (person.home / ".npmrc").read_text() == ""
    assert "sslVerify" not in (person.home / ".gitconfig").read_text()
    shown = json.loads(person.doctor(*ask, check=0).stdout)
    assert all(tool["trusts_organisation_ca"] for tool in shown["tools"])
    person.doctor("undo", "--all", check=0)
    assert person.everything() == before


def test_a_file_that_others_changed_is_refused_and_merged_on_demand(person):
    need("curl")
    person.apply("curl")
    curlrc = person.home / ".curlrc"
    curlrc.write_text(curlrc.read_text() + "silent\n")
    refused = person.doctor("undo", "curl", check=1)
    assert "changed since" in refused.stdout and "--merge" in refused.stdout
    assert "silent" in curlrc.read_text() and "cacert" in curlrc.read_text()
    person.doctor("undo", "curl", "--merge", check=0)
    assert curlrc.read_text() == "silent\n"


def test_nothing_is_done_unasked_or_on_a_dry_run(person):
    before = person.everything()
    ca = ("--ca", person.network.gateway.root, "--root", person.network.system)
    person.doctor("apply", "curl", *ca, "--dry-run", check=0)
    unasked = person.doctor("apply", "curl", *ca, check=2)
    assert "--yes" in unasked.stderr
    person.doctor("apply", "curl", check=3)  # no CA is known
    person.doctor("apply", "crul", *ca, check=1)
    assert person.everything() == before


def test_the_browsers_database_gets_the_ca_and_is_restored(person):
    need("certutil", "chromium")
    database = person.home / ".pki/nssdb"
    database.mkdir(parents=True)
    lab.run("certutil", "-N", "-d", f"sql:{database}", "--empty-password")
    before = person.everything()
    person.apply("chromium")
    listed = lab.run("certutil", "-L", "-d", f"sql:{database}").stdout
    assert "C,," in listed
    shown = json.loads(person.doctor("show", "chromium", "--json", "--root", person.network.system).stdout)
    assert shown["tools"][0]["trusts_organisation_ca"] is True
    found = json.loads(person.doctor("ca", "list", "--json", "--root", person.network.system).stdout)
    assert any("sekisho" in c["certificate"]["subject"]["common_name"] for c in found)
    person.doctor("undo", "chromium", check=0)
    assert person.everything() == before


def test_the_ca_is_exported_in_every_form_and_from_the_wire_only_when_compared(person):
    root, host = person.network.gateway.root, f"localhost:{person.network.relay.port}"
    for form, sign in (("pem", "BEGIN CERTIFICATE"), ("apple", "com.apple.security.root"),
                       ("chrome", "CACertificates"), ("firefox", "Certificates"),
                       ("kubernetes", "kind: ConfigMap"), ("windows", "X509Store")):
        done = person.doctor("ca", "export", "--ca", root, "--form", form, check=0)
        assert sign in done.stdout
    out = person.home / "trust.p12"
    person.doctor("ca", "export", "--ca", root, "--form", "pkcs12", "--out", out, check=0)
    assert out.read_bytes()[:1] == b"\x30"
    shown = person.doctor("ca", "list", "--from", host)
    assert "WARNING" in shown.stderr
    refused = person.doctor("ca", "export", "--from", host)
    assert refused.returncode != 0 and not refused.stdout


def test_snippets_name_what_they_are_for(person):
    for name, sign in (("docker", "--mount=type=secret"), ("ci-github", "GITHUB_ENV"),
                       ("ci-gitlab", "before_script")):
        assert sign in person.doctor("apply", "--print", name, check=0).stdout
    person.doctor("apply", "--print", "jenkins", check=2)


def test_it_speaks_japanese(person):
    (person.home / ".npmrc").write_text("strict-ssl=false\n")
    for done in (person.doctor("show", "npm", check=1, LANG="ja_JP.UTF-8"),
                 person.doctor("show", "npm", "--lang", "ja", check=1)):
        assert "経路上の誰か" in done.stdout and "危険" in done.stdout
    assert "path" in person.doctor("show", "npm", check=1).stdout
    person.doctor("show", "npm", "--lang", "xx", check=2)

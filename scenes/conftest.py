# SPDX-License-Identifier: Apache-2.0
"""The stage: a lab on loopback, the gateway built with sanitizers, and a few origins.

SEKISHO names the program (tools/run-tests sets it). A fixture is as wide as its cost
allows: pki, names and the street are made once per test process; a scene that changes the
gateway starts one of its own with `open_gateway`. Two test processes never share a port or
a directory.
"""

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tools"))
os.environ["PATH"] += f":/usr/sbin:/sbin:/usr/local/go/bin:{ROOT}/build/fetched/go/bin"

import lab  # noqa: E402

SANITIZER = re.compile(r"ERROR: \w*Sanitizer|runtime error:|SUMMARY: \w*Sanitizer")


def program_path():
    path = Path(os.environ.get("SEKISHO", ROOT / "build" / "check" / "sekisho"))
    return path if path.is_file() else None


@pytest.fixture(scope="session")
def program():
    path = program_path()
    if not path:
        pytest.fail("the program is not built; SEKISHO names it")
    return path


@pytest.fixture(scope="session")
def stage(tmp_path_factory):
    """A directory that other users may enter: the gateway becomes one."""
    folder = tmp_path_factory.mktemp("stage")
    for path in [folder, *folder.parents]:
        if path.stat().st_uid == os.getuid() and path != Path("/tmp"):
            path.chmod(path.stat().st_mode | 0o711)
        if path == Path("/tmp"):
            break
    return folder


@pytest.fixture(scope="session")
def pki(stage):
    return lab.Pki(stage / "pki")


@pytest.fixture(scope="session")
def names():
    server = lab.Names()
    yield server
    server.close()


def look_for_reports(gateway):
    """A sanitizer's report anywhere in the gateway's output fails the scene."""
    match = SANITIZER.search(gateway.log())
    assert not match, gateway.log()[max(0, match.start() - 500):][:6000]


@pytest.fixture(scope="session")
def make_gateway(program, stage, names, pki):
    """make(body, ...) -> a running Gateway; the caller closes it, or the session's end."""
    count = 0
    made = []

    def make(body="", **more):
        nonlocal count
        count += 1
        made.append(lab.Gateway(program, stage / f"gateway-{count}", names, pki.root, body, **more))
        return made[-1]

    yield make
    for gateway in made:
        if gateway.process.process.poll() is None:
            gateway.close()


@pytest.fixture
def open_gateway(make_gateway):
    """A gateway of the scene's own, closed and looked through at its end."""
    opened = []

    def open_one(body="", **more):
        opened.append(make_gateway(body, **more))
        return opened[-1]

    yield open_one
    for gateway in opened:
        gateway.close()
        look_for_reports(gateway)


class Street:
    """One gateway and the origins the clients' scenes visit.

    good: inspected. bypassed: a rule leaves it alone. untrusted: self-signed, refused.
    blocked: a rule refuses it.
    """

    RULES = """
	rule private when any(http.request.domains[*] in {"private.example"}) do bypass
	rule harmful when any(http.request.domains[*] in {"harmful.example"}) do block "known to be harmful"
"""

    def __init__(self, make_gateway, pki):
        self.pki = pki
        self.origins = {
            "good": lab.Origin(pki.issue("www.good.example"), "good\n"),
            "bypassed": lab.Origin(pki.issue("www.private.example"), "private\n"),
            "untrusted": lab.Origin(pki.issue("www.untrusted.example", self_signed=True), "secret\n"),
            "blocked": lab.Origin(pki.issue("www.harmful.example"), "harm\n"),
        }
        self.hosts = {"good": "www.good.example", "bypassed": "www.private.example",
                      "untrusted": "www.untrusted.example", "blocked": "www.harmful.example"}
        self.gateway = make_gateway(self.RULES)

    def url(self, which, path="/"):
        return f"https://{self.hosts[which]}:{self.origins[which].port}{path}"

    def route(self, which, name, function):
        self.origins[which].routes[name] = function

    def trust(self, which):
        """The roots a client needs: ours where we look in, the origin's where we do not."""
        return self.pki.root if which == "bypassed" else self.gateway.root

    def close(self):
        for origin in self.origins.values():
            origin.close()
        self.gateway.close()


@pytest.fixture(scope="session")
def street(make_gateway, pki):
    it = Street(make_gateway, pki)
    yield it
    it.close()
    look_for_reports(it.gateway)


def need(*programs):
    """Skips, visibly, where a client is not installed (`packages` lists them all)."""
    for name in programs:
        if not shutil.which(name):
            pytest.skip(f"{name} is not installed")


def node_modules(name):
    """The directory of a module that tools/install-packages fetches, or a visible skip."""
    folder = ROOT / "build" / "fetched" / "npm" / "node_modules"
    if not (folder / name).is_dir():
        pytest.skip(f"{name} is not in build/fetched: no registry of npm was there")
    return str(folder)

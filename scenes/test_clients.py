# SPDX-License-Identifier: Apache-2.0
"""Programs people use, through the gateway.

Each trusts one root only, so success says whose certificate it was shown: the gateway's
where it looks in, the origin's own where a rule leaves it alone.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lab
from conftest import need

HERE = Path(__file__).resolve().parent / "clients"
PYTHON = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable


class Visit:
    """What a client is given: url, proxy port, the one root it trusts, a place of its own."""

    def __init__(self, url, gateway, ca, place):
        self.url, self.gateway, self.ca, self.place = url, gateway, ca, place
        self.env = {"PATH": os.environ["PATH"], "HOME": str(place), "LANG": "C.UTF-8",
                    "https_proxy": gateway.url, "HTTPS_PROXY": gateway.url, "no_proxy": ""}

    def run(self, *command, **env):
        """(exit code, output, complaints)"""
        done = lab.run(*command, check=False, timeout=90, env={**self.env, **env}, cwd=self.place)
        return done.returncode, done.stdout, done.stderr


def curl(v):
    need("curl")
    return v.run("curl", "-sS", "--fail-with-body", "--max-time", "30", "--cacert", v.ca, v.url)


def wget(v):
    need("wget")
    return v.run("wget", "-q", "-O", "-", "--tries=1", "--timeout=30", "--content-on-error",
                 f"--ca-certificate={v.ca}", "--ca-directory=/nonexistent", v.url)


def node(v):
    need("node")
    return v.run("node", HERE / "fetch.mjs", v.url, NODE_EXTRA_CA_CERTS=str(v.ca),
                 NODE_USE_ENV_PROXY="1")


def python_urllib(v):
    return v.run(PYTHON, HERE / "fetch_urllib.py", v.ca, v.url)


def python_requests(v):
    if subprocess.run([PYTHON, "-c", "import requests"], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("python3-requests is not installed")
    return v.run(PYTHON, HERE / "fetch_requests.py", v.ca, v.url)


def java(v):
    need("java", "javac", "keytool")
    store = v.place / "trust.p12"
    lab.run("keytool", "-importcert", "-noprompt", "-alias", "lab", "-file", v.ca, "-keystore",
            store, "-storetype", "PKCS12", "-storepass", "public")
    return v.run("java", f"-Djavax.net.ssl.trustStore={store}",
                 "-Djavax.net.ssl.trustStorePassword=public", HERE / "Fetch.java",
                 v.gateway.port, v.url)


_go_program = None


def go(v):
    need("go")
    global _go_program
    if not _go_program:
        out = v.place.parent / "fetch-go"
        home = os.environ.get("HOME", "/root")
        lab.run("go", "build", "-o", out, HERE / "fetch.go", timeout=300,
                env={**v.env, "HOME": home, "GO111MODULE": "off", "CGO_ENABLED": "0"})
        _go_program = out
    return v.run(_go_program, v.ca, v.url)


CLIENTS = [curl, wget, node, python_urllib, python_requests, java, go]


@pytest.fixture(params=CLIENTS, ids=lambda c: c.__name__)
def visit(request, street, tmp_path):
    def go_to(which, path="/", ca=None):
        v = Visit(street.url(which, path), street.gateway, ca or street.trust(which), tmp_path)
        return request.param(v)

    return go_to


def test_inspected_it_accepts_our_certificate_and_reads_the_page(street, visit):
    code, out, complaints = visit("good")
    assert (code, out) == (0, "good\n"), complaints
    assert street.gateway.wait_event(host="www.good.example", action="inspect")


def test_bypassed_it_is_shown_the_origins_own_certificate(street, visit):
    code, out, complaints = visit("bypassed")
    assert (code, out) == (0, "private\n"), complaints
    assert street.gateway.wait_event(host="www.private.example", action="bypass")


def test_an_untrusted_origin_is_refused_and_never_asked(street, visit):
    before = len(street.origins["untrusted"].seen)
    code, out, _ = visit("untrusted")
    assert code != 0 and "secret" not in out
    assert len(street.origins["untrusted"].seen) == before


def test_what_a_rule_blocks_does_not_arrive(street, visit):
    before = len(street.origins["blocked"].seen)
    code, out, _ = visit("blocked")
    assert code != 0 and "harm\n" not in out
    assert len(street.origins["blocked"].seen) == before


def test_without_our_root_an_inspected_page_is_not_believed(street, visit):
    code, out, _ = visit("good", ca=street.pki.root)
    assert code != 0 and "good\n" not in out

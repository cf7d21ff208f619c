# SPDX-License-Identifier: Apache-2.0
"""Inspected, with sides that speak different versions of HTTP, and with the programs people use."""

import json
import os
import subprocess
import sys

import pytest

import lab
from conftest import look_for_reports, need, node_modules

CLIENTS = os.path.join(os.path.dirname(__file__), "clients")
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
HOST = "www.good.example"


def open_node(pki, stage, name="mix_origin"):
    cert, key = pki.issue(HOST)
    port = lab.free_port()
    return port, lab.Program(["node", os.path.join(CLIENTS, "h2_origin.mjs"), port, cert, key],
                             lambda: lab.accepts(port), stage / f"{name}.log")


@pytest.fixture(scope="module")
def asks_http1(make_gateway, pki):
    """Clients may speak HTTP/2; the origin is asked for HTTP/1.1."""
    origin = lab.Origin(pki.issue(HOST))
    gateway = make_gateway(upstream="http 1.1")
    gateway.origin_url = f"https://{HOST}:{origin.port}"
    yield gateway
    gateway.close()
    origin.close()
    look_for_reports(gateway)


@pytest.fixture(scope="module")
def asks_any(make_gateway, pki, stage):
    """Origins are offered HTTP/2 whatever the client speaks."""
    port, origin = open_node(pki, stage)
    gateway = make_gateway(upstream="http any")
    gateway.origin_url = f"https://{HOST}:{port}"
    gateway.origin = origin
    yield gateway
    gateway.close()
    origin.close()
    look_for_reports(gateway)


def play(road, act, path="/bytes/5"):
    need("node")
    done = subprocess.run(
        ["node", os.path.join(CLIENTS, "h2_client.mjs"), act, road.origin_url + path],
        env={**os.environ, "PROXY": road.url, "ROOT": str(road.root)},
        capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode() + road.log()[-3000:]
    return json.loads(done.stdout)


def curl(road, path, *more):
    return subprocess.run(
        ["curl", "-sS", "--max-time", "20", "--noproxy", "", "--proxy", road.url, "--cacert",
         str(road.root), *more, road.origin_url + path],
        capture_output=True, timeout=30, check=False)


def test_streams_go_to_an_origin_of_http1(asks_http1):
    assert play(asks_http1, "many")["whole"] == 100
    event = asks_http1.wait_event(kind="request", path="/bytes/300")
    assert (event["client_http"], event["origin_http"]) == ("HTTP/2", "HTTP/1.1")


def test_uploads_to_an_origin_of_http1_arrive_whole(asks_http1):
    assert play(asks_http1, "upload")["body"] == "5000000 octets\n"


def test_requests_of_http1_go_as_streams(asks_any):
    done = curl(asks_any, "/bytes/7", "--http1.1", "-w", " %{http_version}")
    assert done.stdout == b"xxxxxxx 1.1", done.stderr
    event = asks_any.wait_event(kind="request", path="/bytes/7")
    assert (event["client_http"], event["origin_http"]) == ("HTTP/1.1", "HTTP/2")


def test_an_upload_of_http1_goes_as_a_stream(asks_any, tmp_path):
    (tmp_path / "body").write_bytes(bytes(3000000))
    done = curl(asks_any, "/count", "--http1.1", "-T", str(tmp_path / "body"), "-X", "POST")
    assert done.stdout == b"3000000", done.stderr


@pytest.mark.parametrize("http", ["1.1", "2"])
def test_nghttpd_is_read_by_curl(asks_any, pki, tmp_path, http):
    need("nghttpd")
    cert, key = pki.issue(HOST)
    port = lab.free_port()
    (tmp_path / "file").write_bytes(b"y" * 100000)
    origin = lab.Program(["nghttpd", "-d", tmp_path, port, key, cert], lambda: lab.accepts(port), tmp_path / "log")
    done = subprocess.run(
        ["curl", "-sS", "--max-time", "20", "--noproxy", "", "--proxy", asks_any.url, "--cacert", str(asks_any.root),
         f"--http{http}", "-w", "%{http_version}", f"https://{HOST}:{port}/file"], capture_output=True, timeout=30, check=False)
    origin.close()
    assert done.stdout == b"y" * 100000 + http.encode(), done.stderr


@pytest.mark.parametrize("kind", ["python", "node"])
def test_grpc_is_inspected(asks_any, pki, stage, kind):
    env = {**os.environ, "https_proxy": asks_any.url, "no_proxy": ""}
    if kind == "python":
        if subprocess.run([PYTHON, "-c", "import grpc"], stderr=subprocess.DEVNULL, check=False).returncode:
            pytest.skip("python3-grpcio is not installed")
        peer = [PYTHON, os.path.join(CLIENTS, "grpc_peer.py")]
    else:
        env["MODULES"] = node_modules("@grpc/grpc-js")
        peer = ["node", os.path.join(CLIENTS, "grpc_peer.mjs")]
    port = lab.free_port()
    origin = lab.Program([*peer, "serve", port, *pki.issue(HOST)], lambda: lab.accepts(port), stage / f"grpc_{kind}.log",
                         env=env)
    done = lab.run(*peer, "play", f"{HOST}:{port}", asks_any.root, HOST, check=False, env=env)
    origin.close()
    assert done.returncode == 0, done.stderr + asks_any.log()[-3000:]
    assert json.loads(done.stdout) == {
        "unary": "cba", "often": [f"n {i}" for i in range(5)], "count": "2000000",
        "talk": {"said": [f"echo word {i}" for i in range(3)], "first": "yes", "last": "yes"},
        "large": 3000000, "late": "DEADLINE_EXCEEDED", "refused": ["PERMISSION_DENIED", "not you"],
        "unknown": "UNIMPLEMENTED"}
    event = asks_any.wait_event(kind="request", path="/lab.Peer/Refuse", port=port)
    assert (event["client_http"], event["origin_http"]) == ("HTTP/2", "HTTP/2")


def check_http2(road, path):
    event = road.wait_event(kind="request", path=path)
    assert (event["client_http"], event["origin_http"], event["status"]) == ("HTTP/2", "HTTP/2", 200)


def test_java_speaks_http2(asks_any, tmp_path):
    need("java", "javac", "keytool")
    store = tmp_path / "trust.p12"
    lab.run("keytool", "-importcert", "-noprompt", "-alias", "lab", "-file", asks_any.root, "-keystore",
            store, "-storetype", "PKCS12", "-storepass", "public")
    done = lab.run("java", f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStorePassword=public",
                   os.path.join(CLIENTS, "Fetch.java"), asks_any.port, asks_any.origin_url + "/bytes/11?java",
                   check=False, timeout=90)
    assert done.stdout == "x" * 11, done.stderr
    check_http2(asks_any, "/bytes/11")


def test_go_speaks_http2(asks_any, tmp_path):
    need("go")
    env = {**os.environ, "GO111MODULE": "off", "CGO_ENABLED": "0", "https_proxy": asks_any.url, "no_proxy": ""}
    lab.run("go", "build", "-o", tmp_path / "fetch", os.path.join(CLIENTS, "fetch.go"), timeout=300, env=env)
    done = lab.run(tmp_path / "fetch", asks_any.root, asks_any.origin_url + "/bytes/12", check=False, env=env)
    assert done.stdout == "x" * 12, done.stderr
    check_http2(asks_any, "/bytes/12")


QUIET = ["--headless=new", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run", "--disable-extensions", "--disable-dev-shm-usage",
         "--disable-domain-reliability", "--disable-crash-reporter"]


def test_a_browser_loads_a_page_of_a_hundred_things(asks_any, tmp_path):
    need("chromium", "certutil")
    store = tmp_path / ".pki" / "nssdb"
    store.mkdir(parents=True)
    lab.run("certutil", "-N", "-d", f"sql:{store}", "--empty-password")
    lab.run("certutil", "-A", "-d", f"sql:{store}", "-n", "lab", "-t", "C,,", "-i", asks_any.root)
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "c"),
           "XDG_CACHE_HOME": str(tmp_path / "k")}
    command = ["chromium", *QUIET, f"--user-data-dir={tmp_path}/profile", f"--proxy-server={asks_any.url}",
               "--remote-debugging-port=0", asks_any.origin_url + "/page"]
    if os.getuid() == 0:
        command.append("--no-sandbox")

    def report():
        lines = [line for line in asks_any.origin.text().split("\n") if line.startswith("REPORT ")]
        return json.loads(lines[-1][7:]) if lines else None

    browser = lab.Program(command, lambda: True, tmp_path / "chromium.log", env=env)
    try:
        seen = lab.wait_for("the page's report", report, timeout_s=60)
    finally:
        browser.close()
    assert seen == {"whole": 100, "events": 3, "socket": "hello", "hops": ["h2"], "page": "h2"}

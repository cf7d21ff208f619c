# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 where both sides speak it, and nothing promised where one does not."""

import os
import subprocess

import pytest

import lab
from conftest import need

HOST = "www.two.example"


@pytest.fixture(scope="module")
def origin(pki, tmp_path_factory):
    """nginx with HTTP/2 and a few files."""
    need("nginx", "curl")
    if "HTTP2" not in lab.run("curl", "--version").stdout:
        pytest.skip("this curl speaks no HTTP/2")
    folder = tmp_path_factory.mktemp("two")
    cert, key = pki.issue(HOST)
    port = lab.free_port()
    (folder / "small").write_text("small\n")
    (folder / "large").write_bytes(os.urandom(3_000_000))
    config = folder / "nginx.conf"
    config.write_text(f"""daemon off; master_process off; pid {folder}/pid; user root;
error_log {folder}/error.log; events {{}} http {{ access_log off; client_max_body_size 0;
client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
server {{ listen 127.0.0.1:{port} ssl http2; ssl_certificate {cert}; ssl_certificate_key {key};
root {folder}; location /headers {{ return 200 "$http_x_mine|$http_te|$server_protocol"; }} }} }}""")
    server = lab.Program(["nginx", "-p", folder, "-c", config, "-e", folder / "e.log"],
                         lambda: lab.accepts(port), folder / "out.log")
    server.folder, server.port = folder, port
    yield server
    server.close()


def curl(street, url, *more):
    """(body, HTTP version, status)"""
    done = subprocess.run(
        ["curl", "-sS", "--http2", "--max-time", "30", "--noproxy", "", "--proxy", street.gateway.url,
         "--cacert", str(street.gateway.root), "-w", "\n%{http_version} %{http_code}", *more, url],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    body, _, tail = done.stdout.rpartition(b"\n")
    assert done.returncode == 0, done.stderr
    version, status = tail.decode().split()
    return body, version, int(status)


def test_two_is_spoken_with_both_sides(street, origin):
    url = f"https://{HOST}:{origin.port}"
    assert curl(street, f"{url}/small") == (b"small\n", "2", 200)
    body, version, _ = curl(street, f"{url}/headers", "-H", "X-Mine: 1")
    assert body == b"1||HTTP/2.0" and version == "2"
    event = street.gateway.wait_event(host=HOST, kind="request", path="/headers")
    assert event["client_http"] == event["origin_http"] == "HTTP/2"


def test_a_large_body_arrives_whole(street, origin):
    body, version, _ = curl(street, f"https://{HOST}:{origin.port}/large")
    assert version == "2" and body == (origin.folder / "large").read_bytes()


def test_many_streams_at_once_each_get_their_own(street, origin):
    done = lab.run("curl", "-sS", "--http2", "-Z", "--max-time", "40", "--noproxy", "", "--proxy",
                   street.gateway.url, "--cacert", street.gateway.root,
                   f"https://{HOST}:{origin.port}/small?[1-40]", timeout=60)
    assert done.stdout.count("small\n") == 40


def test_two_is_not_promised_where_the_origin_has_only_one(street):
    body, version, status = curl(street, street.url("good"))
    assert (body, version, status) == (b"good\n", "1.1", 200)


def test_what_a_rule_blocks_is_answered_in_two(open_gateway, origin):
    gateway = open_gateway('\trule no when http.request.uri.path == "/large" do block "too large"')

    class Here:
        pass

    here = Here()
    here.gateway = gateway
    assert curl(here, f"https://{HOST}:{origin.port}/small")[1:] == ("2", 200)
    body, version, status = curl(here, f"https://{HOST}:{origin.port}/large")
    assert (version, status) == ("2", 403) and b"too large" in body

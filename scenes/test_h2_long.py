# SPDX-License-Identifier: Apache-2.0
"""Bodies of more than 4 GiB through HTTP/2, with SEKISHO_LONG=1: a minute or two each."""

import os
import subprocess

import pytest

import lab
from conftest import look_for_reports, need

CLIENTS = os.path.join(os.path.dirname(__file__), "clients")
HOST = "www.good.example"
SIZE = (4 << 30) + 1_000_001

pytestmark = pytest.mark.skipif(not os.environ.get("SEKISHO_LONG"), reason="takes minutes; SEKISHO_LONG=1 runs it")


@pytest.fixture(scope="module")
def road(make_gateway, pki, stage):
    need("node", "curl")
    cert, key = pki.issue(HOST)
    port = lab.free_port()
    origin = lab.Program(["node", os.path.join(CLIENTS, "h2_origin.mjs"), port, cert, key],
                         lambda: lab.accepts(port), stage / "long_origin.log")
    gateway = make_gateway()
    gateway.origin_url = f"https://{HOST}:{port}"
    yield gateway
    gateway.close()
    origin.close()
    look_for_reports(gateway)


def curl(road, *more):
    return ["curl", "-sS", "--http2", "--max-time", "550", "--noproxy", "", "--proxy", road.url, "--cacert", str(road.root), *more]


def test_a_download_is_counted_to_the_octet(road):
    done = subprocess.run(curl(road, "-o", "/dev/null", "-w", "%{http_version} %{size_download}",
                               f"{road.origin_url}/stream/{SIZE}"), capture_output=True, timeout=600, check=False)
    assert done.stdout == f"2 {SIZE}".encode(), done.stderr
    assert road.wait_event(kind="request", path=f"/stream/{SIZE}")["bytes_response"] == SIZE


def test_an_upload_is_counted_to_the_octet(road, tmp_path):
    with (tmp_path / "sparse").open("wb") as f:
        f.truncate(SIZE)
    done = subprocess.run(curl(road, "-T", str(tmp_path / "sparse"), f"{road.origin_url}/count"), capture_output=True,
                          timeout=600, check=False)
    assert done.stdout == str(SIZE).encode(), done.stderr
    assert road.wait_event(kind="request", path="/count")["bytes_request"] == SIZE

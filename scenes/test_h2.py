# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 on both sides: nothing downgraded, nothing held back, each stream on its own."""

import json
import os
import subprocess
import time

import pytest

import lab

CLIENTS = os.path.join(os.path.dirname(__file__), "clients")
HOST = "www.good.example"
RULES = '\trule no when http.request.uri.path == "/blocked" do block "not here"\n'


@pytest.fixture(scope="module")
def road(make_gateway, pki, stage):
    """A gateway, and an origin of Node's behind it."""
    cert, key = pki.issue(HOST)
    port = lab.free_port()
    origin = lab.Program(["node", os.path.join(CLIENTS, "h2_origin.mjs"), port, cert, key],
                         lambda: lab.accepts(port), stage / "h2_origin.log")
    gateway = make_gateway(RULES)
    gateway.origin_url = f"https://{HOST}:{port}"
    yield gateway
    gateway.close()
    origin.close()


def play(road, act, path="/bytes/5"):
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


@pytest.mark.parametrize("flag", ["--http2", "--http2-prior-knowledge"])
def test_curl_speaks_http2_through_us(road, flag):
    done = curl(road, "/bytes/5", flag, "-w", " %{http_version}")
    assert done.stdout == b"xxxxx 2", done.stderr


def test_http2_without_tls_passes_a_tunnel_where_it_may(open_gateway, stage):
    port = lab.free_port()
    origin = lab.Program(["node", os.path.join(CLIENTS, "h2_origin.mjs"), port], lambda: lab.accepts(port),
                         stage / "h2_plain.log")
    for words, wanted in (("non-tls tunnel", b"xxxxx 2"), ("", b" 0")):
        gateway = open_gateway("\t" + words)
        done = subprocess.run(
            ["curl", "-sS", "-p", "--http2-prior-knowledge", "--max-time", "20", "--noproxy", "", "--proxy", gateway.url, "-w",
             " %{http_version}", f"http://{HOST}:{port}/bytes/5"], capture_output=True, timeout=30, check=False)
        assert done.stdout == wanted, done.stderr
    origin.close()


def test_a_hundred_streams_at_once_come_back_whole(road):
    assert play(road, "many")["whole"] == 100


def test_a_blocked_stream_gets_its_page_while_others_go_on(road):
    assert play(road, "mixed")["statuses"] == [200, 403, 200, 403, 200, 200]


def test_a_request_for_another_host_is_misdirected(road):
    assert play(road, "misdirected")["statuses"] == [421, 200]


def test_trailers_pass(road):
    seen = play(road, "one", "/trailers")
    assert (seen["body"], seen["trailers"]["grpc-status"]) == ("body", "7")


def test_a_head_that_is_everything_passes(road):
    seen = play(road, "one", "/alone")
    assert (seen["status"], seen["headers"]["grpc-status"], seen["body"]) == (200, "12", "")


def test_interim_heads_pass(road):
    seen = play(road, "one", "/hints")
    assert (seen["informs"], seen["body"]) == ([103], "hinted")


def test_events_arrive_when_they_are_sent(road):
    late = play(road, "events")["late"]
    assert len(late) == 5
    assert sorted(late)[2] < 25, late


def test_both_directions_talk_at_once(road):
    seen = play(road, "duplex")
    assert seen == {"said": [f"ping {i}" for i in range(5)], "code": 0}


def test_uploads_arrive_whole(road):
    assert play(road, "upload")["body"] == "5000000"


def test_an_early_answer_is_not_lost(road):
    seen = play(road, "early")
    assert (seen["status"], seen["body"]) == (413, "too much")


def test_a_stalled_stream_stops_no_other(road):
    assert play(road, "stalled") == {"fast": 3000000, "slow": 10000000}


def test_websockets_pass_as_extended_connect(road):
    assert play(road, "websocket") == {"status": 200, "said": "\x81\x02hi"}


@pytest.mark.parametrize("code", [7, 8, 11, 13])
def test_reset_codes_of_the_origin_reach_the_client(road, code):
    assert play(road, "one", f"/reset/{code}")["code"] == code


def test_a_goaway_of_the_origin_reaches_the_client(road):
    assert play(road, "goaway") == {"status": 200, "body": "bye", "goaway": 0}


def test_an_origin_learns_that_a_client_left(road):
    assert int(play(road, "leave")["body"]) >= 19


def test_fields_about_connections_are_not_invented(road):
    fields = json.loads(play(road, "one", "/fields")["body"])
    assert not {"connection", "transfer-encoding", "upgrade", "host"} & set(fields)
    assert fields[":authority"].startswith(HOST)


def test_requests_are_told_with_their_version(road):
    curl(road, "/bytes/123", "--http2")
    event = road.wait_event(kind="request", path="/bytes/123")
    assert (event["client_http"], event["origin_http"]) == ("HTTP/2", "HTTP/2")
    assert event["bytes_response"] == 123


def test_draining_lets_a_download_end(road):
    download = subprocess.Popen(
        ["curl", "-sS", "--http2", "--max-time", "30", "--limit-rate", "1M", "--noproxy", "",
         "--proxy", road.url, "--cacert", str(road.root), "-o", "/dev/null", "-w",
         "%{size_download}", road.origin_url + "/bytes/1500000"], stdout=subprocess.PIPE)
    time.sleep(0.5)
    os.kill(road.process.process.pid, 1)  # SIGHUP: a new generation
    assert download.communicate(timeout=30)[0] == b"1500000"


def test_an_origin_that_dies_takes_only_its_own_streams_along(road, pki, stage):
    cert, key = pki.issue("www.dying.example")
    port = lab.free_port()
    origin = lab.Program(["node", os.path.join(CLIENTS, "h2_origin.mjs"), port, cert, key],
                         lambda: lab.accepts(port), stage / "h2_dying.log")
    download = subprocess.Popen(
        ["curl", "-sS", "--http2", "--max-time", "30", "--limit-rate", "1M", "--noproxy", "",
         "--proxy", road.url, "--cacert", str(road.root), "-o", "/dev/null",
         f"https://www.dying.example:{port}/bytes/20000000"], stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    origin.close(how=9)
    assert download.wait(30) != 0
    assert play(road, "many")["whole"] == 100
    event = road.wait_event(kind="request", path="/bytes/20000000")
    assert event["err"].startswith("h2.") and event["status"] == 200


def test_clients_cut_in_the_middle_leave_the_worker_whole(road):
    for delay in (0.05, 0.1, 0.2, 0.3):
        client = subprocess.Popen(
            ["node", os.path.join(CLIENTS, "h2_client.mjs"), "many", road.origin_url + "/"],
            env={**os.environ, "PROXY": road.url, "ROOT": str(road.root)},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay + 0.2)
        client.kill()
        client.wait()
    assert play(road, "many")["whole"] == 100
    assert "process.died" not in road.log()

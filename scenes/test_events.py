# SPDX-License-Identifier: Apache-2.0
"""What happened is recorded, found again, and counted."""

import json
import re
import subprocess
import urllib.request

import lab
import wire

HOST = "www.good.example"


def visit(gateway, street, path="/"):
    with wire.secure(gateway, HOST, street.origins["good"].port, gateway.root) as s:
        return wire.get(s, HOST, path)


def log(gateway, *arguments, check=True):
    store = gateway.folder / "data" / "events.db"
    return gateway.command("log", "--store", store, *arguments, check=check)


def test_a_session_and_its_requests_are_told(street):
    visit(street.gateway, street, "/bytes/1234")
    request = street.gateway.wait_event(path="/bytes/1234")
    assert (request["method"], request["status"], request["bytes_response"]) == ("GET", 200, 1234)
    session = street.gateway.wait_event(session=request["session"], action="inspect")
    for field in ("client_tls", "client_cipher", "origin_tls", "origin_cipher", "origin_chain",
                  "leaf_serial", "us_client_tls", "ended_by"):
        assert session.get(field), field
    assert session["requests"] == 1 and session["bytes_down"] > 1234


def test_log_lists_and_filters_with_the_rule_language(open_gateway, street):
    gateway = open_gateway()
    visit(gateway, street, "/one")
    visit(gateway, street, "/two")
    gateway.wait_event(path="/two")
    lab.wait_for("the store", lambda: "/two" in log(gateway, "--kind", "request", check=False).stdout)
    found = log(gateway, "--kind", "request", "--where", 'path == "/two"').stdout
    assert "/two" in found and "/one" not in found
    rows = [json.loads(line) for line in log(gateway, "--json").stdout.splitlines()]
    assert {"/one", "/two"} <= {row.get("path") for row in rows}


def test_a_filter_that_is_not_understood_is_explained(open_gateway):
    gateway = open_gateway()
    done = log(gateway, "--where", "pth == 1", check=False)
    assert done.returncode == 2 and "path" in done.stderr


def test_log_follows(open_gateway, street):
    gateway = open_gateway()
    visit(gateway, street, "/before")
    store = gateway.folder / "data" / "events.db"
    lab.wait_for("the store", store.exists)
    reader = subprocess.Popen([gateway.program, "log", "-f", "--json", "--store", store],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        visit(gateway, street, "/after")
        seen = []
        lab.wait_for("the new line", lambda: seen.append(reader.stdout.readline()) or
                     any('"/after"' in line for line in seen))
    finally:
        reader.kill()
        reader.wait()


def test_metrics_count_in_prometheus_text(open_gateway, street):
    port = lab.free_port()
    gateway = open_gateway(top=f"admin 127.0.0.1:{port}")

    def text():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain")
            return answer.read().decode()

    def opened():
        return int(re.search(r"^sekisho_sessions_opened_total (\d+)$", text(), re.M).group(1))

    before = opened()
    for _ in range(3):
        visit(gateway, street)
    lab.wait_for("three more", lambda: opened() >= before + 3)
    for line in text().splitlines():
        assert line.startswith("#") or len(line.rsplit(" ", 1)) == 2


def test_a_name_in_the_log_cannot_command_the_terminal(open_gateway, street):
    gateway = open_gateway()
    with wire.secure(gateway, HOST, street.origins["good"].port, gateway.root) as s:
        wire.get(s, HOST, "/x", "User-Agent: \x1b[2J\u00e4\r\n")
    gateway.wait_event(host=HOST)
    assert "\x1b[2J" not in log(gateway, check=False).stdout

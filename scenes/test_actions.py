# SPDX-License-Identifier: Apache-2.0
"""Each action of a rule through a real client, and the page it shows in each form."""

import json
import re
import socket
import sqlite3
import ssl
import subprocess
import urllib.request

import lab
import pytest
import wire
from conftest import need

HTML = "Accept: text/html,application/xhtml+xml\r\n"


def visit(gateway, host, port, path="/", more="", method="GET"):
    with wire.secure(gateway, host, port, gateway.root) as s:
        return wire.ask(s, f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n")


def curl(gateway, url, *more, check=True):
    need("curl")
    return lab.run("curl", "-sS", "--proxy", gateway.url, "--cacert", gateway.root, "--max-time", "20",
                   *more, url, check=check)


@pytest.fixture(scope="module")
def acting(make_gateway, pki):
    """One gateway with a rule for each action, and what its clients visit."""
    names = ["www", "stop", "cut", "ask", "old", "elsewhere", "quiet", "tenant", "watched", "trial", "wide"]
    origin = lab.Origin(pki.issue(*(f"{name}.act.example" for name in names)), "the origin\n")
    other = lab.Origin(pki.issue("hidden.act.example"), "another origin\n")
    wide = lab.Origin(pki.issue("wide.act.example"), "wide\n")
    port = lab.free_port()
    gateway = make_gateway(
        '\trule stop when http.request.host == "stop.act.example" do block "kept <b>out</b>"\n'
        '\trule cut when http.request.host == "cut.act.example" do block reset\n'
        '\trule ask when http.request.host == "ask.act.example" do prompt "Public material only." for 10min\n'
        '\trule old when http.request.host == "old.act.example"'
        ' do redirect "https://new.example/base" keep-path keep-query 308\n'
        '\trule elsewhere when http.request.host == "elsewhere.act.example"'
        f' do override host 127.0.0.1 port {other.port} sni hidden.act.example\n'
        '\trule quiet when http.request.host == "quiet.act.example" do redact url user_agent host sni\n'
        '\trule mark when http.request.host == "tenant.act.example" do request-header set X-Tenant "blue"\n'
        '\trule more when http.request.host == "tenant.act.example" do request-header add X-Seen "one"\n'
        '\trule less when http.request.host == "tenant.act.example" do request-header remove X-Secret\n'
        '\trule back when http.request.host == "tenant.act.example" do response-header set Server "none"\n'
        '\trule look when http.request.host == "watched.act.example" do log "seen"\n'
        '\trule in when http.request.host == "watched.act.example" do scan\n'
        '\trule out when http.request.host == "watched.act.example" do noscan\n'
        '\trule trial when http.request.host == "trial.act.example" do dry-run block "not yet"\n'
        '\trule wide when http.request.host == "wide.act.example" do bypass\n',
        top=f"admin 127.0.0.1:{port}")
    gateway.admin, gateway.origin = port, origin
    gateway.visit = lambda name, *rest, **more: visit(gateway, f"{name}.act.example", origin.port, *rest, **more)
    yield gateway
    gateway.close()
    for one in (origin, other, wide):
        one.close()


def test_block_shows_a_page_in_which_nothing_is_markup(acting):
    answer = acting.visit("stop", "/", HTML)
    assert answer.status == 403 and "kept &lt;b&gt;out&lt;/b&gt;" in answer.text
    assert answer.fields["content-type"].startswith("text/html") and "gate.blocked" in answer.text


def test_block_speaks_the_form_and_the_language_that_was_asked_for(acting):
    problem = json.loads(acting.visit("stop", "/", "Accept: application/json\r\n").text)
    assert problem["code"] == "gate.blocked" and problem["rule"] == "stop" and problem["status"] == 403
    assert problem["reason"] == "kept <b>out</b>"
    japanese = acting.visit("stop", "/", HTML + "Accept-Language: ja,en;q=0.5\r\n")
    assert '<html lang="ja"' in japanese.text and "ゲートウェイ" in japanese.text
    english = acting.visit("stop", "/", HTML + "Accept-Language: fr, en;q=0.5\r\n")
    assert '<html lang="en"' in english.text
    plain = acting.visit("stop")
    assert plain.fields["content-type"].startswith("text/plain") and "kept" in plain.text


def test_a_grpc_call_gets_a_status_it_understands(acting):
    answer = acting.visit("stop", "/pkg.Service/Call",
                          "Content-Type: application/grpc\r\nTE: trailers\r\nContent-Length: 0\r\n", "POST")
    assert answer.status == 200 and answer.fields["content-type"] == "application/grpc"
    assert answer.fields["grpc-status"] == "7" and "kept" in answer.fields["grpc-message"]


def test_block_with_reset_just_closes(acting):
    with pytest.raises((ssl.SSLError, ConnectionError, EOFError, OSError)):
        assert acting.visit("cut").status != 0, "closed"
        raise EOFError
    assert acting.wait_event(host="cut.act.example", action="block")["rule"] == "cut"


def test_prompt_lets_those_through_who_insist(acting):
    first = acting.visit("ask", "/a?b=c", HTML)
    assert first.status == 403 and "Public material only." in first.words
    link = re.search(r'href="(/[^"]+)"', first.text).group(1).replace("&amp;", "&")
    onward = acting.visit("ask", link, HTML)
    assert onward.status in (302, 303) and onward.fields["location"].endswith("/a?b=c")
    cookie = onward.fields["set-cookie"].split(";")[0]
    passed = acting.visit("ask", "/headers", HTML + f"Cookie: {cookie}; own=1\r\n")
    assert passed.status == 200 and "own=1" in passed.text
    assert cookie.split("=")[0] not in passed.text, "the origin never sees our cookie"
    assert acting.visit("ask", "/", HTML + f"Cookie: {cookie[:-2]}xx\r\n").status == 403


def test_prompt_answers_scripts_in_json_with_the_link(acting):
    answer = acting.visit("ask", "/api", "Accept: application/json\r\n")
    problem = json.loads(answer.text)
    assert answer.status == 403 and problem["code"] == "gate.prompt"
    assert any(str(value).startswith("/") for value in problem.values()), problem


def test_redirect_keeps_path_and_query_where_told(acting):
    answer = acting.visit("old", "/x/y?z=1")
    assert answer.status == 308 and answer.fields["location"] == "https://new.example/base/x/y?z=1"
    assert acting.wait_event(host="old.act.example", action="redirect")["location"].endswith("?z=1")


def test_override_goes_elsewhere_under_another_name(acting):
    answer = acting.visit("elsewhere")
    assert answer.status == 200 and answer.text == "another origin\n"


def test_headers_are_set_added_and_removed_on_both_ways(acting):
    answer = acting.visit("tenant", "/headers", "X-Tenant: red\r\nX-Seen: zero\r\nX-Secret: 1\r\n")
    seen = [(name.lower(), value) for name, value in json.loads(answer.text)]
    assert ("x-tenant", "blue") in seen and ("x-tenant", "red") not in seen
    assert ("x-seen", "zero") in seen and ("x-seen", "one") in seen
    assert not any(name == "x-secret" for name, _ in seen)
    assert answer.fields["server"] == "none"


def test_notes_change_nothing_and_are_recorded(acting):
    assert acting.visit("watched").status == 200
    event = acting.wait_event(host="watched.act.example", kind="request")
    assert event["labels"] == "seen" and event["action"] == "allow"


def test_a_rule_on_trial_is_recorded_and_not_enforced(acting):
    assert acting.visit("trial").status == 200
    event = acting.wait_event(host="trial.act.example", kind="request")
    assert event["dry_run"].startswith("hello:trial=block") and "verdicts" not in event


def test_what_is_redacted_reaches_no_sink(acting):
    """Not the JSON lines, not the store, not the metrics, not the log."""
    secret = "s3cr3t-path"
    assert acting.visit("quiet", f"/{secret}?token={secret}",
                        f"User-Agent: agent-{secret}\r\nReferer: https://a.example/{secret}\r\n").status == 200
    assert acting.visit("www", "/marker").status == 200
    acting.wait_event(path="/marker")
    acting.wait_event(host="www.act.example", kind="session")

    def stored():
        with sqlite3.connect(f"file:{acting.folder}/data/events.db?mode=ro", uri=True) as db:
            tables = [row[0] for row in db.execute("select name from sqlite_master where type = 'table'")]
            return "\n".join(str(row) for table in tables for row in db.execute(f'select * from "{table}"'))

    lab.wait_for("the store to have the marker", lambda: "/marker" in stored())
    with urllib.request.urlopen(f"http://127.0.0.1:{acting.admin}/metrics", timeout=5) as answer:
        metrics = answer.read().decode()
    lines = (acting.folder / "data" / "events.json").read_text()
    for sink, text in (("lines", lines), ("store", stored()), ("metrics", metrics), ("log", acting.log())):
        assert secret not in text, sink
        assert "quiet.act.example" not in text, sink


def test_bypass_shows_the_origins_own_certificate(acting, pki):
    with wire.secure(acting, "wide.act.example", acting.origin.port, pki.root) as s:
        assert wire.get(s, "wide.act.example").text == "the origin\n"


def test_curl_meets_each_page_with_a_plain_text(acting):
    answer = curl(acting, f"https://stop.act.example:{acting.origin.port}/")
    assert "kept" in answer.stdout and "<html" not in answer.stdout
    answer = curl(acting, f"https://stop.act.example:{acting.origin.port}/", "--http2", "-o", "/dev/null",
                  "-w", "%{http_version} %{http_code}")
    assert answer.stdout.split()[1] == "403"


def test_reason_codes_link_to_the_reference(open_gateway, street):
    gateway = open_gateway('\tpages { reasons "https://docs.example/errors#" }\n'
                           '\trule stop when http.request.host == "www.good.example" do block "no"')
    answer = visit(gateway, street.hosts["good"], street.origins["good"].port, "/", HTML)
    assert '<a href="https://docs.example/errors#gate.blocked">' in answer.text


def test_one_client_has_only_so_many_connections(open_gateway, street):
    gateway = open_gateway(top="client-connections 3")
    host, port = street.hosts["good"], street.origins["good"].port
    held = [wire.connect(gateway, host, port) for _ in range(3)]
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=wire.TIMEOUT_S) as late:
        try:
            assert late.recv(1) == b"", "closed without an answer"
        except ConnectionError:
            pass
    assert gateway.wait_event(err="gate.crowd")
    held.pop().close()
    lab.wait_for("room for one more", lambda: visit_or_none(gateway, host, port))
    for s in held:
        s.close()


def visit_or_none(gateway, host, port):
    try:
        return visit(gateway, host, port).status == 200
    except (AssertionError, OSError):
        return None

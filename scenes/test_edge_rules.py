# SPDX-License-Identifier: Apache-2.0
"""Rules of an edge that change a request, send it elsewhere, or find that there were too many."""

import json

import pytest

import lab
import origins

CONFIG = """\
workers 2
user {user}
data {folder}/data
control {folder}/control.sock
events {{ json {folder}/data/events.json }}
listen 127.0.0.1:{port} as edge use shop
edge shop {{
	site shop.test {{
		certificate {pair[0]} key {pair[1]}
		origin http://127.0.0.1:{origin}
	}}
	rule often when http.request.uri.path == "/often" do rate 3 per 1h
	rule keyed when http.request.uri.path == "/keyed" \
do rate 2 per 1h burst 1 by "http.request.headers[\\"x-key\\"][0]" "one at a time"
	rule old when starts_with(http.request.uri.path, "/old/") \
do rewrite path "concat(\\"/new/\\", substring(http.request.uri.path, 5))"
	rule bare when http.request.uri.path == "/bare" do rewrite path "concat(\\"/pla\\", \\"in\\")" drop-query
	rule bad when http.request.uri.path == "/bad" do rewrite path "concat(\\"http://elsewhere.test\\", http.request.uri.path)"
	rule moved when http.request.uri.path == "/moved" do redirect "https://other.test/" keep-query 301
	rule first when http.request.uri.path == "/order" and http.request.headers["x-bad"][0] == "1" do block "bad"
	rule second when http.request.uri.path == "/order" do rate 2 per 1h
	rule third when http.request.uri.path == "/order" and http.request.headers["x-go"][0] == "1" do redirect "https://other.test/"
	rule fourth when http.request.uri.path == "/order" do rewrite path "concat(\\"/or\\", \\"derly\\")"
	rule fifth when http.request.uri.path == "/orderly" do block "what is rewritten is not looked at again"
	rule sixth when http.request.uri.path == "/order" do log "in order"
	rule seventh when http.response.code == 418 do response-header set X-Seen "teapot"
	rule fields when http.request.uri.path == "/fields" do request-header set X-From "edge"
	rule less when http.request.uri.path == "/fields" do request-header remove X-Secret
	rule says when http.request.uri.path == "/fields" do response-header add X-To "client"
}}
"""


@pytest.fixture(scope="module")
def edge(program, stage, pki):
    running = origins.Edge(program, stage / "rules", pki, CONFIG)
    yield running
    running.close()


def test_too_many_are_told_when_to_come_again(edge):
    answers = [edge.ask("/often") for _ in range(5)]
    assert [answer.status for answer in answers] == [200] * 3 + [429] * 2  # of both workers together
    last = answers[-1]
    assert 1100 <= int(last.headers["Retry-After"]) <= 1200
    assert last.headers["RateLimit-Policy"] == '"often";q=3;w=3600'
    assert last.headers["RateLimit"].startswith('"often";r=0;t=1')
    assert "gate.rate" in last.text
    assert len(edge.asked("/often")) == 3
    edge.ctl("reload")
    assert edge.ask("/often").status == 429


def test_a_rule_counts_by_what_it_likes(edge):
    def ask(key):
        return edge.ask("/keyed", fields=[("X-Key", key)])

    assert [ask("a").status, ask("b").status, ask("a").status, ask("c").status] == [200, 200, 429, 200]
    assert "one at a time" in ask("a").text


def test_paths_are_rewritten_for_the_origin(edge):
    assert edge.ask("/old/a/b?q=1").status == 200
    assert edge.ask("/bare?q=1").status == 200
    assert edge.ask("/bad").status == 200  # what is no path changes nothing
    asked = [path for path in edge.origin.asked if path.startswith(("/new", "/old", "/plain", "/bare", "/bad", "http"))]
    assert asked == ["/new/a/b", "/plain", "/bad"]


def test_a_rewritten_path_keeps_a_query_of_any_length(edge):
    query = "q=" + "x" * 6000
    assert edge.ask(f"/old/long?{query}").status == 200
    assert edge.origin.lines["/new/long"] == f"/new/long?{query}"


def test_rules_act_in_their_order(edge):
    """Refused, then counted, then sent elsewhere, then rewritten; who is refused is not counted."""
    edge.path({"status": 418}, path="/orderly")

    def ask(*fields):
        return edge.ask("/order", fields=fields)

    assert [ask(("X-Bad", "1")).status for _ in range(4)] == [403] * 4
    answer = ask()
    assert (answer.status, answer.headers["X-Seen"]) == (418, "teapot")
    assert ask(("X-Go", "1")).status == 302
    assert ask(("X-Go", "1")).status == 429 and ask(("X-Bad", "1")).status == 403
    assert len(edge.asked("/orderly")) == 1

    def noted():
        lines = (edge.folder / "data" / "events.json").read_text().split("\n")[:-1]
        return [event for event in map(json.loads, lines) if event.get("path") == "/order" and event.get("status") == 418]

    event = lab.wait_for("the event", noted)[0]
    assert "in order" in json.dumps(event)


def test_rules_redirect(edge):
    answer = edge.ask("/moved?a=b")
    assert (answer.status, answer.headers["Location"]) == (301, "https://other.test/?a=b")


def test_rules_change_fields_both_ways(edge):
    answer = edge.ask("/fields", fields=[("X-Secret", "s")])
    asked = edge.asked("/fields")[0][1]
    assert asked["x-from"] == ["edge"] and "x-secret" not in asked
    assert answer.headers["X-To"] == "client"

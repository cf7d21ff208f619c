# SPDX-License-Identifier: Apache-2.0
"""The cache of an edge: the ground of the public HTTP cache tests, walked with two workers.

One row of CASES is a story of requests to one URL: what is asked, what the origin would answer, and what the client must
get. Time passes in Age and Date, not in the scene.
"""

import email.utils
import json
import shutil
import subprocess
import threading
import time
import uuid

import pytest

import lab
import origins

CONFIG = """\
workers 2
user {user}
data {folder}/data
control {folder}/control.sock
drain-timeout 1s
cache {{ memory 8m; largest 256k }}
listen 127.0.0.1:{port} as edge use shop
edge shop {{
	upstream {{ connect-timeout 5s }}
	site shop.test {{
		also told.shop.test
		certificate {pair[0]} key {pair[1]}
		origin http://127.0.0.1:{origin}
		cache on
	}}
	site cookies.test {{
		certificate {pair[0]} key {pair[1]}
		origin http://127.0.0.1:{origin}
		cache on {{ cookies; stale-if-error 1h; obey-clients off; status off }}
	}}
	site none.test {{
		certificate {pair[0]} key {pair[1]}
		origin http://127.0.0.1:{origin}
	}}
	clients told.shop.test {{ certificate ask; authority {folder}/ca.crt }}
	rule no when http.request.uri.path contains "forbidden" do block "no"
	rule marks when http.host == "shop.test" do response-header set X-Mark "1"
}}
"""


def date(delta):
    return email.utils.formatdate(time.time() + delta, usegmt=True)


@pytest.fixture(scope="module")
def edge(program, stage, pki):
    running = origins.Edge(program, stage / "cache", pki, CONFIG,
                           names=("shop.test", "told.shop.test", "cookies.test", "none.test"))
    yield running
    running.close()


HOUR = ("Cache-Control", "max-age=3600")
STALE = [("Cache-Control", "max-age=60"), ("Age", "100"), ("ETag", '"a"')]
ETAG = ("ETag", '"abcdef"')
DATE = ("Date", lambda: date(0))


def fresh(*more, **others):
    return {"fields": [HOUR, *more], **others}


def cc(text, *more, **others):
    return {"fields": [("Cache-Control", text), *more], **others}


# name: first answer, then fields of the second request, and whether it is answered from the store
CASES = {
    "no freshness": ({}, [], False),
    "max-age": (fresh(), [], True),
    "quoted max-age": (cc('max-age="3600"'), [], True),
    "single-quoted max-age": (cc("max-age='3600'"), [], False),
    "max-age in an extension": (cc('extension="max-age=3600", max-age=0'), [], False),
    "max-age that is none": (cc("max-age=3600a"), [], False),
    "huge max-age": (cc("max-age=99999999999"), [], True),
    "older than max-age": (cc("max-age=10", DATE, ("Age", "15")), [], False),
    "s-maxage is longer": (cc("max-age=1, s-maxage=3600", ("Age", "5")), [], True),
    "s-maxage is shorter": (cc("max-age=3600, s-maxage=1", ("Age", "5")), [], False),
    "Expires in the future": ({"fields": [("Expires", lambda: date(9999)), DATE]}, [], True),
    "Expires in the past": ({"fields": [("Expires", lambda: date(-9999)), DATE]}, [], False),
    "Expires that is none": ({"fields": [("Expires", "0"), DATE]}, [], False),
    "Expires with a bad Date": ({"fields": [("Expires", lambda: date(99)), ("Date", "foo")]}, [], True),
    "heuristic": ({"fields": [("Last-Modified", lambda: date(-86400)), DATE]}, [], True),
    "private": (cc("private, max-age=3600"), [], False),
    "no-store": (cc("no-store, max-age=3600"), [], False),
    "no-cache": (cc("max-age=3600, no-cache"), [], False),
    "must-revalidate while fresh": (cc("max-age=3600, must-revalidate"), [], True),
    "targeted": ({"fields": [("CDN-Cache-Control", "max-age=3600"), ("Cache-Control", "no-store")]}, [], True),
    "client wants it new": (fresh(), [("Cache-Control", "no-cache")], False),
    "client wants it newer": (cc("max-age=3600", ("Age", "1800")), [("Cache-Control", "max-age=600")], False),
    "client takes it stale": ({"fields": STALE}, [("Cache-Control", "max-stale=1000")], True),
    "client wants it to last": (fresh(), [("Cache-Control", "min-fresh=7200")], False),
    "Pragma": (fresh(), [("Pragma", "no-cache")], False),
    "unknown words": (fresh(), [("Pragma", "foo"), ("Cache-Control", "nothing-to-see-here")], True),
    "Cookie of the client": (fresh(), [("Cookie", "a=b")], True),
    "Set-Cookie": (fresh(("Set-Cookie", "a=b")), [], False),
    "public Set-Cookie": (cc("public, max-age=9", ("Set-Cookie", "a=b")), [], True),
    "Vary, not sent": (fresh(("Vary", "Foo")), [], True),
    "Vary, another": (fresh(("Vary", "Foo")), [("Foo", "2")], False),
    "Vary *": (fresh(("Vary", "Foo, *")), [], False),
    "a 404": (fresh(status=404), [], True),
    "a 599": (fresh(status=599), [], True),
    "a 302": (fresh(("Location", "/x"), status=302), [], True),
    "a 204": (fresh(status=204), [], True),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_stored_is_used_as_the_origin_says(edge, name):
    answer, fields, used = CASES[name]
    path = edge.path(answer)
    first, second = edge.ask(path), edge.ask(path, fields=fields)
    assert second.status == first.status == answer.get("status", 200)
    assert second.text == first.text
    assert (len(edge.asked(path)) == 1) == used, second.getheaders()
    assert ("; hit" in second.headers["Cache-Status"]) == used
    assert (second.headers["Age"] is not None) == used or answer.get("fields") == STALE or "Age" in dict(answer["fields"])
    assert second.headers["X-Mark"] == "1"  # rules apply to stored responses too


def test_an_answer_to_one_who_is_authorized_is_for_all_only_if_it_says_so(edge):
    for words, used in (("max-age=3600", False), ("public, max-age=3600", True), ("s-maxage=3600", True)):
        path = edge.path(cc(words))
        edge.ask(path, fields=[("Authorization", "x")])
        edge.ask(path)
        assert (len(edge.asked(path)) == 1) == used, words


def test_a_stale_response_is_asked_about_and_renewed(edge):
    path = edge.path({"fields": [*STALE, ("Test-Header", "A"), ("Kept", "1")]},
                     cc("max-age=3600", ("ETag", '"a"'), ("Test-Header", "B")))
    edge.ask(path)
    for _ in range(2):
        answer = edge.ask(path)
        assert (answer.status, answer.text) == (200, "body")
        assert (answer.headers["Test-Header"], answer.headers["Kept"]) == ("B", "1")
    assert len(edge.asked(path)) == 2
    assert edge.asked(path)[1][1]["if-none-match"] == ['"a"']


def test_a_stale_response_that_changed_is_replaced(edge):
    path = edge.path({"fields": STALE}, fresh(ETAG, body="new", new=True))
    assert [edge.ask(path).text for _ in range(3)] == ["body", "new", "new"]
    assert len(edge.asked(path)) == 2


def test_a_304_about_something_else_is_nobodys_answer(edge):
    path = edge.path({"fields": STALE}, {"status": 304, "fields": [("ETag", '"b"')]}, fresh(("ETag", '"b"'), body="new"))
    assert [edge.ask(path).text for _ in range(3)] == ["body", "new", "new"]
    conditions = [fields.get("if-none-match") for _, fields in edge.asked(path)]
    assert conditions == [None, ['"a"'], None]


def test_what_is_said_to_surrogates_is_heeded_and_goes_no_further(edge):
    said = [("Surrogate-Control", "max-age=3600;sekisho, no-store;another"), ("Cache-Control", "no-store")]
    path = edge.path({"fields": said})
    for _ in range(2):
        answer = edge.ask(path)
        assert answer.headers["Surrogate-Control"] is None and answer.headers["Cache-Control"] == "no-store"
    assert [fields["surrogate-capability"] for _, fields in edge.asked(path)] == [['sekisho="Surrogate/1.0"']]


def test_an_error_does_not_stand_in_for_another(edge):
    trouble = {"status": 503, "fields": [("Last-Modified", lambda: date(-86400)), DATE], "body": "first"}
    path = edge.path(trouble, {**trouble, "body": "second"})
    assert [edge.ask(path, host="cookies.test").text for _ in range(2)] == ["first", "second"]


def test_conditions_of_clients_are_answered(edge):
    path = edge.path(fresh(ETAG, ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")))
    edge.ask(path)
    for fields, status in (
            ([("If-None-Match", '"x", "abcdef"')], 304), ([("If-None-Match", '"x"')], 200),
            ([("If-Modified-Since", "Sunday, 06-Nov-94 08:49:37 GMT")], 304),
            ([("If-Modified-Since", "Sun, 06 Nov 1994 08:49:36 GMT")], 200)):
        answer = edge.ask(path, fields=fields)
        assert answer.status == status and answer.headers["ETag"] == '"abcdef"'
        assert answer.text == ("" if status == 304 else "body")
    assert len(edge.asked(path)) == 1


def test_a_condition_of_a_client_on_a_stale_response_is_answered_after_asking(edge):
    path = edge.path({"fields": STALE})
    edge.ask(path)
    assert edge.ask(path, fields=[("If-None-Match", '"a"')]).status == 304
    assert len(edge.asked(path)) == 2


def test_ranges_are_cut_from_what_is_stored(edge):
    path = edge.path(fresh(body="0123456789A"))
    edge.ask(path)
    for wanted, status, text, place in (
            ("bytes=0-1", 206, "01", "bytes 0-1/11"), ("bytes=1-", 206, "123456789A", "bytes 1-10/11"),
            ("bytes=-1", 206, "A", "bytes 10-10/11"), ("bytes=11-", 416, "", "bytes */11"),
            ("bytes=0-1,3-4", 200, "0123456789A", None)):
        answer = edge.ask(path, fields=[("Range", wanted)])
        assert (answer.status, answer.text, answer.headers["Content-Range"]) == (status, text, place)
    assert len(edge.asked(path)) == 1


TEXT = "0123456789abcdefghij"


def part(first, last, *more, tag='"t"', text=TEXT, **others):
    fields = [("Content-Range", f"bytes {first}-{last}/{len(text)}"), ("ETag", tag), *more]
    return {"status": 206, "fields": [HOUR, *fields], "body": text[first:last + 1], **others}


def ranged(edge, path, wanted, **more):
    answer = edge.ask(path, fields=[("Range", f"bytes={wanted}"), *more.pop("fields", [])], **more)
    return answer.status, answer.text, answer.headers["Content-Range"], len(edge.asked(path))


def test_a_part_answers_ranges_within_it(edge):
    path = edge.path(part(5, 14), {"status": 206, **part(0, 2)}, fresh(body=TEXT))
    assert ranged(edge, path, "5-14") == (206, TEXT[5:15], "bytes 5-14/20", 1)
    assert ranged(edge, path, "5-14") == (206, TEXT[5:15], "bytes 5-14/20", 1)
    assert ranged(edge, path, "7-8") == (206, TEXT[7:9], "bytes 7-8/20", 1)
    if_range = [("If-Range", '"t"')]
    assert ranged(edge, path, "14-14", fields=if_range) == (206, "e", "bytes 14-14/20", 1)
    assert ranged(edge, path, "0-2") == (206, "012", "bytes 0-2/20", 2)  # far from what there is: it takes its place
    assert edge.ask(path).text == TEXT and len(edge.asked(path)) == 3  # a part is never the whole
    assert ranged(edge, path, "17-") == (206, "hij", "bytes 17-19/20", 3)


def test_parts_that_touch_grow_together_to_the_whole(edge):
    path = edge.path(part(5, 9), part(8, 14), part(0, 4), part(15, 19))
    assert [ranged(edge, path, wanted)[3] for wanted in ("5-9", "8-14", "0-4")] == [1, 2, 3]
    assert ranged(edge, path, "2-12") == (206, TEXT[2:13], "bytes 2-12/20", 3)
    assert ranged(edge, path, "-5") == (206, TEXT[15:], "bytes 15-19/20", 4)
    whole = edge.ask(path)
    assert (whole.status, whole.text, whole.headers["Content-Range"]) == (200, TEXT, None)
    assert len(edge.asked(path)) == 4 and "hit" in whole.headers["Cache-Status"]


def test_an_old_part_inside_a_new_one_and_around_it(edge):
    path = edge.path(part(5, 9), part(2, 12), part(6, 7, ("X", "new")))
    for wanted in ("5-9", "2-12"):
        ranged(edge, path, wanted)
    assert ranged(edge, path, "3-11") == (206, TEXT[3:12], "bytes 3-11/20", 2)
    answer = edge.ask(path, fields=[("Range", "bytes=6-7"), ("Cache-Control", "no-cache")])
    assert (answer.text, answer.headers["X"], len(edge.asked(path))) == (TEXT[6:8], "new", 3)
    assert ranged(edge, path, "2-12") == (206, TEXT[2:13], "bytes 2-12/20", 3)


@pytest.mark.parametrize("second", [part(5, 9, tag='"u"'), part(5, 9, tag='W/"t"'), part(5, 9, text=TEXT + "more"), part(6, 9)])
def test_parts_of_other_things_are_not_joined(edge, second):
    path = edge.path(part(0, 4, tag='W/"t"' if second["fields"][2][1].startswith("W") else '"t"'), second)
    ranged(edge, path, "0-4")
    ranged(edge, path, "5-9")
    before = len(edge.asked(path))
    ranged(edge, path, "3-7")
    assert len(edge.asked(path)) == before + 1


@pytest.mark.parametrize("lie", [part(5, 9, body="0123"), part(5, 9, body="012345"),
                                 {"status": 206, "fields": [HOUR, ETAG, ("Content-Range", "bytes 5-9/*")], "body": "56789"},
                                 {"status": 206, "fields": [HOUR, ETAG], "body": "56789"},
                                 part(5, 9, ("Cache-Control", "private")), part(5, 9, ("Age", "9999"))])
def test_a_part_that_lies_or_is_not_for_all_is_not_used(edge, lie):
    path = edge.path(lie)
    for number in (1, 2):
        assert edge.ask(path, fields=[("Range", "bytes=5-9")]).text == lie["body"]
        assert len(edge.asked(path)) == number


def test_a_part_that_is_the_whole_is_stored_as_that_and_all_are_forgotten(edge):
    path = edge.path(part(0, 19), part(5, 9), part(5, 9))
    assert ranged(edge, path, "0-")[:2] == (206, TEXT)
    assert edge.ask(path).text == TEXT and len(edge.asked(path)) == 1
    edge.ask(path, "POST", body=b"x")
    assert ranged(edge, path, "5-9")[3] == 3 and ranged(edge, path, "5-9")[3] == 3
    edge.ctl("cache", "purge", f"https://shop.test:{edge.port}{path}")
    assert ranged(edge, path, "5-9")[3] == 4


def test_head_is_answered_from_what_a_get_brought(edge):
    path = edge.path(fresh())
    edge.ask(path)
    answer = edge.ask(path, "HEAD")
    assert (answer.status, answer.headers["Content-Length"], answer.text) == (200, "4", "")
    assert len(edge.asked(path)) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "M-SEARCH"])
def test_what_changes_things_makes_what_is_stored_forgotten(edge, method):
    location, content = edge.path(fresh()), edge.path(fresh())
    whole = f"https://shop.test:{edge.port}{location}"
    path = edge.path(fresh(), {"status": 500}, {"fields": [("Location", whole), ("Content-Location", content)]}, fresh())
    for each in (path, location, content):
        edge.ask(each)
    edge.ask(path, method, body=b"abc")
    assert "hit" in edge.ask(path).headers["Cache-Status"]  # it had failed
    edge.ask(path, method, body=b"abc")
    for each in (path, location, content):
        before = len(edge.asked(each))
        edge.ask(each)
        assert len(edge.asked(each)) == before + 1


def test_a_post_may_bring_what_a_get_would(edge):
    path = edge.path()
    edge.origin.answers[path] = [fresh(("Content-Location", path))]
    edge.ask(path, "POST", body=b"12345")
    assert "hit" in edge.ask(path).headers["Cache-Status"]


def test_only_stored_answers_are_given_if_only_those_are_wanted(edge):
    path = edge.path(fresh())
    assert edge.ask(path, fields=[("Cache-Control", "only-if-cached")]).status == 504
    assert edge.asked(path) == []
    edge.ask(path)
    assert edge.ask(path, fields=[("Cache-Control", "only-if-cached")]).status == 200


def test_an_origin_that_fails_is_borne_as_long_as_it_said(edge):
    borne = ("Cache-Control", "max-age=1, stale-if-error=60")
    for trouble in ({"status": 503}, {"gone": True}):
        for fields, status in (([borne, ("Age", "5")], 200), ([borne, ("Age", "99")], None),
                               ([("Cache-Control", "max-age=1, stale-if-error=60, must-revalidate"), ("Age", "5")], None)):
            path = edge.path({"fields": fields}, trouble)
            edge.ask(path)
            answer = edge.ask(path)
            assert answer.status == (status or (503 if "status" in trouble else 502))
            assert (answer.text == "body") == (status == 200 or "status" in trouble)


@pytest.mark.parametrize("changed", [False, True])
def test_a_stale_response_is_renewed_behind_the_clients_back(edge, changed):
    path = edge.path({"fields": [("Cache-Control", "max-age=1, stale-while-revalidate=3600"), ("Age", "5"), ("ETag", '"a"')]},
                     fresh(("ETag", '"b"' if changed else '"a"'), body="new", new=changed))
    edge.ask(path)
    answer = edge.ask(path)
    assert answer.text == "body" and "hit; ttl=-" in answer.headers["Cache-Status"]
    lab.wait_for("the new one", lambda: edge.ask(path).headers["Cache-Control"] == "max-age=3600")
    assert edge.ask(path).text == ("new" if changed else "body")
    assert len(edge.asked(path)) == 2
    assert edge.asked(path)[1][1]["if-none-match"] == ['"a"']


def test_many_that_want_the_same_ask_once(edge):
    gate = threading.Event()
    path = edge.path(fresh(gate=gate))
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(edge.ask(path))) for _ in range(12)]
    threads[0].start()
    while not edge.asked(path):
        time.sleep(0.01)
    for thread in threads[1:]:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join()
    assert [answer.text for answer in answers] == ["body"] * 12
    assert len(edge.asked(path)) == 1


def test_streams_of_one_connection_are_answered_from_the_store(edge):
    if not shutil.which("h2load"):
        pytest.skip("h2load is not installed")
    gate = threading.Event()
    path = edge.path(fresh(gate=gate, body="x" * 100000))
    load = subprocess.Popen(["h2load", "-n", "24", "-c", "2", "-m", "12", f"--connect-to=127.0.0.1:{edge.port}",
                             f"https://shop.test:{edge.port}{path}"], stdout=subprocess.PIPE, text=True)
    lab.wait_for("the first", lambda: edge.asked(path))
    gate.set()
    said = load.communicate(timeout=30)[0]
    assert "24 succeeded, 0 failed" in said, said
    assert len(edge.asked(path)) == 1


def test_fields_of_one_hop_and_of_one_client_are_not_stored(edge):
    path = edge.path(cc('max-age=3600, no-cache="a, b"', ("a", "1"), ("b", "2"), ("c", "3"),
                        ("Connection", "d"), ("d", "4"), ("Proxy-Authenticate", "x")))
    edge.ask(path)
    answer = edge.ask(path)
    assert [answer.headers[name] for name in ("a", "b", "c", "d", "Proxy-Authenticate")] == [None, None, "3", None, None]


def test_a_site_is_told_what_it_may_store(edge):
    path = edge.path(fresh(("Set-Cookie", "a=b")))
    answers = [edge.ask(path, host="cookies.test", fields=[("Cache-Control", "no-cache")]) for _ in range(2)]
    assert [a.headers["Set-Cookie"] for a in answers] == ["a=b"] * 2 and len(edge.asked(path)) == 1
    assert answers[1].headers["Cache-Status"] is None
    for host in ("none.test", "told.shop.test"):  # no cache; clients are asked for certificates
        path = edge.path(fresh())
        edge.ask(path, host=host)
        assert edge.ask(path, host=host).headers["Cache-Status"] is None
        assert len(edge.asked(path)) == 2
    path = edge.path(fresh())
    edge.ask(path)
    edge.ask(path, host="cookies.test")  # another site
    assert len(edge.asked(path)) == 2


def test_a_rule_decides_before_the_store(edge):
    path = edge.path(fresh()) + "?forbidden"
    assert edge.ask(path).status == 200
    path = f"/forbidden-{uuid.uuid4()}"
    assert edge.ask(path).status == 403


def test_a_body_that_is_too_large_passes_and_is_not_stored(edge):
    path = edge.path(fresh(body="x" * 400000))
    for number in (1, 2):
        assert len(edge.ask(path).text) == 400000
        assert len(edge.asked(path)) == number
    path = edge.path(fresh(body="x" * 200000))
    for _ in range(2):
        assert len(edge.ask(path).text) == 200000
    assert len(edge.asked(path)) == 1


def test_what_is_stored_can_be_purged_and_outlives_a_reload(edge):
    paths = [edge.path(fresh(("Cache-Tag", tag))) for tag in ("red, blue", "blue", "green")]

    def kept():
        return ["hit" in edge.ask(path).headers["Cache-Status"] for path in paths]

    kept()
    edge.ctl("reload")
    assert kept() == [True] * 3
    said = edge.ctl("cache", "purge", "--tag", "blue", "--json")
    assert json.loads(said.stdout)["purged"] == 2
    assert kept() == [False, False, True]
    edge.ctl("cache", "purge", f"https://shop.test:{edge.port}{paths[0]}")
    assert kept() == [False, True, True]
    edge.ctl("cache", "purge", "--prefix", f"https://shop.test:{edge.port}/")
    assert kept() == [False] * 3


def test_tags_come_from_both_fields_and_change_with_the_answer(edge):
    old = [("Cache-Control", "max-age=1, stale-while-revalidate=3600"), ("Age", "5"), ("ETag", '"a"'), ("Cache-Tag", "one, two"),
           ("Surrogate-Key", "three four")]
    new = fresh(("ETag", '"b"'), ("Cache-Tag", "five"), ("Surrogate-Key", "six seven"), new=True)

    def purged(tag):
        return json.loads(edge.ctl("cache", "purge", "--tag", tag, "--json").stdout)["purged"]

    for tag in ("one", "two", "three", "four"):
        edge.ask(edge.path({"fields": old}))
        assert purged(tag) == 1
    for tag in ("five", "six", "seven"):
        path = edge.path({"fields": old}, new)
        for _ in range(2):
            edge.ask(path)
        lab.wait_for("the new one", lambda path=path: edge.ask(path).headers["Cache-Control"] == "max-age=3600")
        assert purged("one") == 0 and purged(tag) == 1


@pytest.mark.parametrize("kill", [False, True])
def test_a_file_of_stored_answers_outlives_the_program(program, stage, pki, kill):
    names = ("shop.test", "told.shop.test", "cookies.test", "none.test")
    config = CONFIG.replace("largest 256k", "largest 256k; file {folder}/data/responses")
    own = origins.Edge(program, stage / f"cache-file-{kill}", pki, config, names=names)
    path = own.path(fresh(body="x" * 100000))
    own.ask(path)
    lab.wait_for("it is stored", lambda: "hit" in own.ask(path).headers["Cache-Status"])
    if kill:
        own.process.process.kill()
        own.process.process.wait()
        lab.wait_for("its workers end", lambda: not lab.listens(own.port))
    else:
        own.process.close()
    log = own.folder / "again.log"
    own.process = lab.Program([program, "run", own.folder / "edge.conf"],
                              lambda: "generation.serves" in log.read_text(), log)
    answer = own.ask(path)
    assert len(answer.text) == 100000 and "hit" in answer.headers["Cache-Status"]
    assert len(own.asked(path)) == 1
    own.close()
    assert "entries=1" in log.read_text()


def test_it_ends_in_the_middle_of_everything(program, stage, pki):
    own = origins.Edge(program, stage / "cache-end", pki, CONFIG,
                       names=("shop.test", "told.shop.test", "cookies.test", "none.test"))
    gate = threading.Event()
    path = own.path(fresh(gate=gate))
    failures = []

    def ask():
        try:
            own.ask(path)
        except OSError as err:
            failures.append(err)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    lab.wait_for("the first", lambda: own.asked(path))
    code = own.process.close()
    gate.set()
    for thread in threads:
        thread.join()
    own.close()
    assert code == 0 and len(failures) == 4
    assert "Sanitizer" not in own.process.text() and "runtime error" not in own.process.text()

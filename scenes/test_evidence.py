# SPDX-License-Identifier: Apache-2.0
"""What verifying needs and the origin did not send is fetched (rubric 50, 51, 54 to 56)."""

import base64
import contextlib
import signal
import threading
import urllib.parse

import pytest

import forge
import lab
import wire

ALLOW = "fetch-allow 127.0.0.0/8; fetch-timeout 2s"


class Scene:
    """A root, an intermediate, a responder; gateways that trust the root."""

    def __init__(self, make_gateway, folder):
        self.make_gateway = make_gateway
        self.folder = folder
        self.responder = forge.Responder()
        self.root = forge.make("Evidence Root", ca=True, ends=300)
        self.middle = forge.make("Evidence Middle", self.root, ca=True, ends=200)
        self.trust = folder / "evidence-root.pem"
        self.trust.write_bytes(self.root.pem())
        self.trust.chmod(0o644)
        self.origins = []
        self.gateways = {}

    def gateway(self, upstream=ALLOW):
        if upstream not in self.gateways:
            self.gateways[upstream] = self.make_gateway("", upstream=f"trust {self.trust}; {upstream}")
        return self.gateways[upstream]

    def leaf(self, host, by=None, **more):
        """Below an intermediate of its own: a list of one scene settles no other."""
        by = by or forge.make(f"Evidence {host}", self.root, ca=True)
        return forge.make(host, by, names=[host], **more)

    def origin(self, leaf, send=None):
        self.origins.append(lab.Origin(leaf.save(self.folder, send), "whole\n"))
        return self.origins[-1]

    def visit(self, gateway, host, origin):
        with wire.secure(gateway, host, origin.port, gateway.root) as s:
            return wire.get(s, host)

    def close(self):
        self.responder.close()
        for it in [*self.origins, *self.gateways.values()]:
            it.close()


@pytest.fixture(scope="module")
def scene(make_gateway, stage):
    it = Scene(make_gateway, stage)
    yield it
    it.close()


def good(answer):
    return answer.status == 200 and answer.body == b"whole\n"


def refused(answer, word):
    return answer.status == 502 and word in answer.text


def test_55_a_missing_intermediate_is_fetched_once_and_shared(scene):
    host = "www.aia.example"
    scene.responder.answers["/middle.cer"] = scene.middle.der()
    leaf = scene.leaf(host, scene.middle, aia=scene.responder.url("/middle.cer"))
    origin = scene.origin(leaf, send=())
    gateway = scene.gateway()
    assert good(scene.visit(gateway, host, origin))
    assert good(scene.visit(gateway, host, origin))
    assert scene.responder.count("/middle.cer") == 1
    event = gateway.wait_event(kind="session", host=host)
    assert event["origin_verdict"] == "good" and event["fetched"] == 1 and event["us_fetch"] > 0
    assert event["evidence"] == "issuer=network" and event["origin_chain_status"] == "completed"
    assert event["origin_root_status"] == "trusted (private)"
    # Another gateway's workers find it on the disk of this one only if they share `data`.
    again = scene.gateway(ALLOW + "; fetch off")
    assert refused(scene.visit(again, host, origin), "incomplete-chain")


def test_55_two_intermediates_are_found_one_above_the_other(scene):
    host = "www.deep.example"
    below = forge.make("Evidence Below", scene.middle, ca=True,
                       aia=scene.responder.url("/above.cer"))
    scene.responder.answers["/above.cer"] = scene.middle.pem()
    scene.responder.answers["/below.cer"] = below.der()
    leaf = forge.make(host, below, names=[host], aia=scene.responder.url("/below.cer"))
    assert good(scene.visit(scene.gateway(), host, scene.origin(leaf, send=())))


def test_50_a_fetched_crl_revokes(scene):
    url = scene.responder.url("/a.crl")
    leafs = [scene.leaf(f"www.crl{i}.example", scene.middle, crl_url=url) for i in (0, 1)]
    scene.responder.answers["/a.crl"] = forge.make_crl(scene.middle, [leafs[1]])
    gateway = scene.gateway()
    assert good(scene.visit(gateway, "www.crl0.example", scene.origin(leafs[0])))
    assert refused(scene.visit(gateway, "www.crl1.example", scene.origin(leafs[1])), "revoked")
    assert scene.responder.count("/a.crl") == 1
    event = gateway.wait_event(kind="session", host="www.crl1.example")
    assert event["origin_verdict"] == "revoked" and event["origin_revocation"] == "revoked"


def test_50_an_intermediate_is_asked_after_too(scene):
    host = "www.middle.example"
    url = scene.responder.url("/root.crl")
    middle = forge.make("Evidence Revoked", scene.root, ca=True, crl_url=url)
    leaf = forge.make(host, middle, names=[host])
    scene.responder.answers["/root.crl"] = forge.make_crl(scene.root, [middle])
    assert refused(scene.visit(scene.gateway(), host, scene.origin(leaf)), "revoked")


@pytest.mark.parametrize("state", ["good", "revoked"])
def test_51_the_responder_is_asked(scene, state):
    host, path = f"www.ocsp-{state}.example", f"/ocsp-{state}"
    leaf = scene.leaf(host, ocsp_url=scene.responder.url(path))
    scene.responder.answers[path] = forge.make_ocsp(leaf, leaf.above[0], revoked=state == "revoked")
    gateway, origin = scene.gateway(), scene.origin(leaf)
    answer = scene.visit(gateway, host, origin)
    assert good(answer) if state == "good" else refused(answer, "revoked")
    scene.visit(gateway, host, origin)
    assert scene.responder.asked.count(("POST", path)) == 1


def test_51_a_short_question_is_asked_by_an_address(scene):
    host = "www.ocsp-get.example"
    leaf = scene.leaf(host, ocsp_url=scene.responder.url("/by-get/"))
    scene.responder.by_get["/by-get"] = forge.make_ocsp(leaf, leaf.above[0], revoked=True)
    gateway = scene.gateway()
    assert refused(scene.visit(gateway, host, scene.origin(leaf)), "revoked")
    asked = [row for row in scene.responder.asked if row[1].startswith("/by-get/")]
    assert [method for method, _ in asked] == ["GET"] and len(asked[0][1]) <= 255 - 20
    question = base64.b64decode(urllib.parse.unquote(asked[0][1].removeprefix("/by-get/")))
    assert forge.ocsp.load_der_ocsp_request(question).serial_number == leaf.cert.serial_number
    event = gateway.wait_event(kind="session", host=host)
    assert event["evidence"] == "ocsp=network" and event["origin_revocation"] == "revoked"


def test_51_an_answer_by_address_that_proves_nothing_is_asked_for_by_post(scene):
    host = "www.ocsp-post.example"
    leaf = scene.leaf(host, ocsp_url=scene.responder.url("/by-post"))
    scene.responder.by_get["/by-post"] = b"<html>what a nice address</html>"
    scene.responder.answers["/by-post"] = forge.make_ocsp(leaf, leaf.above[0], revoked=True)
    assert refused(scene.visit(scene.gateway(), host, scene.origin(leaf)), "revoked")


def test_50_a_list_of_megabytes_is_taken_in_and_lies_on_disk(scene, make_gateway):
    url, hosts = scene.responder.url("/long.crl"), [f"www.long{i}.example" for i in range(3)]
    middle = forge.make("Evidence Long", scene.root, ca=True)
    leafs = [forge.make(host, middle, names=[host], crl_url=url) for host in hosts]
    scene.responder.answers["/long.crl"] = forge.make_long_crl(middle, leafs[:2], 110_000)
    assert 3_500_000 < len(scene.responder.answers["/long.crl"]) < 4 << 20
    gateway = make_gateway("", upstream=f"trust {scene.trust}; {ALLOW.replace('2s', '20s')}")

    def evidence(host, origin, status):
        assert scene.visit(gateway, host, origin).status == status
        return gateway.wait_event(kind="session", host=host)["evidence"]

    try:
        origins = [scene.origin(leaf) for leaf in leafs]
        assert evidence(hosts[0], origins[0], 502) == "crl=network"
        assert evidence(hosts[2], origins[2], 200) == "crl=memory"
        lab.wait_for("the list on disk", lambda: any(
            p.stat().st_size > 3_500_000 and "." not in p.name
            for p in gateway.folder.glob("**/fetched/*")))
        gateway.process.process.send_signal(signal.SIGHUP)
        lab.wait_for("the next generation", lambda: gateway.log().count("generation.serves") == 2)
        assert evidence(hosts[1], origins[1], 502) == "crl=disk"
        assert scene.responder.count("/long.crl") == 1
    finally:
        gateway.close()


LIARS = {
    "gone": None,
    "wrong-signer": lambda s, leaf: forge.make_ocsp(
        leaf, leaf.above[0], signer=forge.make("Evidence www.wrong-signer.example", ca=True)),
    "other-certificate": lambda s, leaf: forge.make_ocsp(
        s.leaf("x.example", leaf.above[0]), leaf.above[0]),
    "old": lambda s, leaf: forge.make_ocsp(leaf, leaf.above[0], begins=-9, ends=-2),
    "noise": lambda s, leaf: b"\x30\x82" + bytes(5000),
    "huge": lambda s, leaf: bytes(300000),
}


def trickle(handler):
    """An octet now and then, for longer than anybody waits."""
    handler.send_response(200)
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    with contextlib.suppress(OSError):
        while not handler.server.owner.released.wait(0.2):
            handler.wfile.write(b"0")


def endless(handler):
    """Chunks without end, as fast as they are taken."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    with contextlib.suppress(OSError):
        while not handler.server.owner.released.is_set():
            handler.wfile.write(b"4000\r\n" + bytes(0x4000) + b"\r\n")


def cut_off(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b"0" * 100)


BAD_ISSUERS = {
    "html": lambda s, leaf: b"<html>no certificate here</html>",
    "stranger": lambda s, leaf: forge.make("Evidence Stranger", ca=True).der(),
    "namesake": lambda s, leaf: forge.make(leaf.above[0].cert.subject.rfc4514_string()[3:], ca=True).der(),
    "itself": lambda s, leaf: leaf.der(),
    "noise": lambda s, leaf: b"\x30\x82\x7f\xff" + bytes(3000),
    "huge": lambda s, leaf: bytes(300000),
    "trickle": lambda s, leaf: trickle,
    "endless": lambda s, leaf: endless,
    "cut-off": lambda s, leaf: cut_off,
    "empty": lambda s, leaf: b"",
}


@pytest.mark.parametrize("how", list(BAD_ISSUERS))
def test_55_an_issuer_that_is_none_completes_nothing(scene, how):
    host, path = f"www.aia-{how}.example", f"/aia-{how}"
    leaf = scene.leaf(host, aia=scene.responder.url(path))
    scene.responder.answers[path] = BAD_ISSUERS[how](scene, leaf)
    assert refused(scene.visit(scene.gateway(), host, scene.origin(leaf, send=())), "incomplete-chain")


def test_55_issuers_that_point_at_each_other_end(scene):
    """Ten above one another, and two that name each other: eight are looked for."""
    r, keys = scene.responder, [forge.new_key() for _ in range(2)]
    names = ["Evidence Ring 0", "Evidence Ring 1"]
    ring = [forge.make(names[i], forge.Made(forge.make(names[1 - i], ca=True, key=keys[1 - i]).cert, keys[1 - i]),
                       ca=True, key=keys[i], aia=r.url(f"/ring-{1 - i}")) for i in (0, 1)]
    for i in (0, 1):
        r.answers[f"/ring-{i}"] = ring[i].der()
    leaf = forge.make("www.ring.example", ring[0], names=["www.ring.example"], aia=r.url("/ring-0"))
    origin = scene.origin(leaf, send=())
    assert scene.visit(scene.gateway(), "www.ring.example", origin).status == 502
    assert r.count("/ring-0") + r.count("/ring-1") <= 8
    above = scene.root
    for i in range(10):
        above = forge.make(f"Evidence Tower {i}", above, ca=True, aia=r.url(f"/tower-{i - 1}") if i else None)
        r.answers[f"/tower-{i}"] = above.der()
    leaf = forge.make("www.tower.example", above, names=["www.tower.example"], aia=r.url("/tower-9"))
    assert scene.visit(scene.gateway(), "www.tower.example", scene.origin(leaf, send=())).status == 502
    assert sum(r.count(f"/tower-{i}") for i in range(10)) <= 8


BAD_LISTS = {
    "html": lambda s, leaf: b"<html>no list here</html>",
    "stranger": lambda s, leaf: forge.make_crl(forge.make("Evidence Other", ca=True), [leaf]),
    "namesake": lambda s, leaf: forge.make_crl(
        forge.make(leaf.above[0].cert.subject.rfc4514_string()[3:], ca=True), [leaf]),
    "ended": lambda s, leaf: forge.make_crl(leaf.above[0], begins=-9, ends=-2),
    "not-yet": lambda s, leaf: forge.make_crl(leaf.above[0], begins=2),
    "endless": lambda s, leaf: endless,
    "cut-off": lambda s, leaf: cut_off,
}


@pytest.mark.parametrize("how", list(BAD_LISTS))
def test_50_a_list_that_is_none_proves_nothing(scene, how):
    host, path = f"www.list-{how}.example", f"/list-{how}"
    leaf = scene.leaf(host, crl_url=scene.responder.url(path))
    scene.responder.answers[path] = BAD_LISTS[how](scene, leaf)
    origin = scene.origin(leaf)
    assert good(scene.visit(scene.gateway(), host, origin))
    assert refused(scene.visit(scene.gateway(ALLOW + "; revocation hard"), host, origin), "revocation-unknown")


def test_63_lists_from_files_count_without_asking_anybody(scene, make_gateway):
    middle = forge.make("Evidence Filed", scene.root, ca=True)
    hosts = ["www.filed-good.example", "www.filed-gone.example"]
    leafs = [forge.make(host, middle, names=[host], crl_url=scene.responder.url("/filed")) for host in hosts]
    files = [scene.folder / "filed.crl", scene.folder / "filed-root.crl"]
    files[0].write_bytes(forge.make_crl(middle, leafs[1:]))
    files[1].write_bytes(forge.make_crl(scene.root))
    words = " ".join(str(f) for f in files)
    gateway = make_gateway("", upstream=f"trust {scene.trust}; crl {words}; revocation hard; {ALLOW}")
    try:
        first = scene.visit(gateway, hosts[0], scene.origin(leafs[0]))
        assert good(first), first.words
        assert refused(scene.visit(gateway, hosts[1], scene.origin(leafs[1])), "revoked")
        assert scene.responder.count("/filed") == 0
        event = gateway.wait_event(kind="session", host=hosts[0])
        assert event["evidence"] == "crl=memory" and event["origin_revocation"] == "good"
        files[0].write_bytes(b"no list")
        done = gateway.command("check", gateway.config, check=False)
        assert done.returncode == 1 and "filed.crl" in done.stderr
    finally:
        gateway.close()


def test_50_a_list_that_has_ended_still_revokes(scene):
    host = "www.ended-revokes.example"
    leaf = scene.leaf(host, crl_url=scene.responder.url("/ended-revokes"))
    scene.responder.answers["/ended-revokes"] = forge.make_crl(leaf.above[0], [leaf], begins=-9, ends=-2)
    assert refused(scene.visit(scene.gateway(), host, scene.origin(leaf)), "revoked")


@pytest.mark.parametrize("how", list(LIARS))
def test_54_soft_goes_on_and_hard_refuses_when_the_responder_is(scene, how):
    path, host = f"/liar-{how}", f"www.{how}.example"
    url = scene.responder.url(path) if LIARS[how] else f"http://127.0.0.1:{lab.free_port()}{path}"
    leaf = scene.leaf(host, ocsp_url=url)
    if LIARS[how]:
        scene.responder.answers[path] = LIARS[how](scene, leaf)
    origin = scene.origin(leaf)
    assert good(scene.visit(scene.gateway(), host, origin))
    hard = scene.gateway(ALLOW + "; revocation hard")
    assert refused(scene.visit(hard, host, origin), "revocation-unknown")
    off = scene.gateway(ALLOW + "; revocation off")
    before = len(scene.responder.asked)
    assert good(scene.visit(off, host, origin))
    assert len(scene.responder.asked) == before


def test_54_hard_is_content_with_a_list_for_each_issuer(scene):
    host = "www.hard.example"
    middle = forge.make("Evidence Hard", scene.root, ca=True, crl_url=scene.responder.url("/h-root.crl"))
    leaf = forge.make(host, middle, names=[host], crl_url=scene.responder.url("/h.crl"))
    scene.responder.answers["/h-root.crl"] = forge.make_crl(scene.root)
    scene.responder.answers["/h.crl"] = forge.make_crl(middle, padding=2000)
    hard = scene.gateway(ALLOW + "; revocation hard")
    assert good(scene.visit(hard, host, scene.origin(leaf)))


def test_54_a_slow_responder_delays_its_own_session_alone(scene):
    slow, quick = "www.slow.example", "www.quick.example"
    leaf = scene.leaf(slow, ocsp_url=scene.responder.url("/held"))
    answer, released = forge.make_ocsp(leaf, leaf.above[0]), threading.Event()

    def hold(handler):
        released.wait(60)
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)

    scene.responder.answers["/held"] = hold
    origin, other = scene.origin(leaf), scene.origin(scene.leaf(quick))
    gateway, ends = scene.gateway("fetch-allow 127.0.0.0/8; fetch-timeout 50s"), []
    parked = threading.Thread(target=lambda: ends.append(scene.visit(gateway, slow, origin)))
    parked.start()
    lab.wait_for("the question", lambda: scene.responder.count("/held"))
    assert good(scene.visit(gateway, quick, other))
    assert not ends
    released.set()
    parked.join(60)
    assert good(ends[0])
    event = gateway.wait_event(kind="session", host=slow)
    assert event["origin_revocation"] == "good"


def test_54_a_responder_that_never_answers_is_waited_for_so_long(scene):
    host = "www.never.example"
    leaf = scene.leaf(host, ocsp_url=scene.responder.url("/never"))
    scene.responder.answers["/never"] = scene.responder.never
    gateway, origin = scene.gateway(), scene.origin(leaf)
    assert good(scene.visit(gateway, host, origin))
    assert good(scene.visit(gateway, host, origin))
    assert scene.responder.count("/never") == 1
    event = gateway.wait_event(kind="session", host=host)
    assert event["us_fetch"] >= 1_900_000 and event["origin_revocation"] == "unknown"


def test_54_a_crl_that_is_too_large_is_not_taken(scene):
    host = "www.large.example"
    leaf = scene.leaf(host, crl_url=scene.responder.url("/large.crl"))
    scene.responder.answers["/large.crl"] = forge.make_crl(leaf.above[0], [leaf], padding=3000)
    origin = scene.origin(leaf)
    small = scene.gateway(ALLOW + "; fetch-most 64k")
    assert good(scene.visit(small, host, origin))
    assert "code=gate.fetch" in small.log() and "larger than allowed" in small.log()


def test_56_nothing_is_fetched_from_where_it_may_not(scene):
    host = "www.private.example"
    leaf = scene.leaf(host, aia=scene.responder.url("/secret"))
    scene.responder.answers["/secret"] = leaf.above[0].der()
    strict = scene.gateway("fetch-timeout 2s")
    assert refused(scene.visit(strict, host, scene.origin(leaf, send=())), "incomplete-chain")
    assert scene.responder.count("/secret") == 0
    # Neither from ourselves, nor where a redirect leads, nor by anything but http.
    itself = scene.gateway()
    for n, url in enumerate([itself.url + "/ca.crt", scene.responder.url("/moved"),
                             scene.responder.url("/secret").replace("http:", "https:")]):
        def move(h):
            h.send_response(302)
            h.send_header("Location", scene.responder.url("/secret"))
            h.send_header("Content-Length", "0")
            h.end_headers()
        scene.responder.answers["/moved"] = move
        at = f"www.away{n}.example"
        middle = forge.make(f"Evidence Away {n}", scene.root, ca=True)
        away = forge.make(at, middle, names=[at], aia=url)
        word = "unknown-issuer" if url.startswith("https") else "incomplete-chain"
        assert refused(scene.visit(itself, at, scene.origin(away, send=())), word)
    assert scene.responder.count("/secret") == 0


def test_53_a_promised_staple_is_not_replaced_by_asking(scene):
    host = "www.must.example"
    leaf = scene.leaf(host, must_staple=True, ocsp_url=scene.responder.url("/must"))
    scene.responder.answers["/must"] = forge.make_ocsp(leaf, leaf.above[0])
    assert refused(scene.visit(scene.gateway(), host, scene.origin(leaf)), "revocation-unknown")


def test_54_what_was_fetched_lies_on_disk_for_the_next_generation(scene, make_gateway):
    host = "www.shelf.example"
    leaf = scene.leaf(host, crl_url=scene.responder.url("/shelf.crl"))
    scene.responder.answers["/shelf.crl"] = forge.make_crl(leaf.above[0], [leaf])
    origin = scene.origin(leaf)
    gateway = make_gateway("", upstream=f"trust {scene.trust}; {ALLOW}")
    try:
        assert refused(scene.visit(gateway, host, origin), "revoked")
        gateway.process.process.send_signal(signal.SIGHUP)
        lab.wait_for("the next generation", lambda: gateway.log().count("generation.serves") == 2)
        assert refused(scene.visit(gateway, host, origin), "revoked")
        assert scene.responder.count("/shelf.crl") == 1
    finally:
        gateway.close()

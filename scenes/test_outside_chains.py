# SPDX-License-Identifier: Apache-2.0
"""Published test chains shown by real origins: what a browser would meet, end to end.

`tools/run-x509-cases` puts all of data/x509 to `sekisho verify`; here every path-building graph
of BetterTLS, a sample of its name constraints and a sample of x509-limbo go over the wire. The
gateway must come to the verdict that `sekisho verify` comes to.
"""

import collections
import json
import lzma
import ssl
import subprocess
from pathlib import Path

import pytest

import lab
import wire

DATA = Path(__file__).resolve().parent.parent / "data" / "x509"


def cases(name):
    whole = json.loads(lzma.open(DATA / f"{name}.json.xz").read())
    return [c for c in whole["testcases"]
            if c["validation_kind"] == "SERVER" and c["validation_time"] is None
            and c["peer_certificate_key"] and (c["expected_peer_name"] or {}).get("kind") == "DNS"
            and len(c["untrusted_intermediates"]) < 40]


def spread(rows, count):
    """So many, evenly from good and bad."""
    by = collections.defaultdict(list)
    for row in rows:
        by[row["expected_result"]].append(row)
    return [row for part in by.values() for row in part[::max(1, len(part) * 2 // count)]][:count]


def verdicts(program, rows, folder):
    """What `sekisho verify` says of each."""
    path = folder / "cases.json"
    path.write_text(json.dumps({"version": 1, "testcases": rows}))
    run = subprocess.run([program, "verify", "--cases", path, "--json"], capture_output=True,
                         text=True, timeout=120)
    return {r["id"]: r["verdict"] for r in map(json.loads, run.stdout.splitlines())}


def context_of(case, folder):
    """Whatever it is, it is shown: judging is the gateway's."""
    files = folder / "chain.pem", folder / "leaf.key"
    files[0].write_text(case["peer_certificate"] + "".join(case["untrusted_intermediates"]))
    files[1].write_text(case["peer_certificate_key"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.load_cert_chain(*files)
    return context


def is_shown(case, folder):
    """A few are so malformed that OpenSSL will not even show them."""
    try:
        return context_of(case, folder) is not None
    except ssl.SSLError:
        return False


def walk(gateway, rows, wanted, folder):
    """How many are good: each case is visited once, all at one port, so that a verdict that
    outlived its chain would show (rubric 60)."""
    origin, good = lab.Origin(None, "whole\n"), 0
    for case in rows:
        host = case["expected_peer_name"]["value"]
        origin.context, before = context_of(case, folder), len(origin.seen)
        with wire.secure(gateway, host, origin.port, gateway.root) as s:
            answer = wire.get(s, host)
        if wanted[case["id"]] == "good":
            assert answer.status == 200 and answer.body == b"whole\n", case["id"]
            good += 1
        else:
            assert answer.status == 502 and len(origin.seen) == before, case["id"]
            assert "gate.untrusted." in answer.text, case["id"]
    origin.close()
    return good


@pytest.fixture
def gateway_for(make_gateway, stage, tmp_path):
    opened = []

    def open_one(rows):
        roots, hosts = tmp_path / "roots.pem", tmp_path / "hosts"
        roots.write_text("".join(sorted({c for row in rows for c in row["trusted_certs"]})))
        names = sorted({row["expected_peer_name"]["value"] for row in rows})
        hosts.write_text("".join(f"127.0.0.1 {name}\n" for name in names))
        for path in (tmp_path, roots, hosts):
            path.chmod(0o755)
        opened.append(make_gateway("", upstream=f"trust {roots}; fetch off; reuse off",
                                   resolver=f"hosts {hosts}"))
        return opened[-1]

    yield open_one
    for it in opened:
        it.close()


def test_08_22_60_every_graph_of_bettertls(program, gateway_for, tmp_path):
    whole = cases("bettertls-sample")
    graphs = [c for c in whole if "::pathbuilding::" in c["id"]]
    named = [c for c in whole if "::nameconstraints::" in c["id"]][::5]
    rows = graphs + spread([c for c in named if is_shown(c, tmp_path)], 20)
    wanted = verdicts(program, rows, tmp_path)
    assert len(graphs) == 81
    assert all((wanted[c["id"]] == "good") == (c["expected_result"] == "SUCCESS") for c in rows)
    good = walk(gateway_for(rows), rows, wanted, tmp_path)
    assert len(rows) == 101 and good > 40


def test_a_sample_of_limbo(program, gateway_for, tmp_path):
    kinds = ("rfc5280::nc", "rfc5280::san", "webpki::nc", "webpki::san", "webpki::eku")
    rows = spread([c for c in cases("limbo-core")
                   if c["id"].startswith(kinds) and is_shown(c, tmp_path)], 24)
    wanted = verdicts(program, rows, tmp_path)
    assert len(rows) >= 20
    assert walk(gateway_for(rows), rows, wanted, tmp_path) >= 5

# SPDX-License-Identifier: Apache-2.0
"""Advice about rules that load and do not do what was meant, each at its place.

A § in a rule stands where the advice must point; it is taken out first.
"""

import re
import shutil

import lab
import pytest

# id -> rules; the § is in the one that is advised about.
CASES = {
    "shadowed": ('rule a when ip.src in {10.0.0.0/8} do block\n'
                 '\trule b when §ip.src == 10.1.1.1 and ssl do block'),
    "block-bypass-group": 'rule a when ssl and any(§app.type.ids[*] in {16}) do block',
    "regex-literal": r'rule a when ssl and §http.request.uri.path matches "^/api/" do block',
    "regex-dots": r'rule a when §http.request.host matches "^www.good\.example$" do block',
    "regex-stars": r'rule a when §http.user_agent matches ".*curl[0-9].*" do block',
    "negated-missing": 'rule a when §http.request.headers["x-team"][0] != "blue" do block',
    "host-subdomains": 'rule a when ssl and §http.request.host == "good.example" do block',
    "public-suffix": 'rule a when any(§http.request.domains[*] == "com") do block',
    "revoked": 'rule a when not §cf.tls_client_auth.cert_verified do block',
    "set-covered": 'rule a when §net.dst.port in {80 1..1024} do block',
}
# What the compiler itself finds odd.
WARNINGS = {
    "leading 0": "rule a when net.dst.port == §0443 do block",
    "no blank behind": "rule a when ssl §andssl do block",
    "not filled yet": 'rule a when §identity.email == "a@b.example" do block',
    "compared bare": "rule a when §http.conn.src_ip in {10.0.0.0/8} do block",
    "small letters here": 'rule a when any(http.request.headers§["X-Team"][*] == "a") do block',
    r"\\. is a backslash": r'rule a when http.user_agent matches "§a\\.b" do block',
    "always has the same value": "rule a when §cf.threat_score > 5 do block",
}
# What does not load at all.
ERRORS = {
    "glued to another": "rule a when net.dst.port in {80§-443} do block",
    "known in phase request": 'rule a when ssl and §http.request.method == "GET" do bypass',
    "known in phase dns-query": 'rule a when §dns.fqdn == "a.example" and ssl do log',
    "did you mean http.request.host": 'rule a when §http.request.hst == "a" do block',
    'write == or eq': 'rule a when http.request.host §= "a" do block',
    'any(field[*]': 'rule a when all(§http.request.host == "a") do block',
    "write [*] for every": "rule a when any(app.ids[§] == 1) do block",
    "not commas": 'rule a when http.request.host in {"a"§, "b"} do block',
    "stands in braces": "rule a when ip.src == §10.0.0.0/8 do block",
    "double quotes": "rule a when http.request.host == §'a' do block",
    'write: not field in': 'rule a when ip.src §not in {10.0.0.0/8} do block',
}


@pytest.fixture(scope="module")
def authority(program, stage):
    folder = stage / "lint-ca"
    if not folder.exists():
        lab.run(program, "ca", "init", folder)
    yield folder
    shutil.rmtree(folder)


def check(program, authority, folder, rules):
    """What check says, and (line, column) of the §."""
    text = (f"listen 127.0.0.1:8080 as proxy use g\ngateway g {{\n\tauthority {authority}\n"
            f"\tupstream {{ trust {authority}/root.crt }}\n\t{rules}\n}}\n")
    before = text[:text.index("§")]
    place = before.count("\n") + 1, len(before) - before.rfind("\n")
    config = folder / "lint.conf"
    config.write_text(text.replace("§", ""))
    return lab.run(program, "check", config, check=False), place


@pytest.mark.parametrize("name", CASES)
def test_a_rule_that_does_not_do_what_was_meant_is_named(program, authority, tmp_path, name):
    answer, (line, column) = check(program, authority, tmp_path, CASES[name])
    assert answer.returncode == 0, answer.stderr
    found = re.findall(r":(\d+):(\d+): warning: .*\[([a-z-]+)\]", answer.stderr)
    assert (str(line), str(column), name) in found, answer.stderr


@pytest.mark.parametrize("words", WARNINGS)
def test_what_is_odd_is_said_where_it_stands(program, authority, tmp_path, words):
    answer, (line, column) = check(program, authority, tmp_path, WARNINGS[words])
    assert answer.returncode == 0, answer.stderr
    assert re.search(rf":{line}:{column}: warning: .*{re.escape(words)}", answer.stderr), answer.stderr


@pytest.mark.parametrize("words", ERRORS)
def test_what_is_wrong_is_refused_where_it_stands(program, authority, tmp_path, words):
    answer, (line, column) = check(program, authority, tmp_path, ERRORS[words])
    assert answer.returncode == 1
    assert f":{line}:{column}: error: " in answer.stderr and words in answer.stderr, answer.stderr

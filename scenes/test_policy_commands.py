# SPDX-License-Identifier: Apache-2.0
"""fmt, test, apps and rules selftest: what administrators do with a policy before it goes out."""

import json
import os
from pathlib import Path

import lab
import pytest

DATA = Path(__file__).resolve().parent.parent / "tests" / "data"

MESSY = """# why this file is here
list   bad from {folder}/bad.txt
let   office =   ip.src in {{10.0.0.0/8}}
gateway g {{ authority {folder}/ca
  # a rule and its reason
  rule one when http.request.host   eq "a.example" && not(office)||any(http.request.domains[*] in $bad) do block   "no"
  rule two when office
    and http.request.method in {{"POST""PUT"}}
    do dry-run allow
}}
"""
TIDY = """# why this file is here
list bad from {folder}/bad.txt
let office = ip.src in {{10.0.0.0/8}}
gateway g {{
	authority {folder}/ca
	# a rule and its reason
	rule one when http.request.host == "a.example" and not office or any(http.request.domains[*] in $bad) do block "no"
	rule two when office and http.request.method in {{"POST" "PUT"}} do dry-run allow
}}
"""


@pytest.fixture(scope="module")
def home(program, stage):
    folder = stage / "policy-commands"
    folder.mkdir()
    lab.run(program, "ca", "init", folder / "ca")
    (folder / "bad.txt").write_text("bad.example\n")
    return folder


def test_fmt_has_one_layout_and_keeps_the_meaning(program, home):
    config = home / "messy.conf"
    config.write_text(MESSY.format(folder=home))
    assert lab.run(program, "fmt", "--check", config, check=False).returncode == 1
    first = lab.run(program, "fmt", config).stdout
    assert first == TIDY.format(folder=home)
    config.chmod(0o640)
    lab.run(program, "fmt", "-w", config)
    assert config.read_text() == first and config.stat().st_mode & 0o777 == 0o640
    assert lab.run(program, "fmt", config).stdout == first, "twice is as once"
    assert lab.run(program, "fmt", "--check", config).returncode == 0


def test_fmt_leaves_alone_what_it_does_not_understand(program, home):
    config = home / "unknown.conf"
    config.write_text(f"gateway g {{\n\tauthority {home}/ca\n\trule a when no.such.field  ==  1 do block\n}}\n")
    assert "no.such.field  ==  1" in lab.run(program, "fmt", config).stdout


CASES = {"cases": [
    {"name": "a is closed", "facts": {"http.request.host": "a.example", "ip.src": "192.0.2.1"},
     "expect": "block", "rule": "one"},
    {"name": "below a list", "facts": {"http.request.host": "www.bad.example"}, "expect": "block"},
    {"name": "others are open", "facts": {"http.request.host": "c.example"}, "expect": "none"},
]}


def test_expectations_are_held_against_the_policy(program, home):
    config, cases = home / "tested.conf", home / "cases.json"
    config.write_text(MESSY.format(folder=home))
    cases.write_text(json.dumps(CASES))
    answer = lab.run(program, "test", config, cases)
    assert answer.stdout == "3 passed, 0 failed\n"
    wrong = json.loads(json.dumps(CASES))
    wrong["cases"][2]["expect"] = "bypass"
    cases.write_text(json.dumps(wrong))
    answer = lab.run(program, "test", config, cases, check=False)
    assert answer.returncode == 1 and "others are open: wanted bypass" in answer.stdout
    wrong["cases"][0]["facts"]["no.such.field"] = 1
    cases.write_text(json.dumps(wrong))
    answer = lab.run(program, "test", config, cases, check=False)
    assert answer.returncode == 1 and "there is no field no.such.field" in answer.stderr


def test_apps_tells_whose_a_host_is_and_who_says_so(program):
    types = lab.run(program, "apps", "--types").stdout
    assert any(line.split()[0] == "16" for line in types.splitlines())
    everything = lab.run(program, "apps").stdout.splitlines()
    assert len(everything) > 20
    told = lab.run(program, "apps", "api.line.me").stdout
    assert "rules see: app.ids [" in told and ", 16]" in told and ".line.me" in told
    assert lab.run(program, "apps", "no-such-application-at-all", check=False).returncode == 1


@pytest.mark.parametrize("name", ["rules-language-examples.json", "rules-language-more.json"])
def test_the_language_passes_its_own_cases(program, name):
    answer = lab.run(program, "rules", "selftest", DATA / name)
    assert answer.stdout.splitlines()[-1].endswith(" passed, 0 failed")


def test_a_difference_is_printed_and_counted(program, tmp_path):
    cases = json.loads((DATA / "rules-language-examples.json").read_text())
    cases["cases"] = [dict(cases["cases"][0], expect=not cases["cases"][0]["expect"])]
    cases["function_cases"] = []
    path = tmp_path / "cases.json"
    path.write_text(json.dumps(cases))
    answer = lab.run(program, "rules", "selftest", path, check=False)
    assert answer.returncode == 1 and answer.stdout.splitlines()[-1] == "0 passed, 1 failed"
    assert os.linesep in answer.stdout and "wanted" in answer.stdout

# SPDX-License-Identifier: Apache-2.0
"""What the manual shows can be pasted: its configurations load, its cases pass."""

import json
import re

import pytest

import lab
from conftest import ROOT

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
LISTS = {"banks": "bank.example\n", "approved": "a.example\n", "office": "10.0.0.0/8\n"}


def blocks(page, kind=""):
    text = (ROOT / "docs" / page).read_text()
    return [body for found, body in BLOCK.findall(text) if found == kind]


@pytest.fixture
def place(program, tmp_path):
    lab.run(program, "ca", "init", tmp_path / "ca")
    for name, text in LISTS.items():
        (tmp_path / f"{name}.txt").write_text(text)
    (tmp_path / "feeds" / "ads").mkdir(parents=True)
    (tmp_path / "feeds" / "ads" / "one.txt").write_text("||ad.example^\n")
    (tmp_path / "feeds" / "harmful.rpz").write_text("bad.example CNAME .\n")
    (tmp_path / "partners.csv").write_text("name,domain\nx,p.example\n")
    (tmp_path / "aoyama.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (tmp_path / "our-words.txt").write_text("blocked.title: No\n")
    return tmp_path


def write(place, body, lists=True):
    body = body.replace("/var/lib/sekisho/ca", "ca")
    if "authority" not in body:
        body = body.replace("gateway office {", "gateway office {\n\tauthority ca")
    named = "".join(f"list {n} from {n}.txt\n" for n in LISTS) if lists else ""
    path = place / "sekisho.conf"
    path.write_text(f"listen 127.0.0.1:1 as proxy use office\n{named}{body}")
    return path


@pytest.mark.parametrize("page", ["rules.md", "pages.md"])
def test_gateways_of_the_manual_load(program, place, page):
    shown = [body for body in blocks(page) if body.startswith("gateway office")]
    assert shown
    for body in shown:
        done = lab.run(program, "check", write(place, body), check=False)
        assert done.returncode == 0, done.stderr


def test_lists_of_the_manual_load(program, place):
    shown = [body for body in blocks("rules.md") if body.startswith("list ")]
    assert shown
    for body in shown:
        path = write(place, body + "gateway office {\n}\n", lists=False)
        done = lab.run(program, "check", path, check=False)
        assert done.returncode == 0, done.stderr


def test_cases_of_the_manual_pass(program, place):
    rules = next(body for body in blocks("rules.md") if body.startswith("gateway office"))
    for text in blocks("rules.md", "json"):
        json.loads(text)
        (place / "cases.json").write_text(text)
        done = lab.run(program, "test", write(place, rules), place / "cases.json", check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_conditions_of_the_log_page_are_understood(program, tmp_path):
    shown = re.findall(r"--where '([^']+)'", (ROOT / "docs/log.md").read_text())
    assert shown
    for condition in shown:  # read before the store is looked for
        done = lab.run(program, "log", "--store", tmp_path / "none.db", "--where", condition, check=False)
        assert done.returncode == 1 and "none.db" in done.stderr, condition


def test_every_advice_is_in_the_manual():
    table = (ROOT / "src/rule/lint.c").read_text().split("lint_rows[] = {")[1].split("};")[0]
    names = re.findall(r'^\s*\{"([a-z-]+)"', table, re.M)
    text = (ROOT / "docs/rules.md").read_text()
    assert len(names) > 5
    assert [n for n in names if f"| `{n}` |" not in text] == []


def test_every_action_is_in_the_manual(program):
    table = (ROOT / "src/gate/acts.c").read_text().split("rows[ACT_COUNT] = {")[1].split("\n};")[0]
    names = set(re.findall(r'\.name = "([a-z-]+)"', table))
    text = (ROOT / "docs/rules.md").read_text()
    assert len(names) > 8
    assert [n for n in sorted(names) if f"| `{n}" not in text] == []

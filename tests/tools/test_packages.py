# SPDX-License-Identifier: Apache-2.0
import re

from tree import ROOT


def test_every_package_says_why_and_is_listed_once():
    names = []
    for number, line in enumerate((ROOT / "packages").read_text().splitlines(), 1):
        if not line.strip() or line.startswith(("#", "[")):
            continue
        debian = r"[a-z0-9.+-]+( \| [a-z0-9.+-]+)*( +\?[\w.-]+)?"
        fetched = r"(npm:@?[a-z0-9/.-]+|go:[a-z0-9/.-]+)@v?\d[\w.+-]*"
        assert re.match(rf"({debian}|{fetched}) +# \S", line), number
        names.append(line.split()[0])
    assert len(names) == len(set(names))


def test_the_sections_the_makefile_asks_for_exist():
    sections = set(re.findall(r"^\[(\w+)\]", (ROOT / "packages").read_text(), re.M))
    asked = re.findall(r"tools/install-packages ([a-z ]+)", (ROOT / "Makefile").read_text())
    assert asked and set(" ".join(asked).split()) <= sections

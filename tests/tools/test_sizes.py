# SPDX-License-Identifier: Apache-2.0
import shutil

import pytest
from tree import findings

TEST = {"tests/tls/a.c": "int main;\n"}
needs_pmccabe = pytest.mark.skipif(not shutil.which("pmccabe"), reason="pmccabe is not installed")


def function(lines=1, parameters="void", body="x();"):
    return f"int\na_f({parameters})\n{{\n" + f"\t{body}\n" * lines + "}\n"


def test_a_small_file_with_its_test_passes():
    assert findings("sizes", {"src/tls/a.c": function(), **TEST}) == []


def test_a_long_file_is_found():
    found = findings("sizes", {"src/tls/a.c": "int x;\n" * 800, **TEST})
    assert len(found) == 1 and "801 lines" in found[0]


@needs_pmccabe
def test_a_long_function_is_found():
    assert "has 7" in findings("sizes", {"src/tls/a.c": function(70), **TEST})[0]


@needs_pmccabe
def test_a_tangled_function_is_found():
    found = findings("sizes", {"src/tls/a.c": function(15, body="if (x)\n\t\tx();"), **TEST})
    assert len(found) == 1 and "complexity 16" in found[0]


def test_six_parameters_are_found_and_five_are_not():
    five = "int a, int b, int c, int (*d)(int, int), int e"
    assert findings("sizes", {"src/tls/a.c": function(parameters=five), **TEST}) == []
    assert len(findings("sizes", {"src/tls/a.c": function(parameters=five + ", int f"), **TEST})) == 1


def test_a_file_without_test_is_found():
    assert "has no tests/tls/a.c" in findings("sizes", {"src/tls/a.c": function()})[0]

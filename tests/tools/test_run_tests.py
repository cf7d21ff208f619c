# SPDX-License-Identifier: Apache-2.0
from tree import tool


def test_tap_lines_are_counted_and_the_programs_own_summary_is_not():
    text = "1..3\nok 1 - a\nnot ok 2 - b\nok 3 # SKIP c\n# not ok - tests\n"
    assert tool("run-tests").count_tap(text) == (1, 1)


def test_a_report_that_is_missing_counts_as_a_failure(tmp_path):
    assert tool("run-tests").count_junit(tmp_path / "none.xml") == (0, 1, 0)


def test_skips_and_errors_are_told_apart(tmp_path):
    report = tmp_path / "r.xml"
    report.write_text('<testsuites><testsuite tests="9" failures="1" errors="2" skipped="3"/>'
                      '</testsuites>')
    assert tool("run-tests").count_junit(report) == (3, 3, 3)

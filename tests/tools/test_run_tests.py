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


def test_a_program_that_failed_beside_others_is_run_again_alone(monkeypatch, tmp_path):
    runs = []

    def played(_build, processes, names=()):
        runs.append((processes, list(names)))
        first = {"sekisho:net / dial": (7, 2), "sekisho:net / loop": (9, 0)}
        return first if len(runs) == 1 else {"sekisho:net / dial": (9, 0)}

    run_tests = tool("run-tests")
    monkeypatch.setattr(run_tests, "meson_test", played)
    assert run_tests.units(tmp_path) == (18, 0)
    assert runs[1] == (1, ["dial"])


def test_what_fails_twice_has_failed(monkeypatch, tmp_path):
    run_tests = tool("run-tests")
    monkeypatch.setattr(run_tests, "meson_test", lambda *_: {"sekisho:net / dial": (7, 2)})
    assert run_tests.units(tmp_path) == (7, 2)

# SPDX-License-Identifier: Apache-2.0
"""What a person meets first: help, version, misspellings, the manual page."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import lab


def test_version_is_one_line(program):
    assert re.fullmatch(r"sekisho \d+\.\d+\.\d+\n", lab.run(program, "version").stdout)


def test_every_command_has_help_that_names_its_options(program):
    overview = lab.run(program, "help").stdout
    commands = re.findall(r"^  ([a-z][a-z -]*?)  ", overview, re.M)
    assert "version" in commands
    for name in commands:
        text = lab.run(program, *name.split(), "--help").stdout
        assert text.startswith(f"sekisho {name}") and "--help" in text


def test_a_misspelt_command_names_the_nearest_and_exits_2(program):
    done = lab.run(program, "versoin", check=False)
    assert done.returncode == 2 and 'did you mean "version"' in done.stderr and not done.stdout


def test_an_unknown_option_exits_2(program):
    done = lab.run(program, "version", "--nope", check=False)
    assert done.returncode == 2 and "--help" in done.stderr


def test_no_command_lists_them_and_exits_2(program):
    done = lab.run(program, check=False)
    assert done.returncode == 2 and "version" in done.stdout


def test_output_that_cannot_be_written_is_a_failure(program):
    with open("/dev/full", "w") as full:
        done = subprocess.run([program, "version"], stdout=full, timeout=30)
    assert done.returncode == 1


def test_no_colours_without_a_terminal(program):
    assert "\033" not in lab.run(program, "help").stdout


def test_the_manual_page_is_well_formed(program, tmp_path):
    page = tmp_path / "sekisho.1"
    page.write_text(lab.run(program, "help", "--man").stdout)
    assert page.read_text().startswith(".TH SEKISHO 1")
    if shutil.which("mandoc"):
        done = lab.run("mandoc", "-T", "lint", "-W", "error", page, check=False)
        assert done.returncode == 0, done.stdout


def test_the_generated_parts_of_the_manual_are_up_to_date(program):
    root = Path(__file__).resolve().parent.parent
    done = lab.run(sys.executable, root / "tools" / "gen-docs", "--program", program, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

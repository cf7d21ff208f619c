# SPDX-License-Identifier: Apache-2.0
import shutil
import subprocess
import sys

import pytest
from tree import ROOT

HEADER = """#pragma once
struct thing { const char *name; const char *two_words; };
extern const struct thing things[];
"""
TABLE = '# a remark\nname\ttwo-words\nplain\t"quoted" \\ ??/\nkana\t関所1\nshort\n'


def make(tmp_path, text):
    (tmp_path / "t.tsv").write_text(text, encoding="utf-8")
    return subprocess.run([ROOT / "tools/table", "--header", "t.h", tmp_path / "t.c", "thing", "things",
                           tmp_path / "t.tsv"], capture_output=True, text=True)


@pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed")
def test_cells_come_out_as_they_went_in(tmp_path):
    assert make(tmp_path, TABLE).returncode == 0
    (tmp_path / "t.h").write_text(HEADER)
    (tmp_path / "m.c").write_text('#include <stdio.h>\n#include "t.h"\nint main(void) {'
                                  'for (const struct thing *t = things; t->name; t++)'
                                  'printf("%s=%s;", t->name, t->two_words); return 0; }\n')
    subprocess.run(["gcc", "-Wall", "-Werror", "-trigraphs", "-o", tmp_path / "m", tmp_path / "m.c",
                    tmp_path / "t.c"], check=True)
    out = subprocess.run([tmp_path / "m"], check=True, capture_output=True).stdout.decode()
    assert out == 'plain="quoted" \\ ??/;kana=関所1;short=;'


def test_a_row_with_too_many_cells_is_refused_with_its_line(tmp_path):
    done = make(tmp_path, "name\ttwo-words\na\tb\tc\n")
    assert done.returncode != 0 and "t.tsv:2" in done.stderr


def test_every_tool_has_a_page_and_every_class_a_section():
    sys.path.insert(0, str(ROOT / "tools"))
    import tool_pages
    pages = tool_pages.pages(ROOT)
    assert "NODE_USE_SYSTEM_CA=1" in pages["tools/npm.md"] and "strict-ssl" in pages["tools/npm.md"]
    assert len(pages) > 60 and "## unknown-issuer" in pages["failures.md"]
    for row in tool_pages.table(ROOT, "tls-errors"):
        name = row["class"].rstrip("?")
        assert name.startswith("by-") or f"\n## {name}\n" in pages["failures.md"]

# SPDX-License-Identifier: Apache-2.0
from tree import ROOT, tool


def test_a_clean_file_is_judged_once_until_it_or_a_header_of_it_changes(tmp_path, monkeypatch):
    lint = tool("lint")
    monkeypatch.setattr(lint, "ROOT", tmp_path)
    (tmp_path / "src").mkdir()
    header, path = tmp_path / "src" / "a.h", tmp_path / "src" / "a.c"
    header.write_text("int x;\n")
    path.write_text('#include "a.h"\n')
    seen = []

    def look():
        cache = lint.Cache(tmp_path / "cache", "salt")
        return cache.each("t", [path], lambda p: seen.append(p) or "")

    look()
    look()
    assert len(seen) == 1
    header.write_text("int y;\n")
    look()
    assert len(seen) == 2


def test_a_finding_is_not_remembered_as_clean(tmp_path):
    lint = tool("lint")
    cache = lint.Cache(tmp_path / "cache", "salt")
    path = ROOT / "src" / "main.c"
    assert cache.each("t", [path], lambda p: "bad") == ["bad"]
    assert cache.each("t", [path], lambda p: "bad") == ["bad"]

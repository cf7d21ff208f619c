# SPDX-License-Identifier: Apache-2.0
import pytest
from tree import findings, tool


@pytest.mark.parametrize("line", [
    "strcpy(a, b);", "strcat (a, b);", "sprintf(a, b);", "x = atoi(s);", "strtok(a, b);",
    "p = alloca(9);", "p = malloc(9);", "printf(a);", "snprintf(a, 1, b);",
    "int x __attribute__((unused));", "void f(void *ctx);", "// TODO: later",
    "#define F(x) do { return x; } while (0)",
    "void\nf(void)\n{\n#if A\n#endif\n}",
])
def test_what_is_refused_is_found(line):
    assert len(findings("banned", {"src/gate/a.c": line + "\n"})) == 1


@pytest.mark.parametrize("line", [
    "/* strcpy( is refused here */", 'text_out("use printf(3)");', "io->gets(x);",
    "my_strcpy(a, b);", "// TODO(#12): later", "#if A\n#endif",
])
def test_what_only_looks_like_it_passes(line):
    assert findings("banned", {"src/gate/a.c": line + "\n"}) == []


def test_the_one_place_for_each_is_allowed():
    assert findings("banned", {"src/base/text.c": "printf(a);\n"}) == []
    assert findings("banned", {"src/base/mem.c": "p = malloc(9);\n"}) == []


def test_a_file_without_licence_is_found(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.c").write_text("int x;\n")
    assert len(tool("banned").check(tmp_path).lines) == 1

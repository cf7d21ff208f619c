# SPDX-License-Identifier: Apache-2.0
import shutil
import subprocess

import pytest
from tree import ROOT

HEADER = """#pragma once
#include <stddef.h>
struct embedded { const char *name; const unsigned char *bytes; size_t n; };
extern const struct embedded files[];
"""


@pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed")
def test_what_goes_in_comes_out(tmp_path):
    (tmp_path / "t.h").write_text(HEADER)
    (tmp_path / "a.bin").write_bytes(bytes(range(256)) * 3)
    (tmp_path / "empty").write_bytes(b"")
    subprocess.run([ROOT / "tools/embed", "--header", "t.h", tmp_path / "t.c", "files",
                    tmp_path / "a.bin", tmp_path / "empty"], check=True)
    (tmp_path / "m.c").write_text('#include <stdio.h>\n#include "t.h"\nint main(void) {'
                                  'fwrite(files[0].bytes, 1, files[0].n, stdout);'
                                  'return files[1].n != 0 || files[2].name; }\n')
    subprocess.run(["gcc", "-Wall", "-Werror", "-o", tmp_path / "m", tmp_path / "m.c",
                    tmp_path / "t.c"], check=True)
    assert subprocess.run([tmp_path / "m"], check=True,
                          capture_output=True).stdout == bytes(range(256)) * 3

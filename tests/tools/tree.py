# SPDX-License-Identifier: Apache-2.0
"""tree: little source trees for the tools' tests, and the tools as modules."""

import importlib.machinery
import importlib.util
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tools"))


def tool(name):
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), str(ROOT / "tools" / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


class Tree:
    """with Tree({"src/a/b.c": "..."}) as root: files with the SPDX line in front."""

    def __init__(self, files):
        self.files = files

    def __enter__(self):
        self.place = tempfile.TemporaryDirectory()
        root = Path(self.place.name).resolve()
        for name, text in self.files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(SPDX + ("#pragma once\n" if name.endswith(".h") else "") + text)
        return root

    def __exit__(self, *_):
        self.place.cleanup()


def findings(name, files):
    with Tree(files) as root:
        return tool(name).check(root).lines

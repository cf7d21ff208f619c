# SPDX-License-Identifier: Apache-2.0
"""source: what the checking tools share: our files, C without comments, findings."""

import re
import subprocess
import sys
from pathlib import Path

ROOMS = ("base conf rule net dns pki tls http keyless event fact shared page gate desk doctor proc cli").split()

_TOKEN = re.compile(
    r'//(?:\\\n|[^\n])*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def bare(text, keep_strings=False):
    """C source with comments blanked (and strings emptied); offsets and lines stay."""

    def blank(match):
        token = match.group(0)
        if token[0] in "\"'":
            if keep_strings:
                return token
            return token[0] + " " * (len(token) - 2) + token[-1]
        return re.sub(r"[^\n]", " ", token)

    return _TOKEN.sub(blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def files(root, *folders, suffixes=(".c", ".h")):
    """Our files below the folders, sorted: what git knows or would add, else what is there."""
    root = Path(root)
    listing = subprocess.run(
        ["git", "-C", str(root), "ls-files", "-z", "-c", "-o", "--exclude-standard", *folders],
        capture_output=True, text=True)
    if listing.returncode == 0 and listing.stdout:
        found = [root / name for name in listing.stdout.split("\0") if name]
    else:
        found = [p for f in folders for p in (root / f).rglob("*")]
    return sorted({p for p in found if p.suffix in suffixes and p.is_file()})


def place(root, path):
    """(room, file) of a source file: ("tls", "hello.c"); main.c is in room "main"."""
    parts = path.relative_to(Path(root) / "src").parts
    return ("main", parts[0]) if len(parts) == 1 else (parts[0], "/".join(parts[1:]))


class Findings:
    def __init__(self, root):
        self.root = Path(root)
        self.lines = []

    def add(self, path, line, text):
        self.lines.append(f"{Path(path).relative_to(self.root)}:{line}: {text}")

    def finish(self, name):
        """Prints them; the exit code."""
        for line in self.lines:
            print(line)
        if self.lines:
            print(f"{name}: {len(self.lines)} findings", file=sys.stderr)
        return 1 if self.lines else 0


def root_from_argv():
    return Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()

# SPDX-License-Identifier: Apache-2.0
import pytest
from tree import findings

ROW = "| `net/` | sockets | loop |\n"
TREE = {"src/net/loop.c": "void loop_turn(void) {}\n", "src/net/loop.h": "struct watch;\n"}


def of(text):
    return findings("map", {**TREE, "ARCHITECTURE.md": ROW + text})


@pytest.mark.parametrize("text", [
    "see `net/loop.c` and `src/net/loop.h`", "`loop_turn()` turns", "a `struct watch`",
    "| 1 | net/loop | turns |", "| 2 | net, net/loop | turns |",
    "| `dns/` | (not built yet) names | message |",
])
def test_what_is_there_may_be_named(text):
    assert of(text) == []


@pytest.mark.parametrize("text", [
    "see `net/lop.c`", "`loop_spin()` spins", "a `const struct watcher`", "| 1 | net/lop | turns |",
    "| `dns/` | names | message |",
])
def test_what_is_not_there_is_found(text):
    assert len(of(text)) == 1


def test_a_name_in_a_comment_is_not_there():
    tree = {**TREE, "src/net/io.c": "/* loop_spin() is gone */\n"}
    assert len(findings("map", {**tree, "ARCHITECTURE.md": ROW + "`loop_spin()`"})) == 1


def test_a_room_without_a_row_is_found():
    tree = {**TREE, "src/tls/hello.c": "void hello(void) {}\n"}
    assert len(findings("map", {**tree, "ARCHITECTURE.md": ROW})) == 1

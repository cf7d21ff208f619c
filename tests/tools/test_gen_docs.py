# SPDX-License-Identifier: Apache-2.0
from tree import Tree, tool

ERRORS = '/* ERR(NO, "not.this", "", "") */\nERR(A, "a.b",\n\t"We saw " "a \\"pipe\\" |.",\n\t"")\n'
STATS = 'STAT(X, "things", COUNTER, "Things.")\nSTAT(Y, "open", GAUGE, "Open.")\n'


def test_rows_of_the_lists_become_rows_of_tables():
    with Tree({"src/base/err_list.h": ERRORS, "src/base/stats_list.h": STATS}) as root:
        docs = tool("gen-docs")
        assert docs.errors(root).endswith('</a>`a.b` | We saw a "pipe" \\|. |  |\n')
        assert "not.this" not in docs.errors(root)
        assert "| `sekisho_things_total` | counter | Things. |" in docs.metrics(root)
        assert "| `sekisho_open` | gauge | Open. |" in docs.metrics(root)

# SPDX-License-Identifier: Apache-2.0
import pytest
from tree import findings


@pytest.mark.parametrize("text", [
    "bool\nhello_parse(int x)\n{\n}\n",
    "bool\ntls_parse(int x)\n{\n}\n",
    "static bool\nread_it(int x)\n{\n}\n",
    "const struct x hello_table[] = {0};\n",
    "typedef int (*hello_call)(int);\n",
])
def test_own_prefix_and_statics_pass(text):
    assert findings("names", {"src/tls/hello.c": text}) == []


@pytest.mark.parametrize("text", [
    "bool\nparse_hello(int x)\n{\n}\n",
    "const struct x table[] = {0};\n",
    "typedef struct x x_t;\n",
])
def test_foreign_names_and_typedefs_are_found(text):
    assert len(findings("names", {"src/tls/hello.c": text})) == 1


def test_a_thing_in_two_files_keeps_its_name():
    text = "bool\nhello_parse(int x)\n{\n}\n"
    assert findings("names", {"src/tls/hello_read.c": text}) == []

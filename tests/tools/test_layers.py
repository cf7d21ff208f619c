# SPDX-License-Identifier: Apache-2.0
import pytest
from tree import findings


@pytest.mark.parametrize("where, include", [
    ("base/a.c", '"tls/b.h"'),
    ("tls/a.c", '"http/b.h"'),
    ("desk/a.c", '"doctor/b.h"'),
    ("gate/a.c", '"tls/b_priv.h"'),
    ("gate/a.c", '"b.h"'),
    ("gate/a.c", '"nowhere/b.h"'),
    ("gate/a.c", "<openssl/ssl.h>"),
    ("http/h1_read.c", "<nghttp2/nghttp2.h>"),
    ("gate/a.c", "<sqlite3.h>"),
    ("gate/a.c", "<sys/socket.h>"),
    ("gate/a.c", "<sys/epoll.h>"),
    ("gate/a.c", "<stdio.h>"),
    ("gate/a.c", "<uv.h>"),
    ("elsewhere/a.c", "<string.h>"),
])
def test_what_is_to_the_right_or_not_allowed_is_found(where, include):
    assert len(findings("layers", {f"src/{where}": f"#include {include}\n"})) == 1


@pytest.mark.parametrize("where, include", [
    ("tls/a.c", '"base/b.h"'),
    ("tls/a.c", '"tls/b_priv.h"'),
    ("main.c", '"cli/cli.h"'),
    ("tls/a.c", "<openssl/ssl.h>"),
    ("http/h2_read.c", "<nghttp2/nghttp2.h>"),
    ("event/store.c", "<sqlite3.h>"),
    ("net/io.c", "<sys/socket.h>"),
    ("base/text.c", "<stdio.h>"),
    ("gate/a.c", "<string.h>"),
])
def test_what_is_to_the_left_or_allowed_passes(where, include):
    assert findings("layers", {f"src/{where}": f"#include {include}\n"}) == []


def test_an_include_in_a_comment_is_no_include():
    assert findings("layers", {"src/base/a.c": '/*\n#include "tls/b.h"\n*/\n'}) == []

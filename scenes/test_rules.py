# SPDX-License-Identifier: Apache-2.0
"""What rules can say and do, each through a real client."""

import wire


def visit(gateway, host, port, path="/", more="", method="GET"):
    with wire.secure(gateway, host, port, gateway.root) as s:
        return wire.ask(s, f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n")


def test_a_condition_with_a_name_decides_as_its_text_would(open_gateway, street):
    port, host = street.origins["good"].port, street.hosts["good"]
    gateway = open_gateway(
        '\tlet upload = writes or http.request.method == "PATCH"\n'
        '\trule uploads when here and upload do block "no uploads"',
        top='let here = ip.src in {127.0.0.0/8}\nlet writes = http.request.method in {"POST" "PUT"}')
    assert visit(gateway, host, port).status == 200
    answer = visit(gateway, host, port, method="PUT", more="Content-Length: 0\r\n")
    assert answer.status == 403 and "no uploads" in answer.words

# SPDX-License-Identifier: Apache-2.0
"""Whose connection a request may come on (421), and a hundred thousand names in one edge."""

import ssl
import subprocess

import pytest

from edge_cast import Edge

BODY = """
	site other.test {{ certificate {other[0]} key {other[1]}; origin http://127.0.0.1:1 }}
	clients api.shop.test {{ certificate ask; authority {root} }}
	clients must.shop.test {{ certificate ask; authority {root} }}
"""


@pytest.fixture(scope="module")
def edge(program, stage, pki):
    with Edge(program, stage / "names", pki, workers=1,
              body=BODY.format(other=pki.issue("other.test"), root=pki.root)) as running:
        yield running


@pytest.mark.parametrize(("shown", "host", "status"), [
    ("shop.test", "shop.test", 200),
    ("shop.test", "www.shop.test", 200),          # of the same site, asked the same
    ("www.shop.test", "SHOP.test", 200),
    ("shop.test", "shop.test:{port}", 200),
    ("shop.test", "shop.test.", 200),             # the same name (RFC 3986 §3.2.2)
    ("shop.test", "other.test", 421),             # another site
    ("other.test", "shop.test", 421),
    ("shop.test", "api.shop.test", 421),          # more is asked of clients there
    ("api.shop.test", "shop.test", 421),          # or less
    ("api.shop.test", "must.shop.test", 421),     # the same by another block is not the same
    ("api.shop.test", "API.Shop.Test", 200),
    ("shop.test", "nobody.test", 421),
    ("shop.test", "a.b.shop.test", 421),          # beyond the wildcard
    ("shop.test", "shop.test@other.test", 400),
    ("shop.test", "127.0.0.1", 421),
])
def test_a_request_stays_on_connections_of_its_policy(edge, shown, host, status):
    connection = edge.connect(shown)
    assert connection.status(host=host.format(port=edge.port)) == status
    # What was misdirected does not end the connection (RFC 9110 §15.5.20).
    if status == 421:
        assert connection.status(host=shown) != 421
    connection.close()


def test_a_hundred_thousand_names_are_one_lookup_each(program, stage, pki):
    folder = stage / "names-many"
    also = "\n".join("also " + " ".join(f"n{i}.many.test" for i in range(at, at + 50))
                     for at in range(0, 100000, 50))
    with Edge(program, folder, pki, workers=1, site=also) as many:
        context = many.context()
        context.check_hostname = False
        for i in (0, 1, 4999, 50000, 99998, 99999):
            connection = many.connect(f"n{i}.many.test", context=context)
            assert connection.status() == 200
            connection.close()
        with pytest.raises(ssl.SSLError, match="unrecognized name"):
            many.connect("n100000.many.test", context=context)
    text = (folder / "edge.conf").read_text().replace("also n99.many.test", "also n99.many.test n500.many.test")
    (folder / "twice.conf").write_text(text.replace(" n77.many.test", " n77.many.test n88.many.test"))
    done = subprocess.run([program, "check", folder / "twice.conf"], capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode != 0 and "another site has this name already" in done.stdout + done.stderr

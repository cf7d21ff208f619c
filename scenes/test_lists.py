# SPDX-License-Identifier: Apache-2.0
"""Lists of names: every form, changed while the gateway runs, and damaged."""

import os

import lab
import pytest
import wire
from test_under_load import Load

HOST = "www.good.example"
FORMS = {
    "plain": ("other.example\n.good.example  # and below\n", ""),
    "hosts": ("127.0.0.1 localhost\n0.0.0.0 other.example www.good.example\n", " as hosts"),
    "rpz": ("$TTL 60\n@ SOA a. b. 1 2 3 4 5\nother.example CNAME .\n*.good.example CNAME .\n", " as rpz"),
    "adblock": ("[Adblock Plus 2.0]\n! comment\n||good.example^\n##.banner\n", " as adblock"),
    "csv": ('id,"Domain",why\n1,www.good.example,"a, b"\n2,other.example,\n', " as csv { column domain }"),
}


def write(path, text):
    """As a careful publisher does: the new file takes the old one's place at once."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.chmod(0o644)
    os.replace(fresh, path)
    return path


def status(gateway, street):
    with wire.secure(gateway, HOST, street.origins["good"].port, gateway.root) as s:
        return wire.get(s, HOST).status


def listed(path, how=""):
    return {"body": '\trule listed when any(http.request.domains[*] in $bad) do block "on the list"',
            "top": f"list bad from {path}{how}"}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_list_decides(program, stage, tmp_path, form):
    """Told by its first lines and by name; played without a client, the form is the same."""
    text, how = FORMS[form]
    path = write(stage / f"{form}.list", text)
    lab.run(program, "ca", "init", tmp_path / "ca")
    for said in {how, "" if form != "csv" else how}:
        config = tmp_path / "a.conf"
        config.write_text(f"list bad from {path}{said}\ngateway g {{\n\tauthority {tmp_path}/ca\n"
                          "\trule listed when any(http.request.domains[*] in $bad) do block\n}\n")
        for host, outcome in (("www.good.example", "block"), ("www.fine.example", "inspect")):
            told = lab.run(program, "explain", "-c", config, f"https://{host}/").stdout
            assert told.splitlines()[0].endswith(f": {outcome}"), (said, told)


def test_a_list_that_changes_under_load_is_taken_and_nobody_is_dropped(open_gateway, street, stage):
    path = write(stage / "living.txt", "other.example\n")
    gateway = open_gateway(**listed(path), workers=2, drain="10s")
    load = Load(gateway, street, clients=3)
    try:
        for count in range(1):
            served = load.served
            before = gateway.log().count("files.changed")
            write(path, "".join(f"name{i}.example\n" for i in range(1000 * (count + 1))))
            lab.wait_for("the list", lambda: gateway.log().count("files.changed") > before, 30)
            lab.wait_for("more visits", lambda: load.served > served + 3, 30)
    finally:
        load.stop()
    assert not load.failures, load.failures[:5]
    write(path, ".good.example\n")
    lab.wait_for("the new list to decide", lambda: status(gateway, street) == 403, 30)


def test_a_list_that_changes_while_it_is_read_is_read_again(open_gateway, street, stage):
    path = write(stage / "quick.txt", "other.example\n")
    gateway = open_gateway(**listed(path))
    many = "".join(f"name{i}.example\n" for i in range(200000))
    write(path, many)
    lab.wait_for("the list to be read", lambda: "config.reload" in gateway.log(), 30)
    write(path, many + ".good.example\n")
    lab.wait_for("the last list to decide", lambda: status(gateway, street) == 403, 30)


def test_a_broken_line_is_named_and_the_old_list_stays(open_gateway, street, stage):
    path = write(stage / "fragile.hosts", "0.0.0.0 www.good.example\n")
    gateway = open_gateway(**listed(path, " as hosts"))
    assert status(gateway, street) == 403
    write(path, "0.0.0.0 fine.example\n\nthis is no line of a hosts file\n")
    lab.wait_for("the complaint", lambda: "fragile.hosts:3:" in gateway.log(), 30)
    assert status(gateway, street) == 403
    write(path, "0.0.0.0 fine.example\n")
    lab.wait_for("the mended list to decide", lambda: status(gateway, street) == 200, 30)

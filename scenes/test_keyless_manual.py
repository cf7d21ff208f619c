# SPDX-License-Identifier: Apache-2.0
"""docs/keyless.md, "Five minutes", played as it is written: only places and ports are put in."""

import os
import re
import shutil

import pytest

import lab
from conftest import ROOT


def blocks():
    text = (ROOT / "docs" / "keyless.md").read_text()
    part = text.split("## Five minutes")[1].split("## Everything through one door")[0]
    return re.findall(r"^```\n(.*?)^```$", part, re.M | re.S)


@pytest.fixture
def bench(tmp_path, program, stage):
    """A directory for each of two people, where `sekisho` is a command."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "sekisho").symlink_to(lab.Path(program).resolve())
    env = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
    places = {}
    for who in ("server", "edge"):
        places[who] = tmp_path / who
        (places[who] / "data").mkdir(parents=True)
    if os.getuid() == 0:
        for path in [tmp_path, *tmp_path.parents]:
            if path == lab.Path("/tmp"):
                break
            path.chmod(path.stat().st_mode | 0o711)
        for place in places.values():
            shutil.chown(place / "data", "nobody")
    lab.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            places["server"] / "shop.key", "-out", places["server"] / "shop.crt", "-subj", "/CN=shop.example", "-addext",
            "subjectAltName=DNS:shop.example", "-days", "30")
    return places, env


def shell(text, place, env):
    return lab.run("bash", "-euc", text, cwd=place, env=env).stdout


def run(place, env, text, port):
    user = "nobody" if os.getuid() == 0 else os.environ.get("USER", "nobody")
    own = {"user": user, "data": place / "data", "control": place / "control.sock"}
    lines = [line for line in text.splitlines() if line.split()[:1] not in ([word] for word in own)]
    config = place / "it.conf"
    config.write_text("workers 1\n" + "".join(f"{word} {value}\n" for word, value in own.items()) + "\n".join(lines) + "\n")
    return lab.Program(["sekisho", "run", "-c", config], lambda: lab.accepts(port), place / "log", env=env, cwd=place)


def test_five_minutes(bench):
    (server_place, edge_place), env = (bench[0]["server"], bench[0]["edge"]), bench[1]
    init, key_conf, check, probe, edge_conf = blocks()
    ports = {name: lab.free_port() for name in ("keys", "edge")}
    assert "ski" in shell(init, server_place, env)
    (server_place / "keyserver.conf").write_text(key_conf)
    assert check.startswith("sekisho check -c keyserver.conf && ")
    shell(check.split(" && ")[0], server_place, env)
    server = run(server_place, env, key_conf.replace(":2407", f"127.0.0.1:{ports['keys']}"), ports["keys"])
    for name in ("tunnel/ca.crt", "tunnel/edge1.crt", "tunnel/edge1.key", "shop.crt"):
        shutil.copy(server_place / name, edge_place)
    said = shell(probe.replace("keys.internal", f"127.0.0.1:{ports['keys']} --name keys.internal"), edge_place, env)
    assert "signature verified" in said
    origin = lab.Origin(greeting="from the origin\n")
    here = re.sub(r"server +keys.internal:2407", f"server 127.0.0.1:{ports['keys']} called keys.internal", edge_conf)
    here = re.sub(r".*keys2.internal.*\n", "", here).replace(":443", f"127.0.0.1:{ports['edge']}")
    edge = run(edge_place, env, here.replace("10.0.0.5:8080", f"127.0.0.1:{origin.port}"), ports["edge"])
    got = lab.run("curl", "-sS", "--max-time", "15", "--cacert", edge_place / "shop.crt", "--resolve",
                  f"shop.example:{ports['edge']}:127.0.0.1", f"https://shop.example:{ports['edge']}/")
    assert got.stdout == "from the origin\n"
    assert edge.close() == 0 and server.close() == 0
    origin.close()


def test_key_init_says_what_to_write_next(bench):
    place, env = bench[0]["server"], bench[1]
    said = shell("sekisho key init tunnel --server keys.internal --client edge7", place, env)
    server = re.search(r"^(listen .*?^}\n)", said, re.M | re.S).group(1)
    edge = re.search(r"^(keys \{.*\})$", said, re.M).group(1)
    (place / "served").mkdir(mode=0o700)
    (place / "served" / "shop.key").write_bytes((place / "shop.key").read_bytes())
    (place / "served" / "shop.key").chmod(0o400)
    (place / "keyserver.conf").write_text(server.replace("KEYS", "served"))
    for name in ("edge7.crt", "edge7.key", "ca.crt"):
        shutil.copy(place / "tunnel" / name, place)
    (place / "edge.conf").write_text("listen :443 as edge use shop\nedge shop {\n" + edge +
                                     "\nsite shop.example { keyless shop.crt; origin http://127.0.0.1:8080 }\n}\n")
    for config in ("keyserver.conf", "edge.conf"):
        assert "good" in shell(f"sekisho check -c {config}", place, env)

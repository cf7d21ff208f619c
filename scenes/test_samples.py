# SPDX-License-Identifier: Apache-2.0
"""Every sample of every manual: configurations are good as they stand, commands have the options that are shown."""

import re
import shutil
import textwrap

import pytest

import lab
from conftest import ROOT

FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.M | re.S)
GENERATED = ("configuration", "commands", "doctor-tools", "failures", "events", "errors", "fields", "metrics")
SHELL = ("sekisho", "sudo", "make", "mkdir", "curl", "openssl", "sqlite3", "$", "pip")
NO_SAMPLE = {"visitors": "a drawing", "┌─────────────────────────": "a drawing", "blocked.title:": "words of pages",
             '{"cases":': "played by test_manual.py", "ssl": "expressions", "token": "ca.where", "keys": "ca.where"}
SITE = "site shop.example { certificate shop.crt key shop.key\n"
INSIDE = {"rule": "edge shop {\n" + SITE + "origin http://127.0.0.1:1 }\n%s}\n", "origin": "edge shop {\n" + SITE + "%s}\n}\n"}
LISTENERS = {"gateway": "proxy", "edge": "edge", "keyserver": "keyserver"}
LISTS = {"banks": "bank.example\n", "approved": "a.example\n", "tools": "tools.example\n"}
PLACES = {r"/var/lib/sekisho/ca\b": "ca", r"\bca/office\b": "ca", "/var/lib/sekisho/clients": "clients",
          r"(?m)^(data|control|user)\s.*\n": "", r"/(?:etc|var/cache)/sekisho/": "", r"\$TOKEN": "word"}


def pages():
    return [ROOT / "README.md", *(p for p in sorted((ROOT / "docs").glob("*.md")) if p.stem not in GENERATED)]


def samples():
    """(page, line, text): what stands in a fence, or is set in by four blanks."""
    for page in pages():
        text = page.read_text()
        found = [(m.start(), m.group(1)) for m in FENCE.finditer(text)]
        bare = FENCE.sub(lambda m: re.sub(r"[^\n]", "-", m.group()), text)
        found += [(m.start(1), m.group(1)) for m in re.finditer(r"\n\n((?: {4}[^\n]*\n|\n(?= {4}))+)", bare)]
        for start, body in found:
            yield f"{page.name}:{text.count(chr(10), 0, start) + 1}", textwrap.dedent(body.strip("\n")) + "\n"


SAMPLES = list(samples())


def first_word(body):
    return next(w for line in body.splitlines() if line.strip() and not line.strip().startswith("#") for w in line.split())


def configurations():
    for place, body in SAMPLES:
        word = first_word(body)
        if word in SHELL or word in NO_SAMPLE:
            continue
        if all(line.startswith("tickets ") for line in body.splitlines()):  # one or the other
            yield from ((place, line + "\n") for line in body.splitlines())
        else:
            yield place, body


@pytest.fixture(scope="module")
def folder(program, tmp_path_factory, pki):
    """A directory in which every file is that a sample names."""
    here = tmp_path_factory.mktemp("samples")
    program = program.resolve()
    lab.run(program, "ca", "init", "ca", cwd=here)
    lab.run(program, "client", "init", "--dir", "clients", cwd=here)
    lab.run(program, "key", "init", "tunnel", "--server", "keys.internal", "--client", "edge1", cwd=here)
    for name, key in (("shop", "ec"), ("shop-rsa", "rsa"), ("blog", "ec")):
        certificate, private = pki.issue(f"{name.split('-')[0]}.example", "*.shop.example", key=key)
        shutil.copy(certificate, here / f"{name}.crt")
        shutil.copy(private, here / f"{name}.key")
    for name in ("edge", "edge1", "gateway"):
        for kind in ("crt", "key"):
            shutil.copy(here / "tunnel" / f"edge1.{kind}", here / f"{name}.{kind}")
    for old, new in (("tunnel/ca.crt", "tunnel-ca.crt"), ("tunnel/ca.crt", "ca.crt"), ("clients/ca.crt", "clients-ca.crt"),
                     ("clients/clients.crl", "clients.crl")):
        shutil.copy(here / old, here / new)
    for kind in ("crt", "key"):
        shutil.copy(here / "tunnel" / f"server.{kind}", here / f"server.{kind}")
    for served in ("keys", "issuing"):
        (here / served).mkdir(mode=0o700)
        shutil.copy(here / "shop.key", here / served / "shop.key")
    lab.run("openssl", "genpkey", "-algorithm", "ed25519", "-out", here / "tickets.key")
    lab.run("openssl", "pkey", "-in", here / "tickets.key", "-pubout", "-out", here / "tickets.pub")
    for name, text in {**{f"{n}.txt": text for n, text in LISTS.items()}, "feeds/harmful.rpz": "bad.example CNAME .\n",
                       "feeds/ads/one.txt": "||ad.example^\n", "feeds/ut1/adult/domains": "adult.example\n",
                       "feeds/threats/80-phishing.txt": "phish.example\n", "partners.csv": "name,domain\nx,p.example\n",
                       "aoyama.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>", "our-words.txt": "blocked.title: No\n",
                       "pin": "1234\n"}.items():
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(text)
    for private in [*here.glob("*.key"), *here.glob("keys/*"), *here.glob("issuing/*"), here / "pin"]:
        private.chmod(0o400)
    return here


def whole(body):
    """The sample with what it takes for granted: a listener for each block, lists that it names, an authority."""
    body = INSIDE.get(first_word(body), "%s") % body
    for pattern, instead in PLACES.items():
        body = re.sub(pattern, instead, body)
    used = re.findall(r"^listen .* use (\S+)", body, re.M)
    blocks = re.findall(r"^(gateway|edge|keyserver)\s+(\S+)", body, re.M) or [("gateway", "office")]
    if "gateway office" not in body and ("gateway", "office") in blocks:
        body += "gateway office {\n}\n"
    if not re.search(r"authority ca\b(?!\.)", body):
        body = body.replace("gateway office {", "gateway office {\n\tauthority ca")
    ports = [f"listen 127.0.0.1:{i + 1} as {LISTENERS[kind]} use {name}\n" for i, (kind, name) in enumerate(blocks)
             if name not in used]
    lists = [f"list {n} from {n}.txt\n" for n in LISTS if f"${n}" in body and f"list {n}" not in body]
    return "".join(ports + lists) + body


@pytest.mark.parametrize("place, body", [pytest.param(*c, id=f"{c[0]}-{i}") for i, c in enumerate(configurations())])
def test_a_configuration_is_good_and_earns_no_advice(program, folder, place, body):
    config = folder / f"{place.replace(':', '-')}.conf"
    config.write_text(whole(body))
    done = lab.run(program, "check", config, check=False)
    assert done.returncode == 0, done.stderr + config.read_text()
    advice = [line for line in done.stderr.splitlines() if ": warning: " in line]
    assert not advice, done.stderr


def test_every_kind_of_sample_is_there():
    words = {first_word(body) for _, body in configurations()}
    assert {"listen", "gateway", "edge", "list", "let", "rule", "origin", "tickets", "pkcs11", "categories", "cache"} <= words
    assert len(list(configurations())) > 15


COMMAND = re.compile(r"(?:^|[|&] |sudo |\$ )sekisho ((?:[^\n\\]|\\\n)+)", re.M)


def commands():
    """(page, words behind `sekisho`) of every command line, in samples and between backticks."""
    codes = [(place, body) for place, body in SAMPLES if first_word(body) in SHELL]
    for page in pages():
        codes += [(page.name, body) for body in re.findall(r"`([^`]+)`", FENCE.sub("", page.read_text()))]
    for place, body in codes:
        for text in COMMAND.findall(body):
            yield place, re.sub(r"\s#.*|[|;].*|&&.*|'[^']*'|\"[^\"]*\"", " ", text.replace("\\\n", " ")).split()


def test_every_command_that_is_shown_has_these_options(program):
    listed = set(re.findall(r"^  ([a-z]+(?: [a-z-]+)*)  +", lab.run(program, "help").stdout, re.M))
    groups = {name.split()[0] for name in listed}
    helps, seen, wrong = {}, 0, []
    for place, words in commands():
        command = next((" ".join(words[:n]) for n in (3, 2, 1) if " ".join(words[:n]) in listed), None)
        if not command:  # `sekisho client …` speaks of all of them, `sekisho COMMAND` of any
            wrong += [(place, *words)] if words[0] not in groups and not words[0].isupper() and words[0] != "--help" else []
            continue
        if command not in helps:
            helps[command] = lab.run(program, *command.split(), "--help").stdout
        options = [w.split("=")[0] for w in words if re.match(r"--[a-z]", w)]
        wrong += [(place, command, o) for o in options if not re.search(rf"{o}\b", helps[command])]
        seen += 1
    assert not wrong and seen > 60, (seen, wrong)

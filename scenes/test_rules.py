# SPDX-License-Identifier: Apache-2.0
"""What rules can say and do, each through a real client."""

import re
import ssl

import lab
import pytest
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


@pytest.fixture(scope="module")
def picky(pki, stage):
    """An origin that asks for a certificate and tells what it was shown."""
    folder = stage / "picky"
    folder.mkdir()
    pem, key = folder / "us.pem", folder / "us.key"
    lab.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-keyout", key, "-out", pem, "-days", "2", "-subj", "/CN=gateway of the lab",
            "-addext", "extendedKeyUsage=clientAuth")

    def who(handler):
        shown = handler.connection.getpeercert() or {}
        name = dict(part[0] for part in shown.get("subject", ())).get("commonName", "nobody")
        handler.answer(f"{name} over {handler.connection.version()}\n".encode())

    origin = lab.Origin(pki.issue("www.picky.example", "www.plain.example"), routes={"who": who})
    origin.context.verify_mode = ssl.CERT_OPTIONAL
    origin.context.load_verify_locations(pem)
    origin.client = pem, key
    yield origin
    origin.close()


def test_a_rule_says_which_certificate_an_origin_is_shown(open_gateway, picky):
    pem, key = picky.client
    gateway = open_gateway(f'\trule badge when http.request.host == "www.picky.example"'
                           f' do tls certificate {pem} key {key}')
    shown = visit(gateway, "www.picky.example", picky.port, "/who")
    assert shown.status == 200 and shown.text.startswith("gateway of the lab over ")
    assert visit(gateway, "www.plain.example", picky.port, "/who").text.startswith("nobody over ")


def test_a_rule_raises_the_lowest_version_of_either_side(open_gateway, picky):
    host = "www.picky.example"
    gateway = open_gateway(f'\trule modern when http.request.host == "{host}" do tls client-min 1.3\n'
                           '\trule ahead when http.request.host == "www.plain.example" do tls origin-min 1.3')
    assert visit(gateway, host, picky.port).status == 200
    with pytest.raises(ssl.SSLError):
        wire.secure(gateway, host, picky.port, gateway.root, maximum_version=ssl.TLSVersion.TLSv1_2)
    picky.context.maximum_version = ssl.TLSVersion.TLSv1_2
    try:
        assert visit(gateway, host, picky.port, "/who").text == "nobody over TLSv1.2\n"
        assert visit(gateway, "www.plain.example", picky.port).status == 502
    finally:
        picky.context.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED


def test_a_rule_says_how_hard_revocation_is_asked_after(open_gateway, picky):
    """The lab's certificates say nowhere whether they were revoked."""
    gateway = open_gateway('\trule strict when http.request.host == "www.picky.example" do tls revocation hard')
    assert visit(gateway, "www.plain.example", picky.port).status == 200
    answer = visit(gateway, "www.picky.example", picky.port)
    assert answer.status == 502 and gateway.wait_event(host="www.picky.example", action="block")


def test_a_directory_of_lists_is_a_set_of_categories(open_gateway, street, stage):
    lists = stage / "categories"
    (lists / "adult").mkdir(parents=True)
    (lists / "17-gambling.txt").write_text("other.example\n")
    (lists / "adult" / "domains").write_text("good.example\n")
    for path in [lists, *lists.rglob("*")]:
        path.chmod(0o755)
    gateway = open_gateway('\trule grown when any(http.request.categories[*] == "adult")'
                           ' and not any(http.request.uri.content_category[*] == 17) do block "not here"',
                           top=f"categories {lists}")
    answer = visit(gateway, street.hosts["good"], street.origins["good"].port,
                   more="Referer: https://a.example/b?secret=1\r\n")
    assert answer.status == 403 and "not here" in answer.words
    event = gateway.wait_event(host=street.hosts["good"], action="block", method="GET")
    assert event["category"] == "adult" and event["referer"] == "https://a.example/b"


def test_who_starts_with_a_field_that_nothing_fills_is_told(open_gateway):
    gateway = open_gateway('\trule staff when identity.email == "a@b.example" do allow')
    assert "sekisho.conf:" in gateway.log()
    assert "identity.email is known, but not filled yet" in gateway.log()


def test_rules_see_what_a_request_is_made_of(open_gateway, street):
    gateway = open_gateway(
        '\trule cookie when any(http.request.cookies["tier"][*] == "free") do block "pay first"\n'
        '\trule debug when any(http.request.uri.args["debug"][*] == "1") do block "no debugging"\n'
        '\trule archive when http.request.uri.path.extension in {"zip" "exe"} do block "no archives"\n'
        '\trule binary when http.response.content_type.media_type == "application/octet-stream"'
        ' do block "no binaries"')
    host, port = street.hosts["good"], street.origins["good"].port

    def words(path, more=""):
        return visit(gateway, host, port, path, more).words

    assert "pay first" in words("/", "Cookie: a=b; tier=free\r\n")
    assert "no debugging" in words("/?x=2&debug=1")
    assert "no archives" in words("/a/setup.EXE?x=1")
    assert "no binaries" in words("/bytes/10")
    assert words("/?debug=0", "Cookie: tier=paid\r\n") == "good"


def test_a_session_of_the_past_is_explained(open_gateway, street):
    host, port = street.hosts["good"], street.origins["good"].port
    rules = ('\trule secret when http.request.uri.path contains "/secret/" do block "not for you"\n'
             '\trule trial when http.request.method == "GET" do dry-run block')
    gateway = open_gateway(rules)
    assert visit(gateway, host, port, "/a/secret/b").status == 403
    session = gateway.wait_event(host=host, kind="session")["session"]

    def explained():
        answer = gateway.command("explain", "--session", session, "-c", gateway.config, check=False)
        return answer.stdout if answer.returncode == 0 and "request " in answer.stdout else None

    told = lab.wait_for("the store to have it", explained)
    assert "recorded: block (request:secret=block)" in told and "dry run:  request:trial=block" in told
    assert "MATCH   rule secret: block in phase request" in told
    assert re.search(r'true +http.request.uri.path contains "/secret/"', told)
    assert "phase request: block by rule secret" in told and "today:    block\n" in told
    gateway.configure("\trule open when http.request.host == \"x\" do block")
    assert "today:    allow, which is not what was recorded" in explained()


def test_a_reason_code_is_told_in_words(program):
    answer = lab.run(program, "explain", "gate.untrusted")
    assert answer.stdout.startswith("gate.untrusted: The site could not prove")

# SPDX-License-Identifier: Apache-2.0
"""Rules, from the file to what the client sees and the event says."""

import wire


def visit(gateway, host, port, path="/", more="", method="GET"):
    with wire.secure(gateway, host, port, gateway.root) as s:
        return wire.ask(s, f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n")


def test_a_blocked_host_gets_a_page_that_names_the_reason(street):
    answer = visit(street.gateway, street.hosts["blocked"], street.origins["blocked"].port)
    assert answer.status == 403 and "known to be harmful" in answer.words
    event = street.gateway.wait_event(host="www.harmful.example", action="block")
    assert event["rule"] == "harmful"


def test_a_request_can_be_blocked_where_the_connection_is_not(open_gateway, street):
    gateway = open_gateway(
        '\trule uploads when http.request.method == "POST" do block "no uploads"\n'
        '\trule secret when http.request.uri.path contains "/secret/" do block "not for you"')
    port, host = street.origins["good"].port, street.hosts["good"]
    with wire.secure(gateway, host, port, gateway.root) as s:
        assert wire.get(s, host).status == 200
        answer = wire.get(s, host, "/a/secret/b")
        assert answer.status == 403 and "not for you" in answer.words
    answer = visit(gateway, host, port, method="POST", more="Content-Length: 0\r\n")
    assert answer.status == 403 and "no uploads" in answer.words


def test_the_first_deciding_rule_wins(open_gateway, street):
    gateway = open_gateway(
        '\trule first when http.request.host == "www.good.example" do allow\n'
        '\trule second when http.request.host contains "good" do block "too late"')
    assert visit(gateway, street.hosts["good"], street.origins["good"].port).status == 200


def test_a_list_from_a_file_is_looked_up(open_gateway, street, stage):
    path = stage / "harmful.txt"
    path.write_text("# a list\nwww.other.example\nwww.good.example\n")
    path.chmod(0o644)
    gateway = open_gateway("\trule listed when http.request.host in $bad do block \"on the list\"",
                           top=f"list bad from {path}")
    answer = visit(gateway, street.hosts["good"], street.origins["good"].port)
    assert answer.status == 403 and "on the list" in answer.words


def test_a_label_is_noted_and_nothing_else_happens(open_gateway, street):
    gateway = open_gateway('\trule watched when http.request.host contains "good" do log "watched"')
    assert visit(gateway, street.hosts["good"], street.origins["good"].port).status == 200
    events = [e for e in gateway.events() if "watched" in str(e.get("labels", ""))]
    assert events or gateway.wait_event(labels="watched")


def test_a_resumed_session_is_judged_anew(open_gateway, street):
    """What the client negotiated before the rule came must not let it through after."""
    import signal
    import ssl

    host, port = street.hosts["good"], street.origins["good"].port
    gateway = open_gateway()
    context = wire.context(gateway.root)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with context.wrap_socket(wire.connect(gateway, host, port), server_hostname=host) as s:
        assert wire.get(s, host).status == 200
        session = s.session
    gateway.configure(f'\trule new when http.request.host == "{host}" do block "since now"')
    gateway.process.process.send_signal(signal.SIGHUP)

    def blocked():
        with context.wrap_socket(wire.connect(gateway, host, port), server_hostname=host,
                                 session=session) as s:
            return wire.get(s, host).status == 403

    import lab
    lab.wait_for("the new rule", blocked)

// SPDX-License-Identifier: Apache-2.0
#include "gate/session.h"

#include "tests/gate/world.h"

static void
an_inspected_request_goes_through(void)
{
	char issuer[128];
	world_open("");
	world_ask("good.test");
	world_shake("good.test");
	CHECK_INT(tls_state(world.client.side.tls), TLS_OPEN);
	world_issuer(issuer, sizeof(issuer));
	CHECK(strstr(issuer, "CN=Test node") != NULL);
	world_say(&world.client, "GET /a?b HTTP/1.1\r\nHost: good.test\r\n\r\n");
	CHECK_INT(world.origins, 1);
	world_until("ok");
	side_end(&world.client.side);
	world_until_closed();
	CHECK_INT(world.request_events, 1);
	CHECK(strstr(world.last_request, "path=/a\n") != NULL);
	CHECK(strstr(world.last_session, "action=inspect\n") != NULL);
	CHECK(strstr(world.last_session, "origin_verdict=good\n") != NULL);
	CHECK(strstr(world.last_session, "ended_by=client\n") != NULL);
	world_close();
}

static void
a_bypassed_client_sees_the_origins_own_certificate(void)
{
	char issuer[128];
	world_open("rule banks when net.sni.host == \"good.test\" do bypass");
	world_ask("good.test");
	world_shake("good.test");
	CHECK_INT(tls_state(world.client.side.tls), TLS_OPEN);
	CHECK_INT(world.mints, 0);
	world_issuer(issuer, sizeof(issuer));
	world_say(&world.client, "GET / HTTP/1.1\r\nHost: good.test\r\n\r\n");
	world_until("ok");
	side_end(&world.client.side);
	world_turn(20);
	side_close(&world.origin.side, false);
	world_until_closed();
	CHECK(strstr(world.last_session, "action=bypass\n") != NULL);
	CHECK(strstr(world.last_session, "rule=banks\n") != NULL);
	CHECK_INT(world.request_events, 0);
	world_close();
}

static void
a_blocked_name_gets_a_page_and_no_origin(void)
{
	world_open("rule no when http.request.host == \"good.test\" do block \"not "
		   "here\"");
	world_ask("good.test");
	world_shake("good.test");
	world_say(&world.client,
		"GET / HTTP/1.1\r\nHost: good.test\r\nAccept: text/plain\r\n\r\n");
	world_until("not here");
	CHECK(strstr(world.client.heard, "HTTP/1.1 403 ") == world.client.heard);
	CHECK_INT(world.origins, 0);
	world_until_closed();
	CHECK(strstr(world.last_request, "rule=no\n") != NULL);
	world_close();
}

static void
an_origin_for_another_name_is_refused_with_a_page(void)
{
	world_open("");
	world_ask("other.test");
	world_shake("other.test");
	world_say(&world.client,
		"GET / HTTP/1.1\r\nHost: other.test\r\nAccept: text/plain\r\n\r\n");
	world_until("gate.untrusted");
	CHECK(strstr(world.client.heard, "HTTP/1.1 502 ") == world.client.heard);
	CHECK_INT(world.origin.n_heard, 0);
	world_until_closed();
	CHECK(strstr(world.last_session, "origin_verdict=wrong-name\n") != NULL);
	world_close();
}

static void
an_untrusted_origin_may_be_allowed_and_keeps_its_wrong_name(void)
{
	world_open("untrusted allow");
	world_ask("other.test");
	world_shake("other.test");
	world_say(&world.client, "GET / HTTP/1.1\r\nHost: other.test\r\n\r\n");
	world_until("ok");
	world_close();
}

static void
bytes_that_are_not_tls_end_it(void)
{
	world_open("");
	world_ask("good.test");
	world_say(&world.client, "SSH-2.0-OpenSSH\r\n");
	world_until_closed();
	CHECK(strstr(world.last_session, "err=gate.not-tls\n") != NULL);
	world_close();
}

static void
bytes_that_are_not_tls_may_be_tunnelled(void)
{
	world_open("non-tls tunnel");
	world.origin_is_tls = false;
	world_ask("good.test");
	world_say(&world.client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	world_until("ok");
	world_close();
}

static void
a_malformed_hello_gets_an_alert(void)
{
	world_open("");
	world_ask("good.test");
	CHECK(buf_put(&world.client.side.io.out, SPAN("\x16\3\1\0\5\1\0\0\1x")));
	side_push(&world.client.side);
	world_until_closed();
	CHECK_INT(world.client.heard[0], 0x15);
	CHECK(strstr(world.last_session, "err=tls.hello\n") != NULL);
	world_close();
}

static void
a_client_that_says_nothing_is_let_go(void)
{
	world_open("client { ask-timeout 1s }");
	world_connect();
	world_turn(2);
	CHECK(!side_eof(&world.client.side));
	clock_fake(clock_now() + 1100, clock_wall_ms());
	world_turn(4);
	clock_real();
	world_until_closed();
	CHECK(strstr(world.last_session, "err=gate.client-slow\n") != NULL);
	CHECK(strstr(world.last_session, "ended_in=ask\n") != NULL);
	world_close();
}

static void
our_own_port_is_refused(void)
{
	world_open("");
	world_connect();
	world_say(&world.client,
		"CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n");
	world_until("HTTP/1.1 200");
	world_shake("");
	world_say(&world.client,
		"GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\nAccept: text/plain\r\n\r\n");
	world_until("HTTP/1.1 403");
	world_until_closed();
	CHECK(strstr(world.last_session, "err=gate.self\n") ||
		strstr(world.last_session, "err=net.forbidden\n"));
	world_close();
}

TESTS(an_inspected_request_goes_through,
	a_bypassed_client_sees_the_origins_own_certificate,
	a_blocked_name_gets_a_page_and_no_origin,
	an_origin_for_another_name_is_refused_with_a_page,
	an_untrusted_origin_may_be_allowed_and_keeps_its_wrong_name,
	bytes_that_are_not_tls_end_it, bytes_that_are_not_tls_may_be_tunnelled,
	a_malformed_hello_gets_an_alert, a_client_that_says_nothing_is_let_go,
	our_own_port_is_refused)

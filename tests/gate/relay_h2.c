// SPDX-License-Identifier: Apache-2.0
/* A client and an origin that both speak HTTP/2, and a gateway between them. */
#include "gate/relay_h2.h"

#include "base/read.h"
#include "tests/gate/world_h2.h"

static void
streams_are_answered_in_any_order(void)
{
	open_h2("", "good.test");
	struct h2_stream *first = ask(0, here(), "/1", BODY_NONE);
	struct h2_stream *second = ask(1, here(), "/2", BODY_NONE);
	struct h2_stream *far = meet("/1");
	answer(meet("/2"), 202, "two");
	CHECK_INT(status_of(second), 202);
	answer(far, 201, "one");
	CHECK_INT(status_of(first), 201);
	CHECK_INT(world.origins, 1);
	close_h2();
}

static void
one_stream_is_blocked_and_others_are_not(void)
{
	open_h2("rule no when http.request.uri.path == \"/no\" do block \"never\"",
		"good.test");
	struct h2_stream *no = ask(0, here(), "/no", BODY_NONE);
	struct h2_stream *yes = ask(1, here(), "/yes", BODY_NONE);
	CHECK_INT(status_of(no), 403);
	answer(meet("/yes"), 200, "ok");
	CHECK_INT(status_of(yes), 200);
	close_h2();
}

static void
another_host_is_misdirected(void)
{
	open_h2("", "good.test");
	CHECK_INT(status_of(ask(0, "other.test", "/", BODY_NONE)), 421);
	CHECK(h2_ready(&origin) == NULL);
	close_h2();
}

static void
connect_in_a_stream_is_refused(void)
{
	struct http_head head;
	struct err err = {0};
	open_h2("", "good.test");
	go_on();
	http_request_make(&head, &arena, HTTP_CONNECT, span_str(here()), SPAN(""));
	head.body.kind = BODY_CHUNKED;
	struct h2_stream *x = h2_request(&client, &head, &users[0], &err);
	CHECK_OK(x != NULL, &err);
	go_on();
	struct http_head *got;
	struct span body;
	CHECK_INT(h2_step(x, &got, &body, &err), H2_HEAD);
	CHECK_INT(got->status, 405);
	close_h2();
}

static void
reset_codes_are_mirrored(void)
{
	open_h2("", "good.test");
	struct h2_stream *x = ask(0, here(), "/", BODY_NONE);
	h2_reset(meet("/"), H2_ENHANCE_YOUR_CALM);
	go_on();
	check_reset(x, H2_ENHANCE_YOUR_CALM);
	close_h2();
}

static void
a_client_that_leaves_is_told_to_the_origin(void)
{
	struct http_head *head;
	struct span body;
	struct err err = {0};
	open_h2("", "good.test");
	struct h2_stream *x = ask(0, here(), "/", BODY_CHUNKED);
	struct h2_stream *far = meet("/");
	h2_release(x);
	go_on();
	CHECK(h2_ready(&origin) == far);
	CHECK_INT(h2_step(far, &head, &body, &err), H2_FAILED);
	CHECK_INT(far->reset_code, H2_CANCEL);
	h2_release(far);
	close_h2();
}

static void
a_goaway_of_the_origin_is_mirrored(void)
{
	open_h2("", "good.test");
	struct h2_stream *x = ask(0, here(), "/", BODY_NONE);
	struct h2_stream *far = meet("/");
	h2_drain(&origin);
	h2_drain(&origin);
	go_on();
	CHECK(client.goaway_seen && !h2_can_open(&client));
	answer(far, 200, "last");
	CHECK_INT(status_of(x), 200);
	world_until_closed();
	close_h2();
}

static void
an_origin_that_breaks_off_is_told_with_its_event(void)
{
	open_h2("", "good.test");
	struct h2_stream *x = ask(0, here(), "/gone", BODY_NONE);
	(void)meet("/gone");
	world.origin.h2 = NULL;
	side_close(&world.origin.side, true);
	for (int i = 0; i < 100; i++) {
		world_hear(&world.client);
		world_turn(1);
	}
	CHECK_INT(status_of(x), 502);
	close_h2();
	CHECK(strstr(world.last_request, "path=/gone\n") != NULL);
	CHECK(strstr(world.last_request, "client_http=HTTP/2\n") != NULL);
}

static void
a_page_for_everything_ends_the_connection_politely(void)
{
	open_h2("rule all when http.request.host == \"good.test\" do block \"shut\"",
		"good.test");
	struct h2_stream *x = ask(0, here(), "/", BODY_NONE);
	CHECK_INT(status_of(x), 403);
	close_h2();
}

/* Nothing can be said to it any more, so nothing that waits to be said holds it. */
static void
a_client_gone_without_a_word_is_let_go_at_once(void)
{
	open_h2("", "good.test");
	struct h2_stream *x = ask(0, here(), "/", BODY_NONE);
	answer(meet("/"), 200, "whole");
	CHECK_INT(status_of(x), 200);
	io_shut(&world.client.side.io); /* and no close_notify before */
	for (int i = 0; i < 100 && world.session_events == 0; i++)
		world_turn(1);
	CHECK_INT(world.session_events, 1);
	close_h2();
}

/* RFC 8441 §3: what the origin has said by then stands in our first SETTINGS already.
 */
static void
extended_connect_is_offered_from_the_beginning(void)
{
	origin_takes_connect = true;
	open_h2("", "good.test");
	origin_takes_connect = false;
	world.client.h2 = NULL; /* what comes is looked at as it is */
	go_on();
	const struct span heard =
		span_of((uint8_t *)world.client.heard, world.client.n_heard);
	struct read r = read_from(heard);
	uint32_t n = read_be(&r, 3);
	CHECK_INT(read_be(&r, 1), 4); /* SETTINGS */
	read_bytes(&r, 5);
	struct read entries = read_from(read_bytes(&r, n));
	bool offered = false;
	while (read_more(&entries)) {
		bool connect = read_be(&entries, 2) == 8;
		offered |= read_be(&entries, 4) == 1 && connect;
	}
	CHECK(read_done(&entries) && offered);
	close_h2();
}

TESTS(extended_connect_is_offered_from_the_beginning,
	a_client_gone_without_a_word_is_let_go_at_once,
	streams_are_answered_in_any_order, one_stream_is_blocked_and_others_are_not,
	another_host_is_misdirected, connect_in_a_stream_is_refused,
	reset_codes_are_mirrored, a_client_that_leaves_is_told_to_the_origin,
	a_goaway_of_the_origin_is_mirrored,
	an_origin_that_breaks_off_is_told_with_its_event,
	a_page_for_everything_ends_the_connection_politely)

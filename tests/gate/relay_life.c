// SPDX-License-Identifier: Apache-2.0
/*
 * How connections of HTTP/2 live: pings, patience, goodbyes; and what is passed on that
 * is neither head nor body.
 */
#include "gate/relay_h2.h"

#include "tests/gate/world_h2.h"

/* Time passes; then everything that is due is done. */
static void
pass_ms(uint64_t ms)
{
	clock_fake(clock_now() + ms, clock_wall_ms());
	go_on();
}

static void
stop_clock(void)
{
	clock_fake(clock_now(), clock_wall_ms());
}

/* RFC 9218: as a field of the request, and as a frame behind it. */
static void
a_priority_is_passed_on(void)
{
	struct http_head head;
	struct err err = {0};
	open_h2("", "good.test");
	go_on();
	http_request_make(&head, &arena, HTTP_GET, span_str(here()), SPAN("/"));
	CHECK_OK(http_add(&head.fields, SPAN("priority"), SPAN("u=5"), &err), &err);
	struct h2_stream *x = h2_request(&client, &head, &users[0], &err);
	CHECK_OK(x != NULL, &err);
	go_on();
	struct h2_stream *far = meet("/");
	CHECK(span_eq(http_get(&far->head.fields, SPAN("priority")), SPAN("u=5")));
	CHECK(span_copy(x->priority, sizeof(x->priority), SPAN("u=1, i")));
	h2_pass_priority(x, x); /* as if the browser had sent it */
	go_on();
	CHECK_STR(far->priority, "u=1, i");
	answer(far, 200, "ok");
	CHECK_INT(status_of(x), 200);
	close_h2();
}

/* Nothing comes for longer than connections may be silent; the peers answer pings. */
static void
a_long_poll_is_waited_for(void)
{
	stop_clock();
	open_h2("", "good.test");
	struct h2_stream *x = ask(0, here(), "/poll", BODY_NONE);
	struct h2_stream *far = meet("/poll");
	for (int i = 0; i < 9; i++)
		pass_ms(31000);
	answer(far, 200, "at last");
	CHECK_INT(status_of(x), 200);
	close_h2();
	clock_real();
}

static void
a_client_that_answers_no_ping_is_given_up(void)
{
	stop_clock();
	open_h2("", "good.test");
	(void)ask(0, here(), "/poll", BODY_NONE);
	(void)meet("/poll");
	world.client.h2 = NULL; /* it is still there, and says nothing */
	for (int i = 0; i < 5 && world.session_events == 0; i++)
		pass_ms(31000);
	CHECK_INT(world.session_events, 1);
	CHECK(strstr(world.last_session, "err=gate.client-slow\n") != NULL);
	close_h2();
	clock_real();
}

/* gRPC's servers count a ping within five minutes as an attack. */
static void
an_origin_is_pinged_rarely_and_then_given_up(void)
{
	struct http_head head;
	struct err err = {0};
	stop_clock();
	open_h2("", "good.test");
	(void)ask(0, here(), "/watch", BODY_NONE);
	struct h2_stream *far = meet("/watch");
	http_response_make(&head, &arena, 200);
	head.body.kind = BODY_CHUNKED;
	CHECK_INT(h2_write_head(far, &head, &err), H2_WROTE);
	go_on();
	world.origin.h2 = NULL; /* says nothing, and keeps what it hears */
	world.origin.n_heard = 0;
	for (int i = 0; i < 10; i++)
		pass_ms(31000);
	CHECK_INT(world.origin.n_heard, 0);
	pass_ms(31000);
	pass_ms(31000);
	CHECK_INT(world.origin.n_heard, 9 + 8); /* one ping */
	for (int i = 0; i < 4 && world.session_events == 0; i++)
		pass_ms(31000);
	CHECK_INT(world.session_events, 1);
	close_h2();
	clock_real();
}

static void
an_idle_connection_ends_with_a_goodbye(void)
{
	stop_clock();
	open_h2("client { idle-timeout 1min }", "good.test");
	struct h2_stream *x = ask(0, here(), "/", BODY_NONE);
	answer(meet("/"), 200, "ok");
	CHECK_INT(status_of(x), 200);
	pass_ms(3500); /* rests */
	pass_ms(50000);
	CHECK(!client.goaway_seen);
	pass_ms(10000);
	CHECK(client.goaway_seen);
	CHECK(origin.goaway_seen);
	world_until_closed();
	pass_ms(1000); /* events are told together */
	CHECK_INT(world.session_events, 1);
	CHECK(strstr(world.last_session, "err=") == NULL);
	close_h2();
	clock_real();
}

/* RFC 9113 §6.8: first a warning, then the number of the last stream; what is open goes
 * on, what is asked meanwhile elsewhere. */
static void
a_drain_says_goodbye_and_lets_streams_end(void)
{
	open_h2("", "good.test");
	struct h2_stream *x = ask(0, here(), "/", BODY_NONE);
	struct h2_stream *far = meet("/");
	for (int i = 0; i < 220 && !client.goaway_seen; i++) { /* it may be too young */
		if (i == 0)
			worker_drain(&world.worker);
		go_on();
	}
	CHECK(client.goaway_seen && !h2_can_open(&client));
	answer(far, 200, "last");
	CHECK_INT(status_of(x), 200);
	world_until_closed();
	close_h2();
}

static void
interim_heads_are_passed_on(void)
{
	struct http_head hint;
	struct http_head *head;
	struct span body;
	struct err err = {0};
	open_h2("", "good.test");
	struct h2_stream *x = ask(0, here(), "/", BODY_NONE);
	struct h2_stream *far = meet("/");
	for (unsigned status = 102; status <= 103; status++) {
		http_response_make(&hint, &arena, status);
		CHECK_OK(
			http_add(&hint.fields, SPAN("link"), SPAN("</a>"), &err), &err);
		CHECK_INT(h2_write_head(far, &hint, &err), H2_WROTE);
		go_on();
		CHECK_INT(h2_step(x, &head, &body, &err), H2_INFORM);
		CHECK_INT(head->status, status);
		CHECK(span_eq(http_get(&head->fields, SPAN("link")), SPAN("</a>")));
	}
	answer(far, 200, "ok");
	CHECK_INT(status_of(x), 200);
	close_h2();
}

/* RFC 9113 §8.1: an end of one side is not the end of the other. */
static void
who_has_said_all_still_hears(void)
{
	struct http_head *head;
	struct http_head made;
	struct span body;
	struct err err = {0};
	open_h2("", "good.test");
	struct h2_stream *x = ask(0, here(), "/chat", BODY_CHUNKED);
	struct h2_stream *far = meet("/chat");
	http_response_make(&made, &arena, 200);
	made.body.kind = BODY_CHUNKED;
	CHECK_INT(h2_write_head(far, &made, &err), H2_WROTE);
	CHECK_INT(h2_write_body(x, SPAN("bye")), 3);
	CHECK_INT(h2_write_end(x, NULL, &err), H2_WROTE);
	go_on();
	CHECK_INT(h2_step(far, &head, &body, &err), H2_BODY);
	CHECK(span_eq(body, SPAN("bye")));
	h2_took(far, body.n);
	CHECK_INT(h2_step(far, &head, &body, &err), H2_END);
	for (int i = 0; i < 3; i++) {
		CHECK_INT(h2_write_body(far, SPAN("more")), 4);
		go_on();
	}
	CHECK_INT(h2_write_end(far, NULL, &err), H2_WROTE);
	h2_release(far);
	go_on();
	CHECK_INT(h2_step(x, &head, &body, &err), H2_HEAD);
	CHECK_INT(h2_step(x, &head, &body, &err), H2_BODY);
	CHECK(span_eq(body, SPAN("moremoremore")));
	h2_took(x, body.n);
	CHECK_INT(h2_step(x, &head, &body, &err), H2_END);
	h2_release(x);
	close_h2();
}

/* RFC 9113 §5.1.2: those over the origin's limit wait, and are not refused. */
static void
streams_wait_for_an_origin_of_few(void)
{
	origin_streams = 2;
	open_h2("", "good.test");
	origin_streams = 0;
	struct h2_stream *x[5];
	static const char *const paths[] = {"/0", "/1", "/2", "/3", "/4"};
	go_on();
	for (size_t i = 0; i < 5; i++)
		x[i] = ask(i, here(), paths[i], BODY_NONE);
	struct h2_stream *far[2] = {meet(paths[0]), meet(paths[1])};
	CHECK(h2_ready(&origin) == NULL);
	for (size_t i = 0; i < 5; i++) {
		answer(far[i % 2], 200, "ok");
		CHECK_INT(status_of(x[i]), 200);
		if (i + 2 < 5)
			far[i % 2] = meet(paths[i + 2]);
	}
	close_h2();
}

TESTS(a_priority_is_passed_on, interim_heads_are_passed_on,
	who_has_said_all_still_hears, streams_wait_for_an_origin_of_few,
	a_drain_says_goodbye_and_lets_streams_end, a_long_poll_is_waited_for,
	a_client_that_answers_no_ping_is_given_up,
	an_origin_is_pinged_rarely_and_then_given_up,
	an_idle_connection_ends_with_a_goodbye)

// SPDX-License-Identifier: Apache-2.0
#include "http/h2.h"

#include "base/clock.h"
#include "base/mem.h"
#include "tests/http/h2_pair.h"

static const struct http_body none;
static const struct http_body chunked = {BODY_CHUNKED, 0};

static struct http_body
length(uint64_t n)
{
	return (struct http_body){BODY_LENGTH, n};
}

static void
a_request_and_its_response_cross(void)
{
	struct h2_pair p;
	struct h2_user user;
	struct http_head *head;
	struct span body;
	struct err err = {0};

	h2_pair_open(&p);
	struct h2_stream *c = h2_pair_ask(&p, &user, HTTP_POST, "/x?y", length(3));
	CHECK_INT(h2_write_body(c, SPAN("abc")), 3);
	CHECK_INT(h2_write_end(c, NULL, &err), H2_WROTE);
	h2_pair_run(&p);

	struct h2_stream *s = h2_ready(&p.server);
	CHECK(s && !s->user);
	CHECK_INT(h2_pair_step(s, &head, &body), H2_HEAD);
	CHECK_SPAN(head->method_name, "POST");
	CHECK_SPAN(head->authority, "a.example");
	CHECK_SPAN(head->scheme, "https");
	CHECK_SPAN(head->path, "/x?y");
	CHECK_INT(head->version, HTTP_2);
	CHECK(head->body.kind == BODY_LENGTH && head->body.length == 3);
	CHECK_INT(h2_pair_step(s, &head, &body), H2_BODY);
	CHECK_SPAN(body, "abc");
	h2_took(s, 3);
	CHECK_INT(h2_pair_step(s, &head, &body), H2_END);
	CHECK_INT(h2_pair_step(s, &head, &body), H2_END);

	CHECK_INT(h2_pair_answer(&p, s, 200, chunked), H2_WROTE);
	CHECK_INT(h2_write_body(s, SPAN("hello")), 5);
	CHECK_INT(h2_write_end(s, NULL, &err), H2_WROTE);
	h2_release(s);
	h2_pair_run(&p);
	CHECK(h2_ready(&p.client) == c);
	CHECK_INT(h2_pair_step(c, &head, &body), H2_HEAD);
	CHECK_INT(head->status, 200);
	CHECK_INT(h2_pair_step(c, &head, &body), H2_BODY);
	CHECK_SPAN(body, "hello");
	h2_took(c, 5);
	CHECK_INT(h2_pair_step(c, &head, &body), H2_END);
	h2_release(c);
	h2_pair_run(&p);
	CHECK_INT(h2_open_streams(&p.client) + h2_open_streams(&p.server), 0);
	CHECK(!p.client_over && !p.server_over);
	h2_pair_close(&p);
}

static void
trailers_and_interim_heads_cross(void)
{
	static struct h2_pair p;
	struct h2_user user;
	struct http_head *head;
	struct span body;
	struct http_head made;
	struct err err = {0};

	h2_pair_open(&p);
	struct h2_stream *c = h2_pair_ask(&p, &user, HTTP_GET, "/", none);
	h2_pair_run(&p);
	struct h2_stream *s = h2_pair_meet(&p);
	CHECK_INT(h2_pair_step(s, &head, &body), H2_END);
	CHECK_INT(h2_pair_answer(&p, s, 103, none), H2_WROTE);
	CHECK_INT(h2_pair_answer(&p, s, 100, none), H2_WROTE);
	CHECK_INT(h2_pair_answer(&p, s, 200, chunked), H2_WROTE);
	http_head_init(&made, &p.a);
	CHECK_OK(http_add(&made.trailers, SPAN("grpc-status"), SPAN("0"), &err), &err);
	CHECK_OK(http_add(&made.trailers, SPAN("Cookie"), SPAN("no"), &err), &err);
	CHECK_INT(h2_write_end(s, &made.trailers, &err), H2_WROTE);
	h2_pair_run(&p);

	CHECK_INT(h2_pair_step(c, &head, &body), H2_INFORM);
	CHECK_INT(head->status, 103);
	CHECK_INT(h2_pair_step(c, &head, &body), H2_INFORM);
	CHECK_INT(head->status, 100);
	CHECK_INT(h2_pair_step(c, &head, &body), H2_HEAD);
	CHECK_INT(head->status, 200);
	CHECK_INT(h2_pair_step(c, &head, &body), H2_TRAILERS);
	CHECK_INT(head->trailers.n, 1);
	CHECK_SPAN(http_get(&head->trailers, SPAN("grpc-status")), "0");
	CHECK_INT(h2_pair_step(c, &head, &body), H2_END);
	h2_release(c);
	h2_release(s);
	h2_pair_run(&p);
	CHECK(!p.client_over && !p.server_over);
	h2_pair_close(&p);
}

/* gRPC's errors: a head that ends its stream; and trailers with nothing allowed in. */
static void
a_head_alone_may_be_everything(void)
{
	struct h2_pair p;
	struct h2_user users[2];
	struct http_head *head;
	struct http_head made;
	struct span body;
	struct err err = {0};

	h2_pair_open(&p);
	struct h2_stream *c = h2_pair_ask(&p, &users[0], HTTP_GET, "/", none);
	h2_pair_run(&p);
	struct h2_stream *s = h2_pair_meet(&p);
	CHECK_INT(h2_pair_answer(&p, s, 200, none), H2_WROTE);
	CHECK_INT(h2_write_end(s, NULL, &err), H2_WROTE);
	h2_release(s);
	h2_pair_run(&p);
	CHECK_INT(h2_pair_step(c, &head, &body), H2_HEAD);
	CHECK(head->body.kind == BODY_LENGTH && head->body.length == 0);
	CHECK_INT(h2_pair_step(c, &head, &body), H2_END);
	h2_release(c);

	c = h2_pair_ask(&p, &users[1], HTTP_GET, "/", none);
	h2_pair_run(&p);
	s = h2_pair_meet(&p);
	CHECK_INT(h2_pair_answer(&p, s, 200, chunked), H2_WROTE);
	http_head_init(&made, &p.a);
	CHECK_OK(http_add(&made.trailers, SPAN("host"), SPAN("no"), &err), &err);
	CHECK_INT(h2_write_end(s, &made.trailers, &err), H2_WROTE);
	h2_pair_run(&p);
	CHECK_INT(h2_pair_step(c, &head, &body), H2_HEAD);
	CHECK_INT(h2_pair_step(c, &head, &body), H2_END);
	CHECK(!p.client_over && !p.server_over);
	h2_pair_close(&p);
}

/* RFC 9113 §5.1.2 */
static void
one_request_goes_before_the_server_has_said_how_many(void)
{
	struct h2_pair p;
	struct h2_user user;

	h2_pair_open(&p);
	CHECK_INT(h2_room(&p.client), 1);
	(void)h2_pair_ask(&p, &user, HTTP_GET, "/", none);
	CHECK_INT(h2_room(&p.client), 0);
	h2_pair_run(&p);
	CHECK_INT(h2_room(&p.client), p.server.config.streams - 1);
	h2_pair_close(&p);
}

/* Writes as much of a long body as goes, again and again, while the other side takes.
 */
static void
a_window_opens_only_as_the_reader_takes(void)
{
	struct h2_pair p;
	struct h2_user user;
	struct http_head *head;
	struct span body;
	uint8_t *big = mem_alloc(1 << 20);

	h2_pair_open(&p);
	struct h2_stream *c = h2_pair_ask(&p, &user, HTTP_POST, "/", chunked);
	h2_pair_run(&p);
	struct h2_stream *s = h2_pair_meet(&p);
	size_t sent = 0;
	for (unsigned i = 0; i < 100; i++) {
		sent += h2_write_body(c, span_of(big, 1 << 20));
		h2_pair_run(&p);
	}
	CHECK_INT(sent, p.server.config.window);
	CHECK_INT(buf_len(&s->body), sent);
	(void)h2_ready(&p.client); /* news of before */
	CHECK(h2_ready(&p.client) == NULL);

	CHECK_INT(h2_pair_step(s, &head, &body), H2_BODY);
	h2_took(s, body.n);
	h2_pair_run(&p);
	CHECK(h2_ready(&p.client) == c);
	CHECK(h2_write_body(c, span_of(big, 1 << 20)) > 0);
	mem_free(big);
	h2_pair_close(&p);
}

static void
a_fast_reader_gets_a_larger_window_and_no_more_than_the_budget(void)
{
	struct h2_config client;
	struct h2_config server;
	struct h2_pair p;
	struct h2_user user;
	struct http_head *head;
	struct span body;
	uint8_t *big = mem_alloc(1 << 16);

	h2_config_init(&client, H2_CLIENT);
	h2_config_init(&server, H2_SERVER);
	server.budget = 300 * 1024;
	h2_pair_open_with(&p, &client, &server);
	struct h2_stream *c = h2_pair_ask(&p, &user, HTTP_POST, "/", chunked);
	h2_pair_run(&p);
	struct h2_stream *s = h2_pair_meet(&p);
	uint32_t window = s->window;
	for (unsigned i = 0; i < 200; i++) {
		(void)h2_write_body(c, span_of(big, 1 << 16));
		h2_pair_run(&p);
		while (h2_pair_step(s, &head, &body) == H2_BODY)
			h2_took(s, body.n);
		h2_pair_run(&p);
		(void)h2_ready(&p.client);
	}
	CHECK_INT(window, 64 * 1024);
	CHECK_INT(s->window, 256 * 1024);
	CHECK_INT(p.server.promised, 256 * 1024);
	CHECK(!p.client_over && !p.server_over);
	mem_free(big);
	h2_pair_close(&p);
}

static void
one_stalled_stream_stops_no_other(void)
{
	struct h2_pair p;
	struct h2_user users[2];
	uint8_t *big = mem_alloc(1 << 20);

	h2_pair_open(&p);
	struct h2_stream *stalled =
		h2_pair_ask(&p, &users[0], HTTP_POST, "/1", chunked);
	h2_pair_run(&p);
	struct h2_stream *other = h2_pair_ask(&p, &users[1], HTTP_POST, "/2", chunked);
	h2_pair_run(&p);
	struct h2_stream *s1 = h2_pair_meet(&p);
	struct h2_stream *s2 = h2_pair_meet(&p);
	for (unsigned i = 0; i < 100; i++) {
		(void)h2_write_body(stalled, span_of(big, 1 << 20));
		h2_pair_run(&p);
	}
	CHECK_INT(buf_len(&s1->body), p.server.config.window);
	CHECK_INT(h2_write_body(other, SPAN("hello")), 5);
	h2_pair_run(&p);
	CHECK_SPAN(buf_peek(&s2->body), "hello");
	mem_free(big);
	h2_pair_close(&p);
}

static void
a_client_that_leaves_is_news_for_the_server(void)
{
	struct h2_pair p;
	struct h2_user user;
	struct http_head *head;
	struct span body;
	struct err err = {0};

	h2_pair_open(&p);
	struct h2_stream *c = h2_pair_ask(&p, &user, HTTP_GET, "/", none);
	h2_pair_run(&p);
	struct h2_stream *s = h2_pair_meet(&p);
	CHECK_INT(h2_pair_answer(&p, s, 200, chunked), H2_WROTE);
	CHECK_INT(h2_write_body(s, SPAN("hello")), 5);
	h2_release(c);
	h2_pair_run(&p);
	CHECK(h2_ready(&p.server) == s);
	CHECK_INT(h2_step(s, &head, &body, &err), H2_FAILED);
	CHECK_INT(err.code, ERR_H2_RESET);
	CHECK_INT(s->reset_code, H2_CANCEL);
	CHECK_INT(h2_write_body(s, SPAN("more")), 0);
	CHECK_INT(h2_write_end(s, NULL, &err), H2_REFUSED);
	h2_release(s);
	h2_pair_close(&p);
}

static void
an_origin_that_breaks_off_is_told_after_what_it_sent(void)
{
	struct h2_pair p;
	struct h2_user user;
	struct http_head *head;
	struct span body;
	struct err err = {0};

	h2_pair_open(&p);
	struct h2_stream *c = h2_pair_ask(&p, &user, HTTP_GET, "/", none);
	h2_pair_run(&p);
	struct h2_stream *s = h2_pair_meet(&p);
	CHECK_INT(h2_pair_answer(&p, s, 200, chunked), H2_WROTE);
	CHECK_INT(h2_write_body(s, SPAN("hello")), 5);
	h2_pair_run(&p);
	h2_reset(s, H2_HTTP_1_1_REQUIRED);
	h2_pair_run(&p);
	CHECK_INT(h2_step(c, &head, &body, &err), H2_HEAD);
	CHECK_INT(h2_step(c, &head, &body, &err), H2_BODY);
	h2_took(c, 5);
	CHECK_INT(h2_step(c, &head, &body, &err), H2_FAILED);
	CHECK_INT(err.code, ERR_H2_NEEDS_H1);
	h2_release(c);
	h2_release(s);
	h2_pair_close(&p);
}

/* RFC 9113 §8.1: the answer first, then the upload is called off without blame. */
static void
an_early_answer_arrives_whole(void)
{
	struct h2_pair p;
	struct h2_user user;
	struct http_head *head;
	struct span body;
	struct err err = {0};

	h2_pair_open(&p);
	struct h2_stream *c = h2_pair_ask(&p, &user, HTTP_POST, "/", chunked);
	CHECK_INT(h2_write_body(c, SPAN("some")), 4);
	h2_pair_run(&p);
	struct h2_stream *s = h2_pair_meet(&p);
	CHECK_INT(h2_pair_answer(&p, s, 413, length(2)), H2_WROTE);
	CHECK_INT(h2_write_body(s, SPAN("no")), 2);
	CHECK_INT(h2_write_end(s, NULL, &err), H2_WROTE);
	h2_release(s);
	h2_pair_run(&p);
	CHECK_INT(h2_step(c, &head, &body, &err), H2_HEAD);
	CHECK_INT(h2_step(c, &head, &body, &err), H2_BODY);
	h2_took(c, 2);
	CHECK_INT(h2_step(c, &head, &body, &err), H2_END);
	CHECK_INT(c->reset_code, H2_NO_ERROR);
	CHECK(c->closed);
	h2_release(c);
	CHECK_INT(h2_open_streams(&p.server), 0);
	CHECK_INT(p.server.calm.resets, 300);
	h2_pair_close(&p);
}

static void
extended_connect_is_a_tunnel(void)
{
	struct h2_pair p;
	struct h2_user user;
	struct http_head *head;
	struct http_head made;
	struct span body;
	struct err err = {0};

	h2_pair_open(&p);
	http_request_make(&made, &p.a, HTTP_CONNECT, SPAN("a.example"), SPAN("/chat"));
	made.protocol = SPAN("websocket");
	made.body = chunked;
	CHECK(h2_request(&p.client, &made, &user, &err) == NULL); /* not known yet */
	CHECK_INT(err.code, ERR_HTTP_UNWRITABLE);
	h2_pair_run(&p);
	CHECK(h2_takes_connect_protocol(&p.client));
	struct h2_stream *c = h2_request(&p.client, &made, &user, &err);
	CHECK_OK(c != NULL, &err);
	h2_pair_run(&p);
	struct h2_stream *s = h2_ready(&p.server);
	CHECK_INT(h2_pair_step(s, &head, &body), H2_HEAD);
	CHECK_INT(head->method, HTTP_CONNECT);
	CHECK_SPAN(head->protocol, "websocket");
	CHECK_SPAN(head->path, "/chat");
	CHECK_INT(h2_pair_answer(&p, s, 200, chunked), H2_WROTE);
	CHECK_INT(h2_write_body(s, SPAN("\x81")), 1);
	CHECK_INT(h2_write_body(c, SPAN("\x82")), 1);
	h2_pair_run(&p);
	CHECK_INT(h2_pair_step(s, &head, &body), H2_BODY);
	CHECK_SPAN(body, "\x82");
	CHECK_INT(h2_pair_step(c, &head, &body), H2_HEAD);
	CHECK_INT(head->body.kind, BODY_CHUNKED);
	CHECK_INT(h2_pair_step(c, &head, &body), H2_BODY);
	CHECK_SPAN(body, "\x81");
	h2_pair_close(&p);
}

static void
draining_lets_what_is_open_end(void)
{
	struct h2_pair p;
	struct h2_user user;
	struct http_head *head;
	struct span body;
	struct err err = {0};

	h2_pair_open(&p);
	struct h2_stream *c = h2_pair_ask(&p, &user, HTTP_GET, "/", none);
	h2_pair_run(&p);
	struct h2_stream *s = h2_pair_meet(&p);
	h2_drain(&p.server);
	h2_pair_run(&p);
	h2_drain(&p.server);
	h2_pair_run(&p);
	CHECK(p.client.goaway_seen && !h2_can_open(&p.client));
	CHECK(!h2_drained(&p.server));
	CHECK_INT(h2_pair_answer(&p, s, 200, none), H2_WROTE);
	CHECK_INT(h2_write_end(s, NULL, &err), H2_WROTE);
	h2_release(s);
	h2_pair_run(&p);
	CHECK_INT(h2_pair_step(c, &head, &body), H2_HEAD);
	CHECK_INT(h2_pair_step(c, &head, &body), H2_END);
	h2_release(c);
	CHECK(h2_drained(&p.server));
	CHECK(p.client_over && p.client_err.code == ERR_H2_CLOSED);
	h2_pair_close(&p);
}

static void
pings_are_answered_or_missed(void)
{
	struct h2_pair p;

	clock_fake(1000, 0);
	h2_pair_open(&p);
	CHECK(h2_ping(&p.client, 5000));
	h2_pair_run(&p);
	CHECK_INT(p.client.pinged, 0);
	CHECK(h2_ping(&p.client, 5000));
	clock_fake(6000, 0);
	CHECK(h2_ping(&p.client, 5000));
	clock_fake(6100, 0);
	CHECK(!h2_ping(&p.client, 5000));
	clock_real();
	h2_pair_close(&p);
}

static void
an_end_of_the_wire_fails_what_is_open(void)
{
	struct h2_pair p;
	struct h2_user user;
	struct http_head *head;
	struct span body;
	struct err err = {0};

	h2_pair_open(&p);
	struct h2_stream *c = h2_pair_ask(&p, &user, HTTP_GET, "/", none);
	h2_pair_run(&p);
	h2_eof(&p.client);
	CHECK(h2_ready(&p.client) == c);
	CHECK_INT(h2_step(c, &head, &body, &err), H2_FAILED);
	CHECK_INT(err.code, ERR_H2_CLOSED);
	h2_release(c);
	CHECK(!h2_can_open(&p.client));
	h2_pair_close(&p);
}

static void
a_head_that_is_too_large_can_be_answered(void)
{
	struct h2_config client;
	struct h2_config server;
	struct h2_pair p;
	struct h2_user user;
	struct http_head made;
	struct http_head *head;
	struct span body;
	struct err err = {0};

	h2_config_init(&client, H2_CLIENT);
	h2_config_init(&server, H2_SERVER);
	server.limits.fields = 3;
	h2_pair_open_with(&p, &client, &server);
	http_request_make(&made, &p.a, HTTP_GET, SPAN("a.example"), SPAN("/"));
	for (unsigned i = 0; i < 5; i++)
		CHECK_OK(http_add(&made.fields, SPAN("x"), SPAN("y"), &err), &err);
	struct h2_stream *c = h2_request(&p.client, &made, &user, &err);
	h2_pair_run(&p);
	struct h2_stream *s = h2_ready(&p.server);
	CHECK_INT(h2_step(s, &head, &body, &err), H2_FAILED);
	CHECK_INT(http_error_status(err.code), 431);
	CHECK_INT(h2_pair_answer(&p, s, 431, none), H2_WROTE);
	h2_release(s);
	h2_pair_run(&p);
	CHECK_INT(h2_pair_step(c, &head, &body), H2_HEAD);
	CHECK_INT(head->status, 431);
	CHECK(!p.server_over);
	h2_pair_close(&p);
}

static void
priorities_are_passed_on(void)
{
	struct h2_pair p;
	struct h2_pair q;
	struct h2_user users[2];

	h2_pair_open(&p);
	h2_pair_open(&q);
	struct h2_stream *c = h2_pair_ask(&p, &users[0], HTTP_GET, "/", none);
	struct h2_stream *far = h2_pair_ask(&q, &users[1], HTTP_GET, "/", none);
	h2_pair_run(&p);
	h2_pair_run(&q);
	struct h2_stream *s = h2_pair_meet(&p);
	CHECK(span_copy(c->priority, sizeof(c->priority), SPAN("u=1")));
	h2_pass_priority(c, c); /* as if the browser had sent it */
	h2_pair_run(&p);
	CHECK_STR(s->priority, "u=1");
	h2_pass_priority(s, far);
	CHECK_STR(s->priority, "");
	h2_pair_run(&q);
	CHECK_STR(h2_pair_meet(&q)->priority, "u=1");
	h2_pair_close(&p);
	h2_pair_close(&q);
}

TESTS(one_request_goes_before_the_server_has_said_how_many,
	a_request_and_its_response_cross, trailers_and_interim_heads_cross,
	a_head_alone_may_be_everything, a_window_opens_only_as_the_reader_takes,
	a_fast_reader_gets_a_larger_window_and_no_more_than_the_budget,
	one_stalled_stream_stops_no_other, a_client_that_leaves_is_news_for_the_server,
	an_origin_that_breaks_off_is_told_after_what_it_sent,
	an_early_answer_arrives_whole, extended_connect_is_a_tunnel,
	draining_lets_what_is_open_end, pings_are_answered_or_missed,
	an_end_of_the_wire_fails_what_is_open, a_head_that_is_too_large_can_be_answered,
	priorities_are_passed_on)

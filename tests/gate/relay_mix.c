// SPDX-License-Identifier: Apache-2.0
/* A client and an origin that speak different versions of HTTP. */
#include "gate/relay_h2.h"

#include "gate/versions.h"
#include "tests/gate/world.h"
#include "tls/sha1.h"

static struct h2 client;
static bool client_open;
static struct h2 origin;
static bool origin_open;
static bool origin_refuses_connect;
static struct h2_user users[4];
static struct arena arena;

static void
greet_origin(struct side *side)
{
	struct h2_config config;
	h2_config_init(&config, H2_SERVER);
	if (origin_open)
		h2_fini(&origin);
	origin_open = world.alpn.n > 0;
	world.origin.h2 = NULL;
	if (!origin_open)
		return;
	config.connect_protocol = !origin_refuses_connect;
	h2_init(&origin, &config, side_out(side));
	world.origin.h2 = &origin;
}

/* The client offers this; what the origin speaks is world.alpn. */
static void
open_mixed(const char *words, const char *lines, struct span offers, struct span speaks)
{
	struct h2_config config;
	world.upstream_words = words;
	world_open(lines);
	arena_init(&arena, 1024 * 1024);
	world.client_alpn = offers;
	world.alpn = speaks;
	world.greeted = greet_origin;
	world_ask("good.test");
	world_shake("good.test");
	CHECK_INT(tls_state(world.client.side.tls), TLS_OPEN);
	client_open = span_starts(offers, SPAN("\x02h2"));
	if (!client_open)
		return;
	h2_config_init(&config, H2_CLIENT);
	h2_init(&client, &config, side_out(&world.client.side));
	world.client.h2 = &client;
}

static void
open_h2_to_h1(const char *lines)
{
	open_mixed("http 1.1", lines, SPAN("\x02h2\x08http/1.1"), (struct span){0});
}

static void
open_h1_to_h2(const char *lines)
{
	open_mixed("http any", lines, SPAN("\x08http/1.1"), SPAN("h2"));
}

static void
close_mixed(void)
{
	world.origin.h2 = NULL;
	world.client.h2 = NULL;
	world_close();
	if (client_open)
		h2_fini(&client);
	if (origin_open)
		h2_fini(&origin);
	client_open = origin_open = false;
	arena_fini(&arena);
}

static void
go_on(void)
{
	for (int i = 0; i < 30; i++) {
		world_hear(&world.client);
		if (world.origin.side.tls)
			world_hear(&world.origin);
		world_turn(1);
	}
}

static struct span
here(void)
{
	return arena_format(&arena, "good.test:%u", world.origin_addr.port);
}

static struct h2_stream *
begin(struct http_head *head, int i)
{
	struct err err = {0};
	struct h2_stream *x = h2_request(&client, head, &users[i], &err);
	CHECK_OK(x != NULL, &err);
	go_on();
	return x;
}

static struct h2_stream *
ask(int i, enum http_method method, const char *path)
{
	struct http_head head;
	http_request_make(&head, &arena, method, here(), span_str(path));
	return begin(&head, i);
}

/* What came to the client on its stream: status, body and one trailer. */
struct heard {
	unsigned status;
	char body[256];
	struct span trailer;
	enum h2_step last;
};

static struct heard
heard_on(struct h2_stream *x)
{
	struct heard h = {0};
	struct http_head *head = NULL;
	struct span body;
	struct err err = {0};
	struct text t = text_to(h.body, sizeof(h.body));
	do {
		h.last = h2_step(x, &head, &body, &err);
		if (h.last == H2_HEAD)
			h.status = head->status;
		if (h.last == H2_BODY) {
			text_put(&t, body);
			h2_took(x, body.n);
		}
		if (h.last == H2_TRAILERS)
			h.trailer = http_get(&head->trailers, SPAN("x-sum"));
	} while (h.last != H2_MORE && h.last != H2_END && h.last != H2_FAILED);
	return h;
}

static void
an_answer_of_http1_is_one_of_http2(void)
{
	open_h2_to_h1("");
	struct h2_stream *x = ask(0, HTTP_GET, "/a?b");
	struct heard h = heard_on(x);
	CHECK_INT(h.last, H2_END);
	CHECK_INT(h.status, 200);
	CHECK_STR(h.body, "ok");
	h2_release(x);
	go_on();
	CHECK(strstr(world.last_request, "client_http=HTTP/2\n") != NULL);
	CHECK(strstr(world.last_request, "origin_http=HTTP/1.1\n") != NULL);
	close_mixed();
}

static void
a_request_is_said_as_http1_says_it(void)
{
	struct http_head head;
	struct err err = {0};
	open_h2_to_h1("");
	world.answer = NULL;
	http_request_make(&head, &arena, HTTP_POST, here(), SPAN("/up"));
	head.body.kind = BODY_CHUNKED;
	head.takes_trailers = true;
	CHECK_OK(http_add(&head.fields, SPAN("cookie"), SPAN("a=1"), &err), &err);
	CHECK_OK(http_add(&head.fields, SPAN("cookie"), SPAN("b=2"), &err), &err);
	struct h2_stream *x = begin(&head, 0);
	CHECK_INT(h2_write_body(x, SPAN("12345")), 5);
	CHECK_INT(h2_write_end(x, NULL, &err), H2_WROTE);
	go_on();
	const char *said = world.origin.heard;
	CHECK(strstr(said, "POST /up HTTP/1.1\r\nHost: good.test:") == said);
	CHECK(strstr(said, "\r\ncookie: a=1; b=2\r\n") != NULL);
	CHECK(strstr(said, "\r\nTransfer-Encoding: chunked\r\n") != NULL);
	CHECK(strstr(said, "\r\nTE: trailers\r\n") != NULL);
	CHECK(strstr(said, "\r\n\r\n5\r\n12345\r\n0\r\n\r\n") != NULL);
	h2_release(x);
	close_mixed();
}

static void
trailers_of_http1_reach_the_stream(void)
{
	open_h2_to_h1("");
	world.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		       "3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n";
	struct h2_stream *x = ask(0, HTTP_GET, "/");
	struct heard h = heard_on(x);
	CHECK_INT(h.last, H2_END);
	CHECK_STR(h.body, "abc");
	CHECK(span_eq(h.trailer, SPAN("7")));
	h2_release(x);
	close_mixed();
}

/* RFC 9110 §10.1.1: the body is asked for by the origin, not by us. */
static void
a_stream_that_expects_hears_what_http1_says(void)
{
	struct http_head head;
	struct http_head *got = NULL;
	struct span body;
	struct err err = {0};
	open_h2_to_h1("");
	world.answer = NULL;
	http_request_make(&head, &arena, HTTP_PUT, here(), SPAN("/"));
	CHECK_OK(http_add(&head.fields, SPAN("expect"), SPAN("100-continue"), &err),
		&err);
	head.expects_continue = true;
	head.body = (struct http_body){BODY_LENGTH, 3};
	struct h2_stream *x = begin(&head, 0);
	CHECK(strstr(world.origin.heard, "expect: 100-continue\r\n") != NULL);
	world_say(&world.origin,
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: "
		"</a>\r\n\r\n");
	go_on();
	CHECK_INT(h2_step(x, &got, &body, &err), H2_INFORM);
	CHECK_INT(got->status, 100);
	CHECK_INT(h2_step(x, &got, &body, &err), H2_INFORM);
	CHECK_INT(got->status, 103);
	CHECK(span_eq(http_get(&got->fields, SPAN("link")), SPAN("</a>")));
	CHECK_INT(h2_write_body(x, SPAN("abc")), 3);
	CHECK_INT(h2_write_end(x, NULL, &err), H2_WROTE);
	go_on();
	CHECK(strstr(world.origin.heard, "\r\n\r\nabc") != NULL);
	world_say(&world.origin, "HTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n");
	go_on();
	CHECK_INT(heard_on(x).status, 201);
	h2_release(x);
	close_mixed();
}

static void
answers_without_a_body_have_none(void)
{
	open_h2_to_h1("");
	world.answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
	struct h2_stream *x = ask(0, HTTP_HEAD, "/");
	struct heard h = heard_on(x);
	CHECK_INT(h.last, H2_END);
	CHECK_INT(h.status, 200);
	h2_release(x);
	world.answer = "HTTP/1.1 204 No Content\r\n\r\n";
	x = ask(1, HTTP_GET, "/");
	h = heard_on(x);
	CHECK_INT(h.last, H2_END);
	CHECK_INT(h.status, 204);
	h2_release(x);
	CHECK_INT(world.origins, 1); /* the connection was used again */
	close_mixed();
}

static void
a_body_cut_off_by_the_origin_resets_the_stream(void)
{
	open_h2_to_h1("");
	world.answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
	world.answer_ends = true;
	struct h2_stream *x = ask(0, HTTP_GET, "/");
	struct heard h = heard_on(x);
	CHECK_INT(h.status, 200);
	CHECK_STR(h.body, "half");
	CHECK_INT(h.last, H2_FAILED);
	CHECK_INT(x->reset_code, H2_INTERNAL_ERROR);
	h2_release(x);
	close_mixed();
}

static void
a_blocked_stream_gets_its_page(void)
{
	open_h2_to_h1(
		"rule no when http.request.uri.path == \"/no\" do block \"never\"");
	struct h2_stream *x = ask(0, HTTP_GET, "/no");
	CHECK_INT(heard_on(x).status, 403);
	h2_release(x);
	x = ask(1, HTTP_GET, "/yes");
	CHECK_INT(heard_on(x).status, 200);
	h2_release(x);
	close_mixed();
}

/* A client that leaves takes its own connection to the origin along, and no other. */
static void
a_client_that_leaves_is_told_to_the_origin(void)
{
	open_h2_to_h1("");
	world.answer = NULL;
	struct h2_stream *x = ask(0, HTTP_GET, "/");
	CHECK(strstr(world.origin.heard, "GET / ") != NULL);
	h2_release(x);
	go_on();
	CHECK(side_eof(&world.origin.side));
	close_mixed();
}

/* --- HTTP_1_1_REQUIRED --- */

static struct h2_stream *
refuse_h2(void)
{
	open_mixed("", "", SPAN("\x02h2\x08http/1.1"), SPAN("h2"));
	struct h2_stream *x = ask(0, HTTP_GET, "/old");
	struct h2_stream *far = h2_ready(&origin);
	CHECK(far != NULL);
	world.alpn = (struct span){0}; /* whoever comes now gets HTTP/1.1 */
	h2_reset(far, H2_HTTP_1_1_REQUIRED);
	h2_release(far);
	h2_flush(&origin);
	side_push(&world.origin.side);
	go_on();
	return x;
}

static void
a_request_that_needs_http1_is_repeated_in_it(void)
{
	struct h2_stream *x = refuse_h2();
	struct heard h = heard_on(x);
	CHECK_INT(h.status, 200);
	CHECK_STR(h.body, "ok");
	CHECK_INT(world.origins, 2);
	const struct target to = {
		.tls = true, .host = SPAN("good.test"), .port = world.origin_addr.port};
	CHECK_INT(versions_find(&world.worker.versions, &to), VERSION_NEEDS_H1);
	h2_release(x);
	close_mixed();
}

/* --- WebSocket --- */

static struct h2_stream *
ask_websocket(const char *answer)
{
	struct http_head head;
	open_h2_to_h1("");
	world.answer = answer;
	http_request_make(&head, &arena, HTTP_CONNECT, here(), SPAN("/chat"));
	head.protocol = SPAN("websocket");
	head.body.kind = BODY_CHUNKED;
	go_on(); /* until the gateway has said that it takes such a request */
	return begin(&head, 0);
}

/* RFC 6455 §4.2.2, once more; the RFC's own example is checked further below. */
static const char *
accept_of(struct span key)
{
	static char line[64];
	uint8_t sum[SHA1_BYTES];
	struct text t = text_to(line, sizeof(line));
	sha1(sum,
		arena_format(&arena, "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
			SPAN_ARG(key)));
	text_put_base64(&t, span_of(sum, sizeof(sum)));
	return line;
}

static void
a_websocket_of_http2_becomes_an_upgrade(void)
{
	char line[256];
	struct span key = {0};
	struct h2_stream *x = ask_websocket(NULL);
	char *said = world.origin.heard;
	CHECK(strstr(said, "GET /chat HTTP/1.1\r\n") == said);
	CHECK(strstr(said, "\r\nUpgrade: websocket\r\n") != NULL);
	CHECK(strstr(said, "\r\nSec-WebSocket-Version: 13\r\n") != NULL);
	char *at = strstr(said, "\r\nSec-WebSocket-Key: ");
	CHECK(at != NULL);
	key = span_of((uint8_t *)at + 21, 24);
	text_format(line, sizeof(line),
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\nhello",
		accept_of(key));
	world_say(&world.origin, line);
	world.origin.n_heard = 0;
	go_on();
	struct heard h = heard_on(x);
	CHECK_INT(h.status, 200);
	CHECK_STR(h.body, "hello");
	CHECK_INT(h.last, H2_MORE);
	CHECK_INT(h2_write_body(x, SPAN("\x81\x85")), 2);
	go_on();
	CHECK(strstr(world.origin.heard, "\x81\x85") != NULL);
	side_end(&world.origin.side);
	go_on();
	CHECK_INT(heard_on(x).last, H2_END);
	h2_release(x);
	close_mixed();
}

static void
a_switch_with_a_wrong_digest_is_refused(void)
{
	struct h2_stream *x = ask_websocket(
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n\r\n");
	CHECK_INT(heard_on(x).status, 502);
	h2_release(x);
	close_mixed();
}

static void
an_origin_that_does_not_switch_is_heard(void)
{
	struct h2_stream *x =
		ask_websocket("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
	struct heard h = heard_on(x);
	CHECK_INT(h.status, 403);
	CHECK_STR(h.body, "no");
	h2_release(x);
	close_mixed();
}

/* --- client of HTTP/1, origin of HTTP/2 --- */

static struct h2_stream *
meet(struct http_head **head)
{
	struct span body;
	struct err err = {0};
	struct h2_stream *x = h2_ready(&origin);
	CHECK(x != NULL);
	CHECK_INT(h2_step(x, head, &body, &err), H2_HEAD);
	return x;
}

static void
say(const char *start, const char *rest)
{
	char line[1024];
	text_format(line, sizeof(line), "%s HTTP/1.1\r\nHost: good.test:%u\r\n%s\r\n",
		start, world.origin_addr.port, rest);
	world_say(&world.client, line);
	go_on();
}

static void
answer(struct h2_stream *x, unsigned status, const char *body)
{
	struct http_head head;
	struct err err = {0};
	http_response_make(&head, &arena, status);
	head.body.kind = BODY_CHUNKED;
	CHECK_INT(h2_write_head(x, &head, &err), H2_WROTE);
	if (*body)
		CHECK_INT(h2_write_body(x, span_str(body)), strlen(body));
	CHECK_INT(h2_write_end(x, NULL, &err), H2_WROTE);
	h2_release(x);
	go_on();
}

static void
requests_of_http1_are_streams_of_one_connection(void)
{
	struct http_head *head;
	open_h1_to_h2("");
	say("GET /1",
		"Cookie: a=1\r\nConnection: x-gone\r\nx-gone: "
		"1\r\n");
	struct h2_stream *x = meet(&head);
	CHECK(span_eq(head->path, SPAN("/1")));
	CHECK(span_eq(head->scheme, SPAN("https")));
	CHECK(span_eq(http_get(&head->fields, SPAN("cookie")), SPAN("a=1")));
	CHECK(http_get(&head->fields, SPAN("x-gone")).p == NULL);
	CHECK(http_get(&head->fields, SPAN("host")).p == NULL);
	answer(x, 200, "one");
	world_until("\r\n3\r\none\r\n0\r\n\r\n");
	say("POST /2", "Content-Length: 3\r\n");
	world_say(&world.client, "abc");
	go_on();
	x = meet(&head);
	CHECK_INT(head->body.length, 3);
	answer(x, 404, "");
	world_until("HTTP/1.1 404 ");
	CHECK_INT(world.origins, 1);
	CHECK(strstr(world.last_request, "origin_http=HTTP/2\n") != NULL);
	close_mixed();
}

static void
a_request_that_expects_hears_what_a_stream_says(void)
{
	struct http_head *head;
	struct http_head interim;
	struct span body;
	struct err err = {0};
	open_h1_to_h2("");
	say("PUT /", "Expect: 100-continue\r\nContent-Length: 3\r\n");
	struct h2_stream *x = meet(&head);
	CHECK(head->expects_continue);
	http_response_make(&interim, &arena, 103);
	CHECK_OK(http_add(&interim.fields, SPAN("link"), SPAN("</a>"), &err), &err);
	CHECK_INT(h2_write_head(x, &interim, &err), H2_WROTE);
	http_response_make(&interim, &arena, 100);
	CHECK_INT(h2_write_head(x, &interim, &err), H2_WROTE);
	go_on();
	world_until("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 100 "
		    "Continue\r\n\r\n");
	world_say(&world.client, "abc");
	go_on();
	CHECK_INT(h2_step(x, &head, &body, &err), H2_BODY);
	CHECK(span_eq(body, SPAN("abc")));
	h2_took(x, body.n);
	answer(x, 201, "");
	world_until("HTTP/1.1 201 ");
	close_mixed();
}

static void
a_websocket_of_http1_becomes_an_extended_connect(void)
{
	struct http_head *head;
	struct http_head granted;
	struct span body;
	struct err err = {0};
	open_h1_to_h2("");
	say("GET /chat",
		"Upgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		"Sec-WebSocket-Version: 13\r\n");
	struct h2_stream *x = meet(&head);
	CHECK_INT(head->method, HTTP_CONNECT);
	CHECK(span_eq(head->protocol, SPAN("websocket")));
	CHECK(http_get(&head->fields, SPAN("sec-websocket-key")).p == NULL);
	http_response_make(&granted, &arena, 200);
	granted.body.kind = BODY_CHUNKED;
	CHECK_INT(h2_write_head(x, &granted, &err), H2_WROTE);
	go_on();
	world_until("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
	CHECK(strstr(world.client.heard, "HTTP/1.1 101 Switching Protocols\r\n") ==
		world.client.heard);
	world_say(&world.client, "up");
	CHECK_INT(h2_write_body(x, SPAN("down")), 4);
	go_on();
	world_until("down");
	CHECK_INT(h2_step(x, &head, &body, &err), H2_BODY);
	CHECK(span_eq(body, SPAN("up")));
	h2_took(x, body.n);
	CHECK_INT(h2_write_end(x, NULL, &err), H2_WROTE);
	go_on();
	CHECK(side_eof(&world.client.side));
	h2_release(x);
	close_mixed();
}

static void
an_origin_without_extended_connect_is_asked_in_http1(void)
{
	origin_refuses_connect = true;
	open_h1_to_h2("");
	origin_refuses_connect = false;
	world.alpn = (struct span){0}; /* the next connection gets HTTP/1.1 */
	world.answer = NULL;
	say("GET /chat",
		"Upgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
	CHECK_INT(world.origins, 2);
	const char *said = world.origin.heard;
	CHECK(strstr(said, "GET /chat HTTP/1.1\r\n") == said);
	CHECK(strstr(said, "\r\nUpgrade: websocket\r\n") != NULL);
	CHECK(strstr(said, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
	close_mixed();
}

/* Bodies over 4 GiB: what is announced is what is told, to the octet. */
static void
lengths_over_4_gib_are_kept(void)
{
	struct http_head head;
	struct http_head *got = NULL;
	struct span body;
	struct err err = {0};
	open_h2_to_h1("");
	world.answer = "HTTP/1.1 200 OK\r\nContent-Length: 5368709121\r\n\r\nab";
	http_request_make(&head, &arena, HTTP_PUT, here(), SPAN("/"));
	head.body = (struct http_body){BODY_LENGTH, 5368709123};
	struct h2_stream *x = begin(&head, 0);
	CHECK_INT(h2_step(x, &got, &body, &err), H2_HEAD);
	CHECK(got->body.length == 5368709121);
	CHECK_INT(h2_write_body(x, SPAN("abc")), 3);
	CHECK(x->owed == 5368709120);
	h2_release(x);
	go_on();
	close_mixed();
	CHECK(strstr(world.last_request, "bytes_response=2\n") != NULL);
}

static void
a_length_over_4_gib_is_told_to_the_origin(void)
{
	struct http_head head;
	open_h2_to_h1("");
	world.answer = NULL;
	http_request_make(&head, &arena, HTTP_PUT, here(), SPAN("/"));
	head.body = (struct http_body){BODY_LENGTH, 5368709123};
	struct h2_stream *x = begin(&head, 0);
	CHECK(strstr(world.origin.heard, "\r\nContent-Length: 5368709123\r\n"));
	h2_release(x);
	close_mixed();
}

static void
a_refused_stream_is_repeated_on_a_new_connection(void)
{
	struct http_head *head;
	open_h1_to_h2("");
	say("GET /1", "");
	h2_drain(&origin);
	h2_reset(meet(&head), H2_REFUSED_STREAM);
	h2_drain(&origin);
	h2_flush(&origin);
	side_push(&world.origin.side);
	go_on();
	CHECK_INT(world.origins, 2);
	answer(meet(&head), 200, "again");
	world_until("again");
	close_mixed();
}

/* The connection had served before, and ended as the next request was on its way. */
static void
break_off_during(const char *start, const char *rest)
{
	struct http_head *head;
	open_h1_to_h2("");
	say("GET /1", "");
	answer(meet(&head), 200, "one");
	world_until("one");
	say(start, rest);
	(void)meet(&head);
	world.origin.h2 = NULL;
	side_close(&world.origin.side, true);
	go_on();
}

static void
what_may_be_said_twice_is_when_a_shared_connection_ends(void)
{
	struct http_head *head;
	break_off_during("GET /2", "");
	CHECK_INT(world.origins, 2);
	struct h2_stream *x = meet(&head);
	CHECK(span_eq(head->path, SPAN("/2")));
	answer(x, 200, "again");
	world_until("again");
	close_mixed();
}

static void
what_may_not_be_said_twice_is_not(void)
{
	break_off_during("POST /2", "Content-Length: 0\r\n");
	CHECK_INT(world.origins, 1);
	world_until("HTTP/1.1 502 ");
	close_mixed();
}

/* RFC 9113 §6.8: a stream above the last one has not been looked at, whatever it asks.
 */
static void
a_stream_above_the_last_is_repeated(void)
{
	static const uint8_t goodbye[] = {
		0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0};
	struct http_head *head;
	open_h1_to_h2("");
	say("GET /1", "");
	answer(meet(&head), 200, "one");
	world_until("one");
	say("DELETE /2", "");
	(void)meet(&head);
	CHECK(buf_put(side_out(&world.origin.side), span_of(goodbye, sizeof(goodbye))));
	side_push(&world.origin.side);
	go_on();
	CHECK_INT(world.origins, 2);
	struct h2_stream *x = meet(&head);
	CHECK(span_eq(head->method_name, SPAN("DELETE")));
	answer(x, 200, "again");
	world_until("again");
	close_mixed();
}

static void
an_origin_that_resets_is_a_bad_gateway(void)
{
	struct http_head *head;
	open_h1_to_h2("");
	say("GET /1", "");
	h2_reset(meet(&head), H2_INTERNAL_ERROR);
	go_on();
	world_until("HTTP/1.1 502 ");
	close_mixed();
}

/* Last: the clock stands still from here on. */
static void
a_stream_in_which_nothing_moves_ends(void)
{
	open_h2_to_h1("client { stall-timeout 2s }");
	world.answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
	struct h2_stream *x = ask(0, HTTP_GET, "/");
	CHECK_INT(heard_on(x).last, H2_MORE);
	clock_fake(clock_now() + 1500, clock_wall_ms());
	go_on();
	CHECK_INT(heard_on(x).last, H2_MORE);
	clock_fake(clock_now() + 1000, clock_wall_ms());
	go_on();
	CHECK_INT(heard_on(x).last, H2_FAILED);
	CHECK_INT(x->reset_code, H2_CANCEL);
	h2_release(x);
	close_mixed();
	CHECK(strstr(world.last_request, "err=h2.stalled\n") != NULL);
}

TESTS(a_stream_that_expects_hears_what_http1_says,
	a_request_that_expects_hears_what_a_stream_says,
	an_answer_of_http1_is_one_of_http2, a_request_is_said_as_http1_says_it,
	trailers_of_http1_reach_the_stream, answers_without_a_body_have_none,
	a_body_cut_off_by_the_origin_resets_the_stream, a_blocked_stream_gets_its_page,
	a_client_that_leaves_is_told_to_the_origin,
	a_request_that_needs_http1_is_repeated_in_it,
	a_websocket_of_http2_becomes_an_upgrade,
	a_switch_with_a_wrong_digest_is_refused,
	an_origin_that_does_not_switch_is_heard,
	requests_of_http1_are_streams_of_one_connection,
	a_websocket_of_http1_becomes_an_extended_connect,
	an_origin_without_extended_connect_is_asked_in_http1,
	lengths_over_4_gib_are_kept, a_length_over_4_gib_is_told_to_the_origin,
	a_refused_stream_is_repeated_on_a_new_connection,
	what_may_be_said_twice_is_when_a_shared_connection_ends,
	what_may_not_be_said_twice_is_not, a_stream_above_the_last_is_repeated,
	an_origin_that_resets_is_a_bad_gateway, a_stream_in_which_nothing_moves_ends)

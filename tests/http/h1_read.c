// SPDX-License-Identifier: Apache-2.0
#include "http/h1_read.h"

#include "base/mem.h"
#include "base/text.h"
#include "tests/http/h1_play.h"
#include "tests/test.h"

#define HOST "Host: a.example\r\n"

/* Whole conversations in one direction, and what a reader must say of them. */
static const struct {
	enum h1_role role;
	enum http_method asked;
	bool upgrade;
	bool eof;
	struct span in;
	const char *said;
} samples[] = {
	{H1_REQUESTS, 0, false, true, SPAN_INIT("GET /x HTTP/1.1\r\n" HOST "\r\n"),
		"HEAD GET a.example /x none|END|CLOSED"},
	{H1_REQUESTS, 0, false, true, SPAN_INIT(""), "CLOSED"},
	{H1_REQUESTS, 0, false, true, SPAN_INIT("\r\nGET / HTTP/1.1\r\n" HOST "\r\n"),
		"HEAD GET a.example / none|END|CLOSED"},
	{H1_REQUESTS, 0, false, true,
		SPAN_INIT(
			"GET / HTTP/1.1\r\n" HOST "\r\nPOST /2 HTTP/1.1\r\n" HOST
			"Content-Length: 3\r\n\r\nabcGET /3 HTTP/1.1\r\n" HOST "\r\n"),
		"HEAD GET a.example / none|END|HEAD POST a.example /2 length 3|BODY "
		"abc|END|"
		"HEAD GET a.example /3 none|END|CLOSED"},
	{H1_REQUESTS, 0, false, true,
		SPAN_INIT(
			"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n"
			"3;x=y\r\nabc\r\n0A\r\n0123456789\r\n000\r\nT: 1\r\nU:2 "
			"\r\n\r\n"),
		"HEAD POST a.example / chunked|BODY abc0123456789|TRAILERS T=1 U=2|END|"
		"CLOSED"},
	{H1_REQUESTS, 0, false, true,
		SPAN_INIT("POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"),
		"HEAD POST a.example / length 0|END|CLOSED"},
	{H1_REQUESTS, 0, false, true,
		SPAN_INIT(
			"GET http://a.example/x HTTP/1.1\r\nhost:a.example:80\r\n\r\n"),
		"HEAD GET a.example /x none|END|CLOSED"},
	{H1_REQUESTS, 0, false, true, SPAN_INIT("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"),
		"HEAD OPTIONS a.example * none|END|CLOSED"},
	{H1_REQUESTS, 0, false, false,
		SPAN_INIT("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n"),
		"HEAD CONNECT a.example:443  none|END|"},
	{H1_REQUESTS, 0, false, false,
		SPAN_INIT("CONNECT a.example:443 HTTP/1.1\r\nHost: proxy:3128\r\n\r\n"),
		"HEAD CONNECT a.example:443  none|END|"},
	{H1_REQUESTS, 0, false, true, SPAN_INIT("GET / HTTP/1.0\r\n\r\n"),
		"HEAD GET  / none closes|END|CLOSED"},
	{H1_REQUESTS, 0, false, true,
		SPAN_INIT("GET / HTTP/1.0\r\n" HOST "Connection: Keep-Alive\r\n\r\n"),
		"HEAD GET a.example / none|END|CLOSED"},
	{H1_REQUESTS, 0, false, true,
		SPAN_INIT("GET / HTTP/1.1\r\n" HOST "Connection: x, close\r\n\r\n"),
		"HEAD GET a.example / none closes|END|CLOSED"},
	{H1_REQUESTS, 0, false, true,
		SPAN_INIT("GET / HTTP/1.1\r\n" HOST
			  "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
		"HEAD GET a.example / none to websocket|END|CLOSED"},
	{H1_REQUESTS, 0, false, true,
		SPAN_INIT("GET / HTTP/1.1\r\n" HOST "Upgrade: websocket\r\n\r\n"),
		"HEAD GET a.example / none|END|CLOSED"},
	{H1_RESPONSES, HTTP_GET, false, true,
		SPAN_INIT("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"),
		"HEAD 200 length 2|BODY hi|END|CLOSED"},
	{H1_RESPONSES, HTTP_GET, false, true, SPAN_INIT("HTTP/1.1 200 OK\r\n\r\nhello"),
		"HEAD 200 close closes|BODY hello|END|CLOSED"},
	{H1_RESPONSES, HTTP_GET, false, true, SPAN_INIT("HTTP/1.1 200\r\n\r\n"),
		"HEAD 200 close closes|END|CLOSED"},
	{H1_RESPONSES, HTTP_HEAD, false, true,
		SPAN_INIT("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"),
		"HEAD 200 none|END|CLOSED"},
	{H1_RESPONSES, HTTP_HEAD, false, true,
		SPAN_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
		"HEAD 200 none|END|CLOSED"},
	{H1_RESPONSES, HTTP_GET, false, true,
		SPAN_INIT("HTTP/1.1 304 x\r\nContent-Length: 9\r\n\r\n"),
		"HEAD 304 none|END|CLOSED"},
	{H1_RESPONSES, HTTP_GET, false, true, SPAN_INIT("HTTP/1.1 204 \r\n\r\n"),
		"HEAD 204 none|END|CLOSED"},
	{H1_RESPONSES, HTTP_GET, false, true,
		SPAN_INIT("HTTP/1.1 204 x\r\nContent-Length: 9\r\n\r\n"),
		"HEAD 204 none closes|END|CLOSED"},
	{H1_RESPONSES, HTTP_GET, false, true,
		SPAN_INIT("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: "
			  "x\r\n\r\n"
			  "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
		"INFORM 100 none|INFORM 103 none|HEAD 200 length 0|END|CLOSED"},
	{H1_RESPONSES, HTTP_GET, true, false,
		SPAN_INIT("HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: "
			  "websocket\r\n\r\n"
			  "\x81\x01"),
		"HEAD 101 none to websocket|TUNNEL \\x81\\x01"},
	{H1_RESPONSES, HTTP_CONNECT, false, false,
		SPAN_INIT("HTTP/1.1 200 OK\r\n\r\nx"), "HEAD 200 none|TUNNEL x"},
	{H1_RESPONSES, HTTP_CONNECT, false, true,
		SPAN_INIT("HTTP/1.1 403 no\r\nContent-Length: 1\r\n\r\nx"),
		"HEAD 403 length 1|BODY x|END|CLOSED"},
	{H1_RESPONSES, HTTP_GET, false, true,
		SPAN_INIT("HTTP/1.1 999 x\r\nTransfer-Encoding: "
			  "chunked\r\n\r\n0\r\n\r\n"),
		"HEAD 999 chunked|END|CLOSED"},
	{H1_RESPONSES, HTTP_GET, false, true,
		SPAN_INIT("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx"),
		"HEAD 200 length 1 closes|BODY x|END|CLOSED"},
};

static struct h1_play
player(size_t i)
{
	return (struct h1_play){.role = samples[i].role,
		.asked = samples[i].asked,
		.upgrade = samples[i].upgrade,
		.eof = samples[i].eof};
}

static void
samples_are_read_as_meant(void)
{
	for (size_t i = 0; i < COUNT_OF(samples); i++) {
		struct h1_play p = player(i);
		CHECK_STR(h1_play(&p, samples[i].in), samples[i].said);
	}
}

/* What a tunnel shows depends on how much has come, so those samples stay out. */
static bool
has_tunnel(size_t i)
{
	struct span said = span_str(samples[i].said);

	return span_find(said, SPAN("TUNNEL")) < said.n;
}

static void
every_segmentation_gives_the_same_events(void)
{
	for (size_t i = 0; i < COUNT_OF(samples); i++) {
		struct h1_play p = player(i);
		if (has_tunnel(i))
			continue;
		for (p.piece = 1; p.piece < 8; p.piece++)
			CHECK_STR(h1_play(&p, samples[i].in), samples[i].said);
		p.piece = 0;
		for (p.first = 1; p.first < samples[i].in.n; p.first++) {
			CHECK_STR(h1_play(&p, samples[i].in), samples[i].said);
			p.piece = 3;
			CHECK_STR(h1_play(&p, samples[i].in), samples[i].said);
			p.piece = 0;
		}
	}
}

/* A cut message never looks whole: the last event is not END, or the cut was between
 * messages, or the body is one that ends with the connection. */
static void
every_truncation_is_noticed(void)
{
	static const struct span whole[] = {
		SPAN_INIT("POST /2 HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"),
		SPAN_INIT(
			"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
			"3;x=y\r\nabc\r\n0\r\nT: 1\r\n\r\n"),
		SPAN_INIT("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"),
		SPAN_INIT("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"
			  "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"),
	};
	for (size_t i = 0; i < COUNT_OF(whole); i++) {
		for (size_t n = 1; n < whole[i].n; n++) {
			struct h1_play p = {.eof = true, .asked = HTTP_GET};
			p.role = i < 2 ? H1_REQUESTS : H1_RESPONSES;
			struct span said =
				span_str(h1_play(&p, span_first(whole[i], n)));
			CHECK(span_ends(said, SPAN("FAILED")));
			CHECK_INT(p.err.code, ERR_HTTP_TRUNCATED);
		}
	}
}

static void
a_head_may_be_larger_than_the_buffer(void)
{
	char line[128];
	char text[4096];
	struct text t = text_to(text, sizeof(text));
	struct h1_play p = {.role = H1_REQUESTS, .limit = 128};

	text_put(&t, SPAN("GET / HTTP/1.1\r\n" HOST));
	for (unsigned i = 0; i < 32; i++) {
		text_format(line, sizeof(line), "X-%u: %090u\r\n", i, i);
		text_put(&t, span_str(line));
	}
	text_put(&t, SPAN("\r\n"));
	CHECK(!t.cut);
	CHECK_STR(h1_play(&p, text_span(&t)), "HEAD GET a.example / none|END|");
}

/* A line of so many octets in a head, by repeating c. */
static const char *
play_long(struct h1_play *p, struct span before, size_t n, struct span after)
{
	uint8_t *bytes = mem_alloc(before.n + n + after.n);

	for (size_t i = 0; i < before.n; i++)
		bytes[i] = before.p[i];
	for (size_t i = 0; i < n; i++)
		bytes[before.n + i] = 'a';
	for (size_t i = 0; i < after.n; i++)
		bytes[before.n + n + i] = after.p[i];
	const char *said = h1_play(p, span_of(bytes, before.n + n + after.n));
	mem_free(bytes);
	return said;
}

static void
heads_are_bounded(void)
{
	struct h1_play p = {.role = H1_REQUESTS, .limit = 1 << 20};

	(void)play_long(&p, SPAN("GET /"), 15000, SPAN(" HTTP/1.1\r\n" HOST "\r\n"));
	CHECK_INT(p.err.code, 0);
	CHECK_STR(play_long(&p, SPAN("GET /"), 17000, SPAN("")), "FAILED");
	CHECK_INT(p.err.code, ERR_HTTP_TARGET_TOO_LONG);
	CHECK_STR(play_long(&p, SPAN("GET / HTTP/1.1\r\nA: "), 70000, SPAN("")),
		"FAILED");
	CHECK_INT(p.err.code, ERR_HTTP_TOO_LARGE);
	p.piece = 1000;
	CHECK_STR(play_long(&p, SPAN("GET / HTTP/1.1\r\nA: "), 70000, SPAN("")),
		"FAILED");
	CHECK_INT(p.err.code, ERR_HTTP_TOO_LARGE);
	p.limit = 4096; /* a line that the buf cannot hold */
	CHECK_STR(
		play_long(&p, SPAN("GET / HTTP/1.1\r\nA: "), 5000, SPAN("")), "FAILED");
	CHECK_INT(p.err.code, ERR_HTTP_TOO_LARGE);
}

static void
play_fields(struct h1_play *p, struct span start, unsigned n)
{
	char *text = mem_alloc(64 * 1024);
	struct text t = text_to(text, 64 * 1024);

	text_put(&t, start);
	for (unsigned i = 0; i < n; i++)
		text_put(&t, SPAN("a:\r\n"));
	text_put(&t, SPAN("\r\n"));
	(void)h1_play(p, text_span(&t));
	mem_free(text);
}

static void
numbers_of_fields_and_trailers_are_bounded(void)
{
	struct span chunked = SPAN(
		"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n");
	struct h1_play p = {.role = H1_REQUESTS};

	play_fields(&p, SPAN("GET / HTTP/1.1\r\n" HOST), 199);
	CHECK_INT(p.err.code, 0);
	play_fields(&p, SPAN("GET / HTTP/1.1\r\n" HOST), 200);
	CHECK_INT(p.err.code, ERR_HTTP_TOO_LARGE);
	play_fields(&p, chunked, 200);
	CHECK_INT(p.err.code, 0);
	play_fields(&p, chunked, 201);
	CHECK_INT(p.err.code, ERR_HTTP_TOO_LARGE);
}

static void
interim_heads_are_bounded(void)
{
	char text[1024];
	struct text t = text_to(text, sizeof(text));
	struct h1_play p = {.role = H1_RESPONSES, .asked = HTTP_GET};

	for (unsigned i = 0; i < 33; i++)
		text_put(&t, SPAN("HTTP/1.1 102 x\r\n\r\n"));
	CHECK(span_ends(span_str(h1_play(&p, text_span(&t))), SPAN("FAILED")));
	CHECK_INT(p.err.code, ERR_HTTP_TOO_LARGE);
}

static void
octets_nobody_asked_for_are_refused(void)
{
	struct h1_reader r;
	struct http_head head;
	struct arena a;
	struct buf in;
	struct span body;
	struct err err = {0};

	arena_init(&a, 65536);
	http_head_init(&head, &a);
	buf_init(&in, 4096);
	h1_reader_init(&r, H1_RESPONSES, NULL);
	CHECK(h1_reader_idle(&r));
	CHECK_INT(h1_read(&r, &in, &head, &body, &err), H1_MORE);
	h1_next_response(&r, HTTP_GET, false);
	CHECK(buf_put(&in, SPAN("HTTP/1.1 204 x\r\n\r\nHTTP/1.1 200 x\r\n\r\n")));
	CHECK_INT(h1_read(&r, &in, &head, &body, &err), H1_HEAD);
	CHECK_INT(h1_read(&r, &in, &head, &body, &err), H1_END);
	CHECK_INT(h1_read(&r, &in, &head, &body, &err), H1_FAILED);
	CHECK_INT(err.code, ERR_HTTP_UNASKED);
	CHECK_INT(h1_read(&r, &in, &head, &body, &err), H1_FAILED);
	buf_fini(&in);
	arena_fini(&a);
}

static void
a_body_may_be_taken_in_parts(void)
{
	struct h1_reader r;
	struct http_head head;
	struct arena a;
	struct buf in;
	struct span body;
	struct err err = {0};

	arena_init(&a, 65536);
	http_head_init(&head, &a);
	buf_init(&in, 4096);
	h1_reader_init(&r, H1_REQUESTS, NULL);
	CHECK(buf_put(
		&in, SPAN("PUT / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nabcdG")));
	CHECK_INT(h1_read(&r, &in, &head, &body, &err), H1_HEAD);
	CHECK_INT(h1_read(&r, &in, &head, &body, &err), H1_BODY);
	CHECK_SPAN(body, "abcd");
	h1_took(&r, &in, 1);
	CHECK_INT(h1_read(&r, &in, &head, &body, &err), H1_BODY);
	CHECK_SPAN(body, "bcd");
	h1_took(&r, &in, 0);
	CHECK_INT(h1_read(&r, &in, &head, &body, &err), H1_BODY);
	h1_took(&r, &in, 3);
	CHECK_INT(h1_read(&r, &in, &head, &body, &err), H1_END);
	CHECK_INT(h1_read(&r, &in, &head, &body, &err), H1_END);
	CHECK_SPAN(buf_peek(&in), "G");
	h1_next_request(&r);
	CHECK_INT(h1_read(&r, &in, &head, &body, &err), H1_MORE);
	CHECK(!h1_reader_idle(&r));
	buf_fini(&in);
	arena_fini(&a);
}

static void
an_accepted_upgrade_ends_http(void)
{
	struct h1_reader r;
	struct http_head head;
	struct arena a;
	struct buf in;
	struct span body;
	struct err err = {0};

	arena_init(&a, 65536);
	http_head_init(&head, &a);
	buf_init(&in, 4096);
	h1_reader_init(&r, H1_REQUESTS, NULL);
	CHECK(buf_put(&in, SPAN("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\nGET ")));
	CHECK_INT(h1_read(&r, &in, &head, &body, &err), H1_HEAD);
	CHECK_INT(h1_read(&r, &in, &head, &body, &err), H1_END);
	h1_tunnel(&r);
	CHECK_INT(h1_read(&r, &in, &head, &body, &err), H1_TUNNEL);
	CHECK_SPAN(buf_peek(&in), "GET ");
	buf_fini(&in);
	arena_fini(&a);
}

static void
facts_about_the_connection_are_learned(void)
{
	struct h1_reader r;
	struct http_head head;
	struct arena a;
	struct buf in;
	struct span body;
	struct err err = {0};

	arena_init(&a, 65536);
	http_head_init(&head, &a);
	buf_init(&in, 4096);
	h1_reader_init(&r, H1_REQUESTS, NULL);
	CHECK(buf_put(&in,
		SPAN("PUT / HTTP/1.1\r\n" HOST "TE: gzip;q=0.5, trailers\r\n"
		     "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n")));
	CHECK_INT(h1_read(&r, &in, &head, &body, &err), H1_HEAD);
	CHECK(head.takes_trailers && head.expects_continue && !head.close);
	CHECK_INT(head.version, HTTP_1_1);
	CHECK_INT(head.method, HTTP_PUT);
	buf_fini(&in);
	arena_fini(&a);
}

TESTS(samples_are_read_as_meant, every_segmentation_gives_the_same_events,
	every_truncation_is_noticed, a_head_may_be_larger_than_the_buffer,
	heads_are_bounded, numbers_of_fields_and_trailers_are_bounded,
	interim_heads_are_bounded, octets_nobody_asked_for_are_refused,
	a_body_may_be_taken_in_parts, an_accepted_upgrade_ends_http,
	facts_about_the_connection_are_learned)

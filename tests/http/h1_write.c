// SPDX-License-Identifier: Apache-2.0
#include "http/h1_write.h"

#include "http/h1_read.h"
#include "tests/http/h1_play.h"
#include "tests/test.h"

/* One writer with its output and a head to write. */
struct bench {
	struct arena a;
	struct buf out;
	struct h1_writer w;
	struct http_head head;
	struct err err;
};

static void
open_bench(struct bench *b, size_t limit)
{
	*b = (struct bench){0};
	arena_init(&b->a, 256 * 1024);
	buf_init(&b->out, limit);
	h1_writer_init(&b->w);
}

static void
close_bench(struct bench *b)
{
	buf_fini(&b->out);
	arena_fini(&b->a);
}

static void
add(struct bench *b, const char *name, const char *value)
{
	CHECK_OK(http_add(&b->head.fields, span_str(name), span_str(value), &b->err),
		&b->err);
}

static enum h1_wrote
write_head(struct bench *b)
{
	return h1_write_head(&b->w, &b->head, &b->out, &b->err);
}

static void
a_request_is_made_from_facts(void)
{
	struct bench b;

	open_bench(&b, 4096);
	http_request_make(&b.head, &b.a, HTTP_POST, SPAN("a.example:8"), SPAN("/x?y"));
	add(&b, "Host", "other");
	add(&b, "X-A", "1");
	add(&b, "Connection", "close");
	add(&b, "Transfer-Encoding", "gzip");
	add(&b, "Content-Length", "77");
	b.head.body = (struct http_body){BODY_LENGTH, 3};
	b.head.takes_trailers = true;
	CHECK_INT(write_head(&b), H1_WROTE);
	CHECK_INT(h1_write_body(&b.w, SPAN("abcd"), &b.out), 3);
	CHECK_INT(h1_write_body(&b.w, SPAN("d"), &b.out), 0);
	CHECK_INT(h1_write_end(&b.w, NULL, &b.out, &b.err), H1_WROTE);
	CHECK(!b.w.must_close);
	CHECK_SPAN(buf_peek(&b.out),
		"POST /x?y HTTP/1.1\r\nHost: a.example:8\r\nX-A: 1\r\n"
		"Content-Length: 3\r\nConnection: TE\r\n"
		"TE: trailers\r\n\r\nabc");
	close_bench(&b);
}

static void
an_upgrade_says_so_in_both_fields(void)
{
	struct bench b;

	open_bench(&b, 4096);
	http_response_make(&b.head, &b.a, 101);
	b.head.protocol = SPAN("websocket");
	CHECK_INT(write_head(&b), H1_WROTE);
	CHECK_SPAN(buf_peek(&b.out),
		"HTTP/1.1 101 Switching Protocols\r\n"
		"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n");
	close_bench(&b);
}

static void
a_proxy_gets_the_whole_url(void)
{
	struct bench b;

	open_bench(&b, 4096);
	http_request_make(&b.head, &b.a, HTTP_GET, SPAN("a.example"), SPAN("/x"));
	b.w.whole_url = true;
	CHECK_INT(write_head(&b), H1_WROTE);
	CHECK_SPAN(buf_peek(&b.out),
		"GET http://a.example/x HTTP/1.1\r\nHost: a.example\r\n\r\n");
	close_bench(&b);
}

static void
chunks_and_trailers_are_framed(void)
{
	struct bench b;

	open_bench(&b, 4096);
	http_response_make(&b.head, &b.a, 200);
	b.head.body.kind = BODY_CHUNKED;
	CHECK_INT(write_head(&b), H1_WROTE);
	CHECK_INT(h1_write_body(&b.w, SPAN(""), &b.out), 0);
	CHECK_INT(h1_write_body(&b.w, SPAN("0123456789abcdefg"), &b.out), 17);
	CHECK_OK(http_add(&b.head.trailers, SPAN("grpc-status"), SPAN("0"), &b.err),
		&b.err);
	CHECK_OK(http_add(&b.head.trailers, SPAN("Content-Length"), SPAN("0"), &b.err),
		&b.err);
	CHECK_INT(h1_write_end(&b.w, &b.head.trailers, &b.out, &b.err), H1_WROTE);
	CHECK_SPAN(buf_peek(&b.out),
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		"11\r\n0123456789abcdefg\r\n0\r\ngrpc-status: 0\r\n\r\n");
	close_bench(&b);
}

static void
an_old_client_gets_no_chunks(void)
{
	struct bench b;

	open_bench(&b, 4096);
	http_response_make(&b.head, &b.a, 200);
	b.head.body.kind = BODY_CHUNKED;
	b.w.old_peer = true;
	CHECK_INT(write_head(&b), H1_WROTE);
	CHECK_INT(h1_write_body(&b.w, SPAN("hi"), &b.out), 2);
	CHECK_INT(h1_write_end(&b.w, &b.head.trailers, &b.out, &b.err), H1_WROTE);
	CHECK(b.w.must_close);
	CHECK_SPAN(buf_peek(&b.out), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhi");
	close_bench(&b);
	open_bench(&b, 4096);
	http_response_make(&b.head, &b.a, 200);
	b.head.body.kind = BODY_LENGTH;
	b.w.old_peer = true;
	CHECK_INT(write_head(&b), H1_WROTE);
	CHECK_SPAN(buf_peek(&b.out),
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: "
		"keep-alive\r\n\r\n");
	close_bench(&b);
}

static void
a_length_is_announced_only_where_it_means_nothing(void)
{
	static const struct {
		unsigned status;
		bool announced;
	} rows[] = {{200, true}, {304, true}, {204, false}, {103, false}};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct bench b;
		open_bench(&b, 4096);
		http_response_make(&b.head, &b.a, rows[i].status);
		add(&b, "Content-Length", "9");
		CHECK_INT(write_head(&b), H1_WROTE);
		struct span s = buf_peek(&b.out);
		CHECK_INT(span_find(s, SPAN("Content-Length: 9\r\n")) < s.n,
			rows[i].announced);
		CHECK_INT(b.w.open, rows[i].status >= 200);
		close_bench(&b);
	}
}

static void
full_means_try_again_and_never_means_refused(void)
{
	struct bench b;

	open_bench(&b, 600);
	http_response_make(&b.head, &b.a, 200);
	b.head.body.kind = BODY_CHUNKED;
	CHECK(buf_put(&b.out,
		SPAN("12345678901234567890123456789012345678901234567890"
		     "12345678901234567890123456789012345678901234567890"
		     "12345678901234567890123456789012345678901234567890"
		     "12345678901234567890123456789012345678901234567890"
		     "12345678901234567890123456789012345678901234567890"
		     "12345678901234567890123456789012345678901234567890")));
	CHECK_INT(write_head(&b), H1_FULL);
	CHECK_INT(buf_len(&b.out), 300);
	buf_drop(&b.out, 300);
	CHECK_INT(write_head(&b), H1_WROTE);
	uint8_t big[1000] = {0};
	size_t took = h1_write_body(&b.w, span_of(big, sizeof(big)), &b.out);
	CHECK(took > 500 && took < 600);
	CHECK_INT(h1_write_body(&b.w, span_of(big, sizeof(big)), &b.out), 0);
	CHECK_INT(h1_write_end(&b.w, NULL, &b.out, &b.err), H1_FULL);
	buf_drop(&b.out, 100);
	CHECK_INT(h1_write_end(&b.w, NULL, &b.out, &b.err), H1_WROTE);
	close_bench(&b);
}

static void
a_head_that_can_never_fit_is_refused(void)
{
	struct bench b;

	open_bench(&b, 64);
	http_response_make(&b.head, &b.a, 200);
	CHECK_INT(write_head(&b), H1_REFUSED);
	CHECK_INT(b.err.code, ERR_HTTP_TOO_LARGE);
	close_bench(&b);
}

static void
a_short_body_cannot_be_ended(void)
{
	struct bench b;

	open_bench(&b, 4096);
	http_response_make(&b.head, &b.a, 200);
	b.head.body = (struct http_body){BODY_LENGTH, 3};
	CHECK_INT(write_head(&b), H1_WROTE);
	CHECK_INT(h1_write_body(&b.w, SPAN("ab"), &b.out), 2);
	CHECK_INT(h1_write_end(&b.w, NULL, &b.out, &b.err), H1_REFUSED);
	CHECK_INT(b.err.code, ERR_HTTP_TRUNCATED);
	close_bench(&b);
}

/* Each row spoils one thing of a good head. */
static const struct {
	const char *why;
	bool response;
	struct span method;
	struct span authority;
	struct span path;
	struct span name;
	struct span value;
	struct http_body body;
	unsigned status;
} spoiled[] = {
	{.why = "method", .method = SPAN_INIT("G T")},
	{.why = "method that is not the enum's", .method = SPAN_INIT("POST")},
	{.why = "authority", .authority = SPAN_INIT("a b")},
	{.why = "authority with a line end", .authority = SPAN_INIT("a\r\nX: y")},
	{.why = "path with a blank", .path = SPAN_INIT("/a HTTP/1.1")},
	{.why = "path with a line end", .path = SPAN_INIT("/a\r\n\r\n")},
	{.why = "path without a slash", .path = SPAN_INIT("a")},
	{.why = "path that is a URL", .path = SPAN_INIT("http://b/")},
	{.why = "path *", .path = SPAN_INIT("*")},
	{.why = "field name", .name = SPAN_INIT("A B"), .value = SPAN_INIT("c")},
	{.why = "field value", .name = SPAN_INIT("A"), .value = SPAN_INIT("c\r\nD: e")},
	{.why = "request until close", .body = {BODY_CLOSE, 0}},
	{.why = "status", .response = true, .status = 99},
	{.why = "status", .response = true, .status = 1000},
	{.why = "204 with a body",
		.response = true,
		.status = 204,
		.body = {BODY_LENGTH, 1}},
	{.why = "304 with a body",
		.response = true,
		.status = 304,
		.body = {BODY_CHUNKED, 0}},
	{.why = "100 with a body",
		.response = true,
		.status = 100,
		.body = {BODY_LENGTH, 0}},
};

static void
what_a_strict_reader_would_refuse_is_not_written(void)
{
	for (size_t i = 0; i < COUNT_OF(spoiled); i++) {
		struct bench b;
		open_bench(&b, 4096);
		if (spoiled[i].response)
			http_response_make(&b.head, &b.a, 200);
		else
			http_request_make(
				&b.head, &b.a, HTTP_GET, SPAN("a"), SPAN("/"));
		if (spoiled[i].method.n > 0)
			b.head.method_name = spoiled[i].method;
		if (spoiled[i].authority.n > 0)
			b.head.authority = spoiled[i].authority;
		if (spoiled[i].path.n > 0)
			b.head.path = spoiled[i].path;
		if (spoiled[i].status > 0)
			b.head.status = spoiled[i].status;
		b.head.body = spoiled[i].body;
		if (spoiled[i].name.n > 0)
			CHECK(http_push(
				&b.head.fields, spoiled[i].name, spoiled[i].value));
		CHECK_INT(write_head(&b), H1_REFUSED);
		CHECK(b.err.code != ERR_NONE && buf_empty(&b.out));
		close_bench(&b);
	}
}

/* Reads one message with a small buf, writing it as it comes, into out. */
static void
pass_on(enum h1_role role, struct span s, struct buf *out)
{
	struct bench b;
	struct h1_reader r;
	struct buf in;
	struct span body = {0};

	open_bench(&b, 65536);
	http_head_init(&b.head, &b.a);
	buf_init(&in, 65536);
	h1_reader_init(&r, role, NULL);
	if (role == H1_RESPONSES)
		h1_next_response(&r, HTTP_GET, false);
	CHECK(buf_put(&in, s));
	h1_eof(&r);
	enum h1_step step = H1_MORE;
	while (step != H1_END) {
		step = h1_read(&r, &in, &b.head, &body, &b.err);
		CHECK(step != H1_FAILED && step != H1_MORE && step != H1_CLOSED);
		if (step == H1_HEAD || step == H1_INFORM)
			CHECK_INT(h1_write_head(&b.w, &b.head, out, &b.err), H1_WROTE);
		if (step == H1_BODY)
			h1_took(&r, &in, h1_write_body(&b.w, body, out));
	}
	CHECK_INT(h1_write_end(&b.w, &b.head.trailers, out, &b.err), H1_WROTE);
	buf_fini(&in);
	close_bench(&b);
}

static void
what_was_read_and_written_reads_the_same(void)
{
	static const struct {
		enum h1_role role;
		struct span in;
	} rows[] = {
		{H1_REQUESTS,
			SPAN_INIT("GET /x HTTP/1.1\r\nhOST: a.example\r\nA:1\r\n\r\n")},
		{H1_REQUESTS,
			SPAN_INIT(
				"PUT http://a.example/ HTTP/1.1\r\nHost: a.example\r\n"
				"Connection: close, x\r\nContent-Length: "
				"3\r\n\r\nabc")},
		{H1_REQUESTS,
			SPAN_INIT("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
				  "chunked\r\n\r\n3;e\r\nabc\r\n00\r\nT: v\r\n\r\n")},
		{H1_RESPONSES,
			SPAN_INIT("HTTP/1.1 100 c\r\n\r\nHTTP/1.1 200 Fine\r\n"
				  "Content-Length: 2\r\nSet-Cookie: a\r\n"
				  "Set-Cookie: b\r\n\r\nhi")},
		{H1_RESPONSES, SPAN_INIT("HTTP/1.1 200\r\n\r\nuntil the end")},
		{H1_RESPONSES,
			SPAN_INIT("HTTP/1.1 304 x\r\nContent-Length: 9\r\n\r\n")},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct h1_play before = {
			.role = rows[i].role, .asked = HTTP_GET, .eof = true};
		struct h1_play after = before;
		struct buf out;
		buf_init(&out, 65536);
		pass_on(rows[i].role, rows[i].in, &out);
		CHECK_STR(
			h1_play(&after, buf_peek(&out)), h1_play(&before, rows[i].in));
		buf_fini(&out);
	}
}

TESTS(a_request_is_made_from_facts, an_upgrade_says_so_in_both_fields,
	a_proxy_gets_the_whole_url, chunks_and_trailers_are_framed,
	an_old_client_gets_no_chunks, a_length_is_announced_only_where_it_means_nothing,
	full_means_try_again_and_never_means_refused,
	a_head_that_can_never_fit_is_refused, a_short_body_cannot_be_ended,
	what_a_strict_reader_would_refuse_is_not_written,
	what_was_read_and_written_reads_the_same)

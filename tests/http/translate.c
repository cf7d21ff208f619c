// SPDX-License-Identifier: Apache-2.0
/*
 * Property: a message read in one version, written in the other and read again means
 * the same. And what cannot be said in the other version is refused.
 */
#include "http/translate.h"

#include "base/text.h"
#include "http/h1_read.h"
#include "http/h1_write.h"
#include "http/header.h"
#include "tests/test.h"

static struct arena arena;

static void
clear(void)
{
	arena_fini(&arena);
	arena_init(&arena, 1024 * 1024);
}

/* Reads a head from HTTP/1 text. */
static void
read_h1(struct http_head *head, enum h1_role role, unsigned asked, struct span s)
{
	struct h1_reader r;
	struct buf in;
	struct span body;
	struct err err = {0};

	http_head_init(head, &arena);
	buf_init(&in, 65536);
	h1_reader_init(&r, role, NULL);
	if (role == H1_RESPONSES)
		h1_next_response(&r, asked, true);
	CHECK(buf_put(&in, s));
	enum h1_step step = h1_read(&r, &in, head, &body, &err);
	CHECK_OK(step == H1_HEAD || step == H1_INFORM, &err);
	buf_fini(&in);
}

/* Through HTTP/2's lists and back into the model. */
static void
cross_h2(const struct http_head *from, unsigned asked, struct http_head *to)
{
	struct http_fields list = {.arena = &arena};
	struct translate t = {0};
	struct err err = {0};
	bool ended = from->body.kind == BODY_NONE ||
		(from->body.kind == BODY_LENGTH && from->body.length == 0);

	CHECK_OK(translate_out(from, &list, &err), &err);
	http_head_init(to, &arena);
	for (uint32_t i = 0; i < list.n; i++) {
		struct http_field x = list.v[i];
		uint8_t lower[256];
		span_lower(lower, span_first(x.name, sizeof(lower)));
		x.name = span_of(lower, x.name.n); /* the framing library does so */
		CHECK_OK(translate_field(&t, &http_limits_default, to, &x, &err), &err);
	}
	CHECK_OK(from->status == 0 ? translate_request(&t, to, ended, &err)
				   : translate_response(&t, to, asked, ended, &err),
		&err);
}

static bool
same_body(const struct http_head *a, const struct http_head *b)
{
	bool open_a = a->body.kind == BODY_CHUNKED || a->body.kind == BODY_CLOSE;
	bool open_b = b->body.kind == BODY_CHUNKED || b->body.kind == BODY_CLOSE;

	return open_a == open_b && a->body.length == b->body.length;
}

static void
check_same(const struct http_head *a, const struct http_head *b)
{
	CHECK(span_eq(a->method_name, b->method_name));
	CHECK(span_eq(a->authority, b->authority));
	CHECK(span_eq(a->path, b->path));
	CHECK_INT(a->status, b->status);
	CHECK(same_body(a, b));
	CHECK_INT(a->takes_trailers, b->takes_trailers);
	CHECK_INT(a->expects_continue, b->expects_continue);
	for (uint32_t i = 0; i < a->fields.n; i++) {
		const struct http_field *x = &a->fields.v[i];
		if (x->id == HTTP_NAME_HOST || http_name_flags(x->id) & HTTP_HOP)
			continue;
		CHECK(span_eq(http_get(&b->fields, x->name), x->value));
	}
}

static const struct {
	enum h1_role role;
	enum http_method asked;
	struct span text;
} messages[] = {
	{H1_REQUESTS, 0,
		SPAN_INIT("GET /x?y=%20 HTTP/1.1\r\nHost: a.example:8443\r\n\r\n")},
	{H1_REQUESTS, 0, SPAN_INIT("OPTIONS * HTTP/1.1\r\nHost: a\r\nX-A: \r\n\r\n")},
	{H1_REQUESTS, 0, SPAN_INIT("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n")},
	{H1_REQUESTS, 0,
		SPAN_INIT("POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: "
			  "TE\r\n"
			  "Content-Type: application/grpc\r\n"
			  "Transfer-Encoding: chunked\r\n\r\n")},
	{H1_REQUESTS, 0,
		SPAN_INIT("PUT / HTTP/1.1\r\nHost: a\r\nCookie: a=b; c=d\r\n"
			  "Expect: 100-continue\r\nContent-Length: 77\r\n\r\n")},
	{H1_REQUESTS, 0,
		SPAN_INIT("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")},
	{H1_RESPONSES, HTTP_GET,
		SPAN_INIT("HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nContent-Length: "
			  "5\r\n\r\n")},
	{H1_RESPONSES, HTTP_GET, SPAN_INIT("HTTP/1.1 200 OK\r\nKeep-Alive: 5\r\n\r\n")},
	{H1_RESPONSES, HTTP_HEAD,
		SPAN_INIT("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")},
	{H1_RESPONSES, HTTP_GET,
		SPAN_INIT(
			"HTTP/1.1 304 N\r\nContent-Length: 5\r\nETag: \"x\"\r\n\r\n")},
	{H1_RESPONSES, HTTP_GET, SPAN_INIT("HTTP/1.1 204 N\r\n\r\n")},
	{H1_RESPONSES, HTTP_GET,
		SPAN_INIT("HTTP/1.1 200 N\r\nTransfer-Encoding: chunked\r\n\r\n")},
};

static void
messages_mean_the_same_in_either_version(void)
{
	for (size_t i = 0; i < COUNT_OF(messages); i++) {
		struct http_head first;
		struct http_head second;
		clear();
		read_h1(&first, messages[i].role, messages[i].asked, messages[i].text);
		if (first.method == HTTP_CONNECT) /* open both ways in HTTP/2 */
			first.body.kind = BODY_CHUNKED;
		header_strip(&first);
		cross_h2(&first, messages[i].asked, &second);
		check_same(&first, &second);
		CHECK_INT(second.version, HTTP_2);
	}
}

static void
and_back_again(void)
{
	for (size_t i = 0; i < COUNT_OF(messages); i++) {
		struct http_head first;
		struct http_head second;
		struct http_head third;
		struct h1_writer w;
		struct buf out;
		struct err err = {0};

		clear();
		read_h1(&first, messages[i].role, messages[i].asked, messages[i].text);
		if (first.method == HTTP_CONNECT)
			continue; /* a tunnel has no body in HTTP/1 */
		header_strip(&first);
		cross_h2(&first, messages[i].asked, &second);
		buf_init(&out, 65536);
		h1_writer_init(&w);
		CHECK_OK(h1_write_head(&w, &second, &out, &err) == H1_WROTE, &err);
		read_h1(&third, messages[i].role, messages[i].asked, buf_peek(&out));
		check_same(&first, &third);
		buf_fini(&out);
	}
}

/* --- messages nobody thought of --- */

static uint32_t dice_state;

static uint32_t
dice(uint32_t sides)
{
	dice_state ^= dice_state << 13;
	dice_state ^= dice_state >> 17;
	dice_state ^= dice_state << 5;
	return dice_state % sides;
}

static uint8_t
any_octet(bool at_edge)
{
	uint32_t kind = dice(8);

	if (kind < 2 && !at_edge)
		return kind == 0 ? ' ' : '\t';
	return (uint8_t)(kind == 2 ? 0x80 + dice(0x80) : '!' + dice(94));
}

/* Octets of a value: visible ones, blanks inside, and those above ASCII. */
static void
put_value(struct text *t, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint8_t c = any_octet(i == 0 || i == n - 1);
		text_put(t, span_of(&c, 1));
	}
}

static void
put_fields(struct text *t)
{
	static const char *const names[] = {"X-A", "Accept", "ETag", "X-Under_Score",
		"Via", "Cache-Control", "Referer", "x!#$%&'*+-.^_`|~9"};
	uint32_t used = 0;

	for (uint32_t i = dice(6); i > 0; i--) {
		uint32_t which = dice(COUNT_OF(names));
		if (used >> which & 1) /* check_same() looks at the first of a name */
			continue;
		used |= 1U << which;
		text_add(t, "%s: ", names[which]);
		put_value(t, dice(20));
		text_put(t, SPAN("\r\n"));
	}
}

static void
put_framing(struct text *t, bool may_have_body)
{
	uint32_t kind = may_have_body ? dice(3) : 0;

	if (kind == 1)
		text_add(t, "Content-Length: %u\r\n", dice(100000));
	if (kind == 2)
		text_put(t, SPAN("Transfer-Encoding: chunked\r\n"));
}

static struct span
make_request(struct text *t)
{
	static const char *const methods[] = {
		"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "FROB"};
	static const char *const hosts[] = {
		"a.example", "a.example:8443", "[2001:db8::1]:1", "192.0.2.7"};
	static const char *const paths[] = {
		"/", "/a/b?c=d", "/%20", "/?", "/a;b,c=(d)!*'", "//x"};

	text_add(t, "%s %s HTTP/1.1\r\nHost: %s\r\n", methods[dice(COUNT_OF(methods))],
		paths[dice(COUNT_OF(paths))], hosts[dice(COUNT_OF(hosts))]);
	put_fields(t);
	if (dice(3) == 0)
		text_put(t, SPAN("Cookie: a=1; b=2\r\n"));
	if (dice(4) == 0)
		text_put(t, SPAN("TE: trailers\r\nConnection: TE\r\n"));
	put_framing(t, true);
	text_put(t, SPAN("\r\n"));
	return text_span(t);
}

static struct span
make_response(struct text *t)
{
	static const unsigned codes[] = {200, 201, 204, 206, 301, 304, 404, 500, 599};
	unsigned status = codes[dice(COUNT_OF(codes))];

	text_add(t, "HTTP/1.1 %u Any thing\r\n", status);
	put_fields(t);
	put_framing(t, status != 204 && status != 304);
	text_put(t, SPAN("\r\n"));
	return text_span(t);
}

static void
any_message_means_the_same_in_either_version(void)
{
	static char line[4096];

	dice_state = 0x9e3779b9;
	for (unsigned i = 0; i < 3000; i++) {
		struct http_head first;
		struct http_head second;
		struct text t = text_to(line, sizeof(line));
		bool request = dice(2) == 1;
		struct span s = request ? make_request(&t) : make_response(&t);
		clear();
		read_h1(&first, request ? H1_REQUESTS : H1_RESPONSES, HTTP_GET, s);
		header_strip(&first);
		cross_h2(&first, HTTP_GET, &second);
		check_same(&first, &second);
	}
}

static void
cookie_crumbs_become_one_cookie(void)
{
	static const struct http_field fields[] = {
		{SPAN_INIT(":method"), SPAN_INIT("GET"), 0},
		{SPAN_INIT(":scheme"), SPAN_INIT("https"), 0},
		{SPAN_INIT(":path"), SPAN_INIT("/"), 0},
		{SPAN_INIT(":authority"), SPAN_INIT("a"), 0},
		{SPAN_INIT("cookie"), SPAN_INIT("a=b"), 0},
		{SPAN_INIT("x"), SPAN_INIT("y"), 0},
		{SPAN_INIT("cookie"), SPAN_INIT("c=d"), 0},
	};
	struct translate t = {0};
	struct http_head head;
	struct err err = {0};

	clear();
	http_head_init(&head, &arena);
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		CHECK_OK(translate_field(
				 &t, &http_limits_default, &head, &fields[i], &err),
			&err);
	CHECK_OK(translate_request(&t, &head, true, &err), &err);
	CHECK_INT(head.fields.n, 2);
	CHECK_SPAN(head.fields.v[0].value, "a=b; c=d");
}

static void
a_page_of_ours_tells_its_length(void)
{
	struct http_fields list = {.arena = &arena};
	struct http_head head;
	struct err err = {0};

	clear();
	http_response_make(&head, &arena, 403);
	head.body = (struct http_body){BODY_LENGTH, 5};
	CHECK_OK(translate_out(&head, &list, &err), &err);
	CHECK_INT(list.n, 2);
	CHECK_SPAN(list.v[0].value, "403");
	CHECK_SPAN(list.v[1].name, "content-length");
	CHECK_SPAN(list.v[1].value, "5");
}

static void
a_length_that_no_longer_holds_is_left_out(void)
{
	struct http_fields list = {.arena = &arena};
	struct http_head head;
	struct err err = {0};

	clear();
	read_h1(&head, H1_RESPONSES, HTTP_GET,
		SPAN("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"));
	head.body = (struct http_body){.kind = BODY_CHUNKED};
	CHECK_OK(translate_out(&head, &list, &err), &err);
	CHECK_INT(list.n, 1);
}

static void
what_http2_cannot_say_is_refused(void)
{
	static const struct span requests[] = {
		SPAN_INIT("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n"
			  "Upgrade: websocket\r\n\r\n"),
		SPAN_INIT("GET / HTTP/1.0\r\n\r\n"),
	};
	struct http_fields list = {.arena = &arena};
	struct http_head head;
	struct err err = {0};

	for (size_t i = 0; i < COUNT_OF(requests); i++) {
		clear();
		read_h1(&head, H1_REQUESTS, 0, requests[i]);
		CHECK(!translate_out(&head, &list, &err));
		CHECK_INT(err.code, ERR_HTTP_UNWRITABLE);
		list = (struct http_fields){.arena = &arena};
	}
	clear();
	http_response_make(&head, &arena, 101);
	list = (struct http_fields){.arena = &arena};
	CHECK(!translate_out(&head, &list, &err));
}

static void
heads_are_bounded_as_the_rfc_counts(void)
{
	struct http_field field = {SPAN_INIT("x"), SPAN_INIT(""), 0};
	struct http_limits limits = http_limits_default;
	struct translate t = {0};
	struct http_head head;
	struct err err = {0};
	unsigned n = 0;

	clear();
	http_head_init(&head, &arena);
	limits.head_bytes = 33 * 20;
	while (translate_field(&t, &limits, &head, &field, &err))
		n++;
	CHECK_INT(n, 20);
	CHECK_INT(err.code, ERR_HTTP_TOO_LARGE);
}

TESTS(any_message_means_the_same_in_either_version,
	messages_mean_the_same_in_either_version, and_back_again,
	cookie_crumbs_become_one_cookie, a_page_of_ours_tells_its_length,
	a_length_that_no_longer_holds_is_left_out, what_http2_cannot_say_is_refused,
	heads_are_bounded_as_the_rfc_counts)

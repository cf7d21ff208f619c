// SPDX-License-Identifier: Apache-2.0
/*
 * Property: any message, whole, said in HTTP/1, then in HTTP/2, then in HTTP/1, then in
 * HTTP/2 again, means the same each time: method, target, host, status, fields with
 * duplicates and cookies, interim heads, body, trailers.
 *
 *	made ── h1_write, octets, h1_read ── h2 on two wires ── h1 … ── h2 …
 */
#include <string.h>

#include "base/text.h"
#include "http/h1_read.h"
#include "http/h1_write.h"
#include "http/header.h"
#include "tests/http/h2_pair.h"

enum { BODY_MOST = 3000, INFORMS = 3, ROUNDS = 1500 };

struct message {
	struct http_head head; /* trailers in it */
	struct http_head informs[INFORMS];
	size_t n_informs;
	uint8_t body[BODY_MOST];
	size_t n_body;
};

static struct arena arena;
static uint32_t dice_state = 0x2545f491;

static uint32_t
dice(uint32_t sides)
{
	dice_state ^= dice_state << 13;
	dice_state ^= dice_state >> 17;
	dice_state ^= dice_state << 5;
	return dice_state % sides;
}

/* --- making --- */

static uint8_t
any_octet(bool at_edge)
{
	uint32_t kind = dice(8);
	if (kind < 2 && !at_edge)
		return kind == 0 ? ' ' : '\t';
	return (uint8_t)(kind == 2 ? 0x80 + dice(0x80) : '!' + dice(94));
}

static struct span
any_value(void)
{
	uint32_t n = dice(24);
	uint8_t *p = arena_alloc(&arena, n + 1);
	for (uint32_t i = 0; i < n; i++)
		p[i] = any_octet(i == 0 || i == n - 1);
	return span_of(p, n);
}

/* Names come again and again: order and duplicates count. */
static void
add_fields(struct http_fields *f, uint32_t most)
{
	static const char *const names[] = {
		"x-a", "x-a", "accept", "via", "x-b", "x!#$%&'*+-.^_`|~9"};
	struct err err = {0};
	for (uint32_t i = dice(most); i > 0; i--) {
		CHECK_OK(http_add(f, span_str(names[dice(COUNT_OF(names))]),
				 any_value(), &err),
			&err);
	}
}

static void
add_body(struct message *m, bool may_have_trailers)
{
	struct http_head *head = &m->head;
	struct err err = {0};
	m->n_body = dice(3) == 0 ? 0 : dice(BODY_MOST);
	for (size_t i = 0; i < m->n_body; i++)
		m->body[i] = (uint8_t)dice(256);
	head->body.kind = dice(2) == 0 ? BODY_CHUNKED : BODY_LENGTH;
	if (head->body.kind == BODY_LENGTH) {
		head->body.length = m->n_body;
		struct span length = arena_format(&arena, "%zu", m->n_body);
		CHECK_OK(http_add(&head->fields, SPAN("content-length"), length, &err),
			&err);
	} else if (may_have_trailers && dice(2) == 0) {
		CHECK_OK(
			http_add(&head->trailers, SPAN("grpc-status"), SPAN("0"), &err),
			&err);
		add_fields(&head->trailers, 4);
	}
}

static void
make_request(struct message *m)
{
	static const char *const hosts[] = {
		"a.example", "a.example:8443", "[2001:db8::1]:1", "192.0.2.7"};
	static const char *const paths[] = {
		"/", "/a/b?c=d", "/%20", "/?", "/a;b,c=(d)!*'", "//x", "/?a=/b?c"};
	static const enum http_method methods[] = {HTTP_GET, HTTP_POST, HTTP_PUT,
		HTTP_DELETE, HTTP_PATCH, HTTP_HEAD, HTTP_OPTIONS};
	struct err err = {0};
	http_request_make(&m->head, &arena, methods[dice(COUNT_OF(methods))],
		span_str(hosts[dice(COUNT_OF(hosts))]),
		span_str(paths[dice(COUNT_OF(paths))]));
	m->head.scheme = SPAN("https");
	if (dice(8) == 0) {
		m->head.method = HTTP_OTHER;
		m->head.method_name = SPAN("FROB");
	}
	if (dice(8) == 0) {
		m->head.method = HTTP_OPTIONS;
		m->head.method_name = SPAN("OPTIONS");
		m->head.path = SPAN("*");
	}
	add_fields(&m->head.fields, 8);
	if (dice(2) == 0) {
		CHECK_OK(http_add(&m->head.fields, SPAN("cookie"), SPAN("a=1; b=2;c"),
				 &err),
			&err);
	}
	m->head.takes_trailers = dice(3) == 0;
	if (dice(2) == 0) {
		m->head.expects_continue = dice(4) == 0;
		if (m->head.expects_continue) {
			CHECK_OK(http_add(&m->head.fields, SPAN("expect"),
					 SPAN("100-continue"), &err),
				&err);
		}
		add_body(m, true);
	}
}

static void
make_response(struct message *m, unsigned asked)
{
	static const unsigned codes[] = {200, 201, 204, 206, 301, 304, 404, 500, 599};
	static const unsigned interim[] = {100, 102, 103, 199};
	struct err err = {0};
	http_response_make(&m->head, &arena, codes[dice(COUNT_OF(codes))]);
	add_fields(&m->head.fields, 8);
	for (uint32_t i = dice(3); i > 0; i--) {
		CHECK_OK(http_add(&m->head.fields, SPAN("set-cookie"), any_value(),
				 &err),
			&err);
	}
	m->n_informs = dice(4) == 0 ? dice(INFORMS + 1) : 0;
	for (size_t i = 0; i < m->n_informs; i++) {
		http_response_make(
			&m->informs[i], &arena, interim[dice(COUNT_OF(interim))]);
		add_fields(&m->informs[i].fields, 4);
	}
	if (m->head.status == 204 || m->head.status == 304)
		return;
	if (asked != HTTP_HEAD) {
		add_body(m, true);
	} else if (dice(2) == 0) {
		CHECK_OK(http_add(&m->head.fields, SPAN("content-length"), SPAN("77"),
				 &err),
			&err);
	}
}

/* --- what was heard --- */

static void
keep_head(struct http_head *to, const struct http_head *from)
{
	struct err err = {0};
	CHECK_OK(http_head_copy(to, from, &arena, &err), &err);
}

static void
keep_body(struct message *to, struct span s)
{
	CHECK(to->n_body + s.n <= sizeof(to->body));
	for (size_t i = 0; i < s.n; i++)
		to->body[to->n_body++] = s.p[i];
}

static bool
is_compared(const struct http_field *x)
{
	return x->id != HTTP_NAME_HOST && x->id != HTTP_NAME_COOKIE &&
		x->id != HTTP_NAME_CONTENT_LENGTH &&
		!(http_name_flags(x->id) & HTTP_HOP);
}

static const struct http_field *
next_compared(const struct http_fields *f, uint32_t *i)
{
	while (*i < f->n) {
		const struct http_field *x = &f->v[(*i)++];
		if (is_compared(x))
			return x;
	}
	return NULL;
}

static void
check_fields(const struct http_fields *a, const struct http_fields *b)
{
	uint32_t i = 0;
	uint32_t k = 0;
	const struct http_field *x = NULL;
	while ((x = next_compared(a, &i))) {
		const struct http_field *y = next_compared(b, &k);
		CHECK(y && span_eq_nocase(x->name, y->name) &&
			span_eq(x->value, y->value));
	}
	CHECK(next_compared(b, &k) == NULL);
	CHECK(span_eq(
		http_get_id(a, HTTP_NAME_COOKIE), http_get_id(b, HTTP_NAME_COOKIE)));
}

static void
check_same(const struct message *a, const struct message *b)
{
	CHECK(span_eq(a->head.method_name, b->head.method_name));
	CHECK(span_eq(a->head.authority, b->head.authority));
	CHECK(span_eq(a->head.path, b->head.path));
	CHECK_INT(a->head.status, b->head.status);
	CHECK_INT(a->head.takes_trailers, b->head.takes_trailers);
	CHECK_INT(a->head.expects_continue, b->head.expects_continue);
	check_fields(&a->head.fields, &b->head.fields);
	check_fields(&a->head.trailers, &b->head.trailers);
	CHECK_INT(a->n_informs, b->n_informs);
	for (size_t i = 0; i < a->n_informs; i++) {
		CHECK_INT(a->informs[i].status, b->informs[i].status);
		check_fields(&a->informs[i].fields, &b->informs[i].fields);
	}
	CHECK(span_eq(span_of(a->body, a->n_body), span_of(b->body, b->n_body)));
	bool told = a->head.body.kind == BODY_LENGTH && a->n_body > 0;
	if (told && b->head.body.kind == BODY_LENGTH)
		CHECK_INT(b->head.body.length, a->n_body);
}

/* --- HTTP/1 --- */

static void
write_h1(const struct message *m, struct buf *out)
{
	struct h1_writer w;
	struct err err = {0};
	size_t done = 0;
	h1_writer_init(&w);
	for (size_t i = 0; i < m->n_informs; i++) {
		CHECK_OK(
			h1_write_head(&w, &m->informs[i], out, &err) == H1_WROTE, &err);
	}
	CHECK_OK(h1_write_head(&w, &m->head, out, &err) == H1_WROTE, &err);
	while (done < m->n_body) {
		size_t piece = 1 + dice(700);
		struct span s = span_of(m->body + done, m->n_body - done);
		done += h1_write_body(&w, span_first(s, piece), out);
	}
	CHECK_OK(h1_write_end(&w, &m->head.trailers, out, &err) == H1_WROTE, &err);
}

static void
read_h1(struct message *m, bool response, unsigned asked, struct buf *in)
{
	struct h1_reader r;
	struct http_head head;
	struct span body;
	struct err err = {0};
	enum h1_step step = H1_MORE;
	h1_reader_init(&r, response ? H1_RESPONSES : H1_REQUESTS, NULL);
	if (response)
		h1_next_response(&r, asked, false);
	http_head_init(&head, &arena);
	while ((step = h1_read(&r, in, &head, &body, &err)) != H1_END) {
		CHECK_OK(step != H1_FAILED && step != H1_MORE && step != H1_TUNNEL,
			&err);
		if (step == H1_INFORM)
			keep_head(&m->informs[m->n_informs++], &head);
		if (step == H1_HEAD) {
			header_strip(&head); /* as whoever passes it on does */
			keep_head(&m->head, &head);
		}
		if (step == H1_BODY) {
			keep_body(m, body);
			h1_took(&r, in, body.n);
		}
		if (step == H1_TRAILERS)
			m->head.trailers = head.trailers;
	}
	CHECK(buf_empty(in));
}

static void
cross_h1(const struct message *from, unsigned asked, struct message *to)
{
	struct buf wire;
	buf_init(&wire, 1 << 20);
	write_h1(from, &wire);
	read_h1(to, from->head.status != 0, asked, &wire);
	buf_fini(&wire);
}

/* --- HTTP/2 --- */

/* Pieces as windows and wires allow, until all is said. */
static void
write_h2(struct h2_pair *p, struct h2_stream *x, const struct message *m)
{
	struct err err = {0};
	for (size_t done = 0; done < m->n_body;) {
		struct span s = span_of(m->body + done, m->n_body - done);
		done += h2_write_body(x, span_first(s, 1 + dice(700)));
		h2_pair_run(p);
	}
	CHECK_OK(h2_write_end(x, &m->head.trailers, &err) == H2_WROTE, &err);
	h2_pair_run(p);
}

static void
read_h2(struct h2_stream *x, struct message *m)
{
	struct http_head *head = NULL;
	struct span body;
	struct err err = {0};
	enum h2_step step = H2_MORE;
	while ((step = h2_step(x, &head, &body, &err)) != H2_END) {
		CHECK_OK(step != H2_FAILED && step != H2_MORE, &err);
		if (step == H2_INFORM)
			keep_head(&m->informs[m->n_informs++], head);
		if (step == H2_HEAD)
			keep_head(&m->head, head);
		if (step == H2_BODY) {
			keep_body(m, body);
			h2_took(x, body.n);
		}
	}
	keep_head(&m->head, head); /* with its trailers */
}

static void
cross_h2(struct h2_pair *p, const struct message *from, unsigned asked,
	struct message *to)
{
	struct http_head question;
	struct h2_user user;
	struct err err = {0};
	bool response = from->head.status != 0;
	http_request_make(&question, &arena, asked, SPAN("a"), SPAN("/"));
	struct h2_stream *c =
		h2_request(&p->client, response ? &question : &from->head, &user, &err);
	CHECK_OK(c != NULL, &err);
	if (!response)
		write_h2(p, c, from);
	h2_pair_run(p);
	struct h2_stream *s = h2_ready(&p->server);
	CHECK(s != NULL);
	if (response) {
		for (size_t i = 0; i < from->n_informs; i++)
			CHECK_INT(h2_write_head(s, &from->informs[i], &err), H2_WROTE);
		CHECK_OK(h2_write_head(s, &from->head, &err) == H2_WROTE, &err);
		write_h2(p, s, from);
	}
	read_h2(response ? c : s, to);
	h2_release(c);
	h2_release(s);
	h2_pair_run(p);
	CHECK(!p->client_over && !p->server_over);
}

/* --- the property --- */

static void
cross_all(struct h2_pair *p, const struct message *made, unsigned asked)
{
	static struct message heard[4];
	memset(heard, 0, sizeof(heard));
	cross_h1(made, asked, &heard[0]);
	cross_h2(p, &heard[0], asked, &heard[1]);
	cross_h1(&heard[1], asked, &heard[2]);
	cross_h2(p, &heard[2], asked, &heard[3]);
	for (size_t i = 0; i < COUNT_OF(heard); i++)
		check_same(made, &heard[i]);
}

static void
cross_one(struct h2_pair *p, bool response)
{
	static struct message made;
	unsigned asked = dice(5) == 0 ? HTTP_HEAD : HTTP_GET;
	arena_init(&arena, (size_t)4 * 1024 * 1024);
	memset(&made, 0, sizeof(made));
	if (response) {
		make_response(&made, asked);
	} else {
		make_request(&made);
	}
	cross_all(p, &made, asked);
	arena_fini(&arena);
}

static void
cross_many(bool responses)
{
	for (unsigned i = 0; i < ROUNDS / 50; i++) {
		struct h2_pair p;
		h2_pair_open(&p);
		h2_pair_run(&p);
		for (unsigned k = 0; k < 50; k++)
			cross_one(&p, responses);
		h2_pair_close(&p);
	}
}

static void
any_request_crosses_and_comes_back(void)
{
	cross_many(false);
}

static void
any_response_crosses_and_comes_back(void)
{
	cross_many(true);
}

TESTS(any_request_crosses_and_comes_back, any_response_crosses_and_comes_back)

// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz http_translate: heads between the versions, both ways. The first octet chooses
 *the way, request or response, and the method that was asked with.
 *
 *	from HTTP/1   the rest is text: what is accepted and can be said as a list of
 *	              HTTP/2 is accepted as one, and means the same
 *	from HTTP/2   the rest is a list (length, name, length, value, …): what is
 *accepted and can be said in HTTP/1 is accepted there, and means the same
 */
#include "base/must.h"
#include "base/read.h"
#include "http/h1_read.h"
#include "http/h1_write.h"
#include "http/header.h"
#include "http/translate.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

struct way {
	bool response;
	enum http_method asked;
};

static bool
is_empty(const struct http_body *body)
{
	return body->kind == BODY_NONE ||
		(body->kind == BODY_LENGTH && body->length == 0);
}

static bool
same_meaning(const struct http_head *a, const struct http_head *b)
{
	bool known_a = a->body.kind == BODY_LENGTH && a->body.length > 0;
	bool known_b = b->body.kind == BODY_LENGTH && b->body.length > 0;

	return span_eq(a->method_name, b->method_name) && span_eq(a->path, b->path) &&
		span_eq(a->authority, b->authority) && a->status == b->status &&
		is_empty(&a->body) == is_empty(&b->body) && known_a == known_b &&
		(!known_a || a->body.length == b->body.length);
}

static bool
read_h1(const struct way *way, struct buf *in, struct http_head *head)
{
	struct h1_reader r;
	struct span body;
	struct err err;

	h1_reader_init(&r, way->response ? H1_RESPONSES : H1_REQUESTS, NULL);
	if (way->response)
		h1_next_response(&r, way->asked, false);
	return h1_read(&r, in, head, &body, &err) == H1_HEAD;
}

/* The framing library lowers names. */
static struct http_field
lowered(const struct http_field *x, struct arena *a)
{
	struct http_field low = *x;
	uint8_t *p = arena_alloc(a, x->name.n + 1);

	span_lower(p, x->name);
	low.name = span_of(p, x->name.n);
	return low;
}

static bool
read_h2(const struct way *way, const struct http_fields *list, bool ended,
	struct http_head *head, struct err *err)
{
	struct translate t = {0};

	for (uint32_t i = 0; i < list->n; i++) {
		struct http_field x = lowered(&list->v[i], head->fields.arena);
		if (!translate_field(&t, &http_limits_default, head, &x, err))
			return false;
	}
	return way->response ? translate_response(&t, head, way->asked, ended, err)
			     : translate_request(&t, head, ended, err);
}

static void
cross_from_h1(const struct way *way, struct span text, struct arena *a)
{
	struct http_head first;
	struct http_head second;
	struct http_fields list = {.arena = a};
	struct buf in;
	struct err err = {0};

	http_head_init(&first, a);
	http_head_init(&second, a);
	buf_init(&in, (size_t)1024 * 1024);
	if (buf_put(&in, text) && read_h1(way, &in, &first)) {
		header_strip(&first);
		if (translate_out(&first, &list, &err)) {
			bool ok = read_h2(
				way, &list, is_empty(&first.body), &second, &err);
			must(ok || err.code == ERR_HTTP_TOO_LARGE);
			must(!ok || same_meaning(&first, &second));
		}
	}
	buf_fini(&in);
}

static void
read_list(struct span s, struct http_fields *list)
{
	struct read r = read_from(s);

	while (read_more(&r)) {
		struct span name = read_vec(&r, 1).left;
		struct span value = read_vec(&r, 2).left;
		if (!http_push(list, name, value))
			return;
	}
}

static void
cross_from_h2(const struct way *way, struct span octets, struct arena *a)
{
	struct http_head first;
	struct http_head second;
	struct http_fields list = {.arena = a};
	struct h1_writer w;
	struct buf wire;
	struct err err = {0};

	http_head_init(&first, a);
	http_head_init(&second, a);
	read_list(octets, &list);
	buf_init(&wire, (size_t)1024 * 1024);
	h1_writer_init(&w);
	bool ended = (list.n & 1) != 0;
	if (read_h2(way, &list, ended, &first, &err) &&
		h1_write_head(&w, &first, &wire, &err) == H1_WROTE &&
		first.method != HTTP_CONNECT && first.status / 100 != 1) {
		must(read_h1(way, &wire, &second));
		must(same_meaning(&first, &second));
	}
	buf_fini(&wire);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const enum http_method methods[] = {
		HTTP_GET, HTTP_HEAD, HTTP_OTHER, HTTP_POST};
	struct arena a;

	if (n < 1)
		return 0;
	const struct way way = {
		.response = p[0] & 1, .asked = methods[(p[0] >> 2) & 3]};
	struct span s = span_of(p + 1, n - 1);
	arena_init(&a, (size_t)4 * 1024 * 1024);
	if (p[0] & 2) {
		cross_from_h2(&way, s, &a);
	} else {
		cross_from_h1(&way, s, &a);
	}
	arena_fini(&a);
	return 0;
}

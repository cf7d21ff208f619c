// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz http_h1_read: both roles, chunks and trailers included. The first octet chooses
 * role, method asked and size of pieces. What a reader says must not depend on the
 * pieces, and what a writer makes of a head that was accepted must read the same.
 */
#include <string.h>

#include "base/must.h"
#include "http/h1_write.h"
#include "http/header.h"
#include "tests/http/h1_play.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static bool
same_fields(const struct http_head *a, const struct http_head *b)
{
	return span_eq(a->method_name, b->method_name) && span_eq(a->path, b->path) &&
		span_eq(a->authority, b->authority) && a->status == b->status &&
		a->body.kind == b->body.kind && a->body.length == b->body.length;
}

/* What the writer made of an accepted head, read again. */
static void
check_written(
	const struct h1_play *play, const struct http_head *head, struct buf *wire)
{
	struct http_head again;
	struct h1_reader r;
	struct span body;
	struct arena a;
	struct err err;

	arena_init(&a, 1024 * 1024);
	http_head_init(&again, &a);
	h1_reader_init(&r, play->role, NULL);
	if (play->role == H1_RESPONSES)
		h1_next_response(&r, play->asked, play->upgrade);
	enum h1_step step = h1_read(&r, wire, &again, &body, &err);
	must(step == H1_HEAD || step == H1_INFORM);
	must(same_fields(head, &again));
	arena_fini(&a);
}

static void
rewrite_heads(const struct h1_play *play, struct span s)
{
	struct h1_reader r;
	struct http_head head;
	struct span body;
	struct arena a;
	struct buf in;
	struct err err;

	arena_init(&a, 1024 * 1024);
	http_head_init(&head, &a);
	buf_init(&in, 1024 * 1024);
	h1_reader_init(&r, play->role, NULL);
	if (play->role == H1_RESPONSES)
		h1_next_response(&r, play->asked, play->upgrade);
	if (buf_put(&in, s) && h1_read(&r, &in, &head, &body, &err) == H1_HEAD) {
		struct h1_writer w;
		struct buf out;
		h1_writer_init(&w);
		buf_init(&out, 1024 * 1024);
		header_strip(&head);
		if (h1_write_head(&w, &head, &out, &err) == H1_WROTE)
			check_written(play, &head, &out);
		buf_fini(&out);
	}
	buf_fini(&in);
	arena_fini(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const enum http_method methods[] = {
		HTTP_GET, HTTP_HEAD, HTTP_OTHER, HTTP_POST};

	if (n < 1)
		return 0;
	struct h1_play whole = {
		.role = p[0] & 1 ? H1_RESPONSES : H1_REQUESTS,
		.asked = methods[(p[0] >> 1) & 3],
		.eof = (p[0] & 8) != 0,
	};
	struct h1_play pieces = whole;
	struct span s = span_of(p + 1, n - 1);
	pieces.piece = 1U + (p[0] >> 4);
	h1_play(&whole, s);
	h1_play(&pieces, s);
	must(strcmp(whole.said, pieces.said) == 0);
	must(whole.err.code == pieces.err.code);
	rewrite_heads(&whole, s);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * cache_keep: Vary and heads as octets.
 *
 *	vary   { name-length 1, name in lower case, value-length 2, value } …
 *	head   { name-length 2, name, value-length 4, value } …
 *
 * What is read may lie in memory that other processes write, so it is read with bounds.
 */
#include "base/read.h"
#include "http/cache.h"
#include "http/header.h"

enum {
	NAMES_MOST = 32, /* that a response may depend on */
	HEAD_MOST = 65536,
};

/* ---- Vary ---- */

/* Language tags, content codings and charsets are the same in any case (RFC 9110
 * §8.3.2, §8.4.1, §8.5.1). Their order is left alone: some origins go by it. */
static bool
ignores_case(struct span name)
{
	static const struct span some[] = {
		SPAN_INIT("accept-language"),
		SPAN_INIT("accept-encoding"),
		SPAN_INIT("accept-charset"),
	};

	for (size_t i = 0; i < COUNT_OF(some); i++) {
		if (span_eq_nocase(name, some[i]))
			return true;
	}
	return false;
}

/* All values of a field as one list, without blanks around its commas: different ways
 * of saying the same (RFC 9111 §4.1). */
static void
write_values(struct write *w, const struct http_fields *request, struct span name)
{
	const struct http_field *f = NULL;
	size_t from = w->n;
	bool first = true;

	while ((f = http_next(request, name, f)) != NULL) {
		struct span rest = f->value;
		struct span item;
		while (header_item(&rest, &item)) {
			if (!first)
				write_be(w, ',', 1);
			write_span(w, item);
			first = false;
		}
	}
	/* A field that is there and empty is not one that is absent. */
	if (first && http_next(request, name, NULL))
		write_be(w, ',', 1);
	if (ignores_case(name))
		span_lower(w->p + from, span_of(w->p + from, w->n - from));
}

static bool
has_name(struct span vary, struct span name)
{
	struct read r = read_from(vary);

	while (read_more(&r)) {
		if (span_eq(read_vec(&r, 1).left, name))
			return true;
		(void)read_vec(&r, 2);
	}
	return false;
}

static void
write_name(struct write *w, const struct http_fields *request, struct span name)
{
	uint8_t lower[255];

	if (name.n > sizeof(lower)) {
		w->bad = true;
		return;
	}
	span_lower(lower, name);
	name = span_of(lower, name.n);
	if (has_name(span_of(w->p, w->n), name))
		return;
	write_be(w, (uint32_t)name.n, 1); /* checked above */
	write_span(w, name);
	size_t mark = write_open(w, 2);
	write_values(w, request, name);
	write_close(w, mark, 2);
}

bool
cache_vary_make(const struct http_fields *response, const struct http_fields *request,
	struct arena *a, struct span *out)
{
	uint8_t text[CACHE_VARY_MOST];
	struct write w = write_to(text, sizeof(text));
	const struct http_field *f = NULL;
	unsigned names = 0;

	while ((f = http_next(response, SPAN("vary"), f)) != NULL) {
		struct span rest = f->value;
		struct span name;
		while (header_item(&rest, &name)) {
			if (span_eq(name, SPAN("*")) || ++names > NAMES_MOST)
				return false;
			write_name(&w, request, name);
		}
	}
	if (w.bad || arena_room(a) < w.n)
		return false;
	*out = arena_copy(a, span_of(text, w.n));
	return true;
}

bool
cache_vary_matches(struct span vary, const struct http_fields *request)
{
	struct read r = read_from(vary);
	uint8_t text[CACHE_VARY_MOST];

	while (read_more(&r)) {
		struct span name = read_vec(&r, 1).left;
		struct span value = read_vec(&r, 2).left;
		struct write w = write_to(text, sizeof(text));
		write_values(&w, request, name);
		if (w.bad || !span_eq(value, span_of(text, w.n)))
			return false;
	}
	return read_done(&r);
}

/* ---- heads ---- */

/* RFC 9111 §3.1, and what we say anew each time. */
static bool
is_kept(const struct http_field *f, const struct cache_control *cc)
{
	if (http_name_flags(f->id) & HTTP_HOP || f->id == HTTP_NAME_CONTENT_LENGTH ||
		f->id == HTTP_NAME_TRAILER || span_eq_nocase(f->name, SPAN("age")))
		return false;
	return !cache_control_lists(cc->no_cache_fields, f->name) &&
		!cache_control_lists(cc->private_fields, f->name);
}

static void
write_field(struct write *w, const struct http_field *f)
{
	size_t mark = write_open(w, 2);

	write_span(w, f->name);
	write_close(w, mark, 2);
	mark = write_open(w, 4);
	write_span(w, f->value);
	write_close(w, mark, 4);
}

bool
cache_head_write(const struct http_head *head, struct arena *a, struct span *out)
{
	struct cache_control cc;
	size_t cap = 0;

	cache_control_read(&head->fields, &cc);
	for (uint32_t i = 0; i < head->fields.n; i++)
		cap += head->fields.v[i].name.n + head->fields.v[i].value.n + 6;
	if (cap > HEAD_MOST || arena_room(a) < cap + 64)
		return false;
	struct write w = write_to(arena_alloc(a, cap), cap);
	for (uint32_t i = 0; i < head->fields.n; i++) {
		if (is_kept(&head->fields.v[i], &cc))
			write_field(&w, &head->fields.v[i]);
	}
	*out = write_done(&w);
	return !w.bad;
}

bool
cache_head_read(struct span s, struct http_head *head, struct arena *a)
{
	struct read r = read_from(s);

	http_head_init(head, a);
	head->version = HTTP_1_1;
	while (read_more(&r)) {
		struct span name = read_vec(&r, 2).left;
		struct span value = read_vec(&r, 4).left;
		if (r.bad || !http_is_token(name) || !http_is_value(value) ||
			!http_push(&head->fields, name, value))
			return false;
	}
	return read_done(&r);
}

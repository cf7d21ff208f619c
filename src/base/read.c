// SPDX-License-Identifier: Apache-2.0
#include "base/read.h"

#include <string.h>

#include "base/must.h"

struct read
read_from(struct span s)
{
	return (struct read){.left = s};
}

struct span
read_bytes(struct read *r, size_t n)
{
	if (r->bad || n > r->left.n) {
		r->bad = true;
		return (struct span){0};
	}
	struct span taken = span_first(r->left, n);
	r->left = span_from(r->left, n);
	return taken;
}

uint32_t
read_be(struct read *r, size_t bytes)
{
	must(bytes >= 1 && bytes <= 4);
	struct span s = read_bytes(r, bytes);
	uint32_t v = 0;
	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | s.p[i];
	return v;
}

uint64_t
read_be64(struct read *r)
{
	struct span s = read_bytes(r, 8);
	uint64_t v = 0;
	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | s.p[i];
	return v;
}

struct read
read_vec(struct read *r, size_t bytes)
{
	size_t n = read_be(r, bytes);
	struct span body = read_bytes(r, n);
	return (struct read){.left = body, .bad = r->bad};
}

bool
read_more(const struct read *r)
{
	return !r->bad && r->left.n > 0;
}

bool
read_done(const struct read *r)
{
	return !r->bad && r->left.n == 0;
}

struct write
write_to(void *p, size_t cap)
{
	return (struct write){.p = p, .cap = cap};
}

static uint8_t *
take_room(struct write *w, size_t n)
{
	if (w->bad || n > w->cap - w->n) {
		w->bad = true;
		return NULL;
	}
	uint8_t *at = w->p + w->n;
	w->n += n;
	return at;
}

static void
store_be(uint8_t *at, uint64_t v, size_t bytes)
{
	for (size_t i = bytes; i > 0; i--) {
		at[i - 1] = (uint8_t)(v & 0xff);
		v >>= 8;
	}
}

void
write_be(struct write *w, uint32_t v, size_t bytes)
{
	must(bytes >= 1 && bytes <= 4);
	uint8_t *at = take_room(w, bytes);
	if (at)
		store_be(at, v, bytes);
}

void
write_be64(struct write *w, uint64_t v)
{
	uint8_t *at = take_room(w, 8);
	if (at)
		store_be(at, v, 8);
}

void
write_span(struct write *w, struct span s)
{
	uint8_t *at = take_room(w, s.n);
	if (at && s.n > 0)
		memcpy(at, s.p, s.n);
}

size_t
write_open(struct write *w, size_t bytes)
{
	size_t mark = w->n;
	uint8_t *at = take_room(w, bytes);
	if (at)
		memset(at, 0, bytes);
	return mark;
}

void
write_close(struct write *w, size_t mark, size_t bytes)
{
	if (w->bad)
		return;
	size_t body = w->n - mark - bytes;
	if (bytes < 8 && body >> (8 * bytes) != 0) {
		w->bad = true;
		return;
	}
	store_be(w->p + mark, body, bytes);
}

struct span
write_done(const struct write *w)
{
	return w->bad ? (struct span){0} : span_of(w->p, w->n);
}

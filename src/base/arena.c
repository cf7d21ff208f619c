// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <stdarg.h>
#include <string.h>

#include "base/must.h"
#include "base/pool.h"
#include "base/text.h"

enum {
	ALIGN = 16,
	FIRST_BLOCK = 1024,
	MOST_BLOCK = 32 * 1024,
};

struct arena_block {
	struct arena_block *next;
	size_t used;
	size_t cap;
	_Alignas(ALIGN) uint8_t bytes[];
};

void
arena_init(struct arena *a, size_t limit)
{
	*a = (struct arena){.limit = limit};
}

static void
drop_newest(struct arena *a)
{
	struct arena_block *b = a->blocks;
	a->blocks = b->next;
	pool_give(b, sizeof(*b) + b->cap);
}

void
arena_fini(struct arena *a)
{
	while (a->blocks)
		drop_newest(a);
	a->used = 0;
}

/* The oldest block is the smallest; it is the one worth keeping. */
void
arena_reset(struct arena *a)
{
	while (a->blocks && a->blocks->next)
		drop_newest(a);
	if (a->blocks)
		a->blocks->used = 0;
	a->used = 0;
}

size_t
arena_room(const struct arena *a)
{
	return a->limit - a->used;
}

static struct arena_block *
add_block(struct arena *a, size_t need)
{
	size_t cap = a->blocks ? a->blocks->cap * 2 : FIRST_BLOCK;
	if (cap > MOST_BLOCK)
		cap = MOST_BLOCK;
	if (cap < need)
		cap = need;
	struct arena_block *b = pool_take(sizeof(*b) + cap);
	*b = (struct arena_block){.next = a->blocks, .cap = cap};
	a->blocks = b;
	return b;
}

static void *
take(struct arena *a, size_t n)
{
	must(n <= arena_room(a));
	size_t need = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	struct arena_block *b = a->blocks;
	if (!b || need > b->cap - b->used)
		b = add_block(a, need);
	void *p = b->bytes + b->used;
	b->used += need;
	a->used += n;
	return p;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	return memset(take(a, n), 0, n);
}

struct span
arena_copy(struct arena *a, struct span s)
{
	if (s.n == 0)
		return (struct span){0};
	uint8_t *p = take(a, s.n);
	memcpy(p, s.p, s.n);
	return span_of(p, s.n);
}

char *
arena_cstr(struct arena *a, struct span s)
{
	char *p = take(a, s.n + 1);
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return p;
}

struct span
arena_format(struct arena *a, const char *fmt, ...)
{
	char line[4096];
	struct text t = text_to(line, sizeof(line));
	va_list ap;
	va_start(ap, fmt);
	text_addv(&t, fmt, ap);
	va_end(ap);
	return span_of(arena_cstr(a, text_span(&t)), t.n);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * How blocks are kept: sizes are powers of two from 4 KiB on. A worker passes the same
 * few sizes around all day, so a freed block goes to a short list of its class and the
 * next taker gets it warm, without the allocator. Longer lists would only hide memory.
 */
#include "base/buf.h"

#include <string.h>

#include "base/mem.h"
#include "base/must.h"

enum {
	BLOCK_MIN_SHIFT = 12,
	CLASSES = 6,             /* 4 KiB to 128 KiB */
	KEPT_BYTES = 512 * 1024, /* per class */
};

struct block {
	struct block *next;
};

static struct {
	struct block *first;
	size_t n;
} kept[CLASSES];

static int
class_of(size_t size)
{
	for (int i = 0; i < CLASSES; i++) {
		if (size == (size_t)1 << (BLOCK_MIN_SHIFT + i))
			return i;
	}
	return -1;
}

static uint8_t *
take_block(size_t size)
{
	int class = class_of(size);
	if (class < 0 || !kept[class].first)
		return mem_resize(NULL, size);
	struct block *b = kept[class].first;
	kept[class].first = b->next;
	kept[class].n--;
	return (uint8_t *)b;
}

static void
give_block(uint8_t *mem, size_t size)
{
	int class = class_of(size);
	if (!mem)
		return;
	if (class < 0 || (kept[class].n + 1) * size > KEPT_BYTES) {
		mem_free(mem);
		return;
	}
	struct block *b = (struct block *)(void *)mem;
	b->next = kept[class].first;
	kept[class].first = b;
	kept[class].n++;
}

static void
release(struct buf *b)
{
	give_block(b->mem, b->cap);
	b->mem = NULL;
	b->head = b->tail = b->cap = 0;
}

void
buf_init(struct buf *b, size_t limit)
{
	must(limit <= (size_t)1 << 30);
	*b = (struct buf){.limit = (uint32_t)limit};
}

void
buf_fini(struct buf *b)
{
	release(b);
}

void
buf_wipe(struct buf *b)
{
	secret_wipe(b->mem, b->cap);
	release(b);
}

size_t
buf_len(const struct buf *b)
{
	return b->tail - b->head;
}

size_t
buf_room(const struct buf *b)
{
	size_t len = buf_len(b);
	return len < b->limit ? b->limit - len : 0;
}

bool
buf_full(const struct buf *b)
{
	return buf_room(b) == 0;
}

bool
buf_empty(const struct buf *b)
{
	return b->head == b->tail;
}

struct span
buf_peek(const struct buf *b)
{
	return b->mem ? span_of(b->mem + b->head, buf_len(b)) : (struct span){0};
}

void
buf_drop(struct buf *b, size_t n)
{
	must(n <= buf_len(b));
	b->head += (uint32_t)n; /* at most tail */
	if (b->head == b->tail)
		release(b);
}

/* The smallest block that holds `need` bytes. */
static size_t
block_size(size_t need)
{
	size_t size = (size_t)1 << BLOCK_MIN_SHIFT;
	while (size < need)
		size *= 2;
	return size;
}

/* Makes `want` bytes free behind the tail: by moving the bytes down when the block is
 * large enough, else by moving into a larger one. */
static void
make_room(struct buf *b, size_t want)
{
	size_t len = buf_len(b);
	if (len + want <= b->cap) {
		memmove(b->mem, b->mem + b->head, len);
	} else {
		size_t size = block_size(len + want);
		uint8_t *mem = take_block(size);
		if (len > 0)
			memcpy(mem, b->mem + b->head, len);
		give_block(b->mem, b->cap);
		b->mem = mem;
		b->cap = (uint32_t)size; /* below 2 GiB: the limit is at most 1 GiB */
	}
	b->head = 0;
	b->tail = (uint32_t)len;
}

uint8_t *
buf_space(struct buf *b, size_t want, size_t *n)
{
	size_t room = buf_room(b);
	if (want > room)
		want = room;
	if (want == 0) {
		*n = 0;
		return NULL;
	}
	if (want > b->cap - b->tail)
		make_room(b, want);
	size_t free_bytes = b->cap - b->tail;
	*n = free_bytes < room ? free_bytes : room;
	return b->mem + b->tail;
}

void
buf_added(struct buf *b, size_t n)
{
	must(n <= b->cap - b->tail && n <= buf_room(b));
	b->tail += (uint32_t)n; /* at most cap */
	if (b->head == b->tail)
		release(b);
}

bool
buf_put(struct buf *b, struct span s)
{
	if (s.n > buf_room(b))
		return false;
	if (s.n == 0)
		return true;
	size_t n = 0;
	uint8_t *at = buf_space(b, s.n, &n);
	memcpy(at, s.p, s.n);
	buf_added(b, s.n);
	return true;
}

static void
swap_blocks(struct buf *a, struct buf *b)
{
	struct buf old = *a;
	*a = *b;
	*b = old;
	uint32_t limit = a->limit;
	a->limit = b->limit;
	b->limit = limit;
}

size_t
buf_move(struct buf *dst, struct buf *src, size_t max)
{
	size_t n = buf_len(src);
	if (n == 0)
		return 0;
	if (buf_empty(dst) && n <= max && n <= dst->limit) {
		swap_blocks(dst, src);
		return n;
	}
	if (n > max)
		n = max;
	if (n > buf_room(dst))
		n = buf_room(dst);
	bool fits = buf_put(dst, span_first(buf_peek(src), n));
	must(fits);
	buf_drop(src, n);
	return n;
}

void
buf_trim(void)
{
	for (int i = 0; i < CLASSES; i++) {
		while (kept[i].first) {
			struct block *b = kept[i].first;
			kept[i].first = b->next;
			mem_free(b);
		}
		kept[i].n = 0;
	}
}

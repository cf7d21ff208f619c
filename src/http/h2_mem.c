// SPDX-License-Identifier: Apache-2.0
/*
 * Where the framing library's memory comes from. Each of its sessions holds a block for
 * one whole frame from its first moment on, 16 KiB, of which a connection that sends
 * heads of ordinary size writes the first page only, and a table of its streams, 4 KiB,
 * which holds nothing while there are none. Both lie on pages of their own here, in
 * memory that nobody has written to before: what is never written is never there, and
 * what an idle connection has no use for goes back to the kernel. More than half of
 * what such a connection would cost in the library is saved so.
 *
 * All else is small and goes with its stream: some twenty blocks a request, which the
 * pool has warm. It wants to be told their size, so that stands in front of each.
 */
#include <nghttp2/nghttp2.h>
#include <string.h>
#include <sys/mman.h>

#include "base/must.h"
#include "base/poison.h"
#include "base/pool.h"
#include "http/h2_priv.h"

enum {
	FRAME_LEAST = 12 * 1024, /* what is smaller comes from the heap */
	FRAME_MOST = 20 * 1024,  /* five pages */
	TABLE = 4096,
	PLACES = 16384, /* for either; then the heap must do */
};

/* A place that was used before, in a list through the places themselves. */
struct h2_place {
	struct h2_place *next;
};

struct h2_places {
	size_t size;    /* of one: whole pages */
	uint8_t *start; /* NULL before it is wanted */
	size_t fresh;   /* places from the start that were given out once */
	struct h2_place *used;
};

/* A process has these. */
static struct h2_places frames = {.size = FRAME_MOST};
static struct h2_places tables = {.size = TABLE};

static bool
is_in(const struct h2_places *all, const void *p)
{
	const uint8_t *at = p;

	return all->start && at >= all->start && at < all->start + PLACES * all->size;
}

/* Large pages would be there as a whole. */
static void
open_places(struct h2_places *all)
{
	size_t size = PLACES * all->size;
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		all->fresh = PLACES;
		return;
	}
	(void)madvise(p, size, MADV_NOHUGEPAGE);
	all->start = p;
}

/* NULL when there is none. *fresh: nobody has written to it. */
static void *
take_place(struct h2_places *all, bool *fresh)
{
	struct h2_place *old = all->used;

	*fresh = !old;
	if (old) {
		all->used = old->next;
		unpoison(old, all->size);
		return old;
	}
	if (!all->start && all->fresh == 0)
		open_places(all);
	if (all->fresh == PLACES)
		return NULL;
	return all->start + all->fresh++ * all->size;
}

static void
give_place(struct h2_places *all, void *p)
{
	struct h2_place *place = p;

	place->next = all->used;
	all->used = place;
	poison(place + 1, all->size - sizeof(*place));
}

/* What stands in front of a block that has no place. */
struct h2_sized {
	size_t n; /* of the whole */
	_Alignas(16) uint8_t bytes[];
};

static struct h2_sized *
sized_of(void *p)
{
	return CONTAINER_OF(p, struct h2_sized, bytes);
}

static void *
take_sized(size_t size)
{
	size_t n = 0;

	must(size_add(size, sizeof(struct h2_sized), &n)); /* a size of the library's */
	struct h2_sized *block = pool_take(n);
	block->n = n;
	return block->bytes;
}

static void *
take(size_t size, void *owner)
{
	struct h2 *h2 = owner;
	void *frame = NULL;
	bool fresh = false;

	if (size >= FRAME_LEAST && size <= FRAME_MOST)
		frame = take_place(&frames, &fresh);
	if (frame && !h2->frame)
		h2->frame = frame;
	return frame ? frame : take_sized(size);
}

static void
give(void *p, void *owner)
{
	struct h2 *h2 = owner;

	if (h2->frame == p)
		h2->frame = NULL;
	if (h2->table == p)
		h2->table = NULL;
	if (!p)
		return;
	if (is_in(&frames, p)) {
		give_place(&frames, p);
	} else if (is_in(&tables, p)) {
		give_place(&tables, p);
	} else {
		pool_give(sized_of(p), sized_of(p)->n);
	}
}

static void *
take_zeroed(size_t n, size_t size, void *owner)
{
	struct h2 *h2 = owner;
	void *table = NULL;
	bool fresh = false;

	must(size == 0 || n <= SIZE_MAX / size); /* a size of the library's */
	if (n * size == TABLE)
		table = take_place(&tables, &fresh);
	if (!table)
		return memset(take_sized(n * size), 0, n * size);
	h2->table = h2->table ? h2->table : table;
	return fresh ? table : memset(table, 0, TABLE);
}

static size_t
size_of(void *p)
{
	if (is_in(&frames, p))
		return FRAME_MOST;
	return is_in(&tables, p) ? TABLE : sized_of(p)->n - sizeof(struct h2_sized);
}

/* The library grows its blocks from nothing, and smaller ones in the heap. */
static void *
resize(void *p, size_t size, void *owner)
{
	if (!p)
		return take(size, owner);
	size_t had = size_of(p);
	if (size <= had)
		return p;
	void *more = take_sized(size);
	memcpy(more, p, had); /* less than size */
	give(p, owner);
	return more;
}

void
h2_mem_fill(nghttp2_mem *mem, struct h2 *h2)
{
	*mem = (nghttp2_mem){h2, take, give, take_zeroed, resize};
}

/* Whatever the library keeps there: a page of noughts that is not there reads the same.
 */
static bool
is_blank(const uint8_t *table)
{
	return table[0] == 0 && memcmp(table, table + 1, TABLE - 1) == 0;
}

/* What is in the frame's block matters only while a frame of it goes out. */
void
h2_rest(struct h2 *h2)
{
	if (h2->frame && h2->unsent.n == 0 && !nghttp2_session_want_write(h2->session))
		(void)madvise(h2->frame, FRAME_MOST, MADV_DONTNEED);
	if (h2->table && is_blank(h2->table))
		(void)madvise(h2->table, TABLE, MADV_DONTNEED);
}

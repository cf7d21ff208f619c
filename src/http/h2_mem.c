// SPDX-License-Identifier: Apache-2.0
/*
 * Where the framing library's memory comes from. Each of its sessions holds a block for
 * one whole frame from its first moment on, 16 KiB, of which a connection that sends
 * heads of ordinary size writes the first page only. Such blocks begin on a page here,
 * in memory that nobody has written to before: the rest of them is never there. Two
 * thirds of what an idle connection would cost are saved so.
 *
 * All else is small and goes with its stream: some twenty blocks a request, which the
 * pool has warm. It wants to be told their size, so that stands in front of each.
 */
#include <nghttp2/nghttp2.h>
#include <string.h>
#include <sys/mman.h>

#include "base/must.h"
#include "base/pool.h"
#include "http/h2_priv.h"

enum {
	FRAME_LEAST = 12 * 1024, /* what is smaller comes from the heap */
	FRAME_MOST = 20 * 1024,  /* five pages */
	FRAMES = 16384,          /* then the heap must do */
};

/* A block that was used before, in a list through the blocks themselves. */
struct h2_frame {
	struct h2_frame *next;
};

/* A process has one such place. */
static struct {
	uint8_t *start; /* NULL before it is wanted */
	size_t fresh;   /* blocks from the start that were given out once */
	struct h2_frame *used;
} frames;

static bool
is_frame(const void *p)
{
	const uint8_t *at = p;

	return frames.start && at >= frames.start &&
		at < frames.start + (size_t)FRAMES * FRAME_MOST;
}

static void
open_frames(void)
{
	void *p = mmap(NULL, (size_t)FRAMES * FRAME_MOST, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		frames.fresh = FRAMES;
	} else {
		frames.start = p;
	}
}

static void *
take_frame(void)
{
	struct h2_frame *old = frames.used;

	if (old) {
		frames.used = old->next;
		return old;
	}
	if (!frames.start && frames.fresh == 0)
		open_frames();
	if (frames.fresh == FRAMES)
		return NULL;
	return frames.start + frames.fresh++ * FRAME_MOST;
}

/* What stands in front of a block that is no frame. */
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

	if (size >= FRAME_LEAST && size <= FRAME_MOST)
		frame = take_frame();
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
	if (!p)
		return;
	if (!is_frame(p)) {
		pool_give(sized_of(p), sized_of(p)->n);
		return;
	}
	struct h2_frame *frame = p;
	frame->next = frames.used;
	frames.used = frame;
}

static void *
take_zeroed(size_t n, size_t size, void *unused)
{
	(void)unused;
	must(size == 0 || n <= SIZE_MAX / size); /* a size of the library's */
	return memset(take_sized(n * size), 0, n * size);
}

/* The library grows its blocks from nothing, and smaller ones in the heap. */
static void *
resize(void *p, size_t size, void *owner)
{
	if (!p)
		return take(size, owner);
	size_t had = is_frame(p) ? (size_t)FRAME_MOST
				 : sized_of(p)->n - sizeof(struct h2_sized);
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

/* What is in the block matters only while a frame of it goes out. */
void
h2_rest(struct h2 *h2)
{
	if (h2->frame && h2->unsent.n == 0 && !nghttp2_session_want_write(h2->session))
		(void)madvise(h2->frame, FRAME_MOST, MADV_DONTNEED);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * How re-arming costs nothing: a place in the heap holds a key that is never later than
 * its timer's deadline. Setting a later deadline leaves the key alone; when the place
 * comes up too early it goes back in with the true one. An idle timer pushed on by each
 * byte of a busy connection is thus moved once per period, not once per byte.
 */
#include "net/timer.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include "net/loop.h"

enum { ARITY = 4 }; /* half the depth of two; four keys share a cache line */

static void
put_place(struct timer_heap *h, size_t i, struct timer_place place)
{
	h->places[i] = place;
	place.timer->slot = (uint32_t)i + 1; /* timer_set() bounds the number */
}

static void
sift_up(struct timer_heap *h, size_t i, struct timer_place place)
{
	while (i > 0) {
		size_t parent = (i - 1) / ARITY;
		if (h->places[parent].key_ms <= place.key_ms)
			break;
		put_place(h, i, h->places[parent]);
		i = parent;
	}
	put_place(h, i, place);
}

static size_t
least_child(const struct timer_heap *h, size_t i)
{
	size_t first = i * ARITY + 1;
	size_t end = first + ARITY < h->n ? first + ARITY : h->n;
	size_t least = first;
	for (size_t c = first + 1; c < end; c++) {
		if (h->places[c].key_ms < h->places[least].key_ms)
			least = c;
	}
	return least;
}

static void
sift_down(struct timer_heap *h, size_t i, struct timer_place place)
{
	while (i * ARITY + 1 < h->n) {
		size_t child = least_child(h, i);
		if (h->places[child].key_ms >= place.key_ms)
			break;
		put_place(h, i, h->places[child]);
		i = child;
	}
	put_place(h, i, place);
}

static void
remove_place(struct timer_heap *h, size_t i)
{
	h->places[i].timer->slot = 0;
	struct timer_place last = h->places[--h->n];
	if (i == h->n)
		return;
	if (i > 0 && h->places[(i - 1) / ARITY].key_ms > last.key_ms) {
		sift_up(h, i, last);
	} else {
		sift_down(h, i, last);
	}
}

void
timer_set(struct loop *loop, struct timer *t, uint64_t deadline_ms)
{
	struct timer_heap *h = &loop->timers;
	struct timer_place place = {deadline_ms, t};

	t->deadline_ms = deadline_ms;
	if (t->slot == 0) {
		must(h->n < UINT32_MAX - 1);
		h->places = mem_grow(h->places, &h->cap, h->n + 1, sizeof(*h->places));
		sift_up(h, h->n++, place);
		return;
	}
	if (deadline_ms < h->places[t->slot - 1].key_ms)
		sift_up(h, t->slot - 1, place);
}

void
timer_stop(struct loop *loop, struct timer *t)
{
	if (t->slot != 0)
		remove_place(&loop->timers, t->slot - 1);
}

bool
timer_is_set(const struct timer *t)
{
	return t->slot != 0;
}

void
timer_heap_fini(struct timer_heap *h)
{
	for (size_t i = 0; i < h->n; i++)
		h->places[i].timer->slot = 0;
	mem_free(h->places);
	*h = (struct timer_heap){0};
}

/* Every look at the top either fires it or puts it further down, so as many looks as
 * there were timers at the start are enough; a timer that sets itself anew to a time in
 * the past waits for the next turn. */
void
timer_heap_fire(struct timer_heap *h, uint64_t now_ms)
{
	for (size_t looks = h->n; looks > 0 && h->n > 0; looks--) {
		struct timer_place top = h->places[0];
		if (top.key_ms > now_ms)
			return;
		if (top.timer->deadline_ms > now_ms) {
			top.key_ms = top.timer->deadline_ms;
			sift_down(h, 0, top);
			continue;
		}
		remove_place(h, 0);
		top.timer->fired(top.timer);
	}
}

int
timer_heap_wait(const struct timer_heap *h, uint64_t now_ms, int most_ms)
{
	if (h->n == 0)
		return most_ms;
	uint64_t next = h->places[0].key_ms;
	if (next <= now_ms)
		return 0;
	return next - now_ms < (uint64_t)most_ms ? (int)(next - now_ms) : most_ms;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * timer: something that must happen later, embedded where it belongs.
 *
 * A 4-ary heap per loop. Moving a deadline further away, which every byte of every
 * connection does to its idle timer, is one store: the heap is put right when the old
 * place comes up.
 */
#pragma once

#include "base/attr.h"

struct loop;

/* All zero but `fired` is a timer that is not set. */
struct timer {
	void (*fired)(
		struct timer *t); /* t is not set any more, and may be set again */
	uint64_t deadline_ms;     /* when, by clock_now() */
	uint32_t slot;            /* place in the heap plus one; 0 while not set */
};

/* Calls t->fired in the first turn at or after deadline_ms (a clock_now() time). A
 * timer that is set already is moved. t must stay where it is until it fired or is
 * stopped. */
void timer_set(struct loop *loop, struct timer *t, uint64_t deadline_ms);
/* Does nothing to a timer that is not set. */
void timer_stop(struct loop *loop, struct timer *t);
MUST_USE bool timer_is_set(const struct timer *t);

/* The heap inside the loop; nobody else's business. */
struct timer_place {
	uint64_t key_ms; /* at most the timer's deadline */
	struct timer *timer;
};

struct timer_heap {
	struct timer_place *places; /* owned */
	size_t n;
	size_t cap;
};

void timer_heap_fini(struct timer_heap *h);
/* Fires what is due at now_ms: each timer that was set when the call began, once. */
void timer_heap_fire(struct timer_heap *h, uint64_t now_ms);
/* Milliseconds until the next, at most most_ms. May be early, never late. */
MUST_USE int timer_heap_wait(const struct timer_heap *h, uint64_t now_ms, int most_ms);

// SPDX-License-Identifier: Apache-2.0
#include "net/timer.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/loop.h"
#include "tests/test.h"

static struct {
	struct loop loop;
	size_t n;
	uint64_t last_ms;
	bool disorder;
} t;

static void
note(struct timer *timer)
{
	t.n++;
	t.disorder = t.disorder || timer->deadline_ms < t.last_ms;
	t.last_ms = timer->deadline_ms;
}

static void
open_at(uint64_t now_ms)
{
	struct err err = {0};
	clock_fake(now_ms, 0);
	t.n = t.last_ms = 0;
	t.disorder = false;
	CHECK_OK(loop_init(&t.loop, &err), &err);
}

static void
turn_at(uint64_t now_ms)
{
	clock_fake(now_ms, 0);
	loop_turn(&t.loop, 0);
}

static void
a_timer_fires_once_at_its_deadline(void)
{
	struct timer a = {.fired = note};
	open_at(1000);
	timer_set(&t.loop, &a, 1010);
	turn_at(1009);
	CHECK(t.n == 0 && timer_is_set(&a));
	turn_at(1010);
	CHECK(t.n == 1 && !timer_is_set(&a));
	turn_at(1020);
	CHECK_INT(t.n, 1);
	loop_fini(&t.loop);
}

static void
a_later_deadline_is_kept_without_moving_the_place(void)
{
	struct timer a = {.fired = note};
	open_at(1000);
	timer_set(&t.loop, &a, 1010);
	timer_set(&t.loop, &a, 1050);
	CHECK_INT(t.loop.timers.places[0].key_ms, 1010);
	turn_at(1030);
	CHECK(t.n == 0 && timer_is_set(&a));
	CHECK_INT(t.loop.timers.places[0].key_ms, 1050);
	turn_at(1050);
	CHECK_INT(t.n, 1);
	loop_fini(&t.loop);
}

static void
an_earlier_deadline_moves_it_forward(void)
{
	struct timer a = {.fired = note};
	open_at(1000);
	timer_set(&t.loop, &a, 5000);
	timer_set(&t.loop, &a, 1001);
	turn_at(1001);
	CHECK_INT(t.n, 1);
	loop_fini(&t.loop);
}

static void
a_stopped_timer_does_not_fire(void)
{
	struct timer a = {.fired = note};
	open_at(1000);
	timer_stop(&t.loop, &a);
	timer_set(&t.loop, &a, 1001);
	timer_stop(&t.loop, &a);
	CHECK(!timer_is_set(&a));
	turn_at(2000);
	CHECK_INT(t.n, 0);
	loop_fini(&t.loop);
}

static void
set_again_in_the_past(struct timer *timer)
{
	t.n++;
	timer_set(&t.loop, timer, 1);
}

static void
a_timer_that_rearms_itself_in_the_past_does_not_hold_the_turn(void)
{
	struct timer a = {.fired = set_again_in_the_past};
	open_at(1000);
	timer_set(&t.loop, &a, 1000);
	turn_at(1000);
	CHECK_INT(t.n, 1);
	turn_at(1000);
	CHECK_INT(t.n, 2);
	loop_fini(&t.loop);
}

static void
the_wait_is_until_the_next_and_never_late(void)
{
	struct timer a = {.fired = note};
	open_at(1000);
	CHECK_INT(timer_heap_wait(&t.loop.timers, 1000, 77), 77);
	timer_set(&t.loop, &a, 1040);
	CHECK_INT(timer_heap_wait(&t.loop.timers, 1000, 77), 40);
	CHECK_INT(timer_heap_wait(&t.loop.timers, 1000, 7), 7);
	CHECK_INT(timer_heap_wait(&t.loop.timers, 2000, 77), 0);
	loop_fini(&t.loop);
}

/* A small generator is enough, and gives the same run each time. */
static uint64_t
next_random(uint32_t *state)
{
	*state = *state * 1664525U + 1013904223U;
	return (*state >> 8) % 100000;
}

static void
many_set_moved_and_stopped_fire_in_order(void)
{
	enum { N = 20000 };
	struct timer *many = mem_array(N, sizeof(*many));
	uint32_t seed = 7;
	size_t stopped = 0;

	open_at(1000);
	for (size_t i = 0; i < N; i++) {
		many[i].fired = note;
		timer_set(&t.loop, &many[i], 1000 + next_random(&seed));
	}
	for (size_t i = 0; i < N; i += 3)
		timer_set(&t.loop, &many[i], 1000 + next_random(&seed));
	for (size_t i = 0; i < N; i += 7, stopped++)
		timer_stop(&t.loop, &many[i]);
	for (uint64_t now = 1000; now <= 101000; now++) {
		while (t.loop.timers.n > 0 && t.loop.timers.places[0].key_ms <= now)
			timer_heap_fire(&t.loop.timers, now);
	}
	CHECK(!t.disorder);
	CHECK_INT(t.n, N - stopped);
	CHECK_INT(t.loop.timers.n, 0);
	loop_fini(&t.loop);
	mem_free(many);
}

TESTS(a_timer_fires_once_at_its_deadline,
	a_later_deadline_is_kept_without_moving_the_place,
	an_earlier_deadline_moves_it_forward, a_stopped_timer_does_not_fire,
	a_timer_that_rearms_itself_in_the_past_does_not_hold_the_turn,
	the_wait_is_until_the_next_and_never_late,
	many_set_moved_and_stopped_fire_in_order)

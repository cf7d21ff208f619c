// SPDX-License-Identifier: Apache-2.0
#include "net/loop.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/test.h"

static struct loop loop;

static void
open_loop(void)
{
	struct err err = {0};
	CHECK_OK(loop_init(&loop, &err), &err);
}

struct ear {
	struct watch watch;
	int other; /* the far end */
	unsigned heard;
	size_t n;
	struct watch *forgets; /* when told, drops this one */
};

static void
hear(struct watch *w, unsigned events)
{
	struct ear *e = CONTAINER_OF(w, struct ear, watch);
	e->heard |= events;
	e->n++;
	if (e->forgets)
		loop_forget(&loop, e->forgets);
}

static void
ear_open(struct ear *e)
{
	int fds[2];
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	*e = (struct ear){.watch = {.fd = fds[0], .ready = hear}, .other = fds[1]};
}

static void
ear_close(struct ear *e)
{
	loop_close(&loop, &e->watch);
	CHECK_INT(e->watch.fd, -1);
	(void)close(e->other);
}

static void
a_watch_hears_what_it_asked_for_and_no_more(void)
{
	struct ear e;
	open_loop();
	ear_open(&e);
	loop_watch(&loop, &e.watch, LOOP_READ);
	loop_turn(&loop, 0);
	CHECK_INT(e.n, 0);
	CHECK(write(e.other, "x", 1) == 1);
	loop_turn(&loop, 0);
	loop_turn(&loop, 0); /* level-triggered: told until it is read */
	CHECK(e.n == 2 && e.heard == LOOP_READ);
	loop_watch(&loop, &e.watch, 0);
	loop_turn(&loop, 0);
	CHECK_INT(e.n, 2);
	loop_watch(&loop, &e.watch, LOOP_WRITE);
	loop_turn(&loop, 0);
	CHECK(e.n == 3 && e.heard == (LOOP_READ | LOOP_WRITE));
	ear_close(&e);
	loop_fini(&loop);
}

static void
an_event_already_fetched_does_not_reach_a_forgotten_watch(void)
{
	struct ear a;
	struct ear b;
	open_loop();
	ear_open(&a);
	ear_open(&b);
	a.forgets = &b.watch;
	b.forgets = &a.watch;
	loop_watch(&loop, &a.watch, LOOP_WRITE);
	loop_watch(&loop, &b.watch, LOOP_WRITE);
	loop_turn(&loop, 0);
	CHECK_INT(a.n + b.n, 1);
	ear_close(&a);
	ear_close(&b);
	loop_fini(&loop);
}

static void
a_descriptor_left_behind_is_taken_over_by_another_watch(void)
{
	struct ear first;
	struct ear second;
	open_loop();
	ear_open(&first);
	loop_watch(&loop, &first.watch, LOOP_WRITE);
	loop_leave(&loop, &first.watch);
	second = (struct ear){.watch = {.fd = first.watch.fd, .ready = hear}};
	loop_watch(&loop, &second.watch, LOOP_WRITE);
	loop_turn(&loop, 0);
	CHECK(first.n == 0 && second.n == 1);
	loop_leave(&loop, &second.watch);
	loop_turn(&loop, 0); /* nobody takes it over: the kernel is told now */
	loop_turn(&loop, 0);
	CHECK(second.n == 1 && loop.slots[first.watch.fd].mask == 0);
	ear_close(&first);
	loop_fini(&loop);
}

static void
a_number_closed_elsewhere_and_used_again_is_watched(void)
{
	struct ear old;
	struct ear fresh;
	open_loop();
	ear_open(&old);
	loop_watch(&loop, &old.watch, LOOP_WRITE);
	loop_leave(&loop, &old.watch);
	int number = old.watch.fd;
	ear_open(&fresh);
	CHECK(dup2(fresh.watch.fd, number) == number); /* closes the old one unseen */
	(void)close(fresh.watch.fd);
	fresh.watch.fd = number;
	loop_watch(&loop, &fresh.watch, LOOP_WRITE);
	loop_turn(&loop, 0);
	CHECK_INT(fresh.n, 1);
	ear_close(&fresh);
	(void)close(old.other);
	loop_fini(&loop);
}

struct body {
	struct corpse corpse;
	struct hook hook;
	bool *buried;
};

static void
bury(struct corpse *c)
{
	struct body *b = CONTAINER_OF(c, struct body, corpse);
	*b->buried = true;
	mem_free(b);
}

static void
die(struct hook *h)
{
	struct body *b = CONTAINER_OF(h, struct body, hook);
	loop_bury(&loop, &b->corpse);
	CHECK(!*b->buried);
}

static void
the_dead_are_freed_when_the_turn_ends(void)
{
	bool buried = false;
	struct body *b = mem_alloc(sizeof(*b));
	*b = (struct body){.corpse.bury = bury, .hook.run = die, .buried = &buried};
	open_loop();
	loop_soon(&loop, &b->hook);
	loop_turn(&loop, 60000); /* does not wait: something is put off */
	CHECK(buried);
	loop_fini(&loop);
}

static void
the_dead_are_freed_when_the_loop_ends_too(void)
{
	bool buried = false;
	struct body *b = mem_alloc(sizeof(*b));
	*b = (struct body){.corpse.bury = bury, .buried = &buried};
	open_loop();
	loop_bury(&loop, &b->corpse);
	loop_fini(&loop);
	CHECK(buried);
}

struct counter {
	struct hook hook;
	size_t n;
	bool again;
};

static void
count(struct hook *h)
{
	struct counter *c = CONTAINER_OF(h, struct counter, hook);
	c->n++;
	if (c->again)
		loop_soon(&loop, h);
}

static void
what_is_put_off_runs_once_and_asked_again_in_the_next_turn(void)
{
	struct counter once = {.hook.run = count};
	struct counter again = {.hook.run = count, .again = true};
	open_loop();
	loop_soon(&loop, &once.hook);
	loop_soon(&loop, &once.hook);
	loop_soon(&loop, &again.hook);
	loop_turn(&loop, 60000);
	CHECK(once.n == 1 && again.n == 1);
	loop_turn(&loop, 60000);
	CHECK(once.n == 1 && again.n == 2);
	loop_unhook(&again.hook);
	loop_turn(&loop, 0);
	CHECK_INT(again.n, 2);
	loop_fini(&loop);
}

static void
a_hook_of_every_turn_runs_until_it_is_taken_out(void)
{
	struct counter c = {.hook.run = count};
	open_loop();
	loop_each_turn(&loop, &c.hook);
	loop_turn(&loop, 0);
	loop_turn(&loop, 0);
	CHECK_INT(c.n, 2);
	loop_unhook(&c.hook);
	loop_unhook(&c.hook);
	loop_turn(&loop, 0);
	CHECK_INT(c.n, 2);
	loop_fini(&loop);
}

static void
end_it(struct hook *h)
{
	(void)h;
	loop_stop(&loop);
}

static void
run_ends_with_the_turn_that_stopped_it(void)
{
	struct hook h = {.run = end_it};
	open_loop();
	loop_soon(&loop, &h);
	loop_run(&loop);
	CHECK_INT(loop.turns, 1);
	loop_fini(&loop);
}

TESTS(a_watch_hears_what_it_asked_for_and_no_more,
	a_descriptor_left_behind_is_taken_over_by_another_watch,
	a_number_closed_elsewhere_and_used_again_is_watched,
	an_event_already_fetched_does_not_reach_a_forgotten_watch,
	the_dead_are_freed_when_the_turn_ends,
	the_dead_are_freed_when_the_loop_ends_too,
	what_is_put_off_runs_once_and_asked_again_in_the_next_turn,
	a_hook_of_every_turn_runs_until_it_is_taken_out,
	run_ends_with_the_turn_that_stopped_it)

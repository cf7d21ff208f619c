// SPDX-License-Identifier: Apache-2.0
/*
 * loop: one epoll, level-triggered, one per process.
 *
 * A turn is: wait, look at the clock, fire timers, tell watches, run what was put off,
 * run the hooks, bury the dead. Everything is embedded in the thing it belongs to and
 * nothing is freed inside a callback: loop_bury() does it when the turn ends, and a
 * forgotten watch is never called again, not even for events already fetched.
 */
#pragma once

#include "base/err.h"
#include "base/list.h"
#include "net/timer.h"

/* The kernel's values (EPOLLIN and so on), so that events are passed through. */
enum loop_event {
	LOOP_READ = 0x001,
	LOOP_WRITE = 0x004,
	LOOP_ERROR = 0x008, /* always reported */
	LOOP_HUP = 0x010,   /* always reported: both directions have ended */
};

/* Set fd and ready; the mask starts at zero and is the loop's. One watch per fd. */
struct watch {
	int fd;
	uint32_t mask; /* what is asked for; 0: nothing, and it is not told */
	void (*ready)(struct watch *w, unsigned events);
};

/* Something dead that is to be freed: `bury` does that, as the last one to see it. */
struct corpse {
	struct list in;
	void (*bury)(struct corpse *c);
};

/* Something to run at the end of a turn. Zero but for `run`, or list_init() `in`. */
struct hook {
	struct list in;
	void (*run)(struct hook *h);
};

struct loop_batch; /* events fetched and not told yet */

/* What the kernel knows about a descriptor. */
struct loop_slot {
	struct watch *watch; /* NULL: left behind by loop_leave() */
	uint32_t mask;       /* 0: not registered */
};

struct loop {
	int fd; /* of the epoll, owned */
	bool stopping;
	struct timer_heap timers;
	struct list soon;         /* hooks put off, once each */
	struct list hooks;        /* hooks of every turn */
	struct list dead;         /* corpses of this turn */
	struct loop_batch *batch; /* owned */
	struct loop_slot *slots;  /* owned; by descriptor */
	size_t n_slots;
	uint64_t turns;
};

MUST_USE bool loop_init(struct loop *loop, struct err *err);
/* Buries what is dead. Watches and timers still set are forgotten, not called. */
void loop_fini(struct loop *loop);

/* Turns until loop_stop(). */
void loop_run(struct loop *loop);
/* The running turn is the last. */
void loop_stop(struct loop *loop);
/* One turn that waits at most wait_ms (0: not at all) for something to happen. */
void loop_turn(struct loop *loop, int wait_ms);

/*
 * Tells w->ready about these events (LOOP_READ | LOOP_WRITE; 0 forgets it). A system
 * call only if the mask changes. Aborts when the kernel is out of memory for it.
 */
void loop_watch(struct loop *loop, struct watch *w, unsigned events);
/* Before w->fd is given away. Events already fetched for w are dropped. */
void loop_forget(struct loop *loop, struct watch *w);
/* As loop_forget(), for an fd that another watch of this loop is about to take over (or
 * that is closed soon): the kernel is told only by that one, which saves a call. */
void loop_leave(struct loop *loop, struct watch *w);
/* Forgets w and closes its fd, which becomes -1. No other process or descriptor may
 * share the socket: the kernel then drops it from epoll without being told. */
void loop_close(struct loop *loop, struct watch *w);

/* Runs h once, near the end of this turn; if this is called there, in the next, which
 * then does not wait. Does nothing when h is waiting already. */
void loop_soon(struct loop *loop, struct hook *h);
/* Runs h at the end of every turn, in the order added. */
void loop_each_turn(struct loop *loop, struct hook *h);
/* Takes h out of either; harmless when it is in none. */
void loop_unhook(struct hook *h);

/* Calls c->bury when this turn has ended. Once per corpse. */
void loop_bury(struct loop *loop, struct corpse *c);

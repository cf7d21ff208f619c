// SPDX-License-Identifier: Apache-2.0
#include "net/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"

_Static_assert((int)LOOP_READ == (int)EPOLLIN && (int)LOOP_WRITE == (int)EPOLLOUT &&
		(int)LOOP_ERROR == (int)EPOLLERR && (int)LOOP_HUP == (int)EPOLLHUP,
	"events are passed through unchanged");

enum {
	BATCH = 256,         /* events fetched at once */
	WAIT_MOST_MS = 60000 /* without any timer; only bounds the arithmetic */
};

struct loop_batch {
	size_t next; /* the first not told yet */
	size_t n;
	struct epoll_event events[BATCH];
};

bool
loop_init(struct loop *loop, struct err *err)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);
	if (fd < 0)
		return err_errno(err, ERR_SYSTEM, errno, "epoll_create1");
	*loop = (struct loop){.fd = fd, .batch = mem_alloc(sizeof(*loop->batch))};
	list_init(&loop->soon);
	list_init(&loop->hooks);
	list_init(&loop->dead);
	clock_tick();
	return true;
}

static void
bury_dead(struct loop *loop)
{
	for (struct list *l; (l = list_first(&loop->dead));) {
		struct corpse *c = CONTAINER_OF(l, struct corpse, in);
		list_leave(l);
		c->bury(c);
	}
}

static void
forget_hooks(struct list *hooks)
{
	for (struct list *l; (l = list_first(hooks));)
		list_leave(l);
}

void
loop_fini(struct loop *loop)
{
	bury_dead(loop);
	forget_hooks(&loop->soon);
	forget_hooks(&loop->hooks);
	timer_heap_fini(&loop->timers);
	mem_free(loop->batch);
	mem_free(loop->slots);
	loop->batch = NULL;
	loop->slots = NULL;
	(void)close(loop->fd);
	loop->fd = -1;
}

void
loop_run(struct loop *loop)
{
	loop->stopping = false;
	while (!loop->stopping)
		loop_turn(loop, WAIT_MOST_MS);
}

void
loop_stop(struct loop *loop)
{
	loop->stopping = true;
}

static void
fetch_events(struct loop *loop, int wait_ms)
{
	if (!list_empty(&loop->soon))
		wait_ms = 0;
	wait_ms = timer_heap_wait(&loop->timers, clock_now(), wait_ms);
	int n = epoll_wait(loop->fd, loop->batch->events, BATCH, wait_ms);
	must(n >= 0 || errno == EINTR);
	loop->batch->next = 0;
	loop->batch->n = n > 0 ? (size_t)n : 0;
}

/* A descriptor that was left behind and nobody took over: it is dropped now. */
static void
drop_slot(struct loop *loop, int fd)
{
	if (loop->slots[fd].mask != 0)
		(void)epoll_ctl(loop->fd, EPOLL_CTL_DEL, fd, NULL);
	loop->slots[fd].mask = 0;
}

/* loop_forget() and the others empty events of this batch, so each is looked at when
 * its turn comes. */
static void
tell_watches(struct loop *loop)
{
	struct loop_batch *b = loop->batch;
	while (b->next < b->n) {
		struct epoll_event e = b->events[b->next++];
		if (e.data.fd < 0)
			continue;
		struct watch *w = loop->slots[e.data.fd].watch;
		if (!w) {
			drop_slot(loop, e.data.fd);
			continue;
		}
		unsigned events = e.events & (w->mask | LOOP_ERROR | LOOP_HUP);
		if (events != 0)
			w->ready(w, events);
	}
}

/* Those put off while this runs wait for the next turn: their number is taken first. */
static void
run_soon(struct loop *loop)
{
	struct list now;

	if (list_empty(&loop->soon))
		return;
	list_init(&now);
	for (struct list *l; (l = list_first(&loop->soon));) {
		list_leave(l);
		list_push(&now, l);
	}
	for (struct list *l; (l = list_first(&now));) {
		struct hook *h = CONTAINER_OF(l, struct hook, in);
		list_leave(l);
		h->run(h);
	}
}

/* A hook may take itself out, and no other. */
static void
run_hooks(struct loop *loop)
{
	LIST_EACH (l, &loop->hooks) {
		struct hook *h = CONTAINER_OF(l, struct hook, in);
		h->run(h);
	}
}

void
loop_turn(struct loop *loop, int wait_ms)
{
	fetch_events(loop, wait_ms);
	clock_tick();
	loop->turns++;
	timer_heap_fire(&loop->timers, clock_now());
	tell_watches(loop);
	run_soon(loop);
	run_hooks(loop);
	bury_dead(loop);
}

static struct loop_slot *
find_slot(struct loop *loop, int fd)
{
	must(fd >= 0);
	size_t i = (size_t)fd;
	size_t had = loop->n_slots;
	if (i >= had) {
		loop->slots = mem_grow(
			loop->slots, &loop->n_slots, i + 1, sizeof(*loop->slots));
		memset(loop->slots + had, 0,
			(loop->n_slots - had) * sizeof(*loop->slots));
	}
	return &loop->slots[i];
}

/*
 * A slot left behind may be of a descriptor that was closed elsewhere, and the number
 * may be somebody else's now; then the kernel knows nothing of it and says so.
 */
static void
tell_kernel(struct loop *loop, struct loop_slot *slot, int fd, unsigned events)
{
	struct epoll_event e = {.events = events, .data.fd = fd};
	int op = events == 0      ? EPOLL_CTL_DEL
		: slot->mask == 0 ? EPOLL_CTL_ADD
				  : EPOLL_CTL_MOD;
	int rc = epoll_ctl(loop->fd, op, fd, &e);
	if (rc != 0 && op == EPOLL_CTL_MOD && errno == ENOENT)
		rc = epoll_ctl(loop->fd, EPOLL_CTL_ADD, fd, &e);
	must(rc == 0);
	slot->mask = events;
}

void
loop_watch(struct loop *loop, struct watch *w, unsigned events)
{
	if (events == w->mask)
		return;
	struct loop_slot *slot = find_slot(loop, w->fd);
	must(!slot->watch || slot->watch == w);
	tell_kernel(loop, slot, w->fd, events);
	slot->watch = events != 0 ? w : NULL;
	w->mask = events;
}

static void
drop_fetched(struct loop_batch *b, int fd)
{
	for (size_t i = b->next; i < b->n; i++) {
		if (b->events[i].data.fd == fd)
			b->events[i].data.fd = -1;
	}
}

void
loop_forget(struct loop *loop, struct watch *w)
{
	drop_fetched(loop->batch, w->fd);
	loop_watch(loop, w, 0);
}

void
loop_leave(struct loop *loop, struct watch *w)
{
	drop_fetched(loop->batch, w->fd);
	if (w->mask != 0)
		loop->slots[w->fd].watch = NULL;
	w->mask = 0;
}

void
loop_close(struct loop *loop, struct watch *w)
{
	loop_leave(loop, w);
	if ((size_t)w->fd < loop->n_slots)
		loop->slots[w->fd].mask = 0;
	(void)close(w->fd);
	w->fd = -1;
}

void
loop_soon(struct loop *loop, struct hook *h)
{
	if (!list_joined(&h->in))
		list_push(&loop->soon, &h->in);
}

void
loop_each_turn(struct loop *loop, struct hook *h)
{
	if (!list_joined(&h->in))
		list_push(&loop->hooks, &h->in);
}

void
loop_unhook(struct hook *h)
{
	list_leave(&h->in);
}

void
loop_bury(struct loop *loop, struct corpse *c)
{
	must(!list_joined(&c->in));
	list_push(&loop->dead, &c->in);
}

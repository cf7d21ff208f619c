// SPDX-License-Identifier: Apache-2.0
/* edge_wait: exchanges that wait for what another one, perhaps of another worker, asked
 * an origin for. */
#include "base/clock.h"
#include "gate/edge.h"
#include "gate/exchange_cache.h"
#include "gate/session.h"
#include "gate/worker.h"

enum { LOOK_MS = 20 };

void
edge_wait(struct edge *e, struct list *waiting)
{
	bool first = list_empty(&e->waiting);

	list_push(&e->waiting, waiting);
	if (first)
		timer_set(&e->w->loop, &e->look, clock_now() + LOOK_MS);
}

void
edge_wake(struct edge *e)
{
	if (!list_empty(&e->waiting))
		timer_set(&e->w->loop, &e->look, clock_now());
}

/* Whoever waits on joins anew, behind those that have not looked yet. */
static void
look(struct timer *t)
{
	struct edge *e = CONTAINER_OF(t, struct edge, look);
	struct list now;

	list_init(&now);
	while (!list_empty(&e->waiting)) {
		struct list *one = list_first(&e->waiting);
		list_leave(one);
		list_push(&now, one);
	}
	while (!list_empty(&now)) {
		struct list *one = list_first(&now);
		list_leave(one);
		lane_wake(CONTAINER_OF(one, struct exchange_cache, waiting)->lane);
	}
}

void
edge_wait_init(struct edge *e)
{
	list_init(&e->waiting);
	list_init(&e->refreshes);
	e->look.fired = look;
}

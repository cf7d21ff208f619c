// SPDX-License-Identifier: Apache-2.0
#include "gate/lane.h"

#include "base/mem.h"
#include "gate/relay_h2.h"
#include "gate/session.h"
#include "gate/worker.h"

static void
bury(struct corpse *c)
{
	mem_free(CONTAINER_OF(c, struct lane, corpse));
}

void
lane_init(struct lane *lane, struct session *s)
{
	*lane = (struct lane){.s = s, .corpse.bury = bury};
	list_init(&lane->in_woken);
}

struct lane *
lane_new(struct session *s)
{
	struct lane *lane = mem_alloc(sizeof(*lane));
	lane_init(lane, s);
	return lane;
}

void
lane_leave(struct lane *lane)
{
	reach_cancel(&lane->reach);
	upstream_free(lane->up);
	lane->up = NULL;
}

void
lane_free(struct lane *lane)
{
	if (!lane)
		return;
	lane_leave(lane);
	list_leave(&lane->in_woken);
	loop_bury(&lane->s->w->loop, &lane->corpse);
}

void
lane_wake(struct lane *lane)
{
	struct session *s = lane->s;
	if (lane != &s->own && s->h2 && !list_joined(&lane->in_woken))
		list_push(&s->h2->woken, &lane->in_woken);
	session_advance(s);
}

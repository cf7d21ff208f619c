// SPDX-License-Identifier: Apache-2.0
#include "gate/lane.h"

#include "base/pool.h"
#include "gate/relay_h2.h"
#include "gate/session.h"
#include "gate/worker.h"

static void
bury(struct corpse *c)
{
	pool_give(CONTAINER_OF(c, struct lane, corpse), sizeof(struct lane));
}

void
lane_init(struct lane *lane, struct session *s)
{
	*lane = (struct lane){.s = s, .corpse.bury = bury};
	list_init(&lane->in_woken);
	list_init(&lane->in_trunk);
}

struct lane *
lane_new(struct session *s)
{
	struct lane *lane = pool_take(sizeof(*lane));
	lane_init(lane, s);
	return lane;
}

void
lane_drop(struct lane *lane)
{
	if (lane->user.stream)
		h2_release(lane->user.stream);
	lane->user.stream = NULL;
	if (lane->up && lane->up->trunk) {
		trunk_part(lane);
	} else {
		upstream_free(lane->up);
	}
	lane->up = NULL;
}

void
lane_leave(struct lane *lane)
{
	reach_cancel(&lane->reach);
	trunk_quit(lane);
	lane_drop(lane);
}

void
lane_pull(struct lane *lane)
{
	if (lane->up && !lane->up->trunk)
		side_pull(&lane->up->side);
}

void
lane_push(struct lane *lane)
{
	if (lane->up && lane->up->trunk) {
		trunk_touch(lane->up->trunk);
	} else if (lane->up) {
		side_push(&lane->up->side);
	}
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

static void
note(struct lane *lane)
{
	struct session *s = lane->s;
	if (lane != &s->own && s->h2 && !list_joined(&lane->in_woken))
		list_push(&s->h2->woken, &lane->in_woken);
}

/* Streams wait for each other until the end of the turn: what all their origins have
 * said then goes to the client in one piece. */
void
lane_wake(struct lane *lane)
{
	if (lane == &lane->s->own) {
		session_advance(lane->s);
	} else {
		lane_wake_soon(lane);
	}
}

void
lane_wake_soon(struct lane *lane)
{
	struct session *s = lane->s;
	if (s->over)
		return;
	note(lane);
	loop_soon(&s->w->loop, &s->goes_on);
}

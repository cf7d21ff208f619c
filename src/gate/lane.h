// SPDX-License-Identifier: Apache-2.0
/*
 * lane: one exchange's way to an origin: how a connection is got, and the connection.
 *
 *	client of HTTP/1   one exchange at a time, in the session's own lane
 *	client of HTTP/2   streams share the session's own lane where the origin speaks
 *	                   HTTP/2 as well; everywhere else each stream has one of its
 *own
 *
 * s->lane is the lane of s->x. Whatever happens on a lane ends in session_advance(),
 * which for a lane of its own first notes that its stream is the one with news.
 */
#pragma once

#include "base/list.h"
#include "gate/reach.h"

struct lane {
	struct session *s; /* borrowed */
	struct reach reach;
	struct upstream *up;  /* owned; NULL while there is none */
	struct list in_woken; /* of relay_h2: its stream is to be looked at */
	struct corpse corpse; /* of one made by lane_new() */
};

/* The session's own. */
void lane_init(struct lane *lane, struct session *s);
/* One for a stream; freed with lane_free(), at the end of the turn. */
struct lane *lane_new(struct session *s);
void lane_free(struct lane *lane);
/* Stops what is under way and drops the connection. */
void lane_leave(struct lane *lane);
/* Something happened on it. */
void lane_wake(struct lane *lane);

// SPDX-License-Identifier: Apache-2.0
/*
 * lane: one exchange's way to an origin: how a connection is got, and the connection.
 *
 *	client of HTTP/1   one exchange at a time, in the session's own lane
 *	client of HTTP/2   streams share the session's own lane where that was opened
 *	                   for them and speaks HTTP/2; else each stream has a lane
 *
 * A lane's connection is one of HTTP/1 as long as a request lasts, or a stream of
 * HTTP/2 on a connection that many share (trunk.h).
 *
 * s->lane is the lane of s->x. Whatever happens on a lane ends in session_advance(),
 * which for a lane of its own first notes that its stream is the one with news.
 */
#pragma once

#include "base/list.h"
#include "gate/reach.h"
#include "http/h2.h"

struct exchange;
struct trunk_group;

struct lane {
	struct session *s;  /* borrowed */
	struct exchange *x; /* of a stream whose lane it is */
	struct reach reach;
	struct upstream *up;       /* owned, or a trunk's; NULL while there is none */
	struct h2_user user;       /* of its stream on a trunk; owned */
	struct list in_trunk;      /* or in the list of those that wait for one */
	struct trunk_group *group; /* it waits there, or reaches for those that do */
	bool called;               /* it waited there, and may try again */
	bool failed;               /* so has the lane it waited for */
	struct list in_woken;      /* of relay_h2: its stream is to be looked at */
	struct corpse corpse;      /* of one made by lane_new() */
};

/* The session's own. */
void lane_init(struct lane *lane, struct session *s);
/* One for a stream; freed with lane_free(), at the end of the turn. */
struct lane *lane_new(struct session *s);
void lane_free(struct lane *lane);
/* Gives the connection up: the stream of it that is the lane's, or as a whole. What
 * came over the stream is gone. */
void lane_drop(struct lane *lane);
/* The same, and stops what is under way. */
void lane_leave(struct lane *lane);
/* What came is there to read; what was written goes. Neither touches the socket of a
 * trunk, which looks after itself. */
void lane_pull(struct lane *lane);
void lane_push(struct lane *lane);
/* Something happened on it: the session advances, now if the lane is its own, else at
 * the end of the turn, as with lane_wake_soon(). */
void lane_wake(struct lane *lane);
void lane_wake_soon(struct lane *lane);

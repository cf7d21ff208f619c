// SPDX-License-Identifier: Apache-2.0
/*
 * trunk: a connection of HTTP/2 to an origin that the requests of many clients share.
 *
 *	lane ┐
 *	lane ┼── group (one per target) ── trunk ── trunk …
 *	lane ┘
 *
 * The first lane that wants to go where no trunk is reaches for all: others wait for
 * what it finds. Where the origin chooses HTTP/1 after all, each goes on by itself, and
 * the next ones do not wait. A connection on which a client authenticated is taken out:
 * it gets no more lanes.
 *
 * A trunk turns by itself when its socket has news and tells lanes whose streams have
 * some; what lanes have written is sent at the end of the turn.
 */
#pragma once

#include "base/map.h"
#include "gate/target.h"
#include "net/loop.h"

struct lane;
struct trunk_group;
struct upstream;
struct worker;

enum {
	TRUNKS_MOST = 8, /* connections to one target; then streams wait */
	/* With streams open and nothing heard, until an origin is pinged, on a trunk or on
	 * a connection of one client's. Servers of gRPC take pings more often than every
	 * five minutes for an attack, and go. */
	TRUNK_QUIET_MS = 330000,
};

struct trunk {
	struct worker *w;          /* borrowed */
	struct upstream *up;       /* owned */
	struct trunk_group *group; /* NULL: takes no more lanes */
	struct list in_all;
	struct list in_group;
	struct list lanes; /* that go over it */
	struct hook runs;
	struct timer deadline;
	struct corpse corpse;
	uint64_t idle_ms;  /* it is kept so long without a lane */
	uint64_t moved_ms; /* clock_now() when the origin was heard last */
	bool settled;      /* lanes know that its SETTINGS came */
};

/* A worker's own. */
struct trunks {
	struct map groups;
	struct list all;
};

void trunks_init(struct trunks *t);
void trunks_fini(struct worker *w);

enum trunk_turn {
	TRUNK_NONE,   /* go and reach; trunk_arrived() or trunk_failed() tells others */
	TRUNK_JOINED, /* lane->up is there */
	TRUNK_WAIT,   /* the lane is woken */
	TRUNK_FAILED, /* whom it waited for failed; *err says why */
};

/* The lane wants to go there and has no connection. */
enum trunk_turn trunk_join(struct lane *lane, const struct target *to, struct err *err);
/* It has reached: lane->up, if that speaks HTTP/2, becomes a trunk and the lane's
 * stays. */
void trunk_arrived(struct lane *lane, const struct target *to);
void trunk_failed(struct lane *lane, const struct err *err);
/* It waits no longer. Harmless when it did not. */
void trunk_quit(struct lane *lane);
/* Gives lane->up back. */
void trunk_part(struct lane *lane);
/* No more lanes: what was found out on it binds it to one client. */
void trunk_bind(struct trunk *trunk);
/* Lanes have written, or read: there is something to send. */
void trunk_touch(struct trunk *trunk);
/* For upstream.c: the socket has news. */
void trunk_moved(struct trunk *trunk);

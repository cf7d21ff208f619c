// SPDX-License-Identifier: Apache-2.0
/*
 * reach: getting to the other side: pool, or resolve, dial, TLS handshake and verdict.
 *
 * One per lane (lane.h), used for the first connection and, where a later request needs
 * another one, again. It is advanced, never waited for; what it finds is a connection
 * whose certificate was judged, not one that is allowed: the caller decides about the
 * verdict.
 */
#pragma once

#include "gate/evidence.h"
#include "gate/upstream.h"
#include "net/dial.h"
#include "net/resolve.h"

struct session;

enum reach_turn {
	REACH_WAIT,
	REACH_DONE,   /* reach_result() is there */
	REACH_FAILED, /* r->err says why */
};

/* Durations in µs, 0 for steps that were not taken. */
struct reach_times {
	uint64_t resolve_us;
	uint64_t dial_us;
	uint64_t tls_us;
	uint64_t verify_us;
	uint64_t fetch_us; /* parked for what was fetched */
};

struct reach {
	enum {
		REACH_IDLE,
		REACH_RESOLVING,
		REACH_DIALLING,
		REACH_SHAKING,
		REACH_GATHERING, /* what the verdict needs is being fetched */
		REACH_READY,
		REACH_BROKEN,
	} state;
	struct session *s; /* borrowed */
	struct target to; /* spans live as long as the session or exchange that asked */
	bool fresh;       /* not from the pool */
	struct resolve resolve;
	struct dial dial;
	struct upstream *up; /* owned until taken */
	bool old_tls; /* failed: the origin knows only versions that are too old */
	struct evidence_wait evidence;
	unsigned judged; /* times, with more known each */
	struct err err;
	struct reach_times times;
	uint64_t since_us; /* this step began */
	uint64_t deadline; /* of this step, clock_now() */
	struct timer timer;
};

/* Begins. r is idle. fresh: do not take one from the pool. */
void reach_start(
	struct reach *r, struct session *s, const struct target *to, bool fresh);
MUST_USE bool reach_is_idle(const struct reach *r);
enum reach_turn reach_advance(struct reach *r);
/* After REACH_DONE: the connection is the caller's, r is idle again. */
struct upstream *reach_take(struct reach *r);
/* Drops whatever is under way. */
void reach_cancel(struct reach *r);
/* Keeps the TLS session of a connection, for the next one to the same target. */
void reach_keep_session(struct worker *w, const struct target *to, struct upstream *up);

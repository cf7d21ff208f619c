// SPDX-License-Identifier: Apache-2.0
/*
 * stages: the table of what a session does, in order. Each file stage_*.c is one or two
 * of them.
 *
 * A stage function looks at what is true and returns the next stage, TURN_WAIT, or
 * TURN_OVER after session_end(). It never asks which event woke it. A deadline is set
 * when the stage is entered; when it has passed the stage is asked once more with
 * s->expired.
 */
#pragma once

#include "gate/session.h"

struct stage_row {
	const char *name; /* in events and logs: forever */
	int (*advance)(struct session *s);
	/* How long the stage may take, ms; 0: it sets its own deadline. */
	uint64_t (*most_ms)(const struct gateway *g);
};

const struct stage_row *stage_row(enum stage stage);

int stage_ask_advance(struct session *s);
int stage_hello_advance(struct session *s);
int stage_reach_advance(struct session *s);
int stage_present_advance(struct session *s);
int stage_relay_advance(struct session *s);
int stage_tunnel_advance(struct session *s);
int stage_farewell_advance(struct session *s);

/* A CONNECT request was read into s->exchange: takes its target and answers it. Returns
 * the next stage. */
int stage_connect(struct session *s);

/* Decides a phase for the session as a whole. The act, or NULL when no rule decides. */
const struct act *session_decide(struct session *s, enum phase phase);
/* What a deciding `block` means for the session: refused with a page, or cut. Returns
 * the stage in which the client is told. */
int session_block(struct session *s, const struct act *act, enum phase phase);

/*
 * The verdict on the origin just reached, by policy and settings. False: not accepted,
 * and its connection is gone; s->refusal says why, or s->caution, or the target is no
 * TLS of ours any more (bypass).
 */
MUST_USE bool stage_judge(struct session *s);
/* The status of the page for a failure to reach. */
unsigned stage_reach_status(enum err_code code);
/* Keeps the TLS session of s->up for the next connection to this origin. */
void stage_reach_keep_session(struct session *s);

// SPDX-License-Identifier: Apache-2.0
/*
 * fleet: a secret of session tickets that is in no file of a worker.
 *
 *	tickets { key /etc/sekisho/tickets.key }      the vault has the key, or its token
 *	tickets { public tickets.pub; keys { … } }    a key server has it
 *
 * Each day's secret is what that key makes of the day's number (keyless/daykey.h). A
 * worker asks for those of yesterday's tickets, today's and tomorrow's, and until they
 * came its tickets are good for this node only: nobody waits for them.
 */
#pragma once

#include "gate/site.h"
#include "keyless/ask.h"
#include "keyless/daykey.h"
#include "net/timer.h"

struct worker;

/* The words of the block. */
struct fleet_settings {
	struct span key;       /* path, RFC 7512 name, or empty: nobody here has it */
	struct span public;    /* path of its public half, for key servers */
	struct site_keys keys; /* where it is */

	/* Compiled. */
	struct key *public_key; /* owned; or NULL */
};

/* For settings.c. */
extern const struct conf_table fleet_block;

MUST_USE bool fleet_compile(struct settings *s, struct conf_report *report);
void fleet_uncompile(struct settings *s);
/* Whether there is such a key at all. */
MUST_USE bool fleet_is_set(const struct fleet_settings *f);

/* A worker's. */
struct fleet {
	struct worker *w;
	struct ask_pool *pool; /* owned; NULL: the vault is asked */
	struct profile *profile;
	struct daykey_job job; /* of the ask to a key server */
	uint8_t ski[WIRE_SKI]; /* the same */
	uint8_t wanted[4];     /* of the ask to the vault */
	struct ask ask;
	uint32_t day; /* that is asked for */
	uint32_t retry_ms;
	struct timer timer;
};

MUST_USE bool fleet_open(struct worker *w, struct err *err);
void fleet_close(struct worker *w); /* harmless for one that was not opened */

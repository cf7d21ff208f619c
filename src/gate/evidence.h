// SPDX-License-Identifier: Apache-2.0
/*
 * evidence: what verifying an origin needs and the handshake did not bring.
 *
 * Missing intermediates (AIA), OCSP answers and CRLs are fetched while the session is
 * parked and the loop turns. One fetch serves all who wait for the same; what came lies
 * in memory, and on a shelf on disk that all workers and the next generation share.
 * What grows old is fetched anew in the background, before anybody has to wait.
 *
 *	judge → evidence_gather() ─ NOTHING → this is the verdict
 *	  ↑                        ├ AGAIN ──┐
 *	  └────────────────────────┴ WAIT → done() ┘
 *
 * Nothing that comes is believed for having come: issuers are only candidates for a
 * path, answers and lists count by their signature.
 */
#pragma once

#include "base/lru.h"
#include "base/shelf.h"
#include "gate/fetch.h"
#include "pki/trust.h"

struct gateway;
struct settings;
struct evidence_wait;

enum {
	EVIDENCE_JOBS = 64,  /* fetches under way in one worker */
	EVIDENCE_LINKS = 4,  /* that one handshake waits for at a time */
	EVIDENCE_ROUNDS = 8, /* of judging: intermediates above intermediates */
};

enum evidence_kind { EVIDENCE_ISSUERS, EVIDENCE_OCSP, EVIDENCE_CRL, EVIDENCE_KINDS };

/* Where what a verdict stands on was found. */
enum evidence_source {
	EVIDENCE_MEMORY, /* it was there already */
	EVIDENCE_SHELF,  /* on disk: another worker or an earlier process fetched it */
	EVIDENCE_NETWORK,
};

struct evidence {
	struct fetch_place place;
	const struct settings *settings; /* borrowed */
	struct revoke *revoke;           /* owned; CRLs and answers */
	struct shelf shelf;
	struct map jobs;
	struct lru tried; /* what is not asked for again yet */
};

struct evidence_link {
	struct list in_job;
	struct evidence_wait *wait;
};

/* A handshake that is parked. Zero but for done. */
struct evidence_wait {
	void (*done)(struct evidence_wait *wait); /* from the loop: judge again */
	uint64_t deadline_ms; /* set by the first gather that waits; of all rounds */
	unsigned fetched;     /* fetches that were waited for */
	bool late;            /* the deadline has passed: nothing more is waited for */
	enum evidence_source from[EVIDENCE_KINDS]; /* of what came, the last of each */

	/* Private. */
	struct evidence *e;
	unsigned pending;
	struct evidence_link links[EVIDENCE_LINKS];
	struct timer timer;
};

/* shelf: directory on disk, or NULL for none; budget in octets, of each. */
void evidence_init(struct evidence *e, const struct fetch_place *at,
	const struct settings *settings, uint64_t budget);
/* Lets what was fetched be shared; a failure is logged, and then it is not. */
void evidence_open_shelf(struct evidence *e, const char *dir, uint64_t budget);
/* Nobody waits any more. */
void evidence_fini(struct evidence *e);

/* About whom. Borrowed for the call. */
struct evidence_ask {
	const struct gateway *g;
	const struct trust_ask *trust; /* as it was judged, with e->revoke */
	const struct verdict *verdict; /* what came of it */
};

enum evidence_turn {
	EVIDENCE_NOTHING, /* there is nothing to wait for */
	EVIDENCE_AGAIN,   /* the shelf had something: judge again, now */
	EVIDENCE_WAIT,    /* done() will come, unless evidence_cancel() does first */
};

enum evidence_turn evidence_gather(
	struct evidence *e, const struct evidence_ask *ask, struct evidence_wait *wait);
/* Harmless when nothing is waited for. */
void evidence_cancel(struct evidence_wait *wait);

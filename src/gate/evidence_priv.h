// SPDX-License-Identifier: Apache-2.0
/*
 * evidence_priv: between the files of evidence.
 *
 *	evidence.c      what a verdict lacks, and who waits for it
 *	evidence_job.c  one piece on its way: from the shelf or the network, into memory
 */
#pragma once

#include "base/sha256.h"
#include "gate/evidence.h"
#include "pki/revoke.h"

enum { EVIDENCE_KEY = SHA256_SIZE + 4 }; /* what is fetched, and by which gateway */

/* Something to fetch; all borrowed. */
struct piece {
	enum evidence_kind kind;
	const struct gateway *g;
	struct span url;
	struct cert *cert; /* OCSP and CRL: whom it is about, and by whom */
	struct cert *issuer;
	struct span post; /* OCSP: the request */
	bool urgent;
};

/* One under way. Lists are long: they come off the shelf, are read and are put there a
 * step a turn (base/shelf.h, revoke.h), so that nobody else has to wait. */
struct job {
	struct map_item by_key;
	struct corpse corpse;
	struct list links; /* of those who wait */
	struct evidence *e;
	const struct gateway *g;
	enum evidence_kind kind;
	enum { JOB_LIFTING, JOB_FETCHING, JOB_READING, JOB_KEEPING } phase;
	bool urgent;     /* what the shelf has may be old */
	bool from_shelf; /* what is read now */
	bool by_get;     /* OCSP: asked so (RFC 5019 §5), before it is posted */
	uint64_t began_ms;
	struct cert *cert; /* held */
	struct cert *issuer;
	struct fetch fetch;
	struct span post;   /* owned */
	struct span lifted; /* owned; from the shelf */
	struct revoke_reading *reading;
	struct shelf_reader shelf_in;
	struct shelf_writer shelf_out;
	struct hook step;
	uint8_t key[EVIDENCE_KEY];
	char url[FETCH_URL + 1];
};

void piece_key(const struct piece *p, uint8_t key[EVIDENCE_KEY]);
/* Whether it failed, or brought nothing new, not long ago. */
MUST_USE bool piece_was_tried(struct evidence *e, const uint8_t key[EVIDENCE_KEY]);
/* What is short is taken from the shelf at once. True when it is of use. */
MUST_USE bool piece_take_shelved(
	struct evidence *e, const struct piece *p, const uint8_t key[EVIDENCE_KEY]);

struct job *job_find(const struct evidence *e, const uint8_t key[EVIDENCE_KEY]);
struct job *job_start(
	struct evidence *e, const struct piece *p, const uint8_t key[EVIDENCE_KEY]);
/* Nobody is told. */
void job_drop(struct job *job);
/* The table of what was tried goes by itself. */
void job_forget_tried(struct lru_item *item);

/* Tells who waits that the job is over; `ok`: it brought something. From evidence.c. */
void evidence_tell(struct job *job, bool ok);
/* A list that was to come from the shelf is fetched after all. */
void evidence_count_fetched(struct job *job);

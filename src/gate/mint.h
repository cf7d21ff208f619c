// SPDX-License-Identifier: Apache-2.0
/*
 * mint: certificates for clients: cached here, made by the vault.
 *
 * One call to the vault per set of facts, however many sessions ask at once. MINT's
 * payload is pki/leaf.h's facts; certificate id names the authority by its directory as
 * the configuration has it. The keys of leafs come from the vault too (LEAFKEYS), so
 * that handshakes sign here; when they were renewed meanwhile, they are fetched anew.
 */
#pragma once

#include "base/lru.h"
#include "keyless/ask.h"
#include "pki/identity.h"
#include "pki/leaf.h"

struct gateway;
struct mint_job;

struct mint {
	struct ask_link *vault; /* borrowed */
	struct lru cache;       /* of finished leafs, by facts */
	struct map jobs;        /* under way, by facts */
	struct leafkeys keys;
	bool has_keys;
	struct ask keys_ask;
	bool asking_keys;
	struct list waiting_for_keys; /* jobs */
};

/* A session that waits. Zero to begin. */
struct mint_wait {
	void (*done)(struct mint_wait *wait); /* from the loop; id or err is set */
	struct identity *id; /* a reference, the waiter's; NULL: failed */
	struct err err;
	struct list in; /* of the job */
};

void mint_init(struct mint *m, struct ask_link *vault, size_t cache_bytes);
void mint_fini(struct mint *m);

/*
 * The identity for these facts. True: wait->id is there already (from the cache),
 * done() will not be called. False: it will, unless mint_cancel() comes first.
 */
MUST_USE bool mint_start(struct mint *m, const struct gateway *g,
	const struct leaf_facts *f, struct mint_wait *wait);
void mint_cancel(struct mint_wait *wait);

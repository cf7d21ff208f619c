// SPDX-License-Identifier: Apache-2.0
/*
 * mint_limits: what the vault lets a worker have minted.
 *
 * A worker reads everything that strangers send; one that is owned must not become a
 * certificate machine. So whoever holds the authority's key checks by itself, from the
 * settings it was born with: names that are never to be shown, or the only ones that
 * are, wildcards, and how fast. Kept on the vault's side of the line; a worker's own
 * word counts for nothing here.
 */
#pragma once

#include "conf/schema.h"
#include "pki/leaf.h"

struct mint_limits {
	uint64_t rate;  /* leafs a second for each worker */
	uint64_t burst; /* at once, after a rest */
	struct conf_texts never;
	struct conf_texts only;
};

/* The block `mint`, for settings.c. */
extern const struct conf_table mint_limits_block;

MUST_USE bool mint_limits_eq(const struct mint_limits *a, const struct mint_limits *b);

/* One worker's, all zero to begin. */
struct mint_budget {
	uint64_t milli; /* leafs it may have, in thousandths */
	uint64_t at_ms;
	bool begun;
	uint64_t told_ms[2]; /* when the log was told last: of names, of the rate */
};

/* Whether the leaf may be made at clock_now(), and takes it from the budget.
 * ERR_VAULT_NAME, ERR_VAULT_RATE. A mirror is of no use to anybody and only costs. */
MUST_USE bool mint_limits_take(const struct mint_limits *l, struct mint_budget *b,
	const struct leaf_facts *f, struct err *err);
/* Whether a refusal for this is worth a line in the log now: one a second of each kind
 * is. */
MUST_USE bool mint_limits_tell(struct mint_budget *b, enum err_code why);

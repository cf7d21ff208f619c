// SPDX-License-Identifier: Apache-2.0
/*
 * policy: what policy.c and its index share.
 *
 * The index turns "which rules could match" around: a rule that demands a string (its
 * host is one of these) hangs at that string, and only those found there are tried. A
 * demand is what a condition implies, never the whole of it: candidates are evaluated.
 */
#pragma once

#include "base/map.h"
#include "rule/eval_priv.h"
#include "rule/policy.h"

struct regex_pool;

struct rule {
	struct policy_rule given; /* texts owned */
	struct rule_expr *expr;   /* owned */
	enum phase at;            /* decided first in this one */
	bool indexed;             /* found by the index alone */
};

/* Rules that hang at one key or list. */
struct rule_group {
	uint32_t *rules; /* owned */
	size_t n;
	size_t cap;
};

struct index_key {
	struct map_item item;
	struct rule_group group;
	uint8_t key[]; /* owned octets */
};

struct index_list {
	const struct rule_list *list; /* borrowed */
	struct rule_group group;
};

/* Demands on one field. */
struct index_field {
	const struct field *field;
	struct map by_key;
	struct index_list *lists; /* owned */
	size_t n_lists;
	size_t cap_lists;
};

struct rule_index {
	struct index_field *fields; /* owned */
	size_t n;
	size_t cap;
};

struct policy_pool {
	const struct field *field;
	struct regex_pool *patterns; /* owned */
	uint64_t *bits;              /* owned */
	uint64_t asked;              /* turn in which bits were made */
};

struct policy_pools {
	struct eval_pools ask;
	struct policy_pool *pools; /* owned */
	size_t n;
	size_t cap;
	uint64_t turn;
};

struct policy {
	const struct scheme *scheme;
	struct rule *rules; /* owned */
	size_t n;
	size_t cap;
	size_t words;               /* of each bitmap below */
	uint64_t *due[PHASE_COUNT]; /* owned: decided first, or again, in this phase */
	uint64_t *always;           /* owned: not found by the index */
	uint64_t *candidates;       /* owned: while deciding */
	uint64_t *due_now;          /* owned: while deciding */
	struct rule_index index;
	struct policy_pools *pools; /* owned */
	bool sealed;
};

/* Hangs rule i into the index by what its condition demands; false: it demands nothing.
 */
MUST_USE bool rule_index_add(
	struct rule_index *x, uint32_t i, const struct rule_expr *e);
/* Sets the bits of the rules that these facts lead to. */
void rule_index_find(const struct rule_index *x, const struct eval *e, uint64_t *bits);
void rule_index_fini(struct rule_index *x);

/* Puts the patterns of a rule that is always tried into pools by field. */
void policy_pools_add(struct policy_pools *p, struct rule_expr *e);
void policy_pools_seal(struct policy_pools *p);
void policy_pools_free(struct policy_pools *p);

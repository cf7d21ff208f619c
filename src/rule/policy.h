// SPDX-License-Identifier: Apache-2.0
/*
 * policy: an ordered set of named rules, decided phase by phase.
 *
 * In each phase the first matching *deciding* rule wins; all matching *noting* rules
 * are kept, wherever they stand. A rule runs in the phase in which its last field
 * becomes known, and once more where such a field may change (a host told by SNI, then
 * by the request). Rules that ask for given hosts are found through an index instead of
 * being tried one by one.
 */
#pragma once

#include "base/err.h"
#include "rule/expr.h"

/* What policy knows of an action; the meaning belongs to the caller. */
struct policy_action {
	const char *name;
	enum phase latest;   /* the last phase in which it can still be taken */
	enum phase earliest; /* it is not decided before; usually PHASE_ACCEPT */
	bool deciding;
	bool dns; /* may also be taken in the two DNS phases */
};

struct policy_rule {
	struct span name;
	struct span text; /* the condition; empty means always */
	struct rule_options options;
	const struct policy_action *action; /* borrowed, outlives the policy */
	uint32_t tag;                       /* the caller's: which arguments */
	bool dry_run;                       /* recorded, never enforced */
};

#define RULE_NONE UINT32_MAX
enum { POLICY_NOTED_MAX = 48 };

/* What every phase said. Plain data: copy it, zero-initialise with verdict_init(). */
struct verdict_record {
	uint32_t decided[PHASE_COUNT]; /* index of the rule, or RULE_NONE */
	uint32_t dry[PHASE_COUNT];     /* first dry-run rule that would have decided */
	uint32_t noted[POLICY_NOTED_MAX]; /* in order of phases, then of rules; no
					     repeats */
	uint32_t n_noted;
	uint32_t n_lost; /* noting matches that found no room */
	uint32_t done;   /* bit per phase decided so far */
};

void verdict_init(struct verdict_record *v);

struct policy;

/* The scheme outlives the policy. */
struct policy *policy_new(const struct scheme *s);
void policy_free(struct policy *p);
/*
 * Adds at the end. Refused: a bad expression, or one that needs a later phase than its
 * action allows (the message names field, phase and action; the column is the field's).
 */
MUST_USE bool policy_add(
	struct policy *p, const struct policy_rule *rule, struct rule_error *error);
/* Builds the indexes; after the last policy_add(), before the first decision. */
void policy_seal(struct policy *p);

/*
 * Decides one phase: rules that became decidable since the phases already done (phases
 * may be skipped: plain HTTP has no hello), and those whose fields may have changed.
 * Returns the deciding rule's index, or RULE_NONE. Allocates nothing.
 */
uint32_t policy_decide(const struct policy *p, enum phase phase, const struct facts *f,
	struct verdict_record *v);

size_t policy_size(const struct policy *p);
/* Of rule i; what it points to lives as long as the policy. */
struct policy_rule policy_rule(const struct policy *p, uint32_t i);
const struct rule_expr *policy_expr(const struct policy *p, uint32_t i);
/* The phase in which rule i is first decided. */
enum phase policy_phase(const struct policy *p, uint32_t i);
/* Whether any rule reads this field: lets facts be gathered only when asked for. */
MUST_USE bool policy_reads(const struct policy *p, const char *field);
/* Whether some rule is decided in this phase. */
MUST_USE bool policy_has(const struct policy *p, enum phase phase);

/* Adds every rule with the truth of its parts, the first missing field, and what each
 * phase decides; lines end in LF. */
void policy_explain(struct text *t, const struct policy *p, const struct facts *f);

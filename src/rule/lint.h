// SPDX-License-Identifier: Apache-2.0
/*
 * lint: rules that load, and yet do not do what was meant.
 *
 * Each finding is about a rule that a person wrote, with the place in its expression
 * and a proposal. Nothing here refuses anything.
 */
#pragma once

#include "rule/policy.h"

struct lint_finding {
	uint32_t rule;        /* index in the policy */
	const char *id;       /* "shadowed", "regex-dots", …; stable, for scripts */
	struct rule_error at; /* place, message, hint */
};

/* Embed it; found() is called for each finding, in order of rules. */
struct lint {
	void (*found)(struct lint *l, const struct lint_finding *f);
	/* Whether a name is one below which strangers register; NULL: top level only.
	 */
	bool (*is_public_suffix)(struct span name);
	bool hosts_are_own; /* of an edge: its sites' names, which are meant whole */
};

void lint_policy(struct lint *l, const struct policy *p);

/* Every lint: its id and what it says, NULL id at the end. For the manual. */
struct lint_row {
	const char *id;
	const char *help;
};
extern const struct lint_row lint_rows[];

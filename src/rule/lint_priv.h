// SPDX-License-Identifier: Apache-2.0
/*
 * lint: what its two files share.
 */
#pragma once

#include "rule/lint.h"
#include "rule/print_priv.h"

struct lint_run {
	struct lint *lint;
	const struct policy *policy;
	uint32_t rule;
	const struct rule_expr *expr;
	const struct policy_action *action;
	char hint[160]; /* of the next report; emptied by it */
};

/* About the octets from..to of the rule's text. */
void lint_report(struct lint_run *r, const char *id, size_t from, size_t to,
	const char *message);
/* All lints that look at one comparison. */
void lint_test(struct lint_run *r, const struct node *n);

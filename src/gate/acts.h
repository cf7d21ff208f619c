// SPDX-License-Identifier: Apache-2.0
/*
 * acts: what a rule can do.
 *
 * To add an action: a row in acts.c (name, phases, how its arguments are read) and the
 * place that takes it.
 */
#pragma once

#include "conf/tree.h"
#include "rule/policy.h"

enum act_kind {
	ACT_BYPASS,
	ACT_ALLOW,
	ACT_BLOCK,
	ACT_LOG,
};

/* One rule's action with its arguments. Spans lie in the configuration's arena. */
struct act {
	enum act_kind kind;
	const struct policy_action *row;
	struct span text; /* block: the reason shown; log: the label */
	bool reset;       /* block: close instead of a page */
};

/*
 * Reads `do ACTION [ARGUMENT …]` of a rule: words from first on. False when something
 * was complained about.
 */
MUST_USE bool act_read(const struct conf_node *rule, size_t first, struct act *out,
	struct conf_report *report);

/* Rows of all actions, for the manual; ends with a NULL name. */
extern const struct policy_action act_rows[];

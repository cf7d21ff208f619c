// SPDX-License-Identifier: Apache-2.0
/*
 * act_value: actions with a value expression of their own: what `do rate … by "EXPR"`
 * counts by, and what `do rewrite path "EXPR"` puts in place.
 */
#pragma once

#include "fact/facts.h"
#include "gate/settings.h"

/* Compiles act->expr, if the action has one. act->value_expr is then owned by the
 * settings: act_value_free(). */
MUST_USE bool act_value_compile(struct settings *s, const struct gateway *g,
	const struct conf_node *rule, struct act *act, struct conf_report *report);
/* Of all rules of a gateway. */
void act_value_free(struct gateway *g);

/* Adds the costly facts that the expressions of actions read. */
void act_value_wants(const struct gateway *g, struct facts_wanted *wanted);

/* Gives the settings the table that rates are counted in: that of `before` (or NULL),
 * or a new one. True also when no rule counts. */
MUST_USE bool act_value_open(
	struct settings *s, const struct settings *before, struct err *err);

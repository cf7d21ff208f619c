// SPDX-License-Identifier: Apache-2.0
/*
 * lets: conditions that have a name: `let NAME = EXPRESSION`.
 *
 * Those of the top level can be used in every rule, those of a gateway or edge in its
 * own; each may use those that stand before it.
 */
#pragma once

#include "gate/settings.h"

/* Where conditions are defined, and what they may use. */
struct lets_scope {
	const struct conf_nodes *nodes;
	const struct rule_let *outer; /* known already */
	enum rule_dialect dialect;
};

/*
 * Reads them into *out, the last one first, then the outer ones; they lie in the tree's
 * arena. False when something was complained about; *out then has those that are good.
 */
MUST_USE bool lets_compile(struct settings *s, const struct lets_scope *scope,
	const struct rule_let **out, struct conf_report *report);

/* All of the configuration, whatever they belong to: for who only wants to know which
 * names are conditions. In the tree's arena. */
const struct rule_let *lets_all(struct settings *s);

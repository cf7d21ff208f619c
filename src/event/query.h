// SPDX-License-Identifier: Apache-2.0
/*
 * query: looking for events with the rule language.
 *
 *	status >= 500 and host contains "bank"
 *	client in {10.0.0.0/8} and not action == "bypass"
 *
 * The same words that JSON and the store use are the fields; `kind` and `time` (seconds
 * since 1970) beside them. A field that an event does not have is missing, as the rule
 * language defines it; a flag that is not there is false.
 */
#pragma once

#include "event/store.h"
#include "rule/expr.h"

struct query;

/* An empty text is true for every event. On failure *error has line, column and hint.
 */
MUST_USE bool query_compile(
	struct span text, struct query **out, struct rule_error *error);
void query_free(struct query *q);
MUST_USE bool query_matches(struct query *q, const struct event_view *e);

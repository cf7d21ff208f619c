// SPDX-License-Identifier: Apache-2.0
/*
 * explain_priv: what both ways of explaining share.
 */
#pragma once

#include "cli/cli.h"
#include "fact/facts.h"
#include "gate/settings.h"

enum { EXPLAIN_ARENA = 1024 * 1024 };

/* The one word for what policy would do, up to the phase that the facts have reached.
 */
const char *explain_outcome(const struct gateway *g, struct facts *f);
/* Every rule with the truth of its parts, and what each phase decides. */
void explain_rules(const struct gateway *g, const struct facts *f);
/* explain_session.c: a recorded session and its requests, under today's policy. */
MUST_USE bool explain_session(
	const struct settings *s, const struct cli_call *call, struct err *err);

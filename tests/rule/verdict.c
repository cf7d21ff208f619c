// SPDX-License-Identifier: Apache-2.0
#include "rule/policy.h"
#include "tests/test.h"

static void
a_fresh_record_has_decided_nothing(void)
{
	struct verdict_record v = {.n_noted = 3};
	verdict_init(&v);
	for (size_t p = 0; p < PHASE_COUNT; p++)
		CHECK(v.decided[p] == RULE_NONE && v.dry[p] == RULE_NONE);
	CHECK(v.n_noted == 0 && v.done == 0);
}

TESTS(a_fresh_record_has_decided_nothing)

// SPDX-License-Identifier: Apache-2.0
#include "rule/policy.h"

void
verdict_init(struct verdict_record *v)
{
	*v = (struct verdict_record){0};
	for (size_t i = 0; i < PHASE_COUNT; i++)
		v->decided[i] = v->dry[i] = RULE_NONE;
}

// SPDX-License-Identifier: Apache-2.0
#include "gate/manner.h"

#include "gate/act_tls.h"
#include "tests/test.h"

static void
every_manner_has_one_index(void)
{
	for (size_t i = 0; i < MANNERS; i++)
		CHECK_INT(manner_index(manner_at(i)), i);
	CHECK_INT(manner_index((struct manner){0}), 0);
	CHECK_INT(manner_at(MANNERS - 1).min_version, TLS_1_3);
	CHECK_INT(manner_at(MANNERS - 1).level, 1 + PROFILE_COMPAT);
}

static uint32_t
bit(uint16_t version, int level)
{
	struct manner m = {.min_version = version, .level = (uint8_t)(level + 1)};
	return 1U << manner_index(m);
}

/* One rule says the version, another the profile: together they are a third manner. */
static void
what_rules_can_come_to_is_prepared_and_nothing_else(void)
{
	static struct act acts[] = {
		{.kind = ACT_TLS, .client.min_version = TLS_1_3},
		{.kind = ACT_TLS, .client.level = 1 + PROFILE_COMPAT},
		{.kind = ACT_BLOCK, .origin.level = 1 + PROFILE_MODERN},
		{.kind = ACT_TLS, .origin.level = 1 + PROFILE_MODERN},
	};
	static const struct gateway g = {.acts = acts, .rules.n = COUNT_OF(acts)};
	static const struct gateway none;
	struct manners m = act_tls_manners(&g);

	CHECK_INT(m.clients,
		1 | bit(TLS_1_3, -1) | bit(0, PROFILE_COMPAT) |
			bit(TLS_1_3, PROFILE_COMPAT));
	CHECK_INT(m.origins, 1 | bit(0, PROFILE_MODERN));
	m = act_tls_manners(&none);
	CHECK_INT(m.clients, 1);
	CHECK_INT(m.origins, 1);
}

TESTS(every_manner_has_one_index, what_rules_can_come_to_is_prepared_and_nothing_else)

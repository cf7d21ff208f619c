// SPDX-License-Identifier: Apache-2.0
#include "base/stats.h"

#include <string.h>

#include "tests/test.h"

static void
counts_go_to_the_bound_page_and_back(void)
{
	static struct stats page;
	stat_set(STAT_SESSIONS_OPEN, 5);
	stats_bind(&page);
	CHECK_INT(stat_get(STAT_SESSIONS_OPEN), 0);
	stat_add(STAT_SESSIONS_OPEN, 3);
	stat_sub(STAT_SESSIONS_OPEN, 1);
	CHECK_INT(stat_get(STAT_SESSIONS_OPEN), 2);
	CHECK_INT(page.v[STAT_SESSIONS_OPEN], 2);
	stats_bind(NULL);
	CHECK_INT(stat_get(STAT_SESSIONS_OPEN), 5);
}

static void
every_counter_has_a_plain_name_and_a_sentence(void)
{
	for (int i = 0; i < STAT_COUNT; i++) {
		const char *id = stat_id((enum stat_name)i);
		const char *help = stat_help((enum stat_name)i);
		CHECK(strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_") ==
			strlen(id));
		CHECK(strlen(help) > 3 && help[strlen(help) - 1] == '.');
		for (int k = 0; k < i; k++)
			CHECK(strcmp(id, stat_id((enum stat_name)k)) != 0);
	}
	CHECK_INT(stat_kind(STAT_SESSIONS_OPENED), STAT_COUNTER);
	CHECK_INT(stat_kind(STAT_SESSIONS_OPEN), STAT_GAUGE);
}

TESTS(counts_go_to_the_bound_page_and_back,
	every_counter_has_a_plain_name_and_a_sentence)

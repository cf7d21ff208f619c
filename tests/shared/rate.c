// SPDX-License-Identifier: Apache-2.0
#include "shared/rate.h"

#include <sys/wait.h>
#include <unistd.h>

#include "tests/test.h"

enum { SECOND = 1000000 };

static struct rate_table *table;

static void
start(size_t slots)
{
	struct err err = {0};

	rate_table_put(table);
	table = rate_table_new(slots, &err);
	CHECK_OK(table != NULL, &err);
}

static void
a_burst_is_allowed_and_then_one_at_a_time(void)
{
	const struct rate_limit limit = {10, SECOND, 3};
	uint64_t now = 100 * SECOND;

	start(64);
	for (uint64_t i = 0; i < 3; i++) {
		struct rate_answer a = rate_take(table, 7, &limit, now);
		CHECK(a.allowed && a.left == 2 - i);
	}
	struct rate_answer a = rate_take(table, 7, &limit, now);
	CHECK(!a.allowed && a.left == 0);
	CHECK_INT(a.again_us, SECOND / 10);
	CHECK_INT(a.whole_us, 3 * SECOND / 10);
	now += SECOND / 10;
	CHECK(rate_take(table, 7, &limit, now).allowed);
	CHECK(!rate_take(table, 7, &limit, now).allowed);
	CHECK(rate_take(table, 8, &limit, now).allowed); /* another key */
	now += 10 * SECOND;
	for (int i = 0; i < 3; i++)
		CHECK(rate_take(table, 7, &limit, now).allowed);
	CHECK(!rate_take(table, 7, &limit, now).allowed);
}

static void
refused_ones_are_not_counted(void)
{
	const struct rate_limit limit = {1, SECOND, 1};

	start(64);
	CHECK(rate_take(table, 7, &limit, SECOND).allowed);
	for (int i = 0; i < 100; i++)
		CHECK(!rate_take(table, 7, &limit, SECOND + 1).allowed);
	CHECK(rate_take(table, 7, &limit, 2 * SECOND).allowed);
}

static void
new_keys_do_not_make_the_worst_forgotten(void)
{
	const struct rate_limit limit = {1, 3600 * (uint64_t)SECOND, 2};

	start(8);
	CHECK(rate_take(table, 999, &limit, SECOND).allowed);
	CHECK(rate_take(table, 999, &limit, SECOND).allowed);
	for (uint64_t key = 1; key < 500; key++)
		CHECK(rate_take(table, key, &limit, SECOND).allowed);
	CHECK(!rate_take(table, 999, &limit, SECOND).allowed);
}

static void
processes_count_together(void)
{
	const struct rate_limit limit = {1, SECOND, 2};
	int status = 1;

	start(64);
	pid_t child = fork();
	if (child == 0)
		_exit(rate_take(table, 7, &limit, SECOND).allowed ? 0 : 1);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(rate_take(table, 7, &limit, SECOND).allowed);
	CHECK(!rate_take(table, 7, &limit, SECOND).allowed);
	rate_table_put(table);
	table = NULL;
}

TESTS(a_burst_is_allowed_and_then_one_at_a_time, refused_ones_are_not_counted,
	new_keys_do_not_make_the_worst_forgotten, processes_count_together)

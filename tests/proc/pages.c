// SPDX-License-Identifier: Apache-2.0
#include "proc/pages_priv.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/test.h"

static void
a_child_counts_where_the_parent_can_read(void)
{
	struct pages *all = pages_map();
	struct page *page = pages_take(all, "worker", 3);
	pid_t pid = fork();
	if (pid == 0) {
		stats_bind(&page->stats);
		stat_add(STAT_SESSIONS_OPENED, 7);
		_exit(0);
	}
	CHECK(pid > 0 && waitpid(pid, NULL, 0) == pid);
	CHECK_INT(page->stats.v[STAT_SESSIONS_OPENED], 7);
	CHECK(strcmp(page->process, "worker") == 0 && page->number == 3);
}

static void
counters_of_the_dead_are_kept_and_gauges_are_not(void)
{
	struct pages *all = pages_map();
	struct page *page = pages_take(all, "worker", 0);
	page->stats.v[STAT_SESSIONS_OPENED] = 5;
	page->stats.v[STAT_SESSIONS_OPEN] = 2;
	pages_give(all, page);
	pages_give(all, NULL);
	CHECK_INT(all->past.v[STAT_SESSIONS_OPENED], 5);
	CHECK_INT(all->past.v[STAT_SESSIONS_OPEN], 0);
	CHECK(pages_take(all, "worker", 1) == page);
	CHECK_INT(page->stats.v[STAT_SESSIONS_OPENED], 0);
}

static void
the_list_has_those_in_use_and_the_past(void)
{
	static struct metrics_page out[PAGES_MOST + 1];
	struct pages *all = pages_map();
	struct page *a = pages_take(all, "vault", 0);
	struct page *b = pages_take(all, "worker", 9);
	CHECK_INT(pages_list(all, out), 3);
	pages_give(all, a);
	CHECK_INT(pages_list(all, out), 2);
	CHECK(out[0].stats == &b->stats && out[0].number == 9);
	CHECK_STR(out[1].process, "past");
}

static void
there_are_no_more_than_there_are(void)
{
	struct pages *all = pages_map();
	for (unsigned i = 0; i < PAGES_MOST; i++)
		CHECK(pages_take(all, "worker", i) != NULL);
	CHECK(pages_take(all, "worker", 0) == NULL);
}

static void
what_key_servers_did_outlives_their_workers(void)
{
	struct pages *all = pages_map();
	struct page *a = pages_take(all, "worker", 0);
	struct page *b = pages_take(all, "worker", 1);
	static struct metrics sum; /* many rows */

	a->keys.connections = 3;
	a->keys.took[1][2] = 5;
	b->keys.connections = 4;
	pages_give(all, a);
	pages_sum_keys(all, &sum);
	CHECK_INT(sum.connections, 7);
	CHECK_INT(sum.took[1][2], 5);
	a = pages_take(all, "worker", 0); /* begins anew */
	pages_sum_keys(all, &sum);
	CHECK_INT(sum.connections, 7);
}

TESTS(a_child_counts_where_the_parent_can_read,
	counters_of_the_dead_are_kept_and_gauges_are_not,
	the_list_has_those_in_use_and_the_past, there_are_no_more_than_there_are,
	what_key_servers_did_outlives_their_workers)

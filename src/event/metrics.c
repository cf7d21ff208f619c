// SPDX-License-Identifier: Apache-2.0
#include "event/metrics.h"

/* The same counter of all processes: what Prometheus calls one time series. */
static uint64_t
sum(const struct metrics_page *pages, size_t n, int stat)
{
	uint64_t all = 0;
	for (size_t i = 0; i < n; i++)
		all += pages[i].stats->v[stat];
	return all;
}

static void
put_processes(struct text *t, const struct metrics_page *pages, size_t n)
{
	text_add(t,
		"# HELP sekisho_process Processes that count.\n"
		"# TYPE sekisho_process gauge\n");
	for (size_t i = 0; i < n; i++) {
		text_add(t, "sekisho_process{name=\"%s\",number=\"%u\"} 1\n",
			pages[i].process, pages[i].number);
	}
}

void
metrics_put(struct text *t, const struct metrics_page *pages, size_t n)
{
	put_processes(t, pages, n);
	for (int i = 0; i < STAT_COUNT; i++) {
		enum stat_name s = (enum stat_name)i;
		bool counts = stat_kind(s) == STAT_COUNTER;
		const char *end = counts ? "_total" : "";

		text_add(t, "# HELP sekisho_%s%s %s\n", stat_id(s), end, stat_help(s));
		text_add(t, "# TYPE sekisho_%s%s %s\n", stat_id(s), end,
			counts ? "counter" : "gauge");
		text_add(t, "sekisho_%s%s %llu\n", stat_id(s), end,
			(unsigned long long)sum(pages, n, i));
	}
}

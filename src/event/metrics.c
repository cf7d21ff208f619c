// SPDX-License-Identifier: Apache-2.0
#include "event/metrics.h"

/* Workers differ by load: their gauges and counters are told one by one as well. */
static bool
is_worker(const struct metrics_page *p)
{
	return span_eq(span_str(p->process), SPAN("worker"));
}

void
metrics_put(struct text *t, const struct metrics_page *pages, size_t n)
{
	for (int i = 0; i < STAT_COUNT; i++) {
		enum stat_name s = (enum stat_name)i;
		const char *suffix = stat_kind(s) == STAT_COUNTER ? "_total" : "";
		text_add(t, "# HELP sekisho_%s%s %s\n# TYPE sekisho_%s%s %s\n",
			stat_id(s), suffix, stat_help(s), stat_id(s), suffix,
			stat_kind(s) == STAT_COUNTER ? "counter" : "gauge");
		uint64_t rest = 0;
		for (size_t k = 0; k < n; k++) {
			uint64_t v = pages[k].stats->v[i];
			if (is_worker(&pages[k]))
				text_add(t,
					"sekisho_%s%s{process=\"worker\",number=\"%u\"}"
					" %llu\n",
					stat_id(s), suffix, pages[k].number,
					(unsigned long long)v);
			else
				rest += v;
		}
		text_add(t, "sekisho_%s%s{process=\"other\"} %llu\n", stat_id(s),
			suffix, (unsigned long long)rest);
	}
}

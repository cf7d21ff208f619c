// SPDX-License-Identifier: Apache-2.0
#include "event/metrics.h"

/* Workers differ by load: their gauges and counters are told one by one as well. */
static bool
is_worker(const struct metrics_page *p)
{
	return span_eq(span_str(p->process), SPAN("worker"));
}

static void
put_head(struct text *t, enum stat_name s, const char *name)
{
	text_add(t, "# HELP %s %s\n# TYPE %s %s\n", name, stat_help(s), name,
		stat_kind(s) == STAT_COUNTER ? "counter" : "gauge");
}

void
metrics_put(struct text *t, const struct metrics_page *pages, size_t n)
{
	for (int i = 0; i < STAT_COUNT; i++) {
		enum stat_name s = (enum stat_name)i;
		char name[128];
		uint64_t rest = 0;

		text_format(name, sizeof(name), "sekisho_%s%s", stat_id(s),
			stat_kind(s) == STAT_COUNTER ? "_total" : "");
		put_head(t, s, name);
		for (size_t k = 0; k < n; k++) {
			uint64_t v = pages[k].stats->v[i];
			if (is_worker(&pages[k]))
				text_add(t,
					"%s{process=\"worker\",number=\"%u\"} %llu\n",
					name, pages[k].number, (unsigned long long)v);
			else
				rest += v;
		}
		text_add(t, "%s{process=\"other\"} %llu\n", name,
			(unsigned long long)rest);
	}
}

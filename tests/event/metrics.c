// SPDX-License-Identifier: Apache-2.0
#include "event/metrics.h"

#include "base/mem.h"
#include "tests/test.h"

static void
counters_are_summed_over_processes(void)
{
	static struct stats a, b, c, d;
	char *p = mem_alloc(METRICS_TEXT_MAX);
	struct text t = text_to(p, METRICS_TEXT_MAX);
	a.v[STAT_SESSIONS_OPENED] = 3;
	b.v[STAT_SESSIONS_OPENED] = 4;
	c.v[STAT_SESSIONS_OPENED] = 5;
	d.v[STAT_SESSIONS_OPENED] = 6;
	const struct metrics_page pages[] = {{&a, "worker", 0}, {&b, "worker", 1},
		{&c, "vault", 0}, {&d, "scribe", 0}};
	metrics_put(&t, pages, COUNT_OF(pages));
	CHECK(!t.cut);
	CHECK(span_starts(text_span(&t),
		SPAN("# HELP sekisho_process Processes that count.\n"
		     "# TYPE sekisho_process gauge\n"
		     "sekisho_process{name=\"worker\",number=\"0\"} 1\n"
		     "sekisho_process{name=\"worker\",number=\"1\"} 1\n"
		     "sekisho_process{name=\"vault\",number=\"0\"} 1\n"
		     "sekisho_process{name=\"scribe\",number=\"0\"} 1\n"
		     "# HELP sekisho_sessions_opened_total Client connections "
		     "accepted.\n"
		     "# TYPE sekisho_sessions_opened_total counter\n"
		     "sekisho_sessions_opened_total 18\n"
		     "# HELP sekisho_sessions_open Client connections open now.\n"
		     "# TYPE sekisho_sessions_open gauge\n")));
	mem_free(p);
}

TESTS(counters_are_summed_over_processes)

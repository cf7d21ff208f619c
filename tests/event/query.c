// SPDX-License-Identifier: Apache-2.0
#include "event/query.h"

#include "base/text.h"
#include "tests/test.h"

static struct event e;
static struct event_view v;

static void
make(void)
{
	struct err err = {0};
	struct ip ip = ip_v4(0x0a010203);
	event_init(&e, EVENT_KIND_REQUEST);
	event_time(&e, 1700000000123);
	event_id(&e, EVENT_SESSION, 0xabc);
	event_str(&e, EVENT_HOST, SPAN("bank.example"));
	event_int(&e, EVENT_STATUS, 502);
	event_ip(&e, EVENT_CLIENT, &ip);
	event_flag(&e, EVENT_ORIGIN_REUSED, true);
	struct span s = event_bytes(&e);
	CHECK_OK(event_read(&s, &v, &err), &err);
}

static bool
holds(const char *text)
{
	struct rule_error error = {0};
	struct query *q = NULL;
	if (!query_compile(span_str(text), &q, &error))
		print_error("%s: %u: %s\n", text, error.col, error.message);
	CHECK(q);
	bool is = query_matches(q, &v);
	query_free(q);
	return is;
}

static void
the_rule_language_asks_events(void)
{
	make();
	CHECK(holds(""));
	CHECK(holds("  "));
	CHECK(holds("status >= 500 and host contains \"bank\""));
	CHECK(holds("client in {10.0.0.0/8}"));
	CHECK(holds("kind == \"request\" and time == 1700000000"));
	CHECK(holds("session == \"0000000000000abc\""));
	CHECK(holds("origin_reused and not leaf_cached"));
	CHECK(!holds("kind == \"session\""));
	CHECK(!holds("request == \"0000000000000000\"")); /* it has none: missing */
	CHECK(!holds("method != \"GET\""));
	CHECK(!holds("status == 200"));
}

static void
one_query_serves_many_events(void)
{
	struct rule_error error = {0};
	struct query *q = NULL;
	make();
	CHECK(query_compile(SPAN("status == 502"), &q, &error));
	CHECK(query_matches(q, &v));
	v.v[EVENT_STATUS].i = 200;
	CHECK(!query_matches(q, &v));
	query_free(q);
}

static void
a_wrong_filter_is_told_with_its_column(void)
{
	struct rule_error error = {0};
	struct query *q = NULL;
	CHECK(!query_compile(SPAN("status >= 500 and hostt == \"x\""), &q, &error));
	CHECK_INT(error.col, 19);
	CHECK(span_find(span_str(error.hint), SPAN("host")) < span_str(error.hint).n);
	CHECK(!q);
}

TESTS(the_rule_language_asks_events, one_query_serves_many_events,
	a_wrong_filter_is_told_with_its_column)

// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "event/event.h"
#include "tests/test.h"

/* A link whose messages can be looked at, and that can be stopped. */
static struct {
	struct event_link link;
	bool stopped;
	size_t messages;
	size_t records;
	uint64_t lost;
} to;

static bool
take(struct event_link *l, struct span message)
{
	struct event_batch b;
	static struct event_view v;
	struct err err = {0};
	uint32_t n = 0;

	CHECK(l == &to.link);
	if (to.stopped)
		return false;
	CHECK_OK(event_batch_read(message, &b, &err), &err);
	while (b.records.n > 0) {
		CHECK_OK(event_read(&b.records, &v, &err), &err);
		n++;
	}
	CHECK_INT(n, b.count);
	to.messages++;
	to.records += n;
	to.lost += b.lost;
	return true;
}

static struct event e;

static void
begin(void)
{
	memset(&to, 0, sizeof(to));
	clock_fake(1000, 0);
	event_link_init(&to.link, take);
	event_init(&e, EVENT_KIND_REQUEST);
	event_str(&e, EVENT_HOST, SPAN("a.example"));
}

static void
events_wait_for_company_but_not_long(void)
{
	begin();
	CHECK(event_flush(&to.link) == UINT64_MAX);
	event_emit(&to.link, &e);
	event_emit(&to.link, &e);
	CHECK_INT(event_flush(&to.link), EVENT_BATCH_WAIT);
	CHECK_INT(to.messages, 0);
	clock_fake(1000 + EVENT_BATCH_WAIT, 0);
	CHECK(event_flush(&to.link) == UINT64_MAX);
	CHECK_INT(to.messages, 1);
	CHECK_INT(to.records, 2);
	event_link_fini(&to.link);
	CHECK_INT(to.messages, 1);
	clock_real();
}

static void
many_events_go_at_once(void)
{
	begin();
	while (to.link.n < EVENT_BATCH_SEND)
		event_emit(&to.link, &e);
	CHECK(event_flush(&to.link) == UINT64_MAX);
	CHECK_INT(to.messages, 1);
	event_link_fini(&to.link);
	clock_real();
}

static void
what_does_not_fit_is_counted_and_the_count_arrives(void)
{
	size_t n = 0;
	begin();
	to.stopped = true;
	while (to.link.lost < 10) {
		event_emit(&to.link, &e);
		n++;
	}
	CHECK_INT(event_flush(&to.link), EVENT_BATCH_WAIT - 0);
	to.stopped = false;
	clock_fake(9000, 0);
	CHECK(event_flush(&to.link) == UINT64_MAX);
	CHECK_INT(to.lost, 10);
	CHECK_INT(to.records, n - 10);
	event_emit(&to.link, &e);
	event_link_fini(&to.link);
	CHECK_INT(to.records, n - 9);
	CHECK_INT(to.lost, 10);
	clock_real();
}

static void
a_missing_link_takes_everything(void)
{
	begin();
	event_emit(NULL, &e);
	event_link_fini(&to.link);
	CHECK_INT(to.messages, 0);
	clock_real();
}

static void
a_foreign_message_is_refused(void)
{
	struct event_batch b;
	struct err err = {0};
	CHECK(!event_batch_read(SPAN("short"), &b, &err));
	CHECK(!event_batch_read(SPAN("0123456789abcdef0123456789"), &b, &err));
	CHECK_INT(err.code, ERR_EVENT_RECORD);
}

TESTS(events_wait_for_company_but_not_long, many_events_go_at_once,
	what_does_not_fit_is_counted_and_the_count_arrives,
	a_missing_link_takes_everything, a_foreign_message_is_refused)

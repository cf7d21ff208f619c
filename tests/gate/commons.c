// SPDX-License-Identifier: Apache-2.0
#include "gate/commons.h"

#include "base/clock.h"
#include "base/mem.h"
#include "gate/settings.h"
#include "tests/test.h"
#include "tls/ids.h"
#include "tls/once.h"

/* A reload: the next settings remember what the ones before did, and outlive them. */
static void
a_reload_goes_on_with_what_was_there(void)
{
	struct settings *before = mem_alloc(sizeof(*before));
	struct settings *next = mem_alloc(sizeof(*next));
	struct settings *fresh = mem_alloc(sizeof(*fresh));
	struct err err = {0};

	CHECK_OK(commons_open(before, NULL, &err), &err);
	CHECK_OK(commons_open(next, before, &err), &err);
	CHECK_OK(commons_open(fresh, NULL, &err), &err);
	CHECK(next->ids == before->ids && next->once == before->once);
	CHECK(fresh->ids != before->ids && fresh->once != before->once);
	struct settings *all[] = {before, next, fresh};
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		settings_fini(all[i]);
		mem_free(all[i]);
	}
}

/* Tickets of a secret that outlives the process may have been taken before it began. */
static void
early_data_waits_where_tickets_are_older_than_the_process(void)
{
	static const struct settings lasting[] = {
		{.ticket_file = SPAN_INIT("/a/file")},
		{.tickets.key = SPAN_INIT("/a/key")},
		{.tickets.keys.servers = (struct conf_item *)(uintptr_t)8},
	};
	struct settings s = {0};
	struct err err = {0};
	uint64_t now_s = clock_now() / 1000;

	CHECK_OK(commons_open(&s, NULL, &err), &err);
	CHECK(once_take(s.once, SPAN("0123456789abcdef"), now_s));
	ids_put(s.ids);
	once_put(s.once);
	for (size_t i = 0; i < COUNT_OF(lasting); i++) {
		s = lasting[i];
		CHECK_OK(commons_open(&s, NULL, &err), &err);
		CHECK(!once_take(s.once, SPAN("0123456789abcdef"), now_s));
		CHECK(once_take(
			s.once, SPAN("0123456789abcdef"), now_s + ONCE_WINDOW_S + 2));
		ids_put(s.ids);
		once_put(s.once);
	}
}

TESTS(early_data_waits_where_tickets_are_older_than_the_process,
	a_reload_goes_on_with_what_was_there)

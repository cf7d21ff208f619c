// SPDX-License-Identifier: Apache-2.0
#include "tls/once.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/must.h"
#include "base/text.h"
#include "tests/test.h"

enum { BEGUN = 1000, NOW = BEGUN + ONCE_WINDOW_S + 1 };

static struct once *
make(size_t slots)
{
	struct err err = {0};
	struct once *o = once_new(slots, &err);

	CHECK_OK(o != NULL, &err);
	return o;
}

static void
a_second_time_is_refused_until_it_can_no_more_come(void)
{
	struct once *o = make(64);

	CHECK(once_take(o, SPAN("0123456789abcdef"), NOW));
	CHECK(!once_take(o, SPAN("0123456789abcdef"), NOW));
	CHECK(once_take(o, SPAN("0123456789ABCDEF"), NOW));
	CHECK(!once_take(o, SPAN("0123456789abcdef"), NOW + ONCE_WINDOW_S));
	CHECK(once_take(o, SPAN("0123456789abcdef"), NOW + ONCE_WINDOW_S + 1));
	once_put(o);
}

/* Workers look at the clock once a turn, so one may be a little behind another. */
static void
who_is_behind_with_the_time_takes_nothing_twice(void)
{
	for (unsigned behind = 1; behind <= ONCE_WINDOW_S; behind++) {
		struct once *o = make(64);
		CHECK(once_take(o, SPAN("0123456789abcdef"), NOW));
		CHECK(!once_take(o, SPAN("0123456789abcdef"), NOW - behind));
		once_put(o);
	}
}

/* Who recorded what before the start is not known. */
static void
after_another_table_nothing_is_taken_for_a_while(void)
{
	struct once *o = make(64);

	CHECK(once_take(o, SPAN("0123456789ABCDEF"), BEGUN));
	once_follow(o, BEGUN);
	CHECK(!once_take(o, SPAN("0123456789abcdef"), BEGUN));
	CHECK(!once_take(o, SPAN("0123456789abcdef"), BEGUN + ONCE_WINDOW_S));
	CHECK(once_take(o, SPAN("0123456789abcdef"), NOW));
	once_put(o);
}

static void
where_there_is_no_room_nothing_is_forgotten(void)
{
	struct once *o = make(8);
	char what[32];
	size_t taken = 0;

	for (unsigned i = 0; i < 100; i++) {
		(void)text_format(what, sizeof(what), "%08u%08u", i * 7919, i);
		taken += once_take(o, span_of(what, 16), NOW);
	}
	CHECK_INT(taken, 8);
	for (unsigned i = 0; i < 100; i++) {
		(void)text_format(what, sizeof(what), "%08u%08u", i * 7919, i);
		CHECK(!once_take(o, span_of(what, 16), NOW + 1));
	}
	CHECK(once_take(o, SPAN("0123456789abcdef"), NOW + ONCE_WINDOW_S + 1));
	once_put(o);
}

/* Four processes at once, each with the same names: nobody takes what another took. */
static void
of_many_at_once_at_most_one_has_it(void)
{
	enum { NAMES = 2000, ALL = 4 };
	struct once *o = make(ONCE_SLOTS);
	int line[2];
	static unsigned times[NAMES];
	uint32_t got;

	CHECK(pipe(line) == 0);
	for (int p = 0; p < ALL; p++) {
		if (fork() > 0)
			continue;
		for (uint32_t i = 0; i < NAMES; i++) {
			char what[32];
			(void)text_format(what, sizeof(what), "%08u%08u", i * 7919, i);
			if (once_take(o, span_of(what, 16), NOW))
				must(write(line[1], &i, sizeof(i)) == sizeof(i));
		}
		_exit(0);
	}
	(void)close(line[1]);
	while (read(line[0], &got, sizeof(got)) == sizeof(got))
		times[got]++;
	for (int p = 0; p < ALL; p++)
		CHECK(wait(NULL) > 0);
	for (size_t i = 0; i < NAMES; i++)
		CHECK(times[i] <= 1);
	(void)close(line[0]);
	once_put(o);
}

TESTS(a_second_time_is_refused_until_it_can_no_more_come,
	who_is_behind_with_the_time_takes_nothing_twice,
	after_another_table_nothing_is_taken_for_a_while,
	where_there_is_no_room_nothing_is_forgotten, of_many_at_once_at_most_one_has_it)

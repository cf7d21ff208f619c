// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <time.h>

#include "base/text.h"
#include "tests/test.h"

static void
time_is_written_and_read_alike(void)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
		{0, "1970-01-01T00:00:00.000Z"},
		{951782399999, "2000-02-28T23:59:59.999Z"},
		{951782400000, "2000-02-29T00:00:00.000Z"},
		{2147483648000, "2038-01-19T03:14:08.000Z"},
		{4107542400123, "2100-03-01T00:00:00.123Z"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char text[CLOCK_TEXT];
		int64_t ms = -1;
		CHECK_STR(clock_text(text, rows[i].ms), rows[i].text);
		CHECK(clock_parse(span_str(rows[i].text), &ms));
		CHECK_INT(ms, rows[i].ms);
	}
}

/* Every 97 days or so of ten thousand years, as the C library has it. */
static void
the_calendar_is_that_of_the_library(void)
{
	for (int64_t at = -62167219200; at < 253402300800; at += 8400001) {
		char text[CLOCK_TEXT];
		char libs[CLOCK_TEXT];
		time_t t = (time_t)at;
		struct tm tm;
		CHECK(gmtime_r(&t, &tm) &&
			strftime(libs, sizeof(libs), "-%m-%dT%H:%M:%S.007Z", &tm) > 0);
		CHECK_STR(clock_text(text, at * 1000 + 7) + 4, libs);
		uint64_t year = 0;
		CHECK(text_u64(span_first(span_str(text), 4), 9999, &year));
		CHECK_INT((int)year, tm.tm_year + 1900);
	}
}

static void
what_is_in_no_year_of_four_digits_has_no_date(void)
{
	char text[CLOCK_TEXT];
	CHECK_STR(clock_text(text, 253402300799999), "9999-12-31T23:59:59.999Z");
	CHECK_STR(clock_text(text, 253402300800000), "(no date)");
	CHECK_STR(clock_text(text, -62167219200000), "0000-01-01T00:00:00.000Z");
	CHECK_STR(clock_text(text, -62167219200001), "(no date)");
	CHECK_STR(clock_text(text, INT64_MIN), "(no date)");
}

static void
a_fraction_may_be_absent(void)
{
	int64_t ms = -1;
	CHECK(clock_parse(SPAN("2026-11-20T18:04:05Z"), &ms));
	CHECK_INT(ms, 1795197845000);
}

static void
what_is_no_time_is_refused_and_changes_nothing(void)
{
	static const char *const rows[] = {
		"",
		"2026-11-20",
		"2026-11-20T18:04:05",
		"2026-11-20T18:04:05+01:00",
		"2026-13-20T18:04:05Z",
		"2026-02-29T18:04:05Z",
		"2026-00-10T18:04:05Z",
		"2026-11-00T18:04:05Z",
		"2026-11-31T18:04:05Z",
		"2026-11-20T24:04:05Z",
		"2026-11-20T18:60:05Z",
		"2026-11-20T18:04:05.Z",
		"2026-11-20T18:04:05Z ",
		"26-11-20T18:04:05Z",
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int64_t ms = 7;
		CHECK(!clock_parse(span_str(rows[i]), &ms));
		CHECK_INT(ms, 7);
	}
}

static void
a_frozen_clock_stands_until_it_is_let_go(void)
{
	clock_fake(1000, 5000);
	CHECK_INT(clock_now(), 1000);
	CHECK_INT(clock_tick(), 1000);
	CHECK_INT(clock_wall_ms(), 5000);
	CHECK_INT(clock_wall(), 5);
	clock_real();
	CHECK(clock_wall() > 1700000000);
	uint64_t before = clock_tick();
	CHECK(clock_tick() >= before);
}

TESTS(time_is_written_and_read_alike, the_calendar_is_that_of_the_library,
	what_is_in_no_year_of_four_digits_has_no_date, a_fraction_may_be_absent,
	what_is_no_time_is_refused_and_changes_nothing,
	a_frozen_clock_stands_until_it_is_let_go)

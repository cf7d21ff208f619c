// SPDX-License-Identifier: Apache-2.0
#include "http/date.h"

#include "tests/test.h"

enum { NOW = 1790000000 }; /* 2026-09-21 */

static void
all_three_forms_are_the_same_time(void)
{
	static const char *const forms[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
		"SUN, 06 NOV 1994 08:49:37 gmt"};

	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		int64_t t = 0;
		CHECK(date_read(span_str(forms[i]), NOW, &t));
		CHECK_INT(t, 784111777);
	}
}

static void
a_date_that_is_almost_one_is_none(void)
{
	static const char *const bad[] = {"", "0", "-1", "foo",
		"Thu, 18 Aug 2050 02:01:18 UTC", "Thu, 18 Aug 50 02:01:18 GMT",
		"Thu 18 Aug 2050 02:01:18 GMT", "Thu, 18  Aug  2050 02:01:18 GMT",
		"Thu, 18-Aug-2050 02:01:18 GMT", "Thu, 18 Aug 2050 02.01.18 GMT",
		"Thu, 18 Aug 2050 2:01:18 GMT", "Thu, 31 Feb 2050 02:01:18 GMT",
		"Thu, 18 Aug 2050 24:01:18 GMT", "Thu, 00 Aug 2050 02:01:18 GMT",
		"Thu, 18 Aug 2050 02:01:18 GMT ", "Thu, 18 Aug 2050 02:01:18"};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		int64_t t = 7;
		CHECK(!date_read(span_str(bad[i]), NOW, &t));
		CHECK_INT(t, 7);
	}
}

static void
two_digits_of_a_year_are_near_now(void)
{
	int64_t t = 0;

	CHECK(date_read(SPAN("Thursday, 01-Jan-70 00:00:00 GMT"), NOW, &t));
	CHECK_INT(t, 3155760000); /* 2070: within fifty years */
	CHECK(date_read(SPAN("Saturday, 01-Jan-77 00:00:00 GMT"), NOW, &t));
	CHECK_INT(t, 220924800); /* 1977 */
}

static void
what_is_written_is_read_again(void)
{
	static const int64_t times[] = {
		0, 951782400, 951868799, 1709164800, NOW, 4102444799, 253402300799};

	for (size_t i = 0; i < COUNT_OF(times); i++) {
		char text[DATE_TEXT];
		int64_t t = -1;
		struct span s = date_write(text, times[i]);
		CHECK(s.n == 29 && date_read(s, NOW, &t));
		CHECK(t == times[i]);
	}
	char text[DATE_TEXT];
	CHECK_SPAN(date_write(text, 784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
}

static void
every_truncation_is_refused(void)
{
	struct span whole = SPAN("Sun, 06 Nov 1994 08:49:37 GMT");

	for (size_t n = 0; n < whole.n; n++) {
		int64_t t = 7;
		CHECK(!date_read(span_first(whole, n), NOW, &t) && t == 7);
	}
}

TESTS(all_three_forms_are_the_same_time, a_date_that_is_almost_one_is_none,
	two_digits_of_a_year_are_near_now, what_is_written_is_read_again,
	every_truncation_is_refused)

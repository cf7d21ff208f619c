// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"

#include <string.h>

#include "tests/test.h"

static void
bytes_come_out_in_the_order_they_went_in(void)
{
	struct buf b;
	uint8_t next_in = 0;
	uint8_t next_out = 0;
	buf_init(&b, 100);
	for (int turn = 0; turn < 500; turn++) {
		size_t n = 0;
		uint8_t *p = buf_space(&b, (size_t)(turn % 13), &n);
		for (size_t i = 0; p && i < n && i < (size_t)(turn % 13); i++)
			p[i] = next_in++;
		buf_added(&b, n < (size_t)(turn % 13) ? n : (size_t)(turn % 13));
		struct span s = span_first(buf_peek(&b), (size_t)(turn % 7));
		for (size_t i = 0; i < s.n; i++)
			CHECK_INT(s.p[i], next_out++);
		buf_drop(&b, s.n);
	}
	buf_fini(&b);
}

static void
full_means_full_and_changes_nothing(void)
{
	struct buf b;
	buf_init(&b, 8);
	CHECK(buf_put(&b, SPAN("12345")));
	CHECK(!buf_put(&b, SPAN("6789")));
	CHECK_SPAN(buf_peek(&b), "12345");
	CHECK_INT(buf_room(&b), 3);
	CHECK(buf_put(&b, SPAN("678")));
	CHECK(buf_full(&b));
	size_t n = 9;
	CHECK(buf_space(&b, 1, &n) == NULL);
	CHECK_INT(n, 0);
	buf_drop(&b, 1);
	CHECK(buf_put(&b, SPAN("9")));
	CHECK_SPAN(buf_peek(&b), "23456789");
	buf_fini(&b);
}

static void
an_empty_one_owns_no_memory(void)
{
	struct buf b;
	buf_init(&b, 1 << 16);
	CHECK(b.mem == NULL && buf_empty(&b));
	CHECK(buf_put(&b, SPAN("abc")));
	CHECK(b.mem != NULL && buf_len(&b) == 3);
	buf_drop(&b, 3);
	CHECK(b.mem == NULL && buf_empty(&b));
	buf_fini(&b);
}

static void
moving_takes_no_more_than_fits_or_is_asked_for(void)
{
	struct buf from;
	struct buf to;
	buf_init(&from, 64);
	buf_init(&to, 4);
	CHECK(buf_put(&from, SPAN("abcdef")));
	CHECK_INT(buf_move(&to, &from, 3), 3);
	CHECK_SPAN(buf_peek(&to), "abc");
	CHECK_INT(buf_move(&to, &from, 99), 1);
	CHECK_SPAN(buf_peek(&to), "abcd");
	CHECK_SPAN(buf_peek(&from), "ef");
	CHECK_INT(buf_move(&to, &from, 99), 0);
	buf_fini(&from);
	buf_fini(&to);
}

static void
moving_everything_between_equals_leaves_the_source_empty(void)
{
	struct buf from;
	struct buf to;
	buf_init(&from, 64);
	buf_init(&to, 64);
	CHECK(buf_put(&from, SPAN("abcdef")));
	CHECK_INT(buf_move(&to, &from, 64), 6);
	CHECK_SPAN(buf_peek(&to), "abcdef");
	CHECK(buf_empty(&from));
	CHECK(buf_put(&from, SPAN("again")));
	CHECK_SPAN(buf_peek(&to), "abcdef");
	buf_wipe(&from);
	buf_fini(&to);
	buf_trim();
}

TESTS(bytes_come_out_in_the_order_they_went_in, full_means_full_and_changes_nothing,
	an_empty_one_owns_no_memory, moving_takes_no_more_than_fits_or_is_asked_for,
	moving_everything_between_equals_leaves_the_source_empty)

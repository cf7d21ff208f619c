// SPDX-License-Identifier: Apache-2.0
#include "base/span.h"

#include "tests/test.h"

static void
cutting_gives_every_piece_once(void)
{
	struct span rest = SPAN("a,,b");
	struct span piece = {0};
	CHECK(span_cut(&rest, ',', &piece));
	CHECK_SPAN(piece, "a");
	CHECK(span_cut(&rest, ',', &piece));
	CHECK_SPAN(piece, "");
	CHECK(span_cut(&rest, ',', &piece));
	CHECK_SPAN(piece, "b");
	CHECK(!span_cut(&rest, ',', &piece));
}

static void
slices_never_leave_their_span(void)
{
	struct span s = SPAN("abcdef");
	CHECK_SPAN(span_slice(s, 2, 4), "cd");
	CHECK_SPAN(span_slice(s, 4, 2), "");
	CHECK_SPAN(span_slice(s, 4, 99), "ef");
	CHECK_SPAN(span_from(s, 99), "");
	CHECK_SPAN(span_first(s, 99), "abcdef");
	CHECK_SPAN(span_from((struct span){0}, 3), "");
}

static void
a_copy_that_does_not_fit_leaves_an_empty_string(void)
{
	char dst[4] = "xxx";
	CHECK(!span_copy(dst, sizeof(dst), SPAN("abcd")));
	CHECK_STR(dst, "");
	CHECK(span_copy(dst, sizeof(dst), SPAN("abc")));
	CHECK_STR(dst, "abc");
	CHECK(!span_copy(dst, sizeof(dst), SPAN("a\0b")));
	CHECK_STR(dst, "");
}

static void
searching_says_the_length_when_there_is_nothing(void)
{
	CHECK_INT(span_chr(SPAN("abc"), 'z'), 3);
	CHECK_INT(span_rchr(SPAN("abca"), 'a'), 3);
	CHECK_INT(span_find(SPAN("abcabd"), SPAN("abd")), 3);
	CHECK_INT(span_find(SPAN("abc"), SPAN("abcd")), 3);
	CHECK_INT(span_find(SPAN(""), SPAN("")), 0);
}

static void
order_is_by_octet_and_then_by_length(void)
{
	CHECK(span_cmp(SPAN("a"), SPAN("b")) < 0);
	CHECK(span_cmp(SPAN("a"), SPAN("aa")) < 0);
	CHECK(span_cmp(SPAN("\x80"), SPAN("a")) > 0);
	CHECK(span_cmp(SPAN(""), SPAN("")) == 0);
}

static void
case_is_ascii_only(void)
{
	CHECK(span_eq_nocase(SPAN("Host"), SPAN("hOST")));
	CHECK(!span_eq_nocase(SPAN("\xc3\x84"), SPAN("\xc3\xa4")));
	CHECK_SPAN(span_trim(SPAN(" \t a b\r\n")), "a b");
}

static void
additions_that_overflow_are_refused(void)
{
	size_t sum = 7;
	CHECK(!size_add(SIZE_MAX, 1, &sum));
	CHECK(size_add(SIZE_MAX - 1, 1, &sum));
	CHECK_INT(sum, SIZE_MAX);
}

TESTS(cutting_gives_every_piece_once, slices_never_leave_their_span,
	a_copy_that_does_not_fit_leaves_an_empty_string,
	searching_says_the_length_when_there_is_nothing,
	order_is_by_octet_and_then_by_length, case_is_ascii_only,
	additions_that_overflow_are_refused)

// SPDX-License-Identifier: Apache-2.0
#include "base/read.h"

#include "tests/test.h"

static void
integers_are_big_endian(void)
{
	struct read r = read_from(SPAN("\1\2\3\4\5\6\7\x08\x09\x0a\0\0\0\0\0\0\1\0"));
	CHECK_INT(read_be(&r, 1), 0x01);
	CHECK_INT(read_be(&r, 2), 0x0203);
	CHECK_INT(read_be(&r, 3), 0x040506);
	CHECK_INT(read_be(&r, 4), 0x0708090a);
	CHECK_INT(read_be64(&r), 256);
	CHECK(read_done(&r) && !read_more(&r));
}

static void
a_failed_read_sticks(void)
{
	struct read r = read_from(SPAN("\1\2\3"));
	CHECK_INT(read_be(&r, 2), 0x0102);
	CHECK_INT(read_be(&r, 2), 0);
	CHECK(!read_more(&r) && !read_done(&r));
	CHECK_INT(read_be(&r, 1), 0);
	CHECK_INT(read_bytes(&r, 1).n, 0);
	CHECK(!read_done(&r));
}

static void
a_bad_vector_is_bad_itself(void)
{
	struct read r = read_from(SPAN("\0\5abc"));
	struct read inner = read_vec(&r, 2);
	CHECK_INT(inner.left.n, 0);
	CHECK(inner.bad && r.bad);
	CHECK(!read_done(&inner) && !read_done(&r));
}

static void
vectors_end_where_they_say(void)
{
	struct read r = read_from(SPAN("\3abcrest"));
	struct read inner = read_vec(&r, 1);
	CHECK_SPAN(inner.left, "abc");
	CHECK_INT(read_be(&inner, 4), 0);
	CHECK(inner.bad && !r.bad);
	CHECK_SPAN(read_bytes(&r, 4), "rest");
	CHECK(read_done(&r));
}

static void
something_left_over_is_not_done(void)
{
	struct read r = read_from(SPAN("ab"));
	(void)read_be(&r, 1);
	CHECK(read_more(&r) && !read_done(&r));
}

static void
writing_is_the_mirror_image(void)
{
	uint8_t place[64];
	struct write w = write_to(place, sizeof(place));
	write_be(&w, 0x010203, 3);
	size_t outer = write_open(&w, 2);
	size_t inner = write_open(&w, 1);
	write_span(&w, SPAN("abc"));
	write_close(&w, inner, 1);
	write_close(&w, outer, 2);
	write_be64(&w, 9);
	CHECK_SPAN(write_done(&w), "\1\2\3\0\4\3abc\0\0\0\0\0\0\0\x09");
}

static void
what_does_not_fit_gives_nothing(void)
{
	uint8_t place[300];
	struct write w = write_to(place, 2);
	write_be(&w, 1, 3);
	write_be(&w, 1, 1);
	CHECK_INT(write_done(&w).n, 0);

	w = write_to(place, sizeof(place));
	size_t mark = write_open(&w, 1);
	for (int i = 0; i < 64; i++)
		write_be(&w, 0, 4);
	write_close(&w, mark, 1);
	CHECK_INT(write_done(&w).n, 0);
}

TESTS(integers_are_big_endian, a_failed_read_sticks, a_bad_vector_is_bad_itself,
	vectors_end_where_they_say, something_left_over_is_not_done,
	writing_is_the_mirror_image, what_does_not_fit_gives_nothing)

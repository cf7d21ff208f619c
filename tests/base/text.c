// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <string.h>

#include "base/buf.h"
#include "tests/test.h"

static void
a_builder_never_overruns_and_says_so(void)
{
	char place[8];
	struct text t = text_to(place, sizeof(place));
	text_add(&t, "%s", "abc");
	CHECK(!t.cut);
	text_add(&t, "%s", "defgh");
	CHECK(t.cut);
	CHECK_STR(place, "abcdefg");
	text_put(&t, SPAN("more"));
	CHECK_STR(place, "abcdefg");
}

static void
strange_octets_become_escapes(void)
{
	char place[64];
	struct text t = text_to(place, sizeof(place));
	text_put_safe(&t, SPAN("a\x1b\\\x7f\xff\xc3\xa4\n"));
	CHECK_STR(place, "a\\x1b\\x5c\\x7f\\xff\xc3\xa4\\x0a");
}

static void
hex_goes_both_ways(void)
{
	char place[16];
	uint8_t back[4];
	size_t n = 0;
	struct text t = text_to(place, sizeof(place));
	text_put_hex(&t, SPAN("\x00\xab\xff"), false);
	CHECK_STR(place, "00abff");
	CHECK(text_unhex(SPAN("00ABff"), back, sizeof(back), &n));
	CHECK(n == 3 && memcmp(back, "\x00\xab\xff", 3) == 0);
	CHECK(!text_unhex(SPAN("0"), back, sizeof(back), &n));
	CHECK(!text_unhex(SPAN("0g"), back, sizeof(back), &n));
	CHECK(!text_unhex(SPAN("0011223344"), back, sizeof(back), &n));
}

static void
base64_goes_both_ways(void)
{
	static const struct {
		const char *plain;
		const char *coded;
	} rows[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
		{"foob", "Zm9vYg=="}, {"\xfb\xff", "+/8="}};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char place[32];
		uint8_t back[32];
		size_t n = 99;
		struct text t = text_to(place, sizeof(place));
		text_put_base64(&t, span_str(rows[i].plain));
		CHECK_STR(place, rows[i].coded);
		CHECK(text_unbase64(span_str(rows[i].coded), back, sizeof(back), &n));
		CHECK(span_eq(span_of(back, n), span_str(rows[i].plain)));
	}
	uint8_t back[8];
	size_t n = 0;
	CHECK(text_unbase64(SPAN("-_8"), back, sizeof(back), &n) && n == 2);
	CHECK(!text_unbase64(SPAN("Z"), back, sizeof(back), &n));
	CHECK(!text_unbase64(SPAN("Zg==="), back, sizeof(back), &n));
	CHECK(!text_unbase64(SPAN("Zm 9v"), back, sizeof(back), &n));
}

static void
numbers_are_digits_and_nothing_else(void)
{
	static const char *const bad[] = {
		"", "-1", "+1", " 1", "1 ", "0x1", "1.0", "18446744073709551616"};
	uint64_t v = 7;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK(!text_u64(span_str(bad[i]), UINT64_MAX, &v));
	CHECK_INT(v, 7);
	CHECK(text_u64(SPAN("18446744073709551615"), UINT64_MAX, &v) &&
		v == UINT64_MAX);
	CHECK(text_u64(SPAN("0"), 0, &v) && v == 0);
	CHECK(!text_u64(SPAN("256"), 255, &v));
	int64_t i = 0;
	CHECK(text_i64(SPAN("-9223372036854775808"), &i) && i == INT64_MIN);
	CHECK(!text_i64(SPAN("9223372036854775808"), &i));
	CHECK(!text_i64(SPAN("-"), &i));
}

static void
utf8_is_what_rfc_3629_says(void)
{
	CHECK(text_is_utf8(SPAN("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80")));
	CHECK(text_is_utf8(SPAN("")));
	static const char *const bad[] = {"\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80",
		"\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80", "\xe2\x82", "\xff"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		CHECK(!text_is_utf8(span_str(bad[i])));
}

static void
the_nearest_name_is_near(void)
{
	static const char *const names[] = {"upstream", "untrusted", "authority"};
	CHECK_INT(text_distance(SPAN("kitten"), SPAN("sitting")), 3);
	CHECK_INT(text_nearest(SPAN("upsteam"), names, 3), 0);
	CHECK_INT(text_nearest(SPAN("autority"), names, 3), 2);
	CHECK_INT(text_nearest(SPAN("xyz"), names, 3), 3);
}

static void
sizes_and_durations_read_well(void)
{
	char place[24];
	CHECK_STR(text_size(place, 0), "0 B");
	CHECK_STR(text_size(place, 850), "850 B");
	CHECK_STR(text_size(place, 1572864), "1.5 MiB");
	CHECK_STR(text_duration(place, 250), "250 ms");
	CHECK_STR(text_duration(place, 3900000), "1 h 5 min");
}

static void
a_buf_takes_all_of_a_text_or_nothing(void)
{
	struct buf b;
	buf_init(&b, 8);
	CHECK(text_to_buf(&b, "%d-%s", 12, "abc"));
	CHECK(!text_to_buf(&b, "%s", "xyz"));
	CHECK_SPAN(buf_peek(&b), "12-abc");
	buf_fini(&b);
}

TESTS(a_builder_never_overruns_and_says_so, strange_octets_become_escapes,
	hex_goes_both_ways, base64_goes_both_ways, numbers_are_digits_and_nothing_else,
	utf8_is_what_rfc_3629_says, the_nearest_name_is_near,
	sizes_and_durations_read_well, a_buf_takes_all_of_a_text_or_nothing)

// SPDX-License-Identifier: Apache-2.0
#include "rule/set.h"

#include "base/text.h"
#include "tests/test.h"

static void
ranges_merge_and_are_found_by_halves(void)
{
	struct int_set s = {0};
	int_set_add(&s, 10, 20);
	int_set_add(&s, INT64_MAX, INT64_MAX);
	int_set_add(&s, -5, -5);
	int_set_add(&s, 21, 30);
	int_set_add(&s, 15, 18);
	int_set_seal(&s);
	CHECK_INT(s.n, 3);
	CHECK(int_set_has(&s, -5) && int_set_has(&s, 30) && int_set_has(&s, INT64_MAX));
	CHECK(!int_set_has(&s, 9) && !int_set_has(&s, 31) &&
		!int_set_has(&s, INT64_MIN));
	int_set_fini(&s);
	CHECK(!int_set_has(&s, 0));
}

static void
addresses_stay_in_their_family(void)
{
	struct ip_set s = {0};
	struct ip_prefix net;
	struct ip ip;
	CHECK(ip_prefix_parse(SPAN("10.0.0.0/8"), &net));
	ip_set_add_prefix(&s, &net);
	CHECK(ip_prefix_parse(SPAN("2001:db8::/33"), &net));
	ip_set_add_prefix(&s, &net);
	ip_set_seal(&s);
	CHECK(ip_parse(SPAN("10.255.255.255"), &ip) && ip_set_has(&s, &ip));
	CHECK(ip_parse(SPAN("11.0.0.0"), &ip) && !ip_set_has(&s, &ip));
	CHECK(ip_parse(SPAN("2001:db8:7fff::1"), &ip) && ip_set_has(&s, &ip));
	CHECK(ip_parse(SPAN("2001:db8:8000::"), &ip) && !ip_set_has(&s, &ip));
	ip_set_fini(&s);
}

static void
strings_are_found_after_any_growth(void)
{
	struct string_set s = {0};
	char name[32];
	for (unsigned i = 0; i < 5000; i++) {
		size_t n = text_format(name, sizeof(name), "n%u", i);
		CHECK(string_set_add(&s, span_of(name, n), SET_EXACT));
	}
	CHECK(string_set_add(&s, SPAN("n1"), SET_BELOW));
	string_set_seal(&s);
	CHECK_INT(s.n, 5000);
	for (unsigned i = 0; i < 5000; i++) {
		size_t n = text_format(name, sizeof(name), "n%u", i);
		CHECK(string_set_has(&s, span_of(name, n)));
	}
	CHECK_INT(string_set_marks(&s, SPAN("n1")), SET_EXACT | SET_BELOW);
	CHECK(!string_set_has(&s, SPAN("n5000")) && !string_set_has(&s, SPAN("")));
	string_set_fini(&s);
}

static void
suffixes_cover_what_is_below_them(void)
{
	struct string_set s = {0};
	CHECK(string_set_add(&s, SPAN("a.example"), SET_EXACT));
	CHECK(string_set_add(&s, SPAN("b.example"), SET_BELOW));
	CHECK(string_set_covers(&s, SPAN("a.example")));
	CHECK(!string_set_covers(&s, SPAN("x.a.example")));
	CHECK(string_set_covers_any(&s, SPAN("x.a.example")));
	CHECK(string_set_covers(&s, SPAN("y.x.b.example")));
	CHECK(!string_set_covers(&s, SPAN("b.example")));
	CHECK(!string_set_covers(&s, SPAN("xb.example")));
	string_set_fini(&s);
}

TESTS(ranges_merge_and_are_found_by_halves, addresses_stay_in_their_family,
	strings_are_found_after_any_growth, suffixes_cover_what_is_below_them)

// SPDX-License-Identifier: Apache-2.0
#include "rule/wildcard_priv.h"

#include "tests/test.h"

struct row {
	const char *pattern;
	const char *text;
	bool strict;
	bool loose;
};

static const struct row rows[] = {
	{"", "", true, true},
	{"", "a", false, false},
	{"*", "", true, true},
	{"*", "anything", true, true},
	{"a*", "ab", true, true},
	{"A*", "ab", false, true},
	{"*b", "ab", true, true},
	{"*b", "abc", false, false},
	{"a*b*c", "aXbYc", true, true},
	{"a*b*c", "ac", false, false},
	{"a*a", "a", false, false},
	{"a*a", "aa", true, true},
	{"*.b.*", "a.b.c", true, true},
	{"a?c", "abc", false, false},
	{"a?c", "a?c", true, true},
	{"a\\*", "a*", true, true},
	{"a\\*", "ab", false, false},
	{"a\\\\b", "a\\b", true, true},
	{"*aab", "aaab", true, true},
	{"*ab*ab*", "abxab", true, true},
	{"*ab*ab*", "abxa", false, false},
};

static void
the_whole_value_must_match(void)
{
	struct arena a;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		for (int strict = 0; strict < 2; strict++) {
			struct wildcard *w;
			const char *why;
			CHECK(wildcard_parse(
				&a, span_str(rows[i].pattern), strict, &w, &why));
			bool want = strict ? rows[i].strict : rows[i].loose;
			if (wildcard_matches(w, span_str(rows[i].text), NULL) != want)
				print_error(
					"%s on %s\n", rows[i].pattern, rows[i].text);
			CHECK_INT(wildcard_matches(w, span_str(rows[i].text), NULL),
				want);
		}
	}
	arena_fini(&a);
}

static void
stars_take_as_little_as_they_can(void)
{
	struct arena a;
	struct wildcard *w;
	const char *why;
	struct span got[WILDCARD_CAPTURES] = {0};
	arena_init(&a, 1 << 20);
	CHECK(wildcard_parse(&a, SPAN("/*/*"), true, &w, &why));
	CHECK(wildcard_matches(w, SPAN("/a/b/c"), got));
	CHECK_SPAN(got[0], "a");
	CHECK_SPAN(got[1], "b/c");
	arena_fini(&a);
}

static void
odd_patterns_are_refused(void)
{
	static const char *const bad[] = {"**", "a**b", "\\a", "a\\", "\\?"};
	struct arena a;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct wildcard *w;
		const char *why = NULL;
		CHECK(!wildcard_parse(&a, span_str(bad[i]), true, &w, &why) &&
			why != NULL);
	}
	arena_fini(&a);
}

TESTS(the_whole_value_must_match, stars_take_as_little_as_they_can,
	odd_patterns_are_refused)

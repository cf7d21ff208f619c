// SPDX-License-Identifier: Apache-2.0
#include "rule/regex_priv.h"

#include <string.h>

#include "base/text.h"
#include "tests/test.h"

struct row {
	const char *pattern;
	const char *yes[4];
	const char *no[4];
};

// clang-format off
static const struct row rows[] = {
	{"", {"", "a"}, {0}},
	{"^$", {""}, {"a", "\n"}},
	{"a$", {"ba"}, {"a\n", "ab"}}, /* the end is the end: no newline is forgiven */
	{"^a", {"ab"}, {"ba", "\na"}},
	{"(?m)^a$", {"a", "b\na", "a\nb"}, {"ba"}},
	{"a.c", {"abc", "a\xff" "c"}, {"a\nc", "ac"}},
	{"(?s)a.c", {"a\nc"}, {"ac"}},
	{"(?i)aBc", {"ABC", "abc"}, {"ab"}},
	{"a(?i)b|c", {"aB", "C"}, {"AB"}},
	{"(?i:a)b", {"Ab"}, {"AB"}},
	{"\\d+\\s\\w", {"12 a"}, {"a b", "\xd9\xa1 a"}},
	{"\\D\\S\\W", {"ab-"}, {"1b-"}},
	{"[[:alpha:]]{2}", {"ab"}, {"a1"}},
	{"[^[:^digit:]]", {"5"}, {"a"}},
	{"[a-c&&b-d]", {"b", "c"}, {"a", "d"}},
	{"[a-c--b]", {"a"}, {"b"}},
	{"[a-c~~b-d]", {"a", "d"}, {"b", "c"}},
	{"[]a]", {"]", "a"}, {"b"}},
	{"[^]a]", {"b"}, {"]", "a"}},
	{"[-a]", {"-"}, {"b"}},
	{"[a-]", {"-"}, {"b"}},
	{"[\\]\\-\\\\]", {"]", "-", "\\"}, {"a"}},
	{"a{2}", {"aa"}, {"a"}},
	{"^a{2,}$", {"aaa"}, {"a"}},
	{"^a{1,2}$", {"a", "aa"}, {"", "aaa"}},
	{"^(ab)*$", {"", "abab"}, {"aba"}},
	{"^(?:a|b)+?$", {"ab"}, {""}},
	{"^a**$", {"", "aa"}, {"b"}},
	{"a|", {"", "b"}, {0}},
	{"\\bfoo\\b", {"a foo b", "foo"}, {"xfoo", "foo_"}},
	{"\\Bo", {"foo"}, {"o"}},
	{"\\<foo", {"a foo"}, {"afoo"}},
	{"foo\\>", {"foo a"}, {"fooa"}},
	{"\\b{start-half}a", {"-a"}, {"ba"}},
	{"\\Aab\\z", {"ab"}, {"ab\n"}},
	{"\\x41\\x{42}\\u0043\\U00000044", {"ABCD"}, {"ABC"}},
	{"\\x{3042}", {"\xe3\x81\x82"}, {"\xe3\x81"}},
	{"\xe3\x81\x82+$", {"\xe3\x81\x82\xe3\x81\x82"}, {"\xe3\x81\x82\x82"}},
	{"\\xff", {"\xff"}, {"\xc3\xbf"}},
	{"\\a\\f\\t\\n\\r\\v", {"\a\f\t\n\r\v"}, {"a"}},
	{"\\.\\*\\/\\-\\ \\#", {".*/- #"}, {"x"}},
	{"(?x) a b # end\n c", {"abc"}, {"a b"}},
	{"(?P<n>a)(?<m>b)", {"ab"}, {"a"}},
	{"a^b", {0}, {"ab", "a\nb"}},
	{"(?m)a\n^b", {"a\nb"}, {"ab"}},
	{"(a$|b)c?", {"a", "bc"}, {"ac"}},
	{"(?u)^.$", {"\xe3\x81\x82", "a"}, {"\xe3\x81\x82" "a"}},
	{"(?u)^[^a]$", {"\xc3\xa9"}, {"a"}},
	{"^.$", {"a", "\xff"}, {"\xc3\xa9"}},
	{"[a&&b]", {0}, {"a", "b"}},
	{"(?:)", {"", "x"}, {0}},
	{"}", {"}"}, {"{"}},
	{"]", {"]"}, {"["}},
};
// clang-format on

static const struct regex *
get(struct regex_room *room, const char *pattern)
{
	struct regex_fault fault;
	const struct regex *re = regex_get(room, span_str(pattern), &fault);
	if (re == NULL)
		print_error("%s: %s\n", pattern, fault.reason);
	return re;
}

static void
check_text(const struct regex *re, const char *text, bool wanted)
{
	struct span s = span_str(text);
	if (regex_matches(re, s) != wanted)
		print_error("%.*s on \"%s\"\n", SPAN_ARG(regex_pattern(re)), text);
	CHECK_INT(regex_matches(re, s), wanted);
	CHECK_INT(regex_matches_slowly(re, s), wanted);
}

static void
patterns_mean_what_the_dialect_says_in_both_machines(void)
{
	struct regex_room *room = regex_room_new();
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct regex *re = get(room, rows[i].pattern);
		CHECK(re != NULL);
		for (size_t k = 0; k < 4 && rows[i].yes[k] != NULL; k++)
			check_text(re, rows[i].yes[k], true);
		for (size_t k = 0; k < 4 && rows[i].no[k] != NULL; k++)
			check_text(re, rows[i].no[k], false);
	}
	regex_room_free(room);
}

static void
what_the_dialect_lacks_is_refused_with_the_reason(void)
{
	static const struct {
		const char *pattern;
		const char *reason;
	} bad[] = {
		{"(?=a)", "look-around"},
		{"(?!a)", "look-around"},
		{"(?<=a)", "look-around"},
		{"(?<!a)", "look-around"},
		{"(a)\\1", "back-references"},
		{"(?P=n)", "back-references"},
		{"(?>a)", "atomic"},
		{"a\\", "backslash"},
		{"[a", "closing ]"},
		{"[b-a]", "ends before"},
		{"[[:foo:]]", "unknown class"},
		{"[a-\\d]", "not a class"},
		{"(a", "closing )"},
		{"a)", "without its ("},
		{"*a", "nothing stands before"},
		{"a{2,1}", "at least more"},
		{"a{", "number"},
		{"a{50001}", "50000"},
		{"\\pL", "Unicode"},
		{"\\p{Greek}", "Unicode"},
		{"\\q", "unknown escape"},
		{"\\Z", "\\z"},
		{"[\xc3\xa9]", "octets"},
		{"(?z)", "unknown flag"},
		{"(?)", "flags"},
		{"(?u)\\w", "Unicode"},
		{"(a{1000}){1000}", "too large"},
		{"\\xg1", "hexadecimal"},
		{"\\x{110000}", "not a character"},
	};
	struct regex_room *room = regex_room_new();
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct regex_fault fault;
		const struct regex *re =
			regex_get(room, span_str(bad[i].pattern), &fault);
		if (re != NULL || strstr(fault.reason, bad[i].reason) == NULL)
			print_error("%s: %s\n", bad[i].pattern,
				re ? "taken" : fault.reason);
		CHECK(re == NULL && strstr(fault.reason, bad[i].reason) != NULL);
	}
	regex_room_free(room);
}

static void
equal_patterns_are_built_once(void)
{
	struct regex_room *room = regex_room_new();
	CHECK(get(room, "a+") == get(room, "a+"));
	CHECK(get(room, "a+") != get(room, "a*"));
	regex_room_free(room);
}

static void
groups_are_found_leftmost_first_preferred(void)
{
	static const struct {
		const char *pattern;
		const char *text;
		size_t spans[6];
	} finds[] = {
		{"a|ab", "xab", {1, 2}},
		{"(a+)(b?)", "caab", {1, 4, 1, 3, 3, 4}},
		{"(a+?)(a*)", "aaa", {0, 3, 0, 1, 1, 3}},
		{"^/x/([^/]*)/(.*)$", "/x/one/two", {0, 10, 3, 6, 7, 10}},
		{"(?:(a)|b)*", "ab", {0, 2, 0, 1}},
	};
	struct regex_room *room = regex_room_new();
	for (size_t i = 0; i < COUNT_OF(finds); i++) {
		const struct regex *re = get(room, finds[i].pattern);
		struct regex_spans got;
		regex_prepare_find(re);
		CHECK(regex_find(re, span_str(finds[i].text), &got));
		for (size_t g = 0; g < 3; g++) {
			if (finds[i].spans[g * 2 + 1] == 0)
				continue;
			CHECK_INT(got.from[g], finds[i].spans[g * 2]);
			CHECK_INT(got.to[g], finds[i].spans[g * 2 + 1]);
		}
	}
	regex_room_free(room);
}

/* Deterministic; the same for every run. */
static uint32_t
next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 16;
}

static void
random_pattern(uint32_t *state, unsigned depth, struct text *t)
{
	static const char *const atoms[] = {"a", "b", ".", "[ab]", "[^a]", "\\w", "^",
		"$", "\\b", "(?i)a", "\\n", "(?m)^", "\\B", ""};
	static const char *const counts[] = {
		"", "*", "+", "?", "{2}", "*?", "{1,2}", ""};
	size_t n = next_random(state) % 3 + 1;
	for (size_t i = 0; i < n; i++) {
		bool group = depth > 0 && next_random(state) % 3 == 0;
		text_add(t, "(?:");
		if (group)
			random_pattern(state, depth - 1, t);
		else
			text_add(t, "%s", atoms[next_random(state) % COUNT_OF(atoms)]);
		text_add(t, ")%s", counts[next_random(state) % COUNT_OF(counts)]);
		if (next_random(state) % 5 == 0)
			text_add(t, "|");
	}
}

/* The two machines share nothing but the tree. */
static void
both_machines_agree_on_random_patterns(void)
{
	static const char letters[] = "abAB\n-a";
	struct regex_room *room = regex_room_new();
	uint32_t state = 20;
	for (size_t i = 0; i < 300; i++) {
		char pattern[600];
		struct text t = text_to(pattern, sizeof(pattern));
		random_pattern(&state, 2, &t);
		const struct regex *re = t.cut ? NULL : get(room, pattern);
		for (size_t k = 0; re != NULL && k < 30; k++) {
			char s[9] = {0};
			for (size_t n = next_random(&state) % 8; n > 0; n--)
				s[n - 1] = letters[next_random(&state) % 7];
			if (regex_matches(re, span_str(s)) !=
				regex_matches_slowly(re, span_str(s)))
				print_error("%s on \"%s\"\n", pattern, s);
			CHECK_INT(regex_matches(re, span_str(s)),
				regex_matches_slowly(re, span_str(s)));
		}
	}
	regex_room_free(room);
}

static void
a_pool_answers_for_all_its_patterns(void)
{
	static const char *const patterns[] = {"^/a", "b$", "c+", "a\\b", "^$", "x"};
	struct regex_room *room = regex_room_new();
	struct regex_pool *pool = regex_pool_new();
	for (size_t i = 0; i < COUNT_OF(patterns); i++)
		CHECK_INT(regex_pool_add(pool, get(room, patterns[i])), i);
	CHECK_INT(regex_pool_add(pool, get(room, "c+")), 2);
	regex_pool_seal(pool);
	static const char *const texts[] = {"/ab", "c", "", "xa b", "/a"};
	for (size_t k = 0; k < COUNT_OF(texts); k++) {
		uint64_t bits[1];
		CHECK_INT(regex_pool_words(pool), 1);
		regex_pool_scan(pool, span_str(texts[k]), bits);
		for (size_t i = 0; i < COUNT_OF(patterns); i++)
			CHECK_INT(bits[0] >> i & 1,
				regex_matches(
					get(room, patterns[i]), span_str(texts[k])));
	}
	regex_pool_free(pool);
	regex_room_free(room);
}

TESTS(patterns_mean_what_the_dialect_says_in_both_machines,
	what_the_dialect_lacks_is_refused_with_the_reason,
	equal_patterns_are_built_once, groups_are_found_leftmost_first_preferred,
	both_machines_agree_on_random_patterns, a_pool_answers_for_all_its_patterns)

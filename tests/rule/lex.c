// SPDX-License-Identifier: Apache-2.0
#include "rule/lex_priv.h"

#include "tests/test.h"

struct words {
	struct arena arena;
	struct lexer lex;
	struct rule_error error;
	struct rule_error warnings[RULE_WARNINGS_MAX];
};

static void
start(struct words *w, const char *text)
{
	*w = (struct words){0};
	arena_init(&w->arena, 1 << 20);
	w->lex = (struct lexer){
		.arena = &w->arena, .error = &w->error, .warnings = w->warnings};
	lex_init(&w->lex, span_str(text));
}

static void
numbers_have_three_radixes(void)
{
	static const struct {
		const char *text;
		int64_t value;
	} rows[] = {{"0", 0}, {"0x1f5", 501}, {"0123", 83}, {"-12", -12},
		{"9223372036854775807", INT64_MAX},
		{"-9223372036854775808", INT64_MIN}};
	static const char *const bad[] = {
		"", "-", "0x", "08", "9223372036854775808", "10fe"};
	struct words w;
	int64_t v;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		start(&w, rows[i].text);
		CHECK(lex_int(&w.lex, &v) && v == rows[i].value);
		arena_fini(&w.arena);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		start(&w, bad[i]);
		CHECK(!lex_int(&w.lex, &v) && w.error.col > 0);
		arena_fini(&w.arena);
	}
}

static void
strings_have_three_forms(void)
{
	static const struct {
		const char *text;
		const char *value;
	} rows[] = {{"\"a\\\"b\\\\\\x41\\101\"", "a\"b\\AA"}, {"r\"a\\b\"", "a\\b"},
		{"r##\"a\"#b\"##", "a\"#b"}, {"61:62-63.64", "abcd"},
		{"\"a\nb\"", "a\nb"}};
	static const char *const bad[] = {"\"a", "\"\\n\"", "\"\\x4\"", "\"\\400\"",
		"r#\"a\"", "r#a", "61", "6", "61:", "'a'"};
	struct words w;
	struct span s;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		start(&w, rows[i].text);
		CHECK(lex_string(&w.lex, &s) && span_eq(s, span_str(rows[i].value)));
		CHECK(lex_left(&w.lex).n == 0);
		arena_fini(&w.arena);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		start(&w, bad[i]);
		CHECK(!lex_string(&w.lex, &s) && w.error.message[0] != '\0');
		arena_fini(&w.arena);
	}
}

static void
networks_have_no_host_bits(void)
{
	static const char *const good[] = {
		"10/8", "203.0/16", "::/0", "10.0.0.1", "::1..::2", "1.2.3.4..1.2.3.4"};
	static const char *const bad[] = {"10", "10.0.0.1/8", "::/129", "10.0.0.0/33",
		"1.2.3", "::1..1.2.3.4", "2.0.0.0..1.0.0.0", "1.2.3.4/", "1.2.3.004",
		"::ffff:1.2.3.4"};
	struct words w;
	struct ip from;
	struct ip to;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		start(&w, good[i]);
		CHECK(lex_ip_range(&w.lex, &from, &to) && ip_cmp(&from, &to) <= 0);
		arena_fini(&w.arena);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		start(&w, bad[i]);
		CHECK(!lex_ip_range(&w.lex, &from, &to));
		arena_fini(&w.arena);
	}
}

static void
columns_count_characters(void)
{
	struct words w;
	start(&w, "\xe3\x81\x82\n\xc3\xa9 x");
	CHECK(!lex_fail(&w.lex, 7, 8, "here"));
	CHECK_INT(w.error.line, 2);
	CHECK_INT(w.error.col, 3);
	arena_fini(&w.arena);
}

TESTS(numbers_have_three_radixes, strings_have_three_forms, networks_have_no_host_bits,
	columns_count_characters)

// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <string.h>

#include "tests/test.h"

static bool
parse(struct span s, struct arena *a, struct json **out)
{
	struct err err = {0};
	arena_init(a, 1 << 20);
	bool ok = json_parse(s, a, out, &err);
	CHECK(ok || err.code == ERR_JSON);
	return ok;
}

static void
what_is_written_can_be_read(void)
{
	struct json_out j;
	struct arena a;
	struct json *tree = NULL;
	int64_t n = 0;
	json_init(&j, 4096);
	json_object(&j, NULL);
	json_str(&j, "text", "a \"quoted\" \\ line\n\x01");
	json_int(&j, "least", INT64_MIN);
	json_uint(&j, "most", UINT64_MAX);
	json_bool(&j, "yes", true);
	json_null(&j, "none");
	json_str(&j, "null", NULL);
	json_array(&j, "list");
	json_int(&j, NULL, 1);
	json_object(&j, NULL);
	json_end(&j);
	json_end(&j);
	json_end(&j);
	CHECK(parse(json_text(&j), &a, &tree));
	CHECK_SPAN(json_string(json_get(tree, "text")), "a \"quoted\" \\ line\n\x01");
	CHECK(json_integer(json_get(tree, "least"), &n) && n == INT64_MIN);
	CHECK(!json_integer(json_get(tree, "most"), &n));
	CHECK(json_truth(json_get(tree, "yes")) && !json_truth(json_get(tree, "none")));
	CHECK_INT(json_get(tree, "list")->n, 2);
	CHECK(json_get(json_get(tree, "nowhere"), "x") == NULL);
	arena_fini(&a);
	json_fini(&j);
}

static void
octets_that_are_not_utf8_become_the_replacement_character(void)
{
	struct json_out j;
	json_init(&j, 4096);
	json_span(&j, NULL, SPAN("a\xff\xc3(\xed\xa0\x80z"));
	struct arena a;
	struct json *tree = NULL;
	CHECK(parse(json_text(&j), &a, &tree));
	CHECK(span_find(json_string(tree), SPAN("\xef\xbf\xbd")) < json_string(tree).n);
	CHECK(span_ends(json_string(tree), SPAN("z")));
	arena_fini(&a);
	json_fini(&j);
}

static void
a_text_over_its_limit_is_marked_as_cut(void)
{
	struct json_out j;
	json_init(&j, 16);
	json_array(&j, NULL);
	for (int i = 0; i < 100; i++)
		json_int(&j, NULL, i);
	json_end(&j);
	CHECK(j.cut && json_text(&j).n <= 16);
	json_reset(&j);
	json_bool(&j, NULL, false);
	CHECK(!j.cut);
	CHECK_SPAN(json_text(&j), "false");
	json_fini(&j);
}

static void
escapes_are_undone(void)
{
	struct arena a;
	struct json *tree = NULL;
	CHECK(parse(SPAN("\"\\u00e4\\ud83d\\ude00\\/\\b\\f\\n\\r\\t\""), &a, &tree));
	CHECK_SPAN(json_string(tree), "\xc3\xa4\xf0\x9f\x98\x80/\b\f\n\r\t");
	arena_fini(&a);
}

static void
what_is_not_json_is_refused(void)
{
	static const char *const rows[] = {"", " ", "{", "}", "[1,]", "[,1]", "{\"a\"}",
		"{\"a\":1,}", "{a:1}", "'a'", "01", "1.", ".5", "+1", "-", "1e", "1e+",
		"tru", "nul", "NaN", "Infinity", "[1]x", "[1] [2]", "\"a", "\"\n\"",
		"\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ude00\"", "\"\xff\"",
		"{\"a\":1,\"a\":2}", "[1 2]", "/*c*/1", "\xef\xbb\xbf 1"};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena a;
		struct json *tree = NULL;
		CHECK(!parse(span_str(rows[i]), &a, &tree));
		CHECK(tree == NULL);
		arena_fini(&a);
	}
}

static void
every_truncation_is_refused(void)
{
	struct span whole = SPAN(
		"{\"a\": [1, -2.5e3, true, null, \"x\\u00e4\"], \"b\": {\"c\": {}}}");
	for (size_t n = 0; n <= whole.n; n++) {
		struct arena a;
		struct json *tree = NULL;
		CHECK_INT(parse(span_first(whole, n), &a, &tree), n == whole.n);
		arena_fini(&a);
	}
}

static void
depth_is_bounded(void)
{
	char deep[200];
	struct arena a;
	struct json *tree = NULL;
	memset(deep, '[', 100);
	memset(deep + 100, ']', 100);
	CHECK(!parse(span_of(deep, 200), &a, &tree));
	arena_fini(&a);
	CHECK(parse(span_of(deep + 50, 100), &a, &tree));
	arena_fini(&a);
}

static void
a_tree_that_does_not_fit_its_arena_is_refused(void)
{
	struct arena a;
	struct json *tree = NULL;
	struct err err = {0};
	arena_init(&a, 512);
	CHECK(!json_parse(SPAN("[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"), &a,
		&tree, &err));
	arena_fini(&a);
}

static void
each_octet_is_escaped_wherever_it_stands(void)
{
	static const char specials[] = "\"\\\n\x01\x1f\x7f";
	struct json_out j;
	struct arena a;

	json_init(&j, 4096);
	arena_init(&a, 1 << 20);
	for (size_t at = 0; at < 25; at++) {
		for (const char *c = specials; *c; c++) {
			char text[26] = "abcdefghijklmnopqrstuvwxy";
			struct json *out = NULL;
			struct err err = {0};
			text[at] = *c;
			json_reset(&j);
			json_str(&j, NULL, text);
			CHECK(json_text(&j).n > sizeof(text) + 1);
			CHECK_OK(json_parse(json_text(&j), &a, &out, &err), &err);
			CHECK(span_eq(json_string(out), span_str(text)));
		}
	}
	arena_fini(&a);
	json_fini(&j);
}

TESTS(what_is_written_can_be_read,
	octets_that_are_not_utf8_become_the_replacement_character,
	a_text_over_its_limit_is_marked_as_cut, escapes_are_undone,
	what_is_not_json_is_refused, every_truncation_is_refused, depth_is_bounded,
	a_tree_that_does_not_fit_its_arena_is_refused,
	each_octet_is_escaped_wherever_it_stands)

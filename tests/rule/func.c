// SPDX-License-Identifier: Apache-2.0
#include "rule/func_priv.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "tests/rule/scheme.h"
#include "tests/test.h"

static void
check_call(const char *host, const char *text, const char *want)
{
	struct scheme s;
	struct rule_expr *e = NULL;
	struct rule_error error;
	char out[300];
	struct text t = text_to(out, sizeof(out));
	struct facts f = {.host = host, .path = "a=1&b=2&a=3", .port = 8443};
	scheme_init(&s, test_fields, COUNT_OF(test_fields), NULL);
	if (!rule_compile_value(
		    &s, span_str(text), (struct rule_options){0}, &e, &error))
		print_error("%s: %s\n", text, error.message);
	CHECK(e != NULL);
	struct value v = rule_eval_value(e, &f);
	value_put(&t, &v);
	if (strcmp(out, want) != 0)
		print_error("%s\n", text);
	CHECK_STR(out, want);
	rule_free(e);
	scheme_fini(&s);
}

static void
functions_give_what_the_page_says(void)
{
	static const struct {
		const char *host;
		const char *text;
		const char *want;
	} rows[] = {
		{"aBc", "lower(http.host)", "\"abc\""},
		{"aBc", "upper(http.host)", "\"ABC\""},
		{"a,b,c", "split(http.host, \",\", 2)", "[\"a\", \"b,c\"]"},
		{"", "split(http.host, \",\", 2)", "[\"\"]"},
		{"a,b", "join(split(http.host, \",\", 9), \"--\")", "\"a--b\""},
		{"abcdef", "substring(http.host, -4, -1)", "\"cde\""},
		{"abcdef", "substring(http.host, -99, 2)", "\"ab\""},
		{"abc", "substring(http.host, 2, 1)", "\"\""},
		{"a%2bb+c", "url_decode(http.host)", "\"a+b c\""},
		{"%25252541", "url_decode(http.host, \"r\")", "\"A\""},
		{"%2", "url_decode(http.host)", "\"%2\""},
		{"%u0041%uD800", "url_decode(http.host, \"u\")", "\"A%uD800\""},
		{"%%34%31", "url_decode(http.host, \"r\")", "\"A\""},
		{"{\"a\": {\"b\": [1, \"x\\u00e9\\n\"]}}",
			"lookup_json_string(http.host, \"a\", \"b\", 1)",
			"\"x\xc3\xa9\\x0a\""},
		{"{\"a\\u0062\": 7}", "lookup_json_integer(http.host, \"ab\")", "7"},
		{"[1, 2.0, 03, 4e1, 9223372036854775808]",
			"lookup_json_integer(http.host, 1)", "(missing)"},
		{"[1, 2.0, 03]", "lookup_json_integer(http.host, 2)", "(missing)"},
		{"[1, 2", "lookup_json_integer(http.host, 1)", "2"},
		{"[1, 2", "lookup_json_integer(http.host, 2)", "(missing)"},
		{"{\"k\": \"cut", "lookup_json_string(http.host, \"k\")", "(missing)"},
		{"{\"k\": \"\\ud83d\\ude00\"}", "lookup_json_string(http.host, \"k\")",
			"\"\xf0\x9f\x98\x80\""},
		{"aXbX", "regex_replace(http.host, \"X(.)\", \"[${1}$$${2}]\")",
			"\"a[b$]X\""},
		{"a-b-c", "wildcard_replace(http.host, \"*-*\", \"${2}/${1}\")",
			"\"b-c/a\""},
		{"x", "cidr(ip.src, 16, 48)", "203.0.0.0"},
		{"x", "cidr(ip.src, 20, 48)", "203.0.112.0"},
		{"x", "to_string(cf.edge.server_port)", "\"8443\""},
		{"x", "remove_query_args(http.request.uri.query, \"a\")", "\"b=2\""},
		{"x", "remove_bytes(http.host, \"x\")", "\"\""},
		{"x", "concat(http.request.domains, http.request.domains)",
			"[\"x\", \"x\"]"},
		{"AQID", "len(decode_base64(http.host))", "3"},
		{NULL, "concat(http.host, \"x\")", "\"x\""},
		{NULL, "lower(http.host)", "(missing)"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check_call(rows[i].host, rows[i].text, rows[i].want);
}

/* A text of nested escapes must not cost its square. */
static void
decoding_until_stable_is_linear(void)
{
	enum { PAIRS = 100000 };
	char *text = mem_alloc(PAIRS * 2 + 4);
	text[0] = '%';
	for (size_t i = 0; i < PAIRS; i++)
		memcpy(text + 1 + i * 2, "25", 2);
	memcpy(text + 1 + PAIRS * 2, "41", 3);
	check_call(text, "url_decode(http.host, \"r\")", "\"A\"");
	mem_free(text);
}

static void
the_table_is_sorted_and_complete(void)
{
	const struct function *f;
	for (size_t i = 0; (f = function_at(i)) != NULL; i++) {
		CHECK(function_find(span_str(f->name)) == f && f->help[0] != '\0');
		CHECK(i == 0 || strcmp(function_at(i - 1)->name, f->name) < 0);
	}
	CHECK(function_find(SPAN("lowe")) == NULL);
	CHECK_STR(function_nearest(SPAN("lowr")), "lower");
}

TESTS(functions_give_what_the_page_says, decoding_until_stable_is_linear,
	the_table_is_sorted_and_complete)

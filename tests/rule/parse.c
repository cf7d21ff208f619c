// SPDX-License-Identifier: Apache-2.0
#include "tests/rule/scheme.h"
#include "tests/test.h"

static void
errors_point_where_the_text_stops_making_sense(void)
{
	static const struct {
		const char *text;
		unsigned col;
	} rows[] = {
		{"", 1},
		{"()", 2},
		{"ssl and", 8},
		{"(ssl ssl)", 6},
		{"ssl)", 4},
		{"any()", 5},
		{"any(ssl)", 5},
		{"any", 4},
		{"lower(http.host", 16},
		{"lower()", 7},
		{"http.host.", 11},
		{"http..host", 6},
		{"http.request.headers[\"a\"", 25},
		{"http.request.headers[-1]", 22},
		{"http.host[0]", 10},
		{"http.request.domains[\"a\"]", 21},
		{"starts_with(http.host, 1)", 24},
		{"starts_with(http.host)", 22},
		{"starts_with(http.host, \"a\", \"b\")", 29},
		{"starts_with(http.host, http.request.domains[*])", 24},
		{"concat(http.host,)", 18},
		{"regex_replace(http.host, \"a\", \"b\") == \"\"", 1},
		{"http.host in $x", 15},
		{"ssl and http.request.domains[*] == \"a\"", 39},
	};
	struct scheme s;
	scheme_init(&s, test_fields, COUNT_OF(test_fields), NULL);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct rule_expr *e;
		struct rule_error error;
		bool ok = rule_compile(&s, span_str(rows[i].text),
			(struct rule_options){0}, &e, &error);
		if (ok || error.col != rows[i].col)
			print_error(
				"%s: column %u\n", rows[i].text, ok ? 0 : error.col);
		CHECK(!ok && error.col == rows[i].col);
	}
	scheme_fini(&s);
}

static void
value_expressions_may_rewrite_once(void)
{
	struct scheme s;
	struct rule_expr *e;
	struct rule_error error;
	struct rule_options o = {0};
	scheme_init(&s, test_fields, COUNT_OF(test_fields), NULL);
	CHECK(rule_compile_value(
		&s, SPAN("regex_replace(http.host, \"a\", \"b\")"), o, &e, &error));
	CHECK_INT(rule_type(e), TYPE_STRING);
	rule_free(e);
	CHECK(!rule_compile_value(&s,
		SPAN("regex_replace(regex_replace(http.host, \"a\", \"b\"), \"a\", "
		     "\"b\")"),
		o, &e, &error));
	CHECK(!rule_compile_value(&s, SPAN("http.request.domains[*]"), o, &e, &error));
	CHECK(!rule_compile_value(&s, SPAN("http.host == \"a\""), o, &e, &error));
	scheme_fini(&s);
}

TESTS(errors_point_where_the_text_stops_making_sense,
	value_expressions_may_rewrite_once)

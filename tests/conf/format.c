// SPDX-License-Identifier: Apache-2.0
#include "conf/format.h"

#include <string.h>

#include "tests/test.h"

static struct conf_report report;

/* "x" becomes "(x)", other expressions stay. */
static bool
put_expr(struct conf_format *f, struct span expr, struct text *t)
{
	(void)f;
	if (!span_eq(expr, SPAN("x")))
		return false;
	text_add(t, "(x)");
	return true;
}

static bool
format(const char *text, char out[2000])
{
	struct conf_file file = {.path = "t", .text = span_str(text)};
	struct conf_format f = {.put_expr = put_expr};
	struct text t = text_to(out, 2000);
	conf_report_init(&report);
	return conf_format(&f, &file, &t, &report);
}

struct pair {
	const char *from;
	const char *to;
};

static const struct pair pairs[] = {
	{"", ""},
	{"\n\n", ""},
	{"a   b\tc", "a b c\n"},
	{"a;b ; c\n", "a\nb\nc\n"},
	{"g o{a 1;b 2}", "g o {\n\ta 1\n\tb 2\n}\n"},
	{"g {\n\n\n a\n\n\n b\n\n}\n\n\nc\n", "g {\n\ta\n\n\tb\n}\n\nc\n"},
	{"# one\n\n  # two\na # three\ng { # four\n # five\n} # six\n",
		"# one\n\n# two\na # three\ng { # four\n\t# five\n} # six\n"},
	{"a \\\n  b \"q\\\"  q\"\n", "a b \"q\\\"  q\"\n"},
	{"g { h { } } i\n", "g {\n\th {\n\t}\n}\ni\n"},
	{"rule r when x do block {s 1}\n", "rule r when (x) do block {\n\ts 1\n}\n"},
	{"rule r when   a\n  and b   do block # why\n",
		"rule r when a\n  and b do block # why\n"},
	{"let a =   x # why\nlet b = y\n", "let a = (x) # why\nlet b = y\n"},
};

static void
the_layout_is_one(void)
{
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		char out[2000];
		CHECK(format(pairs[i].from, out));
		CHECK_STR(out, pairs[i].to);
	}
}

static void
laying_out_twice_changes_nothing(void)
{
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		char once[2000];
		char twice[2000];
		CHECK(format(pairs[i].from, once));
		CHECK(format(once, twice));
		if (!strstr(once, "(x)"))
			CHECK_STR(twice, once);
	}
}

static void
what_cannot_be_read_is_not_laid_out(void)
{
	static const char *const rows[] = {"a {\n", "a }\n", "a \"b\n",
		"rule r when x\n", "rule r when (x do y\n"};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char out[2000];
		CHECK(!format(rows[i], out));
		CHECK(report.errors > 0);
	}
}

TESTS(the_layout_is_one, laying_out_twice_changes_nothing,
	what_cannot_be_read_is_not_laid_out)

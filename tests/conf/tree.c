// SPDX-License-Identifier: Apache-2.0
#include "conf/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "tests/test.h"

static struct conf_report report;

/* Parses into *t; true when nothing was complained about. */
static bool
parse(struct conf_tree *t, const char *text)
{
	conf_report_init(&report);
	conf_tree_init(t);
	return conf_tree_parse(t, "t.conf", span_str(text), &report);
}

static void
statements_are_words_and_blocks(void)
{
	struct conf_tree t;
	CHECK(parse(&t,
		"# note\nlisten 127.0.0.1:80 as proxy # end\n"
		"gateway office {\n\tupstream { trust system; min 1.2 }\n\tx \"a "
		"b\"\n}\n"));
	struct conf_node *n = t.first;
	CHECK_INT(n->n, 4);
	CHECK_SPAN(n->words[1].text, "127.0.0.1:80");
	n = n->next;
	CHECK_SPAN(n->words[0].text, "gateway");
	CHECK(n->has_block && !n->next);
	struct conf_node *up = n->first;
	CHECK_SPAN(up->words[0].text, "upstream");
	CHECK_SPAN(up->first->words[1].text, "system");
	CHECK_SPAN(up->first->next->words[1].text, "1.2");
	CHECK(up->next->words[1].quoted);
	CHECK_SPAN(up->next->words[1].text, "a b");
	CHECK_INT(up->next->words[1].at.line, 5);
	CHECK_INT(up->next->words[1].at.column, 4);
	CHECK_INT(up->next->words[1].at.width, 5);
	conf_tree_fini(&t);
}

static void
a_backslash_joins_lines_and_quotes_escape(void)
{
	struct conf_tree t;
	CHECK(parse(&t, "a b \\\n  c \\\r\n d\ne \"q\\\"\\\\\\n\\t\\x41\"\n"));
	CHECK_INT(t.first->n, 4);
	CHECK_INT(t.first->words[2].at.line, 2);
	CHECK_SPAN(t.first->next->words[1].text, "q\"\\\n\tA");
	conf_tree_fini(&t);
}

static void
columns_count_characters(void)
{
	struct conf_tree t;
	CHECK(parse(&t, "\xef\xbb\xbf\xe9\x96\xa2\xe6\x89\x80 x\n"));
	CHECK_INT(t.first->words[0].at.column, 1);
	CHECK_INT(t.first->words[1].at.column, 4);
	conf_tree_fini(&t);
}

static void
a_rule_keeps_its_condition_as_written(void)
{
	struct conf_tree t;
	CHECK(parse(&t,
		"g {\n rule a when any(h[*] in {\"x}\" \"do\"}) and\n\t\tp matches "
		"\"[\\\"do] do\" do "
		"block \"sorry\" { status 451 }\n rule b when ssl do allow\n}\n"));
	struct conf_node *n = t.first->first;
	CHECK_SPAN(n->expr.text,
		"any(h[*] in {\"x}\" \"do\"}) and\n\t\tp matches \"[\\\"do] do\"");
	CHECK_INT(n->expr.at.line, 2);
	CHECK_INT(n->expr.at.column, 14);
	CHECK_INT(n->n, 6);
	CHECK_SPAN(n->words[2].text, "when");
	CHECK_SPAN(n->words[3].text, "do");
	CHECK_SPAN(n->words[5].text, "sorry");
	CHECK_SPAN(n->first->words[1].text, "451");
	CHECK_SPAN(n->next->expr.text, "ssl");
	conf_tree_fini(&t);
}

static void
strings_brackets_and_raw_strings_hide_the_end(void)
{
	static const char *const rows[] = {"a == \"x do y\"", "a == r\"\\ do \" or b",
		"a == r#\" \" do \"#",
		"x in {\"a\" \"b\"} and not (y[\"do\"][0] == \"}\")",
		"a matches \"[\"]do \"", "do_not or x.do", "a in $my-do",
		"h ~ \"[\"]b do\"", "a eqr\" do \""};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char text[300];
		struct conf_tree t;
		text_format(
			text, sizeof(text), "rule r when %s do block\nz 1\n", rows[i]);
		CHECK(parse(&t, text));
		CHECK(span_eq(t.first->expr.text, span_str(rows[i])));
		CHECK_SPAN(t.first->next->words[0].text, "z");
		conf_tree_fini(&t);
	}
}

static void
let_ends_with_its_line_or_goes_on(void)
{
	struct conf_tree t;
	CHECK(parse(&t,
		"let a = x == \"1\" # why\nlet b = (x or\n y)\nlet c = x and\n y\n"
		"let d =\n x\n || y\nf { let e = x; g }\n"));
	struct conf_node *n = t.first;
	CHECK_SPAN(n->expr.text, "x == \"1\"");
	CHECK_INT(n->n, 3);
	n = n->next;
	CHECK_SPAN(n->expr.text, "(x or\n y)");
	n = n->next;
	CHECK_SPAN(n->expr.text, "x and\n y");
	n = n->next;
	CHECK_SPAN(n->expr.text, "x\n || y");
	n = n->next;
	CHECK_SPAN(n->first->expr.text, "x");
	CHECK_SPAN(n->first->next->words[0].text, "g");
	conf_tree_fini(&t);
}

struct wrong {
	const char *text;
	unsigned line;
	unsigned column;
	const char *says; /* a part of the message */
};

static const struct wrong wrongs[] = {
	{"a \"b\n", 1, 3, "not closed on its line"},
	{"a \"b\\q\"\n", 1, 5, "escape"},
	{"a \"\\x00\"\n", 1, 4, "escape"},
	{"a \"b\"c\n", 1, 6, "blank is missing after"},
	{"a b\"c\"\n", 1, 4, "blank is missing before"},
	{"a b\001\n", 1, 4, "control character"},
	{"a b\\\nc\n", 1, 3, "ends in a backslash"},
	{"a {\n b\n", 1, 3, "not closed"},
	{"a {\n b\n}\n}\n", 4, 1, "nothing is open"},
	{"a\n{\n b\n}\n", 2, 1, "needs a word before it"},
	{"rule x when (a or b do block\nc\n", 1, 13, "bracket is not closed"},
	{"rule x when (a or b\nrule y when c do d\n", 1, 13, "bracket is not closed"},
	{"rule x when a block\nrule y when c do d\n", 1, 13, "\"do\" is missing"},
	{"rule x when a == \"b do block\n", 1, 18, "quote is not closed"},
	{"rule x when a == r#\"b\" do block\n", 1, 18, "raw string is not closed"},
	{"rule x when (a] do block\n", 1, 13, "closed by another kind"},
	{"rule x when a) do block\n", 1, 14, "nothing is open"},
	{"rule x when do block\n", 1, 13, "condition is missing"},
	{"g {\n rule x when a\n}\n", 3, 1, "nothing is open"},
	{"let a = x or; b\n", 1, 13, "ends in an operator"},
	{"let a = x;\nand y\n", 2, 1, "begin with an operator"},
	{"include x\n", 1, 9, "not possible here"},
	{"include\n", 1, 1, "takes one path"},
};

static void
what_is_wrong_is_told_with_its_place(void)
{
	for (size_t i = 0; i < COUNT_OF(wrongs); i++) {
		const struct wrong *w = &wrongs[i];
		struct conf_tree t;
		CHECK(!parse(&t, w->text));
		const struct conf_complaint *c = &report.list[0];
		if (c->at.line != w->line || c->at.column != w->column ||
			span_find(span_str(c->text), span_str(w->says)) ==
				span_str(c->text).n) {
			print_error("%s\n%u:%u %s\n", w->text, c->at.line, c->at.column,
				c->text);
		}
		CHECK_INT(c->at.line, w->line);
		CHECK_INT(c->at.column, w->column);
		CHECK(span_find(span_str(c->text), span_str(w->says)) <
			span_str(c->text).n);
		conf_tree_fini(&t);
	}
}

static void
reading_goes_on_after_a_broken_rule(void)
{
	struct conf_tree t;
	CHECK(!parse(&t,
		"g {\n rule a when (x do block\n rule b when y do allow\n z "
		"1\n}\nh\n"));
	CHECK_INT(report.errors, 1);
	CHECK_SPAN(t.first->first->words[1].text, "b");
	CHECK_SPAN(t.first->next->words[0].text, "h");
	conf_tree_fini(&t);
}

static void
depth_and_length_are_bounded(void)
{
	static char text[80000];
	struct conf_tree t;
	struct text b = text_to(text, sizeof(text));
	for (int i = 0; i < 40; i++)
		text_add(&b, "a {\n");
	CHECK(!parse(&t, text));
	CHECK(report.n < 25);
	conf_tree_fini(&t);

	b = text_to(text, sizeof(text));
	for (int i = 0; i < 100; i++)
		text_add(&b, "w ");
	text_add(&b, "\nnext\n");
	CHECK(!parse(&t, text));
	CHECK_INT(report.errors, 1);
	conf_tree_fini(&t);

	b = text_to(text, sizeof(text));
	text_add(&b, "rule r when ");
	for (int i = 0; i < 140; i++)
		text_add(&b, "(");
	CHECK(!parse(&t, text));
	conf_tree_fini(&t);

	b = text_to(text, sizeof(text));
	text_add(&b, "rule r when ");
	for (int i = 0; i < 35000; i++)
		text_add(&b, "a ");
	CHECK(!parse(&t, text));
	CHECK_STR(report.list[0].text, "this condition is too long");
	conf_tree_fini(&t);
}

static void
every_truncation_ends(void)
{
	static const struct span whole =
		SPAN_INIT("listen :80 as x\ng o { a \"b\\n\" \\\n c\n rule r when (a "
			  "in {\"x\"} and r#\"y\"# ~ \"[\"]\") do "
			  "block { s 1 }\n let x = a &&\n b }\ninclude y\n");
	for (size_t n = 0; n < whole.n; n++) {
		struct conf_tree t;
		conf_report_init(&report);
		conf_tree_init(&t);
		(void)!conf_tree_parse(&t, "t", span_first(whole, n), &report);
		conf_tree_fini(&t);
	}
}

static void
write_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	struct err err = {0};
	text_format(path, sizeof(path), "%s/%s", dir, name);
	CHECK_OK(file_replace(path, span_str(text), 0600, &err), &err);
}

static void
remove_file(const char *dir, const char *name)
{
	char path[256];
	text_format(path, sizeof(path), "%s/%s", dir, name);
	CHECK_INT(unlink(path), 0);
}

static void
includes_are_put_in_place(void)
{
	char dir[] = "/tmp/sekisho-conf-XXXXXX";
	char path[256];
	struct conf_tree t;
	CHECK(mkdtemp(dir));
	write_file(dir, "a.conf", "g {\n include r*.inc\n last 1\n}\ninclude a.conf\n");
	write_file(dir, "r1.inc", "one 1\n");
	write_file(dir, "r2.inc", "two \"\n");
	text_format(path, sizeof(path), "%s/a.conf", dir);

	conf_report_init(&report);
	conf_tree_init(&t);
	CHECK(!conf_tree_read(&t, path, &report));
	CHECK_SPAN(t.first->first->words[0].text, "one");
	CHECK_SPAN(t.first->first->next->words[0].text, "last");
	CHECK(span_ends(span_str(report.list[0].at.file->path), SPAN("/r2.inc")));
	bool told = false;
	for (size_t i = 0; i < report.n; i++) {
		told = told ||
			span_find(
				span_str(report.list[i].text), SPAN("include itself")) <
				span_str(report.list[i].text).n;
	}
	CHECK(told);
	conf_tree_fini(&t);

	remove_file(dir, "a.conf");
	remove_file(dir, "r1.inc");
	remove_file(dir, "r2.inc");
	CHECK_INT(rmdir(dir), 0);
}

static void
a_file_that_is_not_there_is_told(void)
{
	struct conf_tree t;
	conf_report_init(&report);
	conf_tree_init(&t);
	CHECK(!conf_tree_read(&t, "/nonexistent/x.conf", &report));
	CHECK_INT(report.list[0].code, ERR_FILE_READ);
	conf_tree_fini(&t);
}

TESTS(statements_are_words_and_blocks, a_backslash_joins_lines_and_quotes_escape,
	columns_count_characters, a_rule_keeps_its_condition_as_written,
	strings_brackets_and_raw_strings_hide_the_end,
	let_ends_with_its_line_or_goes_on, what_is_wrong_is_told_with_its_place,
	reading_goes_on_after_a_broken_rule, depth_and_length_are_bounded,
	every_truncation_ends, includes_are_put_in_place,
	a_file_that_is_not_there_is_told)

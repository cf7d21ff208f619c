// SPDX-License-Identifier: Apache-2.0
#include "conf/lex_priv.h"

#include "tests/test.h"

static struct arena arena;
static struct conf_report report;
static struct conf_file file = {.path = "t"};
static struct conf_lex lex;

static void
begin(const char *text)
{
	arena_fini(&arena);
	arena_init(&arena, 1 << 20);
	conf_report_init(&report);
	file.text = span_str(text);
	conf_lex_init(&lex, &file, &arena, &report);
}

static void
tokens_come_with_their_places(void)
{
	static const struct {
		enum conf_token kind;
		const char *text;
		unsigned line;
		unsigned column;
		unsigned width;
	} rows[] = {{CONF_TOKEN_WORD, "a-b/c", 1, 1, 5},
		{CONF_TOKEN_WORD, "x\ty", 1, 8, 6}, {CONF_TOKEN_OPEN, "{", 1, 15, 0},
		{CONF_TOKEN_END, "\n", 1, 23, 0},
		{CONF_TOKEN_WORD, "\xe9\x96\xa2", 2, 2, 1},
		{CONF_TOKEN_END, ";", 2, 3, 0}, {CONF_TOKEN_CLOSE, "}", 2, 4, 0},
		{CONF_TOKEN_EOF, "", 2, 5, 0}, {CONF_TOKEN_EOF, "", 2, 5, 0}};
	begin("a-b/c  \"x\\ty\" { # note\n\t\xe9\x96\xa2;}");
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct conf_word w;
		CHECK_INT(conf_lex_next(&lex, &w), rows[i].kind);
		CHECK(span_eq(w.text, span_str(rows[i].text)));
		CHECK_INT(w.at.line, rows[i].line);
		CHECK_INT(w.at.column, rows[i].column);
		CHECK_INT(w.at.width, rows[i].width);
	}
	CHECK(conf_report_ok(&report));
	arena_fini(&arena);
}

static void
a_mark_in_a_word_is_no_comment(void)
{
	struct conf_word w;
	begin("colour#1 #2\n");
	CHECK_INT(conf_lex_next(&lex, &w), CONF_TOKEN_WORD);
	CHECK_SPAN(w.text, "colour#1");
	CHECK_INT(conf_lex_next(&lex, &w), CONF_TOKEN_END);
	arena_fini(&arena);
}

static void
a_bad_line_is_skipped_and_the_next_is_read(void)
{
	struct conf_word w;
	begin("\"open\nnext");
	CHECK_INT(conf_lex_next(&lex, &w), CONF_TOKEN_BAD);
	CHECK_INT(report.errors, 1);
	CHECK_INT(conf_lex_next(&lex, &w), CONF_TOKEN_END);
	CHECK_INT(conf_lex_next(&lex, &w), CONF_TOKEN_WORD);
	CHECK_SPAN(w.text, "next");
	arena_fini(&arena);
}

static void
an_expression_ends_at_its_do_or_line(void)
{
	struct conf_word w;
	begin(" \n a == \"do\" and (b) do rest");
	CHECK(conf_lex_expr(&lex, CONF_EXPR_DO, &w));
	CHECK_SPAN(w.text, "a == \"do\" and (b)");
	CHECK_INT(w.at.line, 2);
	CHECK_INT(w.at.column, 2);
	CHECK_INT(w.at.width, 17);
	CHECK_INT(conf_lex_next(&lex, &w), CONF_TOKEN_WORD);
	CHECK_SPAN(w.text, "do");
	begin("a or\nb\nc");
	CHECK(conf_lex_expr(&lex, CONF_EXPR_LINE, &w));
	CHECK_SPAN(w.text, "a or\nb");
	begin("(a");
	CHECK(!conf_lex_expr(&lex, CONF_EXPR_LINE, &w));
	CHECK_INT(report.list[0].at.column, 1);
	arena_fini(&arena);
}

TESTS(tokens_come_with_their_places, a_mark_in_a_word_is_no_comment,
	a_bad_line_is_skipped_and_the_next_is_read,
	an_expression_ends_at_its_do_or_line)

// SPDX-License-Identifier: Apache-2.0
#include "conf/report.h"

#include <string.h>

#include "tests/test.h"

static const struct conf_file file = {.path = "a.conf",
	.text = SPAN_INIT("first\n\tgateway \xe9\x96\xa2 {\nlast line")};

static void
a_complaint_shows_line_mark_and_hint(void)
{
	static struct conf_report r;
	char text[CONF_COMPLAINT_TEXT];
	struct conf_place at = {&file, 2, 10, 1};

	conf_report_init(&r);
	CHECK(conf_report_ok(&r));
	CHECK(!conf_complain(
		&r, at, ERR_CONF_WORD, "unknown word \"%s\"", "\xe9\x96\xa2\n"));
	conf_hint(&r, "Did you mean %s?", "it");
	CHECK_STR(conf_complaint_text(text, &r.list[0], false),
		"a.conf:2:10: error: unknown word \"\xe9\x96\xa2?\"\n"
		"    \tgateway \xe9\x96\xa2 {\n"
		"    \t        ^\n"
		"    Did you mean it?\n");
	CHECK(!conf_report_ok(&r));
}

static void
a_long_line_is_cut_around_its_mark(void)
{
	static struct conf_report r;
	static char line[500];
	char text[CONF_COMPLAINT_TEXT];
	memset(line, 'x', sizeof(line) - 1);
	line[400] = 'Y';
	struct conf_file f = {.path = "b", .text = span_str(line)};

	conf_report_init(&r);
	(void)conf_complain(
		&r, (struct conf_place){&f, 1, 401, 90}, ERR_CONF_WORD, "here");
	struct span s = span_str(conf_complaint_text(text, &r.list[0], false));
	size_t y = span_chr(s, 'Y');
	size_t mark = span_chr(s, '^');
	struct span to_mark = span_first(s, mark);
	CHECK(y < s.n && mark < s.n);
	size_t line_start = span_rchr(span_first(s, y), '\n');
	size_t mark_start = span_rchr(to_mark, '\n');
	CHECK_INT(y - line_start, mark - mark_start);
	CHECK(s.n < 400);
}

static void
warnings_do_not_fail_and_the_list_is_bounded(void)
{
	static struct conf_report r;
	struct err err = {0};
	struct conf_place at = {&file, 1, 1, 1};

	conf_report_init(&r);
	conf_warn(&r, at, ERR_CONF_RULE, "look");
	CHECK(conf_report_ok(&r));
	CHECK(conf_report_err(&r, &err));
	for (int i = 0; i < 100; i++)
		(void)conf_complain(&r, at, ERR_CONF_WORD, "n %d", i);
	conf_hint(&r, "of one that is not kept");
	CHECK_INT(r.n, CONF_COMPLAINTS);
	CHECK_INT(r.errors, 100);
	CHECK_STR(r.list[CONF_COMPLAINTS - 1].hint, "");
	CHECK(!conf_report_err(&r, &err));
	CHECK_STR(err.text, "a.conf:1:1: n 0");
	CHECK_INT(err.code, ERR_CONF_WORD);
}

static void
places_inside_a_text_add_up(void)
{
	struct conf_place start = {&file, 5, 14, 9};
	CHECK_INT(conf_place_within(start, 1, 3, 2).column, 16);
	CHECK_INT(conf_place_within(start, 1, 3, 2).line, 5);
	CHECK_INT(conf_place_within(start, 3, 3, 2).column, 3);
	CHECK_INT(conf_place_within(start, 3, 3, 2).line, 7);
}

TESTS(a_complaint_shows_line_mark_and_hint, a_long_line_is_cut_around_its_mark,
	warnings_do_not_fail_and_the_list_is_bounded, places_inside_a_text_add_up)

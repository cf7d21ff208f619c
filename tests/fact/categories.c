// SPDX-License-Identifier: Apache-2.0
#include "fact/categories.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "tests/test.h"

static char dir[64];

static void
put(const char *name, const char *content)
{
	char path[128];
	text_format(path, sizeof(path), "%s/%s", dir, name);
	if (content == NULL) {
		CHECK(mkdir(path, 0700) == 0);
		return;
	}
	FILE *f = fopen(path, "w");
	CHECK(f != NULL && fputs(content, f) >= 0 && fclose(f) == 0);
}

static void
gone(const char *name)
{
	char path[128];
	text_format(path, sizeof(path), "%s/%s", dir, name);
	CHECK(remove(path) == 0);
}

static void
set_up(void)
{
	text_format(dir, sizeof(dir), "/tmp/sekisho-categories-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	put("17-gambling.txt", "bet.example\n");
	put("adult", NULL);
	put("adult/domains", "x.example\nbet.example\n");
	put("adult/urls", "y.example/path\n");
	put("2020", "number.example\n");
	put(".hidden", "bet.example\n");
}

static void
tear_down(void)
{
	gone("17-gambling.txt"), gone("adult/domains"), gone("adult/urls");
	gone("adult"), gone("2020"), gone(".hidden"), gone("");
}

static void
each_entry_of_a_directory_is_a_category(void)
{
	struct err err = {0};
	struct arena arena;
	struct categories_hit hit;
	set_up();
	arena_init(&arena, 1 << 16);
	struct lists *lists = lists_new();
	struct categories *c = categories_new();
	CHECK_OK(
		categories_load(c, lists, CATEGORY_CONTENT, span_str(dir), &err), &err);
	CHECK_INT(categories_count(c), 3);
	categories_find(c, SPAN("www.bet.example"), &hit, &arena);
	CHECK_INT(value_len(&hit.names), 2);
	CHECK_SPAN(value_at(&hit.names, 0).s, "gambling");
	CHECK_SPAN(value_at(&hit.names, 1).s, "adult");
	CHECK_INT(value_len(&hit.numbers[CATEGORY_CONTENT]), 1);
	CHECK_INT(value_at(&hit.numbers[CATEGORY_CONTENT], 0).i, 17);
	CHECK(hit.numbers[CATEGORY_SECURITY].kind == VALUE_MISSING);
	categories_find(c, SPAN("number.example"), &hit, &arena);
	CHECK_INT(value_at(&hit.numbers[CATEGORY_CONTENT], 0).i, 2020);
	categories_find(c, SPAN("nobody.example"), &hit, &arena);
	CHECK(hit.names.kind == VALUE_MISSING);
	categories_find(NULL, SPAN("bet.example"), &hit, &arena);
	CHECK(hit.names.kind == VALUE_MISSING);
	categories_free(c);
	lists_free(lists);
	arena_fini(&arena);
	tear_down();
}

static void
a_broken_line_names_its_file(void)
{
	struct err err = {0};
	set_up();
	put("broken", "0.0.0.0 good.example\n0.0.0.0 bad_..example\n");
	struct lists *lists = lists_new();
	struct categories *c = categories_new();
	CHECK(!categories_load(c, lists, CATEGORY_SECURITY, span_str(dir), &err));
	CHECK(strstr(err.text, "broken:2:") != NULL);
	CHECK(!categories_load(c, lists, CATEGORY_SECURITY, SPAN("/nowhere"), &err));
	categories_free(c);
	lists_free(lists);
	gone("broken");
	tear_down();
}

TESTS(each_entry_of_a_directory_is_a_category, a_broken_line_names_its_file)

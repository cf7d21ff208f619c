// SPDX-License-Identifier: Apache-2.0
#include "page/page_words.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "tests/test.h"

struct top {
	struct page_words pages;
};

static const struct conf_row rows[] = {
	{"pages", CONF_BLOCK, CONF_AT(struct top, pages), .block = &page_words_table}};
static const struct conf_table table = {
	.size = sizeof(struct top), CONF_WORDS_OF(rows)};

static struct conf_tree tree;
static struct conf_report report;
static struct page_style style;

/* A folder with a logo, texts, and the words given as c.conf; whether they load. */
static bool
load(const char *words)
{
	char dir[] = "/tmp/sekisho-words-XXXXXX";
	static const char *const files[] = {"c.conf", "logo.svg", "en.txt"};
	const char *const octets[] = {words,
		"<svg xmlns='http://www.w3.org/2000/svg'/>", "blocked.title: No\n"};
	char path[3][80];
	struct err err = {0};
	struct top top;

	CHECK(mkdtemp(dir));
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		text_format(path[i], sizeof(path[i]), "%s/%s", dir, files[i]);
		CHECK_OK(file_replace(path[i], span_str(octets[i]), 0600, &err), &err);
	}
	conf_tree_fini(&tree);
	conf_tree_init(&tree);
	conf_report_init(&report);
	bool ok = conf_tree_read(&tree, path[0], &report) &&
		conf_fill(&tree, &table, &top, &report) &&
		page_words_load(&top.pages, &tree, NULL, &style, &report);
	for (size_t i = 0; i < COUNT_OF(files); i++)
		CHECK_INT(unlink(path[i]), 0);
	CHECK_INT(rmdir(dir), 0);
	return ok;
}

static void
an_organisation_s_words_are_read(void)
{
	CHECK(load("pages {\n organisation \"Aoyama\"; accent \"#123\"\n"
		   "contact \"the desk\" tel:2400\n logo logo.svg\n texts en en.txt\n"
		   "reasons https://help.example/#\n}\n"));
	CHECK_SPAN(style.organisation, "Aoyama");
	CHECK_SPAN(style.contact, "the desk");
	CHECK_SPAN(style.contact_url, "tel:2400");
	CHECK_SPAN(style.logo_type, "image/svg+xml");
	CHECK_SPAN(style.reasons_url, "https://help.example/#");
	CHECK_INT(style.n_texts, 1);
	CHECK_SPAN(style.texts[0].texts, "blocked.title: No\n");
	conf_tree_fini(&tree);
}

static void
without_words_the_style_is_ours(void)
{
	CHECK(load("\n"));
	CHECK(style.organisation.n == 0 && style.logo.n == 0 && style.n_texts == 0);
	conf_tree_fini(&tree);
}

static void
what_cannot_be_used_is_told(void)
{
	static const char *const wrong[] = {"pages { accent red }",
		"pages { logo en.txt }", "pages { logo nowhere.png }",
		"pages { texts en nowhere.txt }",
		"pages { contact x javascript:alert(1) }", "pages { reasons x }"};
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		CHECK(!load(wrong[i]));
		CHECK_INT(report.errors, 1);
	}
	conf_tree_fini(&tree);
}

TESTS(an_organisation_s_words_are_read, without_words_the_style_is_ours,
	what_cannot_be_used_is_told)

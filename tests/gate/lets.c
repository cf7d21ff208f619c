// SPDX-License-Identifier: Apache-2.0
#include "gate/lets.h"

#include <string.h>

#include "base/text.h"
#include "fact/facts.h"
#include "fact/vocab.h"
#include "tests/test.h"

static struct settings settings;
static struct conf_report report;
static struct conf_table table;

static const struct conf_row rows[] = {
	{"let", CONF_NODES, CONF_AT(struct settings, let_nodes)},
};

/* Only the conditions of a text, over the real vocabulary. */
static bool
load(const char *text)
{
	settings = (struct settings){0};
	table = (struct conf_table){
		.size = sizeof(struct settings), CONF_WORDS_OF(rows)};
	conf_report_init(&report);
	conf_tree_init(&settings.tree);
	CHECK(conf_tree_parse(&settings.tree, "test", span_str(text), &report));
	struct conf_tree tree = settings.tree;
	CHECK(conf_fill(&tree, &table, &settings, &report));
	settings.tree = tree;
	scheme_init(&settings.scheme, vocab_fields, vocab_count, NULL);
	const struct lets_scope scope = {
		.nodes = &settings.let_nodes, .dialect = RULE_EDGE};
	return lets_compile(&settings, &scope, &settings.lets, &report);
}

static void
unload(void)
{
	scheme_fini(&settings.scheme);
	conf_tree_fini(&settings.tree);
}

static bool
holds(const char *text, const struct facts *f)
{
	struct rule_expr *e = NULL;
	struct rule_error error = {0};
	const struct rule_options options = {
		.dialect = RULE_EDGE, .lets = settings.lets};
	if (!rule_compile(&settings.scheme, span_str(text), options, &e, &error))
		print_error("%s: %s\n", text, error.message);
	CHECK(e != NULL);
	bool truth = rule_eval(e, f);
	rule_free(e);
	return truth;
}

static void
a_name_means_its_condition_wherever_it_stands(void)
{
	const struct facts f = {.base.reached = PHASE_HELLO,
		.client.ip = ip_v4(0x0a000001),
		.tls = true};
	CHECK(load("let office = ip.src in {10.0.0.0/8}\n"
		   "let notable = ssl and office\n"
		   "let away = not office\n"));
	CHECK(holds("office", &f) && holds("notable and office", &f));
	CHECK(!holds("away", &f) && holds("not away", &f) && holds("not(away)", &f));
	CHECK(!holds("office xor notable", &f));
	CHECK(holds("ssl and (away or notable)", &f));
	unload();
}

static void
the_printer_keeps_names(void)
{
	char text[200];
	struct text t = text_to(text, sizeof(text));
	struct rule_expr *e = NULL;
	struct rule_error error = {0};
	CHECK(load("let office = ip.src in {10.0.0.0/8} or ssl\n"));
	const struct rule_options options = {.lets = settings.lets};
	CHECK(rule_compile(
		&settings.scheme, SPAN("ssl &&not(office)"), options, &e, &error));
	rule_put(&t, e);
	CHECK_STR(text, "ssl and not office");
	CHECK(rule_field(e, 1) != NULL); /* ip.src, through the name */
	rule_free(e);
	unload();
}

static void
an_error_inside_points_into_the_condition(void)
{
	CHECK(!load("let one = ssl\nlet two = one and\n  http.hst == \"a\"\n"));
	CHECK_INT(report.list[0].at.line, 3);
	CHECK_INT(report.list[0].at.column, 3);
	unload();
}

static void
names_are_new_words_used_only_behind_their_definition(void)
{
	static const char *const bad[] = {
		"let ssl = ip.src in {10.0.0.0/8}\n", /* a field */
		"let lower = ssl\n",                  /* a function */
		"let not = ssl\n",                    /* a word */
		"let a-b = ssl\n",                    /* no name of the language */
		"let a = ssl\nlet a = not ssl\n",     /* twice */
		"let a = b\nlet b = ssl\n",           /* used before it is defined */
		"let a = a or ssl\n",                 /* in itself */
		"let a = http.request.method\n",      /* no condition */
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		bool ok = load(bad[i]);
		if (ok)
			print_error("accepted: %s\n", bad[i]);
		CHECK(!ok && report.errors > 0);
		unload();
	}
}

/* Each name doubles the one before it. */
static void
names_that_double_come_to_an_end(void)
{
	char text[4000];
	struct text t = text_to(text, sizeof(text));
	text_add(&t, "let a0 = ssl\n");
	for (int i = 1; i < 40; i++)
		text_add(&t, "let a%d = a%d or a%d\n", i, i - 1, i - 1);
	CHECK(!load(text));
	unload();
}

TESTS(a_name_means_its_condition_wherever_it_stands, the_printer_keeps_names,
	an_error_inside_points_into_the_condition,
	names_are_new_words_used_only_behind_their_definition,
	names_that_double_come_to_an_end)

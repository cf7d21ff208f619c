// SPDX-License-Identifier: Apache-2.0
#include "conf/schema.h"

#include "base/mem.h"
#include "tests/test.h"

struct upstream {
	bool verify;
	int min_version;
	uint64_t connect_ms;
	uint64_t cache;
	struct conf_texts trust;
};

struct office {
	struct conf_item item;
	struct span name;
	struct upstream upstream;
	struct conf_nodes rules;
	uint64_t leaf_days;
	uint64_t fill;
	struct span page;
};

struct door {
	struct conf_item item;
	struct conf_address at;
	int as;
	struct span use;
	struct conf_prefixes from;
};

struct top {
	struct conf_item *doors;
	struct conf_item *offices;
	struct conf_prefixes trusted;
};

static const struct conf_choice versions[] = {
	{"1.2", 12, "Old."}, {"1.3", 13, NULL}, {0}};
static const struct conf_choice kinds[] = {{"proxy", 1, NULL}, {"edge", 2, NULL}, {0}};

static const struct conf_row upstream_words[] = {
	{"verify", CONF_FLAG, CONF_AT(struct upstream, verify), .preset = "on",
		.help = "V."},
	{"min-version", CONF_CHOICE, CONF_AT(struct upstream, min_version),
		.preset = "1.2", .choices = versions, .help = "Lowest version."},
	{"connect", CONF_DURATION, CONF_AT(struct upstream, connect_ms),
		.preset = "10s", .min = 100, .max = 300000, .help = "Time to connect."},
	{"cache", CONF_SIZE, CONF_AT(struct upstream, cache), .preset = "64m"},
	{"trust", CONF_TEXTS, CONF_AT(struct upstream, trust),
		.preset = "system mozilla"},
};
static const struct conf_table upstream = {
	.size = sizeof(struct upstream), CONF_WORDS_OF(upstream_words)};

static const struct conf_row office_args[] = {
	{"name", CONF_NAME, CONF_AT(struct office, name), .required = true},
};
static const struct conf_row office_words[] = {
	{"upstream", CONF_BLOCK, CONF_AT(struct office, upstream), .block = &upstream},
	{"rule", CONF_NODES, CONF_AT(struct office, rules),
		.shape = "rule NAME when C do A"},
	{"leaf-days", CONF_INT, CONF_AT(struct office, leaf_days), .preset = "30",
		.min = 1, .max = 199},
	{"fill", CONF_PERCENT, CONF_AT(struct office, fill)},
	{"page", CONF_PATH, CONF_AT(struct office, page)},
};
static const struct conf_table office = {.size = sizeof(struct office),
	CONF_ARGS_OF(office_args),
	CONF_WORDS_OF(office_words)};

static const struct conf_row door_args[] = {
	{"address", CONF_ADDRESS, CONF_AT(struct door, at), .min = 1, .required = true},
	{"kind", CONF_CHOICE, CONF_AT(struct door, as), .after = "as", .choices = kinds,
		.required = true},
	{"gateway", CONF_NAME, CONF_AT(struct door, use), .after = "use"},
	{"networks", CONF_PREFIXES, CONF_AT(struct door, from), .after = "from"},
};
static const struct conf_table door = {
	.size = sizeof(struct door), CONF_ARGS_OF(door_args)};

static const struct conf_row top_words[] = {
	{"listen", CONF_BLOCKS, CONF_AT(struct top, doors), .block = &door,
		.required = true, .help = "A port."},
	{"gateway", CONF_BLOCKS, CONF_AT(struct top, offices), .block = &office},
	{"trusted", CONF_PREFIXES, CONF_AT(struct top, trusted)},
};
static const struct conf_table top_table = {
	.size = sizeof(struct top), CONF_WORDS_OF(top_words)};

static struct conf_report report;
static struct conf_tree tree;

static bool
load(const char *text, struct top *out)
{
	conf_tree_fini(&tree);
	conf_tree_init(&tree);
	conf_report_init(&report);
	bool ok = conf_tree_parse(&tree, "dir/t.conf", span_str(text), &report);
	return conf_fill(&tree, &top_table, out, &report) && ok;
}

static const struct office *
first_office(const struct top *t)
{
	return CONTAINER_OF(t->offices, struct office, item);
}

static void
words_fill_their_fields(void)
{
	struct top t;
	CHECK(load("listen 127.0.0.1:80 as edge use shop\nlisten :81 as proxy\n"
		   "gateway o { leaf-days 7; fill 80%; page p.html\n"
		   "upstream { verify off; min-version 1.3; connect 5s; cache 1k; "
		   "trust a; trust b c }\n"
		   "rule r when x do y\nrule s when x do y\n rule u when x do z }\n"
		   "trusted 10.0.0.0/8 ::1\n",
		&t));
	const struct door *d = CONTAINER_OF(t.doors, struct door, item);
	CHECK_INT(d->at.port, 80);
	CHECK_INT(d->as, 2);
	CHECK_SPAN(d->use, "shop");
	d = CONTAINER_OF(d->item.next, struct door, item);
	CHECK_INT(d->at.port, 81);
	CHECK(!d->item.next && d->use.n == 0);
	const struct office *o = first_office(&t);
	CHECK_SPAN(o->name, "o");
	CHECK_INT(o->leaf_days, 7);
	CHECK_INT(o->fill, 80);
	CHECK_SPAN(o->page, "dir/p.html");
	CHECK(!o->upstream.verify);
	CHECK_INT(o->upstream.min_version, 13);
	CHECK_INT(o->upstream.connect_ms, 5000);
	CHECK_INT(o->upstream.cache, 1024);
	CHECK_INT(o->upstream.trust.n, 3);
	CHECK_SPAN(o->upstream.trust.p[2], "c");
	CHECK_INT(o->rules.n, 3);
	CHECK_SPAN(o->rules.p[2]->words[1].text, "u");
	CHECK_INT(t.trusted.n, 2);
	CHECK_INT(t.trusted.p[1].bits, 128);
}

static void
absent_words_have_their_presets(void)
{
	struct top t;
	CHECK(load("listen :1 as proxy\ngateway o\n", &t));
	const struct office *o = first_office(&t);
	CHECK(o->upstream.verify);
	CHECK_INT(o->upstream.min_version, 12);
	CHECK_INT(o->upstream.connect_ms, 10000);
	CHECK_INT(o->upstream.cache, 64 * 1024 * 1024);
	CHECK_INT(o->upstream.trust.n, 2);
	CHECK_SPAN(o->upstream.trust.p[1], "mozilla");
	CHECK_INT(o->leaf_days, 30);
}

struct wrong {
	const char *text;
	unsigned line;
	unsigned column;
	enum err_code code;
	const char *says;
	const char *hint;
};

static const struct wrong wrongs[] = {
	{"lisen :1 as proxy\n", 1, 1, ERR_CONF_WORD,
		"unknown word \"lisen\" in the configuration",
		"Did you mean \"listen\"?"},
	{"gateway o { min-version 1.3 }", 1, 13, ERR_CONF_WORD, "unknown word",
		"It belongs into `upstream"},
	{"gateway", 0, 0, ERR_CONF_MISSING, "gateway needs its name", ""},
	{"gateway o { leaf-days 200 }", 1, 23, ERR_CONF_VALUE,
		"leaf-days is at most 199", ""},
	{"gateway o { leaf-days 0 }", 1, 23, ERR_CONF_VALUE, "leaf-days is at least 1",
		""},
	{"gateway o { leaf-days x }", 1, 23, ERR_CONF_VALUE, "\"x\" is not a number",
		"digits"},
	{"gateway o { leaf-days }", 1, 13, ERR_CONF_MISSING, "leaf-days needs a value",
		""},
	{"gateway o { leaf-days 1 2 }", 1, 25, ERR_CONF_WORD, "takes one value", ""},
	{"gateway o { leaf-days 1 { } }", 1, 13, ERR_CONF_SYNTAX, "takes no block", ""},
	{"gateway o { leaf-days 1\n leaf-days 2 }", 2, 2, ERR_CONF_TWICE,
		"first in line 1", ""},
	{"gateway o { upstream { connect 10m } }", 1, 32, ERR_CONF_VALUE,
		"not a duration", "5min"},
	{"gateway o { upstream { connect 1ms } }", 1, 32, ERR_CONF_VALUE,
		"at least 100ms", ""},
	{"gateway o { upstream { connect 1h } }", 1, 32, ERR_CONF_VALUE, "at most 5min",
		""},
	{"gateway o { upstream { cache lots } }", 1, 30, ERR_CONF_VALUE, "not a size",
		"64k"},
	{"gateway o { upstream { verify maybe } }", 1, 31, ERR_CONF_VALUE,
		"not on or off", ""},
	{"gateway o { upstream { min-version 1.4 } }", 1, 36, ERR_CONF_VALUE,
		"no choice for", "1.2"},
	{"gateway o { fill 101% }", 1, 18, ERR_CONF_VALUE, "not a percentage", "80%"},
	{"gateway \"a b\"", 1, 9, ERR_CONF_VALUE, "not a name", ""},
	{"trusted 10.0.0.1/8", 1, 9, ERR_CONF_VALUE, "not an address or a network",
		"prefix"},
	{"listen 1.2.3.4 as edge", 1, 8, ERR_CONF_VALUE, "port is missing", ""},
	{"listen :1 as", 1, 11, ERR_CONF_MISSING, "kind is missing behind \"as\"", ""},
	{"listen :1", 1, 1, ERR_CONF_MISSING, "listen needs its kind", ""},
	{"listen :1 as edge as proxy", 1, 19, ERR_CONF_TWICE, "the kind is said twice",
		""},
	{"listen :1 as edge nonsense", 1, 19, ERR_CONF_WORD, "not expected here", ""},
	{"listen :1 as edge { }", 1, 1, ERR_CONF_SYNTAX, "takes no block", ""},
};

static bool
has(const char *text, const char *part)
{
	return span_find(span_str(text), span_str(part)) < span_str(text).n || !part[0];
}

static void
wrong_words_are_told_with_place_and_hint(void)
{
	for (size_t i = 0; i < COUNT_OF(wrongs); i++) {
		const struct wrong *w = &wrongs[i];
		struct top t;
		CHECK(!load(w->text, &t));
		const struct conf_complaint *c = &report.list[0];
		if (!has(c->text, w->says) || !has(c->hint, w->hint) ||
			c->code != w->code) {
			print_error("%s\n%u:%u %s (%s)\n", w->text, c->at.line,
				c->at.column, c->text, c->hint);
		}
		CHECK(has(c->text, w->says) && has(c->hint, w->hint));
		CHECK_INT(c->code, w->code);
		if (w->line > 0) {
			CHECK_INT(c->at.line, w->line);
			CHECK_INT(c->at.column, w->column);
		}
	}
}

static void
all_that_is_wrong_is_told(void)
{
	struct top t;
	CHECK(!load(
		"nonsense\ngateway o { leaf-days x\n uptream { }\n fill 3 }\n", &t));
	CHECK_INT(report.errors, 5); /* and listen is missing */
	CHECK_INT(report.list[1].at.line, 2);
	CHECK_INT(report.list[2].at.line, 3);
	CHECK_INT(report.list[3].at.line, 4);
}

static void
a_row_s_place_can_be_asked_for(void)
{
	struct top t;
	CHECK(load("listen :1 as edge\ngateway o {\n  page x\n}\n", &t));
	const struct office *o = first_office(&t);
	CHECK_INT(conf_place_of(&tree, o->item.node, "page").column, 8);
	CHECK_INT(conf_place_of(&tree, o->item.node, "fill").line, 2);
	CHECK_INT(conf_place_of(&tree, NULL, "listen").line, 1);
}

static void
the_manual_names_every_word_and_limit(void)
{
	struct span m = conf_manual(&top_table, "Reference");
	static const char *const parts[] = {"# Reference", "gateway › upstream",
		"leaf-days", "at most 199", "at most 5min", "`1.2`, `1.3`",
		"listen ADDRESS as KIND [use GATEWAY]", "rule NAME when C do A",
		"*required*", "`10s`", "Lowest version."};
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		if (span_find(m, span_str(parts[i])) == m.n)
			print_error("not there: %s\n%.*s", parts[i], SPAN_ARG(m));
		CHECK(span_find(m, span_str(parts[i])) < m.n);
	}
	mem_free((void *)(uintptr_t)m.p);
	conf_tree_fini(&tree);
}

TESTS(words_fill_their_fields, absent_words_have_their_presets,
	wrong_words_are_told_with_place_and_hint, all_that_is_wrong_is_told,
	a_row_s_place_can_be_asked_for, the_manual_names_every_word_and_limit)

// SPDX-License-Identifier: Apache-2.0
#include "conf/schema.h"

#include "base/mem.h"
#include "tests/test.h"

struct thing {
	struct conf_item item;
	uint64_t n;
	struct span name;
};

struct top {
	struct conf_item *things;
	bool flag;
};

static const struct conf_row thing_args[] = {{"name", CONF_NAME,
	CONF_AT(struct thing, name), .required = true, .help = "Its name."}};
static const struct conf_row thing_words[] = {
	{"wait", CONF_DURATION, CONF_AT(struct thing, n), .preset = "10s", .min = 1000,
		.max = 60000, .help = "How long."}};
static const struct conf_table thing = {.size = sizeof(struct thing),
	CONF_ARGS_OF(thing_args),
	CONF_WORDS_OF(thing_words)};
static const struct conf_row words[] = {
	{"flag", CONF_FLAG, CONF_AT(struct top, flag), .help = "Whether."},
	{"thing", CONF_BLOCKS, CONF_AT(struct top, things), .block = &thing,
		.help = "A thing."}};
static const struct conf_table top = {
	.size = sizeof(struct top), CONF_WORDS_OF(words), .help = "All there is."};

static void
the_reference_is_the_tables_in_words(void)
{
	struct span m = conf_manual(&top, "Reference");
	CHECK_SPAN(m,
		"# Reference\n\nAll there is.\n\n| word | value | default | |\n"
		"|---|---|---|---|\n| `flag` | `on` or `off` | `off` | Whether. |\n"
		"\n## thing\n\n```\nthing NAME { … }\n```\n\nA thing. May stand "
		"several times.\n"
		"\n| on the line | value | default | |\n|---|---|---|---|\n"
		"| `name` | name | *required* | Its name. |\n"
		"\n| word | value | default | |\n|---|---|---|---|\n"
		"| `wait` | duration, at least 1s, at most 1min | `10s` | How long. "
		"|\n");
	mem_free((void *)(uintptr_t)m.p);
}

struct pair {
	struct conf_item item;
	unsigned one;
	unsigned other;
};

static void
what_two_words_share_is_said_once(void)
{
	static const struct conf_choice choices[] = {
		{"stop", 0, "Go no further."}, {0}};
	static const struct conf_row pair_words[] = {
		{"one", CONF_CHOICE, CONF_AT(struct pair, one), .choices = choices},
		{"other", CONF_CHOICE, CONF_AT(struct pair, other),
			.choices = choices}};
	static const struct conf_table pair = {.size = sizeof(struct pair),
		CONF_WORDS_OF(pair_words),
		.help = "A pair."};
	static const struct conf_row pair_rows[] = {{"pair", CONF_BLOCKS,
		CONF_AT(struct top, things), .block = &pair, .help = "A pair."}};
	static const struct conf_table outer = {
		.size = sizeof(struct top), CONF_WORDS_OF(pair_rows)};

	struct span m = conf_manual(&outer, "Reference");
	size_t title = span_find(
		m, SPAN("\nOf `one`, `other`:\n\n- `stop`: Go no further.\n"));
	CHECK(title < m.n);
	CHECK(span_find(span_from(m, title + 1), SPAN("\nOf ")) >= m.n - title - 1);
	size_t said = span_find(m, SPAN("A pair."));
	CHECK(said < m.n);
	CHECK(span_find(span_from(m, said + 1), SPAN("A pair.")) >= m.n - said - 1);
	mem_free((void *)(uintptr_t)m.p);
}

TESTS(the_reference_is_the_tables_in_words, what_two_words_share_is_said_once)

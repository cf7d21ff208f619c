// SPDX-License-Identifier: Apache-2.0
/* Lexer, parser and the tables behind them, on any text. */
#include "base/mem.h"
#include "conf/format.h"
#include "conf/schema.h"

struct inner {
	struct conf_item item;
	struct conf_address at;
	uint64_t size, time, percent, number;
	bool flag;
	struct conf_nodes rules;
	struct conf_texts texts;
	struct ip_prefix prefix;
	struct conf_prefixes prefixes;
	struct span path;
};

struct outer {
	struct conf_item *inners;
	struct conf_nodes lets;
};

static const struct conf_row inner_args[] = {
	{"at", CONF_ADDRESS, CONF_AT(struct inner, at), .required = true},
	{"prefix", CONF_PREFIX, CONF_AT(struct inner, prefix), .after = "from"},
	{"texts", CONF_TEXTS, CONF_AT(struct inner, texts), .after = "also"},
};
static const struct conf_row inner_words[] = {
	{"size", CONF_SIZE, CONF_AT(struct inner, size), .preset = "1k",
		.max = 1 << 20},
	{"time", CONF_DURATION, CONF_AT(struct inner, time), .min = 1},
	{"percent", CONF_PERCENT, CONF_AT(struct inner, percent)},
	{"number", CONF_INT, CONF_AT(struct inner, number)},
	{"flag", CONF_FLAG, CONF_AT(struct inner, flag)},
	{"rule", CONF_NODES, CONF_AT(struct inner, rules)},
	{"from", CONF_PREFIXES, CONF_AT(struct inner, prefixes)},
	{"path", CONF_PATH, CONF_AT(struct inner, path)},
};
static const struct conf_table inner = {.size = sizeof(struct inner),
	CONF_ARGS_OF(inner_args),
	CONF_WORDS_OF(inner_words)};
static const struct conf_row outer_words[] = {
	{"g", CONF_BLOCKS, CONF_AT(struct outer, inners), .block = &inner},
	{"let", CONF_NODES, CONF_AT(struct outer, lets)},
};
static const struct conf_table outer = {
	.size = sizeof(struct outer), CONF_WORDS_OF(outer_words)};

/* A text that can be read has a layout, which can be read, and is its own. */
static void
check_layout(struct span text, bool can_be_read)
{
	static struct conf_report report;
	static char memory[2][1 << 16];
	struct conf_format format = {.put_expr = NULL};
	struct conf_file file = {.path = "fuzz", .text = text};
	struct text once = text_to(memory[0], sizeof(memory[0]));
	struct text twice = text_to(memory[1], sizeof(memory[1]));

	conf_report_init(&report);
	bool ok = conf_format(&format, &file, &once, &report);
	if (!ok || once.cut) {
		if (can_be_read && !once.cut)
			__builtin_trap();
		return;
	}
	file.text = text_span(&once);
	if (!conf_format(&format, &file, &twice, &report) ||
		(!twice.cut && !span_eq(text_span(&once), text_span(&twice))))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct conf_report report;
	struct conf_tree tree;
	struct outer out;
	char text[CONF_COMPLAINT_TEXT];

	conf_report_init(&report);
	conf_tree_init(&tree);
	bool read = conf_tree_parse(&tree, "fuzz", span_of(p, n), &report);
	if (!read && conf_report_ok(&report))
		__builtin_trap(); /* a failure without a word */
	(void)!conf_fill(&tree, &outer, &out, &report);
	for (size_t i = 0; i < report.n; i++)
		conf_complaint_text(text, &report.list[i], false);
	conf_tree_fini(&tree);
	check_layout(span_of(p, n), read);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "conf/schema.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { MANUAL_MAX = 1024 * 1024, PATH_MAX_TEXT = 200 };

static const char *
type_text(const struct conf_row *row)
{
	switch (row->type) {
	case CONF_FLAG:
		return "`on` or `off`";
	case CONF_INT:
		return "number";
	case CONF_SIZE:
		return "size";
	case CONF_DURATION:
		return "duration";
	case CONF_PERCENT:
		return "percentage";
	case CONF_TEXT:
		return "text";
	case CONF_NAME:
		return "name";
	case CONF_PATH:
		return "path";
	case CONF_CHOICE:
		return "choice";
	case CONF_ADDRESS:
		if (row->max == 1) {
			return row->min > 0 ? "host:port or path"
					    : "host, host:port or path";
		}
		return row->min > 0 ? "host:port" : "host, host:port or :port";
	case CONF_PREFIX:
		return "network";
	case CONF_TEXTS:
		return "texts";
	case CONF_PREFIXES:
		return "networks";
	case CONF_NODES:
		return "statement";
	case CONF_BLOCK:
	case CONF_BLOCKS:
		return "block";
	}
	return "";
}

static void
put_limit(struct text *t, const struct conf_row *row, const char *what, uint64_t v)
{
	char dst[CONF_VALUE_TEXT];
	if (row->type == CONF_SIZE) {
		text_add(t, ", %s %s", what, conf_size_text(dst, v));
	} else if (row->type == CONF_DURATION) {
		text_add(t, ", %s %s", what, conf_duration_text(dst, v));
	} else {
		text_add(t, ", %s %llu", what, (unsigned long long)v);
	}
}

/* "name TYPE, at least …" of one value. */
static void
put_type(struct text *t, const struct conf_row *row)
{
	bool is_number = row->type == CONF_INT || row->type == CONF_SIZE ||
		row->type == CONF_DURATION;

	text_add(t, "%s", type_text(row));
	if (row->type == CONF_CHOICE) {
		for (const struct conf_choice *c = row->choices; c->name; c++)
			text_add(t, "%s`%s`", c == row->choices ? ": " : ", ", c->name);
	}
	if (is_number && row->min > 0)
		put_limit(t, row, "at least", row->min);
	if (is_number && row->max > 0)
		put_limit(t, row, "at most", row->max);
}

/* "as KIND" */
static void
put_capitals(struct text *t, const char *after, const char *name)
{
	text_add(t, "%s%s", after, after[0] ? " " : "");
	for (const char *c = name; *c; c++)
		text_add(t, "%c", *c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
}

/* The line of a block: keyword, args in their brackets. */
static void
put_shape(struct text *t, const char *name, const struct conf_table *table)
{
	text_add(t, "%s", name);
	for (size_t i = 0; i < table->nargs; i++) {
		const struct conf_row *a = &table->args[i];
		const char *more =
			a->type == CONF_TEXTS || a->type == CONF_PREFIXES ? "…" : "";
		text_add(t, a->required ? " " : " [");
		put_capitals(t, a->after ? a->after : "", a->name);
		text_add(t, "%s%s", more, a->required ? "" : "]");
	}
	if (table->nwords > 0 && !table->no_braces)
		text_add(t, " { … }");
}

static void
put_row(struct text *t, const struct conf_row *row, bool is_arg)
{
	text_add(t, "| `%s` | ", row->name);
	put_type(t, row);
	text_add(t, " | ");
	if (row->preset) {
		text_add(t, "`%s`", row->preset);
	} else if (row->required) {
		text_add(t, "*required*");
	} else if (!is_arg && row->type == CONF_FLAG) {
		text_add(t, "`off`");
	}
	text_add(t, " | %s |\n", row->help ? row->help : "");
}

static const struct conf_choice *
choices_of(const struct conf_row *row)
{
	return row->type == CONF_CHOICE ? row->choices : NULL;
}

/* Words with the same choices share one list: "Of `a`, `b`:". */
static void
put_choice_title(struct text *t, const struct conf_row *rows, size_t from, size_t n)
{
	text_add(t, "\nOf `%s`", rows[from].name);
	for (size_t i = from + 1; i < n; i++) {
		if (choices_of(&rows[i]) == choices_of(&rows[from]))
			text_add(t, ", `%s`", rows[i].name);
	}
	text_add(t, ":\n\n");
}

static bool
is_said_before(const struct conf_row *rows, size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (choices_of(&rows[i]) == choices_of(&rows[at]))
			return true;
	}
	return false;
}

static void
put_choices(struct text *t, const struct conf_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct conf_choice *c = choices_of(&rows[i]);
		if (!c || is_said_before(rows, i))
			continue;
		bool first = true;
		for (; c->name; c++) {
			if (!c->help)
				continue;
			if (first)
				put_choice_title(t, rows, i, n);
			first = false;
			text_add(t, "- `%s`: %s\n", c->name, c->help);
		}
	}
}

static bool
is_block(const struct conf_row *row)
{
	return row->type == CONF_BLOCK || row->type == CONF_BLOCKS;
}

static void
put_values(struct text *t, const struct conf_row *rows, size_t n, bool are_args)
{
	bool any = false;
	for (size_t i = 0; i < n; i++) {
		if (is_block(&rows[i]) || rows[i].type == CONF_NODES)
			continue;
		if (!any) {
			text_add(t, "\n| %s | value | default | |\n|---|---|---|---|\n",
				are_args ? "on the line" : "word");
		}
		any = true;
		put_row(t, &rows[i], are_args);
	}
	put_choices(t, rows, n);
}

static void put_block(struct text *t, const struct conf_row *row, const char *parents,
	unsigned level);

static void
put_table(struct text *t, const struct conf_table *table, const char *path,
	unsigned level)
{
	put_values(t, table->args, table->nargs, true);
	put_values(t, table->words, table->nwords, false);
	for (size_t i = 0; i < table->nwords; i++) {
		const struct conf_row *row = &table->words[i];
		if (row->type == CONF_NODES) {
			text_add(t, "\n```\n%s\n```\n\n%s\n",
				row->shape ? row->shape : row->name,
				row->help ? row->help : "");
		}
	}
	for (size_t i = 0; i < table->nwords; i++) {
		if (is_block(&table->words[i]))
			put_block(t, &table->words[i], path, level);
	}
}

static void
put_block(
	struct text *t, const struct conf_row *row, const char *parents, unsigned level)
{
	char path[PATH_MAX_TEXT];
	struct text p = text_to(path, sizeof(path));

	text_add(&p, "%s%s%s", parents, parents[0] ? " › " : "", row->name);
	text_add(t, "\n%.*s %s\n\n", (int)(level > 5 ? 5 : level), "######", path);
	text_add(t, "```\n");
	put_shape(t, row->name, row->block);
	text_add(t, "\n```\n\n%s%s%s\n", row->help ? row->help : "",
		row->type == CONF_BLOCKS ? " May stand several times." : "",
		row->required ? " Required." : "");
	if (row->block->help &&
		(!row->help || strcmp(row->help, row->block->help) != 0))
		text_add(t, "\n%s\n", row->block->help);
	put_table(t, row->block, path, level + 1);
}

struct span
conf_manual(const struct conf_table *top, const char *title)
{
	char *p = mem_alloc(MANUAL_MAX);
	struct text t = text_to(p, MANUAL_MAX);

	text_add(&t, "# %s\n", title);
	if (top->help)
		text_add(&t, "\n%s\n", top->help);
	put_table(&t, top, "", 2);
	return text_span(&t);
}

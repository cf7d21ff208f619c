// SPDX-License-Identifier: Apache-2.0
/*
 * fmt: every rule's expression in its one canonical text.
 *
 * All else in the file, comments and order included, stays as it is. Two policies that
 * mean the same then differ in nothing, for tools that compare texts and for reviews.
 */
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/config.h"

enum { EXPRESSION_MAX = 256 << 10 };

static const struct cli_option options[] = {
	{"write", 'w', NULL, "change the file instead of printing it", false},
	{"check", 0, NULL, "print nothing; exit code 1 when something would change",
		false},
	{0},
};

struct edit {
	size_t from; /* octets of the file */
	size_t to;
	struct span text; /* owned */
};

struct edits {
	struct edit *list; /* owned */
	size_t n;
	size_t cap;
};

/* The octet at which a place stands, or the text's size. */
static size_t
offset_of(struct span text, const struct conf_place *at)
{
	uint32_t line = 1;
	uint32_t column = 1;
	for (size_t i = 0; i < text.n; i++) {
		if (line == at->line && column == at->column &&
			(text.p[i] & 0xc0) != 0x80)
			return i;
		if (text.p[i] == '\n') {
			line++;
			column = 1;
		} else if ((text.p[i] & 0xc0) != 0x80) {
			column++;
		}
	}
	return text.n;
}

static void
add_edit(struct edits *e, struct span file, const struct conf_word *word,
	const struct rule_expr *expr)
{
	char *room = mem_alloc(EXPRESSION_MAX);
	struct text t = text_to(room, EXPRESSION_MAX);
	size_t from = offset_of(file, &word->at);
	bool here = span_starts(span_from(file, from), word->text);
	rule_put(&t, expr);
	if (here && !t.cut && !span_eq(text_span(&t), word->text)) {
		e->list = mem_grow(e->list, &e->cap, e->n + 1, sizeof(*e->list));
		char *kept = mem_cstr(text_span(&t));
		e->list[e->n++] =
			(struct edit){from, from + word->text.n, span_of(kept, t.n)};
	}
	mem_free(room);
}

/* Rules of included files are left to their own call. */
static void
collect(struct edits *e, struct conf_item *first, const char *path, struct span file)
{
	for (struct conf_item *i = first; i != NULL; i = i->next) {
		const struct gateway *g = CONTAINER_OF(i, struct gateway, item);
		for (size_t k = 0; k < g->rules.n; k++) {
			const struct conf_node *node = g->rules.p[k];
			bool own = node->expr.at.file != NULL &&
				span_eq(span_str(node->expr.at.file->path),
					span_str(path));
			if (own && node->expr.text.n > 0)
				add_edit(e, file, &node->expr,
					policy_expr(g->policy, (uint32_t)k));
		}
	}
}

static bool
next_edit(const struct edits *e, size_t from, const struct edit **out)
{
	*out = NULL;
	for (size_t i = 0; i < e->n; i++) {
		if (e->list[i].from >= from &&
			(*out == NULL || e->list[i].from < (*out)->from))
			*out = &e->list[i];
	}
	return *out != NULL;
}

/* The file with its edits; owned by the caller. */
static struct span
apply(const struct edits *e, struct span file)
{
	const struct edit *edit;
	size_t room = file.n + 1;
	size_t at = 0;
	for (size_t i = 0; i < e->n; i++)
		room += e->list[i].text.n;
	char *out = mem_alloc(room);
	struct text t = text_to(out, room);
	while (next_edit(e, at, &edit)) {
		text_put(&t, span_slice(file, at, edit->from));
		text_put(&t, edit->text);
		at = edit->to;
	}
	text_put(&t, span_from(file, at));
	return text_span(&t);
}

static void
edits_free(struct edits *e)
{
	for (size_t i = 0; i < e->n; i++)
		mem_free((void *)(uintptr_t)e->list[i].text.p);
	mem_free(e->list);
}

static enum cli_exit
finish(const struct cli_call *call, const struct edits *e, struct span file)
{
	struct err err = {0};
	if (cli_has(call, "check"))
		return e->n == 0 ? CLI_GOOD : CLI_FAILED;
	struct span out = apply(e, file);
	enum cli_exit code = CLI_GOOD;
	if (!cli_has(call, "write"))
		text_out_span(out);
	else if (e->n > 0 && !file_replace(cli_operand(call, 0), out, 0644, &err))
		code = cli_fail(&err);
	mem_free((void *)(uintptr_t)out.p);
	return code;
}

static enum cli_exit
run_fmt(const struct cli_call *call)
{
	struct err err = {0};
	struct edits e = {0};
	struct span file;
	const char *path = cli_operand(call, 0);
	if (!file_read(path, 8 << 20, &file, &err))
		return cli_fail(&err);
	struct settings *s = config_load(path);
	enum cli_exit code = CLI_FAILED;
	if (s != NULL) {
		collect(&e, s->gateways, path, file);
		collect(&e, s->edges, path, file);
		code = finish(call, &e, file);
	}
	edits_free(&e);
	config_close(s);
	mem_free((void *)(uintptr_t)file.p);
	return code;
}

const struct command command_fmt = {
	.name = "fmt",
	.operands = "FILE",
	.summary = "write the expressions of rules in their canonical form",
	.help = "Prints the configuration with each rule's expression in its one "
		"canonical\n"
		"text: == for eq, one blank between words, parentheses only where they "
		"are\n"
		"needed. Everything else, comments included, stays as it is. Files "
		"that are\n"
		"included are formatted by calls of their own.",
	.examples = "sekisho fmt sekisho.conf\nsekisho fmt -w sekisho.conf\n",
	.options = options,
	.least = 1,
	.most = 1,
	.run = run_fmt,
};

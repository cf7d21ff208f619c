// SPDX-License-Identifier: Apache-2.0
#include "conf/tree.h"

#include <glob.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/must.h"
#include "conf/lex_priv.h"

enum {
	TEXT_MAX = 8 * 1024 * 1024,
	FILES_MAX = 256,
	INCLUDES_MAX = 8,
	BLOCKS_MAX = 16,
	WORDS_MAX = 64,
};

/* The shortest statement, "a;", costs a node, a word and their share of a block: the
 * limit of the text bounds the arena far below this. */
static const size_t arena_limit = (size_t)2 * 1024 * 1024 * 1024;

/* While one text is read. */
struct parse {
	struct conf_tree *tree;
	struct conf_report *report;
	struct conf_lex lex;
	struct conf_word ahead; /* the token not used yet */
	enum conf_token kind;
	unsigned includes; /* levels above this text */
	bool may_include;
	unsigned blocks; /* open ones */
};

void
conf_tree_init(struct conf_tree *t)
{
	*t = (struct conf_tree){0};
	arena_init(&t->arena, arena_limit);
}

void
conf_tree_fini(struct conf_tree *t)
{
	arena_fini(&t->arena);
	*t = (struct conf_tree){0};
}

static void
advance(struct parse *p)
{
	p->kind = conf_lex_next(&p->lex, &p->ahead);
}

/* Copies a text in, within the limits. */
static const struct conf_file *
add_file(struct conf_tree *t, struct span path, struct span text, struct err *err)
{
	if (t->n_files == FILES_MAX) {
		(void)err_set(err, ERR_CONF_INCLUDE, "more than %d files", FILES_MAX);
		return NULL;
	}
	if (text.n > TEXT_MAX - t->text_size) {
		(void)err_set(err, ERR_FILE_TOO_LARGE,
			"the configuration has more than %d MiB",
			TEXT_MAX / 1024 / 1024);
		return NULL;
	}
	struct conf_file *f = arena_alloc(&t->arena, sizeof(*f));
	f->path = arena_cstr(&t->arena, path);
	f->text = arena_copy(&t->arena, text);
	f->next = t->files;
	t->files = f;
	t->n_files++;
	t->text_size += text.n;
	return f;
}

static void parse_statements(struct parse *p, struct conf_node ***tail);

/* Reads one text and hangs its statements behind *tail. */
static void
parse_file(struct parse *p, const struct conf_file *file, struct conf_node ***tail)
{
	conf_lex_init(&p->lex, file, &p->tree->arena, p->report);
	advance(p);
	parse_statements(p, tail);
	while (p->kind == CONF_TOKEN_CLOSE) {
		(void)conf_complain(p->report, p->ahead.at, ERR_CONF_SYNTAX,
			"nothing is open that this closes");
		advance(p);
		parse_statements(p, tail);
	}
}

/* The file `name` as seen from the one that says so. */
static struct span
beside(struct conf_tree *t, const struct conf_file *from, struct span name)
{
	struct span path = span_str(from->path);
	size_t slash = span_rchr(path, '/');
	if (span_starts(name, SPAN("/")) || slash == path.n)
		return span_str(arena_cstr(&t->arena, name));
	return arena_format(&t->arena, "%.*s/%.*s", SPAN_ARG(span_first(path, slash)),
		SPAN_ARG(name));
}

static void
include_file(struct parse *p, const char *path, struct conf_place at,
	struct conf_node ***tail)
{
	struct err err = {0};
	struct span text;

	if (!file_read(path, TEXT_MAX, &text, &err)) {
		(void)conf_complain(p->report, at, ERR_CONF_INCLUDE, "%s", err.text);
		return;
	}
	const struct conf_file *file = add_file(p->tree, span_str(path), text, &err);
	mem_free((void *)(uintptr_t)text.p);
	if (!file) {
		(void)conf_complain(p->report, at, ERR_CONF_INCLUDE, "%s", err.text);
		return;
	}
	struct parse inner = {.tree = p->tree,
		.report = p->report,
		.includes = p->includes + 1,
		.may_include = true,
		.blocks = p->blocks};
	parse_file(&inner, file, tail);
}

static void
include(struct parse *p, const struct conf_node *n, struct conf_node ***tail)
{
	struct conf_place at = n->words[0].at;

	if (n->n != 2 || n->has_block) {
		(void)conf_complain(
			p->report, at, ERR_CONF_INCLUDE, "include takes one path");
		return;
	}
	at = n->words[1].at;
	if (!p->may_include || p->includes == INCLUDES_MAX) {
		(void)conf_complain(p->report, at, ERR_CONF_INCLUDE,
			p->may_include ? "includes are nested too deeply; does a file "
					 "include itself?"
				       : "include is not possible here");
		return;
	}
	struct span path = beside(p->tree, at.file, n->words[1].text);
	if (span_chr(path, '*') == path.n && span_chr(path, '?') == path.n) {
		include_file(p, (const char *)path.p, at, tail);
		return;
	}
	glob_t found = {0};
	if (glob((const char *)path.p, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			include_file(p, found.gl_pathv[i], at, tail);
	}
	globfree(&found);
}

/* Words up to the statement's end or block. False when the line was given up. */
static bool
parse_words(struct parse *p, struct conf_node *node)
{
	struct conf_word words[WORDS_MAX] = {0};
	enum conf_expr_end end;
	bool ok = true;

	for (; p->kind == CONF_TOKEN_WORD; advance(p)) {
		if (node->n == WORDS_MAX) {
			ok = conf_complain(p->report, p->ahead.at, ERR_CONF_SYNTAX,
				"a statement has at most %d words", WORDS_MAX);
			conf_lex_skip_line(&p->lex);
			continue;
		}
		words[node->n++] = p->ahead;
		if (node->expr.text.p ||
			!conf_lex_announces(
				&words[0], &words[node->n - 1], node->n, &end))
			continue;
		ok = conf_lex_expr(&p->lex, end, &node->expr) && ok;
		if (!node->expr.text.p) { /* it never ended; what comes is another
					     statement */
			advance(p);
			break;
		}
	}
	if (p->kind == CONF_TOKEN_BAD) {
		ok = false;
		advance(p);
	}
	node->words = arena_alloc(&p->tree->arena, node->n * sizeof(*words));
	memcpy(node->words, words, node->n * sizeof(*words));
	return ok;
}

static void
parse_block(struct parse *p, struct conf_node *node)
{
	struct conf_place open = p->ahead.at;
	struct conf_node **tail = &node->first;
	bool deep = p->blocks == BLOCKS_MAX;

	node->has_block = true;
	if (deep) {
		(void)conf_complain(p->report, open, ERR_CONF_SYNTAX,
			"blocks are nested too deeply");
		p->lex.left = (struct span){0}; /* nothing behind it would make sense */
	}
	advance(p);
	p->blocks++;
	parse_statements(p, &tail);
	p->blocks--;
	if (p->kind == CONF_TOKEN_CLOSE) {
		advance(p);
	} else if (!deep) {
		(void)conf_complain(p->report, open, ERR_CONF_SYNTAX,
			"this block of \"%.*s\" is not closed",
			SPAN_ARG(node->words[0].text));
	}
}

/* "and x" belongs to the line before, which a semicolon or a comment ended. */
static bool
check_first(struct parse *p)
{
	if (p->ahead.quoted || !conf_lex_continues(p->ahead.text))
		return true;
	(void)conf_complain(p->report, p->ahead.at, ERR_CONF_EXPR,
		"a statement cannot begin with an operator");
	conf_lex_skip_line(&p->lex);
	advance(p);
	return false;
}

static void
parse_statement(struct parse *p, struct conf_node ***tail)
{
	struct conf_node *node = arena_alloc(&p->tree->arena, sizeof(*node));
	bool ok = check_first(p) && parse_words(p, node);

	if (p->kind == CONF_TOKEN_OPEN)
		parse_block(p, node);
	if (!ok)
		return;
	if (!node->words[0].quoted && span_eq(node->words[0].text, SPAN("include"))) {
		include(p, node, tail);
		return;
	}
	**tail = node;
	*tail = &node->next;
}

/* Up to the end of the block or of the text. */
static void
parse_statements(struct parse *p, struct conf_node ***tail)
{
	while (p->kind != CONF_TOKEN_EOF && p->kind != CONF_TOKEN_CLOSE) {
		if (p->kind == CONF_TOKEN_WORD) {
			parse_statement(p, tail);
		} else if (p->kind == CONF_TOKEN_OPEN) {
			(void)conf_complain(p->report, p->ahead.at, ERR_CONF_SYNTAX,
				"a block needs a word before it, on the same line");
			struct conf_word none = {.text = SPAN("{"), .at = p->ahead.at};
			struct conf_node lost = {.words = &none, .n = 1};
			parse_block(p, &lost);
		} else {
			advance(p);
		}
	}
}

bool
conf_tree_parse(struct conf_tree *t, const char *name, struct span text,
	struct conf_report *report)
{
	struct err err = {0};
	struct conf_node **tail = &t->first;
	struct parse p = {.tree = t, .report = report};
	const struct conf_file *file = add_file(t, span_str(name), text, &err);
	size_t before = report->errors;

	if (!file) {
		return conf_complain(
			report, (struct conf_place){0}, err.code, "%s", err.text);
	}
	parse_file(&p, file, &tail);
	return report->errors == before;
}

bool
conf_tree_read(struct conf_tree *t, const char *path, struct conf_report *report)
{
	struct err err = {0};
	struct span text;
	struct conf_node **tail = &t->first;
	struct parse p = {.tree = t, .report = report, .may_include = true};
	size_t before = report->errors;

	if (!file_read(path, TEXT_MAX, &text, &err)) {
		return conf_complain(
			report, (struct conf_place){0}, err.code, "%s", err.text);
	}
	const struct conf_file *file = add_file(t, span_str(path), text, &err);
	mem_free((void *)(uintptr_t)text.p);
	if (!file) {
		return conf_complain(
			report, (struct conf_place){0}, err.code, "%s", err.text);
	}
	parse_file(&p, file, &tail);
	return report->errors == before;
}

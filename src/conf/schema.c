// SPDX-License-Identifier: Apache-2.0
#include "conf/schema.h"

#include <string.h>

#include "base/must.h"
#include "base/text.h"

enum { ROWS_MAX = 64 }; /* of one table, and choices of one row */

/* One statement while it is read into a struct. */
struct fill {
	struct conf_tree *tree;
	struct conf_report *report;
	const struct conf_table *table;
	const struct conf_node *node; /* NULL at the top */
	uint8_t *base;                /* the struct */
};

static void *
field(const struct fill *f, const struct conf_row *row)
{
	return f->base + row->offset;
}

/* What the block is called in messages. */
static struct span
block_name(const struct fill *f)
{
	return f->node ? f->node->words[0].text : SPAN("the configuration");
}

static bool
wants(const struct fill *f, const struct conf_word *w, const char *kind,
	const char *hint)
{
	(void)conf_complain(f->report, w->at, ERR_CONF_VALUE, "\"%.*s\" is not %s",
		SPAN_ARG(w->text), kind);
	conf_hint(f->report, "%s", hint);
	return false;
}

/* --- values --- */

static const char *
number_text(char dst[CONF_VALUE_TEXT], enum conf_type type, uint64_t v)
{
	if (type == CONF_SIZE)
		return conf_size_text(dst, v);
	if (type == CONF_DURATION)
		return conf_duration_text(dst, v);
	text_format(dst, CONF_VALUE_TEXT, "%llu%s", (unsigned long long)v,
		type == CONF_PERCENT ? "%" : "");
	return dst;
}

static bool
parse_number(const struct fill *f, enum conf_type type, const struct conf_word *w,
	uint64_t *v)
{
	if (type == CONF_SIZE) {
		return conf_read_size(w->text, v) ||
			wants(f, w, "a size",
				"Write for instance 4096, 64k, 16m or 2g.");
	}
	if (type == CONF_DURATION) {
		return conf_read_duration(w->text, v) ||
			wants(f, w, "a duration",
				"Write for instance 250ms, 10s, 5min, 18h, 30d or "
				"1h30min.");
	}
	if (type == CONF_PERCENT) {
		return conf_read_percent(w->text, v) ||
			wants(f, w, "a percentage", "Write for instance 80%.");
	}
	return conf_read_int(w->text, v) ||
		wants(f, w, "a number", "Write digits only.");
}

static bool
read_number(const struct fill *f, const struct conf_row *row, const struct conf_word *w)
{
	char text[CONF_VALUE_TEXT];
	uint64_t v = 0;

	if (!parse_number(f, row->type, w, &v))
		return false;
	if (v < row->min) {
		return conf_complain(f->report, w->at, ERR_CONF_VALUE,
			"%s is at least %s", row->name,
			number_text(text, row->type, row->min));
	}
	if (row->max > 0 && v > row->max) {
		return conf_complain(f->report, w->at, ERR_CONF_VALUE,
			"%s is at most %s", row->name,
			number_text(text, row->type, row->max));
	}
	*(uint64_t *)field(f, row) = v;
	return true;
}

/* A path stands relative to the file that says it; a key's name in a token stays. */
static struct span
resolve_path(const struct fill *f, const struct conf_word *w)
{
	struct span from = span_str(w->at.file ? w->at.file->path : "");
	size_t slash = span_rchr(from, '/');

	if (span_starts(w->text, SPAN("/")) || slash == from.n ||
		span_starts(w->text, SPAN("pkcs11:")))
		return span_of(arena_cstr(&f->tree->arena, w->text), w->text.n);
	return arena_format(&f->tree->arena, "%.*s/%.*s",
		SPAN_ARG(span_first(from, slash)), SPAN_ARG(w->text));
}

static bool
read_text(const struct fill *f, const struct conf_row *row, const struct conf_word *w)
{
	struct span *out = field(f, row);

	if (row->type == CONF_NAME && !conf_is_name(w->text)) {
		return wants(f, w, "a name",
			"Names are letters, digits, '-', '_', '.' and '/'.");
	}
	if (row->type == CONF_PATH && w->text.n == 0)
		return wants(f, w, "a path", "Write the path of a file.");
	if (row->type == CONF_PATH) {
		*out = resolve_path(f, w);
	} else {
		*out = span_of(arena_cstr(&f->tree->arena, w->text), w->text.n);
	}
	return true;
}

static bool
read_choice(const struct fill *f, const struct conf_row *row, const struct conf_word *w)
{
	const char *names[ROWS_MAX];
	size_t n = 0;
	char list[150];
	struct text t = text_to(list, sizeof(list));

	for (const struct conf_choice *c = row->choices; c->name; c++) {
		if (span_eq(w->text, span_str(c->name))) {
			*(int *)field(f, row) = c->value;
			return true;
		}
		must(n < ROWS_MAX);
		text_add(&t, "%s%s", n > 0 ? ", " : "One of: ", c->name);
		names[n++] = c->name;
	}
	size_t near = text_nearest(w->text, names, n);
	(void)conf_complain(f->report, w->at, ERR_CONF_VALUE,
		"\"%.*s\" is no choice for %s", SPAN_ARG(w->text), row->name);
	if (near < n) {
		conf_hint(f->report, "Did you mean \"%s\"?", names[near]);
	} else {
		conf_hint(f->report, "%s", list);
	}
	return false;
}

static bool
read_flag(const struct fill *f, const struct conf_row *row, const struct conf_word *w)
{
	return conf_read_flag(w->text, field(f, row)) ||
		wants(f, w, "on or off", "Write on or off; the word alone means on.");
}

static bool
read_address(
	const struct fill *f, const struct conf_row *row, const struct conf_word *w)
{
	struct conf_address a = {.host = w->text};
	bool is_path = row->max == 1 && span_starts(w->text, SPAN("/"));

	if (!is_path && !conf_read_address(w->text, &a)) {
		return wants(f, w, "an address",
			"Write HOST:PORT, :PORT, 192.0.2.1:PORT or "
			"[2001:db8::1]:PORT.");
	}
	if (row->min > 0 && a.port == 0 && !is_path)
		return wants(f, w, "complete: the port is missing", "Write HOST:PORT.");
	a.host = span_of(arena_cstr(&f->tree->arena, a.host), a.host.n);
	*(struct conf_address *)field(f, row) = a;
	return true;
}

static bool
parse_prefix(const struct fill *f, const struct conf_word *w, struct ip_prefix *out)
{
	return ip_prefix_parse(w->text, out) ||
		wants(f, w, "an address or a network",
			"Write for instance 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32; "
			"bits "
			"behind the prefix are zero.");
}

/* Room for one more: a list doubles when its number is a power of two, so that one of a
 * hundred thousand names leaves copies of twice its size in the arena, not of its
 * square. */
static void *
append(const struct fill *f, void *old, size_t n, size_t size)
{
	if ((n & (n - 1)) != 0)
		return old;
	uint8_t *p = arena_alloc(&f->tree->arena, (n > 0 ? 2 * n : 1) * size);
	if (n > 0)
		memcpy(p, old, n * size);
	return p;
}

static bool
read_value(const struct fill *f, const struct conf_row *row, const struct conf_word *w)
{
	struct conf_texts *texts = field(f, row);
	struct conf_prefixes *prefixes = field(f, row);
	struct ip_prefix prefix;

	switch (row->type) {
	case CONF_FLAG:
		return read_flag(f, row, w);
	case CONF_INT:
	case CONF_SIZE:
	case CONF_DURATION:
	case CONF_PERCENT:
		return read_number(f, row, w);
	case CONF_TEXT:
	case CONF_NAME:
	case CONF_PATH:
		return read_text(f, row, w);
	case CONF_CHOICE:
		return read_choice(f, row, w);
	case CONF_ADDRESS:
		return read_address(f, row, w);
	case CONF_PREFIX:
		return parse_prefix(f, w, field(f, row));
	case CONF_TEXTS:
		texts->p = append(f, texts->p, texts->n, sizeof(*texts->p));
		texts->p[texts->n++] =
			span_of(arena_cstr(&f->tree->arena, w->text), w->text.n);
		return true;
	case CONF_PREFIXES:
		if (!parse_prefix(f, w, &prefix))
			return false;
		prefixes->p = append(f, prefixes->p, prefixes->n, sizeof(*prefixes->p));
		prefixes->p[prefixes->n++] = prefix;
		return true;
	case CONF_NODES:
	case CONF_BLOCK:
	case CONF_BLOCKS:
		break;
	}
	must_not_reach("blocks are no values");
}

static bool
is_list(const struct conf_row *row)
{
	return row->type == CONF_TEXTS || row->type == CONF_PREFIXES;
}

/* --- defaults --- */

static void
set_preset(const struct fill *f, const struct conf_row *row)
{
	struct span left = span_str(row->preset);
	struct span piece;

	if (!is_list(row)) {
		struct conf_word w = {.text = left};
		must(read_value(f, row, &w)); /* our own table's text */
		return;
	}
	while (span_cut(&left, ' ', &piece)) {
		struct conf_word w = {.text = piece};
		must(read_value(f, row, &w));
	}
}

/* Of all rows of a table, and of the blocks that are part of its struct. */
static void
set_presets(struct fill f)
{
	const struct conf_table *t = f.table;

	for (size_t i = 0; i < t->nargs + t->nwords; i++) {
		const struct conf_row *row =
			i < t->nargs ? &t->args[i] : &t->words[i - t->nargs];
		if (row->type == CONF_BLOCK) {
			struct fill inner = f;
			inner.table = row->block;
			inner.base = field(&f, row);
			set_presets(inner);
		} else if (row->preset) {
			set_preset(&f, row);
		}
	}
}

/* Before a list's first own value its preset goes. */
static void
clear_list(const struct fill *f, const struct conf_row *row)
{
	if (row->type == CONF_TEXTS)
		*(struct conf_texts *)field(f, row) = (struct conf_texts){0};
	if (row->type == CONF_PREFIXES)
		*(struct conf_prefixes *)field(f, row) = (struct conf_prefixes){0};
}

/* --- the statement's own line --- */

/* Whether this word announces an arg of its own ("as"), and which. */
static const struct conf_row *
announced(const struct conf_table *t, const struct conf_word *w)
{
	for (size_t i = 0; i < t->nargs && !w->quoted; i++) {
		if (t->args[i].after && span_eq(w->text, span_str(t->args[i].after)))
			return &t->args[i];
	}
	return NULL;
}

/* The next arg without an announcing word that has no value yet, or a list's. */
static const struct conf_row *
next_plain(const struct conf_table *t, const bool *seen)
{
	for (size_t i = 0; i < t->nargs; i++) {
		if (!t->args[i].after && (!seen[i] || is_list(&t->args[i])))
			return &t->args[i];
	}
	return NULL;
}

/* One arg at word i; returns how many words it took. */
static size_t
read_arg(const struct fill *f, size_t i, bool *seen)
{
	const struct conf_table *t = f->table;
	const struct conf_word *w = &f->node->words[i];
	const struct conf_row *row = announced(t, w);
	size_t at = row ? i + 1 : i;

	if (!row)
		row = next_plain(t, seen);
	if (!row) {
		(void)conf_complain(f->report, w->at, ERR_CONF_WORD,
			"\"%.*s\" is not expected here", SPAN_ARG(w->text));
		return f->node->n; /* the rest would only repeat it */
	}
	if (at == f->node->n) {
		(void)conf_complain(f->report, w->at, ERR_CONF_MISSING,
			"the %s is missing behind \"%s\"", row->name, row->after);
		seen[row - t->args] = true;
		return 1;
	}
	if (seen[row - t->args] && !is_list(row)) {
		(void)conf_complain(f->report, w->at, ERR_CONF_TWICE,
			"the %s is said twice", row->name);
	} else if (!seen[row - t->args]) {
		clear_list(f, row);
	}
	seen[row - t->args] = true;
	(void)read_value(f, row, &f->node->words[at]);
	return at + 1 - i;
}

static void
read_args(const struct fill *f)
{
	const struct conf_table *t = f->table;
	bool seen[ROWS_MAX] = {false};

	must(t->nargs <= ROWS_MAX);
	for (size_t i = 1; i < f->node->n;)
		i += read_arg(f, i, seen);
	for (size_t i = 0; i < t->nargs; i++) {
		if (t->args[i].required && !seen[i]) {
			(void)conf_complain(f->report, f->node->words[0].at,
				ERR_CONF_MISSING, "%.*s needs its %s",
				SPAN_ARG(block_name(f)), t->args[i].name);
		}
	}
}

/* --- the statements in the braces --- */

static void fill_struct(struct fill f);

static void
read_item(const struct fill *f, const struct conf_row *row, const struct conf_node *n)
{
	struct conf_item **tail = field(f, row);
	struct conf_item *item = arena_alloc(&f->tree->arena, row->block->size);
	struct fill inner = {f->tree, f->report, row->block, n, (uint8_t *)item};

	while (*tail)
		tail = &(*tail)->next;
	fill_struct(inner);
	item->next = NULL;
	item->node = n;
	*tail = item;
}

static void
read_node(const struct fill *f, const struct conf_row *row, const struct conf_node *n)
{
	struct conf_nodes *nodes = field(f, row);
	size_t cap = nodes->n > 0 && (nodes->n & (nodes->n - 1)) == 0 ? nodes->n : 0;

	if (nodes->n == 0 || cap > 0) { /* full at each power of two */
		const struct conf_node **p = arena_alloc(&f->tree->arena,
			(cap > 0 ? cap * 2 : 1) * sizeof(const struct conf_node *));
		if (nodes->n > 0) {
			memcpy(p, nodes->p,
				nodes->n * sizeof(const struct conf_node *));
		}
		nodes->p = p;
	}
	nodes->p[nodes->n++] = n;
}

/* word VALUE */
static void
read_simple(const struct fill *f, const struct conf_row *row, const struct conf_node *n)
{
	const struct conf_word *w = &n->words[0];

	if (n->has_block) {
		(void)conf_complain(f->report, w->at, ERR_CONF_SYNTAX,
			"%s takes no block", row->name);
	}
	if (n->n == 1 && row->type == CONF_FLAG) {
		*(bool *)field(f, row) = true;
		return;
	}
	if (n->n == 1) {
		(void)conf_complain(f->report, w->at, ERR_CONF_MISSING,
			"%s needs a value", row->name);
		return;
	}
	for (size_t i = 1; i < n->n && (i == 1 || is_list(row)); i++)
		(void)read_value(f, row, &n->words[i]);
	if (n->n > 2 && !is_list(row)) {
		(void)conf_complain(f->report, n->words[2].at, ERR_CONF_WORD,
			"%s takes one value; \"%.*s\" is too much", row->name,
			SPAN_ARG(n->words[2].text));
	}
}

static bool
is_repeatable(const struct conf_row *row)
{
	return row->type == CONF_BLOCKS || row->type == CONF_NODES || is_list(row);
}

static void
read_statement(
	const struct fill *f, const struct conf_row *row, const struct conf_node *n)
{
	struct fill inner = {f->tree, f->report, row->block, n, field(f, row)};

	if (row->type == CONF_BLOCKS) {
		read_item(f, row, n);
	} else if (row->type == CONF_NODES) {
		read_node(f, row, n);
	} else if (row->type == CONF_BLOCK) {
		fill_struct(inner);
	} else {
		read_simple(f, row, n);
	}
}

static size_t
find_row(const struct conf_table *t, struct span word)
{
	size_t i = 0;
	while (i < t->nwords && !span_eq(word, span_str(t->words[i].name)))
		i++;
	return i;
}

/* The block in t that knows a word which t does not; NULL: none. */
static const char *
block_that_knows(const struct conf_table *t, struct span word)
{
	for (size_t i = 0; i < t->nwords; i++) {
		const struct conf_table *inner = t->words[i].block;
		if (inner && find_row(inner, word) < inner->nwords)
			return t->words[i].name;
	}
	return NULL;
}

static void
unknown_word(const struct fill *f, const struct conf_word *w)
{
	const char *inner = block_that_knows(f->table, w->text);
	const char *names[ROWS_MAX];
	size_t n = 0;
	char list[150];
	struct text t = text_to(list, sizeof(list));

	for (; n < f->table->nwords; n++) {
		names[n] = f->table->words[n].name;
		text_add(&t, "%s%s", n > 0 ? ", " : "Known here: ", names[n]);
	}
	size_t near = text_nearest(w->text, names, n);
	(void)conf_complain(f->report, w->at, ERR_CONF_WORD,
		"unknown word \"%.*s\" in %.*s", SPAN_ARG(w->text),
		SPAN_ARG(block_name(f)));
	if (inner) {
		conf_hint(f->report, "It belongs into `%s { … }`.", inner);
	} else if (near < n) {
		conf_hint(f->report, "Did you mean \"%s\"?", names[near]);
	} else if (!t.cut && n > 0) {
		conf_hint(f->report, "%s", list);
	}
}

/* Required words that no statement said. */
static void
ask_missing(const struct fill *f, const struct conf_node *const *seen)
{
	const struct conf_table *t = f->table;
	struct conf_place at = f->node ? f->node->words[0].at : (struct conf_place){0};

	for (size_t i = 0; i < t->nwords; i++) {
		if (t->words[i].required && !seen[i]) {
			(void)conf_complain(f->report, at, ERR_CONF_MISSING,
				"%.*s needs \"%s\"", SPAN_ARG(block_name(f)),
				t->words[i].name);
		}
	}
}

static void
read_words(const struct fill *f, const struct conf_node *first)
{
	const struct conf_table *t = f->table;
	const struct conf_node *seen[ROWS_MAX] = {NULL};

	must(t->nwords <= ROWS_MAX);
	for (const struct conf_node *n = first; n; n = n->next) {
		const struct conf_word *w = &n->words[0];
		size_t i = find_row(t, w->text);
		if (i == t->nwords) {
			unknown_word(f, w);
			continue;
		}
		if (seen[i] && !is_repeatable(&t->words[i])) {
			(void)conf_complain(f->report, w->at, ERR_CONF_TWICE,
				"%.*s is said twice; first in line %u of %s",
				SPAN_ARG(w->text), seen[i]->words[0].at.line,
				seen[i]->words[0].at.file->path);
			continue;
		}
		if (!seen[i])
			clear_list(f, &t->words[i]);
		seen[i] = n;
		read_statement(f, &t->words[i], n);
	}
	ask_missing(f, seen);
}

static void
fill_struct(struct fill f)
{
	set_presets(f);
	read_args(&f);
	if (f.node->has_block && (f.table->no_braces || f.table->nwords == 0)) {
		(void)conf_complain(f.report, f.node->words[0].at, ERR_CONF_SYNTAX,
			"%.*s takes no block", SPAN_ARG(block_name(&f)));
	} else {
		read_words(&f, f.node->first);
	}
}

bool
conf_fill(struct conf_tree *t, const struct conf_table *top, void *out,
	struct conf_report *report)
{
	struct fill f = {t, report, top, NULL, out};
	size_t before = report->errors;

	memset(out, 0, top->size);
	set_presets(f);
	read_words(&f, t->first);
	return report->errors == before;
}

struct conf_place
conf_place_of(const struct conf_tree *t, const struct conf_node *node, const char *word)
{
	const struct conf_node *n = node ? node->first : t->first;

	while (n && !span_eq(n->words[0].text, span_str(word)))
		n = n->next;
	if (!n)
		return node ? node->words[0].at : (struct conf_place){0};
	return n->n > 1 ? n->words[1].at : n->words[0].at;
}

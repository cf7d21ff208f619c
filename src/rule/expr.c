// SPDX-License-Identifier: Apache-2.0
#include "rule/expr.h"

#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "base/text.h"
#include "rule/parse_priv.h"

enum { ARENA_LIMIT = 256 << 20, USES_MAX = 256 };

static void walk_path(struct path *p, struct walk *w);

static void
walk_children(struct node *n, struct walk *w)
{
	for (struct node *c = n->first; c != NULL; c = c->next)
		tree_walk(c, w);
}

void
tree_walk(struct node *n, struct walk *w)
{
	if (w->visit != NULL)
		w->visit(w, n);
	switch (n->kind) {
	case NODE_ANY:
	case NODE_ALL:
	case NODE_NOT:
	case NODE_NAMED:
	case NODE_AND:
	case NODE_XOR:
	case NODE_OR:
		walk_children(n, w);
		return;
	case NODE_TEST:
		walk_path(&n->test->path, w);
		return;
	case NODE_PATH:
		walk_path(n->path, w);
		return;
	case NODE_CONST:
	case NODE_LITERAL:
		return;
	}
}

static void
walk_path(struct path *p, struct walk *w)
{
	if (w->visit_path != NULL)
		w->visit_path(w, p);
	for (struct node *arg = p->args; arg != NULL; arg = arg->next)
		tree_walk(arg, w);
}

struct gather {
	struct walk walk;
	struct rule_expr *e;
};

static void
gather_field(struct walk *w, struct path *p)
{
	struct rule_expr *e = CONTAINER_OF(w, struct gather, walk)->e;
	if (p->field == NULL)
		return;
	for (size_t i = 0; i < e->n_fields; i++) {
		if (e->fields[i] == p->field)
			return;
	}
	if (e->n_fields == USES_MAX)
		return; /* the phase below does not depend on the table */
	e->fields[e->n_fields++] = p->field;
}

static void
gather_phase(struct walk *w, struct path *p)
{
	struct rule_expr *e = CONTAINER_OF(w, struct gather, walk)->e;
	gather_field(w, p);
	if (p->field == NULL)
		return;
	if (p->field->phase > e->phase)
		e->phase = p->field->phase;
	e->again |= p->field->again;
}

static void
gather_list(struct walk *w, struct node *n)
{
	struct rule_expr *e = CONTAINER_OF(w, struct gather, walk)->e;
	if (n->kind != NODE_TEST || n->test->list == NULL || e->n_lists == USES_MAX)
		return;
	for (size_t i = 0; i < e->n_lists; i++) {
		if (e->lists[i] == n->test->list)
			return;
	}
	e->lists[e->n_lists++] = n->test->list;
}

static void
gather_uses(struct rule_expr *e)
{
	struct gather g = {{gather_list, gather_phase}, e};
	const struct field *fields[USES_MAX] = {NULL};
	const struct rule_list *lists[USES_MAX] = {NULL};

	e->phase = PHASE_ACCEPT;
	e->fields = fields;
	e->lists = lists;
	tree_walk(e->root, &g.walk);
	/* Kept only as long as they are. */
	e->fields = arena_alloc(&e->arena, e->n_fields * sizeof(struct field *) + 1);
	e->lists = arena_alloc(&e->arena, e->n_lists * sizeof(struct rule_list *) + 1);
	memcpy(e->fields, fields, e->n_fields * sizeof(struct field *));
	memcpy(e->lists, lists, e->n_lists * sizeof(struct rule_list *));
}

static size_t
count_characters(struct span s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		n += (s.p[i] & 0xc0) != 0x80;
	return n;
}

static bool
check_length(struct parser *p, struct rule_options options)
{
	if (p->lex.text.n > ARENA_LIMIT / 64)
		return lex_fail(&p->lex, 0, 0, "the expression is far too long");
	if (options.any_length || count_characters(p->lex.text) <= RULE_TEXT_MAX)
		return true;
	lex_fail(&p->lex, 0, 0, "the expression has more than %d characters",
		RULE_TEXT_MAX);
	return lex_hint(&p->lex, "move long sets into a list");
}

static bool
parse_whole(struct parser *p, struct node **root)
{
	return p->is_value ? parse_value(p, root) : parse_condition(p, root);
}

static bool
compile(const struct scheme *s, struct span text, struct rule_options options,
	struct rule_expr *e, struct parser *p)
{
	arena_init(&e->arena, ARENA_LIMIT);
	struct rule_error *warnings =
		arena_alloc(&e->arena, RULE_WARNINGS_MAX * sizeof(*warnings));
	e->scheme = s;
	e->dialect = options.dialect;
	p->scheme = s;
	p->expr = e;
	p->dialect = options.dialect;
	p->wide_lists = options.wide_lists || options.dialect == RULE_GATEWAY;
	p->lets = options.lets;
	p->lex.arena = &e->arena;
	p->lex.warnings = warnings;
	p->lex.text = text;
	if (!check_length(p, options))
		return false;
	e->text = arena_copy(&e->arena, text);
	lex_init(&p->lex, e->text);
	if (!parse_whole(p, &e->root))
		return false;
	e->n_warnings = p->lex.n_warnings;
	e->warnings = warnings;
	gather_uses(e);
	return true;
}

static bool
compile_kind(struct parser *p, struct span text, struct rule_options options,
	struct rule_expr **out)
{
	struct rule_expr *e = mem_alloc(sizeof(*e));
	const struct scheme *s = p->scheme;
	*p->lex.error = (struct rule_error){0};
	if (!compile(s, text, options, e, p)) {
		rule_free(e);
		return false;
	}
	*out = e;
	return true;
}

bool
rule_compile(const struct scheme *s, struct span text, struct rule_options options,
	struct rule_expr **out, struct rule_error *error)
{
	struct parser p = {.scheme = s, .lex.error = error};
	return compile_kind(&p, text, options, out);
}

bool
rule_compile_value(const struct scheme *s, struct span text,
	struct rule_options options, struct rule_expr **out, struct rule_error *error)
{
	struct parser p = {.scheme = s, .lex.error = error, .is_value = true};
	return compile_kind(&p, text, options, out);
}

void
rule_free(struct rule_expr *e)
{
	if (e == NULL)
		return;
	for (struct test *t = e->tests; t != NULL; t = t->previous) {
		int_set_fini(&t->ints);
		ip_set_fini(&t->ips);
		string_set_fini(&t->strings);
	}
	arena_fini(&e->arena);
	mem_free(e);
}

enum type
rule_type(const struct rule_expr *e)
{
	return e->root->type;
}

enum phase
rule_phase(const struct rule_expr *e)
{
	return e->phase;
}

unsigned
rule_again(const struct rule_expr *e)
{
	return e->again;
}

const struct field *
rule_field(const struct rule_expr *e, size_t i)
{
	return i < e->n_fields ? e->fields[i] : NULL;
}

struct span
rule_list(const struct rule_expr *e, size_t i)
{
	return i < e->n_lists ? list_name(e->lists[i]) : (struct span){0};
}

const struct rule_error *
rule_warning(const struct rule_expr *e, size_t i)
{
	return i < e->n_warnings ? &e->warnings[i] : NULL;
}

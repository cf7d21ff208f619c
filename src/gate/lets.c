// SPDX-License-Identifier: Apache-2.0
#include "gate/lets.h"

#include "gate/compile.h"

static bool
complain(struct conf_report *report, const struct conf_place at,
	const struct rule_error *error)
{
	(void)conf_complain(report, at, ERR_POLICY_RULE, "%s", error->message);
	if (error->hint[0])
		conf_hint(report, "%s", error->hint);
	return false;
}

static bool
check_name(const struct settings *s, const struct rule_let *known,
	const struct conf_word *word, struct conf_report *report)
{
	struct rule_error error;
	if (!rule_let_name(&s->scheme, word->text, &error))
		return complain(report, word->at, &error);
	for (; known != NULL; known = known->next) {
		if (span_eq(known->name, word->text)) {
			return conf_complain(report, word->at, ERR_POLICY_RULE,
				"there is a condition of this name already");
		}
	}
	return true;
}

/* {let, NAME, =} and the expression, as the tree gives it. */
static bool
compile_let(struct settings *s, const struct conf_node *node,
	const struct lets_scope *scope, const struct rule_let **known,
	struct conf_report *report)
{
	struct rule_error error = {0};
	struct rule_expr *e = NULL;
	if (node->n != 3 || node->expr.text.p == NULL) {
		return conf_complain(report, node->words[0].at, ERR_POLICY_RULE,
			"a condition gets its name so: let NAME = EXPRESSION");
	}
	if (!check_name(s, *known, &node->words[1], report))
		return false;
	const struct rule_options options = {
		.dialect = scope->dialect, .wide_lists = true, .lets = *known};
	if (!rule_compile(&s->scheme, node->expr.text, options, &e, &error)) {
		return complain(report,
			conf_place_within(
				node->expr.at, error.line, error.col, error.width),
			&error);
	}
	compile_warn(node, e, report);
	rule_free(e);
	struct rule_let *let = arena_alloc(&s->tree.arena, sizeof(*let));
	*let = (struct rule_let){.next = *known,
		.outer = *known,
		.name = node->words[1].text,
		.text = node->expr.text};
	*known = let;
	return true;
}

bool
lets_compile(struct settings *s, const struct lets_scope *scope,
	const struct rule_let **out, struct conf_report *report)
{
	bool ok = true;
	*out = scope->outer;
	for (size_t i = 0; i < scope->nodes->n; i++)
		ok = compile_let(s, scope->nodes->p[i], scope, out, report) && ok;
	return ok;
}

static const struct rule_let *
join(struct settings *s, const struct rule_let *all, const struct rule_let *more)
{
	for (; more != NULL && more != s->lets; more = more->next) {
		struct rule_let *copy = arena_alloc(&s->tree.arena, sizeof(*copy));
		*copy = *more;
		copy->next = all;
		all = copy;
	}
	return all;
}

const struct rule_let *
lets_all(struct settings *s)
{
	const struct rule_let *all = s->lets;
	for (struct conf_item *i = s->gateways; i != NULL; i = i->next)
		all = join(s, all, CONTAINER_OF(i, struct gateway, item)->lets);
	for (struct conf_item *i = s->edges; i != NULL; i = i->next)
		all = join(s, all, CONTAINER_OF(i, struct gateway, item)->lets);
	return all;
}

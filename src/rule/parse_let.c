// SPDX-License-Identifier: Apache-2.0
/*
 * parse_let: conditions that have a name, read in place of it.
 *
 * The text of a condition is parsed again wherever its name stands, under the names
 * that were known when it was written; so there are no cycles. Names that use names
 * twice over could double the tree at each step, so what is read that way is bounded.
 */
#include "base/text.h"
#include "rule/parse_priv.h"

enum { NAMED_OCTETS_MAX = 256 << 10 };

const struct rule_let *
parse_sees_let(const struct parser *p)
{
	if (p->lets == NULL)
		return NULL;
	struct span name = parse_peek_name(p);
	for (const struct rule_let *l = p->lets; l != NULL; l = l->next) {
		if (span_eq(l->name, name))
			return l;
	}
	return NULL;
}

static bool
parse_text(struct parser *inner, const struct rule_let *let, struct rule_error *error,
	struct node **out)
{
	struct rule_error warnings[RULE_WARNINGS_MAX]; /* told where it is defined */
	inner->lex.error = error;
	inner->lex.warnings = warnings;
	inner->lex.n_warnings = 0;
	inner->lets = let->outer;
	inner->in_quantifier = false;
	lex_init(&inner->lex, arena_copy(inner->lex.arena, let->text));
	return parse_condition(inner, out);
}

bool
parse_let(struct parser *p, const struct rule_let *let, struct node **out)
{
	size_t from = p->lex.at;
	struct span name = {0};
	struct rule_error error = {0};
	if (!lex_name(&p->lex, &name))
		return false;
	struct node *named = parse_node(p, NODE_NAMED, TYPE_BOOL, from);
	p->named_octets += let->text.n;
	if (p->named_octets > NAMED_OCTETS_MAX) {
		return lex_fail(&p->lex, from, p->lex.at,
			"named conditions come to more than %d octets here",
			NAMED_OCTETS_MAX);
	}
	if (!parse_sink(p, from))
		return false;
	struct parser inner = *p;
	inner.pin = named;
	if (!parse_text(&inner, let, &error, &named->first)) {
		return lex_fail(&p->lex, from, p->lex.at, "in this condition: %s",
			error.message);
	}
	parse_rise(p);
	p->named_octets = inner.named_octets;
	named->name = arena_copy(p->lex.arena, let->name);
	*out = named;
	return true;
}

static bool
refuse(struct rule_error *error, const char *why)
{
	*error = (struct rule_error){.line = 1, .col = 1, .width = 1};
	text_format(error->message, sizeof(error->message), "%s", why);
	return false;
}

bool
rule_let_name(const struct scheme *s, struct span name, struct rule_error *error)
{
	static const char *const words[] = {"any", "all", "not", "and", "or", "xor",
		"true", "false", "in", "eq", "ne", "lt", "le", "gt", "ge"};
	struct rule_error unused = {0};
	struct lexer l = {.error = &unused};
	struct span whole;
	lex_init(&l, name);
	if (!lex_name(&l, &whole) || whole.n != name.n) {
		return refuse(error,
			"the name of a condition has letters, digits, _ and dots");
	}
	if (scheme_field(s, name) != NULL)
		return refuse(error, "there is a field of this name");
	if (function_find(name) != NULL)
		return refuse(error, "there is a function of this name");
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (span_eq(name, span_str(words[i])))
			return refuse(error, "this is a word of the language");
	}
	return true;
}

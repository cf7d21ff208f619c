// SPDX-License-Identifier: Apache-2.0
#include "rule/parse_priv.h"

#include "base/must.h"
#include "base/text.h"

struct node *
parse_node(struct parser *p, enum node_kind kind, enum type type, size_t from)
{
	struct node *n = arena_alloc(p->lex.arena, sizeof(*n));
	n->kind = kind;
	n->type = type;
	n->from = p->pin != NULL ? p->pin->from : from;
	n->to = p->pin != NULL ? p->pin->to : p->lex.at;
	n->named = p->pin != NULL;
	return n;
}

bool
parse_sink(struct parser *p, size_t from)
{
	if (p->depth >= RULE_DEPTH_MAX) {
		return lex_fail(&p->lex, from, p->lex.end,
			"nested too deep: at most %d levels", RULE_DEPTH_MAX);
	}
	p->depth++;
	return true;
}

void
parse_rise(struct parser *p)
{
	p->depth--;
}

static bool
is_word_octet(uint8_t c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '_';
}

struct span
parse_peek_name(const struct parser *p)
{
	struct span left = lex_left(&p->lex);
	size_t n = 0;
	while (n < left.n && (is_word_octet(left.p[n]) || left.p[n] == '.'))
		n++;
	return span_first(left, n);
}

bool
parse_sees_field(const struct parser *p)
{
	return scheme_field(p->scheme, parse_peek_name(p)) != NULL ||
		parse_sees_let(p) != NULL;
}

static bool
sees_constant(const struct parser *p)
{
	struct span name = parse_peek_name(p);
	return span_eq(name, SPAN("true")) || span_eq(name, SPAN("false"));
}

bool
parse_sees_quantifier(const struct parser *p)
{
	struct span name = parse_peek_name(p);
	return span_eq(name, SPAN("any")) || span_eq(name, SPAN("all"));
}

/* A word operator that runs into the next word: legal, seldom meant. */
static void
warn_if_glued(struct parser *p, size_t from)
{
	struct span left = lex_left(&p->lex);
	bool is_word = ascii_is_alpha(p->lex.text.p[from]);
	if (is_word && left.n > 0 && is_word_octet(left.p[0])) {
		lex_warn(&p->lex, from, p->lex.at, "there is no blank behind \"%.*s\"",
			SPAN_ARG(span_slice(p->lex.text, from, p->lex.at)));
	}
	if (is_word && from > 0 && is_word_octet(p->lex.text.p[from - 1])) {
		lex_warn(&p->lex, from, p->lex.at, "there is no blank before \"%.*s\"",
			SPAN_ARG(span_slice(p->lex.text, from, p->lex.at)));
	}
}

static bool parse_simple(struct parser *p, struct node **out);

static bool
parse_parenthesis(struct parser *p, struct node **out)
{
	size_t from = p->lex.at;
	if (!lex_expect(&p->lex, "(") || !parse_sink(p, from))
		return false;
	lex_blanks(&p->lex);
	if (!parse_logical(p, out))
		return false;
	lex_blanks(&p->lex);
	parse_rise(p);
	if (!lex_expect(&p->lex, ")"))
		return false;
	if (p->pin == NULL) {
		(*out)->from = from; /* errors and carets cover the parentheses too */
		(*out)->to = p->lex.at;
	}
	return true;
}

/* Behind the operator. */
static bool
parse_negation(struct parser *p, size_t from, struct node **out)
{
	struct node *inner = NULL;
	if (!parse_sink(p, from))
		return false;
	warn_if_glued(p, from);
	lex_blanks(&p->lex);
	if (!parse_simple(p, &inner))
		return false;
	parse_rise(p);
	*out = parse_node(p, NODE_NOT, inner->type, from);
	(*out)->first = inner;
	return true;
}

static bool
fail_type(struct parser *p, size_t from, size_t to, enum type wanted, enum type got)
{
	char wanted_name[64];
	char got_name[64];
	struct text w = text_to(wanted_name, sizeof(wanted_name));
	struct text g = text_to(got_name, sizeof(got_name));
	type_put(&w, wanted);
	type_put(&g, got);
	return lex_fail(
		&p->lex, from, to, "expected %s, found %s", wanted_name, got_name);
}

static bool
check_quantified(struct parser *p, const struct node *arg)
{
	if (arg->kind != NODE_LITERAL && arg->type == TYPE_BOOLS)
		return true;
	fail_type(p, arg->from, arg->to, TYPE_BOOLS, arg->type);
	return lex_hint(&p->lex, "compare every element: any(field[*] == ...)");
}

/* What is behind the one argument of any and all, when it is no ")". */
static bool
fail_second(struct parser *p)
{
	struct node *second = NULL;
	if (!lex_take(&p->lex, ",")) {
		lex_fail(&p->lex, p->lex.at, p->lex.end, "expected \")\"");
		return lex_hint(&p->lex,
			"several conditions inside take their own "
			"parentheses: any((a or b))");
	}
	lex_blanks(&p->lex);
	size_t from = p->lex.at;
	if (!parse_argument(p, &second))
		return false;
	return lex_fail(&p->lex, from, p->lex.end, "any and all take 1 argument");
}

static bool
parse_quantifier(struct parser *p, struct node **out)
{
	size_t from = p->lex.at;
	enum node_kind kind = lex_take(&p->lex, "any") ? NODE_ANY : NODE_ALL;
	struct node *arg = NULL;

	if (kind == NODE_ALL && !lex_expect(&p->lex, "all"))
		return false;
	lex_blanks(&p->lex);
	if (!parse_sink(p, p->lex.at) || !lex_expect(&p->lex, "("))
		return false;
	lex_blanks(&p->lex);
	bool outer = p->in_quantifier;
	p->in_quantifier = true;
	bool ok = parse_argument(p, &arg);
	p->in_quantifier = outer;
	if (!ok || !check_quantified(p, arg))
		return false;
	lex_blanks(&p->lex);
	if (!lex_take(&p->lex, ")"))
		return fail_second(p);
	parse_rise(p);
	*out = parse_node(p, kind, TYPE_BOOL, from);
	(*out)->first = arg;
	return true;
}

static bool
parse_constant(struct parser *p, struct node **out)
{
	size_t from = p->lex.at;
	struct span name;
	if (!lex_name(&p->lex, &name))
		return false;
	*out = parse_node(p, NODE_CONST, TYPE_BOOL, from);
	(*out)->truth = span_eq(name, SPAN("true"));
	return true;
}

/* The longest name first: a field `notice` is not `not ice`. */
static bool
parse_simple(struct parser *p, struct node **out)
{
	size_t from = p->lex.at;
	struct path path = {0};

	if (span_starts(lex_left(&p->lex), SPAN("(")))
		return parse_parenthesis(p, out);
	const struct rule_let *let = parse_sees_let(p);
	if (let != NULL)
		return parse_let(p, let, out);
	if (!parse_sees_field(p)) {
		if (sees_constant(p))
			return parse_constant(p, out);
		if (lex_take(&p->lex, "not") || lex_take(&p->lex, "!"))
			return parse_negation(p, from, out);
		if (parse_sees_quantifier(p))
			return parse_quantifier(p, out);
	}
	return parse_path(p, &path) && parse_test(p, &path, from, out);
}

/* Operators by strength; NODE_CONST stands for none. */
static const struct {
	const char *text;
	enum node_kind kind;
} logical_ops[] = {
	{"or", NODE_OR},
	{"||", NODE_OR},
	{"xor", NODE_XOR},
	{"^^", NODE_XOR},
	{"and", NODE_AND},
	{"&&", NODE_AND},
};

static unsigned
strength(enum node_kind op)
{
	return op == NODE_AND ? 3 : op == NODE_XOR ? 2 : op == NODE_OR ? 1 : 0;
}

/* Takes an operator with the blanks around it, or nothing at all. */
static enum node_kind
take_operator(struct parser *p)
{
	size_t before = p->lex.at;
	lex_blanks(&p->lex);
	for (size_t i = 0; i < COUNT_OF(logical_ops); i++) {
		size_t from = p->lex.at;
		if (!lex_take(&p->lex, logical_ops[i].text))
			continue;
		warn_if_glued(p, from);
		lex_blanks(&p->lex);
		return logical_ops[i].kind;
	}
	p->lex.at = before;
	return NODE_CONST;
}

static bool
check_operands(struct parser *p, const struct node *left, const struct node *right)
{
	must(left != NULL && right != NULL); /* both have been parsed */
	if (left->type == TYPE_BOOL && right->type == TYPE_BOOL)
		return true;
	if (type_is_array(left->type) && type_is_array(right->type))
		return true;
	fail_type(p, p->lex.at, p->lex.end, left->type, right->type);
	return lex_hint(&p->lex, "wrap the array in any(...) or all(...)");
}

/* A chain of one operator is one flat node. */
static struct node *
combine(struct parser *p, enum node_kind op, struct node *left, struct node *right)
{
	if (left->kind == op) {
		struct node *last = left->first;
		while (last->next != NULL)
			last = last->next;
		last->next = right;
		left->to = right->to;
		return left;
	}
	struct node *n = parse_node(p, op, left->type, left->from);
	n->to = right->to;
	n->first = left;
	left->next = right;
	return n;
}

/*
 * Precedence climbing, op having been taken already. Operators weaker than `least` are
 * left to the caller. The depth of this recursion is the number of strengths.
 */
static bool
parse_chain(struct parser *p, struct node *left, enum node_kind op, unsigned least,
	struct node **out)
{
	while (op != NODE_CONST) {
		struct node *right = NULL;
		size_t right_end = 0;
		enum node_kind ahead = NODE_CONST;

		if (!parse_simple(p, &right))
			return false;
		for (;;) {
			right_end = p->lex.at;
			ahead = take_operator(p);
			if (strength(ahead) <= strength(op))
				break;
			if (!parse_chain(p, right, ahead, strength(ahead), &right))
				return false;
		}
		if (!check_operands(p, left, right))
			return false;
		left = combine(p, op, left, right);
		if (strength(ahead) < least) {
			p->lex.at = right_end;
			ahead = NODE_CONST;
		}
		op = ahead;
	}
	*out = left;
	return true;
}

bool
parse_logical(struct parser *p, struct node **out)
{
	struct node *left = NULL;
	if (!parse_simple(p, &left))
		return false;
	return parse_chain(p, left, take_operator(p), 0, out);
}

/* What stands behind a complete expression, in words. */
static bool
fail_rest(struct parser *p)
{
	lex_fail(&p->lex, p->lex.at, p->lex.end, "the expression ends before this");
	struct lexer ahead = p->lex;
	lex_blanks(&ahead);
	struct span rest = lex_left(&ahead);
	if (span_starts(rest, SPAN("==")) || span_starts(rest, SPAN("eq"))) {
		return lex_hint(&p->lex,
			"a Bool stands alone: write \"ssl\", not \"ssl == "
			"true\"");
	}
	if (span_starts(rest, SPAN("#")))
		return lex_hint(&p->lex, "comments stand outside expressions");
	if (span_starts(rest, SPAN("..")))
		return lex_hint(&p->lex, "a range stands in braces: in {80..443}");
	if (span_starts(rest, SPAN("AND")) || span_starts(rest, SPAN("OR")))
		return lex_hint(&p->lex, "operators are written in small letters");
	if (span_starts(rest, SPAN("-")))
		return lex_hint(&p->lex, "only names of Gateway lists have hyphens");
	if (span_starts(rest, SPAN(")")))
		return lex_hint(&p->lex, "there is no \"(\" for it");
	if (rest.n > 0 && (ascii_is_alpha(rest.p[0]) || rest.p[0] == '('))
		return lex_hint(&p->lex, "join conditions with and, or, xor");
	return false;
}

bool
parse_condition(struct parser *p, struct node **out)
{
	struct node *root = NULL;
	if (!parse_logical(p, &root))
		return false;
	must(root != NULL); /* what parses has a tree */
	*out = root;
	if (root->type != TYPE_BOOL) {
		fail_type(p, p->lex.at, p->lex.at, TYPE_BOOL, root->type);
		return lex_hint(&p->lex, "wrap it in any(...) or all(...)");
	}
	return p->lex.at == p->lex.end || fail_rest(p);
}

bool
parse_value(struct parser *p, struct node **out)
{
	size_t from = p->lex.at;
	struct path path = {0};
	if (!parse_path(p, &path))
		return false;
	if (path.stars > 0) {
		return lex_fail(&p->lex, from, p->lex.end,
			"a value expression has one value: [*] gives many");
	}
	if (p->lex.at != p->lex.end)
		return fail_rest(p);
	*out = parse_node(p, NODE_PATH, path.element, from);
	(*out)->path = arena_alloc(p->lex.arena, sizeof(path));
	*(*out)->path = path;
	return true;
}

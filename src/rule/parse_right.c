// SPDX-License-Identifier: Apache-2.0
/*
 * parse_right: operators of comparison and what stands right of them.
 */
#include <string.h>

#include "base/text.h"
#include "rule/parse_priv.h"
#include "rule/regex_priv.h"
#include "rule/scratch_priv.h"
#include "rule/wildcard_priv.h"

/* In the order in which they are tried: a longer one before its own beginning. */
static const struct {
	const char *text;
	enum test_op op;
} operators[] = {
	{"in", TEST_IN_SET},
	{"eq", TEST_EQ},
	{"==", TEST_EQ},
	{"ne", TEST_NE},
	{"!=", TEST_NE},
	{"ge", TEST_GE},
	{">=", TEST_GE},
	{"le", TEST_LE},
	{"<=", TEST_LE},
	{"gt", TEST_GT},
	{">", TEST_GT},
	{"lt", TEST_LT},
	{"<", TEST_LT},
	{"&", TEST_BITS},
	{"bitwise_and", TEST_BITS},
	{"contains", TEST_CONTAINS},
	{"~", TEST_MATCHES},
	{"matches", TEST_MATCHES},
	{"wildcard", TEST_WILDCARD},
	{"strict wildcard", TEST_STRICT_WILDCARD},
};

const char *
tree_op_name(enum test_op op)
{
	static const char *const names[] = {
		[TEST_TRUE] = "",
		[TEST_EQ] = "==",
		[TEST_NE] = "!=",
		[TEST_GE] = ">=",
		[TEST_LE] = "<=",
		[TEST_GT] = ">",
		[TEST_LT] = "<",
		[TEST_BITS] = "&",
		[TEST_CONTAINS] = "contains",
		[TEST_MATCHES] = "matches",
		[TEST_WILDCARD] = "wildcard",
		[TEST_STRICT_WILDCARD] = "strict wildcard",
		[TEST_IN_SET] = "in",
		[TEST_IN_LIST] = "in",
	};
	return names[op];
}

static bool
take_comparison(struct lexer *l, enum test_op *op)
{
	for (size_t i = 0; i < COUNT_OF(operators); i++) {
		if (lex_take(l, operators[i].text)) {
			*op = operators[i].op;
			return true;
		}
	}
	return false;
}

bool
parse_sees_operator(const struct parser *p)
{
	struct lexer ahead = p->lex;
	enum test_op op;
	lex_blanks(&ahead);
	return take_comparison(&ahead, &op);
}

static const struct {
	const char *seen;
	const char *hint;
} operator_slips[] = {
	{"=", "write == or eq"},
	{"not in", "write: not field in {...}"},
	{"!in", "write: not field in {...}"},
	{"strict", "exactly one blank stands between \"strict\" and \"wildcard\""},
	{"[", "no blank stands before ["},
	{"starts_with", "it is a function: starts_with(field, \"...\")"},
	{"ends_with", "it is a function: ends_with(field, \"...\")"},
	{"like", "use wildcard or matches"},
	{"is", "write == or eq"},
};

static bool
fail_operator(struct parser *p, enum type type)
{
	char name[64];
	struct text t = text_to(name, sizeof(name));
	type_put(&t, type);
	lex_fail(&p->lex, p->lex.at, p->lex.end,
		"expected an operator such as == or in after a value of type %s", name);

	struct span rest = lex_left(&p->lex);
	for (size_t i = 0; i < COUNT_OF(operator_slips); i++) {
		if (span_starts(rest, span_str(operator_slips[i].seen)))
			return lex_hint(&p->lex, "%s", operator_slips[i].hint);
	}
	for (size_t i = 0; i < COUNT_OF(operators); i++) {
		struct span word = span_str(operators[i].text);
		if (span_eq_nocase(span_first(rest, word.n), word)) {
			return lex_hint(&p->lex,
				"operators are written in small letters: %s",
				operators[i].text);
		}
	}
	return false;
}

static bool
op_fits(enum type t, enum test_op op)
{
	if (op <= TEST_LT || op == TEST_IN_SET)
		return t == TYPE_STRING || t == TYPE_INT || t == TYPE_IP;
	if (op == TEST_BITS)
		return t == TYPE_INT;
	return t == TYPE_STRING;
}

static bool
fail_unfit(struct parser *p, size_t from, enum type t)
{
	char name[64];
	struct text text = text_to(name, sizeof(name));
	type_put(&text, t);
	lex_fail(&p->lex, from, p->lex.at, "this operator does not work on %s", name);
	if (type_is_array(t))
		return lex_hint(&p->lex, "compare every element: any(field[*] == ...)");
	if (type_is_map(t))
		return lex_hint(&p->lex, "name a member: field[\"key\"]");
	if (t == TYPE_STRING && span_starts(lex_left(&p->lex), SPAN("&")))
		return lex_hint(&p->lex, "the comparison before && is not complete");
	return false;
}

/* Gateway: a status is compared with 404 and with "404" in published rules. */
static bool
read_int(struct parser *p, int64_t *out)
{
	struct span quoted;
	size_t from = p->lex.at;
	if (p->dialect != RULE_GATEWAY || !span_starts(lex_left(&p->lex), SPAN("\"")))
		return lex_int(&p->lex, out);
	if (!lex_string(&p->lex, &quoted))
		return false;
	return text_i64(quoted, out) ||
		lex_fail(&p->lex, from, p->lex.at, "not a number");
}

static bool
read_literal(struct parser *p, enum type t, struct value *out)
{
	struct span s;
	struct ip ip;
	int64_t i;
	if (t == TYPE_INT) {
		if (!read_int(p, &i))
			return false;
		*out = value_int(i);
		return true;
	}
	if (t == TYPE_IP) {
		if (!lex_ip(&p->lex, &ip))
			return false;
		*out = value_ip(ip);
		return true;
	}
	if (!lex_string(&p->lex, &s))
		return false;
	*out = value_string(s);
	return true;
}

static bool
read_int_item(struct parser *p, bool glued, struct set_item *item)
{
	if (span_starts(lex_left(&p->lex), SPAN("\""))) {
		bool ok = read_int(p, &item->from);
		item->to = item->from;
		return ok;
	}
	if (glued && span_starts(lex_left(&p->lex), SPAN("-"))) {
		lex_fail(&p->lex, p->lex.at, p->lex.end,
			"a number below zero glued to another one");
		return lex_hint(&p->lex, "a range is written 80..443");
	}
	return lex_int_range(&p->lex, &item->from, &item->to);
}

static bool
read_item(struct parser *p, enum type t, bool glued, struct set_item *item)
{
	if (t == TYPE_INT)
		return read_int_item(p, glued, item);
	if (t == TYPE_IP)
		return lex_ip_range(&p->lex, &item->ip_from, &item->ip_to);
	return lex_string(&p->lex, &item->s);
}

static void
keep_item(struct test *test, enum type t, const struct set_item *item)
{
	if (t == TYPE_INT) {
		int_set_add(&test->ints, item->from, item->to);
	} else if (t == TYPE_IP) {
		ip_set_add(&test->ips, &item->ip_from, &item->ip_to);
	} else if (!string_set_add(&test->strings, item->s, SET_EXACT)) {
		return; /* longer than any value can be: never equal */
	}
}

static void
add_item(struct parser *p, struct test *test, size_t *cap, const struct set_item *item)
{
	if (test->n_items == *cap) {
		size_t more = *cap == 0 ? 8 : *cap * 2;
		struct set_item *items =
			arena_alloc(p->lex.arena, more * sizeof(*items));
		if (test->n_items > 0)
			memcpy(items, test->items, test->n_items * sizeof(*items));
		test->items = items;
		*cap = more;
	}
	test->items[test->n_items++] = *item;
}

/* An open quote or brace at the end of items gets the hint it needs most. */
static bool
hint_item(struct parser *p)
{
	if (p->lex.error->hint[0] != '\0')
		return false;
	struct span rest = lex_left(&p->lex);
	if (span_starts(rest, SPAN(","))) {
		return lex_hint(
			&p->lex, "items of a set are separated by blanks, not commas");
	}
	return rest.n == 0 ? lex_hint(&p->lex, "the set has no closing }") : false;
}

static bool
read_set(struct parser *p, enum type t, struct test *test)
{
	size_t cap = 0;
	if (!lex_expect(&p->lex, "{"))
		return lex_hint(&p->lex, "\"in\" takes a set {...} or a $list");
	for (;;) {
		size_t before = p->lex.at;
		lex_blanks(&p->lex);
		if (lex_take(&p->lex, "}"))
			break;
		struct set_item item = {0};
		bool glued = before == p->lex.at && test->n_items > 0;
		if (!read_item(p, t, glued, &item))
			return hint_item(p);
		add_item(p, test, &cap, &item);
		keep_item(test, t, &item);
	}
	int_set_seal(&test->ints);
	ip_set_seal(&test->ips);
	return true;
}

static bool
read_list(struct parser *p, enum type t, struct test *test)
{
	size_t from = p->lex.at;
	struct span name;
	if (!lex_list_name(&p->lex, p->wide_lists, &name))
		return false;
	/* Capitals and hyphens behind it are the rest of a Gateway name. */
	struct span left = lex_left(&p->lex);
	if (left.n > 0 && (left.p[0] == '-' || ascii_is_alpha(left.p[0]))) {
		lex_fail(&p->lex, p->lex.at, p->lex.end, "not part of a list's name");
		return lex_hint(&p->lex, "only names of Gateway lists have hyphens");
	}
	const struct lists *lists = p->scheme->lists;
	test->op = TEST_IN_LIST;
	test->list_name = name;
	test->list = lists == NULL ? NULL : lists_find(lists, name);
	if (test->list == NULL) {
		const char *near = lists == NULL ? NULL : lists_nearest(lists, name);
		lex_fail(&p->lex, from, p->lex.at, "there is no list $%.*s",
			SPAN_ARG(name));
		return near == NULL ? false
				    : lex_hint(&p->lex, "did you mean $%s?", near);
	}
	enum type of = list_type(test->list);
	if (of == TYPE_NONE || of == t)
		return true;
	char name_of[32];
	struct text text = text_to(name_of, sizeof(name_of));
	type_put(&text, of);
	return lex_fail(
		&p->lex, from, p->lex.at, "the list holds items of type %s", name_of);
}

static bool
read_regex(struct parser *p, struct test *test)
{
	size_t from;
	size_t to;
	struct regex_fault fault;
	if (!lex_regex(&p->lex, &test->pattern, &from, &to))
		return false;
	test->regex = regex_get(p->scheme->scratch->patterns, test->pattern, &fault);
	if (test->regex == NULL) {
		lex_fail(&p->lex, from, to, "%s", fault.reason);
		return lex_hint(
			&p->lex, "in the pattern at character %zu", fault.at + 1);
	}
	if (span_find(test->pattern, SPAN("\\\\.")) < test->pattern.n) {
		lex_warn(&p->lex, from, to,
			"\\\\. is a backslash and any character; for a dot write \\.");
	}
	return true;
}

static bool
read_wildcard(struct parser *p, struct test *test)
{
	size_t from = p->lex.at;
	const char *why;
	struct wildcard *w;
	if (!lex_quoted_or_raw(&p->lex, &test->pattern))
		return false;
	if (!wildcard_parse(p->lex.arena, test->pattern,
		    test->op == TEST_STRICT_WILDCARD, &w, &why))
		return lex_fail(&p->lex, from, p->lex.end, "%s", why);
	test->wildcard = w;
	return true;
}

static bool
read_right(struct parser *p, enum type t, struct test *test)
{
	switch (test->op) {
	case TEST_EQ:
	case TEST_NE:
	case TEST_GE:
	case TEST_LE:
	case TEST_GT:
	case TEST_LT:
		return read_literal(p, t, &test->literal);
	case TEST_BITS:
		return read_literal(p, TYPE_INT, &test->literal);
	case TEST_CONTAINS:
		return read_literal(p, TYPE_STRING, &test->literal);
	case TEST_MATCHES:
		return read_regex(p, test);
	case TEST_WILDCARD:
	case TEST_STRICT_WILDCARD:
		return read_wildcard(p, test);
	case TEST_IN_SET:
		return lex_take(&p->lex, "$") ? read_list(p, t, test)
					      : read_set(p, t, test);
	case TEST_TRUE:
	case TEST_IN_LIST:
		break;
	}
	return false; /* these are no operators of the text */
}

/* A Bool or an array of them: the comparison is whole already. */
static bool
finish_truth(struct parser *p, struct test *test, enum type *type)
{
	enum type t = test->path.element;
	if (t != TYPE_BOOL && test->path.stars > 0) {
		lex_fail(&p->lex, p->lex.at, p->lex.at, "an array of arrays of Bool");
		return lex_hint(&p->lex, "leave the last [*] out");
	}
	test->op = TEST_TRUE;
	*type = t == TYPE_BOOL && test->path.stars > 0 ? TYPE_BOOLS : t;
	return true;
}

/* Gateway compares arrays bare: any element, or inside any() each. */
static void
spread_array(struct parser *p, struct test *test)
{
	struct path *path = &test->path;
	struct step *steps =
		arena_alloc(p->lex.arena, (path->n_steps + 1) * sizeof(*steps));
	if (path->n_steps > 0)
		memcpy(steps, path->steps, path->n_steps * sizeof(*steps));
	steps[path->n_steps++].kind = STEP_EACH;
	path->steps = steps;
	path->stars++;
	path->element = type_inner(path->element);
	test->any = !p->in_quantifier;
}

static bool
parse_comparison(struct parser *p, struct test *test, size_t from)
{
	lex_blanks(&p->lex);
	size_t op_from = p->lex.at;
	if (!take_comparison(&p->lex, &test->op))
		return fail_operator(p, test->path.element);
	if (p->dialect == RULE_GATEWAY && type_is_array(test->path.element) &&
		test->path.stars == 0) {
		lex_warn(&p->lex, from, op_from,
			"an array compared bare: write any(field[*] ...)");
		spread_array(p, test);
	}
	if (!op_fits(test->path.element, test->op))
		return fail_unfit(p, op_from, test->path.element);
	lex_blanks(&p->lex);
	return read_right(p, test->path.element, test);
}

bool
parse_test(struct parser *p, const struct path *path, size_t from, struct node **out)
{
	struct test *test = arena_alloc(p->lex.arena, sizeof(*test));
	enum type t = path->element;
	enum type type = TYPE_BOOL;

	test->path = *path;
	test->previous = p->expr->tests; /* whose sets are freed with the expression */
	p->expr->tests = test;
	if (t == TYPE_BOOL || type_inner(t) == TYPE_BOOL) {
		if (!finish_truth(p, test, &type))
			return false;
	} else {
		if (!parse_comparison(p, test, from))
			return false;
		type = test->path.stars > 0 && !test->any ? TYPE_BOOLS : TYPE_BOOL;
	}
	*out = parse_node(p, NODE_TEST, type, from);
	(*out)->test = test;
	return true;
}

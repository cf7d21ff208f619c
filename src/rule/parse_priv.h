// SPDX-License-Identifier: Apache-2.0
/*
 * parse: from words to a typed tree; the state that its three files share.
 *
 * parse.c has logic and quantifiers, parse_path.c fields, indexes and calls,
 * parse_right.c what stands right of an operator. Types are checked on the way, so an
 * error is found at the first place where the text stops making sense.
 */
#pragma once

#include "rule/func_priv.h"
#include "rule/lex_priv.h"
#include "rule/tree_priv.h"

struct parser {
	struct lexer lex;
	const struct scheme *scheme;
	struct rule_expr *expr; /* sets and trees go here */
	enum rule_dialect dialect;
	bool wide_lists;
	const struct rule_let *lets; /* conditions that can be used by name */
	size_t named_octets;         /* of their texts, read so far */
	const struct node *pin; /* within one: all nodes stand where its name stands */
	unsigned depth;
	bool is_value;      /* a value expression: functions that rewrite are allowed */
	bool in_quantifier; /* directly inside any() or all() */
	bool in_replace;    /* inside one of the two functions that replace */
	const struct function *once[2]; /* those of FUNCTION_ONCE already called */
};

MUST_USE bool parse_condition(struct parser *p, struct node **out);
MUST_USE bool parse_value(struct parser *p, struct node **out);

/* One level deeper; the error points from offset `from` on. parse_rise() undoes it. */
MUST_USE bool parse_sink(struct parser *p, size_t from);
void parse_rise(struct parser *p);

MUST_USE bool parse_logical(struct parser *p, struct node **out);
/* A field or call with its indexes. */
MUST_USE bool parse_path(struct parser *p, struct path *out);
/* What follows a path: an operator and its right side, or nothing for a Bool. */
MUST_USE bool parse_test(
	struct parser *p, const struct path *path, size_t from, struct node **out);
/* One argument of a call or quantifier. */
MUST_USE bool parse_argument(struct parser *p, struct node **out);
/* Whether an operator of comparison is next (after blanks); does not move. */
MUST_USE bool parse_sees_operator(const struct parser *p);
/* Whether the whole name of a known field or condition is next; does not move. */
MUST_USE bool parse_sees_field(const struct parser *p);
/* The condition whose whole name is next, or NULL; does not move. */
const struct rule_let *parse_sees_let(const struct parser *p);
/* The condition's tree, in place of its name, which is next. */
MUST_USE bool parse_let(
	struct parser *p, const struct rule_let *let, struct node **out);
/* A name as the lexer would read it, without moving and without an error. */
struct span parse_peek_name(const struct parser *p);
/* Whether the name any or all is next; does not move. */
MUST_USE bool parse_sees_quantifier(const struct parser *p);
struct node *parse_node(
	struct parser *p, enum node_kind kind, enum type type, size_t from);

// SPDX-License-Identifier: Apache-2.0
/*
 * tree: an expression after parsing: typed, resolved, ready to evaluate.
 *
 * Nodes lie in the expression's arena. Parentheses leave no node: the printer puts back
 * those that are needed. A path is a field or call with its indexes; a test compares a
 * path; the rest combines truths.
 */
#pragma once

#include "base/arena.h"
#include "rule/expr.h"
#include "rule/set.h"

struct function;
struct regex;
struct wildcard;

enum node_kind {
	NODE_CONST, /* true, false */
	NODE_ANY,   /* of an array of truths, first child */
	NODE_ALL,
	NODE_NOT, /* first child */
	NODE_AND, /* children; the three are in order of strength, strongest first */
	NODE_XOR,
	NODE_OR,
	NODE_TEST,    /* a path compared */
	NODE_PATH,    /* a value, as an argument or the whole of a value expression */
	NODE_LITERAL, /* an argument */
	NODE_NAMED,   /* a condition by its name, first child */
};

enum test_op {
	TEST_TRUE, /* a Bool, or an array of them, by itself */
	TEST_EQ,
	TEST_NE,
	TEST_GE,
	TEST_LE,
	TEST_GT,
	TEST_LT,
	TEST_BITS,
	TEST_CONTAINS,
	TEST_MATCHES,
	TEST_WILDCARD,
	TEST_STRICT_WILDCARD,
	TEST_IN_SET,
	TEST_IN_LIST,
};

enum step_kind { STEP_INDEX, STEP_KEY, STEP_EACH };

struct step {
	enum step_kind kind;
	uint32_t index;
	struct span key;
};

struct node;

/* A field or the result of a function, then indexes. */
struct path {
	const struct field *field; /* or NULL: a call */
	const struct function *function;
	struct node *args; /* of the call, in order */
	size_t n_args;
	/* prepared literal arguments of the two replacers */
	const struct wildcard *wildcard;
	const struct regex *regex;
	struct step *steps;
	size_t n_steps;
	unsigned stars;    /* how many [*] */
	enum type element; /* behind all indexes */
};

/* Items as written, for printing; what is searched is in the sets. */
struct set_item {
	struct span s;
	int64_t from;
	int64_t to;
	struct ip ip_from;
	struct ip ip_to;
};

struct test {
	struct test *previous; /* all of an expression, for freeing their sets */
	struct path path;
	enum test_op op;
	bool any;                  /* an array compared bare: any element (Gateway) */
	struct value literal;      /* of the comparisons, contains, bits */
	struct span pattern;       /* of matches and wildcards */
	const struct regex *regex; /* owned by the scheme's scratch */
	unsigned pool; /* 1 + index of its pool of patterns in a policy, or 0 */
	unsigned pool_bit;
	const struct wildcard *wildcard;
	struct set_item *items; /* as written */
	size_t n_items;
	struct int_set ints;
	struct ip_set ips;
	struct string_set strings;
	const struct rule_list *list;
	struct span list_name;
};

struct node {
	enum node_kind kind;
	enum type type;
	struct node *next; /* sibling */
	size_t from;       /* where it stands in the text */
	size_t to;
	uint64_t mark;    /* lint's: hash of the canonical text */
	bool named;       /* within a NODE_NAMED: stands where its name stands */
	struct span name; /* of NODE_NAMED */
	union {
		bool truth;
		struct node *first; /* children */
		struct test *test;
		struct path *path;
		struct value literal;
	};
};

struct rule_expr {
	const struct scheme *scheme; /* borrowed */
	struct arena arena;          /* holds all below, and the text */
	struct span text;
	struct node *root;
	struct test *tests; /* the last one parsed */
	enum rule_dialect dialect;
	enum phase phase;
	unsigned again;
	const struct field **fields; /* distinct, in order of first use */
	size_t n_fields;
	const struct rule_list **lists;
	size_t n_lists;
	struct rule_error *warnings;
	size_t n_warnings;
};

/* Calls visit for n and all below it, parents first; embed the walk. */
struct walk {
	void (*visit)(struct walk *w, struct node *n);
	void (*visit_path)(struct walk *w, struct path *p); /* may be NULL */
};
void tree_walk(struct node *n, struct walk *w);

/* As the operator is written canonically: "==", "in", … */
const char *tree_op_name(enum test_op op);

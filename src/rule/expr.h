// SPDX-License-Identifier: Apache-2.0
/*
 * expr: one rule expression, from text to verdict.
 *
 * Compiled once: names resolved, types checked, sets merged, patterns built. Evaluating
 * it then allocates nothing, cannot fail, and takes time linear in what it looks at.
 */
#pragma once

#include "rule/field.h"

enum {
	RULE_TEXT_MAX = 4096, /* characters of one expression */
	RULE_DEPTH_MAX = 128, /* nested parentheses, not, any/all, calls */
	RULE_WARNINGS_MAX = 16,
};

enum rule_dialect {
	RULE_EDGE,    /* strict */
	RULE_GATEWAY, /* also takes the looser forms of published Gateway rules */
};

/*
 * A condition with a name, which other conditions may use as they use a Bool field. Its
 * own text may use those that were named before it: `outer` and what is behind it.
 */
struct rule_let {
	const struct rule_let *next;  /* another one that can be used, or NULL */
	const struct rule_let *outer; /* those that its own text can use */
	struct span name;
	struct span text;
};

struct rule_options {
	enum rule_dialect dialect;
	bool any_length; /* lifts RULE_TEXT_MAX, e.g. for imports */
	/* names of lists with capitals and hyphens, as in RULE_GATEWAY */
	bool wide_lists;
	const struct rule_let *lets; /* borrowed, for compiling only; NULL: none */
};

/* Where, and what to do about it. Lines and columns count from 1, columns in
 * characters of the line. */
struct rule_error {
	unsigned line;
	unsigned col;
	unsigned width;    /* carets, at least 1 */
	char message[200]; /* what we saw */
	char hint[160];    /* what was probably meant, or "" */
};

struct rule_expr;

/* A condition: the whole is Bool. On failure *out is untouched. */
MUST_USE bool rule_compile(const struct scheme *s, struct span text,
	struct rule_options options, struct rule_expr **out, struct rule_error *error);
/* A value expression, of any type: rewrites a URL, sets a header. */
MUST_USE bool rule_compile_value(const struct scheme *s, struct span text,
	struct rule_options options, struct rule_expr **out, struct rule_error *error);
/* Whether a condition may have this name: it is a dotted name, and no field, function
 * or word of the language. *error says why not, at line 1, column 1. */
MUST_USE bool rule_let_name(
	const struct scheme *s, struct span name, struct rule_error *error);
/* NULL is fine. */
void rule_free(struct rule_expr *e);

/* Whether it holds. */
MUST_USE bool rule_eval(const struct rule_expr *e, const struct facts *f);
/* The value; what it points to lives until the next evaluation under this scheme. */
struct value rule_eval_value(const struct rule_expr *e, const struct facts *f);

enum type rule_type(const struct rule_expr *e);
/* The latest phase of its fields: the first in which it can be decided. */
enum phase rule_phase(const struct rule_expr *e);
/* Phases in which its verdict may change once more (see field.again), bit per phase. */
unsigned rule_again(const struct rule_expr *e);
/* The i-th distinct field it reads, in order of first use; NULL past the last. */
const struct field *rule_field(const struct rule_expr *e, size_t i);
/* The i-th distinct list it names; empty past the last. */
struct span rule_list(const struct rule_expr *e, size_t i);
/* What compiled but deserves a look: glued operators, octal numbers, `\\.` … */
const struct rule_error *rule_warning(const struct rule_expr *e, size_t i);

/* Adds the canonical text: compiles to the same expression. */
void rule_put(struct text *t, const struct rule_expr *e);

/* Adds the source line, carets under the span, message and hint, in several lines. */
void rule_put_error(struct text *t, struct span text, const struct rule_error *error);

/* Adds one line per part: its text, its truth, and the first missing field. */
void rule_explain(struct text *t, const struct rule_expr *e, const struct facts *f);
/* The first field read in source order that is missing in these facts, or NULL. */
const struct field *rule_missing(const struct rule_expr *e, const struct facts *f);

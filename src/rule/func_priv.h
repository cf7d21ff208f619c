// SPDX-License-Identifier: Apache-2.0
/*
 * func: the functions of the language, as one table.
 *
 * To add one: its code in func_text.c or func_more.c, and a row in func.c: the kinds of
 * its arguments, its result, and a check of its literals. It takes its results from the
 * scratch and allocates nothing; a missing argument has made the result missing before
 * it is called, unless the row says otherwise.
 */
#pragma once

#include "rule/tree_priv.h"

enum { FUNCTION_ARGS_MAX = 64 };

struct scratch;
struct lexer;

enum arg_kind {
	ARG_FIELD, /* a field or the result of a call */
	ARG_LITERAL,
	ARG_EITHER,
};

struct arg_spec {
	enum arg_kind kind;
	unsigned types; /* bit per base type: 1 << TYPE_STRING; or the two below */
};

enum {
	ARG_ARRAY = 1 << 8,   /* any array */
	ARG_STRINGS = 1 << 9, /* an array of strings */
};

/* What a call works on. */
struct call {
	const struct value *args;
	size_t n;
	struct scratch *scratch;
	const struct path *path; /* prepared literals */
};

enum {
	FUNCTION_VALUE_ONLY = 1 << 0, /* not in a condition */
	FUNCTION_ONCE = 1 << 1,       /* once per expression */
	FUNCTION_TAKES_MISSING = 1 << 2,
};

struct function {
	const char *name;
	enum type result; /* TYPE_NONE: the type of the first argument */
	unsigned flags;
	size_t least; /* arguments that must be there */
	size_t most;  /* SIZE_MAX: the last spec repeats */
	struct arg_spec args[6];
	struct value (*run)(const struct call *c);
	/* Says what is wrong with literal i, or NULL. */
	const char *(*refuse)(size_t i, const struct value *literal);
	const char *help;
};

/* The row, or NULL. */
const struct function *function_find(struct span name);
/* The nearest name, or NULL. */
const char *function_nearest(struct span name);
/* Row i, NULL past the last: for the manual. */
const struct function *function_at(size_t i);
/* What argument i must be. */
struct arg_spec function_arg(const struct function *f, size_t i);

struct value function_lower(const struct call *c);
struct value function_upper(const struct call *c);
struct value function_len(const struct call *c);
struct value function_starts_with(const struct call *c);
struct value function_ends_with(const struct call *c);
struct value function_concat(const struct call *c);
struct value function_join(const struct call *c);
struct value function_split(const struct call *c);
struct value function_substring(const struct call *c);
struct value function_remove_bytes(const struct call *c);
struct value function_url_decode(const struct call *c);
struct value function_decode_base64(const struct call *c);
struct value function_to_string(const struct call *c);
struct value function_remove_query_args(const struct call *c);
struct value function_lookup_json_string(const struct call *c);
struct value function_lookup_json_integer(const struct call *c);
struct value function_regex_replace(const struct call *c);
struct value function_wildcard_replace(const struct call *c);
struct value function_cidr(const struct call *c);
struct value function_cidr6(const struct call *c);
struct value function_uuidv4(const struct call *c);
struct value function_timed_hmac(const struct call *c);

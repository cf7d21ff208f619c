// SPDX-License-Identifier: Apache-2.0
/*
 * regex_tree: a pattern as a tree over sets of octets.
 *
 * Letters' case, classes and escapes are resolved while parsing, so only sets, order,
 * choice, repetition, groups and assertions remain: few forms, each of which means the
 * same to Vectorscan and to our own automaton.
 */
#pragma once

#include "base/arena.h"
#include "rule/regex_priv.h"

struct octet_set {
	uint64_t bits[4];
};

enum regex_kind {
	REGEX_EMPTY,
	REGEX_SET,
	REGEX_CAT,    /* children in order */
	REGEX_ALT,    /* children, the first preferred */
	REGEX_REPEAT, /* first child */
	REGEX_GROUP,  /* first child; index > 0 captures */
	REGEX_ASSERT,
};

enum regex_assert {
	ASSERT_TEXT_START,
	ASSERT_TEXT_END,
	ASSERT_LINE_START,
	ASSERT_LINE_END,
	ASSERT_WORD,
	ASSERT_NOT_WORD,
	ASSERT_WORD_START,
	ASSERT_WORD_END,
	ASSERT_WORD_START_HALF,
	ASSERT_WORD_END_HALF,
};

#define REGEX_FOREVER UINT32_MAX
enum { REGEX_REPEAT_MAX = 50000, REGEX_DEPTH_MAX = 100 };

struct regex_node {
	enum regex_kind kind;
	enum regex_assert assert;
	struct regex_node *first;
	struct regex_node *next;
	struct octet_set set;
	uint32_t min;
	uint32_t max;
	bool lazy;
	unsigned index;
};

/* NULL and *fault when the pattern is outside the dialect. */
struct regex_node *regex_parse(
	struct arena *a, struct span pattern, struct regex_fault *fault);

void octets_add(struct octet_set *s, uint8_t c);
void octets_add_range(struct octet_set *s, uint8_t from, uint8_t to);
MUST_USE bool octets_has(const struct octet_set *s, uint8_t c);

struct regex_flags {
	bool nocase;   /* i */
	bool lines;    /* m */
	bool dot_all;  /* s */
	bool swap;     /* U */
	bool unicode;  /* u */
	bool extended; /* x */
};

struct regex_name {
	struct regex_name *next;
	struct span text;
};

struct regex_parser {
	struct span s;
	size_t at;
	struct arena *arena;
	struct regex_fault *fault;
	struct regex_flags flags;
	unsigned groups;
	struct regex_name *names; /* of groups, the last one first */
	unsigned depth;
};

/* regex_class.c: words of a pattern. The first fault is kept; false. */
bool regex_refuse(struct regex_parser *p, size_t at, const char *reason);
MUST_USE bool regex_more(const struct regex_parser *p);
MUST_USE uint8_t regex_peek(const struct regex_parser *p);
MUST_USE bool regex_take(struct regex_parser *p, const char *word);
/* In extended mode blanks and comments mean nothing. */
void regex_skip_extended(struct regex_parser *p);
/* x, u or U behind a backslash, and then the character it stands for. */
MUST_USE bool regex_is_code(uint8_t letter);
MUST_USE bool regex_read_code(struct regex_parser *p, uint8_t letter, uint32_t *out);
/* What an escape of one letter or sign stands for; false when it is none. */
MUST_USE bool regex_read_escape(uint8_t c, uint8_t *out);
/* Why this cannot stand behind a backslash. */
const char *regex_escape_fault(uint8_t c);
/* From [ to its ]; case is folded before negation, as the dialect does. */
MUST_USE bool regex_read_class(struct regex_parser *p, struct octet_set *out);

/* regex_octets.c: \d \s \w and their negations; false when c names none. */
MUST_USE bool class_perl(uint8_t c, struct octet_set *out);
/* [:alpha:] and such, by the name between the colons. */
MUST_USE bool class_posix(struct span name, struct octet_set *out);
void class_negate(struct octet_set *s);
void class_fold_case(struct octet_set *s);
void class_join(struct octet_set *s, const struct octet_set *other);

// SPDX-License-Identifier: Apache-2.0
/*
 * lex: the words of an expression, taken one by one from a cursor.
 *
 * The language has no tokens of its own: what a word means depends on what is expected
 * (`61:70` is octets after a string field and two numbers elsewhere), so the parser
 * asks for what it needs. Each failed reader has set the error at the place where a
 * reader of the text would point.
 */
#pragma once

#include "base/arena.h"
#include "rule/expr.h"

struct lexer {
	struct span text;    /* borrowed; the whole */
	size_t at;           /* offset of the next octet */
	size_t end;          /* white space behind it is not looked at */
	struct arena *arena; /* borrowed; unescaped strings lie here */
	struct rule_error *error;
	struct rule_error *warnings; /* RULE_WARNINGS_MAX of them */
	size_t n_warnings;
};

/* Trims the end, steps over blanks at the start. */
void lex_init(struct lexer *l, struct span text);
/* What is left to read. */
struct span lex_left(const struct lexer *l);
/* Blank, tab, CR, LF. */
void lex_blanks(struct lexer *l);
/* Steps over the word if it is next, whatever follows. */
MUST_USE bool lex_take(struct lexer *l, const char *word);
/* The same, but an error when it is not next. */
MUST_USE bool lex_expect(struct lexer *l, const char *word);

/* Sets the error from offset `from` up to `to` (all that is left: l->end). False. */
bool lex_fail(struct lexer *l, size_t from, size_t to, const char *fmt, ...)
	PRINTF(4, 5);
/* Adds a hint to the error set before. False. */
bool lex_hint(struct lexer *l, const char *fmt, ...) PRINTF(2, 3);
void lex_warn(struct lexer *l, size_t from, size_t to, const char *fmt, ...)
	PRINTF(4, 5);

/* A dotted name. */
MUST_USE bool lex_name(struct lexer *l, struct span *out);
MUST_USE bool lex_int(struct lexer *l, int64_t *out);
/* `a` or `a..b`; first after an item: nothing is between it and this one. */
MUST_USE bool lex_int_range(struct lexer *l, int64_t *from, int64_t *to);
MUST_USE bool lex_ip(struct lexer *l, struct ip *out);
/* An address, a network, or `a..b`. */
MUST_USE bool lex_ip_range(struct lexer *l, struct ip *from, struct ip *to);
/* Quoted, raw, or octets. Lies in the text or in the arena. */
MUST_USE bool lex_string(struct lexer *l, struct span *out);
/* Without octets. */
MUST_USE bool lex_quoted_or_raw(struct lexer *l, struct span *out);
/* A pattern, and the span that a complaint about it should point at. */
MUST_USE bool lex_regex(
	struct lexer *l, struct span *pattern, size_t *from, size_t *to);
/* Behind the `$`. wide: capitals and hyphens too, as in Gateway's list ids. */
MUST_USE bool lex_list_name(struct lexer *l, bool wide, struct span *out);

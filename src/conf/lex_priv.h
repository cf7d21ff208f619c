// SPDX-License-Identifier: Apache-2.0
/*
 * lex: a configuration text as tokens, and its expressions as whole pieces.
 */
#pragma once

#include "conf/tree.h"

enum conf_token {
	CONF_TOKEN_WORD,
	CONF_TOKEN_OPEN,  /* { */
	CONF_TOKEN_CLOSE, /* } */
	CONF_TOKEN_END,   /* line end or ; */
	CONF_TOKEN_EOF,
	CONF_TOKEN_BAD, /* complained about; the rest of the line is skipped */
};

struct conf_lex {
	struct arena *arena;
	struct conf_report *report;
	const struct conf_file *file;
	struct span left; /* of the text */
	struct span gap;  /* blanks and comment before the token given last */
	uint32_t line;
	uint32_t column;
};

void conf_lex_init(struct conf_lex *l, const struct conf_file *file,
	struct arena *arena, struct conf_report *report);
/* Where the next octet stands. */
struct conf_place conf_lex_place(const struct conf_lex *l);
/* The next token; *out is set for all of them: text, and where it stands. */
enum conf_token conf_lex_next(struct conf_lex *l, struct conf_word *out);

/* The octet i ahead, or 0 past the end: a NUL is refused wherever it stands. */
uint8_t conf_lex_ahead(const struct conf_lex *l, size_t i);
/* Steps over n octets, counting lines and characters. */
void conf_lex_step(struct conf_lex *l, size_t n);
/* Steps to the line's end. */
void conf_lex_skip_line(struct conf_lex *l);
bool conf_lex_blank(uint8_t c);

/* How an expression ends. */
enum conf_expr_end {
	CONF_EXPR_DO,   /* before the word `do` outside all brackets */
	CONF_EXPR_LINE, /* with the line, unless brackets or an operator go on */
};

/* Whether a text begins with what continues an expression of the line before: no
 * statement can. */
MUST_USE bool conf_lex_continues(struct span s);

/* Whether an expression comes behind these words of a statement: the first, the last,
 * and how many there are. */
MUST_USE bool conf_lex_announces(const struct conf_word *first,
	const struct conf_word *last, size_t n, enum conf_expr_end *end);

enum { CONF_EXPR_MAX = 64 * 1024, CONF_EXPR_DEPTH = 130 };

/*
 * Takes the expression that begins here, by the lexical rules of the rule language:
 * strings, raw strings, patterns and brackets hide what ends it. False when it does not
 * end (complained about); the line it began in is then skipped.
 */
MUST_USE bool conf_lex_expr(
	struct conf_lex *l, enum conf_expr_end end, struct conf_word *out);

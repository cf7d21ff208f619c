// SPDX-License-Identifier: Apache-2.0
#include "conf/format.h"

#include "conf/lex_priv.h"

/* While one text is laid out. */
struct layout {
	struct conf_format *format;
	struct conf_lex lex;
	struct text *out;
	unsigned depth;
	bool in_line;           /* something stands on the line */
	bool breaks;            /* whatever comes, but a comment, begins a new line */
	bool had_gap;           /* an empty line was read */
	bool may_gap;           /* one may be written: not at the front of a block */
	struct conf_word first; /* of the statement */
	size_t words;
	bool has_expr; /* one a statement */
};

static void
end_line(struct layout *l)
{
	if (l->in_line)
		text_add(l->out, "\n");
	l->in_line = false;
	l->breaks = false;
}

/* The place for the next token: a blank behind the last, or a new line. */
static void
begin_token(struct layout *l)
{
	if (l->breaks)
		end_line(l);
	if (l->in_line) {
		text_add(l->out, " ");
		return;
	}
	if (l->had_gap && l->may_gap)
		text_add(l->out, "\n");
	for (unsigned i = 0; i < l->depth; i++)
		text_add(l->out, "\t");
	l->had_gap = false;
	l->may_gap = true;
	l->in_line = true;
}

/* The comment at the end of what was skipped, or empty. */
static struct span
comment_of(struct span gap)
{
	struct span s = span_from(gap, span_chr(gap, '#'));
	while (s.n > 0 && conf_lex_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

static void
put_comment(struct layout *l)
{
	struct span comment = comment_of(l->lex.gap);
	if (comment.n == 0)
		return;
	l->breaks = false; /* it belongs to what stands before it */
	begin_token(l);
	text_put(l->out, comment);
	l->breaks = true;
}

/* The expression behind `when` or `=`, if one comes. */
static bool
put_expr(struct layout *l, const struct conf_word *last)
{
	enum conf_expr_end end;
	struct conf_word expr = {0};

	if (l->has_expr || !conf_lex_announces(&l->first, last, l->words, &end))
		return true;
	l->has_expr = true;
	if (!conf_lex_expr(&l->lex, end, &expr))
		return false;
	begin_token(l);
	if (!l->format->put_expr || !l->format->put_expr(l->format, expr.text, l->out))
		text_put(l->out, expr.text);
	return true;
}

static bool
put_word(struct layout *l, const struct conf_word *word, struct span raw)
{
	if (l->breaks || l->words == 0) {
		l->words = 0;
		l->first = *word;
		l->has_expr = false;
		if (!word->quoted && conf_lex_continues(word->text)) {
			return conf_complain(l->lex.report, word->at, ERR_CONF_EXPR,
				"a statement cannot begin with an operator");
		}
	}
	begin_token(l);
	text_put(l->out, raw);
	l->words++;
	return put_expr(l, word);
}

static bool
put_brace(struct layout *l, const struct conf_word *at, bool open)
{
	if (!open && l->depth == 0) {
		return conf_complain(l->lex.report, at->at, ERR_CONF_SYNTAX,
			"nothing is open that this closes");
	}
	if (!open) {
		end_line(l);
		l->depth--;
		l->may_gap = false;
	}
	begin_token(l);
	text_add(l->out, open ? "{" : "}");
	l->depth += open;
	l->breaks = true;
	l->words = 0;
	l->may_gap = !open;
	l->had_gap = false;
	return true;
}

static void
put_end(struct layout *l, bool is_line)
{
	l->had_gap = l->had_gap || (is_line && !l->in_line);
	end_line(l);
	l->words = 0;
}

/* One token; false at the end of the text or of our understanding. */
static bool
put_token(struct layout *l, bool *ok)
{
	struct conf_word word;
	const uint8_t *before = l->lex.left.p;
	enum conf_token kind = conf_lex_next(&l->lex, &word);
	const uint8_t *start = before + l->lex.gap.n;
	struct span raw = span_of(start, (size_t)(l->lex.left.p - start));

	put_comment(l);
	switch (kind) {
	case CONF_TOKEN_WORD:
		return *ok = put_word(l, &word, raw);
	case CONF_TOKEN_OPEN:
	case CONF_TOKEN_CLOSE:
		return *ok = put_brace(l, &word, kind == CONF_TOKEN_OPEN);
	case CONF_TOKEN_END:
		put_end(l, span_eq(raw, SPAN("\n")));
		return true;
	case CONF_TOKEN_EOF:
		put_end(l, false);
		return false;
	case CONF_TOKEN_BAD:
		*ok = false;
		return false;
	}
	return false;
}

bool
conf_format(struct conf_format *f, const struct conf_file *file, struct text *t,
	struct conf_report *report)
{
	struct arena arena;
	struct layout l = {.format = f, .out = t};
	bool ok = true;

	arena_init(&arena, file->text.n * 4 + 4096);
	conf_lex_init(&l.lex, file, &arena, report);
	while (put_token(&l, &ok))
		;
	if (ok && l.depth > 0) {
		ok = conf_complain(report, conf_lex_place(&l.lex), ERR_CONF_SYNTAX,
			"a block is not closed");
	}
	arena_fini(&arena);
	return ok;
}

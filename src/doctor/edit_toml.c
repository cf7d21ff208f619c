// SPDX-License-Identifier: Apache-2.0
/*
 * edit_toml: where TOML's values end and what its keys are called (TOML 1.0).
 */
#include "base/text.h"
#include "doctor/edit_priv.h"

/* Up to two quotes may stand before the three that end a string. */
static size_t
past_quotes(struct span text, size_t at, uint8_t q)
{
	while (at < text.n && text.p[at] == q)
		at++;
	return at;
}

/* Behind the string whose first quote is at `at`; strings of three quotes go over
 * lines, a basic string has escapes. */
static size_t
string_end(struct span text, size_t at)
{
	uint8_t q = text.p[at];
	struct span three = q == '"' ? SPAN("\"\"\"") : SPAN("'''");
	bool is_long = span_starts(span_from(text, at), three);

	at += is_long ? 3 : 1;
	for (; at < text.n; at++) {
		if (q == '"' && text.p[at] == '\\') {
			at++;
		} else if (is_long && span_starts(span_from(text, at), three)) {
			return past_quotes(text, at + 3, q);
		} else if (!is_long && (text.p[at] == q || text.p[at] == '\n')) {
			return text.p[at] == q ? at + 1 : at;
		}
	}
	return text.n;
}

static size_t
skip_comment(struct span text, size_t at)
{
	return at + span_chr(span_from(text, at), '\n');
}

/* Trailing white space is none of the value. */
static size_t
without_blanks(struct span text, size_t from, size_t to)
{
	while (to > from &&
		(text.p[to - 1] == ' ' || text.p[to - 1] == '\t' ||
			text.p[to - 1] == '\r'))
		to--;
	return to;
}

/* Over a string or a remark as a whole. */
static size_t
past_octet(struct span text, size_t at)
{
	switch (text.p[at]) {
	case '"':
	case '\'':
		return string_end(text, at);
	case '#':
		return skip_comment(text, at);
	default: /* all others stand for themselves */
		return at + 1;
	}
}

size_t
edit_toml_value_end(struct span text, size_t at)
{
	size_t from = at;
	size_t depth = 0;

	while (at < text.n) {
		uint8_t c = text.p[at];
		if ((c == '#' || c == '\n') && depth == 0)
			break;
		depth += c == '[' || c == '{';
		depth -= (c == ']' || c == '}') && depth > 0;
		at = past_octet(text, at);
	}
	return without_blanks(text, from, at < text.n ? at : text.n);
}

static bool
is_bare(uint8_t c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '_' || c == '-';
}

/* One step: bare, or in quotes. Steps over it. */
static bool
put_step(struct span *s, struct text *t)
{
	size_t n = 0;

	if (s->n > 0 && (s->p[0] == '"' || s->p[0] == '\'')) {
		struct span body = span_from(*s, 1);
		n = span_chr(body, s->p[0]);
		text_put(t, span_first(body, n));
		*s = span_from(body, n + 1);
		return n < body.n;
	}
	while (n < s->n && is_bare(s->p[n]))
		n++;
	text_put(t, span_first(*s, n));
	*s = span_from(*s, n);
	return n > 0;
}

bool
edit_toml_path(struct span dotted, struct text *t)
{
	struct span s = span_trim(dotted);

	for (;;) {
		if (!put_step(&s, t))
			return false;
		s = span_trim(s);
		if (s.n == 0)
			return !t->cut;
		if (s.p[0] != '.')
			return false;
		text_add(t, ">");
		s = span_trim(span_from(s, 1));
	}
}

// SPDX-License-Identifier: Apache-2.0
/*
 * edit_quote: between a value and how a file writes it.
 */
#include "base/text.h"
#include "doctor/edit_priv.h"

/* True for what stands without quotes in TOML and JSON. */
static bool
is_word(struct span s)
{
	return span_eq(s, SPAN("true")) || span_eq(s, SPAN("false")) ||
		span_eq(s, SPAN("null"));
}

static bool
is_tame(struct span s, const char *more)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		if (!ascii_is_alpha(c) && !ascii_is_digit(c) &&
			span_chr(span_str(more), c) == span_str(more).n)
			return false;
	}
	return s.n > 0;
}

/* In double quotes, with a backslash before each of `special`. */
static void
put_quoted(struct span s, const char *special, struct text *t)
{
	text_add(t, "\"");
	for (size_t i = 0; i < s.n; i++) {
		if (span_chr(span_str(special), s.p[i]) < span_str(special).n)
			text_add(t, "\\");
		text_put(t, span_slice(s, i, i + 1));
	}
	text_add(t, "\"");
}

/* POSIX: nothing is special inside single quotes, not even a backslash. */
static void
put_shell(enum edit_form form, struct span s, struct text *t)
{
	if (is_tame(s, "/._-+:,@%=")) {
		text_put(t, s);
		return;
	}
	text_add(t, "'");
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\'') {
			text_add(t, form == EDIT_FISH ? "\\'" : "'\\''");
		} else if (s.p[i] == '\\' && form == EDIT_FISH) {
			text_add(t, "\\\\");
		} else {
			text_put(t, span_slice(s, i, i + 1));
		}
	}
	text_add(t, "'");
}

static void
put_properties(struct span s, struct text *t)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' || (i == 0 && s.p[i] == ' '))
			text_add(t, "\\");
		text_put(t, span_slice(s, i, i + 1));
	}
}

/* Written raw: false for what the file's reader would take for something else. */
static bool
put_raw(struct span s, const char *refused, struct text *t)
{
	for (size_t i = 0; i < s.n; i++) {
		if (span_chr(span_str(refused), s.p[i]) < span_str(refused).n)
			return false;
	}
	if (s.n == 0 || s.p[0] == ' ' || s.p[s.n - 1] == ' ')
		return false;
	text_put(t, s);
	return true;
}

static void
put_or_quote(struct span s, bool plain, const char *special, struct text *t)
{
	if (plain && s.p[0] != ' ' && s.p[s.n - 1] != ' ') {
		text_put(t, s);
	} else {
		put_quoted(s, special, t);
	}
}

bool
edit_quote(enum edit_form form, const char *value, struct text *t)
{
	struct span s = span_str(value);

	switch (form) {
	case EDIT_SHELL:
	case EDIT_FISH:
		put_shell(form, s, t);
		break;
	case EDIT_PROPERTIES:
		put_properties(s, t);
		break;
	case EDIT_INI:
		if (!put_raw(s, "", t))
			return false;
		break;
	case EDIT_WORDS:
		if (!put_raw(s, "\"", t))
			return false;
		break;
	case EDIT_NPMRC:
		put_or_quote(s, is_tame(s, "/._-+,@:=$%&()!*?[]{}|<>~^ "), "\"\\", t);
		break;
	case EDIT_GIT:
	case EDIT_YAML:
		put_or_quote(s, is_tame(s, "/._-+,@"), "\"\\", t);
		break;
	case EDIT_ENVD:
		put_or_quote(s, is_tame(s, "/._-+,@"), "\"\\$`", t);
		break;
	case EDIT_TOML:
	case EDIT_JSON:
		put_or_quote(s, is_word(s), "\"\\", t);
		break;
	case EDIT_BLOCK:
	case EDIT_FORMS:
		return false;
	}
	return !t->cut;
}

/* The octet that an escape stands for, in the forms that have any. */
static uint8_t
escaped(uint8_t c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'r':
		return '\r';
	default: /* every other stands for itself */
		return c;
	}
}

/* A backslash does nothing in these outside quotes. */
static bool
is_literal(enum edit_form form, uint8_t quote)
{
	return form == EDIT_INI || form == EDIT_WORDS ||
		(quote == '\'' && form != EDIT_FISH) ||
		(quote == 0 && (form == EDIT_YAML || form == EDIT_TOML));
}

static bool
has_escapes(enum edit_form form, uint8_t quote)
{
	return quote == '"' || form == EDIT_PROPERTIES || form == EDIT_JSON;
}

bool
edit_is_quote(enum edit_form form, uint8_t c, bool first)
{
	switch (form) {
	case EDIT_SHELL:
	case EDIT_FISH:
	case EDIT_ENVD:
		return c == '"' || c == '\'';
	case EDIT_GIT:
	case EDIT_WORDS:
	case EDIT_JSON:
		return c == '"';
	case EDIT_NPMRC:
	case EDIT_YAML:
	case EDIT_TOML:
		return first && (c == '"' || c == '\'');
	case EDIT_BLOCK:
	case EDIT_INI:
	case EDIT_PROPERTIES:
	case EDIT_FORMS:
		break;
	}
	return false;
}

void
edit_unquote(enum edit_form form, struct span raw, struct text *t)
{
	uint8_t quote = 0;

	if (form == EDIT_BLOCK) {
		text_put(t, raw);
		return;
	}
	for (size_t i = 0; i < raw.n; i++) {
		uint8_t c = raw.p[i];
		if (c == '\\' && i + 1 < raw.n && !is_literal(form, quote)) {
			c = raw.p[++i];
			uint8_t meant = has_escapes(form, quote) ? escaped(c) : c;
			text_put(t, span_of(&meant, 1));
		} else if (quote != 0 && c == quote) {
			quote = 0;
		} else if (quote == 0 && edit_is_quote(form, c, i == 0)) {
			quote = c;
		} else {
			text_put(t, span_slice(raw, i, i + 1));
		}
	}
}

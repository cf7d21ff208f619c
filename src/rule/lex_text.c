// SPDX-License-Identifier: Apache-2.0
/*
 * lex_text: string, octet and regex literals.
 *
 * Three forms of string: "quoted" with escapes, r#"raw"#, and octets such as 61:70.
 * A regex literal is quoted or raw as well, but keeps its backslashes.
 */
#include <string.h>

#include "base/must.h"
#include "rule/lex_priv.h"

enum { HASHES_MAX = 255 };

/* Octets of the character at p[0], by its first one; never past the end. */
static size_t
character_size(struct span s)
{
	size_t n = 1;
	while (n < s.n && (s.p[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* Exactly this many digits as one octet. */
static bool
take_octet(struct lexer *l, size_t digits, int radix, uint8_t *out)
{
	struct span left = lex_left(l);
	size_t n = 0;
	size_t chars = 0;
	unsigned v = 0;
	bool good = true;

	for (; chars < digits && n < left.n; chars++) {
		int d = ascii_hex(left.p[n]);
		good = good && d >= 0 && d < radix;
		v = v * (unsigned)radix + (unsigned)(d < 0 ? 0 : d);
		n += character_size(span_from(left, n));
	}
	if (chars < digits) {
		lex_fail(l, l->at, l->end, "expected %zu characters, found %zu", digits,
			chars);
		return false;
	}
	if (!good) {
		return lex_fail(l, l->at, l->at + n,
			"not a number of %zu digits in base %d", digits, radix);
	}
	if (v > UINT8_MAX)
		return lex_fail(l, l->at, l->at + n, "an octet is at most \\377");
	l->at += n;
	*out = (uint8_t)v;
	return true;
}

/* Behind the backslash. */
static bool
take_escape(struct lexer *l, size_t opened, uint8_t *out)
{
	struct span left = lex_left(l);
	if (left.n == 0)
		return lex_fail(l, opened, l->end, "the string has no ending quote");
	uint8_t c = left.p[0];
	if (c == '"' || c == '\\') {
		l->at++;
		*out = c;
		return true;
	}
	if (c == 'x') {
		l->at++;
		return take_octet(l, 2, 16, out);
	}
	if (c >= '0' && c <= '7')
		return take_octet(l, 3, 8, out);
	lex_fail(l, l->at, l->at + character_size(left),
		"unknown escape: expected \\\", \\\\, \\xHH or \\OOO");
	return lex_hint(l, "a backslash itself is written \\\\, or use r\"...\"");
}

/* Behind the opening quote. */
static bool
lex_quoted(struct lexer *l, struct span *out)
{
	size_t opened = l->at;
	uint8_t *dst = arena_alloc(l->arena, l->end - l->at + 1);
	size_t n = 0;

	while (l->at < l->end) {
		uint8_t c = l->text.p[l->at++];
		if (c == '"') {
			*out = span_of(dst, n);
			return true;
		}
		if (c == '\\' && !take_escape(l, opened, &c))
			return false;
		dst[n++] = c;
	}
	return lex_fail(l, opened, l->end, "the string has no ending quote");
}

static size_t
count_hashes(struct span s)
{
	size_t n = 0;
	while (n < s.n && s.p[n] == '#')
		n++;
	return n;
}

/* Behind the r. */
static bool
lex_raw(struct lexer *l, struct span *out)
{
	size_t opened = l->at;
	size_t hashes = count_hashes(lex_left(l));
	if (hashes > HASHES_MAX)
		return lex_fail(l, opened, l->end, "a raw string takes at most 255 #");
	size_t body = opened + hashes + 1;
	if (body > l->end || l->text.p[body - 1] != '"')
		return lex_fail(l, opened + hashes, l->end, "expected \" or #");

	size_t at = body;
	while (at < l->end) {
		size_t quote = at + span_chr(span_slice(l->text, at, l->end), '"');
		if (quote == l->end)
			break;
		size_t closing = count_hashes(span_slice(l->text, quote + 1, l->end));
		if (closing >= hashes) {
			*out = span_slice(l->text, body, quote);
			l->at = quote + 1 + hashes;
			return true;
		}
		at = quote + 1 + closing;
	}
	return lex_fail(l, opened, l->end, "the raw string has no ending quote");
}

bool
lex_quoted_or_raw(struct lexer *l, struct span *out)
{
	if (l->at == l->end)
		return lex_fail(l, l->at, l->end, "expected a string, found the end");
	if (lex_take(l, "\""))
		return lex_quoted(l, out);
	if (lex_take(l, "r"))
		return lex_raw(l, out);
	lex_fail(l, l->at, l->end, "expected \" or r\"");
	return lex_left(l).p[0] != '\''
		? false
		: lex_hint(l, "strings take double quotes: \"...\"");
}

static bool
take_separator(struct lexer *l)
{
	return lex_take(l, ":") || lex_take(l, "-") || lex_take(l, ".");
}

/* 61:70-69.0a: at least two. */
static bool
lex_octets(struct lexer *l, struct span *out)
{
	uint8_t *dst = arena_alloc(l->arena, (l->end - l->at) / 2 + 1);
	size_t n = 0;
	if (!take_octet(l, 2, 16, &dst[n++]))
		return false;
	if (!take_separator(l)) {
		size_t to = l->at < l->end ? l->at + 1 : l->end;
		lex_fail(l, l->at, to, "expected :, - or . and another octet");
		return lex_hint(l, "a string is written in double quotes");
	}
	do {
		if (!take_octet(l, 2, 16, &dst[n++]))
			return false;
	} while (take_separator(l));
	*out = span_of(dst, n);
	return true;
}

static const char *
string_hint(uint8_t c)
{
	if (c == '\'')
		return "strings take double quotes: \"...\"";
	if (c == ',')
		return "items of a set are separated by blanks, not commas";
	if (c == '{')
		return "a set stands behind \"in\"; combine contains tests with or";
	return "a string is written in double quotes: \"...\"";
}

bool
lex_string(struct lexer *l, struct span *out)
{
	struct span left = lex_left(l);
	if (left.n == 0 || left.p[0] == '"' || left.p[0] == 'r')
		return lex_quoted_or_raw(l, out);
	if (lex_octets(l, out))
		return true;
	return l->error->hint[0] != '\0' ? false
					 : lex_hint(l, "%s", string_hint(left.p[0]));
}

/* Behind a backslash in a pattern: it stays, but for \" outside a class. */
static size_t
keep_escape(struct lexer *l, bool in_class, uint8_t *dst)
{
	size_t n = 0;
	if (l->at == l->end) {
		dst[n++] = '\\';
		return n;
	}
	uint8_t next = l->text.p[l->at++];
	if (in_class || next != '"')
		dst[n++] = '\\';
	dst[n++] = next;
	return n;
}

/* The body of a quoted pattern: inside [ ] a quote does not end it. */
static bool
lex_quoted_regex(struct lexer *l, struct span *pattern)
{
	size_t opened = l->at;
	uint8_t *dst = arena_alloc(l->arena, l->end - l->at + 1);
	size_t n = 0;
	bool in_class = false;

	while (l->at < l->end) {
		uint8_t c = l->text.p[l->at++];
		if (c == '"' && !in_class) {
			*pattern = span_of(dst, n);
			return true;
		}
		if (c == '\\') {
			n += keep_escape(l, in_class, dst + n);
			continue;
		}
		if (c == '[' || c == ']')
			in_class = c == '[';
		dst[n++] = c;
	}
	lex_fail(l, opened, l->end, "the pattern has no ending quote");
	return in_class ? lex_hint(l, "inside [ ] a quote does not end the pattern")
			: false;
}

bool
lex_regex(struct lexer *l, struct span *pattern, size_t *from, size_t *to)
{
	if (l->at == l->end)
		return lex_fail(l, l->at, l->end, "expected a pattern, found the end");
	if (lex_take(l, "\"")) {
		*from = l->at;
		bool ok = lex_quoted_regex(l, pattern);
		*to = l->at - 1;
		return ok;
	}
	if (lex_take(l, "r")) {
		if (!lex_raw(l, pattern))
			return false;
		*from = l->at; /* behind the literal, as the cloud's editor points */
		*to = l->end;
		return true;
	}
	lex_fail(l, l->at, l->end, "expected \" or r\"");
	return lex_hint(l, "a pattern is written in quotes: \"^/api/\"");
}

// SPDX-License-Identifier: Apache-2.0
#include "rule/lex_priv.h"

#include <stdarg.h>

#include "base/text.h"

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* White space of Unicode, which editors and web pages bring along: an ideographic
 * blank, a no-break one. Only at both ends; its octets, or 0. */
static size_t
wide_blank(struct span s)
{
	static const struct span wide[] = {SPAN_INIT("\xc2\x85"), SPAN_INIT("\xc2\xa0"),
		SPAN_INIT("\xe1\x9a\x80"), SPAN_INIT("\xe2\x80\xa8"),
		SPAN_INIT("\xe2\x80\xa9"), SPAN_INIT("\xe2\x80\xaf"),
		SPAN_INIT("\xe2\x81\x9f"), SPAN_INIT("\xe3\x80\x80")};
	if (s.n > 0 && (is_blank(s.p[0]) || s.p[0] == '\f' || s.p[0] == '\v'))
		return 1;
	for (size_t i = 0; i < COUNT_OF(wide); i++) {
		if (span_starts(s, wide[i]))
			return wide[i].n;
	}
	/* U+2000 to U+200A, the blanks of typesetters. */
	bool typeset = s.n > 2 && s.p[0] == 0xe2 && s.p[1] == 0x80 && s.p[2] >= 0x80 &&
		s.p[2] <= 0x8a;
	return typeset ? 3 : 0;
}

/* The blank that ends the span: its octets, or 0. */
static size_t
last_blank(struct span s)
{
	for (size_t n = 1; n <= 3 && n <= s.n; n++) {
		if (wide_blank(span_from(s, s.n - n)) == n)
			return n;
	}
	return 0;
}

void
lex_init(struct lexer *l, struct span text)
{
	size_t n;
	l->text = text;
	l->end = text.n;
	l->at = 0;
	while ((n = last_blank(span_first(text, l->end))) > 0)
		l->end -= n;
	while ((n = wide_blank(lex_left(l))) > 0)
		l->at += n;
	/* Of nothing but blanks, the complaint is about the start. */
	if (l->at == l->end)
		l->at = l->end = 0;
}

struct span
lex_left(const struct lexer *l)
{
	return span_slice(l->text, l->at, l->end);
}

void
lex_blanks(struct lexer *l)
{
	while (l->at < l->end && is_blank(l->text.p[l->at]))
		l->at++;
}

bool
lex_take(struct lexer *l, const char *word)
{
	struct span w = span_str(word);
	if (!span_starts(lex_left(l), w))
		return false;
	l->at += w.n;
	return true;
}

bool
lex_expect(struct lexer *l, const char *word)
{
	if (lex_take(l, word))
		return true;
	return lex_fail(l, l->at, l->end, "expected \"%s\"", word);
}

/* Characters are counted, not octets: continuation octets of UTF-8 do not count. */
static unsigned
count_characters(struct span s)
{
	unsigned n = 0;
	for (size_t i = 0; i < s.n; i++)
		n += (s.p[i] & 0xc0) != 0x80;
	return n;
}

static void
place(const struct lexer *l, size_t from, size_t to, struct rule_error *e)
{
	struct span before = span_first(l->text, from);
	size_t line_start = 0;
	e->line = 1;
	for (size_t i = 0; i < before.n; i++) {
		if (before.p[i] == '\n') {
			e->line++;
			line_start = i + 1;
		}
	}
	struct span marked = span_slice(l->text, from, to);
	marked = span_first(marked, span_chr(marked, '\n'));
	e->col = count_characters(span_from(before, line_start)) + 1;
	e->width = count_characters(marked);
	if (e->width == 0)
		e->width = 1;
}

PRINTF(2, 0)
static void
say(struct rule_error *e, const char *fmt, va_list ap)
{
	struct text t = text_to(e->message, sizeof(e->message));
	text_addv(&t, fmt, ap);
	e->hint[0] = '\0';
}

bool
lex_fail(struct lexer *l, size_t from, size_t to, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	place(l, from, to, l->error);
	say(l->error, fmt, ap);
	va_end(ap);
	return false;
}

bool
lex_hint(struct lexer *l, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	struct text t = text_to(l->error->hint, sizeof(l->error->hint));
	text_addv(&t, fmt, ap);
	va_end(ap);
	return false;
}

void
lex_warn(struct lexer *l, size_t from, size_t to, const char *fmt, ...)
{
	if (l->n_warnings == RULE_WARNINGS_MAX)
		return;
	va_list ap;
	va_start(ap, fmt);
	struct rule_error *w = &l->warnings[l->n_warnings++];
	place(l, from, to, w);
	say(w, fmt, ap);
	va_end(ap);
}

static bool
is_name_octet(uint8_t c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '_';
}

bool
lex_name(struct lexer *l, struct span *out)
{
	size_t start = l->at;
	size_t at = l->at;
	for (;;) {
		size_t part = at;
		while (at < l->end && is_name_octet(l->text.p[at]))
			at++;
		if (at == part) {
			lex_fail(l, at, l->end, "expected a name");
			return at == start
				? false
				: lex_hint(l, "no blank stands inside a name");
		}
		if (at == l->end || l->text.p[at] != '.')
			break;
		at++;
	}
	l->at = at;
	*out = span_slice(l->text, start, at);
	return true;
}

/* Digits of any radix up to 16, so that a bad one is pointed at as a whole number. */
static bool
lex_digits(struct lexer *l, struct span *out)
{
	size_t start = l->at;
	while (l->at < l->end && ascii_hex(l->text.p[l->at]) >= 0)
		l->at++;
	*out = span_slice(l->text, start, l->at);
	if (out->n > 0)
		return true;
	return lex_fail(l, start, l->end, "expected a digit");
}

/* The digits' value with a sign, in 64 bits. */
static bool
read_number(struct span digits, unsigned radix, bool negative, int64_t *out)
{
	int64_t v = 0;
	for (size_t i = 0; i < digits.n; i++) {
		int64_t d = ascii_hex(digits.p[i]);
		if (d >= (int64_t)radix ||
			__builtin_mul_overflow(v, (int64_t)radix, &v))
			return false;
		if (negative ? __builtin_sub_overflow(v, d, &v)
			     : __builtin_add_overflow(v, d, &v))
			return false;
	}
	*out = v;
	return true;
}

static bool
has_bad_digit(struct span digits, unsigned radix)
{
	for (size_t i = 0; i < digits.n; i++) {
		if (ascii_hex(digits.p[i]) >= (int)radix)
			return true;
	}
	return false;
}

bool
lex_int(struct lexer *l, int64_t *out)
{
	unsigned radix = 10;
	bool negative = false;
	struct span digits;
	size_t start = l->at;

	if (lex_take(l, "0x")) {
		radix = 16;
		start = l->at;
	} else if (l->at < l->end && l->text.p[l->at] == '0') {
		radix = 8;
	} else {
		negative = lex_take(l, "-");
	}
	if (!lex_digits(l, &digits))
		return false;
	if (read_number(digits, radix, negative, out)) {
		if (radix == 8 && digits.n > 1) {
			lex_warn(l, start, l->at,
				"a leading 0 makes this octal: it is %lld",
				(long long)*out);
		}
		return true;
	}
	if (!has_bad_digit(digits, radix))
		return lex_fail(l, start, l->at, "the number does not fit in 64 bits");
	lex_fail(l, start, l->at, "not a number in base %u", radix);
	return radix != 8 ? false : lex_hint(l, "a leading 0 makes a number octal");
}

bool
lex_int_range(struct lexer *l, int64_t *from, int64_t *to)
{
	size_t start = l->at;
	if (!lex_int(l, from))
		return false;
	*to = *from;
	if (lex_take(l, "..") && !lex_int(l, to))
		return false;
	if (*to < *from) {
		return lex_fail(l, start, l->at,
			"the range ends before it starts: %lld..%lld", (long long)*from,
			(long long)*to);
	}
	return true;
}

/* Letters and digits, with `wide` capitals and hyphens, joined by dots. */
bool
lex_list_name(struct lexer *l, bool wide, struct span *out)
{
	size_t start = l->at;
	size_t at = start;
	for (; at < l->end; at++) {
		uint8_t c = l->text.p[at];
		bool lower = (c >= 'a' && c <= 'z') || ascii_is_digit(c) || c == '_' ||
			c == '.';
		if (!lower && !(wide && (ascii_is_alpha(c) || c == '-')))
			break;
	}
	*out = span_slice(l->text, start, at);
	if (out->n == 0) {
		lex_fail(l, start, l->end, "expected the name of a list after \"$\"");
		return lex_hint(l, "a list name has small letters, digits, _ and dots");
	}
	if (out->p[0] == '.' || out->p[out->n - 1] == '.') {
		lex_fail(l, start, l->end,
			"a list name neither starts nor ends with a dot");
		return false;
	}
	l->at = at;
	return true;
}

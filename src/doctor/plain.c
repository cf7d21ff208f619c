// SPDX-License-Identifier: Apache-2.0
#include "doctor/plain.h"

#include <string.h>

#include "base/mem.h"

enum { ESC = 0x1b, CSI = 0x9b, BEL = 0x07, NOTHING = 0, PREFIXES = 8, PREFIX_MAX = 48 };

/* ---- reading code points ---- */

/* Octets behind the first one, or SIZE_MAX when nothing can begin so (RFC 3629 §3). */
static size_t
utf8_more(uint8_t first)
{
	if (first < 0x80)
		return 0;
	if (first < 0xc2 || first > 0xf4)
		return SIZE_MAX;
	return first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
}

/* What is not well-formed is one octet of nothing. */
static uint32_t
take_utf8(struct span *s)
{
	static const uint8_t masks[] = {0x7f, 0x1f, 0x0f, 0x07};
	size_t more = utf8_more(s->p[0]);
	bool good = more < s->n;
	uint32_t cp = good ? s->p[0] & masks[more] : 0;

	for (size_t i = 1; good && i <= more; i++) {
		good = (s->p[i] & 0xc0) == 0x80;
		cp = cp << 6 | (s->p[i] & 0x3fu);
	}
	*s = span_from(*s, good ? more + 1 : 1);
	return good ? cp : (uint32_t)NOTHING;
}

static uint32_t
take_hex(struct span *s, size_t digits)
{
	uint32_t v = 0;
	size_t i = 0;
	for (; i < digits && i < s->n && ascii_hex(s->p[i]) >= 0; i++)
		v = v << 4 | (uint32_t)ascii_hex(s->p[i]);
	*s = span_from(*s, i);
	return v;
}

/* Behind a run of backslashes: \n \t \" \u0041 \x1b \033 \e, as logs in JSON and in
 * quoted shells write them. A backslash before another letter is just dropped. */
static uint32_t
take_escape(struct span *s)
{
	while (s->n > 0 && s->p[0] == '\\')
		*s = span_from(*s, 1);
	if (s->n == 0)
		return NOTHING;
	uint8_t c = s->p[0];
	bool is_number = s->n >= 3 && ascii_hex(s->p[1]) >= 0;
	if (is_number && (c == 'u' || c == 'x')) {
		*s = span_from(*s, 1);
		return take_hex(s, c == 'u' ? 4 : 2);
	}
	if (span_starts(*s, SPAN("033[")) || span_starts(*s, SPAN("e["))) {
		*s = span_from(*s, c == 'e' ? 1 : 3);
		return ESC;
	}
	if (c == 'n' || c == 'r' || c == 't')
		*s = span_from(*s, 1);
	return '\n';
}

/* ECMA-48 §5.4: parameters, then one final octet. */
static void
skip_sequence(struct span *s)
{
	size_t i = 0;
	while (i < s->n && i < 64 && s->p[i] >= 0x20 && s->p[i] < 0x40)
		i++;
	*s = span_from(*s, i < s->n && s->p[i] >= 0x40 && s->p[i] < 0x7f ? i + 1 : i);
}

/* Titles and links: to BEL, or to ESC and a backslash. */
static void
skip_command(struct span *s)
{
	size_t i = 0;
	while (i < s->n && i < 4096 && s->p[i] != BEL && s->p[i] != ESC)
		i++;
	*s = span_from(*s, i + (i < s->n && s->p[i] == BEL ? 1 : 0));
}

static void
skip_colour(struct span *s)
{
	if (s->n == 0)
		return;
	uint8_t c = s->p[0];
	*s = span_from(*s, 1);
	if (c == '[') {
		skip_sequence(s);
	} else if (c == ']') {
		skip_command(s);
	}
}

/* The next code point that is text; NOTHING for what is skipped. */
static uint32_t
take(struct span *s)
{
	uint32_t cp = s->p[0] == '\\' ? take_escape(s) : take_utf8(s);

	if (cp == '^' && span_starts(*s, SPAN("[["))) {
		*s = span_from(*s, 2);
		skip_sequence(s);
		return NOTHING;
	}
	if (cp == CSI)
		skip_sequence(s);
	if (cp == ESC)
		skip_colour(s);
	return cp == CSI || cp == ESC ? (uint32_t)NOTHING : cp;
}

/* ---- letters ---- */

/* Punctuation, boxes, arrows, braille spinners, CJK marks, emoji: no letters. */
static bool
is_mark(uint32_t cp)
{
	return cp < 0xc0 || cp == 0xd7 || cp == 0xf7 || (cp >= 0x2000 && cp < 0x2c00) ||
		(cp >= 0x3000 && cp < 0x3040) || (cp >= 0xd800 && cp < 0xf900) ||
		(cp >= 0xfe00 && cp < 0xff10) || cp >= 0x1f000;
}

static uint32_t
fold(uint32_t cp)
{
	if (cp < 0x80)
		return ascii_lower((uint8_t)cp);
	if (cp >= 0xc0 && cp <= 0xde)
		return cp + 0x20;
	if (cp >= 0x410 && cp <= 0x42f)
		return cp + 0x20;
	if (cp >= 0xff10 && cp <= 0xff19) /* full-width digits */
		return cp - 0xff10 + '0';
	return cp;
}

static bool
is_letter(uint32_t cp)
{
	if (cp < 0x80)
		return ascii_is_alpha((uint8_t)cp) || ascii_is_digit((uint8_t)cp);
	return !is_mark(cp);
}

static size_t
put_utf8(uint32_t cp, uint8_t dst[4])
{
	if (cp < 0x80) {
		dst[0] = (uint8_t)cp;
		return 1;
	}
	size_t n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--, cp >>= 6)
		dst[i] = (uint8_t)(0x80 | (cp & 0x3f));
	static const uint8_t heads[] = {0, 0, 0xc0, 0xe0, 0xf0};
	dst[0] = (uint8_t)(heads[n] | cp);
	return n;
}

static void
add_letter(struct plain *p, uint32_t cp, uint8_t mark)
{
	uint8_t octets[4];
	size_t n = put_utf8(fold(cp), octets);

	memcpy(p->letters + p->n, octets, n);
	memset(p->marks + p->n, 0, n);
	p->marks[p->n] = mark;
	p->n += n;
}

static void
add_text(struct plain *p, struct span text)
{
	uint8_t mark = PLAIN_BEGINS;

	while (text.n > 0) {
		uint32_t cp = take(&text);
		if (cp == NOTHING)
			continue;
		if (is_letter(cp)) {
			add_letter(p, cp, mark);
			mark = 0;
		} else {
			mark = cp == '-' ? PLAIN_BEGINS | PLAIN_MINUS : PLAIN_BEGINS;
		}
	}
}

/* ---- log prefixes ---- */

static bool
is_level(struct span word)
{
	static const char *const levels[] = {"error", "err", "err!", "warn", "warning",
		"info", "debug", "notice", "fatal", "trace", "stderr", "stdout", "npm"};
	while (word.n > 0 && (word.p[word.n - 1] == ':' || word.p[word.n - 1] == '|'))
		word = span_first(word, word.n - 1);
	for (size_t i = 0; i < COUNT_OF(levels); i++) {
		if (span_eq_nocase(word, span_str(levels[i])))
			return true;
	}
	return false;
}

/* 2026-11-20T10:00:00.000Z, 10:00:00, 12345.678: digits first, and time's marks. */
static bool
is_time(struct span word)
{
	size_t marks = 0;
	if (word.n < 5 || !ascii_is_digit(word.p[0]))
		return false;
	for (size_t i = 0; i < word.n; i++) {
		uint8_t c = word.p[i];
		if (c == ':' || c == '-' || c == '/') {
			marks++;
		} else if (!ascii_is_digit(c) && span_chr(SPAN("TZ.,+Uu"), c) == 7) {
			return false;
		}
	}
	return marks >= 2;
}

/* Octets of one prefix at the line's front, or 0. */
static size_t
prefix_of(struct span line)
{
	size_t bar = span_chr(line, '|');
	if (bar < PREFIX_MAX && bar < line.n &&
		(bar == 0 || line.p[bar - 1] == ' ' || line.p[bar - 1] == '\t'))
		return bar + 1;
	if (line.n > 0 && line.p[0] == '[') {
		size_t end = span_chr(span_first(line, PREFIX_MAX), ']');
		return end < line.n && line.p[end] == ']' ? end + 1 : 0;
	}
	size_t word = 0;
	while (word < line.n && line.p[word] != ' ' && line.p[word] != '\t')
		word++;
	struct span first = span_first(line, word);
	return is_level(first) || is_time(first) ? word : 0;
}

static struct span
without_prefix(struct span line)
{
	for (size_t i = 0; i < PREFIXES; i++) {
		line = span_trim(line);
		size_t n = prefix_of(line);
		if (n == 0)
			break;
		line = span_from(line, n);
	}
	return line;
}

static void
add_lines(struct plain *p, struct span text)
{
	struct span line;
	while (span_cut(&text, '\n', &line))
		add_text(p, without_prefix(line));
}

/* ---- the whole ---- */

/* Windows PowerShell's > writes UTF-16; the mark in front tells. Surrogates are no
 * letters to us. Result: owned octets of UTF-8. */
static struct span
from_utf16(struct span s, bool big)
{
	uint8_t *dst = mem_alloc(s.n * 2);
	size_t n = 0;
	for (size_t i = 2; i + 1 < s.n; i += 2) {
		uint32_t cp = big ? (uint32_t)s.p[i] << 8 | s.p[i + 1]
				  : (uint32_t)s.p[i + 1] << 8 | s.p[i];
		if (cp < 0xd800 || cp >= 0xe000)
			n += put_utf8(cp, dst + n);
	}
	return span_of(dst, n);
}

void
plain_init(struct plain *p, struct span text, bool drop_prefixes)
{
	struct span wide = {0};

	if (span_starts(text, SPAN("\xff\xfe")) ||
		span_starts(text, SPAN("\xfe\xff"))) {
		text = span_first(text, PLAIN_MAX);
		wide = from_utf16(text, text.p[0] == 0xfe);
		text = wide;
	}
	if (text.n > PLAIN_MAX)
		text = span_from(text, text.n - PLAIN_MAX);
	/* A code point never becomes longer than it was: escapes and folding shorten.
	 */
	*p = (struct plain){
		.letters = mem_alloc(text.n + 4), .marks = mem_alloc(text.n + 4)};
	if (drop_prefixes) {
		add_lines(p, text);
	} else {
		add_text(p, text);
	}
	mem_free((void *)(uintptr_t)wide.p);
}

void
plain_fini(struct plain *p)
{
	mem_free(p->letters);
	mem_free(p->marks);
	*p = (struct plain){0};
}

size_t
plain_letters(struct span text, uint8_t *dst, size_t cap)
{
	size_t n = 0;
	while (text.n > 0) {
		uint32_t cp = take_utf8(&text);
		uint8_t octets[4];
		if (!is_letter(cp))
			continue;
		size_t k = put_utf8(fold(cp), octets);
		if (k > cap - n)
			break;
		memcpy(dst + n, octets, k);
		n += k;
	}
	return n;
}

size_t
plain_find(const struct plain *p, struct span letters, size_t from)
{
	if (from >= p->n || letters.n == 0)
		return p->n;
	const uint8_t *hit =
		memmem(p->letters + from, p->n - from, letters.p, letters.n);
	return hit ? (size_t)(hit - p->letters) : p->n;
}

bool
plain_begins(const struct plain *p, size_t i)
{
	return i >= p->n || (p->marks[i] & PLAIN_BEGINS) != 0;
}

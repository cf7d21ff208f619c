// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

struct text
text_to(char *p, size_t cap)
{
	if (cap > 0)
		p[0] = 0;
	return (struct text){.p = p, .cap = cap};
}

/* Bytes that still fit, the closing NUL set aside. */
static size_t
text_room(const struct text *t)
{
	return t->cap > 0 ? t->cap - 1 - t->n : 0;
}

void
text_addv(struct text *t, const char *fmt, va_list ap)
{
	size_t room = text_room(t);
	char none[1];
	int made = vsnprintf(
		t->cap > 0 ? t->p + t->n : none, t->cap > 0 ? room + 1 : 0, fmt, ap);
	size_t n = made > 0 ? (size_t)made : 0;
	if (n > room) {
		t->cut = true;
		n = room;
	}
	t->n += n;
}

void
text_add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	text_addv(t, fmt, ap);
	va_end(ap);
}

void
text_put(struct text *t, struct span s)
{
	size_t room = text_room(t);
	if (s.n > room) {
		t->cut = true;
		s.n = room;
	}
	if (s.n == 0)
		return;
	memcpy(t->p + t->n, s.p, s.n);
	t->n += s.n;
	t->p[t->n] = 0;
}

/*
 * Length of the well-formed UTF-8 sequence at the front of s, or 0. RFC 3629 §4:
 * shortest forms only, no surrogates, nothing above U+10FFFF.
 */
static size_t
utf8_length(struct span s)
{
	static const struct {
		uint8_t first; /* least and most of the first octet */
		uint8_t last;
		uint8_t low; /* of the second, which rules out what is not shortest */
		uint8_t high;
		uint8_t n;
	} rows[] = {
		{0x00, 0x7f, 0x00, 0x00, 1},
		{0xc2, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3},
		{0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	size_t row = 0;
	while (row < COUNT_OF(rows) && s.p[0] > rows[row].last)
		row++;
	if (row == COUNT_OF(rows) || s.p[0] < rows[row].first || s.n < rows[row].n)
		return 0;
	for (size_t i = 1; i < rows[row].n; i++) {
		uint8_t low = i == 1 ? rows[row].low : 0x80;
		uint8_t high = i == 1 ? rows[row].high : 0xbf;
		if (s.p[i] < low || s.p[i] > high)
			return 0;
	}
	return rows[row].n;
}

bool
text_is_utf8(struct span s)
{
	while (s.n > 0) {
		size_t n = utf8_length(s);
		if (n == 0)
			return false;
		s = span_from(s, n);
	}
	return true;
}

/* U+0080 to U+009F are controls too, and some terminals obey them. */
static bool
is_safe(struct span s, size_t n)
{
	if (n == 0)
		return false;
	if (n == 1)
		return s.p[0] >= 0x20 && s.p[0] != 0x7f && s.p[0] != '\\';
	return !(s.p[0] == 0xc2 && s.p[1] < 0xa0);
}

void
text_put_safe(struct text *t, struct span s)
{
	while (s.n > 0 && !t->cut) {
		size_t n = utf8_length(s);
		if (is_safe(s, n)) {
			text_put(t, span_first(s, n));
		} else {
			n = 1;
			text_add(t, "\\x%02x", s.p[0]);
		}
		s = span_from(s, n);
	}
}

void
text_put_uint(struct text *t, uint64_t v)
{
	text_put_padded(t, v, 1);
}

void
text_put_padded(struct text *t, uint64_t v, unsigned width)
{
	uint8_t digits[TEXT_UINT - 1];
	size_t n = sizeof(digits);
	do {
		digits[--n] = (uint8_t)('0' + v % 10);
		v /= 10;
	} while (n > 0 && (v > 0 || sizeof(digits) - n < width));
	text_put(t, span_of(digits + n, sizeof(digits) - n));
}

void
text_put_hex(struct text *t, struct span s, bool upper)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	for (size_t i = 0; i < s.n; i++) {
		uint8_t pair[2] = {
			(uint8_t)digits[s.p[i] >> 4], (uint8_t)digits[s.p[i] & 15]};
		text_put(t, span_of(pair, sizeof(pair)));
	}
}

struct span
text_span(const struct text *t)
{
	return span_of(t->p, t->n);
}

size_t
text_format(char *dst, size_t cap, const char *fmt, ...)
{
	struct text t = text_to(dst, cap);
	va_list ap;
	va_start(ap, fmt);
	text_addv(&t, fmt, ap);
	va_end(ap);
	return t.n;
}

bool
text_to_buf(struct buf *b, const char *fmt, ...)
{
	char line[4096];
	struct text t = text_to(line, sizeof(line));
	va_list ap;
	va_start(ap, fmt);
	text_addv(&t, fmt, ap);
	va_end(ap);
	return !t.cut && buf_put(b, text_span(&t));
}

void
text_out(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	(void)vfprintf(stdout, fmt, ap); /* text_flush() asks ferror() */
	va_end(ap);
}

void
text_out_span(struct span s)
{
	(void)fwrite(s.p, 1, s.n, stdout);
}

void
text_err(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap); /* where else could we say it */
	va_end(ap);
}

bool
text_flush(void)
{
	return fflush(stdout) == 0 && ferror(stdout) == 0;
}

bool
text_colours(void)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	return isatty(STDOUT_FILENO) == 1 && !(no && *no) &&
		!(term && strcmp(term, "dumb") == 0);
}

bool
text_u64(struct span s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_is_digit(s.p[i]) || __builtin_mul_overflow(v, 10, &v) ||
			__builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
			return false;
	}
	if (v > max)
		return false;
	*out = v;
	return true;
}

bool
text_i64(struct span s, int64_t *out)
{
	bool minus = s.n > 0 && s.p[0] == '-';
	uint64_t v = 0;
	uint64_t max = (uint64_t)INT64_MAX + (minus ? 1 : 0);
	if (!text_u64(minus ? span_from(s, 1) : s, max, &v))
		return false;
	*out = minus ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

bool
text_unhex(struct span s, uint8_t *dst, size_t cap, size_t *n)
{
	if (s.n % 2 != 0 || s.n / 2 > cap)
		return false;
	for (size_t i = 0; i < s.n; i += 2) {
		int high = ascii_hex(s.p[i]);
		int low = ascii_hex(s.p[i + 1]);
		if (high < 0 || low < 0)
			return false;
		dst[i / 2] = (uint8_t)(high << 4 | low);
	}
	*n = s.n / 2;
	return true;
}

static int
base64_digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (ascii_is_digit(c))
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

bool
text_unbase64(struct span s, uint8_t *dst, size_t cap, size_t *n)
{
	for (int pad = 0; pad < 2 && s.n % 4 == (pad == 0 ? 0 : 3) && s.n > 0 &&
		s.p[s.n - 1] == '=';
		pad++)
		s.n--;
	size_t made = s.n / 4 * 3 + (s.n % 4 > 0 ? s.n % 4 - 1 : 0);
	if (s.n % 4 == 1 || made > cap)
		return false;
	uint32_t bits = 0;
	size_t out = 0;
	for (size_t i = 0; i < s.n; i++) {
		int digit = base64_digit(s.p[i]);
		if (digit < 0)
			return false;
		bits = bits << 6 | (uint32_t)digit;
		if (i % 4 == 0)
			continue;
		dst[out++] = (uint8_t)(bits >> (6 - 2 * (i % 4)) & 0xff);
	}
	*n = out;
	return true;
}

void
text_put_base64(struct text *t, struct span s)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < s.n; i += 3) {
		size_t have = s.n - i < 3 ? s.n - i : 3;
		uint32_t bits = (uint32_t)s.p[i] << 16;
		bits |= have > 1 ? (uint32_t)s.p[i + 1] << 8 : 0;
		bits |= have > 2 ? s.p[i + 2] : 0;
		char four[] = "====";
		for (size_t k = 0; k <= have; k++)
			four[k] = digits[bits >> (18 - 6 * k) & 63];
		text_put(t, span_of(four, 4));
	}
}

static size_t
least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;
	return ab < c ? ab : c;
}

/* Levenshtein, one row kept. */
size_t
text_distance(struct span a, struct span b)
{
	size_t row[65];
	a = span_first(a, 64);
	b = span_first(b, 64);
	for (size_t j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 0; i < a.n; i++) {
		size_t diagonal = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < b.n; j++) {
			size_t swap = diagonal + (a.p[i] == b.p[j] ? 0 : 1);
			diagonal = row[j + 1];
			row[j + 1] = least(swap, row[j] + 1, row[j + 1] + 1);
		}
	}
	return row[b.n];
}

size_t
text_nearest(struct span s, const char *const *names, size_t n)
{
	size_t best = n;
	size_t best_distance = s.n / 3 + 2;
	for (size_t i = 0; i < n; i++) {
		size_t d = text_distance(s, span_str(names[i]));
		if (d < best_distance) {
			best = i;
			best_distance = d;
		}
	}
	return best;
}

const char *
text_size(char dst[24], uint64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	size_t unit = 0;
	double v = (double)bytes;
	while (v >= 1024 && unit + 1 < COUNT_OF(units)) {
		v /= 1024;
		unit++;
	}
	text_format(
		dst, 24, unit > 0 && v < 10 ? "%.1f %s" : "%.0f %s", v, units[unit]);
	return dst;
}

const char *
text_duration(char dst[24], uint64_t ms)
{
	static const struct {
		uint64_t ms;
		const char *name;
	} units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "min"}, {1000, "s"},
		{1, "ms"}};

	for (size_t i = 0; i + 1 < COUNT_OF(units); i++) {
		if (ms < units[i].ms)
			continue;
		uint64_t rest = ms % units[i].ms / units[i + 1].ms;
		struct text t = text_to(dst, 24);
		text_add(&t, "%llu %s", (unsigned long long)(ms / units[i].ms),
			units[i].name);
		if (rest > 0) {
			text_add(&t, " %llu %s", (unsigned long long)rest,
				units[i + 1].name);
		}
		return dst;
	}
	text_format(dst, 24, "%llu ms", (unsigned long long)ms);
	return dst;
}

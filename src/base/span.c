// SPDX-License-Identifier: Apache-2.0
#include "base/span.h"

#include <string.h>

struct span
span_str(const char *s)
{
	return s ? span_of(s, strlen(s)) : (struct span){0};
}

struct span
span_of(const void *p, size_t n)
{
	return (struct span){p, n};
}

bool
span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
span_eq_nocase(struct span a, struct span b)
{
	if (a.n != b.n)
		return false;
	if (span_eq(a, b)) /* as most do */
		return true;
	for (size_t i = 0; i < a.n; i++) {
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	}
	return true;
}

bool
span_starts(struct span s, struct span prefix)
{
	return s.n >= prefix.n && span_eq(span_first(s, prefix.n), prefix);
}

bool
span_ends(struct span s, struct span suffix)
{
	return s.n >= suffix.n && span_eq(span_from(s, s.n - suffix.n), suffix);
}

int
span_cmp(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n > 0 ? memcmp(a.p, b.p, n) : 0;
	if (order != 0)
		return order;
	return (a.n > b.n) - (a.n < b.n);
}

/* No object is larger; said, because GCC guesses otherwise when it inlines searches. */
static bool
has_bytes(struct span s)
{
	return s.n > 0 && s.n <= PTRDIFF_MAX;
}

size_t
span_chr(struct span s, uint8_t c)
{
	const uint8_t *at = has_bytes(s) ? memchr(s.p, c, s.n) : NULL;
	return at ? (size_t)(at - s.p) : s.n;
}

size_t
span_rchr(struct span s, uint8_t c)
{
	const uint8_t *at = has_bytes(s) ? memrchr(s.p, c, s.n) : NULL;
	return at ? (size_t)(at - s.p) : s.n;
}

size_t
span_find(struct span s, struct span needle)
{
	if (needle.n == 0)
		return 0;
	const uint8_t *at = has_bytes(s) ? memmem(s.p, s.n, needle.p, needle.n) : NULL;
	return at ? (size_t)(at - s.p) : s.n;
}

struct span
span_from(struct span s, size_t from)
{
	if (from >= s.n)
		return (struct span){s.p ? s.p + s.n : NULL, 0};
	return (struct span){s.p + from, s.n - from};
}

struct span
span_first(struct span s, size_t n)
{
	return (struct span){s.p, n < s.n ? n : s.n};
}

struct span
span_slice(struct span s, size_t from, size_t to)
{
	return to <= from ? span_first(span_from(s, from), 0)
			  : span_from(span_first(s, to), from);
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span
span_trim(struct span s)
{
	while (s.n > 0 && is_blank(s.p[0]))
		s = span_from(s, 1);
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool
span_cut(struct span *rest, uint8_t c, struct span *piece)
{
	if (rest->n == 0)
		return false;
	size_t at = span_chr(*rest, c);
	*piece = span_first(*rest, at);
	*rest = span_from(*rest, at + 1);
	return true;
}

bool
span_copy(char *dst, size_t cap, struct span s)
{
	bool fits = s.n < cap && span_chr(s, 0) == s.n;
	size_t n = fits ? s.n : 0;
	if (n > 0)
		memcpy(dst, s.p, n);
	if (cap > 0)
		dst[n] = 0;
	return fits;
}

void
span_lower(uint8_t *dst, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		dst[i] = ascii_lower(s.p[i]);
}

uint8_t
ascii_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

bool
ascii_is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

bool
ascii_is_alpha(uint8_t c)
{
	uint8_t low = ascii_lower(c);
	return low >= 'a' && low <= 'z';
}

int
ascii_hex(uint8_t c)
{
	if (ascii_is_digit(c))
		return c - '0';
	uint8_t low = ascii_lower(c);
	return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

bool
size_add(size_t a, size_t b, size_t *sum)
{
	return !__builtin_add_overflow(a, b, sum);
}

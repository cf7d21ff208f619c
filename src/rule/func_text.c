// SPDX-License-Identifier: Apache-2.0
/*
 * func_text: functions that take strings apart and put them together.
 *
 * No room in the scratch makes the result missing.
 */
#include <string.h>

#include "base/text.h"
#include "rule/func_priv.h"
#include "rule/scratch_priv.h"

static struct value
string_of(const uint8_t *p, size_t n)
{
	return value_string(span_of(p, n));
}

struct value
function_lower(const struct call *c)
{
	struct span s = c->args[0].s;
	uint8_t *dst = scratch_take(c->scratch, s.n);
	if (dst == NULL)
		return value_missing();
	span_lower(dst, s);
	return string_of(dst, s.n);
}

struct value
function_upper(const struct call *c)
{
	struct span s = c->args[0].s;
	uint8_t *dst = scratch_take(c->scratch, s.n);
	if (dst == NULL)
		return value_missing();
	for (size_t i = 0; i < s.n; i++) {
		bool small = s.p[i] >= 'a' && s.p[i] <= 'z';
		dst[i] = small ? (uint8_t)(s.p[i] - 'a' + 'A') : s.p[i];
	}
	return string_of(dst, s.n);
}

struct value
function_len(const struct call *c)
{
	return value_int((int64_t)value_len(&c->args[0]));
}

struct value
function_starts_with(const struct call *c)
{
	return value_bool(span_starts(c->args[0].s, c->args[1].s));
}

struct value
function_ends_with(const struct call *c)
{
	return value_bool(span_ends(c->args[0].s, c->args[1].s));
}

static struct value
concat_arrays(const struct call *c, size_t total)
{
	struct value *items = scratch_take(c->scratch, total * sizeof(*items));
	if (items == NULL)
		return value_missing();
	size_t n = 0;
	for (size_t i = 0; i < c->n; i++) {
		for (size_t k = 0; k < value_len(&c->args[i]); k++)
			items[n++] = value_at(&c->args[i], k);
	}
	return value_array(items, n);
}

struct value
function_concat(const struct call *c)
{
	size_t total = 0;
	const struct value *present = NULL;
	for (size_t i = 0; i < c->n; i++) {
		total += value_len(&c->args[i]);
		if (c->args[i].kind != VALUE_MISSING)
			present = &c->args[i];
	}
	if (present == NULL)
		return value_missing();
	if (present->kind != VALUE_STRING)
		return concat_arrays(c, total);

	uint8_t *dst = scratch_take(c->scratch, total);
	if (dst == NULL)
		return value_missing();
	size_t n = 0;
	for (size_t i = 0; i < c->n; i++) {
		struct span s = c->args[i].s;
		if (c->args[i].kind != VALUE_STRING || s.n == 0)
			continue;
		memcpy(dst + n, s.p, s.n);
		n += s.n;
	}
	return string_of(dst, n);
}

static size_t
append(uint8_t *dst, size_t n, struct span s)
{
	if (s.n > 0)
		memcpy(dst + n, s.p, s.n);
	return n + s.n;
}

struct value
function_join(const struct call *c)
{
	const struct value *array = &c->args[0];
	struct span between = c->args[1].s;
	size_t total = 0;
	for (size_t i = 0; i < value_len(array); i++) {
		struct value item = value_at(array, i);
		total += value_len(&item) + between.n;
	}
	uint8_t *dst = scratch_take(c->scratch, total);
	if (dst == NULL)
		return value_missing();
	size_t n = 0;
	for (size_t i = 0; i < value_len(array); i++) {
		struct value item = value_at(array, i);
		n = append(dst, n, i == 0 ? (struct span){0} : between);
		n = append(
			dst, n, item.kind == VALUE_STRING ? item.s : (struct span){0});
	}
	return string_of(dst, n);
}

struct value
function_split(const struct call *c)
{
	struct span rest = c->args[0].s;
	struct span separator = c->args[1].s;
	size_t limit = (size_t)c->args[2].i;
	struct value *items = scratch_take(c->scratch, limit * sizeof(*items));
	if (items == NULL)
		return value_missing();
	size_t n = 0;
	while (n + 1 < limit) {
		size_t at = span_find(rest, separator);
		if (at == rest.n)
			break;
		items[n++] = value_string(span_first(rest, at));
		rest = span_from(rest, at + separator.n);
	}
	items[n++] = value_string(rest);
	return value_array(items, n);
}

/* Clamped to the string; a negative one counts from its end. */
static size_t
position(int64_t at, size_t n)
{
	if (at < 0)
		at = at < -(int64_t)n ? 0 : at + (int64_t)n;
	return at > (int64_t)n ? n : (size_t)at;
}

struct value
function_substring(const struct call *c)
{
	struct span s = c->args[0].s;
	size_t from = position(c->args[1].i, s.n);
	size_t to = c->n == 3 ? position(c->args[2].i, s.n) : s.n;
	return value_string(
		to < from ? span_slice(s, from, from) : span_slice(s, from, to));
}

struct value
function_remove_bytes(const struct call *c)
{
	struct span s = c->args[0].s;
	uint8_t *dst = scratch_take(c->scratch, s.n);
	if (dst == NULL)
		return value_missing();
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (span_chr(c->args[1].s, s.p[i]) == c->args[1].s.n)
			dst[n++] = s.p[i];
	}
	return string_of(dst, n);
}

/* Up to `digits` hex digits as a number, or -1. */
static int
hex_number(struct span s, size_t digits)
{
	int v = 0;
	if (s.n < digits)
		return -1;
	for (size_t i = 0; i < digits; i++) {
		int d = ascii_hex(s.p[i]);
		if (d < 0)
			return -1;
		v = v * 16 + d;
	}
	return v;
}

/* A code point of 16 bits as UTF-8: at most three octets. */
static size_t
put_utf8(uint8_t *dst, unsigned c)
{
	if (c < 0x80) {
		dst[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		dst[0] = (uint8_t)(0xc0 | c >> 6);
		dst[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	dst[0] = (uint8_t)(0xe0 | (c >> 12 & 0x0f));
	dst[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	dst[2] = (uint8_t)(0x80 | (c & 0x3f));
	return 3;
}

static size_t
put_utf8_or_octet(uint8_t *dst, unsigned c, bool utf8)
{
	if (utf8)
		return put_utf8(dst, c);
	dst[0] = (uint8_t)c;
	return 1;
}

static bool
is_surrogate(int c)
{
	return c >= 0xd800 && c <= 0xdfff;
}

/* One pass. Decoding never lengthens; a stray % stays. */
static size_t
decode_once(uint8_t *dst, struct span s, bool wide)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		struct span behind = span_from(s, i + 1);
		bool percent = s.p[i] == '%';
		int v = percent ? hex_number(behind, 2) : -1;
		if (v >= 0) {
			dst[n++] = (uint8_t)v;
			i += 2;
			continue;
		}
		bool marked = wide && percent && behind.n > 0 &&
			(behind.p[0] == 'u' || behind.p[0] == 'U');
		v = marked ? hex_number(span_from(behind, 1), 4) : -1;
		if (v >= 0 && !is_surrogate(v)) {
			n += put_utf8(dst + n, (unsigned)v);
			i += 5;
			continue;
		}
		dst[n++] = s.p[i] == '+' ? ' ' : s.p[i];
	}
	return n;
}

/* The escape that ends at n, as a number, and its length; or -1. */
static int
escape_before(const uint8_t *p, size_t n, bool wide, size_t *len)
{
	*len = 3;
	if (n >= 3 && p[n - 3] == '%')
		return hex_number(span_of(p + n - 2, 2), 2);
	*len = 6;
	if (!wide || n < 6 || p[n - 6] != '%' || (p[n - 5] != 'u' && p[n - 5] != 'U'))
		return -1;
	int v = hex_number(span_of(p + n - 4, 4), 4);
	return is_surrogate(v) ? -1 : v;
}

/*
 * Until nothing changes, in one pass: escapes never overlap, so the order of decoding
 * does not matter, and what has been put out is looked at again after each octet. Pass
 * by pass would cost the square of a text such as %25252525….
 */
static size_t
decode_stable(uint8_t *dst, struct span s, bool wide)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		dst[n++] = s.p[i] == '+' ? ' ' : s.p[i];
		size_t len;
		int v = escape_before(dst, n, wide, &len);
		while (v >= 0) {
			n -= len;
			n += put_utf8_or_octet(dst + n, (unsigned)v, len == 6);
			if (dst[n - 1] == '+')
				dst[n - 1] = ' ';
			v = escape_before(dst, n, wide, &len);
		}
	}
	return n;
}

struct value
function_url_decode(const struct call *c)
{
	struct span s = c->args[0].s;
	struct span options = c->n == 2 ? c->args[1].s : (struct span){0};
	bool repeat = span_chr(options, 'r') < options.n;
	bool wide = span_chr(options, 'u') < options.n;
	uint8_t *dst = scratch_take(c->scratch, s.n);
	if (dst == NULL)
		return value_missing();
	return string_of(
		dst, repeat ? decode_stable(dst, s, wide) : decode_once(dst, s, wide));
}

struct value
function_decode_base64(const struct call *c)
{
	struct span s = c->args[0].s;
	size_t n = 0;
	uint8_t *dst = scratch_take(c->scratch, s.n + 4);
	if (dst == NULL || !text_unbase64(s, dst, s.n + 4, &n))
		return value_missing();
	return string_of(dst, n);
}

struct value
function_to_string(const struct call *c)
{
	enum { ROOM = 64 };
	char *dst = scratch_take(c->scratch, ROOM);
	if (dst == NULL)
		return value_missing();
	struct text t = text_to(dst, ROOM);
	value_put(&t, &c->args[0]);
	return value_string(text_span(&t));
}

static bool
is_named(const struct call *c, struct span argument)
{
	struct span name = span_first(argument, span_chr(argument, '='));
	for (size_t i = 1; i < c->n; i++) {
		if (span_eq(name, c->args[i].s))
			return true;
	}
	return false;
}

struct value
function_remove_query_args(const struct call *c)
{
	struct span rest = c->args[0].s;
	struct span argument;
	uint8_t *dst = scratch_take(c->scratch, rest.n);
	if (dst == NULL)
		return value_missing();
	size_t n = 0;
	bool first = true;
	while (span_cut(&rest, '&', &argument)) {
		if (is_named(c, argument))
			continue;
		if (!first)
			dst[n++] = '&';
		n = append(dst, n, argument);
		first = false;
	}
	return string_of(dst, n);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * func_json: a value inside a JSON text, found without building the text's tree.
 *
 * The text is a body from a stranger, perhaps cut short: what stands before the value
 * is stepped over with a bounded depth and no memory, what stands behind is not looked
 * at.
 */
#include <string.h>

#include "base/text.h"
#include "rule/func_priv.h"
#include "rule/scratch_priv.h"

enum { JSON_DEPTH_MAX = 64 };

struct cursor {
	struct span s;
	size_t at;
};

static void
skip_blanks(struct cursor *c)
{
	while (c->at < c->s.n &&
		(c->s.p[c->at] == ' ' || c->s.p[c->at] == '\t' ||
			c->s.p[c->at] == '\n' || c->s.p[c->at] == '\r'))
		c->at++;
}

static bool
take(struct cursor *c, uint8_t what)
{
	skip_blanks(c);
	if (c->at == c->s.n || c->s.p[c->at] != what)
		return false;
	c->at++;
	return true;
}

/* Between the quotes, escapes as written. */
static bool
take_string(struct cursor *c, struct span *inside)
{
	if (!take(c, '"'))
		return false;
	size_t from = c->at;
	while (c->at < c->s.n && c->s.p[c->at] != '"')
		c->at += c->s.p[c->at] == '\\' ? 2 : 1;
	if (c->at >= c->s.n)
		return false;
	*inside = span_slice(c->s, from, c->at++);
	return true;
}

/* A number or a word. */
static bool
skip_bare(struct cursor *c)
{
	size_t from = c->at;
	while (c->at < c->s.n) {
		uint8_t o = c->s.p[c->at];
		if (!ascii_is_alpha(o) && !ascii_is_digit(o) && o != '-' && o != '+' &&
			o != '.')
			break;
		c->at++;
	}
	return c->at > from;
}

/* One bracket, sign, string or bare word; *depth counts open brackets. */
static bool
skip_piece(struct cursor *c, size_t *depth)
{
	struct span unused;
	skip_blanks(c);
	uint8_t o = c->at < c->s.n ? c->s.p[c->at] : 0;
	bool opens = o == '{' || o == '[';
	bool closes = o == '}' || o == ']';
	if (opens || (*depth > 0 && (closes || o == ',' || o == ':'))) {
		*depth += opens;
		*depth -= closes;
		c->at++;
		return *depth <= JSON_DEPTH_MAX;
	}
	return o == '"' ? take_string(c, &unused) : skip_bare(c);
}

/* A whole value of any kind. Brackets are only counted: the text may be malformed
 * inside without harm. */
static bool
skip_value(struct cursor *c)
{
	size_t depth = 0;
	do {
		if (!skip_piece(c, &depth))
			return false;
	} while (depth > 0);
	return true;
}

/* Four hex digits behind \u, or -1. */
static int
read_unit(struct span s)
{
	int v = 0;
	if (s.n < 4)
		return -1;
	for (size_t i = 0; i < 4; i++) {
		if (ascii_hex(s.p[i]) < 0)
			return -1;
		v = v * 16 + ascii_hex(s.p[i]);
	}
	return v;
}

static size_t
put_point(uint8_t *dst, unsigned c)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const uint8_t marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
	for (size_t i = n; i-- > 1; c >>= 6)
		dst[i] = (uint8_t)(0x80 | (c & 0x3f));
	dst[0] = (uint8_t)(marks[n] | c);
	return n;
}

/* A \u escape at s (behind the u), with its low surrogate if it needs one. */
static bool
unescape_unit(struct span s, uint8_t *dst, size_t *made, size_t *used)
{
	int high = read_unit(s);
	*used = 4;
	if (high < 0)
		return false;
	unsigned c = (unsigned)high;
	if (c >= 0xd800 && c <= 0xdfff) {
		struct span behind = span_from(s, 4);
		int low = span_starts(behind, SPAN("\\u"))
			? read_unit(span_from(behind, 2))
			: -1;
		if (c > 0xdbff || low < 0xdc00 || low > 0xdfff)
			return false;
		c = 0x10000 + ((c - 0xd800) << 10) + ((unsigned)low - 0xdc00);
		*used = 10;
	}
	*made = put_point(dst, c);
	return true;
}

/* dst has room for as many octets as the text has: escapes only shrink. */
static bool
unescape(struct span s, uint8_t *dst, size_t *n)
{
	static const struct span from = SPAN_INIT("\"\\/bfnrt");
	static const struct span to = SPAN_INIT("\"\\/\b\f\n\r\t");
	*n = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '\\') {
			dst[(*n)++] = s.p[i];
			continue;
		}
		if (++i == s.n)
			return false;
		size_t simple = span_chr(from, s.p[i]);
		if (simple < from.n) {
			dst[(*n)++] = to.p[simple];
			continue;
		}
		size_t made = 0;
		size_t used = 0;
		if (s.p[i] != 'u' ||
			!unescape_unit(span_from(s, i + 1), dst + *n, &made, &used))
			return false;
		*n += made;
		i += used;
	}
	return true;
}

/* Whether the key as written is this one; only a key with escapes needs room. */
static bool
is_key(struct span written, struct span key, struct scratch *scratch)
{
	if (span_chr(written, '\\') == written.n)
		return span_eq(written, key);
	size_t mark = scratch->used;
	size_t n = 0;
	uint8_t *dst = scratch_take(scratch, written.n);
	bool same = dst != NULL && unescape(written, dst, &n) &&
		span_eq(span_of(dst, n), key);
	scratch_back(scratch, mark);
	return same;
}

static bool
enter_object(struct cursor *c, struct span key, struct scratch *scratch)
{
	struct span written;
	if (!take(c, '{'))
		return false;
	while (take_string(c, &written) && take(c, ':')) {
		if (is_key(written, key, scratch)) {
			skip_blanks(c);
			return true;
		}
		if (!skip_value(c) || !take(c, ','))
			return false;
		skip_blanks(c);
	}
	return false;
}

static bool
enter_array(struct cursor *c, int64_t position)
{
	if (!take(c, '['))
		return false;
	for (; position > 0; position--) {
		if (!skip_value(c) || !take(c, ','))
			return false;
	}
	skip_blanks(c);
	return c->at < c->s.n && c->s.p[c->at] != ']';
}

static bool
find_value(const struct call *call, struct cursor *c)
{
	*c = (struct cursor){.s = call->args[0].s};
	skip_blanks(c);
	for (size_t i = 1; i < call->n; i++) {
		const struct value *step = &call->args[i];
		bool ok = step->kind == VALUE_STRING
			? enter_object(c, step->s, call->scratch)
			: enter_array(c, step->i);
		if (!ok)
			return false;
	}
	return true;
}

struct value
function_lookup_json_string(const struct call *call)
{
	struct cursor c;
	struct span written;
	size_t n = 0;
	if (!find_value(call, &c) || !take_string(&c, &written))
		return value_missing();
	uint8_t *dst = scratch_take(call->scratch, written.n);
	if (dst == NULL || !unescape(written, dst, &n))
		return value_missing();
	return value_string(span_of(dst, n));
}

/* A plain whole number as JSON writes it: 42.0, 4e1 and 042 are none. */
struct value
function_lookup_json_integer(const struct call *call)
{
	struct cursor c;
	int64_t v;
	if (!find_value(call, &c))
		return value_missing();
	size_t from = c.at;
	if (!skip_bare(&c))
		return value_missing();
	struct span number = span_slice(c.s, from, c.at);
	struct span digits = number.p[0] == '-' ? span_from(number, 1) : number;
	bool padded = digits.n > 1 && digits.p[0] == '0';
	if (digits.n == 0 || !ascii_is_digit(digits.p[0]) || padded ||
		!text_i64(number, &v))
		return value_missing();
	return value_int(v);
}

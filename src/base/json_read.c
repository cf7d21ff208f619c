// SPDX-License-Identifier: Apache-2.0
/* The reading half of json.h (RFC 8259): one pass, recursion bounded by MOST_DEPTH. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"

enum { MOST_DEPTH = 64 };

struct reader {
	struct span all;
	size_t at;
	struct arena *arena; /* borrowed */
	const char *why;     /* set once, at the first fault */
	unsigned depth;
};

static bool
fail(struct reader *r, const char *why)
{
	if (!r->why)
		r->why = why;
	return false;
}

static int
peek(const struct reader *r)
{
	return r->at < r->all.n ? r->all.p[r->at] : -1;
}

static void
skip_blanks(struct reader *r)
{
	int c = peek(r);
	while (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
		r->at++;
		c = peek(r);
	}
}

static bool
take(struct reader *r, int c)
{
	if (peek(r) != c)
		return false;
	r->at++;
	return true;
}

static bool
read_hex4(struct reader *r, uint32_t *out)
{
	uint32_t v = 0;
	for (int i = 0; i < 4; i++) {
		int digit = peek(r) < 0 ? -1 : ascii_hex((uint8_t)peek(r));
		if (digit < 0)
			return fail(r, "a \\u escape needs four hexadecimal digits");
		v = v << 4 | (uint32_t)digit;
		r->at++;
	}
	*out = v;
	return true;
}

/* A surrogate pair is one character; half of one is none (RFC 8259 §7). */
static bool
read_unicode(struct reader *r, uint32_t *out)
{
	uint32_t low = 0;
	if (!read_hex4(r, out))
		return false;
	if (*out < 0xd800 || *out > 0xdfff)
		return true;
	if (*out > 0xdbff || !take(r, '\\') || !take(r, 'u') || !read_hex4(r, &low) ||
		low < 0xdc00 || low > 0xdfff)
		return fail(r, "half a surrogate pair");
	*out = 0x10000 + ((*out - 0xd800) << 10) + (low - 0xdc00);
	return true;
}

static size_t
put_utf8(uint8_t *dst, uint32_t c)
{
	if (c < 0x80) {
		dst[0] = (uint8_t)c;
		return 1;
	}
	size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	for (size_t i = n - 1; i > 0; i--) {
		dst[i] = (uint8_t)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	dst[0] = (uint8_t)(lead[n] | c);
	return n;
}

static bool
read_escape(struct reader *r, uint8_t *dst, size_t *n)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	int c = peek(r);
	uint32_t wide = 0;
	r->at++;
	if (c == 'u') {
		if (!read_unicode(r, &wide))
			return false;
		*n += put_utf8(dst + *n, wide);
		return true;
	}
	const char *found = c > 0 ? strchr(from, c) : NULL;
	if (!found)
		return fail(r, "an escape that JSON does not have");
	dst[(*n)++] = (uint8_t)to[found - from];
	return true;
}

/* The end of the string's raw text: the closing quote, escapes stepped over. */
static bool
find_quote(const struct reader *r, size_t *end)
{
	size_t i = r->at;
	while (i < r->all.n && r->all.p[i] != '"')
		i += r->all.p[i] == '\\' ? 2 : 1;
	*end = i;
	return i < r->all.n;
}

static bool
read_string(struct reader *r, struct span *out)
{
	size_t end = 0;
	if (!find_quote(r, &end))
		return fail(r, "a string without its closing quote");
	if (end - r->at + 16 > arena_room(r->arena))
		return fail(r, "more than is allowed at once");
	uint8_t *dst = arena_alloc(r->arena, end - r->at + 1);
	size_t n = 0;
	while (r->at < end) {
		uint8_t c = r->all.p[r->at++];
		if (c < 0x20)
			return fail(r, "a control character inside a string");
		if (c != '\\') {
			dst[n++] = c;
		} else if (!read_escape(r, dst, &n)) {
			return false;
		}
	}
	if (!take(r, '"'))
		return fail(r, "a string without its closing quote");
	*out = span_of(dst, n);
	return text_is_utf8(*out) || fail(r, "a string that is not UTF-8");
}

static size_t
take_digits(struct reader *r)
{
	size_t n = 0;
	while (peek(r) >= '0' && peek(r) <= '9') {
		r->at++;
		n++;
	}
	return n;
}

static bool
read_number(struct reader *r, struct json *v)
{
	size_t start = r->at;
	(void)take(r, '-');
	bool zero = peek(r) == '0';
	size_t whole = take_digits(r);
	if (whole == 0 || (zero && whole > 1))
		return fail(r, "a number that is not written as JSON wants");
	if (take(r, '.') && take_digits(r) == 0)
		return fail(r, "a fraction without digits");
	if (take(r, 'e') || take(r, 'E')) {
		if (!take(r, '-'))
			(void)take(r, '+');
		if (take_digits(r) == 0)
			return fail(r, "an exponent without digits");
	}
	v->type = JSON_NUMBER;
	v->text = arena_copy(r->arena, span_slice(r->all, start, r->at));
	return true;
}

static bool
read_word(struct reader *r, struct json *v)
{
	static const struct {
		const char *word;
		enum json_type type;
	} words[] = {{"true", JSON_TRUE}, {"false", JSON_FALSE}, {"null", JSON_NULL}};
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		struct span word = span_str(words[i].word);
		if (!span_starts(span_from(r->all, r->at), word))
			continue;
		r->at += word.n;
		v->type = words[i].type;
		return true;
	}
	return fail(r, "something that is no JSON value");
}

static bool read_value(struct reader *r, struct json *v);

static bool
read_key(struct reader *r, const struct json *object, struct json *v)
{
	skip_blanks(r);
	if (!take(r, '"'))
		return fail(r, "an object member without a quoted name");
	if (!read_string(r, &v->key))
		return false;
	for (const struct json *it = object->first; it; it = it->next) {
		if (span_eq(it->key, v->key))
			return fail(r, "a name that stands twice in one object");
	}
	skip_blanks(r);
	return take(r, ':') || fail(r, "a name without a colon");
}

static bool
read_member(struct reader *r, struct json *parent, struct json **last)
{
	if (arena_room(r->arena) < sizeof(struct json) + 64)
		return fail(r, "more than is allowed at once");
	struct json *v = arena_alloc(r->arena, sizeof(*v));
	if (parent->type == JSON_OBJECT && !read_key(r, parent, v))
		return false;
	if (!read_value(r, v))
		return false;
	if (*last) {
		(*last)->next = v;
	} else {
		parent->first = v;
	}
	*last = v;
	parent->n++;
	return true;
}

static bool
read_members(struct reader *r, struct json *v, int close)
{
	struct json *last = NULL;
	skip_blanks(r);
	if (take(r, close))
		return true;
	for (;;) {
		if (!read_member(r, v, &last))
			return false;
		skip_blanks(r);
		if (take(r, close))
			return true;
		if (!take(r, ','))
			return fail(r, "a missing comma or closing bracket");
	}
}

static bool
read_scope(struct reader *r, struct json *v, enum json_type type, int close)
{
	if (++r->depth > MOST_DEPTH)
		return fail(r, "deeper nesting than is allowed");
	v->type = type;
	bool ok = read_members(r, v, close);
	r->depth--;
	return ok;
}

static bool
read_value(struct reader *r, struct json *v)
{
	skip_blanks(r);
	if (take(r, '{'))
		return read_scope(r, v, JSON_OBJECT, '}');
	if (take(r, '['))
		return read_scope(r, v, JSON_ARRAY, ']');
	if (take(r, '"')) {
		v->type = JSON_STRING;
		return read_string(r, &v->text);
	}
	if (peek(r) == '-' || (peek(r) >= '0' && peek(r) <= '9'))
		return read_number(r, v);
	return read_word(r, v);
}

static bool
report(const struct reader *r, struct err *err)
{
	size_t line = 1;
	size_t column = 1;
	for (size_t i = 0; i < r->at && i < r->all.n; i++) {
		column = r->all.p[i] == '\n' ? 1 : column + 1;
		line += r->all.p[i] == '\n';
	}
	return err_set(err, ERR_JSON, "line %zu column %zu: %s", line, column, r->why);
}

bool
json_parse(struct span s, struct arena *a, struct json **out, struct err *err)
{
	struct reader r = {.all = s, .arena = a};
	if (arena_room(a) < sizeof(struct json) + 64)
		return err_set(err, ERR_JSON, "no room to read into");
	struct json *v = arena_alloc(a, sizeof(*v));
	if (!read_value(&r, v))
		return report(&r, err);
	skip_blanks(&r);
	if (r.at < s.n) {
		(void)fail(&r, "something behind the end of the value");
		return report(&r, err);
	}
	*out = v;
	return true;
}

const struct json *
json_get(const struct json *j, const char *key)
{
	if (!j || j->type != JSON_OBJECT)
		return NULL;
	const struct json *it = j->first;
	while (it && !span_eq(it->key, span_str(key)))
		it = it->next;
	return it;
}

struct span
json_string(const struct json *j)
{
	return j && j->type == JSON_STRING ? j->text : (struct span){0};
}

bool
json_integer(const struct json *j, int64_t *out)
{
	return j && j->type == JSON_NUMBER && text_i64(j->text, out);
}

bool
json_truth(const struct json *j)
{
	return j && j->type == JSON_TRUE;
}

// SPDX-License-Identifier: Apache-2.0
/* json: the writer. The reader is in json_read.c. */
#include "base/json.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "base/text.h"

enum { MOST_DEPTH = 60 };

void
json_init(struct json_out *j, size_t limit)
{
	*j = (struct json_out){.limit = limit};
}

void
json_fini(struct json_out *j)
{
	mem_free(j->p);
	*j = (struct json_out){.limit = j->limit};
}

void
json_reset(struct json_out *j)
{
	j->n = 0;
	j->depth = 0;
	j->comma = false;
	j->cut = false;
}

struct span
json_text(const struct json_out *j)
{
	return span_of(j->p, j->n);
}

/* Where n octets may be written, to be added to j->n; NULL when they do not fit. */
static uint8_t *
room_for(struct json_out *j, size_t n)
{
	if (j->cut || n > j->limit - j->n)
		return NULL;
	if (n > j->cap - j->n)
		j->p = mem_grow(j->p, &j->cap, j->n + n, 1);
	return (uint8_t *)j->p + j->n;
}

static void
put(struct json_out *j, struct span s)
{
	uint8_t *at = room_for(j, s.n);

	if (!at) {
		j->cut = true;
		return;
	}
	if (s.n > 0)
		memcpy(at, s.p, s.n);
	j->n += s.n;
}

static void
put_line_break(struct json_out *j)
{
	if (!j->pretty)
		return;
	put(j, SPAN("\n"));
	for (unsigned i = 0; i < j->depth; i++)
		put(j, SPAN("  "));
}

static void
put_escaped(struct json_out *j, uint8_t c)
{
	char text[8];
	static const char shorts[] = "b\bf\fn\nr\rt\t\"\"\\\\";
	for (size_t i = 0; i + 1 < sizeof(shorts); i += 2) {
		if ((uint8_t)shorts[i + 1] == c) {
			text_format(text, sizeof(text), "\\%c", shorts[i]);
			put(j, span_str(text));
			return;
		}
	}
	text_format(text, sizeof(text), "\\u%04x", c);
	put(j, span_str(text));
}

/* Whether all eight octets are from 0x20 to 0x7e, but neither '"' nor '\\'. */
static bool
is_plain_word(const uint8_t *p)
{
	const uint64_t ones = 0x0101010101010101U;
	const uint64_t tops = 0x8080808080808080U;
	uint64_t w = 0;

	memcpy(&w, p, 8);
	uint64_t quote = w ^ (ones * '"');
	uint64_t slash = w ^ (ones * '\\');
	uint64_t bad =
		(w - ones * 0x20) | (quote - ones) | (slash - ones) | (w + ones) | w;
	return (bad & tops) == 0;
}

/* How many bytes at the front need no escape and are well-formed. */
static size_t
plain_length(struct span s)
{
	size_t n = 0;
	while (n + 8 <= s.n && is_plain_word(s.p + n))
		n += 8;
	while (n < s.n && s.p[n] >= 0x20 && s.p[n] < 0x7f && s.p[n] != '"' &&
		s.p[n] != '\\')
		n++;
	return n;
}

static size_t
wide_length(struct span s)
{
	for (size_t n = 2; n <= 4 && n <= s.n; n++) {
		if (text_is_utf8(span_first(s, n)))
			return n;
	}
	return 0;
}

/* Almost all strings are: in quotes, and what follows them. */
static bool
put_plain(struct json_out *j, struct span s, struct span behind)
{
	if (plain_length(s) != s.n)
		return false;
	uint8_t *at = room_for(j, s.n + 2 + behind.n);
	if (!at)
		return false;
	at[0] = '"';
	if (s.n > 0)
		memcpy(at + 1, s.p, s.n); // NOLINT(bugprone-not-null-terminated-result)
	at[s.n + 1] = '"';
	if (behind.n > 0)
		memcpy(at + s.n + 2, behind.p, behind.n);
	j->n += s.n + 2 + behind.n;
	return true;
}

static void
put_string(struct json_out *j, struct span s)
{
	if (put_plain(j, s, SPAN("")))
		return;
	put(j, SPAN("\""));
	while (s.n > 0) {
		size_t n = plain_length(s);
		if (n == 0 && s.p[0] >= 0x80)
			n = wide_length(s);
		if (n > 0) {
			put(j, span_first(s, n));
		} else if (s.p[0] < 0x80) {
			put_escaped(j, s.p[0]);
			n = 1;
		} else {
			put(j, SPAN("\xef\xbf\xbd"));
			n = 1;
		}
		s = span_from(s, n);
	}
	put(j, SPAN("\""));
}

static void
before_value(struct json_out *j, const char *key)
{
	if (j->comma)
		put(j, SPAN(","));
	if (j->depth > 0)
		put_line_break(j);
	j->comma = true;
	if (!key || (!j->pretty && put_plain(j, span_str(key), SPAN(":"))))
		return;
	put_string(j, span_str(key));
	put(j, j->pretty ? SPAN(": ") : SPAN(":"));
}

static void
open_scope(struct json_out *j, const char *key, bool array)
{
	must(j->depth < MOST_DEPTH);
	before_value(j, key);
	put(j, array ? SPAN("[") : SPAN("{"));
	uint64_t bit = (uint64_t)1 << j->depth;
	j->arrays = array ? j->arrays | bit : j->arrays & ~bit;
	j->depth++;
	j->comma = false;
}

void
json_object(struct json_out *j, const char *key)
{
	open_scope(j, key, false);
}

void
json_array(struct json_out *j, const char *key)
{
	open_scope(j, key, true);
}

void
json_end(struct json_out *j)
{
	must(j->depth > 0);
	j->depth--;
	if (j->comma)
		put_line_break(j);
	put(j, j->arrays >> j->depth & 1 ? SPAN("]") : SPAN("}"));
	j->comma = true;
}

void
json_span(struct json_out *j, const char *key, struct span s)
{
	before_value(j, key);
	put_string(j, s);
}

void
json_str(struct json_out *j, const char *key, const char *s)
{
	if (s) {
		json_span(j, key, span_str(s));
	} else {
		json_null(j, key);
	}
}

static void
put_word(struct json_out *j, const char *key, const char *word)
{
	before_value(j, key);
	put(j, span_str(word));
}

static void
put_digits(struct json_out *j, uint64_t v)
{
	char text[TEXT_UINT];
	struct text t = text_to(text, sizeof(text));
	text_put_uint(&t, v);
	put(j, text_span(&t));
}

void
json_int(struct json_out *j, const char *key, int64_t v)
{
	before_value(j, key);
	if (v < 0)
		put(j, SPAN("-"));
	put_digits(j, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void
json_uint(struct json_out *j, const char *key, uint64_t v)
{
	before_value(j, key);
	put_digits(j, v);
}

void
json_real(struct json_out *j, const char *key, double v)
{
	char text[40];
	text_format(text, sizeof(text), "%.15g", v);
	put_word(j, key, isfinite(v) ? text : "null");
}

void
json_bool(struct json_out *j, const char *key, bool v)
{
	put_word(j, key, v ? "true" : "false");
}

void
json_null(struct json_out *j, const char *key)
{
	put_word(j, key, "null");
}

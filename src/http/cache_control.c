// SPDX-License-Identifier: Apache-2.0
#include "http/cache_control.h"

#include "http/header.h"

enum kind {
	A_FLAG,
	SECONDS,        /* a number, or the worst one */
	MAYBE_SECONDS,  /* without a number: as many as there are */
	FLAG_OR_FIELDS, /* without names it speaks of the whole response */
};

struct row {
	const char *name;
	enum kind kind;
	size_t at;        /* bool, int64_t; FLAG_OR_FIELDS: bool */
	size_t at_fields; /* struct span */
};

#define AT(field) offsetof(struct cache_control, field)

/* To add a directive: a member in the struct and a row here. */
static const struct row rows[] = {
	{"no-store", A_FLAG, AT(no_store), 0},
	{"no-cache", FLAG_OR_FIELDS, AT(no_cache), AT(no_cache_fields)},
	{"private", FLAG_OR_FIELDS, AT(is_private), AT(private_fields)},
	{"public", A_FLAG, AT(is_public), 0},
	{"must-revalidate", A_FLAG, AT(must_revalidate), 0},
	{"proxy-revalidate", A_FLAG, AT(proxy_revalidate), 0},
	{"must-understand", A_FLAG, AT(must_understand), 0},
	{"only-if-cached", A_FLAG, AT(only_if_cached), 0},
	{"max-age", SECONDS, AT(max_age), 0},
	{"s-maxage", SECONDS, AT(s_maxage), 0},
	{"min-fresh", SECONDS, AT(min_fresh), 0},
	{"max-stale", MAYBE_SECONDS, AT(max_stale), 0},
	{"stale-while-revalidate", SECONDS, AT(while_revalidate), 0},
	{"stale-if-error", SECONDS, AT(if_error), 0},
};

static const struct row *
find_row(struct span name)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (span_eq_nocase(name, span_str(rows[i].name)))
			return &rows[i];
	}
	return NULL;
}

static void *
member(struct cache_control *c, size_t at)
{
	return (uint8_t *)c + at;
}

/* RFC 9111 §1.2.2: what is too large is as large as can be; what is no number is 0. */
static int64_t
seconds_of(struct span s)
{
	int64_t v = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_is_digit(s.p[i]))
			return 0;
		v = v * 10 + (s.p[i] - '0');
		if (v > CACHE_SECONDS_MOST)
			v = CACHE_SECONDS_MOST;
	}
	return v;
}

static void
clear(struct cache_control *c)
{
	*c = (struct cache_control){.max_age = -1,
		.s_maxage = -1,
		.min_fresh = -1,
		.max_stale = -1,
		.while_revalidate = -1,
		.if_error = -1};
}

static void
take_seconds(int64_t *slot, const struct row *row, struct span value)
{
	if (*slot >= 0)
		return; /* the first counts */
	*slot = row->kind == MAYBE_SECONDS && value.n == 0 ? CACHE_SECONDS_MOST
							   : seconds_of(value);
}

static void
take(struct cache_control *c, const struct row *row, struct span value)
{
	switch (row->kind) {
	case A_FLAG:
		*(bool *)member(c, row->at) = true;
		break;
	case SECONDS:
	case MAYBE_SECONDS:
		take_seconds(member(c, row->at), row, value);
		break;
	case FLAG_OR_FIELDS:
		if (value.n == 0) {
			*(bool *)member(c, row->at) = true;
		} else {
			*(struct span *)member(c, row->at_fields) = value;
		}
		break;
	}
}

static struct span
unquote(struct span s)
{
	bool quoted = s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"';

	return quoted ? span_slice(s, 1, s.n - 1) : s;
}

/* name, name=token or name="string"; blanks around the sign make it another name. */
static void
take_item(struct cache_control *c, struct span item)
{
	size_t sign = span_chr(item, '=');
	const struct row *row = find_row(span_first(item, sign));

	if (row)
		take(c, row, unquote(span_from(item, sign + 1)));
}

/* RFC 9111 §5.4: for clients of HTTP/1.0, and only where there is nothing better. */
static void
read_pragma(const struct http_fields *f, struct cache_control *out)
{
	const struct http_field *p = NULL;

	while ((p = http_next(f, SPAN("pragma"), p)) != NULL) {
		struct span rest = p->value;
		struct span item;
		while (header_item(&rest, &item))
			out->no_cache |= span_eq_nocase(item, SPAN("no-cache"));
	}
}

void
cache_control_read(const struct http_fields *f, struct cache_control *out)
{
	const struct http_field *field = NULL;

	clear(out);
	while ((field = http_next_id(f, HTTP_NAME_CACHE_CONTROL, field)) != NULL) {
		struct span rest = field->value;
		struct span item;
		out->given = true;
		while (header_item(&rest, &item))
			take_item(out, item);
	}
	if (!out->given)
		read_pragma(f, out);
}

/* ---- RFC 9213, RFC 8941 ---- */

static bool
is_key(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		bool lower = c >= 'a' && c <= 'z';
		bool inner = ascii_is_digit(c) || c == '-' || c == '_' || c == '.';
		if (!lower && c != '*' && (i == 0 || !inner))
			return false;
	}
	return s.n > 0;
}

/* An Integer, a Boolean, a Token or a String, as far as directives can be one. */
enum value_type { NO_VALUE, INTEGER, YES, NO, OTHER_VALUE };

static bool
all_digits(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_is_digit(s.p[i]))
			return false;
	}
	return s.n > 0 && s.n <= 15; /* RFC 8941 §3.3.1 */
}

static enum value_type
type_of(struct span value)
{
	struct span digits =
		span_starts(value, SPAN("-")) ? span_from(value, 1) : value;

	if (all_digits(digits))
		return INTEGER;
	if (span_eq(value, SPAN("?1")))
		return YES;
	if (span_eq(value, SPAN("?0")))
		return NO;
	if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
		return OTHER_VALUE;
	return value.n > 0 && (ascii_is_alpha(value.p[0]) || value.p[0] == '*') &&
			http_is_token(value)
		? OTHER_VALUE
		: NO_VALUE;
}

/* False when it is not well formed, or has a type that the directive does not take. */
static bool
take_member(struct cache_control *c, struct span item)
{
	struct span params;
	struct span pair = header_item_name(item, &params);
	size_t sign = span_chr(pair, '=');
	struct span key = span_first(pair, sign);
	struct span value = span_from(pair, sign + 1);
	enum value_type type = sign == pair.n ? YES : type_of(value);

	if (!is_key(key) || type == NO_VALUE)
		return false;
	const struct row *row = find_row(key);
	if (!row)
		return true;
	bool is_number = row->kind == SECONDS || row->kind == MAYBE_SECONDS;
	if (is_number != (type == INTEGER))
		return false;
	if (type == NO)
		return true;
	take(c, row, is_number ? value : (struct span){0});
	return true;
}

bool
cache_control_read_cdn(const struct http_fields *f, struct cache_control *out)
{
	const struct http_field *field = NULL;
	struct cache_control c;

	clear(&c);
	while ((field = http_next(f, SPAN("cdn-cache-control"), field)) != NULL) {
		struct span rest = field->value;
		struct span item;
		while (header_item(&rest, &item)) {
			c.given =
				true; /* an empty field is passed over: RFC 9213 §2.2 */
			if (!take_member(&c, item))
				return false;
		}
	}
	if (!c.given)
		return false;
	*out = c;
	return true;
}

/* ---- Surrogate-Control ---- */

static void
take_surrogate_age(struct cache_control *c, struct span value)
{
	size_t plus = span_chr(value, '+');

	take_seconds(&c->max_age, find_row(SPAN("max-age")), span_first(value, plus));
	if (plus < value.n)
		c->while_revalidate = seconds_of(span_from(value, plus + 1));
}

/* True when it says something that we understand. */
static bool
take_surrogate(struct cache_control *c, struct span item)
{
	struct span target;
	struct span pair = header_item_name(item, &target);
	size_t sign = span_chr(pair, '=');
	struct span name = span_first(pair, sign);

	target = span_trim(target);
	if (target.n > 0 && !span_eq_nocase(target, SPAN(CACHE_SURROGATE)))
		return false;
	if (span_eq_nocase(name, SPAN("no-store"))) {
		c->no_store = true;
		return true;
	}
	if (!span_eq_nocase(name, SPAN("max-age")))
		return false;
	take_surrogate_age(c, span_from(pair, sign + 1));
	return true;
}

bool
cache_control_read_surrogate(const struct http_fields *f, struct cache_control *out)
{
	const struct http_field *field = NULL;
	struct cache_control c;

	clear(&c);
	while ((field = http_next(f, SPAN("surrogate-control"), field)) != NULL) {
		struct span rest = field->value;
		struct span item;
		while (header_item(&rest, &item))
			c.given |= take_surrogate(&c, item);
	}
	if (c.given)
		*out = c;
	return c.given;
}

bool
cache_control_lists(struct span names, struct span name)
{
	struct span item;

	while (header_item(&names, &item)) {
		if (span_eq_nocase(item, name))
			return true;
	}
	return false;
}

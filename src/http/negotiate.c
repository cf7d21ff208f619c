// SPDX-License-Identifier: Apache-2.0
#include "http/negotiate.h"

#include "http/header.h"

enum { QUALITY_MOST = 1000 };

/* RFC 9110 §12.4.2: up to three decimals; what is not a weight counts as 0. */
static unsigned
read_quality(struct span s)
{
	static const unsigned places[] = {100, 10, 1};
	unsigned quality = 0;

	if (s.n == 0 || s.n > 5 || (s.p[0] != '0' && s.p[0] != '1'))
		return 0;
	if (s.p[0] == '1')
		return QUALITY_MOST;
	for (size_t i = 2; i < s.n && ascii_is_digit(s.p[i]); i++)
		quality += places[i - 2] * (s.p[i] - (unsigned)'0');
	return quality;
}

static unsigned
quality_of(struct span params)
{
	struct span name = {0};
	struct span value = {0};

	while (header_param(&params, &name, &value)) {
		if (span_eq_nocase(name, SPAN("q")))
			return read_quality(value);
	}
	return QUALITY_MOST;
}

/* How exactly a media range means this type: 0 not at all, 3 exactly. */
static unsigned
range_matches(struct span range, struct span type)
{
	size_t slash = span_chr(type, '/');

	if (span_eq(range, SPAN("*/*")))
		return 1;
	if (span_ends(range, SPAN("/*")) && range.n == slash + 2 &&
		span_eq_nocase(span_first(range, slash), span_first(type, slash)))
		return 2;
	return span_eq_nocase(range, type) ? 3 : 0;
}

unsigned
negotiate_type(const struct http_fields *f, struct span type)
{
	const struct http_field *x = http_next_id(f, HTTP_NAME_ACCEPT, NULL);
	unsigned quality = x ? 0 : QUALITY_MOST;
	unsigned best = 0;

	for (; x; x = http_next_id(f, HTTP_NAME_ACCEPT, x)) {
		struct span rest = x->value;
		struct span item = {0};
		while (header_item(&rest, &item)) {
			struct span params = {0};
			struct span range = header_item_name(item, &params);
			unsigned match = range_matches(range, type);
			if (match <= best)
				continue;
			best = match;
			quality = quality_of(params);
		}
	}
	return quality;
}

/* Index of the tag with the same primary part, or n. */
static size_t
find_tag(struct span wanted, const struct span *tags, size_t n)
{
	struct span primary = span_first(wanted, span_chr(wanted, '-'));

	for (size_t i = 0; i < n; i++) {
		if (span_eq_nocase(primary, tags[i]))
			return i;
	}
	return n;
}

size_t
negotiate_language(const struct http_fields *f, const struct span *tags, size_t n)
{
	const struct http_field *x = NULL;
	unsigned best = 0;
	size_t found = 0;

	while ((x = http_next_id(f, HTTP_NAME_ACCEPT_LANGUAGE, x))) {
		struct span rest = x->value;
		struct span item = {0};
		while (header_item(&rest, &item)) {
			struct span params = {0};
			struct span tag = header_item_name(item, &params);
			size_t i = find_tag(tag, tags, n);
			unsigned quality = quality_of(params);
			if (i == n || quality <= best)
				continue;
			best = quality;
			found = i;
		}
	}
	return found;
}

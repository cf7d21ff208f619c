// SPDX-License-Identifier: Apache-2.0
/* cache_answer: how a stored response answers a request, and how an origin is asked
 * about it. */
#include "base/text.h"
#include "http/cache.h"
#include "http/date.h"
#include "http/header.h"

/* ---- conditions ---- */

static struct span
without_weakness(struct span tag)
{
	return span_starts(tag, SPAN("W/")) ? span_from(tag, 2) : tag;
}

/* RFC 9110 §13.1.2: weak comparison. */
static bool
none_match_hits(const struct http_fields *request, struct span stored)
{
	const struct http_field *f = NULL;

	while ((f = http_next(request, SPAN("if-none-match"), f)) != NULL) {
		struct span rest = f->value;
		struct span tag;
		if (span_eq(span_trim(rest), SPAN("*")))
			return true;
		while (header_item(&rest, &tag)) {
			if (stored.n > 0 &&
				span_eq(without_weakness(tag),
					without_weakness(stored)))
				return true;
		}
	}
	return false;
}

/* When it was changed last, as far as is known: RFC 9111 §4.3.2. */
static int64_t
changed_s(const struct http_head *stored, const struct cache_facts *facts)
{
	int64_t now_s = facts->came_ms / 1000;
	int64_t at = 0;

	if (date_read(http_get(&stored->fields, SPAN("last-modified")), now_s, &at) ||
		date_read(http_get(&stored->fields, SPAN("date")), now_s, &at))
		return at;
	return now_s;
}

static bool
is_unchanged(const struct http_fields *request, const struct http_head *stored,
	const struct cache_facts *facts)
{
	struct span since = http_get(request, SPAN("if-modified-since"));
	int64_t at = 0;

	if (facts->status != 200)
		return false; /* conditions are about representations */
	if (http_get(request, SPAN("if-none-match")).p) {
		return none_match_hits(
			request, http_get(&stored->fields, SPAN("etag")));
	}
	return since.n > 0 && date_read(since, facts->came_ms / 1000, &at) &&
		changed_s(stored, facts) <= at;
}

/* ---- ranges ---- */

/* RFC 9110 §13.1.5: the same strong tag, or the very same date. */
static bool
if_range_holds(const struct http_fields *request, const struct http_head *stored)
{
	struct span wanted = http_get(request, SPAN("if-range"));
	struct span tag = http_get(&stored->fields, SPAN("etag"));

	if (!wanted.p)
		return true;
	if (span_starts(wanted, SPAN("\"")))
		return span_eq(wanted, tag);
	return wanted.n > 0 && !span_starts(wanted, SPAN("W/")) &&
		span_eq(wanted, http_get(&stored->fields, SPAN("last-modified")));
}

enum { NUMBER_MOST = 18 }; /* digits that fit 63 bits */

static bool
read_number(struct span s, uint64_t *out)
{
	return s.n <= NUMBER_MOST && text_u64(s, INT64_MAX, out);
}

struct range {
	bool has_first;
	bool has_last;
	uint64_t first;
	uint64_t last;
};

/* One range of octets; false when it is none, or several. */
static bool
read_range(struct span s, struct range *out)
{
	struct range r = {0};

	if (!span_eq_nocase(span_first(s, 6), SPAN("bytes=")))
		return false;
	s = span_trim(span_from(s, 6));
	size_t dash = span_chr(s, '-');
	struct span from = span_first(s, dash);
	struct span to = span_from(s, dash + 1);
	r.has_first = from.n > 0;
	r.has_last = to.n > 0;
	if (dash == s.n || (!r.has_first && !r.has_last) ||
		(r.has_first && !read_number(from, &r.first)) ||
		(r.has_last && !read_number(to, &r.last)))
		return false;
	*out = r;
	return !r.has_first || !r.has_last || r.first <= r.last;
}

static struct cache_selection
cut_range(const struct range *r, uint64_t length)
{
	struct cache_selection sel = {CACHE_PART, r->first, 0};
	uint64_t end = r->has_last && r->last < length - 1 ? r->last : length - 1;

	if (!r->has_first) { /* so many at the end */
		sel.n = r->last < length ? r->last : length;
		sel.from = length - sel.n;
	} else if (r->first < length) {
		sel.n = end - r->first + 1;
	}
	if (sel.n == 0)
		sel.part = CACHE_OUT_OF_RANGE;
	return sel;
}

bool
cache_part_read(const struct http_head *response, struct cache_place *out)
{
	struct span s = http_get(&response->fields, SPAN("content-range"));
	uint64_t last = 0;
	struct cache_place p = {0};

	if (!span_eq_nocase(span_first(s, 6), SPAN("bytes ")))
		return false;
	s = span_from(s, 6);
	size_t dash = span_chr(s, '-');
	size_t slash = span_chr(s, '/');
	if (slash == s.n || dash > slash ||
		!read_number(span_first(s, dash), &p.from) ||
		!read_number(span_slice(s, dash + 1, slash), &last) ||
		!read_number(span_from(s, slash + 1), &p.total) || p.from > last ||
		last >= p.total)
		return false;
	p.n = last - p.from + 1;
	*out = p;
	return true;
}

struct cache_selection
cache_select(const struct http_fields *request, const struct http_head *stored,
	const struct cache_facts *facts, uint64_t length)
{
	struct cache_selection all = {CACHE_WHOLE, 0, length};
	struct range range;
	struct span wanted = http_get_id(request, HTTP_NAME_RANGE);

	if (is_unchanged(request, stored, facts))
		return (struct cache_selection){CACHE_UNCHANGED, 0, 0};
	if (wanted.n == 0 || length == 0 || facts->status != 200 ||
		!if_range_holds(request, stored) || !read_range(wanted, &range))
		return all;
	return cut_range(&range, length);
}

/* RFC 9110 §15.4.5: what describes the body stays away from a 304. */
static void
drop_description(struct http_fields *f)
{
	static const struct span some[] = {
		SPAN_INIT("content-type"),
		SPAN_INIT("content-encoding"),
		SPAN_INIT("content-language"),
		SPAN_INIT("content-range"),
	};

	for (size_t i = 0; i < COUNT_OF(some); i++)
		http_remove(f, some[i]);
}

static bool
present_part(struct http_head *head, const struct cache_selection *sel, uint64_t length,
	struct err *err)
{
	char value[80];
	size_t n = text_format(value, sizeof(value), "bytes %llu-%llu/%llu",
		(unsigned long long)sel->from,
		(unsigned long long)(sel->from + sel->n - 1),
		(unsigned long long)length);

	head->status = 206;
	return http_set(&head->fields, SPAN("Content-Range"), span_of(value, n), err);
}

static bool
present_nothing(struct http_head *head, uint64_t length, struct err *err)
{
	char value[48];
	size_t n = text_format(
		value, sizeof(value), "bytes */%llu", (unsigned long long)length);

	drop_description(&head->fields);
	head->status = 416;
	return http_set(&head->fields, SPAN("Content-Range"), span_of(value, n), err);
}

bool
cache_present(struct http_head *head, const struct cache_selection *sel, int64_t age_s,
	uint64_t length, struct err *err)
{
	char age[24];
	size_t n = text_format(age, sizeof(age), "%lld", (long long)age_s);
	bool ok = http_set(&head->fields, SPAN("Age"), span_of(age, n), err);

	head->body = (struct http_body){BODY_LENGTH, sel->n};
	switch (sel->part) {
	case CACHE_WHOLE:
		if (head->status == 204)
			head->body = (struct http_body){BODY_NONE, 0};
		break;
	case CACHE_PART:
		ok = ok && present_part(head, sel, length, err);
		break;
	case CACHE_UNCHANGED:
		head->status = 304;
		head->body = (struct http_body){BODY_NONE, 0};
		drop_description(&head->fields);
		break;
	case CACHE_OUT_OF_RANGE:
		ok = ok && present_nothing(head, length, err);
		break;
	}
	head->reason = (struct span){0};
	return ok;
}

/* ---- asking ---- */

static void
drop_conditions(struct http_fields *f)
{
	static const struct span some[] = {
		SPAN_INIT("if-none-match"),
		SPAN_INIT("if-modified-since"),
		SPAN_INIT("if-match"),
		SPAN_INIT("if-unmodified-since"),
		SPAN_INIT("if-range"),
		SPAN_INIT("range"),
	};

	for (size_t i = 0; i < COUNT_OF(some); i++)
		http_remove(f, some[i]);
}

bool
cache_ask(struct http_head *request, const struct http_head *stored, bool *asked,
	struct err *err)
{
	struct span tag = http_get(&stored->fields, SPAN("etag"));
	struct span date = http_get(&stored->fields, SPAN("last-modified"));

	*asked = tag.n > 0 || date.n > 0;
	if (!*asked)
		return true;
	drop_conditions(&request->fields);
	return (tag.n == 0 ||
		       http_set(&request->fields, SPAN("If-None-Match"), tag, err)) &&
		(date.n == 0 ||
			http_set(&request->fields, SPAN("If-Modified-Since"), date,
				err));
}

static bool
agrees(const struct http_head *a, const struct http_head *b, struct span name)
{
	struct span x = http_get(&a->fields, name);
	struct span y = http_get(&b->fields, name);

	return !x.p || !y.p || span_eq(without_weakness(x), without_weakness(y));
}

bool
cache_speaks_of(const struct http_head *response, const struct http_head *stored)
{
	if (!agrees(response, stored, SPAN("etag")))
		return false;
	return http_get(&response->fields, SPAN("etag")).p ||
		agrees(response, stored, SPAN("last-modified"));
}

/* RFC 9111 §3.2: what the octets we keep depend on stays as it was stored with them;
 * a digest in a 304 may be one of no octets at all (RFC 9530 §2). */
static bool
is_of_the_body(const struct http_field *f)
{
	return span_eq_nocase(f->name, SPAN("content-md5")) ||
		span_eq_nocase(f->name, SPAN("content-digest")) ||
		f->id == HTTP_NAME_CONTENT_LENGTH ||
		f->id == HTTP_NAME_CONTENT_ENCODING ||
		f->id == HTTP_NAME_CONTENT_RANGE ||
		f->id == HTTP_NAME_TRANSFER_ENCODING;
}

bool
cache_freshen(struct http_head *stored, const struct http_head *news, struct err *err)
{
	for (uint32_t i = 0; i < news->fields.n; i++) {
		if (!is_of_the_body(&news->fields.v[i]))
			http_remove(&stored->fields, news->fields.v[i].name);
	}
	for (uint32_t i = 0; i < news->fields.n; i++) {
		const struct http_field *f = &news->fields.v[i];
		if (!is_of_the_body(f) &&
			!http_add(&stored->fields, f->name, f->value, err))
			return false;
	}
	return true;
}

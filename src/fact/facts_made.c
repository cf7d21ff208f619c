// SPDX-License-Identifier: Apache-2.0
/*
 * facts_made: what a stranger sends decides how much there is to make, so arguments and
 * cookies are told up to a number, and grouping them by name costs a sort, not a
 * comparison of each with each.
 */
#include "fact/facts_made.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "fact/facts.h"
#include "rule/policy.h"

static struct span
lower_copy(struct arena *a, struct span s)
{
	uint8_t *p = arena_alloc(a, s.n + 1);
	span_lower(p, s);
	return span_of(p, s.n);
}

/* ---- the ClientHello ---- */

static struct value
make_ciphers_sha1(const struct facts *f, struct arena *a)
{
	char text[HELLO_SHA1];
	return value_string(
		arena_copy(a, span_str(hello_ciphers_sha1(f->hello, text))));
}

static struct value
make_extensions_sha1(const struct facts *f, struct arena *a)
{
	char text[HELLO_SHA1];
	return value_string(
		arena_copy(a, span_str(hello_extensions_sha1(f->hello, false, text))));
}

static struct value
make_extensions_sha1_le(const struct facts *f, struct arena *a)
{
	char text[HELLO_SHA1];
	return value_string(
		arena_copy(a, span_str(hello_extensions_sha1(f->hello, true, text))));
}

static struct value
make_hello_random(const struct facts *f, struct arena *a)
{
	char room[64];
	struct text t = text_to(room, sizeof(room));
	text_put_base64(&t, f->hello->random);
	return value_string(arena_copy(a, text_span(&t)));
}

/* ---- fields of a message ---- */

/* Whether an earlier field has the same name: only the first of them makes a pair. How
 * many fields there are is bounded by their reader. */
static bool
is_repeat(const struct http_fields *fields, uint32_t i)
{
	for (uint32_t k = 0; k < i; k++) {
		if (span_eq_nocase(fields->v[k].name, fields->v[i].name))
			return true;
	}
	return false;
}

static struct value
values_of(const struct http_fields *fields, struct span name, struct arena *a)
{
	size_t n = http_get_all(fields, name, NULL, 0);
	struct span *spans = arena_alloc(a, n * sizeof(*spans));
	struct value *items = arena_alloc(a, n * sizeof(*items));
	(void)http_get_all(fields, name, spans, n);
	for (size_t i = 0; i < n; i++)
		items[i] = value_string(spans[i]);
	return value_array(items, n);
}

/* Map(Array(String)), names in lower case. */
static struct value
headers_of(const struct http_fields *fields, struct arena *a)
{
	struct value_pair *pairs = arena_alloc(a, (fields->n + 1) * sizeof(*pairs));
	size_t n = 0;
	for (uint32_t i = 0; i < fields->n; i++) {
		if (is_repeat(fields, i))
			continue;
		pairs[n].key = lower_copy(a, fields->v[i].name);
		pairs[n].v = values_of(fields, fields->v[i].name, a);
		n++;
	}
	return value_map(pairs, n);
}

static struct value
sides_of(const struct http_fields *fields, bool names, struct arena *a)
{
	struct value *items = arena_alloc(a, (fields->n + 1) * sizeof(*items));
	for (uint32_t i = 0; i < fields->n; i++) {
		items[i] = value_string(names ? fields->v[i].name : fields->v[i].value);
	}
	return value_array(items, fields->n);
}

static struct value
make_headers(const struct facts *f, struct arena *a)
{
	return headers_of(&f->request->fields, a);
}

static struct value
make_header_names(const struct facts *f, struct arena *a)
{
	return sides_of(&f->request->fields, true, a);
}

static struct value
make_header_values(const struct facts *f, struct arena *a)
{
	return sides_of(&f->request->fields, false, a);
}

static struct value
make_response_headers(const struct facts *f, struct arena *a)
{
	return headers_of(&f->response->fields, a);
}

static struct value
make_response_names(const struct facts *f, struct arena *a)
{
	return sides_of(&f->response->fields, true, a);
}

static struct value
make_response_values(const struct facts *f, struct arena *a)
{
	return sides_of(&f->response->fields, false, a);
}

static struct value
make_media_type(const struct facts *f, struct arena *a)
{
	struct span type = http_get_id(&f->response->fields, HTTP_NAME_CONTENT_TYPE);
	type = span_trim(span_first(type, span_chr(type, ';')));
	return type.n == 0 ? value_missing() : value_string(lower_copy(a, type));
}

/* ---- pairs: arguments and cookies ---- */

struct piece {
	struct span name;
	struct span value;
	size_t at; /* in order of the text */
};

static struct piece
split_piece(struct span text)
{
	size_t equals = span_chr(text, '=');
	return (struct piece){.name = span_first(text, equals),
		.value = equals < text.n ? span_from(text, equals + 1)
					 : (struct span){0}};
}

static int
by_name(const void *left, const void *right)
{
	const struct piece *a = left;
	const struct piece *b = right;
	int order = span_cmp(a->name, b->name);
	return order != 0 ? order : (a->at > b->at) - (a->at < b->at);
}

/* Map(Array(String)) of pieces, values in order of the text. Sorts them. */
static struct value
group(struct piece *pieces, size_t n, struct arena *a)
{
	struct value *items = arena_alloc(a, (n + 1) * sizeof(*items));
	struct value_pair *pairs = arena_alloc(a, (n + 1) * sizeof(*pairs));
	size_t n_pairs = 0;
	if (n > 0)
		qsort(pieces, n, sizeof(*pieces), by_name);
	for (size_t i = 0; i < n; i++) {
		items[i] = value_string(pieces[i].value);
		bool same = i > 0 && span_eq(pieces[i].name, pieces[i - 1].name);
		if (same) {
			struct value_pair *pair = &pairs[n_pairs - 1];
			pair->v = value_array(pair->v.items, pair->v.n + 1);
		} else {
			pairs[n_pairs++] = (struct value_pair){
				pieces[i].name, value_array(&items[i], 1)};
		}
	}
	return value_map(pairs, n_pairs);
}

static size_t
read_args(const struct facts *f, struct piece *pieces)
{
	struct span rest = f->query;
	struct span text;
	size_t n = 0;
	while (n < MADE_PIECES_MAX && span_cut(&rest, '&', &text)) {
		if (text.n == 0)
			continue;
		pieces[n] = split_piece(text);
		pieces[n].at = n;
		n++;
	}
	return n;
}

static struct value
make_args(const struct facts *f, struct arena *a)
{
	struct piece *pieces = mem_array(MADE_PIECES_MAX, sizeof(*pieces));
	struct value v = group(pieces, read_args(f, pieces), a);
	mem_free(pieces);
	return v;
}

static struct value
arg_sides(const struct facts *f, bool names, struct arena *a)
{
	struct piece *pieces = mem_array(MADE_PIECES_MAX, sizeof(*pieces));
	size_t n = read_args(f, pieces);
	struct value *items = arena_alloc(a, (n + 1) * sizeof(*items));
	for (size_t i = 0; i < n; i++)
		items[i] = value_string(names ? pieces[i].name : pieces[i].value);
	mem_free(pieces);
	return value_array(items, n);
}

static struct value
make_arg_names(const struct facts *f, struct arena *a)
{
	return arg_sides(f, true, a);
}

static struct value
make_arg_values(const struct facts *f, struct arena *a)
{
	return arg_sides(f, false, a);
}

/* %HH decoded; what is no escape stays. */
static struct span
percent_decoded(struct span s, struct arena *a)
{
	if (span_chr(s, '%') == s.n)
		return s;
	uint8_t *dst = arena_alloc(a, s.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		int high = i + 2 < s.n ? ascii_hex(s.p[i + 1]) : -1;
		int low = i + 2 < s.n ? ascii_hex(s.p[i + 2]) : -1;
		bool escape = s.p[i] == '%' && high >= 0 && low >= 0;
		dst[n++] = escape ? (uint8_t)(high * 16 + low) : s.p[i];
		i += escape ? 2 : 0;
	}
	return span_of(dst, n);
}

/* Several Cookie fields come with HTTP/2 (RFC 9113 §8.2.3). */
static size_t
read_cookies(const struct facts *f, struct piece *pieces, struct arena *a)
{
	const struct http_fields *fields = &f->request->fields;
	size_t n = 0;
	for (uint32_t i = 0; i < fields->n; i++) {
		struct span rest = fields->v[i].value;
		struct span text;
		if (!span_eq_nocase(fields->v[i].name, SPAN("cookie")))
			continue;
		while (n < MADE_PIECES_MAX && span_cut(&rest, ';', &text)) {
			text = span_trim(text);
			if (text.n == 0)
				continue;
			pieces[n] = split_piece(text);
			pieces[n].name = percent_decoded(pieces[n].name, a);
			pieces[n].at = n;
			n++;
		}
	}
	return n;
}

static struct value
make_cookies(const struct facts *f, struct arena *a)
{
	struct piece *pieces = mem_array(MADE_PIECES_MAX, sizeof(*pieces));
	struct value v = group(pieces, read_cookies(f, pieces, a), a);
	mem_free(pieces);
	return v;
}

/* All fields of one name as the one they stand for, or missing. */
static struct value
joined(const struct facts *f, struct span name, struct span between, struct arena *a)
{
	const struct http_fields *fields = &f->request->fields;
	size_t room = 1;
	for (uint32_t i = 0; i < fields->n; i++)
		room += fields->v[i].value.n + between.n;
	struct text t = text_to(arena_alloc(a, room), room);
	size_t n = 0;
	for (uint32_t i = 0; i < fields->n; i++) {
		if (!span_eq_nocase(fields->v[i].name, name))
			continue;
		text_put(&t, n++ > 0 ? between : (struct span){0});
		text_put(&t, fields->v[i].value);
	}
	return n > 0 ? value_string(text_span(&t)) : value_missing();
}

static struct value
make_cookie(const struct facts *f, struct arena *a)
{
	return joined(f, SPAN("cookie"), SPAN("; "), a);
}

static struct value
make_forwarded_for(const struct facts *f, struct arena *a)
{
	return joined(f, SPAN("x-forwarded-for"), SPAN(", "), a);
}

/* ---- the rest of the request ---- */

enum { LANGUAGES_MAX = 64, WEIGHT_ONE = 1000 };

struct language {
	struct span tag;
	unsigned weight; /* in thousandths */
	size_t at;
};

static int
by_weight(const void *left, const void *right)
{
	const struct language *a = left;
	const struct language *b = right;
	if (a->weight != b->weight)
		return a->weight < b->weight ? 1 : -1;
	return (a->at > b->at) - (a->at < b->at);
}

/* ";q=0.8": at most three digits behind the point (RFC 9110 §12.4.2). */
static unsigned
read_weight(struct span parameters)
{
	struct span q = span_trim(parameters);
	if (!span_starts(q, SPAN("q=")) && !span_starts(q, SPAN("Q=")))
		return WEIGHT_ONE;
	q = span_from(q, 2);
	if (q.n == 0 || q.p[0] != '0')
		return WEIGHT_ONE;
	unsigned weight = 0;
	unsigned worth = WEIGHT_ONE;
	for (size_t i = 2; i < q.n && worth > 1 && ascii_is_digit(q.p[i]); i++) {
		worth /= 10;
		weight += (unsigned)(q.p[i] - '0') * worth;
	}
	return weight;
}

/* The most wanted first. */
static struct value
make_languages(const struct facts *f, struct arena *a)
{
	struct language languages[LANGUAGES_MAX];
	struct span rest = http_get_id(&f->request->fields, HTTP_NAME_ACCEPT_LANGUAGE);
	struct span text;
	size_t n = 0;
	while (n < LANGUAGES_MAX && span_cut(&rest, ',', &text)) {
		size_t end = span_chr(text, ';');
		struct span tag = span_trim(span_first(text, end));
		if (tag.n == 0)
			continue;
		languages[n] = (struct language){tag,
			end < text.n ? read_weight(span_from(text, end + 1))
				     : WEIGHT_ONE,
			n};
		n++;
	}
	if (n > 0)
		qsort(languages, n, sizeof(languages[0]), by_weight);
	struct value *items = arena_alloc(a, (n + 1) * sizeof(*items));
	for (size_t i = 0; i < n; i++)
		items[i] = value_string(languages[i].tag);
	return value_array(items, n);
}

/* Of the last part of the path, lower case, "" when there is none. */
static struct value
make_extension(const struct facts *f, struct arena *a)
{
	size_t slash = span_rchr(f->path, '/');
	struct span last = slash < f->path.n ? span_from(f->path, slash + 1) : f->path;
	size_t dot = span_rchr(last, '.');
	if (dot == last.n)
		return value_string(SPAN(""));
	return value_string(lower_copy(a, span_from(last, dot + 1)));
}

static struct value
make_full_uri(const struct facts *f, struct arena *a)
{
	const struct span authority = f->request->authority;
	size_t room = f->scheme.n + 3 + authority.n + f->request->path.n + 1;
	struct text t = text_to(arena_alloc(a, room), room);
	text_put(&t, f->scheme);
	text_put(&t, SPAN("://"));
	text_put(&t, authority);
	text_put(&t, f->request->path);
	return value_string(text_span(&t));
}

static struct value
make_ray_id(const struct facts *f, struct arena *a)
{
	return value_string(
		arena_format(a, "%016llx", (unsigned long long)f->request_id));
}

static struct value
make_seed(const struct facts *f, struct arena *a)
{
	enum { SEED = 16 };
	uint8_t *dst = arena_alloc(a, SEED);
	(void)f;
	secret_random(dst, SEED);
	return value_string(span_of(dst, SEED));
}

/* In the order of enum made. */
static const struct {
	const char *field;
	enum phase phase;
	struct value (*make)(const struct facts *f, struct arena *a);
} makers[MADE_COUNT] = {
	[MADE_CIPHERS_SHA1] = {"cf.tls_ciphers_sha1", PHASE_HELLO, make_ciphers_sha1},
	[MADE_EXTENSIONS_SHA1] = {"cf.tls_client_extensions_sha1", PHASE_HELLO,
		make_extensions_sha1},
	[MADE_EXTENSIONS_SHA1_LE] = {"cf.tls_client_extensions_sha1_le", PHASE_HELLO,
		make_extensions_sha1_le},
	[MADE_HELLO_RANDOM] = {"cf.tls_client_random", PHASE_HELLO, make_hello_random},
	[MADE_SEED] = {"cf.random_seed", PHASE_REQUEST, make_seed},
	[MADE_RAY_ID] = {"cf.ray_id", PHASE_REQUEST, make_ray_id},
	[MADE_FULL_URI] = {"http.request.full_uri", PHASE_REQUEST, make_full_uri},
	[MADE_HEADERS] = {"http.request.headers", PHASE_REQUEST, make_headers},
	[MADE_HEADER_NAMES] = {"http.request.headers.names", PHASE_REQUEST,
		make_header_names},
	[MADE_HEADER_VALUES] = {"http.request.headers.values", PHASE_REQUEST,
		make_header_values},
	[MADE_COOKIE] = {"http.cookie", PHASE_REQUEST, make_cookie},
	[MADE_FORWARDED_FOR] = {"http.x_forwarded_for", PHASE_REQUEST,
		make_forwarded_for},
	[MADE_COOKIES] = {"http.request.cookies", PHASE_REQUEST, make_cookies},
	[MADE_LANGUAGES] = {"http.request.accepted_languages", PHASE_REQUEST,
		make_languages},
	[MADE_ARGS] = {"http.request.uri.args", PHASE_REQUEST, make_args},
	[MADE_ARG_NAMES] = {"http.request.uri.args.names", PHASE_REQUEST,
		make_arg_names},
	[MADE_ARG_VALUES] = {"http.request.uri.args.values", PHASE_REQUEST,
		make_arg_values},
	[MADE_EXTENSION] = {"http.request.uri.path.extension", PHASE_REQUEST,
		make_extension},
	[MADE_RESPONSE_HEADERS] = {"http.response.headers", PHASE_RESPONSE,
		make_response_headers},
	[MADE_RESPONSE_NAMES] = {"http.response.headers.names", PHASE_RESPONSE,
		make_response_names},
	[MADE_RESPONSE_VALUES] = {"http.response.headers.values", PHASE_RESPONSE,
		make_response_values},
	[MADE_MEDIA_TYPE] = {"http.response.content_type.media_type", PHASE_RESPONSE,
		make_media_type},
};

uint32_t
facts_made_wanted(const struct policy *p)
{
	uint32_t bits = 0;
	for (size_t i = 0; i < MADE_COUNT; i++) {
		if (policy_reads(p, makers[i].field))
			bits |= UINT32_C(1) << i;
	}
	return bits;
}

uint32_t
facts_made_by(const struct rule_expr *e)
{
	uint32_t bits = 0;
	const struct field *f;
	for (size_t k = 0; (f = rule_field(e, k)) != NULL; k++) {
		for (size_t i = 0; i < MADE_COUNT; i++) {
			if (span_eq(span_str(f->name), span_str(makers[i].field)))
				bits |= UINT32_C(1) << i;
		}
	}
	return bits;
}

void
facts_make(struct facts *f, enum phase phase, uint32_t wanted, struct arena *a)
{
	struct value *made = NULL;
	for (size_t i = 0; i < MADE_COUNT; i++) {
		if (makers[i].phase != phase || !(wanted >> i & 1))
			continue;
		if (made == NULL) { /* what earlier phases made is another arena's */
			made = arena_alloc(a, MADE_COUNT * sizeof(*made));
			if (f->made != NULL)
				memcpy(made, f->made, MADE_COUNT * sizeof(*made));
		}
		made[i] = makers[i].make(f, a);
	}
	if (made != NULL)
		f->made = made;
}

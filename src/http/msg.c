// SPDX-License-Identifier: Apache-2.0
#include "http/msg.h"

#include <string.h>

#include "base/must.h"

const struct http_limits http_limits_default = {
	.head_bytes = (size_t)64 * 1024,
	.line_bytes = (size_t)16 * 1024,
	.fields = 200,
	.informs = 32,
	.chunk_extras = 256,
};

enum {
	FIRST_FIELDS = 16, /* room for so many at first, then twice as many */
	SLACK = 64,        /* what aligning in an arena may cost */
};

static bool
has_room(const struct arena *a, size_t n)
{
	size_t want = 0;

	return size_add(n, SLACK, &want) && want <= arena_room(a);
}

void
http_head_init(struct http_head *head, struct arena *a)
{
	*head = (struct http_head){.fields.arena = a, .trailers.arena = a};
}

void
http_request_make(struct http_head *head, struct arena *a, enum http_method method,
	struct span authority, struct span path)
{
	must(method != HTTP_OTHER);
	http_head_init(head, a);
	head->method = method;
	head->method_name = http_method_text(method);
	head->authority = arena_copy(a, authority);
	head->path = arena_copy(a, path);
}

void
http_response_make(struct http_head *head, struct arena *a, unsigned status)
{
	must(status >= 100 && status <= 999);
	http_head_init(head, a);
	head->status = status;
	head->reason = http_reason(status);
}

/* One of f->ids. */
static uint64_t
bit_of(enum http_name id)
{
	return (uint64_t)1 << ((unsigned)id % 64);
}

const struct http_field *
http_next_id(
	const struct http_fields *f, enum http_name id, const struct http_field *after)
{
	if (f->n == 0 || !(f->ids & bit_of(id)))
		return NULL; /* and f->v may be */

	const struct http_field *end = f->v + f->n;
	for (const struct http_field *x = after ? after + 1 : f->v; x < end; x++) {
		if (x->id == id)
			return x;
	}
	return NULL;
}

const struct http_field *
http_next(const struct http_fields *f, struct span name, const struct http_field *after)
{
	enum http_name id = http_name_find(name);
	if (id != HTTP_NAME_OTHER)
		return http_next_id(f, id, after);

	if (f->n == 0)
		return NULL;

	const struct http_field *end = f->v + f->n;
	for (const struct http_field *x = after ? after + 1 : f->v; x < end; x++) {
		if (x->id == id && span_eq_nocase(x->name, name))
			return x;
	}
	return NULL;
}

struct span
http_get_id(const struct http_fields *f, enum http_name id)
{
	const struct http_field *x = http_next_id(f, id, NULL);

	return x ? x->value : (struct span){0};
}

struct span
http_get(const struct http_fields *f, struct span name)
{
	const struct http_field *x = http_next(f, name, NULL);

	return x ? x->value : (struct span){0};
}

size_t
http_get_all(
	const struct http_fields *f, struct span name, struct span *values, size_t cap)
{
	size_t n = 0;

	for (const struct http_field *x = http_next(f, name, NULL); x;
		x = http_next(f, name, x)) {
		if (n < cap)
			values[n] = x->value;
		n++;
	}
	return n;
}

static bool
grow(struct http_fields *f)
{
	uint32_t cap = f->cap > 0 ? f->cap * 2 : FIRST_FIELDS;
	size_t size = cap * sizeof(*f->v);

	if (cap > UINT16_MAX || !has_room(f->arena, size))
		return false;
	struct http_field *v = arena_alloc(f->arena, size);
	for (uint32_t i = 0; i < f->n; i++)
		v[i] = f->v[i];
	f->v = v;
	f->cap = cap;
	return true;
}

bool
http_push_known(struct http_fields *f, const struct http_field *field)
{
	if (f->n == f->cap && !grow(f))
		return false;
	f->v[f->n++] = *field;
	f->ids |= bit_of(field->id);
	return true;
}

bool
http_push(struct http_fields *f, struct span name, struct span value)
{
	const struct http_field field = {name, value, http_name_find(name)};

	return http_push_known(f, &field);
}

static bool
check_field(struct span name, struct span value, struct err *err)
{
	if (!http_is_token(name))
		return err_set(err, ERR_HTTP_SYNTAX, "field name is not a token");
	if (!http_is_value(value)) {
		return err_set(err, ERR_HTTP_SYNTAX, "field %.*s has a control octet",
			SPAN_ARG(span_first(name, 64)));
	}
	return true;
}

/* Also keeps white space off the ends, where readers take it away. */
static struct span
trim_blanks(struct span s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = span_from(s, 1);
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

bool
http_add(struct http_fields *f, struct span name, struct span value, struct err *err)
{
	size_t size = 0;

	if (!check_field(name, value, err))
		return false;
	if (!size_add(name.n, value.n, &size) || !has_room(f->arena, size + SLACK))
		return err_set(err, ERR_HTTP_TOO_LARGE, "no room for another field");
	struct span kept = arena_copy(f->arena, name);
	if (!http_push(f, kept, arena_copy(f->arena, trim_blanks(value))))
		return err_set(err, ERR_HTTP_TOO_LARGE, "no room for another field");
	return true;
}

/* Removes those from `from` on. */
static size_t
remove_from(struct http_fields *f, struct span name, uint32_t from)
{
	enum http_name id = http_name_find(name);
	uint32_t kept = from;

	if (!(f->ids & bit_of(id)))
		return 0;
	for (uint32_t i = from; i < f->n; i++) {
		const struct http_field *x = &f->v[i];
		bool same = x->id == id &&
			(id != HTTP_NAME_OTHER || span_eq_nocase(x->name, name));
		if (!same)
			f->v[kept++] = *x;
	}
	size_t gone = f->n - kept;
	f->n = kept;
	return gone;
}

bool
http_set(struct http_fields *f, struct span name, struct span value, struct err *err)
{
	const struct http_field *first = http_next(f, name, NULL);

	if (!first)
		return http_add(f, name, value, err);
	uint32_t at = (uint32_t)(first - f->v); /* an index below f->n */
	if (!check_field(name, value, err))
		return false;
	if (!has_room(f->arena, value.n))
		return err_set(err, ERR_HTTP_TOO_LARGE, "no room for another field");
	f->v[at].value = arena_copy(f->arena, trim_blanks(value));
	(void)remove_from(f, name, at + 1);
	return true;
}

size_t
http_remove(struct http_fields *f, struct span name)
{
	return remove_from(f, name, 0);
}

size_t
http_remove_id(struct http_fields *f, enum http_name id)
{
	must(id != HTTP_NAME_OTHER);
	return f->ids & bit_of(id) ? remove_from(f, http_name_text(id), 0) : 0;
}

static bool
begins(struct span name, struct span prefix)
{
	if (name.n < prefix.n || ascii_lower(name.p[0]) != ascii_lower(prefix.p[0]))
		return false;
	for (size_t i = 0; i < prefix.n; i++) {
		uint8_t c = name.p[i] == '_' ? '-' : ascii_lower(name.p[i]);
		if (c != ascii_lower(prefix.p[i]))
			return false;
	}
	return true;
}

size_t
http_remove_prefix(struct http_fields *f, struct span prefix)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < f->n; i++) {
		if (begins(f->v[i].name, prefix))
			continue;
		if (kept != i)
			f->v[kept] = f->v[i];
		kept++;
	}
	size_t gone = f->n - kept;
	f->n = kept;
	return gone;
}

static bool
copy_span(struct arena *a, struct span s, struct span *out)
{
	*out = (struct span){0};
	if (s.n == 0)
		return true;
	if (!has_room(a, s.n))
		return false;
	*out = arena_copy(a, s);
	return true;
}

static bool
copy_fields(struct http_fields *dst, const struct http_fields *src)
{
	for (uint32_t i = 0; i < src->n; i++) {
		struct span name = {0};
		struct span value = {0};
		if (!copy_span(dst->arena, src->v[i].name, &name) ||
			!copy_span(dst->arena, src->v[i].value, &value) ||
			!http_push(dst, name, value))
			return false;
	}
	return true;
}

bool
http_head_copy(struct http_head *dst, const struct http_head *src, struct arena *a,
	struct err *err)
{
	struct http_head h = *src;

	h.fields = (struct http_fields){.arena = a};
	h.trailers = (struct http_fields){.arena = a};
	if (!copy_span(a, src->method_name, &h.method_name) ||
		!copy_span(a, src->scheme, &h.scheme) ||
		!copy_span(a, src->authority, &h.authority) ||
		!copy_span(a, src->path, &h.path) ||
		!copy_span(a, src->reason, &h.reason) ||
		!copy_span(a, src->protocol, &h.protocol) ||
		!copy_fields(&h.fields, &src->fields) ||
		!copy_fields(&h.trailers, &src->trailers))
		return err_set(err, ERR_HTTP_TOO_LARGE, "no room for a copy");
	*dst = h;
	return true;
}

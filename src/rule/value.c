// SPDX-License-Identifier: Apache-2.0
#include "rule/value.h"

#include "base/must.h"
#include "base/text.h"

enum { BASE_BITS = 3, LAYER_BITS = 2, LAYER_ARRAY = 1, LAYER_MAP = 2, LAYERS_MAX = 5 };

static unsigned
layers_of(enum type t)
{
	return (unsigned)t >> BASE_BITS;
}

static enum type
add_layer(enum type inner, unsigned layer)
{
	unsigned layers = layers_of(inner);
	must(layers < 1U << (LAYERS_MAX * LAYER_BITS));
	return (enum type)((unsigned)type_base(inner) |
		(layers << LAYER_BITS | layer) << BASE_BITS);
}

enum type
type_array(enum type inner)
{
	return add_layer(inner, LAYER_ARRAY);
}

enum type
type_map(enum type inner)
{
	return add_layer(inner, LAYER_MAP);
}

enum type
type_inner(enum type t)
{
	unsigned layers = layers_of(t);
	if (layers == 0)
		return TYPE_NONE;
	return (enum type)((unsigned)type_base(t) | layers >> LAYER_BITS << BASE_BITS);
}

enum type
type_base(enum type t)
{
	return (enum type)((unsigned)t & ((1U << BASE_BITS) - 1));
}

bool
type_is_array(enum type t)
{
	return (layers_of(t) & 3U) == LAYER_ARRAY;
}

bool
type_is_map(enum type t)
{
	return (layers_of(t) & 3U) == LAYER_MAP;
}

static const struct {
	const char *name;
	enum type type;
} base_names[] = {
	{"Bool", TYPE_BOOL},
	{"String", TYPE_STRING},
	{"Int", TYPE_INT},
	{"Ip", TYPE_IP},
};

void
type_put(struct text *t, enum type type)
{
	enum type inner = type_inner(type);
	if (inner != TYPE_NONE) {
		text_add(t, type_is_map(type) ? "Map(" : "Array(");
		type_put(t, inner);
		text_add(t, ")");
		return;
	}
	for (size_t i = 0; i < COUNT_OF(base_names); i++) {
		if (base_names[i].type == type)
			text_add(t, "%s", base_names[i].name);
	}
}

/* "Array(X)" and "Map(X)": the X, when s has this word in front. */
static bool
take_layer(struct span s, struct span word, struct span *inside)
{
	if (!span_starts(s, word) || !span_ends(s, SPAN(")")))
		return false;
	*inside = span_slice(s, word.n, s.n - 1);
	return true;
}

bool
type_parse(struct span s, enum type *out)
{
	unsigned layers[LAYERS_MAX];
	size_t n = 0;
	for (; n < LAYERS_MAX; n++) {
		if (take_layer(s, SPAN("Array("), &s)) {
			layers[n] = LAYER_ARRAY;
		} else if (take_layer(s, SPAN("Map("), &s)) {
			layers[n] = LAYER_MAP;
		} else {
			break;
		}
	}
	for (size_t i = 0; i < COUNT_OF(base_names); i++) {
		if (!span_eq(s, span_str(base_names[i].name)))
			continue;
		enum type t = base_names[i].type;
		while (n > 0)
			t = add_layer(t, layers[--n]);
		*out = t;
		return true;
	}
	return false;
}

struct value
value_missing(void)
{
	return (struct value){.kind = VALUE_MISSING};
}

struct value
value_bool(bool b)
{
	return (struct value){.kind = VALUE_BOOL, .b = b};
}

struct value
value_int(int64_t i)
{
	return (struct value){.kind = VALUE_INT, .i = i};
}

struct value
value_string(struct span s)
{
	return (struct value){.kind = VALUE_STRING, .s = s};
}

struct value
value_ip(struct ip ip)
{
	if (ip.family == IP_NONE)
		return value_missing();
	struct ip plain = ip;
	if (ip.family == IP_V6 && ip_from_bytes(span_of(ip.bytes, 16), &plain))
		ip = plain; /* v4-mapped came out as v4 */
	return (struct value){.kind = VALUE_IP, .ip = ip};
}

struct value
value_array(const struct value *items, size_t n)
{
	must(n <= UINT32_MAX);
	return (struct value){.kind = VALUE_ARRAY, .n = (uint32_t)n, .items = items};
}

struct value
value_map(const struct value_pair *pairs, size_t n)
{
	must(n <= UINT32_MAX);
	return (struct value){.kind = VALUE_MAP, .n = (uint32_t)n, .pairs = pairs};
}

struct value
value_domains(struct span name)
{
	if (name.n == 0)
		return value_missing();
	struct ip ip;
	uint32_t n = 1;
	for (size_t i = 0; i + 1 < name.n; i++)
		n += name.p[i] == '.';
	if (ip_parse(name, &ip))
		n = 1; /* 10.0.0.1 is not below 0.0.1 */
	return (struct value){.kind = VALUE_DOMAINS, .n = n, .s = name};
}

struct value
value_one_ip(struct ip ip)
{
	struct value v = value_ip(ip);
	if (v.kind == VALUE_IP) {
		v.kind = VALUE_ONE_IP;
		v.n = 1;
	}
	return v;
}

size_t
value_len(const struct value *v)
{
	switch (v->kind) {
	case VALUE_STRING:
		return v->s.n;
	case VALUE_ARRAY:
	case VALUE_DOMAINS:
	case VALUE_ONE_IP:
	case VALUE_MAP:
		return v->n;
	case VALUE_MISSING:
	case VALUE_BOOL:
	case VALUE_INT:
	case VALUE_IP:
		break;
	}
	return 0;
}

static struct span
parent_name(struct span name, size_t levels)
{
	for (; levels > 0; levels--)
		name = span_from(name, span_chr(name, '.') + 1);
	return name;
}

struct value
value_at(const struct value *v, size_t i)
{
	if (v->kind == VALUE_ARRAY && i < v->n)
		return v->items[i];
	if (v->kind == VALUE_DOMAINS && i < v->n)
		return value_string(parent_name(v->s, i));
	if (v->kind == VALUE_ONE_IP && i == 0)
		return (struct value){.kind = VALUE_IP, .ip = v->ip};
	return value_missing();
}

struct value
value_get(const struct value *v, struct span key)
{
	for (size_t i = 0; v->kind == VALUE_MAP && i < v->n; i++) {
		if (span_eq(v->pairs[i].key, key))
			return v->pairs[i].v;
	}
	return value_missing();
}

static bool
arrays_eq(const struct value *a, const struct value *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		struct value x = value_at(a, i);
		struct value y = value_at(b, i);
		if (!value_eq(&x, &y))
			return false;
	}
	return true;
}

static bool
maps_eq(const struct value *a, const struct value *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		struct value y = value_get(b, a->pairs[i].key);
		if (!value_eq(&a->pairs[i].v, &y))
			return false;
	}
	return true;
}

static bool
is_listed(const struct value *v)
{
	return v->kind == VALUE_ARRAY || v->kind == VALUE_DOMAINS ||
		v->kind == VALUE_ONE_IP;
}

bool
value_eq(const struct value *a, const struct value *b)
{
	if (is_listed(a) && is_listed(b))
		return arrays_eq(a, b);
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case VALUE_MISSING:
		return true;
	case VALUE_BOOL:
		return a->b == b->b;
	case VALUE_INT:
		return a->i == b->i;
	case VALUE_STRING:
		return span_eq(a->s, b->s);
	case VALUE_IP:
		return ip_eq(&a->ip, &b->ip);
	case VALUE_MAP:
		return maps_eq(a, b);
	case VALUE_ARRAY:
	case VALUE_DOMAINS:
	case VALUE_ONE_IP:
		break;
	}
	must_not_reach("arrays were compared above");
}

static void
put_items(struct text *t, const struct value *v)
{
	text_add(t, "[");
	for (size_t i = 0; i < v->n; i++) {
		struct value item = value_at(v, i);
		text_add(t, i == 0 ? "" : ", ");
		value_put(t, &item);
	}
	text_add(t, "]");
}

static void
put_pairs(struct text *t, const struct value *v)
{
	text_add(t, "{");
	for (size_t i = 0; i < v->n; i++) {
		text_add(t, i == 0 ? "\"" : ", \"");
		text_put_safe(t, v->pairs[i].key);
		text_add(t, "\": ");
		value_put(t, &v->pairs[i].v);
	}
	text_add(t, "}");
}

void
value_put(struct text *t, const struct value *v)
{
	char ip[IP_TEXT];

	switch (v->kind) {
	case VALUE_MISSING:
		text_add(t, "(missing)");
		return;
	case VALUE_BOOL:
		text_add(t, v->b ? "true" : "false");
		return;
	case VALUE_INT:
		text_add(t, "%lld", (long long)v->i);
		return;
	case VALUE_STRING:
		text_add(t, "\"");
		text_put_safe(t, v->s);
		text_add(t, "\"");
		return;
	case VALUE_IP:
		text_add(t, "%s", ip_text(ip, &v->ip));
		return;
	case VALUE_ARRAY:
	case VALUE_DOMAINS:
	case VALUE_ONE_IP:
		put_items(t, v);
		return;
	case VALUE_MAP:
		put_pairs(t, v);
		return;
	}
}

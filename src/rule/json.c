// SPDX-License-Identifier: Apache-2.0
#include "rule/json_priv.h"

static struct value
array_of_json(struct arena *a, enum type type, const struct json *j)
{
	struct value *items = arena_alloc(a, (j->n + 1) * sizeof(*items));
	size_t n = 0;
	for (const struct json *m = j->first; m != NULL; m = m->next)
		items[n++] = json_value(a, type_inner(type), m);
	return value_array(items, n);
}

static struct value
map_of_json(struct arena *a, enum type type, const struct json *j)
{
	struct value_pair *pairs = arena_alloc(a, (j->n + 1) * sizeof(*pairs));
	size_t n = 0;
	for (const struct json *m = j->first; m != NULL; m = m->next) {
		pairs[n].key = m->key;
		pairs[n++].v = json_value(a, type_inner(type), m);
	}
	return value_map(pairs, n);
}

static struct value
ip_of_json(const struct json *j)
{
	struct ip ip;
	return ip_parse(json_string(j), &ip) ? value_ip(ip) : value_missing();
}

struct value
json_value(struct arena *a, enum type type, const struct json *j)
{
	int64_t number;
	if (type_is_array(type) && j->type == JSON_ARRAY)
		return array_of_json(a, type, j);
	if (type_is_map(type) && j->type == JSON_OBJECT)
		return map_of_json(a, type, j);
	if (type == TYPE_BOOL && (j->type == JSON_TRUE || j->type == JSON_FALSE))
		return value_bool(j->type == JSON_TRUE);
	if (type == TYPE_INT && json_integer(j, &number))
		return value_int(number);
	if (type == TYPE_STRING && j->type == JSON_STRING)
		return value_string(j->text);
	if (type == TYPE_IP)
		return ip_of_json(j);
	return value_missing();
}

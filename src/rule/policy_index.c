// SPDX-License-Identifier: Apache-2.0
#include "rule/policy_priv.h"

#include <string.h>

#include "base/mem.h"

/* A comparison that demands certain strings of a field: equal to one, in a set or list.
 */
static bool
demands_strings(const struct test *t, bool each)
{
	const struct path *p = &t->path;
	bool whole = each ? p->n_steps == 1 && p->stars == 1 : p->n_steps == 0;
	if (p->field == NULL || !whole || p->element != TYPE_STRING)
		return false;
	return t->op == TEST_EQ || t->op == TEST_IN_SET || t->op == TEST_IN_LIST;
}

/* The test in a node that demands strings, or NULL. */
static const struct test *
demanding_test(const struct node *n)
{
	if (n->kind == NODE_NAMED)
		return demanding_test(n->first);
	if (n->kind == NODE_TEST && demands_strings(n->test, n->test->any))
		return n->test;
	if (n->kind == NODE_ANY && n->first->kind == NODE_TEST &&
		demands_strings(n->first->test, true))
		return n->first->test;
	return NULL;
}

/* How few rules a demand of this node leaves: 0 none at all, 3 best. */
static unsigned
usefulness(const struct node *n)
{
	const struct test *t = demanding_test(n);
	if (t != NULL)
		return t->path.field->flags & FIELD_HOST ? 3 : 1;
	if (n->kind == NODE_CONST && !n->truth)
		return 3;
	if (n->kind == NODE_NAMED)
		return usefulness(n->first);
	if (n->kind != NODE_AND && n->kind != NODE_OR)
		return 0;
	unsigned best = n->kind == NODE_AND ? 0 : 3;
	for (const struct node *c = n->first; c != NULL; c = c->next) {
		unsigned u = usefulness(c);
		if (n->kind == NODE_AND ? u > best : u < best)
			best = u;
	}
	return best;
}

static void
group_add(struct rule_group *g, uint32_t i)
{
	if (g->n > 0 && g->rules[g->n - 1] == i)
		return;
	g->rules = mem_grow(g->rules, &g->cap, g->n + 1, sizeof(*g->rules));
	g->rules[g->n++] = i;
}

static struct index_field *
field_of(struct rule_index *x, const struct field *f)
{
	for (size_t i = 0; i < x->n; i++) {
		if (x->fields[i].field == f)
			return &x->fields[i];
	}
	x->fields = mem_grow(x->fields, &x->cap, x->n + 1, sizeof(*x->fields));
	x->fields[x->n] = (struct index_field){.field = f};
	return &x->fields[x->n++];
}

static void
add_key(struct index_field *f, struct span key, uint32_t i)
{
	struct map_item *item = map_get(&f->by_key, key);
	struct index_key *k;
	if (item == NULL) {
		k = mem_alloc(sizeof(*k) + key.n);
		if (key.n > 0)
			memcpy(k->key, key.p, key.n);
		map_add(&f->by_key, &k->item, span_of(k->key, key.n));
	} else {
		k = CONTAINER_OF(item, struct index_key, item);
	}
	group_add(&k->group, i);
}

static void
add_list(struct index_field *f, const struct rule_list *list, uint32_t i)
{
	size_t at = 0;
	while (at < f->n_lists && f->lists[at].list != list)
		at++;
	if (at == f->n_lists) {
		f->lists = mem_grow(
			f->lists, &f->cap_lists, f->n_lists + 1, sizeof(*f->lists));
		f->lists[f->n_lists++] = (struct index_list){.list = list};
	}
	group_add(&f->lists[at].group, i);
}

static void
add_test(struct rule_index *x, const struct test *t, uint32_t i)
{
	struct index_field *f = field_of(x, t->path.field);
	if (t->op == TEST_EQ) {
		add_key(f, t->literal.s, i);
	} else if (t->op == TEST_IN_LIST) {
		add_list(f, t->list, i);
	}
	for (size_t k = 0; t->op == TEST_IN_SET && k < t->n_items; k++)
		add_key(f, t->items[k].s, i);
}

/* Of an and, its most useful part; of an or, all parts. */
static void
add_node(struct rule_index *x, const struct node *n, uint32_t i)
{
	const struct test *t = demanding_test(n);
	if (t != NULL) {
		add_test(x, t, i);
		return;
	}
	unsigned best = usefulness(n);
	for (const struct node *c = n->kind == NODE_CONST ? NULL : n->first; c != NULL;
		c = c->next) {
		if (n->kind == NODE_AND && usefulness(c) < best)
			continue;
		add_node(x, c, i);
		if (n->kind == NODE_AND)
			return;
	}
}

bool
rule_index_add(struct rule_index *x, uint32_t i, const struct rule_expr *e)
{
	if (usefulness(e->root) == 0)
		return false;
	add_node(x, e->root, i);
	return true;
}

static void
set_bits(uint64_t *bits, const struct rule_group *g)
{
	for (size_t i = 0; i < g->n; i++)
		bits[g->rules[i] / 64] |= UINT64_C(1) << g->rules[i] % 64;
}

static void
find_key(const struct index_field *f, const struct value *v, uint64_t *bits)
{
	if (v->kind != VALUE_STRING || f->by_key.n == 0)
		return;
	struct map_item *item = map_get(&f->by_key, v->s);
	if (item != NULL)
		set_bits(bits, &CONTAINER_OF(item, struct index_key, item)->group);
}

/* A list answers for a name with its parents at once; else string by string. */
static bool
list_has_any(const struct rule_list *list, const struct value *v)
{
	if (v->kind != VALUE_ARRAY)
		return list_has(list, v);
	for (size_t i = 0; i < v->n; i++) {
		if (list_has(list, &v->items[i]))
			return true;
	}
	return false;
}

static void
find_field(const struct index_field *f, const struct eval *e, uint64_t *bits)
{
	struct value v = eval_field(e, f->field);
	if (v.kind == VALUE_MISSING)
		return;
	if (v.kind == VALUE_STRING)
		find_key(f, &v, bits);
	for (size_t i = 0; v.kind != VALUE_STRING && i < value_len(&v); i++) {
		struct value item = value_at(&v, i);
		find_key(f, &item, bits);
	}
	for (size_t i = 0; i < f->n_lists; i++) {
		if (list_has_any(f->lists[i].list, &v))
			set_bits(bits, &f->lists[i].group);
	}
}

void
rule_index_find(const struct rule_index *x, const struct eval *e, uint64_t *bits)
{
	for (size_t i = 0; i < x->n; i++)
		find_field(&x->fields[i], e, bits);
}

static void
free_field(struct index_field *f)
{
	struct map_item *item;
	while ((item = map_next(&f->by_key, NULL)) != NULL) {
		struct index_key *k = CONTAINER_OF(item, struct index_key, item);
		map_remove(&f->by_key, item);
		mem_free(k->group.rules);
		mem_free(k);
	}
	map_fini(&f->by_key);
	for (size_t i = 0; i < f->n_lists; i++)
		mem_free(f->lists[i].group.rules);
	mem_free(f->lists);
}

void
rule_index_fini(struct rule_index *x)
{
	for (size_t i = 0; i < x->n; i++)
		free_field(&x->fields[i]);
	mem_free(x->fields);
	*x = (struct rule_index){0};
}

// SPDX-License-Identifier: Apache-2.0
/*
 * eval: walks a typed tree and says what is true.
 *
 * Nothing is allocated: results of functions and arrays made by [*] lie in the scheme's
 * scratch, given back when the evaluation ends. A missing value makes its test false.
 */
#include "rule/eval_priv.h"

#include <string.h>

#include "base/must.h"
#include "rule/func_priv.h"
#include "rule/regex_priv.h"
#include "rule/scratch_priv.h"
#include "rule/wildcard_priv.h"

/* An array of truths while it is reckoned with. */
struct truths {
	bool *p;
	size_t n;
	bool missing; /* as a whole: any and all of it are false */
};

static struct value
step_into(const struct value *v, const struct step *s)
{
	return s->kind == STEP_KEY ? value_get(v, s->key) : value_at(v, s->index);
}

/* Elements of an array, values of a map. */
static struct value
child_at(const struct value *v, size_t i)
{
	return v->kind == VALUE_MAP ? v->pairs[i].v : value_at(v, i);
}

struct flat {
	const struct step *steps;
	size_t n_steps;
	struct value *out; /* NULL: only count */
	size_t n;
};

static void
flatten(struct flat *f, const struct value *v, size_t step)
{
	if (v->kind == VALUE_MISSING)
		return; /* an element without this member takes no part */
	if (step == f->n_steps) {
		if (f->out != NULL)
			f->out[f->n] = *v;
		f->n++;
		return;
	}
	if (f->steps[step].kind != STEP_EACH) {
		struct value inner = step_into(v, &f->steps[step]);
		flatten(f, &inner, step + 1);
		return;
	}
	bool many = v->kind == VALUE_ARRAY || v->kind == VALUE_DOMAINS ||
		v->kind == VALUE_ONE_IP || v->kind == VALUE_MAP;
	size_t n = many ? value_len(v) : 0;
	for (size_t i = 0; i < n; i++) {
		struct value inner = child_at(v, i);
		flatten(f, &inner, step + 1);
	}
}

static struct value
flat_array(const struct eval *e, const struct value *v, const struct path *p)
{
	struct flat f = {.steps = p->steps, .n_steps = p->n_steps};
	flatten(&f, v, 0);
	f.out = scratch_take(e->scratch, f.n * sizeof(*f.out));
	if (f.out == NULL)
		return value_missing();
	f.n = 0;
	flatten(&f, v, 0);
	return value_array(f.out, f.n);
}

static struct value call_function(const struct eval *e, const struct path *p);

struct value
eval_path(const struct eval *e, const struct path *p)
{
	struct value v =
		p->field != NULL ? eval_field(e, p->field) : call_function(e, p);
	size_t plain = 0;
	while (plain < p->n_steps && p->steps[plain].kind != STEP_EACH) {
		v = step_into(&v, &p->steps[plain]);
		plain++;
	}
	if (v.kind == VALUE_MISSING || plain == p->n_steps)
		return v;
	bool last = plain + 1 == p->n_steps;
	if (last && v.kind != VALUE_MAP)
		return v; /* the array itself: its elements are asked for one by one */
	struct path rest = *p;
	rest.steps = p->steps + plain;
	rest.n_steps = p->n_steps - plain;
	return flat_array(e, &v, &rest);
}

struct value
eval_field(const struct eval *e, const struct field *f)
{
	struct value v = f->get(e->facts, f);
	/* A Gateway field may be told as one value where its type is an array. */
	must(v.kind != VALUE_ARRAY || v.n == 0 || v.items != NULL);
	return v;
}

static struct value
call_once(const struct eval *e, const struct path *p, const struct value *args)
{
	struct call c = {
		.args = args, .n = p->n_args, .scratch = e->scratch, .path = p};
	for (size_t i = 0; i < c.n && !(p->function->flags & FUNCTION_TAKES_MISSING);
		i++) {
		if (args[i].kind == VALUE_MISSING)
			return value_missing();
	}
	/* cppcheck-suppress returnDanglingLifetime ; a value borrows from args, not
	 * from c */
	return p->function->run(&c);
}

/* The first argument has [*]: once for each of its elements. */
static struct value
call_each(const struct eval *e, const struct path *p, struct value *args)
{
	struct value first = args[0];
	size_t n = value_len(&first);
	if (first.kind == VALUE_MISSING)
		return first;
	struct value *out = scratch_take(e->scratch, n * sizeof(*out));
	if (out == NULL)
		return value_missing();
	size_t made = 0;
	for (size_t i = 0; i < n; i++) {
		args[0] = value_at(&first, i);
		out[made] = call_once(e, p, args);
		made += out[made].kind != VALUE_MISSING;
	}
	return value_array(out, made);
}

static struct value truths_value(const struct eval *e, const struct node *n);

static struct value
eval_argument(const struct eval *e, const struct node *n)
{
	if (n->kind == NODE_LITERAL)
		return n->literal;
	if (n->kind == NODE_PATH)
		return eval_path(e, n->path);
	if (n->type == TYPE_BOOL)
		return value_bool(eval_bool(e, n));
	return truths_value(e, n);
}

static struct value
call_function(const struct eval *e, const struct path *p)
{
	struct value *args = scratch_take(e->scratch, p->n_args * sizeof(*args));
	if (args == NULL)
		return value_missing();
	size_t i = 0;
	for (const struct node *n = p->args; n != NULL; n = n->next)
		args[i++] = eval_argument(e, n);
	const struct node *first = p->args;
	bool each = first != NULL && first->kind == NODE_PATH && first->path->stars > 0;
	return each ? call_each(e, p, args) : call_once(e, p, args);
}

/* <0, 0, >0; false when the two cannot be ordered. */
static bool
order(const struct value *a, const struct value *b, int *out)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == VALUE_INT) {
		*out = a->i < b->i ? -1 : a->i > b->i;
	} else if (a->kind == VALUE_STRING) {
		*out = span_cmp(a->s, b->s);
	} else if (a->ip.family == b->ip.family) {
		*out = ip_cmp(&a->ip, &b->ip);
	} else {
		return false; /* the two families */
	}
	return true;
}

static bool
compare(enum test_op op, const struct value *a, const struct value *b)
{
	int o;
	if (!order(a, b, &o))
		return op == TEST_NE;
	switch (op) {
	case TEST_EQ:
		return o == 0;
	case TEST_NE:
		return o != 0;
	case TEST_GE:
		return o >= 0;
	case TEST_LE:
		return o <= 0;
	case TEST_GT:
		return o > 0;
	case TEST_LT:
		return o < 0;
	case TEST_TRUE:
	case TEST_BITS:
	case TEST_CONTAINS:
	case TEST_MATCHES:
	case TEST_WILDCARD:
	case TEST_STRICT_WILDCARD:
	case TEST_IN_SET:
	case TEST_IN_LIST:
		break;
	}
	must_not_reach("only comparisons come here");
}

static bool
contains(struct span s, struct span needle)
{
	return needle.n == 0 || memmem(s.p, s.n, needle.p, needle.n) != NULL;
}

static bool
in_set(const struct test *t, const struct value *v)
{
	if (v->kind == VALUE_INT)
		return int_set_has(&t->ints, v->i);
	if (v->kind == VALUE_IP)
		return ip_set_has(&t->ips, &v->ip);
	return v->kind == VALUE_STRING && string_set_has(&t->strings, v->s);
}

bool
eval_test_value(const struct eval *e, const struct test *t, const struct value *v)
{
	if (v->kind == VALUE_MISSING)
		return false;
	switch (t->op) {
	case TEST_TRUE:
		return v->kind == VALUE_BOOL && v->b;
	case TEST_EQ:
	case TEST_NE:
	case TEST_GE:
	case TEST_LE:
	case TEST_GT:
	case TEST_LT:
		return compare(t->op, v, &t->literal);
	case TEST_BITS:
		return (v->i & t->literal.i) != 0;
	case TEST_CONTAINS:
		return contains(v->s, t->literal.s);
	case TEST_MATCHES:
		return t->pool > 0 && e->pools != NULL
			? e->pools->ask(e->pools, t, v->s)
			: regex_matches(t->regex, v->s);
	case TEST_WILDCARD:
	case TEST_STRICT_WILDCARD:
		return wildcard_matches(t->wildcard, v->s, NULL);
	case TEST_IN_SET:
		return in_set(t, v);
	case TEST_IN_LIST:
		return list_has(t->list, v);
	}
	must_not_reach("all operators are above");
}

/* A name and those above it, asked of a list at once: suffix entries count too. */
static bool
is_domain_look_up(const struct test *t, const struct value *v)
{
	return t->op == TEST_IN_LIST && v->kind == VALUE_DOMAINS;
}

static bool
any_value(const struct eval *e, const struct test *t, const struct value *v)
{
	if (is_domain_look_up(t, v))
		return list_has(t->list, v);
	for (size_t i = 0; i < value_len(v); i++) {
		struct value item = value_at(v, i);
		if (eval_test_value(e, t, &item))
			return true;
	}
	return false;
}

static bool
all_values(const struct eval *e, const struct test *t, const struct value *v)
{
	for (size_t i = 0; i < value_len(v); i++) {
		struct value item = value_at(v, i);
		if (!eval_test_value(e, t, &item))
			return false;
	}
	return true;
}

/* A bare array of Bool that is missing makes any and all false; a mapped one is empty.
 */
static bool
is_missing_array(const struct test *t, const struct value *v)
{
	return v->kind == VALUE_MISSING && t->op == TEST_TRUE && t->path.stars == 0;
}

static struct truths
no_truths(void)
{
	return (struct truths){.missing = true};
}

static struct truths eval_truths(const struct eval *e, const struct node *n);

static struct truths
test_truths(const struct eval *e, const struct test *t)
{
	struct value v = eval_path(e, &t->path);
	struct truths out = {.n = value_len(&v), .missing = is_missing_array(t, &v)};
	if (v.kind == VALUE_MISSING)
		return (struct truths){.missing = out.missing};
	out.p = scratch_take(e->scratch, out.n);
	if (out.p == NULL)
		return no_truths();
	for (size_t i = 0; i < out.n; i++) {
		struct value item = value_at(&v, i);
		out.p[i] = eval_test_value(e, t, &item);
	}
	/* So that any(not domains[*] in $list) sees a suffix entry as well. */
	if (is_domain_look_up(t, &v) && out.n > 0 && list_has(t->list, &v))
		out.p[0] = true;
	return out;
}

static bool
join(enum node_kind op, bool a, bool b)
{
	return op == NODE_AND ? a && b : op == NODE_OR ? a || b : a != b;
}

/* Element by element, as long as the shorter one. */
static struct truths
chain_truths(const struct eval *e, const struct node *n)
{
	struct truths out = eval_truths(e, n->first);
	for (const struct node *c = n->first->next; c != NULL; c = c->next) {
		struct truths more = eval_truths(e, c);
		if (more.n < out.n)
			out.n = more.n;
		for (size_t i = 0; i < out.n; i++)
			out.p[i] = join(n->kind, out.p[i], more.p[i]);
	}
	out.missing = false;
	return out;
}

static struct truths
eval_truths(const struct eval *e, const struct node *n)
{
	if (n->kind == NODE_TEST)
		return test_truths(e, n->test);
	if (n->kind == NODE_NOT) {
		struct truths out = eval_truths(e, n->first);
		for (size_t i = 0; i < out.n; i++)
			out.p[i] = !out.p[i];
		out.missing = false;
		return out;
	}
	if (n->kind == NODE_PATH) { /* a call or field of type Array(Bool) */
		struct test t = {.path = *n->path, .op = TEST_TRUE};
		return test_truths(e, &t);
	}
	return chain_truths(e, n);
}

static struct value
truths_value(const struct eval *e, const struct node *n)
{
	struct truths t = eval_truths(e, n);
	struct value *items = scratch_take(e->scratch, t.n * sizeof(*items));
	if (items == NULL)
		return value_missing();
	for (size_t i = 0; i < t.n; i++)
		items[i] = value_bool(t.p[i]);
	return value_array(items, t.n);
}

static bool
eval_quantifier(const struct eval *e, const struct node *n)
{
	bool any = n->kind == NODE_ANY;
	if (n->first->kind == NODE_TEST) {
		const struct test *t = n->first->test;
		struct value v = eval_path(e, &t->path);
		if (is_missing_array(t, &v))
			return false;
		return any ? any_value(e, t, &v) : all_values(e, t, &v);
	}
	struct truths t = eval_truths(e, n->first);
	if (t.missing)
		return false;
	for (size_t i = 0; i < t.n; i++) {
		if (t.p[i] == any)
			return any;
	}
	return !any;
}

static bool
eval_chain(const struct eval *e, const struct node *n)
{
	bool out = eval_bool(e, n->first);
	for (const struct node *c = n->first->next; c != NULL; c = c->next) {
		if (out == (n->kind == NODE_OR) && n->kind != NODE_XOR)
			return out;
		out = join(n->kind, out, eval_bool(e, c));
	}
	return out;
}

static bool
eval_test(const struct eval *e, const struct test *t)
{
	struct value v = eval_path(e, &t->path);
	return t->any ? any_value(e, t, &v) : eval_test_value(e, t, &v);
}

bool
eval_bool(const struct eval *e, const struct node *n)
{
	switch (n->kind) {
	case NODE_CONST:
		return n->truth;
	case NODE_ANY:
	case NODE_ALL:
		return eval_quantifier(e, n);
	case NODE_NOT:
		return !eval_bool(e, n->first);
	case NODE_NAMED:
		return eval_bool(e, n->first);
	case NODE_AND:
	case NODE_OR:
	case NODE_XOR:
		return eval_chain(e, n);
	case NODE_TEST:
		return eval_test(e, n->test);
	case NODE_PATH:
	case NODE_LITERAL:
		break;
	}
	must_not_reach("a truth is none of these");
}

bool
rule_eval(const struct rule_expr *e, const struct facts *f)
{
	struct eval run = {.facts = f, .scratch = e->scheme->scratch};
	scratch_back(run.scratch, 0);
	return eval_bool(&run, e->root);
}

struct value
rule_eval_value(const struct rule_expr *e, const struct facts *f)
{
	struct eval run = {.facts = f, .scratch = e->scheme->scratch};
	scratch_back(run.scratch, 0);
	return eval_argument(&run, e->root);
}

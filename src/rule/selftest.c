// SPDX-License-Identifier: Apache-2.0
#include "rule/selftest.h"

#include <string.h>

#include "base/json.h"
#include "base/must.h"
#include "base/text.h"
#include "rule/expr.h"
#include "rule/json_priv.h"
#include "rule/set.h"

enum { ARENA_LIMIT = 256 << 20, SHOWN = 400, PRINTED_MAX = 64 << 10 };

/* The seed of uuidv4(); a file need not give one. */
static const char seed_name[] = "cf.random_seed";

/* A scheme made at run time: a field's value stands at its row's arg. */
struct facts {
	struct facts_base base;
	const struct value *values;
};

struct bench {
	struct arena arena;
	struct field *fields;
	size_t n_fields;
	struct scheme scheme;
	struct lists *lists;
	const struct json *root;
	struct selftest *count;
};

static struct value
get_value(const struct facts *f, const struct field *row)
{
	return f->values[row->arg];
}

static bool
add_field(struct bench *b, struct span name, enum type type)
{
	for (size_t i = 0; i < b->n_fields; i++) {
		if (span_eq(name, span_str(b->fields[i].name)))
			return true;
	}
	struct field *f = &b->fields[b->n_fields];
	*f = (struct field){.name = arena_cstr(&b->arena, name),
		.type = type,
		.phase = PHASE_ACCEPT,
		.get = get_value,
		.help = "",
		.arg = (uint16_t)b->n_fields};
	return b->n_fields++ < UINT16_MAX;
}

static enum type
guess_type(const struct json *j)
{
	if (j->type == JSON_NUMBER)
		return TYPE_INT;
	if (j->type == JSON_TRUE || j->type == JSON_FALSE)
		return TYPE_BOOL;
	return TYPE_STRING;
}

static size_t
count_given(const struct json *cases)
{
	size_t n = 0;
	for (const struct json *c = cases == NULL ? NULL : cases->first; c;
		c = c->next) {
		const struct json *given = json_get(c, "given");
		n += given == NULL ? 0 : given->n;
	}
	return n;
}

/* Fields that only function cases give have the type of what is given. */
static void
add_given(struct bench *b, const struct json *cases)
{
	for (const struct json *c = cases == NULL ? NULL : cases->first; c;
		c = c->next) {
		const struct json *given = json_get(c, "given");
		const struct json *g = given == NULL ? NULL : given->first;
		for (; g != NULL; g = g->next)
			must(add_field(b, g->key, guess_type(g)));
	}
}

static bool
build_scheme(struct bench *b, struct err *err)
{
	const struct json *scheme = json_get(b->root, "scheme");
	const struct json *calls = json_get(b->root, "function_cases");
	size_t room = count_given(calls) + 1;
	if (scheme == NULL || scheme->type != JSON_OBJECT)
		return err_set(err, ERR_RULE_CASES, "there is no object \"scheme\"");
	room += scheme->n;
	if (room > UINT16_MAX)
		return err_set(err, ERR_RULE_CASES, "the scheme has too many fields");
	b->fields = arena_alloc(&b->arena, room * sizeof(*b->fields));
	for (const struct json *f = scheme->first; f != NULL; f = f->next) {
		enum type type;
		if (!type_parse(json_string(f), &type)) {
			return err_set(err, ERR_RULE_CASES,
				"field %.*s has an unknown type", SPAN_ARG(f->key));
		}
		must(add_field(b, f->key, type));
	}
	add_given(b, calls);
	must(add_field(b, span_str(seed_name), TYPE_STRING));
	scheme_init(&b->scheme, b->fields, b->n_fields, b->lists);
	return true;
}

static bool
build_lists(struct bench *b, struct err *err)
{
	const struct json *lists = json_get(b->root, "lists");
	for (const struct json *l = lists == NULL ? NULL : lists->first; l;
		l = l->next) {
		struct span *items =
			arena_alloc(&b->arena, (l->n + 1) * sizeof(*items));
		size_t n = 0;
		for (const struct json *i = l->first; i != NULL; i = i->next)
			items[n++] = i->text;
		if (!lists_add(b->lists,
			    &(struct list_source){.name = l->key, .type = TYPE_NONE},
			    items, n, err))
			return false;
	}
	return true;
}

/* A context, or what a function case gives. */
static const struct value *
values_of(struct bench *b, const struct json *context)
{
	struct value *values = arena_alloc(&b->arena, b->n_fields * sizeof(*values));
	for (size_t i = 0; i < b->n_fields; i++) {
		const struct json *j = json_get(context, b->fields[i].name);
		if (j != NULL) {
			values[i] = json_value(&b->arena, b->fields[i].type, j);
		} else if (strcmp(b->fields[i].name, seed_name) == 0) {
			values[i] = value_string(SPAN("0123456789abcdef"));
		}
	}
	return values;
}

static void
judge(struct bench *b, bool passed)
{
	if (passed) {
		b->count->passed++;
	} else {
		b->count->failed++;
	}
}

static void
show(struct span text)
{
	char room[SHOWN];
	struct text t = text_to(room, sizeof(room));
	text_put_safe(&t, text);
	text_out("%s%s", room, t.cut ? "…" : "");
}

static void
show_case(const struct json *c, const char *key)
{
	const struct json *id = json_get(c, "id");
	const struct json *context = json_get(c, "ctx");
	text_out("case %.*s", id == NULL ? 1 : (int)id->text.n,
		id == NULL ? "-" : (const char *)id->text.p);
	if (context != NULL)
		text_out(" (context %.*s)", SPAN_ARG(context->text));
	text_out(": ");
	show(json_string(json_get(c, key)));
	text_out("\n");
}

static bool
is_error(const struct json *j)
{
	return j != NULL && j->type == JSON_STRING && span_eq(j->text, SPAN("error"));
}

/* Our own verdict of a case, where it departs from the engine's. */
static const struct json *
wanted_of(const struct json *c, bool *ours)
{
	const struct json *own = json_get(c, "ours");
	*ours = own != NULL && own->type != JSON_NULL;
	return *ours ? own : json_get(c, "expect");
}

static bool
same_place(const struct json *c, const struct rule_error *e)
{
	int64_t line = e->line;
	int64_t col = e->col;
	const struct json *l = json_get(c, "line");
	const struct json *k = json_get(c, "col");
	if ((l != NULL && !json_integer(l, &line)) ||
		(k != NULL && !json_integer(k, &col)))
		return false;
	return line == e->line && col == e->col;
}

static void
judge_error(struct bench *b, const struct json *c, const struct rule_error *e)
{
	bool ours;
	bool wanted = is_error(wanted_of(c, &ours));
	bool ok = wanted && (ours || same_place(c, e));
	judge(b, ok);
	if (ok)
		return;
	const struct json *line = json_get(c, "line");
	const struct json *col = json_get(c, "col");
	show_case(c, "expr");
	text_out("  refused at %u:%u: %s\n", e->line, e->col, e->message);
	if (wanted && line != NULL && col != NULL) {
		text_out("  wanted at %.*s:%.*s\n", SPAN_ARG(line->text),
			SPAN_ARG(col->text));
	} else {
		text_out("  wanted a verdict\n");
	}
}

static struct span
print_expr(struct bench *b, const struct rule_expr *e)
{
	char *room = arena_alloc(&b->arena, PRINTED_MAX);
	struct text t = text_to(room, PRINTED_MAX);
	rule_put(&t, e);
	return text_span(&t);
}

/* The printed text must compile, and print as itself. */
static bool
prints_true(
	struct bench *b, const struct rule_expr *e, bool value, const struct json *c)
{
	struct rule_expr *again;
	struct rule_error error;
	struct rule_options options = {.any_length = true};
	struct span first = print_expr(b, e);
	bool ok = value ? rule_compile_value(&b->scheme, first, options, &again, &error)
			: rule_compile(&b->scheme, first, options, &again, &error);
	if (ok) {
		ok = span_eq(first, print_expr(b, again));
		rule_free(again);
	}
	if (!ok) {
		show_case(c, value ? "call" : "expr");
		text_out("  prints as ");
		show(first);
		text_out(", which does not read back as the same\n");
	}
	return ok;
}

static void
judge_verdict(struct bench *b, const struct json *c, bool verdict)
{
	bool ours;
	const struct json *wanted = wanted_of(c, &ours);
	bool ok = wanted != NULL && wanted->type == (verdict ? JSON_TRUE : JSON_FALSE);
	judge(b, ok);
	if (ok)
		return;
	show_case(c, "expr");
	text_out("  is %s, wanted %s\n", verdict ? "true" : "false",
		is_error(wanted)  ? "an error"
			: verdict ? "false"
				  : "true");
}

static struct rule_options
options_of(const struct json *c)
{
	bool gateway =
		span_starts(json_string(json_get(c, "section")), SPAN("Gateway"));
	return (struct rule_options){.dialect = gateway ? RULE_GATEWAY : RULE_EDGE};
}

static void
run_case(struct bench *b, const struct json *c)
{
	struct rule_expr *e;
	struct rule_error error;
	char context[64];
	struct span text = json_string(json_get(c, "expr"));
	if (!rule_compile(&b->scheme, text, options_of(c), &e, &error)) {
		judge_error(b, c, &error);
		return;
	}
	const struct json *contexts = json_get(b->root, "contexts");
	if (!span_copy(context, sizeof(context), json_string(json_get(c, "ctx"))))
		context[0] = '\0';
	struct facts facts = {.values = values_of(b, json_get(contexts, context))};
	if (prints_true(b, e, false, c)) {
		judge_verdict(b, c, rule_eval(e, &facts));
	} else {
		judge(b, false);
	}
	rule_free(e);
}

/* 8-4-4-4-12 hex digits, version 4, variant 10 (RFC 9562 §5.4). */
static bool
is_uuidv4(const struct value *v)
{
	static const char form[] = "xxxxxxxx-xxxx-4xxx-Vxxx-xxxxxxxxxxxx";
	if (v->kind != VALUE_STRING || v->s.n != sizeof(form) - 1)
		return false;
	for (size_t i = 0; i < v->s.n; i++) {
		uint8_t c = v->s.p[i];
		bool ok = form[i] == 'x' ? ascii_hex(c) >= 0
			: form[i] == 'V' ? span_chr(SPAN("89abAB"), c) < 6
					 : c == (uint8_t)form[i];
		if (!ok)
			return false;
	}
	return true;
}

/* A random result is described instead of given. */
static bool
is_described_uuid(const struct json *result)
{
	return span_starts(json_string(result), SPAN("a string of the version 4 UUID"));
}

static void
judge_result(
	struct bench *b, const struct json *c, enum type type, const struct value *v)
{
	char room[SHOWN];
	const struct json *result = json_get(c, "result");
	struct value wanted = value_missing();
	if (result != NULL && result->type != JSON_NULL)
		wanted = json_value(&b->arena, type, result);
	bool ok = is_described_uuid(result) ? is_uuidv4(v) : value_eq(v, &wanted);
	ok = ok && !is_error(result);
	judge(b, ok);
	if (ok)
		return;
	struct text t = text_to(room, sizeof(room));
	show_case(c, "call");
	value_put(&t, v);
	text_out("  gives %s, wanted ", room);
	t = text_to(room, sizeof(room));
	value_put(&t, &wanted);
	text_out("%s\n", is_error(result) ? "an error" : room);
}

static void
run_call(struct bench *b, const struct json *c)
{
	struct rule_expr *e;
	struct rule_error error;
	struct rule_options options = {.dialect = RULE_EDGE};
	struct span text = json_string(json_get(c, "call"));
	if (!rule_compile_value(&b->scheme, text, options, &e, &error)) {
		bool ok = is_error(json_get(c, "result"));
		judge(b, ok);
		if (ok)
			return;
		show_case(c, "call");
		text_out("  refused at %u:%u: %s\n", error.line, error.col,
			error.message);
		return;
	}
	struct facts facts = {.values = values_of(b, json_get(c, "given"))};
	struct value v = rule_eval_value(e, &facts);
	if (prints_true(b, e, true, c)) {
		judge_result(b, c, rule_type(e), &v);
	} else {
		judge(b, false);
	}
	rule_free(e);
}

static bool
run_all(struct bench *b, struct span json, struct err *err)
{
	struct json *root;
	if (!json_parse(json, &b->arena, &root, err))
		return false;
	b->root = root;
	if (!build_lists(b, err) || !build_scheme(b, err))
		return false;
	const struct json *cases = json_get(root, "cases");
	const struct json *calls = json_get(root, "function_cases");
	if (cases == NULL && calls == NULL)
		return err_set(err, ERR_RULE_CASES, "there are no \"cases\"");
	for (const struct json *c = cases == NULL ? NULL : cases->first; c; c = c->next)
		run_case(b, c);
	for (const struct json *c = calls == NULL ? NULL : calls->first; c; c = c->next)
		run_call(b, c);
	return true;
}

bool
selftest_run(struct span json, struct selftest *out, struct err *err)
{
	struct bench b = {.count = out, .lists = lists_new()};
	*out = (struct selftest){0};
	arena_init(&b.arena, ARENA_LIMIT);
	bool ok = run_all(&b, json, err);
	scheme_fini(&b.scheme);
	lists_free(b.lists);
	arena_fini(&b.arena);
	return ok;
}

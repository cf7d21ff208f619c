// SPDX-License-Identifier: Apache-2.0
/*
 * cases: the policy is compiled once more over a scheme of the same fields, whose
 * values come from the file instead of from a session.
 */
#include "rule/cases.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "rule/json_priv.h"
#include "rule/policy_priv.h"

enum { ARENA_LIMIT = 64 << 20 };

struct facts {
	struct facts_base base;
	const struct value *values;
};

struct case_run {
	struct arena arena;
	struct field *fields;
	struct scheme scheme;
	struct policy *policy;
	struct selftest *count;
};

static struct value
get_value(const struct facts *f, const struct field *row)
{
	return row->phase <= f->base.reached ? f->values[row->arg] : value_missing();
}

static void
copy_scheme(struct case_run *r, const struct scheme *from)
{
	r->fields = arena_alloc(&r->arena, from->n_sorted * sizeof(*r->fields));
	for (size_t i = 0; i < from->n_sorted; i++) {
		r->fields[i] = *from->sorted[i];
		r->fields[i].get = get_value;
		r->fields[i].arg = (uint16_t)i;
		r->fields[i].flags &= ~(unsigned)FIELD_UNFILLED;
	}
	scheme_init(&r->scheme, r->fields, from->n_sorted, from->lists);
}

static bool
copy_policy(struct case_run *r, const struct policy *from, struct err *err)
{
	struct rule_error error;
	r->policy = policy_new(&r->scheme);
	for (size_t i = 0; i < from->n; i++) {
		const struct policy_rule *rule = &from->rules[i].given;
		if (!policy_add(r->policy, rule, &error)) {
			return err_set(err, ERR_RULE_SYNTAX, "rule %.*s: %s",
				SPAN_ARG(rule->name), error.message);
		}
	}
	policy_seal(r->policy);
	return true;
}

static struct value *
value_of_field(struct case_run *r, struct value *values, const char *name)
{
	const struct field *f = scheme_field(&r->scheme, span_str(name));
	return f == NULL ? NULL : &values[f->arg];
}

static void
follow(struct case_run *r, struct value *values, const char *name, struct value v)
{
	struct value *to = value_of_field(r, values, name);
	if (to != NULL && to->kind == VALUE_MISSING)
		*to = v;
}

/* One host has many names among the fields. */
static void
fill_host(struct case_run *r, struct value *values)
{
	static const char *const whole[] = {"http.host", "http.conn.hostname",
		"net.sni.host", "proxy.connect_host"};
	static const char *const parents[] = {
		"http.request.domains", "http.conn.domains", "net.sni.domains"};
	const struct value *host = value_of_field(r, values, "http.request.host");
	const struct value *dns = value_of_field(r, values, "dns.fqdn");
	if (host != NULL && host->kind == VALUE_STRING) {
		for (size_t i = 0; i < COUNT_OF(whole); i++)
			follow(r, values, whole[i], *host);
		for (size_t i = 0; i < COUNT_OF(parents); i++)
			follow(r, values, parents[i], value_domains(host->s));
	}
	if (dns != NULL && dns->kind == VALUE_STRING)
		follow(r, values, "dns.domains", value_domains(dns->s));
}

static bool
read_facts(struct case_run *r, const struct json *facts, struct value *values,
	struct err *err)
{
	for (const struct json *j = facts == NULL ? NULL : facts->first; j;
		j = j->next) {
		const struct field *f = scheme_field(&r->scheme, j->key);
		if (f != NULL && f->same != NULL)
			f = scheme_field(&r->scheme, span_str(f->same));
		if (f == NULL) {
			return err_set(err, ERR_RULE_CASES, "there is no field %.*s",
				SPAN_ARG(j->key));
		}
		values[f->arg] = json_value(&r->arena, f->type, j);
		if (values[f->arg].kind == VALUE_MISSING) {
			return err_set(err, ERR_RULE_CASES, "%s cannot have this value",
				f->name);
		}
	}
	fill_host(r, values);
	return true;
}

struct outcome {
	const struct policy_rule *rule; /* that decides, or NULL */
	struct verdict_record record;
};

/* Later phases are asked only where the action can still be taken then: after a bypass
 * there is no request. */
static void
decide(struct case_run *r, const struct value *values, bool dns, struct outcome *out)
{
	enum phase first = dns ? PHASE_DNS_QUERY : PHASE_ACCEPT;
	enum phase last = dns ? PHASE_DNS_ANSWER : PHASE_RESPONSE_BODY;
	verdict_init(&out->record);
	out->rule = NULL;
	for (unsigned p = first; p <= last; p++) {
		struct facts f = {{(enum phase)p}, values};
		uint32_t i = policy_decide(r->policy, (enum phase)p, &f, &out->record);
		if (i == RULE_NONE)
			continue;
		out->rule = &r->policy->rules[i].given;
		bool ends = out->rule->action->latest < PHASE_REQUEST ||
			strcmp(out->rule->action->name, "block") == 0;
		if (ends)
			return;
	}
}

static bool
is_noted(const struct case_run *r, const struct outcome *o, struct span name)
{
	for (uint32_t i = 0; i < o->record.n_noted; i++) {
		if (span_eq(r->policy->rules[o->record.noted[i]].given.name, name))
			return true;
	}
	return false;
}

static bool
fits(const struct case_run *r, const struct json *c, const struct outcome *o)
{
	struct span expect = json_string(json_get(c, "expect"));
	const struct json *rule = json_get(c, "rule");
	const struct json *noted = json_get(c, "noted");
	struct span got =
		o->rule == NULL ? SPAN("none") : span_str(o->rule->action->name);
	if (!span_eq(expect, got))
		return false;
	if (rule != NULL &&
		(o->rule == NULL || !span_eq(o->rule->name, json_string(rule))))
		return false;
	for (const struct json *n = noted == NULL ? NULL : noted->first; n;
		n = n->next) {
		if (!is_noted(r, o, json_string(n)))
			return false;
	}
	return true;
}

static void
print_difference(const struct json *c, const struct outcome *o)
{
	struct span name = json_string(json_get(c, "name"));
	text_out("%.*s: wanted %.*s", SPAN_ARG(name),
		SPAN_ARG(json_string(json_get(c, "expect"))));
	if (json_get(c, "rule") != NULL)
		text_out(" by rule %.*s", SPAN_ARG(json_string(json_get(c, "rule"))));
	if (o->rule == NULL) {
		text_out(", and no rule decides\n");
	} else {
		text_out(", got %s by rule %.*s\n", o->rule->action->name,
			SPAN_ARG(o->rule->name));
	}
}

static bool
run_case(struct case_run *r, const struct json *c, struct err *err)
{
	struct value *values =
		arena_alloc(&r->arena, r->scheme.n_sorted * sizeof(*values) + 1);
	struct outcome o;
	if (json_string(json_get(c, "expect")).n == 0)
		return err_set(err, ERR_RULE_CASES, "a case has no \"expect\"");
	if (!read_facts(r, json_get(c, "facts"), values, err)) {
		return err_within(
			err, "case %.*s", SPAN_ARG(json_string(json_get(c, "name"))));
	}
	const struct value *dns = value_of_field(r, values, "dns.fqdn");
	decide(r, values, dns != NULL && dns->kind != VALUE_MISSING, &o);
	if (fits(r, c, &o)) {
		r->count->passed++;
		return true;
	}
	r->count->failed++;
	print_difference(c, &o);
	return true;
}

static bool
run_all(struct case_run *r, const struct policy *p, struct span text, struct err *err)
{
	struct json *root;
	if (!json_parse(text, &r->arena, &root, err))
		return false;
	copy_scheme(r, p->scheme);
	if (!copy_policy(r, p, err))
		return false;
	const struct json *cases = json_get(root, "cases");
	if (cases == NULL || cases->type != JSON_ARRAY)
		return err_set(err, ERR_RULE_CASES, "there is no list \"cases\"");
	for (const struct json *c = cases->first; c != NULL; c = c->next) {
		if (!run_case(r, c, err))
			return false;
	}
	return true;
}

bool
cases_run(
	const struct policy *p, struct span json, struct selftest *out, struct err *err)
{
	struct case_run r = {.count = out};
	*out = (struct selftest){0};
	arena_init(&r.arena, ARENA_LIMIT);
	bool ok = run_all(&r, p, json, err);
	policy_free(r.policy);
	scheme_fini(&r.scheme);
	arena_fini(&r.arena);
	return ok;
}

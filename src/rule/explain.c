// SPDX-License-Identifier: Apache-2.0
/*
 * explain: why a rule holds or does not, part by part.
 */
#include <string.h>

#include "base/text.h"
#include "rule/eval_priv.h"
#include "rule/func_priv.h"
#include "rule/policy_priv.h"
#include "rule/print_priv.h"
#include "rule/scratch_priv.h"

enum { VALUE_SHOWN = 120, PART_SHOWN = 400 };

struct explain {
	struct text *t;
	struct eval eval;
};

static struct value
path_value(struct explain *x, const struct path *p)
{
	scratch_back(x->eval.scratch, 0);
	return eval_path(&x->eval, p);
}

/* What was seen, cut short. */
static void
put_seen(struct explain *x, const struct path *p)
{
	char shown[VALUE_SHOWN];
	struct value v = path_value(x, p);
	struct text t = text_to(shown, sizeof(shown));
	if (v.kind == VALUE_MISSING) {
		text_add(x->t,
			p->field != NULL ? "  -- %s is missing"
					 : "  -- %s of a missing value",
			p->field != NULL ? p->field->name : p->function->name);
		return;
	}
	value_put(&t, &v);
	text_add(x->t, "  -- is %s%s", shown, t.cut ? "…" : "");
}

static void
put_line(struct explain *x, const struct node *n, unsigned depth, const char *truth)
{
	char part[PART_SHOWN];
	struct text t = text_to(part, sizeof(part));
	print_node(&t, n);
	text_add(x->t, "    %-6s%*s%s%s", truth, (int)(depth * 2), "", part,
		t.cut ? "…" : "");
	const struct test *test = n->kind == NODE_TEST ? n->test : NULL;
	bool quantified = n->kind == NODE_ANY || n->kind == NODE_ALL;
	if (quantified && n->first->kind == NODE_TEST)
		test = n->first->test;
	if (test != NULL)
		put_seen(x, &test->path);
	text_add(x->t, "\n");
}

static void
explain_node(struct explain *x, const struct node *n, unsigned depth)
{
	scratch_back(x->eval.scratch, 0);
	bool chain = n->kind == NODE_AND || n->kind == NODE_OR || n->kind == NODE_XOR;
	put_line(x, n, depth, eval_bool(&x->eval, n) ? "true" : "false");
	bool descend = chain || n->kind == NODE_NAMED ||
		(n->kind == NODE_NOT && n->first->type == TYPE_BOOL);
	for (const struct node *c = descend ? n->first : NULL; c != NULL; c = c->next)
		explain_node(x, c, depth + 1);
}

void
rule_explain(struct text *t, const struct rule_expr *e, const struct facts *f)
{
	struct explain x = {t, {.facts = f, .scratch = e->scheme->scratch}};
	explain_node(&x, e->root, 0);
}

struct missing_search {
	struct walk walk;
	struct explain explain;
	const struct field *found;
};

static void
look_for_missing(struct walk *w, struct path *p)
{
	struct missing_search *s = CONTAINER_OF(w, struct missing_search, walk);
	if (s->found != NULL || p->field == NULL)
		return;
	if (path_value(&s->explain, p).kind == VALUE_MISSING)
		s->found = p->field;
}

const struct field *
rule_missing(const struct rule_expr *e, const struct facts *f)
{
	struct missing_search s = {.walk.visit_path = look_for_missing,
		.explain.eval = {.facts = f, .scratch = e->scheme->scratch}};
	tree_walk(e->root, &s.walk);
	return s.found;
}

static void
explain_rule(struct text *t, const struct rule *r, const struct facts *f)
{
	bool holds = rule_eval(r->expr, f);
	const struct field *missing = rule_missing(r->expr, f);
	text_add(t, "  %-7s rule %.*s: %s in phase %s%s", holds ? "MATCH" : "no",
		SPAN_ARG(r->given.name), r->given.action->name, phase_name(r->at),
		r->given.dry_run ? " (dry run)" : "");
	if (missing != NULL)
		text_add(t, "; first missing: %s", missing->name);
	text_add(t, "\n");
	rule_explain(t, r->expr, f);
}

static void
put_named(struct text *t, const struct policy *p, const char *what, uint32_t i)
{
	const struct policy_rule *r = &p->rules[i].given;
	text_add(t, "  %s %.*s: %s\n", what, SPAN_ARG(r->name), r->action->name);
}

static void
explain_phase(struct text *t, const struct policy *p, const struct verdict_record *v,
	enum phase phase)
{
	text_add(t, "phase %s: ", phase_name(phase));
	if (v->decided[phase] == RULE_NONE) {
		text_add(t, "nothing decides\n");
	} else {
		text_add(t, "%s by rule %.*s\n",
			p->rules[v->decided[phase]].given.action->name,
			SPAN_ARG(p->rules[v->decided[phase]].given.name));
	}
	if (v->dry[phase] != RULE_NONE)
		put_named(t, p, "dry run would decide:", v->dry[phase]);
}

void
policy_explain(struct text *t, const struct policy *p, const struct facts *f)
{
	struct verdict_record v;
	enum phase reached = rule_facts_base(f)->reached;
	bool dns = reached == PHASE_DNS_QUERY || reached == PHASE_DNS_ANSWER;
	enum phase first = dns ? PHASE_DNS_QUERY : PHASE_ACCEPT;
	verdict_init(&v);
	for (size_t i = 0; i < p->n; i++)
		explain_rule(t, &p->rules[i], f);
	for (unsigned ph = first; ph <= reached; ph++) {
		if (!policy_has(p, (enum phase)ph))
			continue;
		policy_decide(p, (enum phase)ph, f, &v);
		explain_phase(t, p, &v, (enum phase)ph);
	}
	for (uint32_t i = 0; i < v.n_noted; i++)
		put_named(t, p, "noted by rule", v.noted[i]);
}

// SPDX-License-Identifier: Apache-2.0
#include "gate/act_value.h"

#include "shared/rate.h"

bool
act_value_compile(struct settings *s, const struct gateway *g,
	const struct conf_node *rule, struct act *act, struct conf_report *report)
{
	struct rule_error error = {0};
	const struct rule_options options = {
		.dialect = g->sites.is_edge ? RULE_EDGE : RULE_GATEWAY,
		.wide_lists = true,
		.lets = g->lets};

	if (act->expr.n == 0)
		return true;
	if (!rule_compile_value(
		    &s->scheme, act->expr, options, &act->value_expr, &error)) {
		return conf_complain(report, rule->words[0].at, ERR_POLICY_ACTION,
			"%.*s: %s", SPAN_ARG(rule->words[1].text), error.message);
	}
	if (rule_phase(act->value_expr) > PHASE_REQUEST) {
		return conf_complain(report, rule->words[0].at, ERR_POLICY_ACTION,
			"%.*s: its value is known only after the request",
			SPAN_ARG(rule->words[1].text));
	}
	if (act->kind == ACT_REWRITE && rule_type(act->value_expr) != TYPE_STRING) {
		return conf_complain(report, rule->words[0].at, ERR_POLICY_ACTION,
			"%.*s: a path is a string", SPAN_ARG(rule->words[1].text));
	}
	return true;
}

void
act_value_free(struct gateway *g)
{
	for (size_t i = 0; g->acts && i < g->rules.n; i++) {
		rule_free(g->acts[i].value_expr);
		g->acts[i].value_expr = NULL;
	}
}

static bool
reads(const struct rule_expr *e, const char *name)
{
	const struct field *f;

	for (size_t i = 0; e && (f = rule_field(e, i)) != NULL; i++) {
		if (span_eq(span_str(f->name), span_str(name)))
			return true;
	}
	return false;
}

void
act_value_wants(const struct gateway *g, struct facts_wanted *wanted)
{
	for (size_t i = 0; i < g->rules.n; i++) {
		const struct rule_expr *e = g->acts[i].value_expr;
		wanted->made |= e ? facts_made_by(e) : 0;
		wanted->ja3 |= reads(e, "cf.bot_management.ja3_hash");
		wanted->ja4 |= reads(e, "cf.bot_management.ja4");
	}
}

static bool
counts(const struct conf_item *first)
{
	for (const struct conf_item *it = first; it; it = it->next) {
		const struct gateway *g = (const struct gateway *)(const void *)it;
		for (size_t i = 0; g->acts && i < g->rules.n; i++) {
			if (g->acts[i].kind == ACT_RATE)
				return true;
		}
	}
	return false;
}

bool
act_value_open(struct settings *s, const struct settings *before, struct err *err)
{
	if (!counts(s->gateways) && !counts(s->edges))
		return true;
	s->rates = before && before->rates ? rate_table_get(before->rates)
					   : rate_table_new(RATE_SLOTS, err);
	return s->rates != NULL;
}

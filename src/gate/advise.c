// SPDX-License-Identifier: Apache-2.0
#include "gate/advise.h"

#include <string.h>

#include "gate/lets.h"
#include "pki/suffix.h"
#include "rule/lint.h"

struct advice {
	struct lint lint;
	const struct conf_nodes *nodes; /* of the rules, or of named conditions */
	struct conf_report *report;
};

static bool
is_public_suffix(struct span name)
{
	return span_chr(name, '.') == name.n || suffixes_has(suffixes_system(), name);
}

static void
warn_finding(struct lint *l, const struct lint_finding *f)
{
	struct advice *a = CONTAINER_OF(l, struct advice, lint);
	const struct conf_node *node = a->nodes->p[f->rule];
	if (strcmp(f->id, "warning") == 0)
		return; /* was told when the rule was compiled */
	conf_warn(a->report,
		conf_place_within(node->expr.at, f->at.line, f->at.col, f->at.width),
		ERR_RULE_ADVICE, "%s [%s]", f->at.message, f->id);
	if (f->at.hint[0])
		conf_hint(a->report, "%s", f->at.hint);
}

static void
advise_policy(
	const struct policy *p, const struct lets_scope *of, struct conf_report *report)
{
	struct advice a = {
		.lint = {.found = warn_finding,
			.is_public_suffix = is_public_suffix,
			.hosts_are_own = of->dialect == RULE_EDGE},
		.nodes = of->nodes,
		.report = report,
	};
	lint_policy(&a.lint, p);
}

/* What has a name is looked at once, where it gets it: as rules that only note. */
static void
advise_lets(const struct settings *s, const struct lets_scope *scope,
	const struct rule_let *lets, struct conf_report *report)
{
	const struct conf_nodes *nodes = scope->nodes;
	struct policy *p = policy_new(&s->scheme);
	bool ok = true;
	for (size_t i = 0; ok && i < nodes->n; i++) {
		struct rule_error unused;
		const struct policy_rule rule = {
			.name = nodes->p[i]->words[1].text,
			.text = nodes->p[i]->expr.text,
			.options = {.dialect = scope->dialect,
				.wide_lists = true,
				.lets = lets},
			.action = act_find(SPAN("log")),
		};
		ok = policy_add(p, &rule, &unused);
	}
	advise_policy(p, scope, report);
	policy_free(p);
}

static void
advise_on(const struct settings *s, struct conf_item *first, struct conf_report *report)
{
	for (struct conf_item *i = first; i; i = i->next) {
		const struct gateway *g = CONTAINER_OF(i, struct gateway, item);
		const struct lets_scope scope = {.nodes = &g->let_nodes,
			.dialect = g->sites.is_edge ? RULE_EDGE : RULE_GATEWAY};
		advise_lets(s, &scope, g->lets, report);
		const struct lets_scope rules = {
			.nodes = &g->rules, .dialect = scope.dialect};
		advise_policy(g->policy, &rules, report);
	}
}

void
settings_advise(const struct settings *s, struct conf_report *report)
{
	const struct lets_scope top = {.nodes = &s->let_nodes, .dialect = RULE_GATEWAY};
	advise_lets(s, &top, s->lets, report);
	advise_on(s, s->gateways, report);
	advise_on(s, s->edges, report);
}

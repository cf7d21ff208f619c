// SPDX-License-Identifier: Apache-2.0
#include "gate/act_tls.h"

#include "gate/compile.h"
#include "pki/identity.h"

static bool
complain(const struct conf_node *rule, struct conf_report *report, const char *what)
{
	return conf_complain(report, rule->words[1].at, ERR_POLICY_ACTION, "%s", what);
}

bool
act_tls_compile(struct settings *s, const struct gateway *g,
	const struct conf_node *rule, struct act *act, struct conf_report *report)
{
	struct err err = {0};
	if (act->kind != ACT_TLS)
		return true;
	if (act->client_min != 0 && g->sites.is_edge) {
		return complain(rule, report,
			"an edge says in its `client` block which versions it speaks");
	}
	if (act->certificate.n == 0)
		return true;
	struct conf_place at = rule->words[1].at;
	act->identity = identity_load(compile_path(s, at, act->certificate),
		compile_path(s, at, act->key), (struct span){0}, &err);
	return act->identity || conf_complain(report, at, err.code, "%s", err.text);
}

void
act_tls_free(struct gateway *g)
{
	for (size_t i = 0; g->acts && i < g->rules.n; i++)
		identity_put(g->acts[i].identity);
}

bool
act_tls_any(const struct gateway *g)
{
	for (size_t i = 0; i < g->rules.n; i++) {
		if (g->acts[i].kind == ACT_TLS)
			return true;
	}
	return false;
}

/* The i-th noted rule's action, NULL when it is another one. */
static const struct act *
noted(const struct gateway *g, const struct verdict_record *v, uint32_t i)
{
	const struct act *act = &g->acts[policy_rule(g->policy, v->noted[i]).tag];
	return act->kind == ACT_TLS ? act : NULL;
}

uint16_t
act_tls_client_min(const struct gateway *g, const struct verdict_record *v)
{
	for (uint32_t i = 0; i < v->n_noted; i++) {
		const struct act *act = noted(g, v, i);
		if (act && act->client_min != 0)
			return act->client_min;
	}
	return 0;
}

void
act_tls_apply(
	const struct gateway *g, const struct verdict_record *v, struct target *target)
{
	for (uint32_t i = 0; i < v->n_noted; i++) {
		const struct act *act = noted(g, v, i);
		if (!act)
			continue;
		if (target->min_version == 0)
			target->min_version = act->origin_min;
		if (act->has_revocation && !target->has_revocation) {
			target->has_revocation = true;
			target->revocation = act->revocation;
		}
		if (!target->identity)
			target->identity = act->identity;
	}
}

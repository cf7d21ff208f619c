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
	if (manner_index(act->client) != 0 && g->sites.is_edge) {
		return complain(rule, report,
			"an edge says in its `client` block how it speaks with "
			"clients");
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

/* Of several rules one may say the version and another the profile. */
static uint32_t
combine(uint32_t versions, uint32_t levels)
{
	uint32_t out = 0;

	for (size_t i = 0; i < MANNERS; i++) {
		struct manner m = manner_at(i);
		struct manner version = {.min_version = m.min_version};
		if ((versions & 1U << manner_index(version)) &&
			(levels & 1U << m.level))
			out |= 1U << i;
	}
	return out;
}

struct manners
act_tls_manners(const struct gateway *g)
{
	uint32_t versions[2] = {1, 1}; /* 1: not said by any */
	uint32_t levels[2] = {1, 1};

	for (size_t i = 0; i < g->rules.n; i++) {
		const struct act *act = &g->acts[i];
		if (act->kind != ACT_TLS)
			continue;
		const struct manner of[] = {act->client, act->origin};
		for (size_t k = 0; k < COUNT_OF(of); k++) {
			struct manner version = {.min_version = of[k].min_version};
			versions[k] |= 1U << manner_index(version);
			levels[k] |= 1U << of[k].level;
		}
	}
	return (struct manners){.clients = combine(versions[0], levels[0]),
		.origins = combine(versions[1], levels[1])};
}

/* The i-th noted rule's action, NULL when it is another one. */
static const struct act *
noted(const struct gateway *g, const struct verdict_record *v, uint32_t i)
{
	const struct act *act = &g->acts[policy_rule(g->policy, v->noted[i]).tag];
	return act->kind == ACT_TLS ? act : NULL;
}

/* What is said first, counts, of each part. */
static void
take_manner(struct manner *m, struct manner said)
{
	if (m->min_version == 0)
		m->min_version = said.min_version;
	if (m->level == 0)
		m->level = said.level;
}

struct manner
act_tls_client(const struct gateway *g, const struct verdict_record *v)
{
	struct manner m = {0};

	for (uint32_t i = 0; i < v->n_noted; i++) {
		const struct act *act = noted(g, v, i);
		if (act)
			take_manner(&m, act->client);
	}
	return m;
}

void
act_tls_apply(
	const struct gateway *g, const struct verdict_record *v, struct target *target)
{
	for (uint32_t i = 0; i < v->n_noted; i++) {
		const struct act *act = noted(g, v, i);
		if (!act)
			continue;
		take_manner(&target->manner, act->origin);
		if (act->has_revocation && !target->has_revocation) {
			target->has_revocation = true;
			target->revocation = act->revocation;
		}
		if (!target->identity)
			target->identity = act->identity;
	}
}

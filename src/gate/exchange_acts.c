// SPDX-License-Identifier: Apache-2.0
/* exchange_acts: what noting rules change about a request, a response, a destination.
 */
#include "gate/act_tls.h"
#include "gate/exchange_priv.h"
#include "gate/worker.h"

static const struct act *
noted(const struct gateway *g, const struct verdict_record *v, uint32_t i)
{
	return &g->acts[policy_rule(g->policy, v->noted[i]).tag];
}

static bool
apply_one(const struct act *act, struct http_fields *fields, struct err *err)
{
	switch (act->header) {
	case ACT_HEADER_SET:
		return http_set(fields, act->name, act->value, err);
	case ACT_HEADER_ADD:
		return http_add(fields, act->name, act->value, err);
	case ACT_HEADER_REMOVE:
		http_remove(fields, act->name);
		break;
	}
	return true;
}

bool
exchange_apply(struct session *s, enum act_kind kind, struct http_fields *fields,
	struct err *err)
{
	const struct verdict_record *v = &s->x->verdicts;
	for (uint32_t i = 0; i < v->n_noted; i++) {
		const struct act *act = noted(s->g, v, i);
		if (act->kind == kind && !apply_one(act, fields, err))
			return false;
	}
	return true;
}

struct span
exchange_location(struct session *s, const struct act *act)
{
	struct arena *a = &s->x->arena;
	const struct facts *f = &s->x->facts;
	struct span base = act->url;
	bool query = act->keep_query && f->query.n > 0;
	if (act->keep_path && span_ends(base, SPAN("/")))
		base = span_first(base, base.n - 1);
	return arena_format(a, "%.*s%.*s%s%.*s", SPAN_ARG(base),
		act->keep_path ? (int)f->path.n : 0, (const char *)f->path.p,
		!query                                 ? ""
			: span_chr(base, '?') < base.n ? "&"
						       : "?",
		query ? (int)f->query.n : 0, (const char *)f->query.p);
}

void
exchange_override(
	const struct gateway *g, const struct verdict_record *v, struct target *target)
{
	for (uint32_t i = 0; i < v->n_noted; i++) {
		const struct act *act = noted(g, v, i);
		if (act->kind != ACT_OVERRIDE)
			continue;
		if (act->host.n > 0)
			target->host = act->host;
		if (act->port != 0)
			target->port = act->port;
		if (act->sni.n > 0)
			target->sni = act->sni;
	}
	act_tls_apply(g, v, target);
}

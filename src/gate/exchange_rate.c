// SPDX-License-Identifier: Apache-2.0
/* exchange_rate: requests that are too many, and paths that rules put in place. */
#include "base/clock.h"
#include "base/log.h"
#include "base/sha256.h"
#include "base/stats.h"
#include "base/text.h"
#include "gate/exchange_priv.h"
#include "gate/worker.h"
#include "http/url.h"
#include "shared/rate.h"

enum { KEY_TEXT = 1024 };

/* A client of IPv6 has a network, not an address. */
static void
put_client(struct text *t, const struct ip *ip)
{
	text_put_hex(t, span_of(ip->bytes, ip->family == IP_V6 ? 8 : 16), false);
}

static uint64_t
key_of(const struct session *s, const struct policy_rule *rule, const struct act *act)
{
	char value[KEY_TEXT];
	uint8_t digest[SHA256_SIZE];
	uint64_t key = 0;
	struct text t = text_to(value, sizeof(value));

	if (act->value_expr) {
		struct value v = rule_eval_value(act->value_expr, &s->x->facts);
		value_put(&t, &v);
	} else {
		put_client(&t, &s->facts.client.ip);
	}
	const struct span parts[] = {
		s->g->name, SPAN("\0"), rule->name, SPAN("\0"), text_span(&t)};
	sha256_hmac(span_of(s->w->settings->ticket_secret,
			    sizeof(s->w->settings->ticket_secret)),
		parts, COUNT_OF(parts), digest);
	for (size_t i = 0; i < sizeof(key); i++)
		key = key << 8 | digest[i];
	return key;
}

static unsigned long long
seconds_up(uint64_t us)
{
	return (unsigned long long)((us + 999999) / 1000000);
}

/* draft-ietf-httpapi-ratelimit-headers; Retry-After is what everybody knows. */
static void
say_limit(struct session *s, struct span name, const struct act *act,
	const struct rate_answer *a)
{
	struct exchange *x = s->x;
	struct http_fields *f = &x->response.fields;
	struct span shown = span_first(name, 64);
	struct err err = {0};
	struct span policy = arena_format(&x->arena, "\"%.*s\";q=%llu;w=%llu",
		SPAN_ARG(shown), (unsigned long long)act->rate.count,
		seconds_up(act->rate.per_us));
	struct span left = arena_format(&x->arena, "\"%.*s\";r=%llu;t=%llu",
		SPAN_ARG(shown), (unsigned long long)a->left, seconds_up(a->again_us));
	struct span after = arena_format(&x->arena, "%llu", seconds_up(a->again_us));

	if (!http_set(f, SPAN("Retry-After"), after, &err) ||
		!http_set(f, SPAN("RateLimit-Policy"), policy, &err) ||
		!http_set(f, SPAN("RateLimit"), left, &err))
		log_debug("edge.rate", "why=\"%s\"", err.text);
}

static void
refuse(struct session *s, struct span rule, const struct act *act,
	const struct rate_answer *a)
{
	const struct refusal refusal = {
		.code = ERR_GATE_RATE,
		.rule = rule,
		.reason = act->text,
		.status = 429,
	};

	stat_add(STAT_RATE_LIMITED, 1);
	exchange_answer_refusal(s, &refusal);
	say_limit(s, rule, act, a);
}

bool
exchange_is_limited(struct session *s)
{
	const struct verdict_record *v = &s->x->verdicts;

	for (uint32_t i = 0; i < v->n_noted; i++) {
		const struct policy_rule rule = policy_rule(s->g->policy, v->noted[i]);
		const struct act *act = &s->g->acts[rule.tag];
		if (act->kind != ACT_RATE || !s->w->settings->rates)
			continue;
		struct rate_answer a = rate_take(s->w->settings->rates,
			key_of(s, &rule, act), &act->rate, clock_us());
		if (!a.allowed) {
			refuse(s, rule.name, act, &a);
			return true;
		}
	}
	return false;
}

/* What follows is a request target like any other, or the request stays as it was. */
static void
rewrite(struct session *s, const struct act *act)
{
	struct exchange *x = s->x;
	struct url_target target;
	struct err err = {0};
	struct value v = rule_eval_value(act->value_expr, &x->facts);
	struct span query = x->facts.query;

	if (v.kind != VALUE_STRING || v.s.n > x->request.path.n + KEY_TEXT ||
		arena_room(&x->arena) < 2 * (v.s.n + query.n) + KEY_TEXT)
		return;
	struct span path = arena_copy(&x->arena, v.s);
	if (act->keep_query && query.n > 0) {
		size_t cap = path.n + query.n + 2; /* arena_format() stops at 4 KiB */
		struct text t = text_to(arena_alloc(&x->arena, cap), cap);
		text_put(&t, path);
		text_put(&t, SPAN("?"));
		text_put(&t, query);
		path = text_span(&t);
	}
	if (!url_target_parse(path, x->request.method, &target, &err) ||
		target.form != URL_ORIGIN) {
		log_debug("edge.rewrite", "why=\"no path\"");
		return;
	}
	x->request.path = path;
}

void
exchange_rewrite(struct session *s)
{
	const struct verdict_record *v = &s->x->verdicts;

	for (uint32_t i = 0; i < v->n_noted; i++) {
		const struct act *act =
			&s->g->acts[policy_rule(s->g->policy, v->noted[i]).tag];
		if (act->kind == ACT_REWRITE)
			rewrite(s, act);
	}
}

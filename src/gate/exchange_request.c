// SPDX-License-Identifier: Apache-2.0
/* exchange_request: what becomes of a request and of its response. */
#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "base/stats.h"
#include "gate/exchange_priv.h"
#include "gate/stages.h"
#include "gate/story.h"
#include "gate/worker.h"
#include "http/header.h"
#include "http/url.h"
#include "page/consent.h"

static const struct act *
decide(struct session *s, enum phase phase)
{
	struct exchange *x = s->x;
	x->facts.base.reached = phase;
	uint32_t rule = policy_decide(s->g->policy, phase, &x->facts, &x->verdicts);
	if (rule == RULE_NONE)
		return NULL;
	const struct policy_rule row = policy_rule(s->g->policy, rule);
	x->rule = row.name;
	x->action = row.action->name;
	return &s->g->acts[row.tag];
}

static enum exchange_turn
answer(struct session *s, enum err_code code, unsigned status, const char *text)
{
	const struct refusal refusal = {
		.code = code, .text = span_str(text), .status = status};
	exchange_answer_refusal(s, &refusal);
	return EXCHANGE_GOES_ON;
}

static enum exchange_turn
answer_block(struct session *s, const struct act *act)
{
	struct exchange *x = s->x;
	const struct refusal refusal = {
		.code = ERR_GATE_BLOCKED,
		.rule = x->rule,
		.reason = act->text,
		.status = 403,
	};
	stat_add(STAT_REQUESTS_BLOCKED, 1);
	if (act->reset) {
		(void)err_set(
			&x->err, ERR_GATE_BLOCKED, "rule %.*s", SPAN_ARG(x->rule));
		return EXCHANGE_BREAKS;
	}
	exchange_answer_refusal(s, &refusal);
	return EXCHANGE_GOES_ON;
}

struct consent_scope
exchange_scope(const struct session *s)
{
	return (struct consent_scope){
		.secret = s->w->settings->ticket_secret,
		.client = s->facts.client.ip,
		.host = s->x->facts.host,
		.tls = s->x->tls,
	};
}

/* A rule that asks to think twice, decided for this request or for the connection. */
static const struct act *
prompting(const struct session *s, const struct act *now)
{
	const struct verdict_record *v = &s->x->verdicts;
	if (now)
		return now->kind == ACT_PROMPT ? now : NULL;
	for (enum phase p = PHASE_ACCEPT; p < PHASE_REQUEST; p++) {
		if (!(v->done >> p & 1) || v->decided[p] == RULE_NONE)
			continue;
		must(s->g->acts); /* or no rule could have decided */
		const struct act *act =
			&s->g->acts[policy_rule(s->g->policy, v->decided[p]).tag];
		if (act->kind == ACT_PROMPT)
			return act;
	}
	return NULL;
}

/* Answers by rule, if one says so. */
static bool
answers_by_rule(struct session *s, const struct act *act)
{
	struct exchange *x = s->x;
	struct consent_scope scope = exchange_scope(s);
	const struct act *prompt = prompting(s, act);
	if (prompt && !consent_given(&scope, &x->request.fields)) {
		exchange_answer_prompt(s, prompt);
		return true;
	}
	if (!act || act->kind != ACT_REDIRECT)
		return false;
	exchange_answer_redirect(
		s, act->status, exchange_location(s, act), (struct span){0});
	return true;
}

/* The same, for the warning about the origin's certificate. */
static struct consent_scope
caution_scope(const struct session *s)
{
	struct consent_scope scope = exchange_scope(s);
	scope.about = s->caution->about;
	return scope;
}

/* Whether people are to be warned first: the origin was not good, and this request
 * carries no consent to that. */
static bool
answers_caution(struct session *s)
{
	if (!s->caution)
		return false;
	const struct consent_scope scope = caution_scope(s);
	if (consent_given(&scope, &s->x->request.fields)) {
		s->x->consented = scope.about;
		return false;
	}
	exchange_answer_caution(s);
	return true;
}

static bool
read_click(struct session *s, struct consent_click *click)
{
	struct exchange *x = s->x;
	struct consent_scope scope = exchange_scope(s);
	if (!consent_is_link(x->request.path))
		return false;
	if (consent_click(&x->arena, &scope, x->request.path, click))
		return true;
	if (!s->caution)
		return false;
	scope = caution_scope(s);
	return consent_click(&x->arena, &scope, x->request.path, click);
}

/* Somebody follows the link of a warning page. */
static bool
answers_click(struct session *s)
{
	struct exchange *x = s->x;
	struct consent_click click;
	if (!read_click(s, &click))
		return false;
	x->action = "consent";
	exchange_answer_redirect(s, 303, click.to, click.cookie);
	return true;
}

static bool
is_magic(struct span host)
{
	return span_eq(host, SPAN("sekisho.internal"));
}

/* Inside TLS the origin is the one the certificate was shown for, and no other: a
 * request for another name belongs to another policy (RFC 9110 §15.5.20). */
static enum exchange_turn
aim_inside(struct session *s)
{
	struct exchange *x = s->x;
	struct err err = {0};
	struct url_host host;
	struct span shown = s->facts.sni.n > 0 ? s->facts.sni : s->facts.connect_host;
	if (x->request.method == HTTP_CONNECT && x->request.protocol.n == 0) {
		return answer(s, ERR_GATE_TARGET, 405,
			"CONNECT inside an inspected connection");
	}
	if (!url_host_parse(
		    x->request.authority, s->facts.port, &x->arena, &host, &err))
		return answer(s, ERR_GATE_TARGET, 400, err.text);
	if (!span_eq(host.name, shown) || host.port != s->facts.port) {
		return answer(s, ERR_GATE_MISDIRECTED, 421,
			"the request is for another host than "
			"the connection");
	}
	x->target = s->target;
	x->request.scheme = SPAN("https");
	return EXCHANGE_GOES_ON;
}

static enum exchange_turn
aim_plain(struct session *s)
{
	struct exchange *x = s->x;
	struct err err = {0};
	struct url_host host;
	if (x->request.method == HTTP_CONNECT)
		return EXCHANGE_CONNECTS;
	if (x->request.scheme.n == 0) {
		exchange_answer_ourselves(s);
		return EXCHANGE_GOES_ON;
	}
	if (!span_eq(x->request.scheme, SPAN("http"))) {
		return answer(
			s, ERR_GATE_TARGET, 400, "https is asked for with CONNECT");
	}
	if (!url_host_parse(x->request.authority, 80, &x->arena, &host, &err))
		return answer(s, ERR_GATE_TARGET, 400, err.text);
	if (is_magic(host.name)) {
		exchange_answer_ourselves(s);
		return EXCHANGE_GOES_ON;
	}
	x->target = (struct target){.g = s->g, .host = host.name, .port = host.port};
	x->facts.port = host.port;
	return EXCHANGE_GOES_ON;
}

static enum exchange_turn
aim(struct session *s)
{
	if (s->visit)
		return edge_aim(s);
	if (s->g->sites.is_edge)
		return edge_redirect(s);
	return s->x->tls ? aim_inside(s) : aim_plain(s);
}

/* Where a connection was authenticated rather than a request (NTLM, Negotiate), it is
 * that client's alone for good. */
static bool
authenticates_connection(const struct http_fields *fields, enum http_name name)
{
	const struct http_field *f = NULL;
	while ((f = http_next_id(fields, name, f)) != NULL) {
		if (span_eq_nocase(span_first(f->value, 4), SPAN("NTLM")) ||
			span_eq_nocase(span_first(f->value, 9), SPAN("Negotiate")))
			return true;
	}
	return false;
}

static bool
ready_for_origin(struct session *s, struct err *err)
{
	struct exchange *x = s->x;
	const struct forward_settings *f = &s->g->forward;
	const struct header_hop hop = {
		.client = s->facts.client.ip,
		.scheme = x->facts.scheme,
		.host = x->request.authority,
	};
	header_strip(&x->request);
	edge_strip(&x->request.fields);
	consent_strip(&x->request);
	if (s->visit && !edge_tell_origin(s, err))
		return false;
	if (!exchange_mark_early(s, err))
		return false;
	x->request.close = false;
	exchange_rewrite(s);
	if (!exchange_apply(s, ACT_REQUEST_HEADER, &x->request.fields, err))
		return false;
	if (f->via && !header_add_via(&x->request, SPAN("sekisho"), err))
		return false;
	if (!header_forward(
		    &x->request, (enum header_forwarded)f->forwarded, &hop, err))
		return false;
	x->readied = true;
	edge_name_origin(s);
	return true;
}

void
exchange_start_record(struct session *s)
{
	struct exchange *x = s->x;
	x->id = event_id_new();
	x->wall_ms = event_id_time(x->id);
	x->began_us = clock_us();
	x->action = s->g->sites.is_edge ? "serve" : "allow";
	x->verdicts = s->verdicts;
	x->early = s->client.tls && tls_is_early(s->client.tls);
	x->facts = s->facts;
	x->facts.request_id = x->id;
	facts_take_request(&x->facts, &x->request, &s->wg->wanted, &x->arena);
	x->to_client.old_peer = x->request.version == HTTP_1_0;
	s->story->requests++;
	stat_add(STAT_REQUESTS, 1);
	stat_add(x->client ? STAT_REQUESTS_H2 : STAT_REQUESTS_H1, 1);
}

enum exchange_turn
exchange_begin(struct session *s)
{
	struct exchange *x = s->x;
	struct err err = {0};
	bool closes = x->request.close;
	x->head_ready = false;
	exchange_start_record(s);
	if (s->refusal.code != ERR_NONE) {
		exchange_answer_refusal(s, &s->refusal);
		return EXCHANGE_GOES_ON;
	}
	enum exchange_turn turn = aim(s);
	if (turn != EXCHANGE_GOES_ON || x->state == EXCHANGE_ANSWERING)
		return turn;
	if (answers_click(s) || answers_caution(s))
		return EXCHANGE_GOES_ON;
	const struct act *act = decide(s, PHASE_REQUEST);
	if (act && act->kind == ACT_BLOCK)
		return answer_block(s, act);
	if (exchange_is_limited(s) || answers_by_rule(s, act))
		return EXCHANGE_GOES_ON;
	if (!x->tls)
		exchange_override(s->g, &x->verdicts, &x->target);
	if (!ready_for_origin(s, &err))
		return answer(s, err.code, 400, err.text);
	x->closes = closes;
	if (exchange_cache_begin(s))
		return EXCHANGE_GOES_ON;
	exchange_hold_begin(s);
	x->state = EXCHANGE_REACHING;
	return EXCHANGE_GOES_ON;
}

static void
ready_for_client(struct session *s)
{
	struct exchange *x = s->x;
	const struct forward_settings *f = &s->g->forward;
	struct err err = {0};
	header_strip(&x->response);
	if (f->strip_alt_svc &&
		http_remove_id(&x->response.fields, HTTP_NAME_ALT_SVC) > 0)
		log_debug("forward.alt-svc", "host=%.*s", SPAN_ARG(x->facts.host));
	if (!exchange_apply(s, ACT_RESPONSE_HEADER, &x->response.fields, &err))
		x->err = err;
	if (f->via && !header_add_via(&x->response, SPAN("sekisho"), &err))
		x->err = err; /* a full Via is no reason to fail */
	edge_tell_client(s, &x->response);
	x->response.close = x->closes || s->draining;
	if (x->response.body.kind == BODY_CLOSE) {
		x->response.body.kind =
			BODY_CHUNKED; /* the client's connection can last */
	}
	if (x->response.body.kind == BODY_LENGTH && x->origin && !x->client &&
		http_get_id(&x->response.fields, HTTP_NAME_TRAILER).p)
		x->response.body.kind = BODY_CHUNKED; /* so that they have a place */
}

static void
bind_origin(struct session *s)
{
	struct upstream *up = s->lane->up;
	up->bound = true;
	if (up->trunk)
		trunk_bind(up->trunk);
}

bool
exchange_pass_response(struct session *s)
{
	struct exchange *x = s->x;
	facts_take_response(&x->facts, &x->response, &s->wg->wanted, &x->arena);
	const struct act *act = decide(s, PHASE_RESPONSE);
	if (act && act->kind == ACT_BLOCK) {
		exchange_cache_end(x);
		exchange_leave_origin(s); /* its body is still on the way */
		if (answer_block(s, act) == EXCHANGE_BREAKS)
			x->state = EXCHANGE_CLOSING;
		return false;
	}
	ready_for_client(s);
	x->head_waits = true;
	return true;
}

void
exchange_take_response(struct session *s)
{
	struct exchange *x = s->x;
	struct err err = {0};
	x->answered_us = clock_us();
	if (exchange_repeats_late(s))
		return;
	if (!exchange_upgrade_response(s, &err)) {
		exchange_fail(s, &err, 502);
		return;
	}
	x->origin_closes = x->response.close || x->response.body.kind == BODY_CLOSE;
	/* A client may begin with its token, and need not be asked for one. */
	if (authenticates_connection(&x->response.fields, HTTP_NAME_WWW_AUTHENTICATE) ||
		authenticates_connection(&x->request.fields, HTTP_NAME_AUTHORIZATION))
		bind_origin(s);
	if (x->wants_h1 && x->request.protocol.n == 0)
		versions_learn(&s->w->versions, &x->target, VERSION_NEEDS_H1);
	edge_answered(s, x->response.status);
	if (edge_is_too_long(x, true)) {
		(void)err_set(&err, ERR_GATE_TOO_LARGE, "the response says it is");
		exchange_fail(s, &err, 502);
		return;
	}
	if (exchange_cache_response(s))
		(void)exchange_pass_response(s);
}

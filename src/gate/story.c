// SPDX-License-Identifier: Apache-2.0
#include "gate/story.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "fact/catalogue.h"
#include "gate/stages.h"
#include "gate/worker.h"
#include "tls/hello_memo.h"

struct session_story *
story_new(void)
{
	struct session_story *story = mem_alloc(sizeof(*story));
	story->id = event_id_new();
	story->wall_ms = clock_wall_ms();
	story->began_us = story->stage_us = clock_us();
	story->alert = TLS_NO_ALERT;
	return story;
}

void
story_free(struct session_story *story)
{
	if (!story)
		return;
	cert_put(story->origin_leaf);
	cert_put(story->origin_root);
	mem_free(story->origin_chain);
	mem_free(story);
}

void
story_stage(struct session *s)
{
	uint64_t now = clock_us();
	s->story->stages[s->stage] += now - s->story->stage_us;
	s->story->stage_us = now;
}

const char *
story_ender_name(enum ender who)
{
	static const char *const names[] = {
		[ENDER_NONE] = NULL,
		[ENDER_CLIENT] = "client",
		[ENDER_ORIGIN] = "origin",
		[ENDER_GATEWAY] = "gateway",
	};
	return names[who];
}

static void
put_rule(struct text *t, const struct gateway *g, enum phase phase, uint32_t rule)
{
	const struct policy_rule row = policy_rule(g->policy, rule);
	if (t->n > 0)
		text_put(t, SPAN(" "));
	text_add(t, "%s:%.*s=%s", phase_name(phase), SPAN_ARG(row.name),
		row.action->name);
}

static void
tell_labels(struct event *e, const struct gateway *g, const struct verdict_record *v)
{
	char line[256];
	struct text t = text_to(line, sizeof(line));
	for (uint32_t i = 0; i < v->n_noted; i++) {
		const struct policy_rule row = policy_rule(g->policy, v->noted[i]);
		const struct act *act = &g->acts[row.tag];
		if (act->kind != ACT_LOG)
			continue;
		if (t.n > 0)
			text_put(&t, SPAN(","));
		text_put(&t, act->text.n > 0 ? act->text : row.name);
	}
	event_str(e, EVENT_LABELS, text_span(&t));
}

void
story_verdicts(struct event *e, const struct gateway *g, const struct verdict_record *v)
{
	char decided[512];
	char dry[512];
	struct text all = text_to(decided, sizeof(decided));
	struct text trial = text_to(dry, sizeof(dry));
	for (enum phase p = 0; p < PHASE_COUNT; p++) {
		if (!(v->done >> p & 1))
			continue;
		if (v->decided[p] != RULE_NONE)
			put_rule(&all, g, p, v->decided[p]);
		if (v->dry[p] != RULE_NONE)
			put_rule(&trial, g, p, v->dry[p]);
	}
	event_str(e, EVENT_VERDICTS, text_span(&all));
	event_str(e, EVENT_DRY_RUN, text_span(&trial));
	if (v->n_noted > 0)
		tell_labels(e, g, v);
}

/* Before any field is set: what a rule keeps out of the record never gets into it. */
static void
redact(struct event *e, const struct gateway *g, const struct verdict_record *v)
{
	for (uint32_t i = 0; i < v->n_noted; i++) {
		const struct act *act =
			&g->acts[policy_rule(g->policy, v->noted[i]).tag];
		for (enum event_field f = 0;
			act->kind == ACT_REDACT && f < EVENT_FIELDS; f++) {
			if (act->redacted[f / 8] >> f % 8 & 1)
				event_redact(e, f);
		}
	}
}

/* Names, separated by commas. */
static void
tell_categories(struct event *e, const struct facts *f)
{
	char line[512];
	struct text t = text_to(line, sizeof(line));
	for (size_t i = 0; i < value_len(&f->category.names); i++) {
		struct value name = value_at(&f->category.names, i);
		text_put(&t, t.n > 0 ? SPAN(",") : (struct span){0});
		text_put(&t, name.s);
	}
	event_str(e, EVENT_CATEGORY, text_span(&t));
}

/* Only looked up where rules ask about applications. */
static void
tell_app(struct event *e, const struct facts *f)
{
	const struct catalogue_row *row;
	if (!f->apps || f->host.n == 0)
		return;
	const struct catalogue_hit hit = catalogue_find(f->apps, f->host);
	if (value_len(&hit.ids) == 0)
		return;
	struct value id = value_at(&hit.ids, 0);
	for (size_t i = 0; (row = catalogue_row(f->apps, i)) != NULL; i++) {
		if (row->id == (uint32_t)id.i) {
			event_str(e, EVENT_APP, row->name);
			return;
		}
	}
}

/* Whose certificate was good is known by it. */
static void
tell_client_cert(struct event *e, const struct client_cert *c)
{
	if (!c || !c->presented)
		return;
	if (c->verified && !c->revoked)
		event_str(e, EVENT_USER, c->text[CLIENT_CERT_SUBJECT]);
	event_str(e, EVENT_CLIENT_CERT, c->text[CLIENT_CERT_SUBJECT]);
	event_str(e, EVENT_CLIENT_CERT_SERIAL, c->text[CLIENT_CERT_SERIAL]);
	event_str(e, EVENT_CLIENT_CERT_SHA256, c->text[CLIENT_CERT_SHA256]);
	event_cstr(e, EVENT_CLIENT_CERT_VERDICT,
		c->revoked            ? "revoked"
			: c->verified ? "good"
				      : "not verified");
}

/* The rule that decided last is the one whose action was taken. */
static struct span
deciding_rule(const struct gateway *g, const struct verdict_record *v)
{
	struct span name = {0};
	for (enum phase p = 0; p < PHASE_COUNT; p++) {
		if ((v->done >> p & 1) && v->decided[p] != RULE_NONE)
			name = policy_rule(g->policy, v->decided[p]).name;
	}
	return name;
}

static void
tell_who(struct event *e, const struct session *s)
{
	char listener[ADDR_TEXT];
	event_id(e, EVENT_SESSION, s->story->id);
	event_str(e, EVENT_GATEWAY, s->g->name);
	event_cstr(e, EVENT_LISTENER, addr_text(listener, &s->facts.server));
	event_int(e, EVENT_WORKER, s->w->index);
	event_ip(e, EVENT_CLIENT, &s->facts.client.ip);
	event_int(e, EVENT_CLIENT_PORT, s->facts.client.port);
	event_str(e, EVENT_HOST, s->facts.host);
	if (s->facts.port)
		event_int(e, EVENT_PORT, s->facts.port);
	event_cstr(e, EVENT_FRONT, "proxy");
	tell_categories(e, &s->facts);
	tell_app(e, &s->facts);
	tell_client_cert(e, s->facts.cert);
}

static void
tell_hello(struct event *e, const struct session *s)
{
	struct hello_prints prints;
	char offered[128];
	if (!s->facts.hello)
		return;
	struct text t = text_to(offered, sizeof(offered));
	struct span rest = s->hello.alpn;
	struct span name = {0};
	while (hello_next_alpn(&rest, &name)) {
		if (t.n > 0)
			text_put(&t, SPAN(","));
		text_put_safe(&t, name);
	}
	event_str(e, EVENT_SNI, s->facts.sni);
	event_flag(e, EVENT_ECH, s->hello.has_ech);
	hello_memo_prints(s->w->prints, &s->hello, &prints);
	event_cstr(e, EVENT_JA3, prints.ja3);
	event_cstr(e, EVENT_JA4, prints.ja4);
	event_str(e, EVENT_ALPN_OFFERED, text_span(&t));
}

/* A step that was not taken has no duration. */
static void
tell_duration(struct event *e, enum event_field field, uint64_t us)
{
	if (us > 0)
		event_int(e, field, (int64_t)us);
}

static void
tell_durations(struct event *e, const struct session *s)
{
	const struct session_story *story = s->story;
	tell_duration(e, EVENT_US_ASK, story->stages[STAGE_ASK]);
	tell_duration(e, EVENT_US_HELLO, story->stages[STAGE_HELLO]);
	tell_duration(e, EVENT_US_RESOLVE, story->reach.resolve_us);
	tell_duration(e, EVENT_US_DIAL, story->reach.dial_us);
	tell_duration(e, EVENT_US_ORIGIN_TLS, story->reach.tls_us);
	tell_duration(e, EVENT_US_VERIFY, story->reach.verify_us);
	tell_duration(e, EVENT_US_FETCH, story->reach.fetch_us);
	tell_duration(e, EVENT_US_MINT, story->mint_us);
	tell_duration(e, EVENT_US_SIGN, story->sign_us);
	tell_duration(e, EVENT_US_CLIENT_TLS, story->stages[STAGE_PRESENT]);
	tell_duration(e, EVENT_US_TOTAL, clock_us() - story->began_us);
}

static void
tell_err(struct event *e, const struct err *err)
{
	if (err->code == ERR_NONE)
		return;
	event_err(e, err);
	event_cstr(e, EVENT_HINT, err_hint(err->code));
}

void
story_tell(const struct session *s)
{
	const struct session_story *story = s->story;
	struct event e;
	event_begin(&e, EVENT_KIND_SESSION, story->wall_ms);
	redact(&e, s->g, &s->verdicts);
	tell_who(&e, s);
	event_cstr(&e, EVENT_ACTION, story->action);
	event_str(&e, EVENT_RULE, deciding_rule(s->g, &s->verdicts));
	event_str(&e, EVENT_WHY, s->refusal.reason);
	story_verdicts(&e, s->g, &s->verdicts);
	tell_hello(&e, s);
	story_tell_tls(&e, s);
	tell_durations(&e, s);
	event_ip(&e, EVENT_ORIGIN_IP, &story->origin.ip);
	if (story->origin.port)
		event_int(&e, EVENT_ORIGIN_PORT, story->origin.port);
	event_int(&e, EVENT_REQUESTS, (int64_t)story->requests);
	event_int(&e, EVENT_BYTES_UP, (int64_t)story->bytes_up);
	event_int(&e, EVENT_BYTES_DOWN, (int64_t)story->bytes_down);
	event_cstr(&e, EVENT_ENDED_BY, story_ender_name(story->ender));
	event_cstr(&e, EVENT_ENDED_IN, stage_row(story->ended_in)->name);
	tell_err(&e, &story->err);
	event_emit(&s->w->events, &e);
}

static void
tell_request(struct event *e, const struct exchange *x)
{
	event_str(e, EVENT_METHOD, x->request.method_name);
	event_str(e, EVENT_SCHEME, x->facts.scheme);
	event_str(e, EVENT_PATH, x->facts.path);
	event_str(e, EVENT_QUERY, x->facts.query);
	event_cstr(e, EVENT_CLIENT_HTTP, http_version_text(x->request.version));
	struct span referer = http_get_id(&x->request.fields, HTTP_NAME_REFERER);
	event_str(e, EVENT_REFERER, span_first(referer, span_chr(referer, '?')));
	event_str(e, EVENT_USER_AGENT,
		http_get_id(&x->request.fields, HTTP_NAME_USER_AGENT));
	event_str(e, EVENT_REQUEST_TYPE,
		http_get_id(&x->request.fields, HTTP_NAME_CONTENT_TYPE));
	if (x->response.status)
		event_int(e, EVENT_STATUS, x->response.status);
	event_cstr(e, EVENT_ORIGIN_HTTP, http_version_text(x->response.version));
	event_str(e, EVENT_RESPONSE_TYPE,
		http_get_id(&x->response.fields, HTTP_NAME_CONTENT_TYPE));
}

void
exchange_tell(struct session *s)
{
	struct exchange *x = s->x;
	struct event e;
	if (x->id == 0 || x->told)
		return;
	x->told = true;
	s->story->bytes_up += x->bytes_request;
	s->story->bytes_down += x->bytes_response;
	event_begin(&e, EVENT_KIND_REQUEST, x->wall_ms);
	redact(&e, s->g, &x->verdicts);
	event_id(&e, EVENT_SESSION, s->story->id);
	event_id(&e, EVENT_REQUEST, x->id);
	event_str(&e, EVENT_GATEWAY, s->g->name);
	event_ip(&e, EVENT_CLIENT, &s->facts.client.ip);
	event_str(&e, EVENT_HOST, x->facts.host);
	event_int(&e, EVENT_PORT, x->target.port);
	tell_categories(&e, &x->facts);
	tell_app(&e, &x->facts);
	if (x->facts.cert && x->facts.cert->verified && !x->facts.cert->revoked)
		event_str(&e, EVENT_USER, x->facts.cert->text[CLIENT_CERT_SUBJECT]);
	event_cstr(&e, EVENT_ACTION, x->action);
	event_str(&e, EVENT_RULE, x->rule);
	event_str(&e, EVENT_WHY, x->reason);
	story_verdicts(&e, s->g, &x->verdicts);
	tell_request(&e, x);
	event_str(&e, EVENT_LOCATION, x->location);
	event_flag(&e, EVENT_ORIGIN_REUSED, x->reused);
	event_int(&e, EVENT_BYTES_REQUEST, (int64_t)x->bytes_request);
	event_int(&e, EVENT_BYTES_RESPONSE, (int64_t)x->bytes_response);
	if (x->answered_us > x->sent_us && x->sent_us > 0)
		event_int(&e, EVENT_US_WAIT, (int64_t)(x->answered_us - x->sent_us));
	event_int(&e, EVENT_US_TOTAL, (int64_t)(clock_us() - x->began_us));
	if (x->page_code != ERR_NONE) {
		event_cstr(&e, EVENT_ERR, err_id(x->page_code));
		event_str(&e, EVENT_ERR_TEXT, x->why);
		event_cstr(&e, EVENT_HINT, err_hint(x->page_code));
	} else {
		tell_err(&e, &x->err);
	}
	event_emit(&s->w->events, &e);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * stage_reach: the origin is reached before the client is shown anything, so that what
 * the client sees can be what the origin really is: its protocol, its name, its fault.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/stats.h"
#include "base/text.h"
#include "gate/page.h"
#include "gate/stages.h"
#include "gate/story.h"
#include "gate/worker.h"

/* What we speak, in our order of preference, and the client offered, unless the gateway
 * says otherwise. An origin known to want HTTP/1 is not asked again. Wire form. */
static struct span
mirrored_alpn(struct session *s)
{
	bool needs_h1 = versions_find(&s->w->versions, &s->target) == VERSION_NEEDS_H1;
	bool any = s->g->upstream.http == UPSTREAM_HTTP_ANY;
	bool h1 = any || hello_offers(&s->hello, SPAN("http/1.1"));
	bool h2 = any || hello_offers(&s->hello, SPAN("h2"));
	if ((h1 || h2) && (needs_h1 || s->g->upstream.http == UPSTREAM_HTTP_1))
		return SPAN("\x08http/1.1");
	if (h2)
		return h1 ? SPAN("\x02h2\x08http/1.1") : SPAN("\x02h2");
	return h1 ? SPAN("\x08http/1.1") : (struct span){0};
}

/* A protocol we do not speak cannot be inspected; what then is the same question as
 * with bytes that are no TLS at all. */
static bool
speaks_only_others(const struct session *s)
{
	return s->hello.alpn.n > 0 && !hello_offers(&s->hello, SPAN("h2")) &&
		!hello_offers(&s->hello, SPAN("http/1.1"));
}

unsigned
stage_reach_status(enum err_code code)
{
	switch ((int)code) {
	case ERR_GATE_ADDRESS:
	case ERR_GATE_SELF:
	case ERR_NET_FORBIDDEN:
		return 403;
	case ERR_NET_TIMEOUT:
	case ERR_GATE_ORIGIN_SLOW:
		return 504;
	default:
		return 502;
	}
}

/* Where TLS is to be inspected people get a page; a tunnel can only be closed. */
static int
give_up(struct session *s, const struct err *err)
{
	const struct refusal refusal = {
		.code = err->code,
		.text = span_str(err->text),
		.status = stage_reach_status(err->code),
	};
	s->story->reach = s->lane->reach.times;
	reach_cancel(&s->lane->reach);
	if (!s->target.tls) {
		session_end(s, ENDER_ORIGIN, err);
		return TURN_OVER;
	}
	stat_add(STAT_UNREACHABLE, 1);
	session_refuse(s, &refusal);
	return STAGE_PRESENT;
}

static int
action_for_class(const struct untrusted *u, enum verdict_class class)
{
	int action = u->other;
	switch ((int)class) {
	case VERDICT_UNKNOWN_ISSUER:
	case VERDICT_INCOMPLETE:
		action = u->unknown_issuer;
		break;
	case VERDICT_SELF_SIGNED:
		action = u->self_signed;
		break;
	case VERDICT_EXPIRED:
		action = u->expired;
		break;
	case VERDICT_NOT_YET:
		action = u->not_yet_valid;
		break;
	case VERDICT_WRONG_NAME:
		action = u->wrong_name;
		break;
	case VERDICT_WEAK_KEY:
	case VERDICT_WEAK_SIGNATURE:
		action = u->weak;
		break;
	default: /* the rest are `other` */
		break;
	}
	return action == UNTRUSTED_AS_DEFAULT ? u->action : action;
}

static struct span
text_in(struct session *s, void (*put)(struct span, struct text *), struct span what)
{
	char line[256];
	struct text t = text_to(line, sizeof(line));
	put(what, &t);
	return arena_copy(&s->arena, text_span(&t));
}

static void
put_digest(struct span digest, struct text *t)
{
	text_put_hex(t, digest, false);
}

static struct span
date_in(struct session *s, int64_t wall_s)
{
	char date[CLOCK_TEXT];
	return arena_copy(&s->arena, span_str(clock_text(date, wall_s * 1000)));
}

/* The origin's chain as people will read it on the page. */
static const struct page_cert *
describe_chain(struct session *s, const struct verdict *v)
{
	struct page_cert *certs =
		arena_alloc(&s->arena, (v->n_path + 1) * sizeof(*certs));
	for (size_t i = 0; i < v->n_path; i++) {
		const struct cert *c = v->path[i];
		certs[i] = (struct page_cert){
			.subject = text_in(s, cert_name_text, c->subject),
			.issuer = text_in(s, cert_name_text, c->issuer),
			.not_before = date_in(s, c->not_before),
			.not_after = date_in(s, c->not_after),
			.sha256 = text_in(
				s, put_digest, span_of(c->sha256, sizeof(c->sha256))),
		};
	}
	return certs;
}

static void
refuse_untrusted(struct session *s, const struct verdict *v)
{
	const struct refusal refusal = {
		.verdict = span_str(verdict_id(v->class)),
		.chain = describe_chain(s, v),
		.n_chain = v->n_path,
		.code = ERR_GATE_UNTRUSTED,
		.text = span_str(v->text),
		.status = 502,
	};
	s->story->action = "block";
	stat_add(STAT_UNTRUSTED, 1);
	session_refuse(s, &refusal);
}

/* A rule's word counts more than the gateway's setting. */
static int
untrusted_action(const struct session *s, enum verdict_class class)
{
	for (uint32_t i = 0; i < s->verdicts.n_noted; i++) {
		const struct act *act =
			&s->g->acts[policy_rule(s->g->policy, s->verdicts.noted[i])
					    .tag];
		if (act->kind == ACT_UNTRUSTED)
			return act->untrusted;
	}
	return action_for_class(&s->g->untrusted, class);
}

static void
judge(struct session *s)
{
	const struct verdict *v = &s->lane->up->verdict;
	s->facts.origin_ip = s->lane->up->peer.ip;
	s->facts.origin_verdict = span_str(verdict_id(v->class));
	const struct act *act = session_decide(s, PHASE_PEER);
	if (act && act->kind == ACT_BLOCK) {
		session_block(s, act, PHASE_PEER);
		return;
	}
	if (v->class == VERDICT_GOOD)
		return;
	if (untrusted_action(s, v->class) != UNTRUSTED_ALLOW) {
		refuse_untrusted(s, v);
		return;
	}
	log_info("upstream.untrusted", "host=%.*s verdict=%s action=allow",
		SPAN_ARG(s->facts.host), verdict_id(v->class));
}

/* An origin that is not accepted is never resumed, never pooled, never spoken to. */
bool
stage_reach_judge(struct session *s)
{
	judge(s);
	if (s->over)
		return false;
	if (s->refusal.code != ERR_NONE || s->x->reset_code != H2_NO_ERROR) {
		upstream_free(s->lane->up);
		s->lane->up = NULL;
		return false;
	}
	if (tls_state(s->lane->up->side.tls) == TLS_WANTS_VERDICT)
		tls_accept(s->lane->up->side.tls);
	return true;
}

void
stage_reach_keep_session(struct session *s)
{
	struct upstream *up = s->lane->up;
	if (!up->side.tls || up->was_reused || up->kept || up->requests == 0)
		return;
	up->kept = true;
	reach_keep_session(s->w, &s->x->target, up);
}

static int
arrive(struct session *s)
{
	s->lane->up = reach_take(&s->lane->reach);
	s->story->reach = s->lane->reach.times;
	s->story->fetched = s->lane->reach.evidence.fetched;
	story_origin(s, s->lane->up);
	if (!s->target.tls)
		return STAGE_TUNNEL;
	if (!stage_reach_judge(s) && s->over)
		return TURN_OVER;
	if (s->lane->up)
		upstream_begin(s->lane->up);
	return STAGE_PRESENT;
}

int
stage_reach_advance(struct session *s)
{
	struct err err = {0};
	if (s->client.io.failed ||
		(side_eof(&s->client) && buf_empty(&s->client.io.in))) {
		session_end(s, ENDER_CLIENT, NULL);
		return TURN_OVER;
	}
	if (reach_is_idle(&s->lane->reach)) {
		if (s->target.tls && speaks_only_others(s)) {
			(void)err_set(&err, ERR_GATE_PROTOCOL,
				"the client offers no protocol we know");
			session_end(s, ENDER_GATEWAY, &err);
			return TURN_OVER;
		}
		s->target.alpn = s->target.tls ? mirrored_alpn(s) : (struct span){0};
		reach_start(&s->lane->reach, s, &s->target, !s->target.tls);
	}
	switch (reach_advance(&s->lane->reach)) {
	case REACH_DONE:
		return arrive(s);
	case REACH_FAILED:
		err = s->lane->reach.err;
		return give_up(s, &err);
	case REACH_WAIT:
		break;
	}
	if (!s->expired)
		return TURN_WAIT;
	(void)err_set(&err, ERR_GATE_ORIGIN_SLOW, "%.*s could not be reached in time",
		SPAN_ARG(s->target.host));
	return give_up(s, &err);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * stage_judge: what becomes of an origin just reached, by its verdict, rules and
 * settings.
 *
 *	allow    accepted; the leaf shows what the origin has
 *	mirror   accepted; the leaf is of the CA nobody trusts, with the origin's faults
 *	prompt   left again; every request is answered with a warning, until one carries
 *	         a consent to this very certificate, which reaches the origin anew
 *	block    left again; every request is answered with a page
 *	bypass   left again, and dialled once more for the client's own TLS
 *
 * An origin that is not accepted is never resumed, never pooled, never spoken to.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/stats.h"
#include "base/text.h"
#include "gate/exchange_priv.h"
#include "gate/stages.h"
#include "gate/story.h"
#include "gate/worker.h"
#include "http/h2.h"
#include "page/page.h"

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

/* A consent is to one certificate and what is wrong with it. */
static struct span
consent_about(struct session *s, const struct verdict *v)
{
	char line[VERDICT_COUNT + 2 * CERT_HASH];
	struct text t = text_to(line, sizeof(line));
	if (v->n_path == 0)
		return (struct span){0};
	text_add(&t, "%x ", v->faults);
	text_put_hex(&t, span_of(v->path[0]->sha256, CERT_HASH), false);
	return arena_copy(&s->arena, text_span(&t));
}

static struct refusal
describe(struct session *s, const struct verdict *v)
{
	return (struct refusal){
		.verdict = span_str(verdict_id(v->class)),
		.chain = describe_chain(s, v),
		.n_chain = v->n_path,
		.code = ERR_GATE_UNTRUSTED,
		.text = span_str(v->text),
		.status = 502,
	};
}

static void
refuse(struct session *s, const struct refusal *refusal)
{
	s->story->action = "block";
	stat_add(STAT_UNTRUSTED, 1);
	session_refuse(s, refusal);
}

/*
 * Nothing was shown to the client yet: it gets a leaf for the warning. Later, on a
 * second connection to an origin that was good before, there is only the refusal, and
 * the client's next connection begins with the warning.
 */
static void
warn(struct session *s, const struct verdict *v, struct span about)
{
	struct refusal refusal = describe(s, v);
	if (s->client.tls || about.n == 0) {
		refuse(s, &refusal);
		return;
	}
	refusal.text = arena_copy(&s->arena, refusal.text);
	s->caution = arena_alloc(&s->arena, sizeof(*s->caution));
	*s->caution = (struct caution){.page = refusal, .about = about};
	s->target.alpn = SPAN("\x08http/1.1"); /* of the connections after consent */
	stat_add(STAT_UNTRUSTED_PROMPTED, 1);
}

/* The client decides by what it is shown: once it has seen the fault and gone on, it
 * meets the same certificate again, and no other. */
static bool
mirror(struct session *s, const struct verdict *v, struct span about)
{
	if (!s->client.tls && about.n > 0) {
		s->mirrored = about;
		stat_add(STAT_UNTRUSTED_MIRRORED, 1);
		return true;
	}
	if (s->client.tls && about.n > 0 && span_eq(s->mirrored, about))
		return true;
	const struct refusal refusal = describe(s, v);
	refuse(s, &refusal);
	return false;
}

/* A rule's word counts more than the gateway's setting. */
static enum untrusted_action
choose(const struct session *s, const struct verdict *v)
{
	if (untrusted_is_hopeless(v))
		return UNTRUSTED_BLOCK;
	for (uint32_t i = 0; i < s->verdicts.n_noted; i++) {
		const struct act *act =
			&s->g->acts[policy_rule(s->g->policy, s->verdicts.noted[i])
					    .tag];
		if (act->kind == ACT_UNTRUSTED)
			return (enum untrusted_action)act->untrusted;
	}
	return untrusted_choose(&s->g->untrusted, v);
}

/* The client is left alone with the origin, if nothing was said to it yet. */
static bool
leave_alone(struct session *s, const struct verdict *v)
{
	if (s->client.tls) {
		const struct refusal refusal = describe(s, v);
		refuse(s, &refusal);
		return false;
	}
	s->story->action = "bypass";
	s->target.tls = false;
	stat_add(STAT_BYPASSED, 1);
	return false;
}

static bool
act_on(struct session *s, const struct verdict *v, enum untrusted_action action)
{
	struct span about = consent_about(s, v);
	switch (action) {
	case UNTRUSTED_ALLOW:
		stat_add(STAT_UNTRUSTED_ALLOWED, 1);
		return true;
	case UNTRUSTED_MIRROR:
		return mirror(s, v, about);
	case UNTRUSTED_PROMPT:
		if (about.n > 0 && span_eq(s->x->consented, about)) {
			s->lane->up->bound = true; /* to whoever consented */
			return true;
		}
		warn(s, v, about);
		return false;
	case UNTRUSTED_BYPASS:
		return leave_alone(s, v);
	case UNTRUSTED_BLOCK:
	case UNTRUSTED_AS_DEFAULT:
		break;
	}
	const struct refusal refusal = describe(s, v);
	refuse(s, &refusal);
	return false;
}

static bool
judge(struct session *s)
{
	const struct verdict *v = &s->lane->up->verdict;
	s->facts.origin_ip = s->lane->up->peer.ip;
	s->facts.origin_verdict = span_str(verdict_id(v->class));
	const struct act *act = session_decide(s, PHASE_PEER);
	if (act && act->kind == ACT_BLOCK) {
		session_block(s, act, PHASE_PEER);
		return false;
	}
	if (v->class == VERDICT_GOOD)
		return true;
	enum untrusted_action action = choose(s, v);
	bool accepted = act_on(s, v, action);
	s->story->untrusted = untrusted_word(action);
	log_info("upstream.untrusted", "host=%.*s verdict=%s action=%s accepted=%d",
		SPAN_ARG(s->facts.host), verdict_id(v->class), untrusted_word(action),
		accepted);
	return accepted;
}

bool
stage_judge(struct session *s)
{
	bool accepted = judge(s);
	if (s->over)
		return false;
	if (!accepted || s->x->reset_code != H2_NO_ERROR) {
		lane_drop(s->lane);
		return false;
	}
	if (tls_state(s->lane->up->side.tls) == TLS_WANTS_VERDICT)
		tls_accept(s->lane->up->side.tls);
	return true;
}

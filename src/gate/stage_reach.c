// SPDX-License-Identifier: Apache-2.0
/*
 * stage_reach: the origin is reached before the client is shown anything, so that what
 * the client sees can be what the origin really is: its protocol, its name, its fault.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/stats.h"
#include "base/text.h"
#include "gate/stages.h"
#include "gate/story.h"
#include "gate/worker.h"
#include "page/page.h"

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
	bool old_tls = s->lane->reach.old_tls;
	struct refusal refusal = {
		.code = err->code,
		.text = span_str(err->text),
		.status = stage_reach_status(err->code),
	};
	if (old_tls) { /* the one class that shows before there is a certificate */
		refusal.code = ERR_GATE_UNTRUSTED;
		refusal.verdict = span_str(verdict_id(VERDICT_OLD_TLS));
		s->story->origin_verdict = verdict_id(VERDICT_OLD_TLS);
		s->story->untrusted = untrusted_word(UNTRUSTED_BLOCK);
	}
	s->story->reach = s->lane->reach.times;
	reach_cancel(&s->lane->reach);
	if (!s->target.tls) {
		session_end(s, ENDER_ORIGIN, err);
		return TURN_OVER;
	}
	stat_add(old_tls ? STAT_UNTRUSTED : STAT_UNREACHABLE, 1);
	session_refuse(s, &refusal);
	return STAGE_PRESENT;
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
	story_evidence(s, &s->lane->up->verdict, &s->lane->reach.evidence);
	bool accepted = stage_judge(s);
	if (s->over)
		return TURN_OVER;
	if (!accepted && !s->target.tls)
		return STAGE_REACH; /* again, and what comes passes unseen */
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

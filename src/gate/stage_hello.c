// SPDX-License-Identifier: Apache-2.0
/*
 * stage_hello: what the client's first flight tells, and what policy makes of it:
 * inspect, leave alone, or refuse. Nothing has been answered yet, so all three are
 * still open.
 */
#include "base/log.h"
#include "base/stats.h"
#include "gate/exchange_priv.h"
#include "gate/stages.h"
#include "gate/story.h"
#include "gate/worker.h"

/* Silence before anything else means a protocol in which the server speaks first. */
enum { SILENCE_MS = 1000 };

static int
end_with(struct session *s, enum ender who, const struct err *err)
{
	session_end(s, who, err);
	return TURN_OVER;
}

static int
leave_alone(struct session *s, const char *action)
{
	s->story->action = action;
	s->target.tls = false; /* TLS, if any, is between the two others */
	stat_add(STAT_BYPASSED, 1);
	return STAGE_REACH;
}

static int
take_non_tls(struct session *s)
{
	struct err err = {0};
	if (s->g->non_tls == NON_TLS_TUNNEL)
		return leave_alone(s, "tunnel");
	(void)err_set(
		&err, ERR_GATE_NOT_TLS, "after CONNECT to port %u", s->facts.port);
	return end_with(s, ENDER_GATEWAY, &err);
}

static int
refuse_malformed(struct session *s, const struct err *err)
{
	if (tls_put_alert(&s->client.io.out, TLS_ALERT_DECODE_ERROR))
		io_touch(&s->client.io);
	stat_add(STAT_BAD_HELLOS, 1);
	return end_with(s, ENDER_GATEWAY, err);
}

/*
 * A name in the ClientHello is where the client wants to be, so that is where we go: a
 * policy decided on one name while the bytes go to another would be no policy. Only an
 * address in CONNECT is dialled as it is, being what the client resolved itself.
 */
static void
aim(struct session *s)
{
	struct ip ip;
	bool is_address = ip_parse(s->facts.connect_host, &ip);
	if (s->facts.sni.n == 0)
		return;
	s->target.sni = s->facts.sni;
	if (!is_address)
		s->target.host = s->facts.sni;
}

static int
decide(struct session *s)
{
	const struct act *act = session_decide(s, PHASE_HELLO);
	exchange_override(s->g, &s->verdicts, &s->target);
	if (act && act->kind == ACT_BYPASS)
		return leave_alone(s, "bypass");
	if (act && act->kind == ACT_BLOCK)
		return session_block(s, act, PHASE_HELLO);
	s->story->action = "inspect";
	stat_add(STAT_INSPECTED, 1);
	if (s->refusal.code != ERR_NONE)
		return STAGE_PRESENT;
	return STAGE_REACH;
}

static int
take_hello(struct session *s)
{
	hello_keep(&s->hello, &s->arena);
	hello_peek_fini(&s->peek);
	facts_take_hello(&s->facts, &s->hello, &s->wg->wanted, &s->arena);
	if (s->g->sites.is_edge)
		return edge_take_hello(s);
	aim(s);
	return decide(s);
}

static int
wait_for_more(struct session *s)
{
	struct err err = {0};
	bool silent = buf_empty(&s->client.io.in);
	if (side_eof(&s->client))
		return end_with(s, ENDER_CLIENT, &err);
	if (s->expired && silent && s->g->non_tls == NON_TLS_TUNNEL)
		return leave_alone(s, "tunnel");
	if (s->expired) {
		(void)err_set(
			&err, ERR_GATE_CLIENT_SLOW, "no whole ClientHello in time");
		return end_with(s, ENDER_GATEWAY, &err);
	}
	if (silent && s->g->non_tls == NON_TLS_TUNNEL)
		session_deadline(s, SILENCE_MS);
	return TURN_WAIT;
}

int
stage_hello_advance(struct session *s)
{
	struct err err = {0};
	struct span wire = buf_peek(&s->client.io.in);
	switch (wire.n == 0 ? HELLO_WANTS_MORE
			    : hello_peek(&s->peek, wire, &s->hello, &err)) {
	case HELLO_WANTS_MORE:
		return wait_for_more(s);
	case HELLO_READY:
		return take_hello(s);
	case HELLO_NOT_TLS:
		return s->g->sites.is_edge ? edge_take_non_tls(s) : take_non_tls(s);
	case HELLO_BAD:
		break;
	}
	return refuse_malformed(s, &err);
}

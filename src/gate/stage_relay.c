// SPDX-License-Identifier: Apache-2.0
/*
 * stage_relay, stage_farewell: requests and responses, and the polite end.
 */
#include "base/clock.h"
#include "gate/relay_h2.h"
#include "gate/stages.h"
#include "gate/story.h"
#include "gate/worker.h"

enum { LAST_MS = 1000 }; /* for a last request, when the worker drains */

/* How long what is going on now may take without anything moving. */
static uint64_t
patience_ms(const struct session *s)
{
	const struct client_settings *c = &s->g->client;
	switch (s->exchange.state) {
	case EXCHANGE_IDLE:
		return s->draining && c->idle_ms > LAST_MS ? LAST_MS : c->idle_ms;
	case EXCHANGE_HEAD:
		return c->head_ms;
	case EXCHANGE_REACHING:
		if (s->exchange.holding)
			return c->stall_ms;
		return exchange_reach_ms(&s->exchange, s->g) + s->g->upstream.fetch_ms;
	case EXCHANGE_SENDING:
		return s->exchange.request_sent && !s->exchange.answered
			? exchange_answer_ms(&s->exchange, s->g)
			: c->stall_ms;
	case EXCHANGE_ANSWERING:
	case EXCHANGE_UPGRADED:
	case EXCHANGE_CLOSING:
		break;
	}
	return c->stall_ms;
}

/* A head that trickles in has one deadline for all of it; elsewhere any octet that
 * moves begins a new one. */
static void
set_deadline(struct session *s, enum exchange_state before)
{
	bool restarts = s->exchange.state != EXCHANGE_HEAD || before != EXCHANGE_HEAD;
	if (restarts)
		session_deadline(s, patience_ms(s));
}

static int
part(struct session *s, enum ender who)
{
	s->story->ender = who;
	s->story->ended_in = STAGE_RELAY;
	return STAGE_FAREWELL;
}

static int
take_too_long(struct session *s)
{
	struct err err = {0};
	switch (s->exchange.state) {
	case EXCHANGE_IDLE:
		return part(s, ENDER_GATEWAY);
	case EXCHANGE_SENDING:
	case EXCHANGE_REACHING:
		if (!s->exchange.answered && !s->exchange.holding) {
			(void)err_set(&err, ERR_GATE_ORIGIN_SLOW, "no answer in time");
			exchange_fail(s, &err, 504);
			return TURN_WAIT;
		}
		break;
	case EXCHANGE_HEAD:
	case EXCHANGE_ANSWERING:
	case EXCHANGE_UPGRADED:
	case EXCHANGE_CLOSING:
		break;
	}
	(void)err_set(&err, ERR_GATE_CLIENT_SLOW, "nothing moved for too long");
	session_end(s, ENDER_GATEWAY, &err);
	return TURN_OVER;
}

/* What came of an answer is delivered, and then the connection ends without the word
 * that would say that it was all. */
static int
break_off(struct session *s)
{
	if (side_failed(&s->client)) {
		session_end(s, ENDER_CLIENT, &s->client.err);
		return TURN_OVER;
	}
	s->story->err = s->exchange.err;
	side_cut(&s->client);
	return part(s,
		s->exchange.err.code == ERR_GATE_BLOCKED ? ENDER_GATEWAY
							 : ENDER_ORIGIN);
}

int
stage_relay_advance(struct session *s)
{
	enum exchange_state before = s->exchange.state;
	if (s->h2)
		return relay_h2_advance(s);
	if (s->expired) {
		s->expired = false;
		int turn = take_too_long(s);
		if (turn != TURN_WAIT)
			return turn;
	}
	side_pull(&s->client);
	lane_pull(&s->own);
	switch (exchange_advance(s)) {
	case EXCHANGE_CONNECTS:
		return stage_connect(s);
	case EXCHANGE_ENDS:
		return part(s, side_eof(&s->client) ? ENDER_CLIENT : ENDER_GATEWAY);
	case EXCHANGE_BREAKS:
		return break_off(s);
	case EXCHANGE_WAITS:
	case EXCHANGE_GOES_ON:
		break;
	}
	set_deadline(s, before);
	return TURN_WAIT;
}

/* Both have said within TLS that nothing follows, and all of ours is with the kernel:
 * nothing can come any more that would be left unread. */
static bool
both_ended(const struct side *side)
{
	return side->tls && tls_state(side->tls) == TLS_ENDED && side->io.shut &&
		side_flushed(side);
}

/*
 * What is queued goes out, then our end closes, then the client's words are dropped
 * until it closes too: a socket closed with unread bytes would reset, and take back the
 * answer the client has not read yet.
 */
int
stage_farewell_advance(struct session *s)
{
	relay_h2_end(s);
	if (s->own.up && !s->own.up->trunk)
		side_end(&s->own.up->side);
	lane_leave(&s->own);
	side_end(&s->client);
	side_pull(&s->client);
	buf_drop(side_in(&s->client), buf_len(side_in(&s->client)));
	if (s->client.tls)
		buf_drop(&s->client.io.in, buf_len(&s->client.io.in));
	if (!s->expired && !s->client.io.failed && !both_ended(&s->client) &&
		!(s->client.io.shut && s->client.io.eof))
		return TURN_WAIT;
	session_end(s, ENDER_GATEWAY, NULL);
	return TURN_OVER;
}

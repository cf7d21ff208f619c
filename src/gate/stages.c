// SPDX-License-Identifier: Apache-2.0
#include "gate/stages.h"

#include "base/clock.h"
#include "gate/story.h"
#include "http/h2.h"

static uint64_t
ask_ms(const struct gateway *g)
{
	return g->client.ask_ms;
}

static uint64_t
hello_ms(const struct gateway *g)
{
	return g->client.hello_ms;
}

static uint64_t
reach_ms(const struct gateway *g)
{
	return g->upstream.connect_ms + g->upstream.handshake_ms + g->upstream.fetch_ms;
}

static uint64_t
present_ms(const struct gateway *g)
{
	return g->client.handshake_ms;
}

static uint64_t
farewell_ms(const struct gateway *g)
{
	(void)g;
	return 5000;
}

static const struct stage_row stages[STAGE_COUNT] = {
	[STAGE_ASK] = {"ask", stage_ask_advance, ask_ms},
	[STAGE_HELLO] = {"hello", stage_hello_advance, hello_ms},
	[STAGE_REACH] = {"reach", stage_reach_advance, reach_ms},
	[STAGE_PRESENT] = {"present", stage_present_advance, present_ms},
	[STAGE_RELAY] = {"relay", stage_relay_advance, NULL},
	[STAGE_TUNNEL] = {"tunnel", stage_tunnel_advance, NULL},
	[STAGE_FAREWELL] = {"farewell", stage_farewell_advance, farewell_ms},
};

const struct stage_row *
stage_row(enum stage stage)
{
	return &stages[stage];
}

const struct act *
session_decide(struct session *s, enum phase phase)
{
	s->facts.base.reached = phase;
	uint32_t rule = policy_decide(s->g->policy, phase, &s->facts, &s->verdicts);
	if (rule == RULE_NONE)
		return NULL;
	return &s->g->acts[policy_rule(s->g->policy, rule).tag];
}

int
session_block(struct session *s, const struct act *act, enum phase phase)
{
	uint32_t rule = s->verdicts.decided[phase];
	struct err err = {0};
	const struct refusal refusal = {
		.code = ERR_GATE_BLOCKED,
		.rule = policy_rule(s->g->policy, rule).name,
		.reason = act->text,
		.status = 403,
	};
	s->story->action = "block";
	if (act->reset && s->x->client) { /* one stream of many */
		s->x->reset_code = H2_CANCEL;
		(void)err_set(&s->x->err, ERR_GATE_BLOCKED, "rule %.*s",
			SPAN_ARG(refusal.rule));
		return STAGE_RELAY;
	}
	if (act->reset) {
		(void)err_set(
			&err, ERR_GATE_BLOCKED, "rule %.*s", SPAN_ARG(refusal.rule));
		session_end(s, ENDER_GATEWAY, &err);
		return TURN_OVER;
	}
	session_refuse(s, &refusal);
	return s->facts.tls ? STAGE_PRESENT : STAGE_RELAY;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * stage_ask: an explicit proxy's client says where it wants to go: CONNECT, or a
 * request with an absolute target, which is plain HTTP and goes straight to the relay.
 */
#include <string.h>

#include "base/stats.h"
#include "gate/proxy_header.h"
#include "gate/stages.h"
#include "gate/story.h"
#include "gate/worker.h"
#include "http/url.h"

static int
refuse_connect(struct session *s, enum err_code code, unsigned status, const char *text)
{
	const struct refusal refusal = {
		.code = code, .text = span_str(text), .status = status};
	s->story->action = "block";
	session_refuse(s, &refusal);
	return STAGE_RELAY; /* answers the CONNECT itself, with a page */
}

int
stage_connect(struct session *s)
{
	struct exchange *x = &s->exchange;
	struct err err = {0};
	struct url_host host;
	if (!url_host_parse(x->request.authority, 0, &s->arena, &host, &err))
		return refuse_connect(s, ERR_GATE_TARGET, 400, err.text);
	s->facts.connect_host = host.name;
	s->facts.host = host.name;
	s->facts.port = host.port;
	s->target = (struct target){
		.g = s->g, .host = host.name, .port = host.port, .tls = true};
	if (!gateway_port_allowed(s->g, host.port)) {
		(void)err_set(&err, ERR_GATE_PORT, "port %u", host.port);
		return refuse_connect(s, ERR_GATE_PORT, 403, err.text);
	}
	if (!buf_put(side_out(&s->client),
		    SPAN("HTTP/1.1 200 Connection established\r\n\r\n")))
		return TURN_WAIT; /* cannot be: nothing else is in it */
	stat_add(STAT_CONNECTS, 1);
	exchange_fini(x);
	exchange_init(x, true);
	return STAGE_HELLO;
}

static int
give_up(struct session *s, enum ender who, enum err_code code)
{
	struct err err = {0};
	if (code != ERR_NONE)
		(void)err_set(&err, code, "while asking for a destination");
	session_end(s, who, &err);
	return TURN_OVER;
}

/* Whether a balancer in front must say first who the client is. */
static bool
awaits_proxy_header(const struct session *s)
{
	const struct conf_prefixes *from = &s->listener->settings->proxy_protocol;
	for (size_t i = 0; i < from->n && !s->introduced; i++) {
		if (ip_in(&s->facts.client.ip, &from->p[i]))
			return true;
	}
	return false;
}

/* 0 when the header was read, or what to return. */
static int
take_proxy_header(struct session *s)
{
	struct proxy_header h;
	struct err err = {0};
	switch (proxy_header_read(buf_peek(&s->client.io.in), &h, &err)) {
	case PROXY_WANTS_MORE:
		if (side_eof(&s->client))
			return give_up(s, ENDER_CLIENT, ERR_NONE);
		return s->expired ? give_up(s, ENDER_GATEWAY, ERR_GATE_CLIENT_SLOW)
				  : TURN_WAIT;
	case PROXY_BAD:
		session_end(s, ENDER_GATEWAY, &err);
		return TURN_OVER;
	case PROXY_READY:
		break;
	}
	buf_drop(&s->client.io.in, h.used);
	s->introduced = true;
	if (!h.local) {
		s->facts.client = h.client;
		s->facts.server = h.server;
	}
	return 0;
}

/* Rules about the client wait until it is known who that is. */
static int
decide_about_client(struct session *s)
{
	struct err err = {0};
	if (!crowd_enter(&s->w->crowd, &s->facts.client.ip, &s->crowd)) {
		(void)err_set(&err, ERR_GATE_CROWD, "%llu connections are open",
			(unsigned long long)s->w->crowd.most);
		stat_add(STAT_SESSIONS_CROWDED, 1);
		session_end(s, ENDER_GATEWAY, &err);
		return TURN_OVER;
	}
	const struct act *act = session_decide(s, PHASE_ACCEPT);
	s->accepted = true;
	if (act && act->kind == ACT_BLOCK &&
		session_block(s, act, PHASE_ACCEPT) == TURN_OVER)
		return TURN_OVER;
	return 0;
}

static int
await_head(struct session *s)
{
	if (s->expired)
		return give_up(s, ENDER_GATEWAY, ERR_GATE_CLIENT_SLOW);
	return s->draining ? give_up(s, ENDER_GATEWAY, ERR_NONE) : TURN_WAIT;
}

/* To a proxy. */
static int
take_request(struct session *s)
{
	bool fine = s->refusal.code == ERR_NONE;
	if (fine && s->exchange.request.method == HTTP_CONNECT)
		return stage_connect(s);
	s->story->action = fine ? "plain" : "block";
	return STAGE_RELAY;
}

int
stage_ask_advance(struct session *s)
{
	int turn = awaits_proxy_header(s) ? take_proxy_header(s) : 0;
	if (turn == 0 && !s->accepted)
		turn = decide_about_client(s);
	if (turn != 0)
		return turn;
	if (s->listener->settings->front == FRONT_EDGE)
		return STAGE_HELLO;
	side_pull(&s->client);
	switch (exchange_read_head(s)) {
	case H1_MORE:
		return await_head(s);
	case H1_CLOSED:
		return give_up(s, ENDER_CLIENT, ERR_NONE);
	case H1_HEAD:
		if (s->listener->settings->front == FRONT_REDIRECT)
			return STAGE_RELAY;
		return take_request(s);
	case H1_FAILED:
		return STAGE_RELAY; /* which answers 400 */
	case H1_INFORM:
	case H1_BODY:
	case H1_TRAILERS:
	case H1_END:
	case H1_TUNNEL:
		break;
	}
	return TURN_WAIT;
}

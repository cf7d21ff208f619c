// SPDX-License-Identifier: Apache-2.0
#include "gate/relay_h2.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"
#include "gate/stages.h"
#include "gate/story.h"
#include "gate/worker.h"

enum {
	ROUNDS = 16,       /* before others get their turn */
	QUIET_MS = 30000,  /* with streams open, until the client is pinged */
	PING_MS = 60000,   /* until a ping counts as lost */
	GOODBYE_MS = 1000, /* for a client to read that it is to go */
	REST_MS = 3000,    /* idle, until memory is given back */
	LOOK_MS = 1000,    /* between looks for streams that are slow */
	STILL_MS = 1000,   /* without a stream, until a draining client is idle */
};

/* --- connections --- */

/* Whether something came. */
static bool
hear(struct h2 *h2, struct side *side)
{
	struct err err;
	side_pull(side);
	bool moved = !buf_empty(side_in(side));
	if (moved && !h2_read(h2, side_in(side), &err))
		return true; /* its streams know */
	if (side_eof(side) && !moved)
		h2_eof(h2);
	return moved;
}

static void
speak(struct h2 *h2, struct side *side)
{
	h2_flush(h2);
	side_push(side);
	h2_flush(h2);
}

/* What the origin can do, so far as it has said so while a certificate was made, stands
 * in our first SETTINGS; what it says later is mirrored later. */
void
relay_h2_start(struct session *s)
{
	struct h2_config config;
	s->h2 = mem_alloc(sizeof(*s->h2));
	list_init(&s->h2->streams);
	list_init(&s->h2->waiting);
	list_init(&s->h2->woken);
	h2_config_init(&config, H2_SERVER);
	s->h2->origin_heard = clock_now();
	s->h2->bound = s->own.up && s->own.up->h2;
	if (s->h2->bound)
		(void)hear(s->own.up->h2, &s->own.up->side);
	s->h2->early = s->client.tls && tls_is_early(s->client.tls);
	config.connect_protocol =
		!s->h2->bound || h2_takes_connect_protocol(relay_origin(s));
	s->h2->offers_connect = config.connect_protocol;
	h2_init(&s->h2->client, &config, side_out(&s->client));
	stat_add(STAT_H2_CONNECTIONS, 1);
}

/* Offered as soon as the origin says that it takes it (RFC 8441 §3). */
static void
mirror_connect(struct session *s)
{
	struct relay_h2 *r = s->h2;
	if (r->offers_connect || !relay_origin(s) ||
		!h2_takes_connect_protocol(relay_origin(s)))
		return;
	r->offers_connect = true;
	h2_offer_connect_protocol(&r->client);
}

static bool
hear_origin(struct session *s)
{
	if (!hear(s->own.up->h2, &s->own.up->side))
		return false;
	s->h2->origin_heard = clock_now();
	return true;
}

/* One round of everything; whether anything moved. */
static bool
relay_round(struct session *s)
{
	struct relay_h2 *r = s->h2;
	struct h2 *origin = relay_origin(s);
	bool moved = hear(&r->client, &s->client);
	if (r->early && !tls_is_early(s->client.tls))
		relay_wake_early(s);
	if (origin)
		moved = hear_origin(s) || moved;
	mirror_connect(s);
	moved = relay_serve_woken(s) || moved;
	while (relay_serve_client(s) || relay_serve_origin(s) || relay_serve_waiting(s))
		moved = true;
	speak(&r->client, &s->client);
	if (origin)
		speak(origin, &s->own.up->side);
	bool woken = !list_empty(&r->client.ready) || !list_empty(&r->woken) ||
		(origin && !list_empty(&origin->ready));
	if (moved)
		r->moved = clock_now();
	return moved || woken;
}

/* --- the end --- */

/*
 * Some clients fail what they have not sent yet when they read a GOAWAY. So one of an
 * edge that is busy when its worker drains goes on for half of the time there is; one
 * that has been still for a moment is told at once.
 */
static bool
drain_is_due(const struct session *s)
{
	uint64_t now = clock_now();
	uint64_t half_ms = s->w->settings->drain_ms / 2;
	bool still = list_empty(&s->h2->streams) && now - s->h2->moved >= STILL_MS;

	return !s->g->sites.is_edge || still || now - s->w->drain_since_ms >= half_ms;
}

/* The client is to go elsewhere: no new streams, those that are open end in peace. */
static bool
wants_to_end(const struct session *s)
{
	bool told = s->refusal.code != ERR_NONE && s->h2->answered;
	bool lost = s->refusal.code == ERR_NONE && !relay_takes_more(s);
	return (s->draining && drain_is_due(s)) || told || lost;
}

static void
blame(struct session *s, enum ender who, const struct err *why)
{
	if (s->story->ender != ENDER_NONE)
		return;
	s->story->ender = who;
	s->story->ended_in = STAGE_RELAY;
	if (why && why->code != ERR_H2_CLOSED)
		s->story->err = *why;
}

static int
farewell(struct session *s)
{
	struct h2 *origin = relay_origin(s);
	if (origin && !origin->over) {
		h2_drain(origin);
		speak(origin, &s->own.up->side);
	}
	speak(&s->h2->client, &s->client);
	return STAGE_FAREWELL;
}

/* Idle for a moment: it may stay so for long. */
static int
rest(struct session *s)
{
	struct h2 *origin = relay_origin(s);
	uint64_t idle_ms = s->g->client.idle_ms;
	s->h2->rested = true;
	h2_rest(&s->h2->client);
	if (origin)
		h2_rest(origin);
	session_deadline(s, idle_ms > REST_MS ? idle_ms - REST_MS : 0);
	return TURN_WAIT;
}

/* Nothing moved for a while: idle connections end, others show that they are alive. */
static int
take_quiet(struct session *s)
{
	struct err err = {0};
	struct h2 *origin = relay_origin(s);
	if (list_empty(&s->h2->streams) && !s->h2->rested)
		return rest(s);
	if (list_empty(&s->h2->streams)) {
		blame(s, ENDER_GATEWAY, NULL);
		h2_drain(&s->h2->client);
		h2_drain(&s->h2->client);
		return farewell(s);
	}
	if (clock_now() - s->h2->moved < QUIET_MS)
		return TURN_WAIT;
	bool due = origin && !origin->over &&
		clock_now() - s->h2->origin_heard >= TRUNK_QUIET_MS;
	bool alive =
		h2_ping(&s->h2->client, PING_MS) && (!due || h2_ping(origin, PING_MS));
	if (alive)
		return TURN_WAIT;
	(void)err_set(&err, ERR_GATE_CLIENT_SLOW, "a ping was not answered");
	session_end(s, ENDER_GATEWAY, &err);
	return TURN_OVER;
}

/* RFC 9113 §6.8: first a warning, and once the client must have read it the number of
 * the last stream. True when both were said. */
static bool
say_goodbye(struct session *s)
{
	struct h2 *client = &s->h2->client;
	if (client->drains == 0) {
		h2_drain(client);
		(void)!h2_ping(client, PING_MS); /* its answer tells that it has read */
	} else if (client->pinged == 0 || clock_now() - client->pinged > GOODBYE_MS) {
		h2_drain(client);
	}
	h2_flush(client);
	return client->drains > 1;
}

/* With streams open they are looked at every now and then; without, only a stream
 * begins a new deadline: frames that carry nothing keep no connection alive. */
static void
set_deadline(struct session *s, bool ending)
{
	struct relay_h2 *r = s->h2;
	bool empty = list_empty(&r->streams);
	if (ending && empty) {
		session_deadline(s, GOODBYE_MS);
	} else if (s->draining && empty) {
		session_deadline(s, STILL_MS);
	} else if (!empty) {
		session_deadline(s, LOOK_MS);
	} else if (!r->idle) {
		r->rested = false;
		session_deadline(s,
			s->g->client.idle_ms < REST_MS ? s->g->client.idle_ms
						       : REST_MS);
	}
	r->idle = empty;
}

static int
end_or_wait(struct session *s)
{
	struct relay_h2 *r = s->h2;
	bool empty = list_empty(&r->streams);
	if (r->client.over && empty) {
		blame(s, ENDER_CLIENT, &r->client.err);
		return farewell(s);
	}
	bool ending = wants_to_end(s);
	if (ending && say_goodbye(s) && empty) {
		blame(s, s->draining ? ENDER_GATEWAY : ENDER_ORIGIN, NULL);
		return farewell(s);
	}
	set_deadline(s, ending);
	return TURN_WAIT;
}

int
relay_h2_advance(struct session *s)
{
	int rounds = 0;
	if (s->expired) {
		s->expired = false;
		int turn = take_quiet(s);
		if (turn != TURN_WAIT)
			return turn;
	}
	if (clock_now() - s->h2->looked >= LOOK_MS) {
		s->h2->looked = clock_now();
		relay_fail_slow(s);
	}
	while (relay_round(s) && ++rounds < ROUNDS)
		continue;
	if (rounds == ROUNDS)
		s->again = true;
	return end_or_wait(s);
}

void
relay_h2_end(struct session *s)
{
	if (!s->h2)
		return;
	relay_close_all(s);
	h2_fini(&s->h2->client);
	mem_free(s->h2);
	s->h2 = NULL;
}

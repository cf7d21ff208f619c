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
	QUIET_MS = 30000,  /* with streams open, until the peers are pinged */
	PING_MS = 60000,   /* until a ping counts as lost */
	GOODBYE_MS = 1000, /* for a client to read that it is to go */
	LOOK_MS = 1000,    /* between looks for origins that are slow */
};

static struct h2 *
origin_of(const struct session *s)
{
	return s->own.up ? s->own.up->h2 : NULL;
}

static bool
origin_takes_more(const struct session *s)
{
	const struct h2 *origin = origin_of(s);
	return origin && !origin->over && !origin->goaway_seen;
}

void
relay_h2_start(struct session *s)
{
	struct h2_config config;
	s->h2 = mem_alloc(sizeof(*s->h2));
	list_init(&s->h2->streams);
	list_init(&s->h2->waiting);
	list_init(&s->h2->woken);
	h2_config_init(&config, H2_SERVER);
	config.connect_protocol =
		origin_of(s) && h2_takes_connect_protocol(origin_of(s));
	s->h2->offers_connect = config.connect_protocol;
	h2_init(&s->h2->client, &config, side_out(&s->client));
	stat_add(STAT_H2_CONNECTIONS, 1);
}

/* --- streams --- */

static struct relay_stream *
open_stream(struct session *s, struct h2_stream *client)
{
	struct relay_stream *rs = mem_alloc(sizeof(*rs));
	exchange_init(&rs->x, true);
	rs->x.state = EXCHANGE_HEAD;
	rs->x.client = client;
	rs->client.stream = client;
	client->user = &rs->client;
	list_init(&rs->in_waiting);
	list_push(&s->h2->streams, &rs->in_relay);
	stat_add(STAT_H2_STREAMS, 1);
	return rs;
}

/* What the client is told when its answer is not whole: what the origin said, so that
 * it can tell a refusal that it may repeat from a failure. */
static uint32_t
code_for_client(const struct exchange *x)
{
	if (x->reset_code != H2_NO_ERROR)
		return x->reset_code;
	return x->err.code == ERR_GATE_BLOCKED ? H2_CANCEL : H2_INTERNAL_ERROR;
}

static void
close_stream(struct session *s, struct relay_stream *rs)
{
	struct exchange *x = &rs->x;
	if (!x->response_over)
		h2_reset(x->client, code_for_client(x));
	s->x = x;
	exchange_tell(s);
	s->x = &s->exchange;
	h2_release(x->client);
	if (x->origin)
		h2_release(x->origin);
	list_leave(&rs->in_relay);
	list_leave(&rs->in_waiting);
	exchange_fini(x);
	mem_free(rs);
	s->h2->answered = true;
}

/* The client has reset its stream, or the connection is gone. A head that was too large
 * also failed, but its stream is open for an answer. */
static bool
client_left(const struct exchange *x)
{
	return x->client->err.code != ERR_NONE &&
		(x->client->closed || x->client->h2->over);
}

static void
run_stream(struct session *s, struct relay_stream *rs)
{
	struct exchange *x = &rs->x;
	bool over = client_left(x);
	if (over && x->err.code == ERR_NONE)
		x->err = x->client->err;
	if (!over) {
		s->x = x;
		over = exchange_advance(s) != EXCHANGE_WAITS;
		s->x = &s->exchange;
	}
	if (over) {
		close_stream(s, rs);
	} else if (x->origin) {
		h2_pass_priority(x->client, x->origin);
	}
}

/* A stream that no origin will take any more is refused: the client asks again. */
static bool
refuse_stream(const struct session *s, struct h2_stream *stream)
{
	if (s->refusal.code != ERR_NONE || origin_takes_more(s))
		return false;
	h2_reset(stream, H2_REFUSED_STREAM);
	h2_release(stream);
	return true;
}

static bool
serve_client(struct session *s)
{
	struct h2_stream *stream = h2_ready(&s->h2->client);
	if (!stream)
		return false;
	if (stream->user) {
		run_stream(s, CONTAINER_OF(stream->user, struct relay_stream, client));
	} else if (!refuse_stream(s, stream)) {
		run_stream(s, open_stream(s, stream));
	}
	return true;
}

static bool
serve_origin(struct session *s)
{
	struct h2_stream *stream = origin_of(s) ? h2_ready(origin_of(s)) : NULL;
	if (!stream)
		return false;
	if (stream->user)
		run_stream(s, CONTAINER_OF(stream->user, struct relay_stream, origin));
	return true;
}

static bool
serve_waiting(struct session *s)
{
	struct list *waiting = &s->h2->waiting;
	bool goes =
		origin_of(s) && (h2_can_open(origin_of(s)) || !origin_takes_more(s));
	if (list_empty(waiting) || !goes)
		return false;
	struct relay_stream *rs =
		CONTAINER_OF(list_first(waiting), struct relay_stream, in_waiting);
	list_leave(&rs->in_waiting);
	run_stream(s, rs);
	return true;
}

enum h1_wrote
relay_h2_open_stream(struct session *s, struct err *err)
{
	struct relay_stream *rs = CONTAINER_OF(s->x, struct relay_stream, x);
	struct h2 *origin = origin_of(s);
	if (origin_takes_more(s) && !h2_can_open(origin)) {
		list_leave(&rs->in_waiting);
		list_push(&s->h2->waiting, &rs->in_waiting);
		return H1_FULL;
	}
	s->x->origin = h2_request(origin, &s->x->request, &rs->origin, err);
	return s->x->origin ? H1_WROTE : H1_REFUSED;
}

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

/* Offered as soon as the origin says that it takes it (RFC 8441 §3). */
static void
mirror_connect(struct session *s)
{
	struct relay_h2 *r = s->h2;
	if (r->offers_connect || !origin_of(s) ||
		!h2_takes_connect_protocol(origin_of(s)))
		return;
	r->offers_connect = true;
	h2_offer_connect_protocol(&r->client);
}

/* One round of everything; whether anything moved. */
static bool
relay_round(struct session *s)
{
	struct relay_h2 *r = s->h2;
	struct h2 *origin = origin_of(s);
	bool moved = hear(&r->client, &s->client);
	if (origin)
		moved = hear(origin, &s->own.up->side) || moved;
	mirror_connect(s);
	while (serve_client(s) || serve_origin(s) || serve_waiting(s))
		moved = true;
	speak(&r->client, &s->client);
	if (origin)
		speak(origin, &s->own.up->side);
	bool woken = !list_empty(&r->client.ready) ||
		(origin && !list_empty(&origin->ready));
	return moved || woken;
}

/* --- the end --- */

/* The client is to go elsewhere: no new streams, those that are open end in peace. */
static bool
wants_to_end(const struct session *s)
{
	bool told = s->refusal.code != ERR_NONE && s->h2->answered;
	bool lost = s->refusal.code == ERR_NONE && !origin_takes_more(s);
	return s->draining || told || lost;
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
	struct h2 *origin = origin_of(s);
	if (origin && !origin->over) {
		h2_drain(origin);
		speak(origin, &s->own.up->side);
	}
	speak(&s->h2->client, &s->client);
	return STAGE_FAREWELL;
}

/* Requests that an origin has had long enough. */
static void
fail_slow(struct session *s)
{
	uint64_t most_us = s->g->upstream.answer_ms * 1000;
	struct list *head = &s->h2->streams;
	for (struct list *l = head->next, *next = l->next; l != head;
		l = next, next = l->next) {
		struct relay_stream *rs =
			CONTAINER_OF(l, struct relay_stream, in_relay);
		const struct exchange *x = &rs->x;
		struct err err;
		if (x->state != EXCHANGE_SENDING || x->answered || !x->request_sent ||
			clock_us() - x->sent_us < most_us)
			continue;
		(void)err_set(&err, ERR_GATE_ORIGIN_SLOW, "no answer in time");
		s->x = &rs->x;
		exchange_fail(s, &err, 504);
		s->x = &s->exchange;
		run_stream(s, rs);
	}
}

/* Nothing moved for a while: idle connections end, others show that they are alive. */
static int
take_quiet(struct session *s)
{
	struct err err = {0};
	struct h2 *origin = origin_of(s);
	if (list_empty(&s->h2->streams)) {
		blame(s, ENDER_GATEWAY, NULL);
		h2_drain(&s->h2->client);
		h2_drain(&s->h2->client);
		return farewell(s);
	}
	s->h2->looked = 0;
	bool alive = h2_ping(&s->h2->client, PING_MS) &&
		(!origin || origin->over || h2_ping(origin, PING_MS));
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

/* With streams open whatever moves begins a new deadline; without, only a stream does:
 * frames that carry nothing keep no connection alive. */
static void
set_deadline(struct session *s, bool ending)
{
	struct relay_h2 *r = s->h2;
	bool empty = list_empty(&r->streams);
	uint64_t idle_ms = s->g->client.idle_ms;
	if (ending && empty) {
		session_deadline(s, GOODBYE_MS);
	} else if (!empty) {
		session_deadline(s, idle_ms < QUIET_MS ? idle_ms : QUIET_MS);
	} else if (!r->idle) {
		session_deadline(s, idle_ms);
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
		fail_slow(s);
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
	while (!list_empty(&s->h2->streams)) {
		close_stream(s,
			CONTAINER_OF(list_first(&s->h2->streams), struct relay_stream,
				in_relay));
	}
	h2_fini(&s->h2->client);
	mem_free(s->h2);
	s->h2 = NULL;
}

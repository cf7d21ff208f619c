// SPDX-License-Identifier: Apache-2.0
/* relay_stream: the streams of a client of HTTP/2, from request to end. */
#include <string.h>

#include "base/clock.h"
#include "base/pool.h"
#include "base/stats.h"
#include "gate/relay_h2.h"
#include "gate/stages.h"
#include "gate/story.h"
#include "gate/worker.h"

struct h2 *
relay_origin(const struct session *s)
{
	return s->h2->bound && s->own.up ? s->own.up->h2 : NULL;
}

bool
relay_takes_more(const struct session *s)
{
	const struct h2 *origin = relay_origin(s);
	if (!s->h2->bound)
		return true;
	return origin && !origin->over && !origin->goaway_seen;
}

/* --- whose turn it is --- */

static void
enter(struct session *s, struct relay_stream *rs)
{
	s->x = &rs->x;
	s->lane = rs->lane ? rs->lane : &s->own;
}

static void
leave(struct session *s)
{
	s->x = &s->exchange;
	s->lane = &s->own;
}

/* --- opening and closing --- */

/* The connection that was reached before the client was shown anything is the first
 * stream's. */
static void
give_lane(struct session *s, struct relay_stream *rs)
{
	rs->lane = lane_new(s);
	rs->lane->x = &rs->x;
	if (s->h2->bound || !s->own.up)
		return;
	rs->lane->up = s->own.up;
	rs->lane->up->user = rs->lane;
	s->own.up = NULL;
}

static struct relay_stream *
open_stream(struct session *s, struct h2_stream *client)
{
	struct relay_stream *rs = pool_take(sizeof(*rs));
	/* All but the exchange, which is written as a whole. */
	memset(&rs->client, 0, sizeof(*rs) - offsetof(struct relay_stream, client));
	exchange_init(&rs->x, true);
	rs->x.state = EXCHANGE_HEAD;
	rs->x.client = client;
	rs->client.stream = client;
	client->user = &rs->client;
	list_init(&rs->in_waiting);
	list_push(&s->h2->streams, &rs->in_relay);
	if (!s->h2->bound)
		give_lane(s, rs);
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
	bool ours = x->err.code == ERR_GATE_BLOCKED || x->err.code == ERR_H2_STALLED;
	return ours ? H2_CANCEL : H2_INTERNAL_ERROR;
}

static void
close_stream(struct session *s, struct relay_stream *rs)
{
	struct exchange *x = &rs->x;
	if (!x->response_over)
		h2_reset(x->client, code_for_client(x));
	enter(s, rs);
	exchange_tell(s);
	leave(s);
	h2_release(x->client);
	if (x->origin && !rs->lane)
		h2_release(x->origin);
	lane_free(rs->lane);
	list_leave(&rs->in_relay);
	list_leave(&rs->in_waiting);
	exchange_fini(x);
	pool_give(rs, sizeof(*rs));
	s->h2->answered = true;
}

void
relay_close_all(struct session *s)
{
	while (!list_empty(&s->h2->streams)) {
		close_stream(s,
			CONTAINER_OF(list_first(&s->h2->streams), struct relay_stream,
				in_relay));
	}
}

void
relay_h2_unbind(struct session *s)
{
	struct relay_stream *rs = CONTAINER_OF(s->x, struct relay_stream, x);
	if (s->x->origin)
		h2_release(s->x->origin);
	s->x->origin = NULL;
	list_leave(&rs->in_waiting);
	give_lane(s, rs);
	s->lane = rs->lane;
}

enum h1_wrote
relay_h2_open_stream(struct session *s, struct err *err)
{
	struct relay_stream *rs = CONTAINER_OF(s->x, struct relay_stream, x);
	struct h2 *origin = relay_origin(s);
	if (relay_takes_more(s) && !h2_can_open(origin)) {
		list_leave(&rs->in_waiting);
		list_push(&s->h2->waiting, &rs->in_waiting);
		return H1_FULL;
	}
	s->x->origin = h2_request(origin, &s->x->request, &rs->origin, err);
	return s->x->origin ? H1_WROTE : H1_REFUSED;
}

/* --- news --- */

/* The client has reset its stream, or the connection is gone. A head that was too large
 * also failed, but its stream is open for an answer. */
static bool
client_left(const struct exchange *x)
{
	return x->client->err.code != ERR_NONE &&
		(x->client->closed || x->client->h2->over);
}

/* What its own connection holds, before and after: writing makes room, and room lets a
 * full side go on. */
static bool
advance_lane(struct session *s)
{
	struct lane *lane = s->lane;
	struct upstream *up = lane->up;
	lane_pull(lane);
	uint64_t sent = up ? up->side.io.n_out : 0;
	if (exchange_advance(s) != EXCHANGE_WAITS)
		return true;
	lane_push(lane);
	up = lane->up;
	if (up && !up->trunk && up->side.io.n_out != sent &&
		!list_joined(&lane->in_woken))
		list_push(&s->h2->woken, &lane->in_woken);
	return false;
}

static void
run_stream(struct session *s, struct relay_stream *rs)
{
	struct exchange *x = &rs->x;
	bool over = client_left(x);
	if (over && x->err.code == ERR_NONE)
		x->err = x->client->err;
	if (!over) {
		enter(s, rs);
		over = s->lane == &s->own ? exchange_advance(s) != EXCHANGE_WAITS
					  : advance_lane(s);
		leave(s);
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
	if (s->refusal.code != ERR_NONE || relay_takes_more(s))
		return false;
	h2_reset(stream, H2_REFUSED_STREAM);
	h2_release(stream);
	return true;
}

bool
relay_serve_client(struct session *s)
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

bool
relay_serve_origin(struct session *s)
{
	struct h2_stream *stream = relay_origin(s) ? h2_ready(relay_origin(s)) : NULL;
	if (!stream)
		return false;
	if (stream->user)
		run_stream(s, CONTAINER_OF(stream->user, struct relay_stream, origin));
	return true;
}

bool
relay_serve_waiting(struct session *s)
{
	struct list *waiting = &s->h2->waiting;
	struct h2 *origin = relay_origin(s);
	bool goes = origin && (h2_can_open(origin) || !relay_takes_more(s));
	if (list_empty(waiting) || !goes)
		return false;
	struct relay_stream *rs =
		CONTAINER_OF(list_first(waiting), struct relay_stream, in_waiting);
	list_leave(&rs->in_waiting);
	run_stream(s, rs);
	return true;
}

/* Those that are woken meanwhile have their turn in the next round. */
bool
relay_serve_woken(struct session *s)
{
	struct list *woken = &s->h2->woken;
	struct list *last = list_last(woken);
	bool any = last != NULL;
	for (struct list *it = NULL; it != last;) {
		it = list_first(woken);
		if (!it)
			break;
		struct lane *lane = CONTAINER_OF(it, struct lane, in_woken);
		list_leave(it);
		run_stream(s, CONTAINER_OF(lane->x, struct relay_stream, x));
	}
	return any;
}

void
relay_wake_early(struct session *s)
{
	s->h2->early = false;
	LIST_EACH (it, &s->h2->streams)
		h2_wake(CONTAINER_OF(it, struct relay_stream, in_relay)->x.client);
}

/* --- what takes too long --- */

static void
fail_stream(
	struct session *s, struct relay_stream *rs, enum err_code code, const char *why)
{
	struct err err;
	(void)err_set(&err, code, "%s", why);
	enter(s, rs);
	exchange_fail(s, &err, 504);
	leave(s);
	run_stream(s, rs);
}

/* For a share of a connection, whose streams are all taken. Who reaches itself keeps
 * its own time. */
static bool
waits_too_long(const struct session *s, const struct relay_stream *rs)
{
	uint64_t most_us = exchange_reach_ms(&rs->x, s->g) * 1000;
	return rs->lane->group && reach_is_idle(&rs->lane->reach) &&
		clock_us() - rs->x.began_us >= most_us;
}

static void
look_at_reaching(struct session *s, struct relay_stream *rs)
{
	const struct exchange *x = &rs->x;
	uint64_t stall_ms = s->g->client.stall_ms;
	if (waits_too_long(s, rs)) {
		fail_stream(s, rs, ERR_GATE_ORIGIN_SLOW, "no stream was free in time");
	} else if (x->holding && clock_now() - x->moved_ms >= stall_ms) {
		fail_stream(s, rs, ERR_GATE_CLIENT_SLOW, "nothing moved for too long");
	} else {
		run_stream(s, rs); /* reach keeps its own time */
	}
}

static void
look_at_stream(struct session *s, struct relay_stream *rs)
{
	const struct exchange *x = &rs->x;
	bool sends = x->state == EXCHANGE_SENDING;
	if (x->state == EXCHANGE_REACHING && rs->lane) {
		look_at_reaching(s, rs);
	} else if (sends && !x->answered && x->request_sent &&
		clock_us() - x->sent_us >= exchange_answer_ms(x, s->g) * 1000) {
		fail_stream(s, rs, ERR_GATE_ORIGIN_SLOW, "no answer in time");
	} else if ((sends || x->state == EXCHANGE_UPGRADED) && x->answered &&
		clock_now() - x->moved_ms >= s->g->client.stall_ms) {
		stat_add(STAT_H2_STALLED, 1);
		fail_stream(s, rs, ERR_H2_STALLED, "nothing moved for too long");
	}
}

void
relay_fail_slow(struct session *s)
{
	LIST_EACH (it, &s->h2->streams)
		look_at_stream(s, CONTAINER_OF(it, struct relay_stream, in_relay));
}

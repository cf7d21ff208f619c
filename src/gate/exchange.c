// SPDX-License-Identifier: Apache-2.0
/*
 * How it goes on: exchange_advance() turns from state to state until one of them waits.
 * In EXCHANGE_SENDING both directions are tried in each call; neither waits for the
 * other but through the bufs, which is all the backpressure there is.
 */
#include "gate/exchange.h"

#include "base/clock.h"
#include "base/must.h"
#include "base/stats.h"
#include "gate/exchange_priv.h"
#include "gate/relay_h2.h"
#include "gate/stages.h"
#include "gate/story.h"
#include "gate/worker.h"
#include "http/h2.h"

enum {
	EXCHANGE_ARENA = 1024 * 1024
}; /* two heads of 64 KiB, and what is made of them */

void
exchange_init(struct exchange *x, bool tls)
{
	*x = (struct exchange){.tls = tls};
	arena_init(&x->arena, EXCHANGE_ARENA);
	h1_reader_init(&x->requests, H1_REQUESTS, NULL);
	h1_writer_init(&x->to_client);
	http_head_init(&x->request, &x->arena);
	http_head_init(&x->response, &x->arena);
}

void
exchange_fini(struct exchange *x)
{
	exchange_cache_end(x);
	edge_unload(x);
	exchange_hold_drop(x);
	arena_fini(&x->arena);
}

bool
exchange_idle(const struct exchange *x)
{
	return x->state == EXCHANGE_IDLE;
}

enum h1_step
exchange_read_head(struct session *s)
{
	struct exchange *x = s->x;
	struct span body;
	if (x->head_ready)
		return H1_HEAD;
	if (s->client.ended && !x->client && !x->requests.eof)
		h1_eof(&x->requests);
	enum h1_step step = exchange_read_client(s, &body, &x->err);
	if (step == H1_HEAD)
		x->head_ready = true;
	return step;
}

bool
exchange_is_bound(const struct session *s)
{
	return s->x->client && s->lane == &s->own;
}

/* Drops a connection that cannot carry anything again. */
static void
drop_origin(struct session *s)
{
	s->x->origin = NULL; /* the lane's */
	lane_drop(s->lane);
}

void
exchange_leave_origin(struct session *s)
{
	struct exchange *x = s->x;
	if (x->origin) { /* what it sent lies in its arena, and is still to be told */
		h2_reset(x->origin, H2_CANCEL);
	} else if (!exchange_is_bound(s)) {
		drop_origin(s);
	}
}

void
exchange_fail(struct session *s, const struct err *why, unsigned status)
{
	struct exchange *x = s->x;
	const struct refusal refusal = {
		.code = why->code,
		.text = span_str(why->text),
		.status = status,
	};
	x->err = *why;
	if (!exchange_is_bound(s)) {
		trunk_failed(s->lane, why);
		trunk_quit(s->lane);
		reach_cancel(&s->lane->reach);
	}
	exchange_leave_origin(s);
	if (why->code == ERR_H2_REFUSED)
		x->reset_code = H2_REFUSED_STREAM;
	if (why->code == ERR_GATE_ORIGIN_SLOW)
		edge_failed(s);
	if (status >= 500 && exchange_cache_rescue(s))
		return;
	exchange_cache_end(x);
	if (x->answered || (x->client && x->reset_code != H2_NO_ERROR)) {
		x->state =
			EXCHANGE_CLOSING; /* exchange_advance() sees it is not over */
	} else {
		exchange_answer_refusal(s, &refusal);
	}
}

/* --- the origin --- */

static bool
is_usable(const struct upstream *up)
{
	if (!up || side_eof(&up->side) || up->side.io.failed != 0)
		return false;
	return !up->trunk || h2_can_open(up->h2);
}

/* The origin's certificate was judged anew on a second connection: same rules as for
 * the first. */
static bool
take_origin(struct session *s)
{
	struct exchange *x = s->x;
	s->lane->up = reach_take(&s->lane->reach);
	if (x->target.tls && !stage_judge(s)) {
		trunk_quit(s->lane);
		return false;
	}
	upstream_begin(s->lane->up);
	trunk_arrived(s->lane, &x->target);
	return true;
}

static void
start_sending(struct session *s)
{
	struct exchange *x = s->x;
	h1_reader_init(&x->responses, H1_RESPONSES, NULL);
	h1_writer_init(&x->to_origin);
	x->moved_ms = clock_now();
	stat_add(s->lane->up->h2 ? STAT_ORIGIN_H2 : STAT_ORIGIN_H1, 1);
	x->reused = s->lane->up->requests > 0;
	s->lane->up->requests++;
	x->state = EXCHANGE_SENDING;
}

/* It could not be reached: another one of the site's, or an answer of ours. */
static void
miss_origin(struct session *s, const struct err *why)
{
	struct err err = *why;
	trunk_failed(s->lane, &err);
	if (s->x->wants_h1 && s->x->request.protocol.n == 0)
		s->x->reset_code = H2_HTTP_1_1_REQUIRED;
	if (!edge_aim_next(s))
		exchange_fail(s, &err, stage_reach_status(err.code));
}

static void
refuse_origin(struct session *s)
{
	struct exchange *x = s->x;
	if (x->reset_code != H2_NO_ERROR) {
		x->state = EXCHANGE_CLOSING;
	} else {
		exchange_answer_refusal(s, &s->refusal);
	}
}

/* What was found out about the origin is judged by this session's rules, too. */
static void
share_origin(struct session *s)
{
	if (s->x->target.tls && !stage_judge(s)) {
		refuse_origin(s);
	} else {
		start_sending(s);
	}
}

/* A connection of its own, or a share of one. False: wait. */
static bool
reach_origin(struct session *s)
{
	struct exchange *x = s->x;
	struct reach *r = &s->lane->reach;
	struct err err = {0};
	if (reach_is_idle(r)) {
		if (x->target.tls &&
			versions_find(&s->w->versions, &x->target) == VERSION_NEEDS_H1)
			x->target.alpn = SPAN("\x08http/1.1");
		switch (trunk_join(s->lane, &x->target, &err)) {
		case TRUNK_WAIT:
			return false;
		case TRUNK_JOINED:
			share_origin(s);
			return true;
		case TRUNK_FAILED:
			miss_origin(s, &err);
			return true;
		case TRUNK_NONE:
			reach_start(r, s, &x->target, x->retried);
			break;
		}
	}
	switch (reach_advance(r)) {
	case REACH_WAIT:
		return false;
	case REACH_DONE:
		if (take_origin(s)) {
			start_sending(s);
		} else {
			refuse_origin(s);
		}
		return true;
	case REACH_FAILED:
		break;
	}
	err = r->err;
	miss_origin(s, &err);
	return true;
}

/* False: wait. */
static bool
advance_reaching(struct session *s)
{
	struct err err;
	if (exchange_is_too_early(s))
		return false;
	if (exchange_hold_waits(s) || exchange_cache_waits(s))
		return s->x->state != EXCHANGE_REACHING;
	/* Inside TLS there is one target; elsewhere each request has its own. */
	bool one_target = s->x->tls && !s->x->site;
	if (is_usable(s->lane->up) &&
		(one_target || upstream_is_for(s->lane->up, &s->x->target))) {
		start_sending(s);
		return true;
	}
	if (exchange_is_bound(s)) {
		(void)err_set(&err, ERR_H2_REFUSED, "the origin is gone");
		exchange_fail(s, &err, 502);
		return true;
	}
	if (s->lane->up)
		drop_origin(s);
	return reach_origin(s);
}

/* --- client → origin --- */

static bool send_end(struct session *s);

/* A WebSocket that crosses to another version has no body: its request is whole. */
static bool
send_head(struct session *s)
{
	struct exchange *x = s->x;
	struct err err = {0};
	size_t before = buf_len(side_out(&s->lane->up->side));
	if (!exchange_upgrade_request(s, &err)) {
		exchange_fail(s, &err, 501);
		return false;
	}
	switch (exchange_head_to_origin(s, &err)) {
	case H1_FULL:
		return false;
	case H1_REFUSED:
		if (x->state == EXCHANGE_SENDING)
			exchange_fail(s, &err, 400);
		return false;
	case H1_WROTE:
		break;
	}
	s->story->bytes_up += buf_len(side_out(&s->lane->up->side)) - before;
	x->head_sent = true;
	return !(x->crosses && x->client) || send_end(s);
}

static bool
send_end(struct session *s)
{
	struct exchange *x = s->x;
	struct err err = {0};
	enum h1_wrote wrote = exchange_end_to_origin(s, &err);
	if (wrote == H1_REFUSED)
		exchange_fail(s, &err, 400);
	if (wrote != H1_WROTE)
		return false;
	x->request_sent = true;
	x->sent_us = clock_us();
	return true;
}

static void
note_progress(struct exchange *x, uint64_t *count, size_t n)
{
	*count += n;
	if (n > 0)
		x->moved_ms = clock_now();
}

/* A site says how long bodies may be; one of unknown length shows it as it comes. */
static bool
refuse_long(struct session *s)
{
	const struct exchange *x = s->x;
	struct err err = {0};
	bool request = edge_is_too_long(x, false);
	if (!request && !edge_is_too_long(x, true))
		return false;
	(void)err_set(&err, ERR_GATE_TOO_LARGE, "the %s's body",
		request ? "request" : "response");
	exchange_fail(s, &err, request ? 413 : 502);
	return true;
}

/* One step of the request's body. False when it cannot go on now. */
static bool
send_some(struct session *s)
{
	struct exchange *x = s->x;
	struct span body = {0};
	struct err err = {0};
	size_t n = 0;
	switch (exchange_read_client(s, &body, &err)) {
	case H1_BODY:
		n = exchange_body_to_origin(s, body);
		exchange_took_client(s, n);
		note_progress(x, &x->bytes_request, n);
		return !refuse_long(s) && n == body.n;
	case H1_TRAILERS:
		return true;
	case H1_END:
		return send_end(s) && false;
	case H1_MORE:
		if (x->client || !side_eof(&s->client) || x->requests.eof)
			return false;
		h1_eof(&x->requests);
		return true;
	case H1_FAILED:
		exchange_fail(s, &err, http_error_status(err.code));
		return false;
	case H1_HEAD:
	case H1_INFORM:
	case H1_TUNNEL:
	case H1_CLOSED:
		break;
	}
	return false;
}

static void
send_request(struct session *s)
{
	struct exchange *x = s->x;
	if (!x->head_sent && !send_head(s))
		return;
	while (x->state == EXCHANGE_SENDING && !x->request_sent && send_some(s))
		;
}

/* --- origin → client --- */

static bool
write_waiting_head(struct session *s)
{
	struct exchange *x = s->x;
	struct err err = {0};
	bool is_final = x->response.status >= 200 || x->response.status == 101;
	size_t before = buf_len(side_out(&s->client));
	switch (exchange_head_to_client(s, &err)) {
	case H1_FULL:
		return false;
	case H1_REFUSED:
		exchange_fail(s, &err, 502);
		return false;
	case H1_WROTE:
		break;
	}
	s->story->bytes_down += buf_len(side_out(&s->client)) - before;
	x->head_waits = false;
	x->answered = x->answered || is_final;
	if (x->response.status == 101 && x->origin) {
		h1_tunnel(&x->requests);
		x->state = EXCHANGE_UPGRADED;
	}
	return true;
}

/* What is ours to say: a page, or a stored body. False while it does not fit. */
static bool
write_page(struct session *s)
{
	struct exchange *x = s->x;
	do {
		size_t n = exchange_body_to_client(s, x->page);
		x->page = span_from(x->page, n);
		note_progress(x, &x->bytes_response, n);
		if (x->page.n > 0)
			return false;
		x->page = exchange_cache_next(x);
	} while (x->page.n > 0);
	return true;
}

static bool
finish_response(struct session *s)
{
	struct exchange *x = s->x;
	struct err err = {0};
	if (exchange_cache_stands_in(x) && !write_page(s))
		return false;
	enum h1_wrote wrote = exchange_end_to_client(s, &x->response.trailers, &err);
	if (wrote == H1_REFUSED)
		exchange_fail(s, &err, 502);
	x->response_over = wrote == H1_WROTE;
	return false;
}

static bool
lose_origin(struct session *s, const struct err *why)
{
	struct exchange *x = s->x;
	struct err err = *why;
	if (exchange_again(s))
		return false;
	if (x->origin) /* a client makes more of the origin's own code than of a page */
		x->reset_code = x->origin->reset_code;
	if (err.code == ERR_NONE) {
		(void)err_set(
			&err, ERR_GATE_ORIGIN_GONE, "it closed before it answered");
	}
	exchange_fail(s, &err, 502);
	return false;
}

static bool
hear_no_more(struct session *s)
{
	struct exchange *x = s->x;
	struct side *side = &s->lane->up->side;
	struct err err = side->err;
	if (x->origin || !side_eof(side) || x->responses.eof)
		return false;
	if (side->ended) { /* properly: that may be what ends the body */
		h1_eof(&x->responses);
		return true;
	}
	if (err.code == ERR_NONE)
		(void)err_set(&err, ERR_GATE_ORIGIN_GONE, "the connection broke");
	return lose_origin(s, &err);
}

/* Octets of the origin's body; how many are dealt with. */
static size_t
pass_on(struct session *s, struct span body)
{
	struct exchange *x = s->x;
	if (exchange_cache_stands_in(x))
		return body.n;
	size_t n = exchange_body_to_client(s, body);
	exchange_cache_body(s, span_first(body, n));
	note_progress(x, &x->bytes_response, n);
	return n;
}

/* One step of the response. False when it cannot go on now. */
static bool
receive_some(struct session *s)
{
	struct exchange *x = s->x;
	struct span body = {0};
	struct err err = {0};
	size_t n = 0;
	if (x->head_waits)
		return write_waiting_head(s);
	if (x->response_read)
		return finish_response(s);
	switch (exchange_read_origin(s, &body, &err)) {
	case H1_INFORM:
		/* Their heads stay in the arena; the final one, and a page, need
		 * theirs. */
		if (arena_room(&x->arena) < EXCHANGE_ARENA / 2) {
			(void)err_set(
				&err, ERR_HTTP_TOO_LARGE, "too much in 1xx heads");
			exchange_fail(s, &err, 502);
			return false;
		}
		x->head_waits = x->request.version != HTTP_1_0;
		return true;
	case H1_HEAD:
		exchange_take_response(s);
		return true;
	case H1_BODY:
		n = pass_on(s, body);
		exchange_took_origin(s, n);
		return !refuse_long(s) && n == body.n;
	case H1_TRAILERS:
		return true;
	case H1_END: /* told once */
		x->response_read = true;
		exchange_cache_whole(s);
		return true;
	case H1_TUNNEL:
		if (!x->client)
			h1_tunnel(&x->requests);
		x->state = EXCHANGE_UPGRADED;
		return false;
	case H1_MORE:
		return hear_no_more(s);
	case H1_CLOSED:
	case H1_FAILED:
		break;
	}
	return lose_origin(s, &err);
}

static void
receive_response(struct session *s)
{
	struct exchange *x = s->x;
	while (x->state == EXCHANGE_SENDING && s->lane->up && !x->response_over &&
		receive_some(s))
		;
}

/* --- the end of an exchange --- */

/* Whether the origin's connection is in step: both messages were read and written to
 * their ends, and neither said that it is the last. */
static bool
origin_lasts(const struct exchange *x)
{
	return x->request_sent && x->response_over && !x->origin_closes &&
		!x->to_origin.must_close && h1_reader_idle(&x->responses);
}

static void
part_from_origin(struct session *s)
{
	struct exchange *x = s->x;
	if (!s->lane->up)
		return;
	if (x->origin || exchange_is_bound(s)) {
		if (x->head_sent)
			stage_reach_keep_session(s);
		if (!exchange_is_bound(s))
			drop_origin(s);
		return;
	}
	struct side *side = &s->lane->up->side;
	side_pull(side);
	/* What nobody asked for would be the answer to the next request. */
	bool said_more = !buf_empty(side_in(side)) || !buf_empty(&side->io.in);
	if (said_more || !origin_lasts(x)) {
		side_end(side);
		drop_origin(s);
		return;
	}
	stage_reach_keep_session(s);
	if (!s->g->upstream.reuse || s->lane->up->bound)
		return; /* stays this session's own */
	/* A request that was refused never got as far as a target of its own. */
	upstream_give(s->lane->up,
		x->target.g ? target_idle_ms(&x->target) : s->g->upstream.idle_ms);
	s->lane->up = NULL;
}

static void
next_request(struct session *s)
{
	struct exchange *x = s->x;
	struct h1_reader requests = x->requests;
	struct arena arena = x->arena;
	bool tls = x->tls;
	exchange_cache_end(x);
	edge_unload(x);
	exchange_hold_drop(x);
	h1_next_request(&requests);
	/* Who has nothing more to ask now may wait for hours. */
	if (buf_empty(side_in(&s->client))) {
		arena_fini(&arena);
	} else {
		arena_reset(&arena);
	}
	*x = (struct exchange){.tls = tls, .arena = arena, .requests = requests};
	h1_writer_init(&x->to_client);
	http_head_init(&x->request, &x->arena);
	http_head_init(&x->response, &x->arena);
}

/* A client of an edge may be sending its next request just now. Unless it was told that
 * there would be no more, it gets an answer, which tells it; see stage_relay.c for how
 * long it may take. */
static bool
lasts_through_drain(const struct session *s)
{
	return s->g->sites.is_edge && !s->x->response.close;
}

/* True: over. */
static bool
finish(struct session *s)
{
	struct exchange *x = s->x;
	bool client_lasts = x->request_sent && !x->closes && !x->to_client.must_close &&
		(!s->draining || lasts_through_drain(s)) && s->refusal.code == ERR_NONE;
	exchange_tell(s);
	part_from_origin(s);
	if (client_lasts && !x->client) {
		next_request(s);
	} else {
		x->state = EXCHANGE_CLOSING;
	}
	return true;
}

/* False: wait. */
static bool
advance_sending(struct session *s)
{
	struct exchange *x = s->x;
	send_request(s);
	receive_response(s);
	if (x->state != EXCHANGE_SENDING)
		return true;
	return x->response_over && finish(s);
}

/* --- answers of ours --- */

/* False: wait. */
static bool
advance_answering(struct session *s)
{
	struct exchange *x = s->x;
	struct err err = {0};
	if (x->head_waits && !write_waiting_head(s))
		return x->state != EXCHANGE_ANSWERING;
	if (!write_page(s))
		return false;
	if (exchange_end_to_client(s, NULL, &err) == H1_FULL)
		return false;
	x->response_over = true;
	return finish(s);
}

/* --- the whole --- */

static enum exchange_turn
advance_head(struct session *s)
{
	struct exchange *x = s->x;
	struct err err = {0};
	enum h1_step step = exchange_read_head(s);
	if (step == H1_HEAD && exchange_is_too_early(s)) {
		x->state = EXCHANGE_HEAD;
		return EXCHANGE_WAITS;
	}
	if (step == H1_HEAD)
		return exchange_begin(s);
	if (step == H1_FAILED) {
		err = x->err;
		exchange_start_record(s);
		exchange_fail(s, &err, http_error_status(err.code));
		return EXCHANGE_GOES_ON;
	}
	if (step != H1_MORE)
		return EXCHANGE_ENDS;
	if (x->client)
		return EXCHANGE_WAITS;
	x->state = h1_reader_idle(&x->requests) ? EXCHANGE_IDLE : EXCHANGE_HEAD;
	if (side_failed(&s->client))
		return EXCHANGE_ENDS;
	return s->draining && x->state == EXCHANGE_IDLE && !s->g->sites.is_edge
		? EXCHANGE_ENDS
		: EXCHANGE_WAITS;
}

static enum exchange_turn
go_on_or_wait(bool goes_on)
{
	return goes_on ? EXCHANGE_GOES_ON : EXCHANGE_WAITS;
}

static enum exchange_turn
advance_once(struct session *s)
{
	struct exchange *x = s->x;
	switch (x->state) {
	case EXCHANGE_IDLE:
	case EXCHANGE_HEAD:
		return advance_head(s);
	case EXCHANGE_REACHING:
		return go_on_or_wait(advance_reaching(s));
	case EXCHANGE_SENDING:
		return go_on_or_wait(advance_sending(s));
	case EXCHANGE_ANSWERING:
		return go_on_or_wait(advance_answering(s));
	case EXCHANGE_UPGRADED:
		return exchange_advance_tunnel(s);
	case EXCHANGE_CLOSING:
		break;
	}
	return x->answered && !x->response_over ? EXCHANGE_BREAKS : EXCHANGE_ENDS;
}

enum exchange_turn
exchange_advance(struct session *s)
{
	enum exchange_turn turn = EXCHANGE_GOES_ON;
	while (turn == EXCHANGE_GOES_ON)
		turn = side_failed(&s->client) ? EXCHANGE_BREAKS : advance_once(s);
	return turn;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * exchange_hold: the body of a request is read before its origin is asked, where a site
 * wants that: a slow client then holds no connection to an origin.
 *
 * What does not fit goes on as it comes, behind what was read: into one request's room,
 * or into the worker's, which many streams of many clients share. Nothing is held of a
 * request that waits for a word of its origin (Expect), or that becomes something else
 * than HTTP.
 */
#include "base/clock.h"
#include "gate/exchange_priv.h"
#include "gate/worker.h"
#include "http/header.h"

void
exchange_hold_begin(struct session *s)
{
	struct exchange *x = s->x;
	const struct http_body *body = &x->request.body;
	uint64_t most = x->site ? x->site->balance.held_bytes : 0;
	bool is_empty = body->kind == BODY_NONE ||
		(body->kind == BODY_LENGTH && body->length == 0);

	x->holding = most > 0 && !is_empty && s->w->held < EXCHANGE_HELD_MOST &&
		x->request.protocol.n == 0 &&
		!http_get(&x->request.fields, SPAN("expect")).p;
	if (!x->holding)
		return;
	buf_init(&x->held, (size_t)most); /* bounded by its word's table */
	x->held_all = &s->w->held;
	x->moved_ms = clock_now();
	edge_unload(x); /* it is nothing yet that an origin has to do */
}

void
exchange_hold_drop(struct exchange *x)
{
	if (x->held_all)
		*x->held_all -= x->held_share;
	x->held_all = NULL;
	x->held_share = 0;
	buf_fini(&x->held);
}

/* Of what came, so much has room. */
static size_t
room_for(const struct exchange *x, size_t n)
{
	size_t own = buf_room(&x->held);
	size_t all = *x->held_all < EXCHANGE_HELD_MOST
		? EXCHANGE_HELD_MOST - *x->held_all
		: 0;

	n = n < own ? n : own;
	return n < all ? n : all;
}

/* The origin learns how long it is. */
static void
say_length(struct exchange *x)
{
	if (x->request.body.kind == BODY_CHUNKED && x->request.trailers.n == 0)
		x->request.body = (struct http_body){BODY_LENGTH, buf_len(&x->held)};
}

/* Takes as much as there is room for. False: that is all. */
static bool
hold(struct session *s, struct span body)
{
	struct exchange *x = s->x;
	size_t n = room_for(x, body.n);
	uint64_t most = x->site->balance.request_bytes;
	struct err err = {0};

	if (n == 0 || !buf_put(&x->held, span_first(body, n)))
		return false;
	*x->held_all += n;
	x->held_share += n;
	exchange_took_wire(s, n);
	x->moved_ms = clock_now();
	if (most == 0 || buf_len(&x->held) <= most)
		return n == body.n && !buf_full(&x->held);
	(void)err_set(&err, ERR_GATE_TOO_LARGE, "the request's body");
	x->holding = false;
	exchange_hold_drop(x);
	exchange_fail(s, &err, 413);
	return false;
}

/* True: there may be more at once. x->holding: there may be more later. */
static bool
hold_some(struct session *s)
{
	struct exchange *x = s->x;
	struct span body = {0};
	struct err err = {0};

	switch (exchange_read_wire(s, &body, &err)) {
	case H1_BODY:
		if (hold(s, body))
			return true;
		break; /* full, or refused */
	case H1_TRAILERS:
		return true;
	case H1_END:
		x->held_end = true;
		say_length(x);
		break;
	case H1_MORE:
		if (x->client || !side_eof(&s->client) || x->requests.eof)
			return false;
		h1_eof(&x->requests);
		return true;
	case H1_FAILED:
		exchange_fail(s, &err, http_error_status(err.code));
		break;
	case H1_HEAD:
	case H1_INFORM:
	case H1_TUNNEL:
	case H1_CLOSED:
		break;
	}
	x->holding = false;
	return false;
}

bool
exchange_hold_waits(struct session *s)
{
	struct exchange *x = s->x;
	struct err err = {0};

	if (!x->holding)
		return false;
	while (hold_some(s))
		;
	if (x->holding || x->state != EXCHANGE_REACHING)
		return true;
	if (edge_aim_again(s))
		return false;
	(void)err_set(&err, ERR_GATE_BUSY, "all origins are busy");
	exchange_fail(s, &err, 503);
	return true;
}

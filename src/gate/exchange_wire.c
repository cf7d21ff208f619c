// SPDX-License-Identifier: Apache-2.0
/*
 * exchange_wire: the four ways of an exchange, whatever version each side speaks. Above
 * this file an exchange is the same over a connection of HTTP/1 and over a stream of
 * HTTP/2.
 */
#include "gate/exchange_priv.h"
#include "gate/relay_h2.h"
#include "http/h2.h"

/* The steps have the same meaning; a stream never becomes a tunnel and never closes
 * between two messages. */
static enum h1_step
step_of(enum h2_step step)
{
	switch (step) {
	case H2_MORE:
		return H1_MORE;
	case H2_HEAD:
		return H1_HEAD;
	case H2_INFORM:
		return H1_INFORM;
	case H2_BODY:
		return H1_BODY;
	case H2_TRAILERS:
		return H1_TRAILERS;
	case H2_END:
		return H1_END;
	case H2_FAILED:
		return H1_FAILED;
	}
	return H1_FAILED;
}

static enum h1_wrote
wrote_of(enum h2_wrote wrote)
{
	switch (wrote) {
	case H2_WROTE:
		return H1_WROTE;
	case H2_FULL:
		return H1_FULL;
	case H2_REFUSED:
		return H1_REFUSED;
	}
	return H1_REFUSED;
}

/* The exchange has a head of its own, whose fields it changes; what it holds lies in
 * the stream's arena. */
static enum h1_step
read_stream(struct h2_stream *from, struct http_head *to, struct span *body,
	struct err *err)
{
	struct http_head *head = NULL;
	enum h2_step step = h2_step(from, &head, body, err);
	if (step == H2_HEAD || step == H2_INFORM)
		*to = *head;
	if (step == H2_TRAILERS)
		to->trailers = head->trailers;
	return step_of(step);
}

enum h1_step
exchange_read_wire(struct session *s, struct span *body, struct err *err)
{
	struct exchange *x = s->x;
	if (x->client)
		return read_stream(x->client, &x->request, body, err);
	return h1_read(&x->requests, side_in(&s->client), &x->request, body, err);
}

void
exchange_took_wire(struct session *s, size_t n)
{
	struct exchange *x = s->x;
	if (x->client) {
		h2_took(x->client, n);
	} else {
		h1_took(&x->requests, side_in(&s->client), n);
	}
}

/* What is held came first. */
enum h1_step
exchange_read_client(struct session *s, struct span *body, struct err *err)
{
	struct exchange *x = s->x;
	if (!buf_empty(&x->held)) {
		*body = buf_peek(&x->held);
		return H1_BODY;
	}
	return x->held_end ? H1_END : exchange_read_wire(s, body, err);
}

void
exchange_took_client(struct session *s, size_t n)
{
	if (buf_empty(&s->x->held)) {
		exchange_took_wire(s, n);
	} else {
		buf_drop(&s->x->held, n);
	}
}

enum h1_step
exchange_read_origin(struct session *s, struct span *body, struct err *err)
{
	struct exchange *x = s->x;
	if (x->origin)
		return read_stream(x->origin, &x->response, body, err);
	return h1_read(
		&x->responses, side_in(&s->lane->up->side), &x->response, body, err);
}

void
exchange_took_origin(struct session *s, size_t n)
{
	struct exchange *x = s->x;
	if (x->origin) {
		h2_took(x->origin, n);
	} else {
		h1_took(&x->responses, side_in(&s->lane->up->side), n);
	}
}

uint64_t
exchange_reach_ms(const struct exchange *x, const struct gateway *g)
{
	const struct target *to = &x->target;

	if (!to->g)
		return g->upstream.connect_ms + g->upstream.handshake_ms;
	return target_connect_ms(to) + target_handshake_ms(to);
}

uint64_t
exchange_answer_ms(const struct exchange *x, const struct gateway *g)
{
	bool own = x->site && x->site->balance.answer_ms > 0;

	return own ? x->site->balance.answer_ms : g->upstream.answer_ms;
}

/* An extended CONNECT waits for the origin's SETTINGS, which say whether it is taken;
 * where it is not, the origin is asked for an upgrade of HTTP/1. */
static enum h1_wrote
open_on_trunk(struct session *s, struct err *err)
{
	struct exchange *x = s->x;
	struct h2 *h2 = s->lane->up->h2;
	bool upgrades = x->request.protocol.n > 0;
	if (upgrades && !h2->settled)
		return H1_FULL;
	if (upgrades && !h2_takes_connect_protocol(h2) && !x->wants_h1) {
		exchange_ask_http1(s);
		return H1_REFUSED;
	}
	x->origin = h2_request(h2, &x->request, &s->lane->user, err);
	return x->origin ? H1_WROTE : H1_REFUSED;
}

enum h1_wrote
exchange_head_to_origin(struct session *s, struct err *err)
{
	struct exchange *x = s->x;
	if (exchange_is_bound(s))
		return relay_h2_open_stream(s, err);
	if (s->lane->up->h2)
		return open_on_trunk(s, err);
	enum h1_wrote wrote = h1_write_head(
		&x->to_origin, &x->request, side_out(&s->lane->up->side), err);
	if (wrote == H1_WROTE) {
		h1_next_response(
			&x->responses, x->request.method, x->request.protocol.n > 0);
	}
	return wrote;
}

size_t
exchange_body_to_origin(struct session *s, struct span body)
{
	struct exchange *x = s->x;
	if (x->origin)
		return h2_write_body(x->origin, body);
	return h1_write_body(&x->to_origin, body, side_out(&s->lane->up->side));
}

enum h1_wrote
exchange_end_to_origin(struct session *s, struct err *err)
{
	struct exchange *x = s->x;
	struct http_fields *trailers = &x->request.trailers;
	edge_strip(trailers); /* some origins read trailers as if they were fields */
	if (x->crosses && x->origin)
		return H1_WROTE; /* its stream stays open for what the client says */
	if (x->origin)
		return wrote_of(h2_write_end(x->origin, trailers, err));
	return h1_write_end(&x->to_origin, trailers, side_out(&s->lane->up->side), err);
}

enum h1_wrote
exchange_head_to_client(struct session *s, struct err *err)
{
	struct exchange *x = s->x;
	if (x->client)
		return wrote_of(h2_write_head(x->client, &x->response, err));
	return h1_write_head(&x->to_client, &x->response, side_out(&s->client), err);
}

size_t
exchange_body_to_client(struct session *s, struct span body)
{
	struct exchange *x = s->x;
	if (x->client)
		return h2_write_body(x->client, body);
	return h1_write_body(&x->to_client, body, side_out(&s->client));
}

enum h1_wrote
exchange_end_to_client(
	struct session *s, const struct http_fields *trailers, struct err *err)
{
	struct exchange *x = s->x;
	if (x->client)
		return wrote_of(h2_write_end(x->client, trailers, err));
	return h1_write_end(&x->to_client, trailers, side_out(&s->client), err);
}

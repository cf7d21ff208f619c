// SPDX-License-Identifier: Apache-2.0
/*
 * exchange_again: when a request goes out once more: in HTTP/1 where its origin wants
 * that, on another connection where the first one ended under it or would not have it,
 * to another origin of its site.
 */
#include "base/stats.h"
#include "gate/exchange_priv.h"
#include "gate/relay_h2.h"
#include "gate/worker.h"

static bool
is_empty(const struct http_body *body)
{
	return body->kind == BODY_NONE ||
		(body->kind == BODY_LENGTH && body->length == 0);
}

/* A stream that was refused has not been looked at (RFC 9113 §8.7). */
static bool
was_refused(const struct exchange *x)
{
	return x->origin && x->origin->err.code == ERR_H2_REFUSED &&
		x->bytes_request == 0;
}

/* A connection that served before, a pooled one or a shared one, may end just as it is
 * used again. */
static bool
ended_under(const struct session *s)
{
	const struct exchange *x = s->x;
	if (x->origin)
		return x->reused && x->origin->err.code == ERR_H2_CLOSED;
	return s->lane->up->was_reused && h1_reader_idle(&x->responses);
}

/* Nothing came back, and it may be said twice: then it is, on a fresh connection. */
static bool
may_repeat(const struct session *s)
{
	const struct exchange *x = s->x;
	if (x->retried || x->answered || exchange_is_bound(s))
		return false;
	return was_refused(x) ||
		(is_empty(&x->request.body) && http_method_repeats(x->request.method) &&
			ended_under(s));
}

void
exchange_begin_again(struct session *s)
{
	struct exchange *x = s->x;
	x->origin = NULL; /* the lane's */
	lane_drop(s->lane);
	x->head_sent = false;
	x->request_sent = false;
	x->state = EXCHANGE_REACHING;
}

void
exchange_ask_http1(struct session *s)
{
	struct exchange *x = s->x;
	x->wants_h1 = true;
	x->target.alpn = x->target.tls ? SPAN("\x08http/1.1") : (struct span){0};
	exchange_begin_again(s);
}

static bool
try_again(struct session *s)
{
	if (!may_repeat(s))
		return false;
	stat_add(STAT_REQUESTS_RETRIED, 1);
	exchange_begin_again(s);
	s->x->retried = true;
	return true;
}

/* The origin will not have this request in HTTP/2 (RFC 9113 §7): it is asked once more
 * in HTTP/1. Not when a body is on its way already: it could not be said twice. */
static bool
try_http1(struct session *s)
{
	struct exchange *x = s->x;
	if (!x->origin || x->origin->err.code != ERR_H2_NEEDS_H1 || x->wants_h1 ||
		x->answered || x->bytes_request > 0)
		return false;
	stat_add(STAT_H2_NEEDED_H1, 1);
	if (exchange_is_bound(s))
		relay_h2_unbind(s);
	exchange_ask_http1(s);
	return true;
}

/* The origin is left for another one of its site, if the request may be said twice and
 * not too many were already. */
static bool
try_another(struct session *s)
{
	struct exchange *x = s->x;
	edge_failed(s);
	if (x->origin || x->answered || !is_empty(&x->request.body) ||
		!http_method_repeats(x->request.method) ||
		!h1_reader_idle(&x->responses) || !edge_retry(s))
		return false;
	exchange_begin_again(s);
	return true;
}

bool
exchange_again(struct session *s)
{
	return try_http1(s) || try_again(s) || try_another(s);
}

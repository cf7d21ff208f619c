// SPDX-License-Identifier: Apache-2.0
/*
 * exchange_tunnel: bytes that are not HTTP, both ways, behind an accepted upgrade. Each
 * end is a connection of HTTP/1, whose bytes are the tunnel's, or a stream of HTTP/2,
 * whose DATA is.
 */
#include "gate/exchange_priv.h"
#include "http/h2.h"

struct end {
	struct side *side;
	struct h2_stream *stream; /* NULL: the side as a whole */
	bool ended;               /* it will say nothing more */
	bool failed;
};

static struct span
hear_stream(struct end *e)
{
	struct http_head *head = NULL;
	struct span body = {0};
	struct err err;
	enum h2_step step = H2_TRAILERS;
	while (step == H2_TRAILERS)
		step = h2_step(e->stream, &head, &body, &err);
	e->ended = step == H2_END;
	e->failed = step == H2_FAILED;
	return step == H2_BODY ? body : (struct span){0};
}

static struct span
hear(struct end *e)
{
	if (e->stream)
		return hear_stream(e);
	struct span s = buf_peek(side_in(e->side));
	e->failed = side_failed(e->side);
	e->ended = s.n == 0 && side_eof(e->side);
	return s;
}

static size_t
say(struct end *e, struct span s)
{
	if (e->stream)
		return h2_write_body(e->stream, s);
	s = span_first(s, buf_room(side_out(e->side)));
	return buf_put(side_out(e->side), s) ? s.n : 0;
}

static void
took(struct end *e, size_t n)
{
	if (e->stream) {
		h2_took(e->stream, n);
	} else {
		buf_drop(side_in(e->side), n);
	}
}

/* Whether it has been told that nothing more comes. */
static bool
finish(struct end *e)
{
	struct err err;
	if (e->stream)
		return h2_write_end(e->stream, NULL, &err) == H2_WROTE;
	if (!e->side->end_wanted)
		side_end(e->side);
	return e->side->end_sent;
}

/* True when this direction is over. */
static bool
pump(struct end *from, struct end *to, uint64_t *count)
{
	for (;;) {
		struct span s = hear(from);
		size_t n = s.n > 0 ? say(to, s) : 0;
		if (n == 0)
			break;
		took(from, n);
		*count += n;
	}
	return from->ended && finish(to);
}

enum exchange_turn
exchange_advance_tunnel(struct session *s)
{
	struct exchange *x = s->x;
	struct end client = {.side = &s->client, .stream = x->client};
	struct end origin = {.side = &s->lane->up->side, .stream = x->origin};
	bool up = pump(&client, &origin, &x->bytes_request);
	bool down = pump(&origin, &client, &x->bytes_response);
	if (client.failed || origin.failed)
		return EXCHANGE_BREAKS;
	x->response_over = down;
	return up && down ? EXCHANGE_ENDS : EXCHANGE_WAITS;
}

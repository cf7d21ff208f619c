// SPDX-License-Identifier: Apache-2.0
/*
 * stage_tunnel: what must not be looked at passes through the kernel, untouched.
 */
#include <string.h>

#include "base/stats.h"
#include "gate/stages.h"
#include "gate/story.h"
#include "gate/worker.h"

static void
done(struct splice *t)
{
	session_advance(CONTAINER_OF(t, struct session, tunnel));
}

static void
start(struct session *s)
{
	const struct splice_ends ends = {
		.a = io_take(&s->client.io),
		.b = io_take(&s->lane->up->side.io),
		.from_a = &s->client.io.in,
		.from_b = &s->lane->up->side.io.in,
		.idle_ms = s->g->client.stall_ms,
	};
	s->tunnel = (struct splice){.done = done};
	splice_start(&s->tunnel, &s->w->loop, &s->w->pipes, &ends);
	s->tunnelling = true;
}

static int
over(struct session *s)
{
	struct err err = {0};
	enum ender who = s->tunnel.first_eof == 1 ? ENDER_ORIGIN : ENDER_CLIENT;
	s->story->bytes_up = s->tunnel.n[0];
	s->story->bytes_down = s->tunnel.n[1];
	if (s->tunnel.end == SPLICE_FAILED) {
		who = s->tunnel.failed_side == 1 ? ENDER_ORIGIN : ENDER_CLIENT;
		(void)err_errno(&err, ERR_NET_ENDED, s->tunnel.failed, "in the tunnel");
	}
	if (s->tunnel.end == SPLICE_IDLE) {
		who = ENDER_GATEWAY;
		(void)err_set(&err, ERR_GATE_CLIENT_SLOW, "nothing moved for too long");
	}
	session_end(s, who, &err);
	return TURN_OVER;
}

int
stage_tunnel_advance(struct session *s)
{
	if (!s->tunnelling) {
		/* "200" may still be queued for a client that has not read it. */
		if (!buf_empty(&s->client.io.out)) {
			io_touch(&s->client.io);
			if (s->client.io.failed)
				return over(s);
			return TURN_WAIT;
		}
		start(s);
		return TURN_WAIT;
	}
	return splice_is_open(&s->tunnel) ? TURN_WAIT : over(s);
}

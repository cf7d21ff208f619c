// SPDX-License-Identifier: Apache-2.0
#include "gate/session.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/stats.h"
#include "gate/exchange_cache.h"
#include "gate/relay_h2.h"
#include "gate/stages.h"
#include "gate/story.h"
#include "gate/worker.h"

enum {
	SESSION_ARENA = 256 * 1024, /* a ClientHello of 64 KiB and what is made of it */
	MOST_ROUNDS = 8,            /* of one session before others get their turn */
};

static void
client_moved(struct io *io)
{
	session_advance(CONTAINER_OF(io, struct session, client.io));
}

static void
deadline_passed(struct timer *t)
{
	struct session *s = CONTAINER_OF(t, struct session, deadline);
	s->expired = true;
	session_advance(s);
}

static void
goes_on(struct hook *h)
{
	session_advance(CONTAINER_OF(h, struct session, goes_on));
}

static void
bury(struct corpse *c)
{
	struct session *s = CONTAINER_OF(c, struct session, corpse);
	exchange_fini(&s->exchange);
	hello_peek_fini(&s->peek);
	arena_fini(&s->arena);
	story_free(s->story);
	mem_free(s);
}

static void
set_stage_deadline(struct session *s)
{
	const struct stage_row *row = stage_row(s->stage);
	s->expired = false;
	if (row->most_ms) {
		session_deadline(s, row->most_ms(s->g));
	} else {
		timer_stop(&s->w->loop, &s->deadline);
	}
}

void
session_open(
	struct worker *w, struct worker_listener *l, int fd, const struct addr *peer)
{
	struct session *s = mem_alloc(sizeof(*s));
	s->w = w;
	s->listener = l;
	s->g = l->settings->gateway;
	s->wg = &w->gateways[s->g->index];
	s->deadline.fired = deadline_passed;
	s->goes_on.run = goes_on;
	s->corpse.bury = bury;
	s->story = story_new();
	arena_init(&s->arena, SESSION_ARENA);
	verdict_init(&s->verdicts);
	list_init(&s->in_worker);
	list_push(&w->sessions, &s->in_worker);
	stat_add(STAT_SESSIONS_OPENED, 1);
	stat_add(STAT_SESSIONS_OPEN, 1);

	s->facts.apps = s->g->apps;
	s->facts.geo = s->g->geo;
	s->facts.categories = s->g->categories;
	s->facts.client = *peer;
	s->facts.server = l->local;
	if (l->local.port == 0) /* stays zero on a unix socket */
		(void)!addr_local(fd, &s->facts.server);
	exchange_init(&s->exchange, false);
	s->x = &s->exchange;
	lane_init(&s->own, s);
	s->lane = &s->own;
	side_open(&s->client, &w->loop, fd, client_moved);
	s->stage = STAGE_ASK;
	set_stage_deadline(s);
	session_advance(s);
}

/* Runs stages until one waits. */
static void
run_stages(struct session *s)
{
	while (!s->over) {
		int next = stage_row(s->stage)->advance(s);
		if (next < 0 || s->over)
			return;
		story_stage(s);
		s->stage = (enum stage)next;
		set_stage_deadline(s);
	}
}

/* A trunk's socket is not this session's. */
static struct side *
own_origin(const struct session *s)
{
	return s->own.up && !s->own.up->trunk ? &s->own.up->side : NULL;
}

/* Octets that went to either peer: writing makes room, and room lets a full side go on.
 */
static uint64_t
sent_so_far(const struct session *s)
{
	const struct side *origin = own_origin(s);
	return s->client.io.n_out + (origin ? origin->io.n_out : 0);
}

static bool
holds_more(const struct side *side)
{
	return !buf_empty(&side->io.in) || !buf_empty(&side->in) ||
		(side->tls && tls_has_more(side->tls));
}

static bool
wants_another_round(const struct session *s, uint64_t sent_before)
{
	const struct side *origin = own_origin(s);
	if (s->over)
		return false;
	return s->again ||
		(sent_so_far(s) != sent_before &&
			(s->exchange.page.n > 0 || holds_more(&s->client) ||
				(origin && holds_more(origin))));
}

void
session_advance(struct session *s)
{
	if (s->over)
		return;
	if (s->advancing) {
		s->again = true;
		return;
	}
	s->advancing = true;
	for (int round = 0;; round++) {
		uint64_t sent = sent_so_far(s);
		s->again = false;
		run_stages(s);
		if (!s->over && s->stage != STAGE_TUNNEL) {
			side_push(&s->client);
			lane_push(&s->own);
		}
		if (!wants_another_round(s, sent))
			break;
		if (round >= MOST_ROUNDS) {
			loop_soon(&s->w->loop, &s->goes_on);
			break;
		}
	}
	s->advancing = false;
}

void
session_deadline(struct session *s, uint64_t ms)
{
	timer_set(&s->w->loop, &s->deadline, clock_now() + ms);
}

void
session_end(struct session *s, enum ender who, const struct err *why)
{
	if (s->over)
		return;
	s->over = true;
	if (s->story->ender == ENDER_NONE) {
		s->story->ender = who;
		s->story->ended_in = s->stage;
		if (why)
			s->story->err = *why;
	}
	story_stage(s);
	story_alerts(s);
	exchange_tell(s);
	story_tell(s);
	mint_cancel(&s->mint);
	edge_end(s);
	/* Before it is buried: a worker that closes has no edge any more by then. */
	exchange_cache_end(&s->exchange);
	edge_unload(&s->exchange);
	if (splice_is_open(&s->tunnel))
		splice_stop(&s->tunnel);
	relay_h2_end(s);
	lane_leave(&s->own);
	side_close(&s->client, why && why->code != ERR_NONE && s->stage == STAGE_RELAY);
	timer_stop(&s->w->loop, &s->deadline);
	loop_unhook(&s->goes_on);
	list_leave(&s->in_worker);
	stat_sub(STAT_SESSIONS_OPEN, 1);
	crowd_leave(&s->w->crowd, s->crowd);
	worker_lost(s->w);
	loop_bury(&s->w->loop, &s->corpse);
}

void
session_drain(struct session *s)
{
	s->draining = true;
	session_advance(s);
}

void
session_refuse(struct session *s, const struct refusal *refusal)
{
	s->refusal = *refusal;
	s->refusal.text = arena_copy(&s->arena, refusal->text);
	s->story->err.code = refusal->code;
	(void)!span_copy(s->story->err.text, sizeof(s->story->err.text),
		span_first(refusal->text, sizeof(s->story->err.text) - 1));
}

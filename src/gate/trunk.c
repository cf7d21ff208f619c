// SPDX-License-Identifier: Apache-2.0
#include "gate/trunk.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"
#include "gate/session.h"
#include "gate/worker.h"
#include "http/h2.h"

enum {
	ROUNDS = 16,     /* before others get their turn */
	PING_MS = 60000, /* until a ping counts as lost */
};

struct trunk_group {
	struct map_item by_target;
	struct list trunks;
	struct list waiting; /* lanes */
	struct list called;  /* lanes that waited: it is their turn */
	uint32_t n_called;
	struct lane *pioneer; /* reaches for those; or NULL */
	size_t n;
	uint8_t key[];
};

/* --- groups --- */

void
trunks_init(struct trunks *t)
{
	map_init(&t->groups);
	list_init(&t->all);
}

static bool
offers_h2(const struct target *to)
{
	return span_starts(to->alpn, SPAN("\x02h2"));
}

static struct trunk_group *
group_find(struct worker *w, const struct target *to)
{
	uint8_t key[UPSTREAM_KEY_MOST];
	size_t n = upstream_key(to, key);
	struct map_item *it = map_get(&w->trunks.groups, span_of(key, n));
	if (it)
		return CONTAINER_OF(it, struct trunk_group, by_target);
	struct trunk_group *g = mem_alloc(sizeof(*g) + n);
	memcpy(g->key, key, n); /* allocated above */
	list_init(&g->trunks);
	list_init(&g->waiting);
	list_init(&g->called);
	map_add(&w->trunks.groups, &g->by_target, span_of(g->key, n));
	return g;
}

static void
free_if_unused(struct worker *w, struct trunk_group *g)
{
	if (!list_empty(&g->trunks) || !list_empty(&g->waiting) ||
		!list_empty(&g->called) || g->pioneer)
		return;
	map_remove(&w->trunks.groups, &g->by_target);
	mem_free(g);
}

static void
release(struct lane *lane)
{
	list_leave(&lane->in_trunk);
	lane->group = NULL;
	lane_wake_soon(lane);
}

/* So many of those that wait may try again. Whoever dies before it does passes its turn
 * on: trunk_quit(). */
static void
call_some(struct trunk_group *g, uint32_t n)
{
	for (; n > 0 && !list_empty(&g->waiting); n--) {
		struct lane *lane =
			CONTAINER_OF(list_first(&g->waiting), struct lane, in_trunk);
		list_leave(&lane->in_trunk);
		list_push(&g->called, &lane->in_trunk);
		lane->called = true;
		g->n_called++;
		lane_wake_soon(lane);
	}
}

static void
leave_lists(struct lane *lane)
{
	list_leave(&lane->in_trunk);
	lane->group->n_called -= lane->called;
	lane->called = false;
	lane->group = NULL;
}

static void
answer_call(struct lane *lane)
{
	struct trunk_group *g = lane->group;
	leave_lists(lane);
	free_if_unused(lane->s->w, g);
}

static void
release_all(struct trunk_group *g, const struct err *err)
{
	LIST_EACH (it, &g->waiting) {
		struct lane *lane = CONTAINER_OF(it, struct lane, in_trunk);
		if (err) {
			lane->reach.err = *err;
			lane->failed = true;
		}
		release(lane);
	}
}

/* --- trunks --- */

static void
leave_group(struct trunk *t)
{
	struct trunk_group *g = t->group;
	if (!g)
		return;
	t->group = NULL;
	list_leave(&t->in_group);
	g->n--;
	call_some(g, 1);
	free_if_unused(t->w, g);
}

static void
bury(struct corpse *c)
{
	mem_free(CONTAINER_OF(c, struct trunk, corpse));
}

/* Polite where the origin still listens: it learns that nothing more comes. */
static void
close_trunk(struct trunk *t)
{
	struct upstream *up = t->up;
	leave_group(t);
	list_leave(&t->in_all);
	timer_stop(&t->w->loop, &t->deadline);
	loop_unhook(&t->runs);
	h2_drain(up->h2);
	h2_flush(up->h2);
	side_end(&up->side);
	up->trunk = NULL;
	upstream_free(up);
	stat_sub(STAT_H2_TRUNKS, 1);
	loop_bury(&t->w->loop, &t->corpse);
}

static bool
is_spent(const struct trunk *t)
{
	const struct h2 *h2 = t->up->h2;
	return !t->group || h2->over || h2->goaway_seen || t->w->draining;
}

static void
set_deadline(struct trunk *t)
{
	uint64_t busy_ms = t->up->h2->pinged != 0 ? PING_MS + 1 : TRUNK_QUIET_MS;
	uint64_t ms = list_empty(&t->lanes) ? t->idle_ms : busy_ms;
	timer_set(&t->w->loop, &t->deadline, clock_now() + ms);
}

/* Whether something came. */
static bool
hear(struct trunk *t)
{
	struct side *side = &t->up->side;
	struct err err;
	side_pull(side);
	bool moved = !buf_empty(side_in(side));
	if (moved && !h2_read(t->up->h2, side_in(side), &err))
		return true; /* its streams know */
	if (side_eof(side) && !moved)
		h2_eof(t->up->h2);
	return moved;
}

static void
serve(struct trunk *t)
{
	struct h2_stream *stream = NULL;
	while ((stream = h2_ready(t->up->h2))) {
		if (stream->user) {
			lane_wake_soon(CONTAINER_OF(stream->user, struct lane, user));
		}
	}
}

static void
speak(struct trunk *t)
{
	h2_flush(t->up->h2);
	side_push(&t->up->side);
	h2_flush(t->up->h2);
}

/* Extended CONNECT cannot be asked for before the origin has said that it takes it. */
static void
tell_settled(struct trunk *t)
{
	if (t->settled || !t->up->h2->settled)
		return;
	t->settled = true;
	LIST_EACH (it, &t->lanes)
		lane_wake_soon(CONTAINER_OF(it, struct lane, in_trunk));
}

/* How much room a connection has is known once the origin's SETTINGS came: until then
 * nobody opens another. */
static bool
is_settling(const struct trunk_group *g)
{
	LIST_EACH (it, &g->trunks) {
		if (!CONTAINER_OF(it, struct trunk, in_group)->up->h2->settled)
			return true;
	}
	return false;
}

static bool
can_grow(const struct trunk_group *g)
{
	return !g->pioneer && g->n < TRUNKS_MOST && !is_settling(g);
}

/* As many as there is room for, and one to reach for more; those called before have not
 * all come yet. */
static void
call_waiting(struct trunk *t)
{
	struct trunk_group *g = t->group;
	if (!g)
		return;
	uint32_t n = h2_room(t->up->h2) + (can_grow(g) ? 1 : 0);
	if (n > g->n_called)
		call_some(g, n - g->n_called);
}

static void
run(struct trunk *t)
{
	int rounds = 0;
	bool moved = true;
	while (moved && rounds++ < ROUNDS) {
		moved = hear(t);
		if (moved)
			t->moved_ms = clock_now();
		tell_settled(t);
		serve(t);
		speak(t);
		serve(t);
	}
	if (moved)
		trunk_touch(t);
	if (t->up->h2->over || t->up->h2->goaway_seen)
		leave_group(t);
	call_waiting(t);
	if (list_empty(&t->lanes) && is_spent(t))
		close_trunk(t);
}

static void
run_by_hook(struct hook *h)
{
	run(CONTAINER_OF(h, struct trunk, runs));
}

static void
deadline_passed(struct timer *timer)
{
	struct trunk *t = CONTAINER_OF(timer, struct trunk, deadline);
	if (list_empty(&t->lanes)) {
		close_trunk(t);
		return;
	}
	bool quiet = clock_now() - t->moved_ms >= TRUNK_QUIET_MS;
	if (quiet && !h2_ping(t->up->h2, PING_MS))
		h2_abort(t->up->h2, H2_NO_ERROR);
	set_deadline(t);
	trunk_touch(t);
}

void
trunk_moved(struct trunk *trunk)
{
	run(trunk);
}

void
trunk_touch(struct trunk *trunk)
{
	loop_soon(&trunk->w->loop, &trunk->runs);
}

void
trunk_bind(struct trunk *trunk)
{
	leave_group(trunk);
}

/* --- lanes --- */

static void
join(struct lane *lane, struct trunk *t)
{
	bool was_empty = list_empty(&t->lanes);
	lane->up = t->up;
	list_push(&t->lanes, &lane->in_trunk);
	if (was_empty)
		set_deadline(t);
	if (t->group && !list_empty(&t->group->waiting))
		trunk_touch(t);
}

static struct trunk *
find_room(struct trunk_group *g)
{
	LIST_EACH (it, &g->trunks) {
		struct trunk *t = CONTAINER_OF(it, struct trunk, in_group);
		if (h2_can_open(t->up->h2))
			return t;
	}
	return NULL;
}

enum trunk_turn
trunk_join(struct lane *lane, const struct target *to, struct err *err)
{
	struct worker *w = lane->s->w;
	if (lane->failed) {
		lane->failed = false;
		*err = lane->reach.err;
		return TRUNK_FAILED;
	}
	bool has_turn = lane->called;
	if (has_turn)
		answer_call(lane);
	if (lane->group)
		return lane->group->pioneer == lane ? TRUNK_NONE : TRUNK_WAIT;
	if (!offers_h2(to) || !to->g->upstream.reuse ||
		versions_find(&w->versions, to) == VERSION_CHOSE_H1)
		return TRUNK_NONE;
	struct trunk_group *g = group_find(w, to);
	has_turn |= list_empty(&g->waiting) && list_empty(&g->called);
	struct trunk *t = has_turn ? find_room(g) : NULL;
	if (t) {
		t->up->was_reused = true;
		join(lane, t);
		return TRUNK_JOINED;
	}
	lane->group = g;
	if (can_grow(g)) {
		g->pioneer = lane;
		return TRUNK_NONE;
	}
	list_push(&g->waiting, &lane->in_trunk);
	return TRUNK_WAIT;
}

static void
make_trunk(struct lane *lane, const struct target *to)
{
	struct worker *w = lane->s->w;
	struct trunk *t = mem_alloc(sizeof(*t));
	struct trunk_group *g = to->g->upstream.reuse ? group_find(w, to) : NULL;
	t->w = w;
	t->up = lane->up;
	t->group = g;
	t->idle_ms = target_idle_ms(to);
	t->moved_ms = clock_now();
	t->runs.run = run_by_hook;
	t->deadline.fired = deadline_passed;
	t->corpse.bury = bury;
	list_init(&t->lanes);
	list_init(&t->in_group);
	list_init(&t->in_all);
	list_push(&w->trunks.all, &t->in_all);
	if (g) {
		list_push(&g->trunks, &t->in_group);
		g->n++;
	}
	t->up->trunk = t;
	t->up->user = NULL;
	stat_add(STAT_H2_TRUNKS, 1);
	join(lane, t);
	trunk_touch(t);
}

/* It reaches for others no longer. */
static void
step_down(struct lane *lane, const struct err *err)
{
	struct trunk_group *g = lane->group;
	if (!g || g->pioneer != lane)
		return;
	g->pioneer = NULL;
	lane->group = NULL;
	release_all(g, err);
	free_if_unused(lane->s->w, g);
}

void
trunk_arrived(struct lane *lane, const struct target *to)
{
	if (lane->up->h2) {
		make_trunk(lane, to);
		/* What one client accepts, another is still to be asked about. */
		if (lane->up->verdict.class != VERDICT_GOOD || lane->up->bound)
			trunk_bind(lane->up->trunk);
	} else if (offers_h2(to)) {
		versions_learn(&lane->s->w->versions, to, VERSION_CHOSE_H1);
	}
	step_down(lane, NULL);
}

void
trunk_failed(struct lane *lane, const struct err *err)
{
	step_down(lane, err);
}

void
trunk_quit(struct lane *lane)
{
	struct trunk_group *g = lane->group;
	lane->failed = false;
	if (!g)
		return;
	if (g->pioneer == lane) {
		step_down(lane, NULL);
		return;
	}
	bool had_turn = lane->called;
	leave_lists(lane);
	if (had_turn)
		call_some(g, 1);
	free_if_unused(lane->s->w, g);
}

void
trunk_part(struct lane *lane)
{
	struct trunk *t = lane->up->trunk;
	lane->up = NULL;
	list_leave(&lane->in_trunk);
	trunk_touch(t);
	if (list_empty(&t->lanes) && !is_spent(t))
		set_deadline(t);
}

void
trunks_fini(struct worker *w)
{
	LIST_EACH (it, &w->trunks.all)
		close_trunk(CONTAINER_OF(it, struct trunk, in_all));
	map_fini(&w->trunks.groups);
}

// SPDX-License-Identifier: Apache-2.0
#include "gate/upstream.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/read.h"
#include "base/stats.h"
#include "gate/session.h"
#include "gate/worker.h"
#include "http/h2.h"
#include "pki/identity.h"

static struct upstream *
of_io(struct io *io)
{
	return CONTAINER_OF(io, struct upstream, side.io);
}

static void
leave_pool(struct upstream *up)
{
	struct upstream_pool *pool = &up->w->pool;
	struct list *next = list_joined(&up->same) ? up->same.next : NULL;
	bool is_first = up->by_target.key.n > 0;

	list_leave(&up->idle);
	list_leave(&up->same);
	timer_stop(&up->w->loop, &up->idle_deadline);
	pool->n--;
	stat_set(STAT_UPSTREAMS_IDLE, pool->n);
	if (!is_first)
		return;
	map_remove(&pool->by_target, &up->by_target);
	up->by_target.key = (struct span){0};
	if (next) { /* the next one of this key stands in for it */
		struct upstream *heir = CONTAINER_OF(next, struct upstream, same);
		map_add(&pool->by_target, &heir->by_target,
			span_of(heir->key, heir->n_key));
	}
}

/* While idle nothing is expected: whatever comes, it is over. TLS 1.3 tickets are the
 * exception, and they are read before it becomes idle or stay unread without harm. */
static void
idle_moved(struct upstream *up)
{
	side_pull(&up->side);
	if (buf_empty(side_in(&up->side)) && !side_eof(&up->side))
		return;
	leave_pool(up);
	upstream_free(up);
}

static void
moved(struct io *io)
{
	struct upstream *up = of_io(io);
	if (up->trunk) {
		trunk_moved(up->trunk);
	} else if (up->user) {
		lane_wake(up->user);
	} else {
		idle_moved(up);
	}
}

static void
idle_too_long(struct timer *t)
{
	struct upstream *up = CONTAINER_OF(t, struct upstream, idle_deadline);
	leave_pool(up);
	side_end(&up->side);
	upstream_free(up);
}

static void
bury(struct corpse *c)
{
	struct upstream *up = CONTAINER_OF(c, struct upstream, corpse);
	mem_free(up->key);
	mem_free(up);
}

struct trust *
target_trust(const struct target *to)
{
	return to->trust ? to->trust : to->g->trust;
}

uint64_t
target_connect_ms(const struct target *to)
{
	return to->connect_ms > 0 ? to->connect_ms : to->g->upstream.connect_ms;
}

uint64_t
target_handshake_ms(const struct target *to)
{
	return to->handshake_ms > 0 ? to->handshake_ms : to->g->upstream.handshake_ms;
}

uint64_t
target_idle_ms(const struct target *to)
{
	return to->idle_ms > 0 ? to->idle_ms : to->g->upstream.idle_ms;
}

/* Gateway, TLS or not, port, host, SNI, whom we trust, what rules say of TLS, ALPN. */
size_t
upstream_key(const struct target *to, uint8_t dst[UPSTREAM_KEY_MOST])
{
	struct write w = write_to(dst, UPSTREAM_KEY_MOST);
	write_span(&w, span_of(to->g->policy_hash, sizeof(to->g->policy_hash)));
	write_be(&w, (to->tls ? 1 : 0) | (to->hello.n > 0 ? 2 : 0), 1);
	write_be(&w, to->port, 2);
	write_be(&w, (uint32_t)to->host.n, 2);
	write_span(&w, to->host);
	write_be(&w, (uint32_t)to->sni.n, 2);
	write_span(&w, to->sni);
	write_be64(&w, (uint64_t)(uintptr_t)to->trust); /* of this process alone */
	write_be(&w, (uint32_t)manner_index(to->manner), 1);
	write_be(&w, to->has_revocation ? (uint32_t)to->revocation + 1 : 0, 1);
	if (to->identity) {
		write_span(&w,
			span_of(to->identity->sha256, sizeof(to->identity->sha256)));
	}
	write_span(&w, to->alpn);
	return write_done(&w).n;
}

bool
upstream_is_for(const struct upstream *up, const struct target *to)
{
	uint8_t key[UPSTREAM_KEY_MOST];
	size_t n = upstream_key(to, key);
	return span_eq(span_of(key, n), span_of(up->key, up->n_key));
}

struct upstream *
upstream_new(struct worker *w, const struct target *to, int fd)
{
	uint8_t key[UPSTREAM_KEY_MOST];
	struct upstream *up = mem_alloc(sizeof(*up));
	up->w = w;
	up->knows_h2 = !to->tls && span_eq(to->alpn, SPAN("\x02h2"));
	up->n_key = upstream_key(to, key);
	up->key = mem_alloc(up->n_key);
	memcpy(up->key, key, up->n_key);
	list_init(&up->idle);
	list_init(&up->same);
	up->idle_deadline.fired = idle_too_long;
	up->corpse.bury = bury;
	side_open(&up->side, &w->loop, fd, moved);
	stat_add(STAT_UPSTREAMS_OPENED, 1);
	return up;
}

static bool
chose_h2(const struct upstream *up)
{
	struct tls_facts facts;
	if (!up->side.tls)
		return up->knows_h2;
	tls_facts(up->side.tls, &facts);
	return span_eq(facts.alpn, SPAN("h2"));
}

void
upstream_begin(struct upstream *up)
{
	struct h2_config config;
	if (up->h2 || !chose_h2(up))
		return;
	h2_config_init(&config, H2_CLIENT);
	up->h2 = mem_alloc(sizeof(*up->h2));
	h2_init(up->h2, &config, side_out(&up->side));
	h2_flush(up->h2);
}

void
upstream_free(struct upstream *up)
{
	if (!up)
		return;
	must(!list_joined(&up->idle));
	if (up->h2)
		h2_fini(up->h2);
	mem_free(up->h2);
	up->h2 = NULL;
	verdict_fini(&up->verdict);
	side_close(&up->side, false);
	up->user = NULL;
	loop_bury(&up->w->loop, &up->corpse);
}

void
upstream_pool_init(struct upstream_pool *pool, size_t most)
{
	map_init(&pool->by_target);
	list_init(&pool->idle);
	pool->n = 0;
	pool->most = most;
}

void
upstream_pool_fini(struct upstream_pool *pool)
{
	LIST_EACH (it, &pool->idle) {
		struct upstream *up = CONTAINER_OF(it, struct upstream, idle);
		leave_pool(up);
		upstream_free(up);
	}
	map_fini(&pool->by_target);
}

/* The one used last is the one least likely to have been closed meanwhile. */
struct upstream *
upstream_take(struct worker *w, const struct target *to)
{
	uint8_t key[UPSTREAM_KEY_MOST];
	size_t n = upstream_key(to, key);
	struct map_item *first =
		n > 0 ? map_get(&w->pool.by_target, span_of(key, n)) : NULL;
	if (!first)
		return NULL;
	struct upstream *up = CONTAINER_OF(first, struct upstream, by_target);
	if (list_joined(&up->same))
		up = CONTAINER_OF(up->same.prev, struct upstream, same);
	leave_pool(up);
	up->was_reused = true;
	stat_add(STAT_UPSTREAMS_REUSED, 1);
	return up;
}

static void
join_pool(struct upstream_pool *pool, struct upstream *up)
{
	struct span key = span_of(up->key, up->n_key);
	struct map_item *first = map_get(&pool->by_target, key);
	list_push(&pool->idle, &up->idle);
	pool->n++;
	stat_set(STAT_UPSTREAMS_IDLE, pool->n);
	if (first) {
		list_push(&CONTAINER_OF(first, struct upstream, by_target)->same,
			&up->same);
	} else {
		map_add(&pool->by_target, &up->by_target, key);
	}
}

void
upstream_give(struct upstream *up, uint64_t idle_ms)
{
	struct upstream_pool *pool = &up->w->pool;
	up->user = NULL;
	if (idle_ms == 0 || pool->most == 0 || up->bound || up->h2 || up->w->draining ||
		side_eof(&up->side) || !side_flushed(&up->side)) {
		side_end(&up->side);
		upstream_free(up);
		return;
	}
	if (pool->n >= pool->most) {
		struct upstream *oldest =
			CONTAINER_OF(list_first(&pool->idle), struct upstream, idle);
		leave_pool(oldest);
		upstream_free(oldest);
	}
	join_pool(pool, up);
	timer_set(&up->w->loop, &up->idle_deadline, clock_now() + idle_ms);
}

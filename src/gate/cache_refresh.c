// SPDX-License-Identifier: Apache-2.0
#include "gate/cache_refresh.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "gate/exchange_cache.h"
#include "gate/origin_ask.h"
#include "gate/session.h"
#include "gate/worker.h"
#include "http/header.h"

enum {
	REFRESHES_MOST = 64,
	REFRESH_ARENA = 512 * 1024,
	BODY_MOST = 8 * 1024 * 1024,
	SLOW_MS = 30000,
};

struct refresh {
	struct list in; /* the edge's */
	struct edge *e;
	struct corpse corpse;
	struct arena arena;
	struct origin_ask ask;
	struct cache_store *store;
	struct cache_policy policy;
	struct cache_texts texts;
	struct http_head request; /* as the origin gets it */
	struct http_head plain;   /* without our condition */
	struct http_head stored;
	struct cache_hit hit; /* pinned */
	int64_t asked_ms;
	uint64_t most;
};

static void
bury(struct corpse *c)
{
	struct refresh *r = CONTAINER_OF(c, struct refresh, corpse);

	arena_fini(&r->arena);
	mem_free(r);
}

static void
end(struct refresh *r)
{
	cache_store_let_go(r->store, &r->hit);
	cache_store_release(r->store, &r->texts.key, 0);
	origin_ask_cancel(&r->ask);
	list_leave(&r->in);
	r->e->n_refreshes--;
	loop_bury(&r->e->w->loop, &r->corpse);
}

static bool
describe(struct refresh *r, const struct http_head *head)
{
	struct cache_texts *t = &r->texts;

	struct span a = http_get(&head->fields, SPAN("cache-tag"));
	struct span b = http_get(&head->fields, SPAN("surrogate-key"));
	t->tags = a.n > 0 ? a : b;
	if (a.n > 0 && b.n > 0) {
		t->tags =
			arena_format(&r->arena, "%.*s,%.*s", SPAN_ARG(a), SPAN_ARG(b));
	}
	return cache_vary_make(&head->fields, &r->plain.fields, &r->arena, &t->vary) &&
		cache_head_write(head, &r->arena, &t->head);
}

static bool
learn(struct refresh *r, const struct http_head *head)
{
	const struct cache_answer_times times = {r->asked_ms, clock_wall_ms()};

	return cache_learn(&r->plain, head, &r->policy, &times, &r->texts.facts) &&
		describe(r, head);
}

static void
confirm(struct refresh *r)
{
	struct err err = {0};

	if (!cache_speaks_of(&r->ask.response, &r->stored) ||
		!cache_freshen(&r->stored, &r->ask.response, &err) ||
		!learn(r, &r->stored))
		return;
	if (cache_store_renew(r->store, &r->hit, &r->texts))
		stat_add(STAT_CACHE_VALIDATED, 1);
}

static void
replace(struct refresh *r)
{
	struct cache_fill fill;

	if (cache_is_error(r->ask.response.status) || buf_len(&r->ask.body) > r->most ||
		!learn(r, &r->ask.response))
		return;
	cache_store_begin(&fill);
	if (cache_store_add(r->store, &fill, buf_peek(&r->ask.body)) &&
		cache_store_commit(r->store, &fill, &r->texts))
		stat_add(STAT_CACHE_STORED, 1);
}

static void
answered(struct origin_ask *a)
{
	struct refresh *r = CONTAINER_OF(a, struct refresh, ask);

	if (!a->ok) {
		log_debug("edge.refresh", "why=\"%s\"", a->err.text);
	} else {
		header_strip(&a->response);
		if (a->response.status == 304) {
			confirm(r);
		} else {
			replace(r);
		}
	}
	end(r);
}

/* What one client had, or wanted a part of, is nothing to refresh by. */
static void
drop_conditions(struct http_head *request)
{
	static const struct span names[] = {SPAN_INIT("if-none-match"),
		SPAN_INIT("if-modified-since"), SPAN_INIT("if-match"),
		SPAN_INIT("if-unmodified-since"), SPAN_INIT("if-range"),
		SPAN_INIT("range")};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		(void)http_remove(&request->fields, names[i]);
}

/* Everything in memory of its own: the exchange ends sooner. */
static bool
prepare(struct refresh *r, const struct exchange *x)
{
	const struct exchange_cache *c = x->cache;
	struct err err = {0};
	bool asked = false;

	if (!http_head_copy(&r->plain, &x->request, &r->arena, &err) ||
		!http_head_copy(&r->request, &x->request, &r->arena, &err))
		return false;
	drop_conditions(&r->request);
	r->texts.key = c->texts.key;
	r->texts.url = arena_copy(&r->arena, c->texts.url);
	if (cache_store_find(r->store, &r->texts.key, &r->plain.fields, &r->arena,
		    &r->hit) != CACHE_PRESENT)
		return false;
	if (cache_head_read(r->hit.head, &r->stored, &r->arena)) {
		r->stored.status = r->hit.facts.status;
		if (cache_ask(&r->request, &r->stored, &asked, &err))
			return true;
	}
	cache_store_let_go(r->store, &r->hit);
	return false;
}

static void
start(struct refresh *r, const struct exchange *x)
{
	const struct origin_ask_for what = {
		.g = r->e->g,
		.site = x->site,
		.origin = x->site_origin,
		.request = &r->request,
		.limit = BODY_MOST,
		.deadline_ms = clock_now() + SLOW_MS,
	};

	r->asked_ms = clock_wall_ms();
	r->ask = (struct origin_ask){.done = answered};
	origin_ask_start(&r->ask, r->e->w, &what);
}

bool
cache_refresh_start(struct session *s)
{
	struct exchange *x = s->x;
	struct edge *e = s->wg->edge;

	if (e->n_refreshes >= REFRESHES_MOST || x->request.method != HTTP_GET)
		return false;
	struct refresh *r = mem_alloc(sizeof(*r));
	r->e = e;
	r->corpse.bury = bury;
	r->store = x->cache->store;
	r->policy = x->cache->policy;
	r->most = x->cache->most;
	arena_init(&r->arena, REFRESH_ARENA);
	if (!prepare(r, x)) {
		bury(&r->corpse);
		return false;
	}
	e->n_refreshes++;
	list_push(&e->refreshes, &r->in);
	start(r, x);
	return true;
}

void
cache_refresh_close(struct edge *e)
{
	while (!list_empty(&e->refreshes))
		end(CONTAINER_OF(list_first(&e->refreshes), struct refresh, in));
}

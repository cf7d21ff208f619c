// SPDX-License-Identifier: Apache-2.0
/*
 * exchange_part: parts of responses (206) are stored, answer ranges that lie in them,
 * and grow together (RFC 9111 §3.3, §3.4).
 *
 * A part has a name of its own in the store: only a request for a range ever meets it.
 * Of each variant there is one part; another that touches it, with the same strong tag,
 * is joined to it, and one that is the whole takes the whole's place.
 */
#include "base/clock.h"
#include "base/stats.h"
#include "base/text.h"
#include "gate/exchange_cache.h"
#include "gate/exchange_priv.h"
#include "http/header.h"

enum { HEADS_ROOM = 160 * 1024 }; /* of arena: a head of 64 KiB, twice */

void
exchange_part_name(struct exchange_cache *c)
{
	const struct span parts[] = {
		span_of(c->texts.key.b, sizeof(c->texts.key.b)), SPAN("part")};

	cache_key_make(&c->part.key, parts, COUNT_OF(parts));
}

void
exchange_part_end(struct exchange_cache *c)
{
	if (c->part.pinned)
		cache_store_let_go(c->store, &c->part.hit);
	c->part.pinned = false;
}

/* ---- use ---- */

static bool
find(struct session *s)
{
	struct exchange_cache *c = s->x->cache;
	struct exchange_part *p = &c->part;

	if (cache_store_find(c->store, &p->key, &c->request.fields, &s->x->arena,
		    &p->hit) != CACHE_PRESENT)
		return false;
	p->pinned = true;
	if (cache_head_read(p->hit.head, &p->stored, &s->x->arena) &&
		cache_part_read(&p->stored, &p->at) && p->at.n == p->hit.length)
		return true;
	exchange_part_end(c);
	return false;
}

static uint64_t
end_of(const struct cache_place *p)
{
	return p->from + p->n;
}

/* False: the part does not hold what is wanted. */
static bool
present(struct session *s)
{
	struct exchange *x = s->x;
	struct exchange_cache *c = x->cache;
	struct exchange_part *p = &c->part;
	struct err err = {0};
	struct cache_selection sel = cache_select(
		&c->request.fields, &p->stored, &p->hit.facts, p->at.total);

	if (sel.part != CACHE_PART || sel.from < p->at.from ||
		sel.from + sel.n > end_of(&p->at))
		return false;
	http_response_make(&x->response, &x->arena, 200);
	x->response.fields = p->stored.fields;
	if (!cache_present(&x->response, &sel,
		    cache_age(&p->hit.facts, clock_wall_ms()), p->at.total, &err))
		return false;
	cache_store_seek(c->store, &p->hit, sel.from - p->at.from, sel.n, &c->rest);
	c->hit = p->hit; /* and its pin */
	c->pinned = true;
	p->pinned = false;
	return true;
}

bool
exchange_part_use(struct session *s)
{
	struct exchange_cache *c = s->x->cache;
	bool asks = c->request.method == HTTP_GET &&
		http_get_id(&c->request.fields, HTTP_NAME_RANGE).n > 0;

	if (!asks || arena_room(&s->x->arena) < HEADS_ROOM || !find(s) ||
		cache_judge(&c->part.hit.facts, &c->asks, &c->policy,
			clock_wall_ms()) != CACHE_USE ||
		!present(s))
		return false; /* what was found may still be joined to what comes */
	exchange_stored_status(s);
	stat_add(STAT_CACHE_HITS, 1);
	exchange_answer_stored(s);
	return true;
}

/* ---- storing ---- */

/* RFC 9110 §15.3.7.3: the same strong tag, and nothing missing between them. */
static bool
can_join(const struct exchange_part *p, const struct http_head *news,
	const struct cache_place *came)
{
	struct span tag = http_get(&news->fields, SPAN("etag"));

	return p->pinned && span_starts(tag, SPAN("\"")) &&
		span_eq(tag, http_get(&p->stored.fields, SPAN("etag"))) &&
		p->at.total == came->total && p->at.from <= end_of(came) &&
		came->from <= end_of(&p->at);
}

static struct cache_place
join(const struct cache_place *a, const struct cache_place *b)
{
	uint64_t from = a->from < b->from ? a->from : b->from;
	uint64_t end = end_of(a) > end_of(b) ? end_of(a) : end_of(b);

	return (struct cache_place){from, end - from, a->total};
}

/* Octets of the old part, at this place of the whole. */
static bool
add_old(struct exchange_cache *c, uint64_t from, uint64_t end)
{
	struct cache_cursor at;
	struct span piece;

	if (from >= end)
		return true;
	cache_store_seek(
		c->store, &c->part.hit, from - c->part.at.from, end - from, &at);
	while ((piece = cache_store_next(c->store, &at)).n > 0) {
		if (!cache_store_add(c->store, &c->fill, piece))
			return false;
	}
	return true;
}

/* What is stored says where its octets are, not where those of this answer are. */
static bool
describe(struct session *s, bool is_whole)
{
	struct exchange *x = s->x;
	const struct cache_place *all = &x->cache->part.all;
	struct http_head kept;
	char value[80];
	struct err err = {0};
	size_t n = text_format(value, sizeof(value), "bytes %llu-%llu/%llu",
		(unsigned long long)all->from, (unsigned long long)(end_of(all) - 1),
		(unsigned long long)all->total);

	if (arena_room(&x->arena) < HEADS_ROOM ||
		!http_head_copy(&kept, &x->response, &x->arena, &err))
		return false;
	if (is_whole) {
		(void)http_remove(&kept.fields, SPAN("content-range"));
	} else if (!http_set(&kept.fields, SPAN("Content-Range"), span_of(value, n),
			   &err)) {
		return false;
	}
	return exchange_cache_describe(s, &kept);
}

bool
exchange_part_begin(struct session *s, const struct cache_answer_times *times)
{
	struct exchange *x = s->x;
	struct exchange_cache *c = x->cache;
	struct exchange_part *p = &c->part;
	struct http_head as_whole = x->response;
	struct cache_place came;

	as_whole.status = 200; /* which it would have been, but for the range */
	if (c->request.method != HTTP_GET || !cache_part_read(&x->response, &came) ||
		x->response.body.kind != BODY_LENGTH ||
		x->response.body.length != came.n ||
		!cache_learn(
			&c->request, &as_whole, &c->policy, times, &c->texts.facts))
		return false;
	bool joins = can_join(p, &x->response, &came);
	p->all = joins ? join(&p->at, &came) : came;
	bool is_whole = p->all.n == p->all.total;
	if (p->all.n > c->most || !describe(s, is_whole))
		return false;
	if (!is_whole)
		c->texts.key = p->key;
	p->tail_from = end_of(&came);
	cache_store_begin(&c->fill);
	return !joins || add_old(c, p->at.from, came.from);
}

bool
exchange_part_finish(struct exchange_cache *c)
{
	struct exchange_part *p = &c->part;

	if (p->all.n == 0)
		return true; /* it is none */
	return (!p->pinned || add_old(c, p->tail_from, end_of(&p->all))) &&
		c->fill.n == p->all.n;
}

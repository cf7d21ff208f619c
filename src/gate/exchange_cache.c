// SPDX-License-Identifier: Apache-2.0
#include "gate/exchange_cache.h"

#include "base/clock.h"
#include "base/stats.h"
#include "gate/cache_refresh.h"
#include "gate/exchange_priv.h"
#include "gate/worker.h"
#include "http/header.h"
#include "http/url.h"

enum {
	ROOM = 256 * 1024, /* of arena, for heads of both sides and what is stored */
	SMALL_ROOM = 16 * 1024, /* for texts of ours */
	CLAIM_MS = 10000,       /* others wait so long at most */
	REFRESH_MS = 30000,     /* nobody else refreshes meanwhile */
	UNSHARED_MS = 120000,   /* what could not be stored once is not waited for */
};

/* ---- what an exchange has of the store ---- */

static void
unpin(struct exchange_cache *c)
{
	if (c->pinned)
		cache_store_let_go(c->store, &c->hit);
	c->pinned = false;
}

static void
release(struct exchange_cache *c, bool unshared)
{
	if (c->claimed) {
		cache_store_release(c->store, &c->texts.key,
			unshared ? clock_now() + UNSHARED_MS : 0);
	}
	c->claimed = false;
}

void
exchange_cache_end(struct exchange *x)
{
	struct exchange_cache *c = x->cache;

	if (!c)
		return;
	list_leave(&c->waiting);
	unpin(c);
	exchange_part_end(c);
	if (c->storing)
		cache_store_abandon(c->store, &c->fill);
	release(c, false);
	x->cache = NULL;
}

/* ---- a request ---- */

static void
make_key(struct session *s, struct exchange_cache *c)
{
	struct exchange *x = s->x;
	struct span host = x->facts.host;
	uint16_t port = s->facts.port;
	struct span authority = port == 443
		? host
		: arena_format(&x->arena, "%.*s:%u", SPAN_ARG(host), port);
	const struct span parts[] = {
		s->g->name, x->site->name, authority, x->request.path};

	cache_key_make(&c->texts.key, parts, COUNT_OF(parts));
	if (x->request.path.n < CACHE_TEXTS_MOST) {
		c->texts.url = arena_format(&x->arena, "https://%.*s%.*s",
			SPAN_ARG(authority), SPAN_ARG(x->request.path));
	}
}

/* Whether the site stores anything for such a client and such a request. */
static bool
is_meant(const struct session *s)
{
	const struct exchange *x = s->x;
	const struct site *site = x->site;
	bool asks_certs = s->visit && s->visit->name->clients;

	return site && site->cache.on && s->w->settings->cache_store &&
		(!asks_certs || site->cache.client_certificates) &&
		x->request.protocol.n == 0 && x->request.method != HTTP_CONNECT &&
		x->request.method != HTTP_OPTIONS && x->request.method != HTTP_TRACE;
}

static bool
open_cache(struct session *s)
{
	struct exchange *x = s->x;
	struct err err = {0};
	if (arena_room(&x->arena) < ROOM)
		return false; /* heads as large as can be are not worth it */
	struct exchange_cache *c = arena_alloc(&x->arena, sizeof(*c));

	c->store = s->w->settings->cache_store;
	c->lane = s->lane;
	c->policy = site_cache_policy(&x->site->cache);
	c->shows_status = x->site->cache.status;
	c->most = s->w->settings->cache.largest;
	c->asked_ms = clock_wall_ms();
	list_init(&c->waiting);
	if (!http_head_copy(&c->request, &x->request, &x->arena, &err))
		return false; /* too large to be looked after */
	cache_control_read(&c->request.fields, &c->asks);
	make_key(s, c);
	exchange_part_name(c);
	x->cache = c;
	return true;
}

/* The origin learns that Surrogate-Control is understood (edge-arch §2.2). */
static bool
says_surrogate(struct session *s)
{
	struct err err = {0};

	return http_add(&s->x->request.fields, SPAN("Surrogate-Capability"),
		SPAN(CACHE_SURROGATE "=\"Surrogate/1.0\""), &err);
}

/* Finds what is stored for the request. */
static enum cache_found
look_up(struct session *s)
{
	struct exchange *x = s->x;
	struct exchange_cache *c = x->cache;
	enum cache_found found = cache_store_find(
		c->store, &c->texts.key, &c->request.fields, &x->arena, &c->hit);

	c->pinned = found == CACHE_PRESENT;
	if (!c->pinned)
		return found;
	if (!cache_head_read(c->hit.head, &c->stored, &x->arena)) {
		unpin(c);
		return CACHE_ABSENT;
	}
	c->stored.status = c->hit.facts.status;
	return found;
}

/* Readies the pinned response for the client. */
static bool
use_stored(struct session *s, bool stale)
{
	struct exchange_cache *c = s->x->cache;
	struct err err = {0};

	if (!exchange_stored_present(s, &err)) {
		unpin(c);
		return false;
	}
	stat_add(stale ? STAT_CACHE_STALE : STAT_CACHE_HITS, 1);
	exchange_answer_stored(s);
	return true;
}

static bool
refuse_unstored(struct session *s)
{
	const struct refusal refusal = {.code = ERR_GATE_NOT_STORED, .status = 504};

	exchange_answer_refusal(s, &refusal);
	return true;
}

/* Whether somebody else asks for the same just now; if not, we do. */
static bool
is_taken(struct session *s)
{
	struct exchange_cache *c = s->x->cache;
	uint64_t most = exchange_reach_ms(s->x, s->g) / 2;

	most = most < CLAIM_MS ? most : CLAIM_MS;
	switch (cache_store_claim(c->store, &c->texts.key, clock_now(), most)) {
	case CACHE_CLAIMED:
		c->claimed = true;
		return false;
	case CACHE_UNSHARED:
		return false;
	case CACHE_TAKEN:
		break;
	}
	return true;
}

static void
wait_on(struct session *s)
{
	struct exchange_cache *c = s->x->cache;

	if (!c->waited)
		c->wait_until = clock_now() + CLAIM_MS;
	c->waits = true;
	c->waited = true;
	if (!list_joined(&c->waiting))
		edge_wait(s->wg->edge, &c->waiting);
	s->x->state = EXCHANGE_REACHING;
}

/* Others that want the same wait for this one, or this one for another. */
static bool
claim_or_wait(struct session *s)
{
	struct exchange_cache *c = s->x->cache;

	if (c->claimed || c->waited || c->request.method != HTTP_GET ||
		http_get_id(&c->request.fields, HTTP_NAME_RANGE).n > 0 ||
		http_get_id(&c->request.fields, HTTP_NAME_AUTHORIZATION).n > 0 ||
		!is_taken(s))
		return false;
	stat_add(STAT_CACHE_COLLAPSED, 1);
	wait_on(s);
	return true;
}

/* Asks the origin about what is stored. HEAD goes as it is. */
static void
make_conditional(struct session *s)
{
	struct exchange *x = s->x;
	struct exchange_cache *c = x->cache;
	struct err err = {0};

	if (x->request.method != HTTP_GET ||
		!cache_ask(&x->request, &c->stored, &c->conditional, &err))
		c->conditional = false;
}

static enum exchange_fwd
reason_of(enum cache_found found, const struct exchange_cache *c, int64_t now_ms)
{
	if (found == CACHE_ABSENT)
		return FWD_URI_MISS;
	if (found == CACHE_OTHER_VARIANT)
		return FWD_VARY_MISS;
	return cache_left(&c->hit.facts, now_ms) > 0 ? FWD_REQUEST : FWD_STALE;
}

/* Whether somebody asks the origin while a stale response is used. */
static bool
refreshes(struct session *s)
{
	struct exchange_cache *c = s->x->cache;

	if (cache_store_claim(c->store, &c->texts.key, clock_now(), REFRESH_MS) !=
		CACHE_CLAIMED)
		return true;
	if (cache_refresh_start(s))
		return true; /* which releases the claim */
	cache_store_release(c->store, &c->texts.key, 0);
	return false;
}

/* True: no origin is needed now. */
static bool
answer_or_ask(struct session *s)
{
	struct exchange_cache *c = s->x->cache;
	int64_t now_ms = clock_wall_ms();
	enum cache_found found = look_up(s);
	enum cache_verdict verdict = found == CACHE_PRESENT
		? cache_judge(&c->hit.facts, &c->asks, &c->policy, now_ms)
		: CACHE_ASK;

	c->fwd = FWD_NOT;
	if (verdict == CACHE_USE_BEHIND && !refreshes(s))
		verdict = CACHE_ASK;
	if (verdict != CACHE_ASK && use_stored(s, verdict != CACHE_USE))
		return true;
	if (found != CACHE_PRESENT && exchange_part_use(s))
		return true;
	c->fwd = reason_of(found, c, now_ms);
	if (c->asks.only_if_cached && c->policy.obeys_clients)
		return refuse_unstored(s);
	if (claim_or_wait(s)) {
		unpin(c);
		return true;
	}
	if (c->pinned)
		make_conditional(s);
	return false;
}

bool
exchange_cache_begin(struct session *s)
{
	struct exchange *x = s->x;
	bool has_body = x->request.body.kind == BODY_CHUNKED ||
		(x->request.body.kind == BODY_LENGTH && x->request.body.length > 0);

	if (!is_meant(s))
		return false;
	bool reads = x->request.method == HTTP_GET || x->request.method == HTTP_HEAD;
	if ((reads && has_body) || !says_surrogate(s) || !open_cache(s))
		return false;
	x->cache->fwd = FWD_METHOD;
	return reads && x->cache->texts.url.n > 0 && answer_or_ask(s);
}

/* Nothing is looked up before the other one is through: what is found takes room. */
bool
exchange_cache_waits(struct session *s)
{
	struct exchange_cache *c = s->x->cache;

	if (!c || !c->waits)
		return false;
	if (clock_now() < c->wait_until && is_taken(s)) {
		wait_on(s);
		return true;
	}
	list_leave(&c->waiting);
	c->waits = false;
	if (!answer_or_ask(s))
		return false;
	release(c, false); /* the next one that waits finds it as well */
	return true;
}

/* ---- a response ---- */

static bool
same_host(struct session *s, struct span url, struct span *path)
{
	struct url_target t;
	struct url_host host;
	struct err err = {0};

	if (!url_target_parse(url, HTTP_GET, &t, &err))
		return false;
	*path = t.path;
	if (t.form != URL_ABSOLUTE)
		return t.form == URL_ORIGIN;
	/* As clients ask for it; the origin may have been asked under a name of its
	 * own. */
	return url_host_parse(t.authority, s->facts.port, &s->x->arena, &host, &err) &&
		span_eq(host.name, s->x->facts.host) && host.port == s->facts.port;
}

/* Its parts, too. */
static void
forget_all(struct exchange_cache *c)
{
	(void)cache_store_forget(c->store, &c->texts.key);
	(void)cache_store_forget(c->store, &c->part.key);
}

static void
forget(struct session *s, struct span path)
{
	struct exchange_cache *c = s->x->cache;
	struct exchange_cache other = *c;
	struct span kept = s->x->request.path;

	s->x->request.path = path;
	make_key(s, &other);
	exchange_part_name(&other);
	s->x->request.path = kept;
	forget_all(&other);
}

/* RFC 9111 §4.4. */
static void
invalidate(struct session *s)
{
	struct exchange *x = s->x;
	static const struct span names[] = {
		SPAN_INIT("location"), SPAN_INIT("content-location")};

	if (!cache_method_changes(&x->request) || x->response.status < 200 ||
		x->response.status >= 400)
		return;
	forget_all(x->cache);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct span url = http_get(&x->response.fields, names[i]);
		struct span path;
		if (url.n > 0 && arena_room(&x->arena) >= SMALL_ROOM &&
			same_host(s, url, &path))
			forget(s, path);
	}
}

static struct cache_answer_times
times_of(const struct exchange_cache *c)
{
	return (struct cache_answer_times){c->asked_ms, clock_wall_ms()};
}

static struct span
tags_of(struct session *s)
{
	const struct http_fields *f = &s->x->response.fields;
	struct span a = http_get(f, SPAN("cache-tag"));
	struct span b = http_get(f, SPAN("surrogate-key"));

	if (a.n == 0 || b.n == 0 || arena_room(&s->x->arena) < SMALL_ROOM)
		return a.n > 0 ? a : b;
	return arena_format(&s->x->arena, "%.*s,%.*s", SPAN_ARG(a), SPAN_ARG(b));
}

bool
exchange_cache_describe(struct session *s, const struct http_head *head)
{
	struct exchange *x = s->x;
	struct cache_texts *t = &x->cache->texts;

	t->tags = tags_of(s);
	return cache_vary_make(
		       &head->fields, &x->cache->request.fields, &x->arena, &t->vary) &&
		cache_head_write(head, &x->arena, &t->head);
}

/* The stored response is as good as new: RFC 9111 §4.3.4. */
static void
take_confirmation(struct session *s)
{
	struct exchange *x = s->x;
	struct exchange_cache *c = x->cache;
	const struct cache_answer_times times = times_of(c);
	struct cache_facts facts;
	struct err err = {0};

	if (!cache_freshen(&c->stored, &x->response, &err))
		return;
	x->response.fields = c->stored.fields;
	x->response.status = c->hit.facts.status;
	if (cache_learn(&c->request, &x->response, &c->policy, &times, &facts) &&
		exchange_cache_describe(s, &x->response)) {
		c->texts.facts = facts;
		c->hit.facts = facts;
		(void)cache_store_renew(c->store, &c->hit, &c->texts);
	}
	stat_add(STAT_CACHE_VALIDATED, 1);
}

static bool
stand_in(struct session *s)
{
	struct err err = {0};

	if (!exchange_stored_present(s, &err))
		return false;
	s->x->cache->stands_in = true;
	return true;
}

/* A HEAD says what a GET would bring: RFC 9111 §4.3.5. */
static void
take_head(struct session *s)
{
	struct exchange_cache *c = s->x->cache;
	struct http_head said = s->x->response;
	struct span length = http_get_id(&said.fields, HTTP_NAME_CONTENT_LENGTH);
	uint64_t n = 0;

	if (!c->pinned || said.status != 200)
		return;
	if (!cache_speaks_of(&said, &c->stored) ||
		(body_length_parse(length, &n) && n != c->hit.length)) {
		(void)cache_store_forget(c->store, &c->texts.key);
		return;
	}
	c->request.method = HTTP_GET; /* as which it is stored */
	take_confirmation(s);
	c->request.method = HTTP_HEAD;
	s->x->response = said;
}

static void
begin_storing(struct session *s)
{
	struct exchange *x = s->x;
	struct exchange_cache *c = x->cache;
	const struct cache_answer_times times = times_of(c);
	const struct http_body *body = &x->response.body;

	if (x->response.status == 206) {
		c->storing = c->texts.url.n > 0 && exchange_part_begin(s, &times);
		if (!c->storing)
			cache_store_abandon(c->store, &c->fill);
		return;
	}
	c->storing = c->texts.url.n > 0 && c->request.method != HTTP_HEAD &&
		(body->kind != BODY_LENGTH || body->length <= c->most) &&
		cache_learn(&c->request, &x->response, &c->policy, &times,
			&c->texts.facts) &&
		exchange_cache_describe(s, &x->response);
	if (c->storing) {
		cache_store_begin(&c->fill);
	} else {
		release(c, true);
	}
}

/* A 304 to our own condition that names another tag than ours: it may not be used
 * (RFC 9111 §4.3.4), and the client did not ask for one. Without the condition there is
 * an answer. */
static bool
asks_anew(struct session *s)
{
	struct exchange *x = s->x;
	struct exchange_cache *c = x->cache;
	struct http_head again;
	struct err err = {0};

	if (exchange_is_bound(s) || arena_room(&x->arena) < ROOM / 2 ||
		!http_head_copy(&again, &c->request, &x->arena, &err))
		return false;
	(void)cache_store_forget(c->store, &c->texts.key);
	unpin(c);
	x->request = again;
	c->conditional = false;
	exchange_begin_again(s);
	return true;
}

/* Whether a stored response takes the place of the origin's. */
static bool
bears_error(struct session *s)
{
	struct exchange_cache *c = s->x->cache;

	if (!c->pinned || !cache_is_error(s->x->response.status) ||
		!cache_bears_error(
			&c->hit.facts, &c->asks, &c->policy, clock_wall_ms()) ||
		!stand_in(s))
		return false;
	release(c, false);
	stat_add(STAT_CACHE_STALE, 1);
	return true;
}

/* An answer to our own condition. True: the client has its answer. */
static bool
is_confirmed(struct session *s)
{
	struct exchange_cache *c = s->x->cache;

	if (!cache_speaks_of(&s->x->response, &c->stored))
		return false;
	take_confirmation(s);
	release(c, false);
	return stand_in(s);
}

bool
exchange_cache_response(struct session *s)
{
	struct exchange *x = s->x;
	struct exchange_cache *c = x->cache;

	if (!c)
		return true;
	header_strip(&x->response);
	c->origin_status = x->response.status;
	invalidate(s);
	if (c->conditional && x->response.status == 304 && c->pinned) {
		if (is_confirmed(s))
			return true;
		if (asks_anew(s))
			return false;
	}
	if (bears_error(s))
		return true;
	if (c->request.method == HTTP_HEAD)
		take_head(s);
	unpin(c);
	stat_add(STAT_CACHE_MISSES, 1);
	begin_storing(s);
	exchange_stored_status(s);
	return true;
}

void
exchange_cache_body(struct session *s, struct span octets)
{
	struct exchange_cache *c = s->x->cache;

	if (!c || !c->storing || octets.n == 0)
		return;
	bool fits = octets.n <= c->most && c->fill.n <= c->most - octets.n;
	if (fits && cache_store_add(c->store, &c->fill, octets))
		return;
	cache_store_abandon(c->store, &c->fill);
	c->storing = false;
	release(c, true);
}

bool
exchange_cache_stands_in(const struct exchange *x)
{
	return x->cache && x->cache->stands_in;
}

void
exchange_cache_whole(struct session *s)
{
	struct exchange_cache *c = s->x->cache;

	if (!c || !c->storing)
		return;
	c->storing = false;
	if (!exchange_part_finish(c)) {
		cache_store_abandon(c->store, &c->fill);
	} else if (cache_store_commit(c->store, &c->fill, &c->texts)) {
		stat_add(STAT_CACHE_STORED, 1);
	}
	release(c, false);
	edge_wake(s->wg->edge);
}

struct span
exchange_cache_next(struct exchange *x)
{
	struct exchange_cache *c = x->cache;

	return c && c->pinned && c->stands_in ? cache_store_next(c->store, &c->rest)
					      : (struct span){0};
}

bool
exchange_cache_rescue(struct session *s)
{
	struct exchange_cache *c = s->x->cache;

	if (!c || !c->pinned || s->x->answered ||
		!cache_bears_error(
			&c->hit.facts, &c->asks, &c->policy, clock_wall_ms()))
		return false;
	release(c, false);
	return use_stored(s, true);
}

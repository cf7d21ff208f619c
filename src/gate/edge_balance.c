// SPDX-License-Identifier: Apache-2.0
#include "gate/edge_balance.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/sha256.h"
#include "base/stats.h"
#include "gate/edge.h"
#include "gate/session.h"
#include "gate/worker.h"

enum {
	TOKEN = 100,              /* one retry */
	TOKENS_MOST = 50 * TOKEN, /* saved up */
	CHECK_BYTES = 65536,
	CHECK_ARENA = 16384,
};

/* ---- who can be asked ---- */

static struct edge_origin *
state_of(struct edge *e, const struct site_origin *o)
{
	return &e->origins[o->index];
}

static bool
is_well(const struct edge_origin *o, uint64_t now)
{
	return !o->sick && o->down_until_ms <= now;
}

static bool
has_room(const struct edge_origin *o)
{
	uint64_t limit = o->site->balance.limit;

	return limit == 0 || o->busy < limit;
}

/* Origins in the order of how willingly they are asked: the first class that has one.
 */
enum class { CLASS_WELL, CLASS_SPARE, CLASS_DOWN, CLASSES };

static bool
belongs(const struct edge_origin *o, enum class class, uint64_t now)
{
	bool well = is_well(o, now);

	switch (class) {
	case CLASS_WELL:
		return well && o->settings->weight > 0;
	case CLASS_SPARE:
		return well && o->settings->weight == 0;
	case CLASS_DOWN:
		return !well;
	case CLASSES:
		break;
	}
	must_not_reach("a class");
}

struct choice {
	struct session *s;
	const struct site *site;
	struct edge *e;
	enum class class;
	uint64_t now;
};

static struct edge_origin *
candidate(const struct choice *c, size_t i)
{
	struct edge_origin *o = state_of(c->e, c->site->at[i]);

	return belongs(o, c->class, c->now) && has_room(o) ? o : NULL;
}

static uint64_t
weight_of(const struct edge_origin *o)
{
	return o->settings->weight > 0 ? o->settings->weight : 1;
}

/* ---- how one of them is chosen ---- */

static uint32_t
random_below(uint64_t n)
{
	uint32_t r;

	if (n < 2)
		return 0; /* a call of the kernel less for sites with one origin */
	secret_random(&r, sizeof(r));
	return (uint32_t)(r % n); /* n is a sum of weights: the bias is nothing */
}

static struct edge_origin *
pick_by_weight(const struct choice *c, uint64_t sum)
{
	uint64_t left = random_below(sum);

	for (size_t i = 0; i < c->site->n_origins; i++) {
		struct edge_origin *o = candidate(c, i);
		if (o && left < weight_of(o))
			return o;
		left -= o ? weight_of(o) : 0;
	}
	return NULL;
}

static struct edge_origin *
choose_least(const struct choice *c, uint64_t sum)
{
	struct edge_origin *a = pick_by_weight(c, sum);
	struct edge_origin *b = pick_by_weight(c, sum);

	if (!a || !b)
		return a ? a : b;
	return (uint64_t)(a->busy + 1) * weight_of(b) <=
			(uint64_t)(b->busy + 1) * weight_of(a)
		? a
		: b;
}

/* Smoothly: every one gains its weight, the one that has most pays for all. */
static struct edge_origin *
choose_turn(const struct choice *c, uint64_t sum)
{
	struct edge_origin *best = NULL;

	for (size_t i = 0; i < c->site->n_origins; i++) {
		struct edge_origin *o = candidate(c, i);
		if (!o)
			continue;
		o->turn += (int64_t)weight_of(o); /* at most 1000 */
		if (!best || o->turn > best->turn)
			best = o;
	}
	if (best)
		best->turn -= (int64_t)sum;
	return best;
}

static uint64_t
digest_of(struct span key, const struct site_origin *o, uint32_t copy)
{
	uint8_t out[SHA256_SIZE];
	struct sha256 h;
	uint64_t v = 0;

	sha256_init(&h);
	sha256_add(&h, o->url);
	sha256_add(&h, span_of(&copy, sizeof(copy)));
	sha256_add(&h, key);
	sha256_done(&h, out);
	for (size_t i = 0; i < sizeof(v); i++)
		v = v << 8 | out[i];
	return v;
}

/* As many tries as weight, of which the best counts. */
static uint64_t
score_of(const struct edge_origin *o, struct span key)
{
	uint64_t most = 0;

	for (uint32_t copy = 0; copy < weight_of(o); copy++) {
		uint64_t v = digest_of(key, o->settings, copy);
		most = v > most ? v : most;
	}
	return most;
}

/* Rendezvous hashing: when one leaves, only its own keys move. */
static struct edge_origin *
choose_hashed(const struct choice *c, struct span key)
{
	struct edge_origin *best = NULL;
	uint64_t most = 0;

	for (size_t i = 0; i < c->site->n_origins; i++) {
		struct edge_origin *o = candidate(c, i);
		uint64_t score = o ? score_of(o, key) : 0;
		if (o && (!best || score > most)) {
			best = o;
			most = score;
		}
	}
	return best;
}

static struct edge_origin *
choose_in(const struct choice *c)
{
	const struct session *s = c->s;
	uint64_t sum = 0;

	for (size_t i = 0; i < c->site->n_origins; i++) {
		const struct edge_origin *o = candidate(c, i);
		sum += o ? weight_of(o) : 0;
	}
	if (sum == 0)
		return NULL;
	switch ((enum site_balance_how)c->site->balance.how) {
	case BALANCE_LEAST:
		return choose_least(c, sum);
	case BALANCE_TURNS:
		return choose_turn(c, sum);
	case BALANCE_CLIENT:
		return choose_hashed(c,
			span_of(s->facts.client.ip.bytes,
				sizeof(s->facts.client.ip.bytes)));
	case BALANCE_PATH:
		break;
	}
	return choose_hashed(c, s->x->request.path);
}

const struct site_origin *
edge_choose(struct session *s)
{
	struct choice c = {
		.s = s, .site = s->x->site, .e = s->wg->edge, .now = clock_now()};
	struct edge_origin *o = NULL;

	edge_unload(s->x);
	for (c.class = CLASS_WELL; !o && c.class < CLASSES; c.class ++)
		o = choose_in(&c);
	if (!o)
		return NULL;
	o->busy++;
	s->x->load = o;
	return o->settings;
}

void
edge_unload(struct exchange *x)
{
	if (x->load)
		x->load->busy--;
	x->load = NULL;
}

bool
edge_is_too_long(const struct exchange *x, bool response)
{
	const struct http_body *body = response ? &x->response.body : &x->request.body;
	uint64_t n = response ? x->bytes_response : x->bytes_request;

	if (!x->site)
		return false;
	uint64_t most = response ? x->site->balance.response_bytes
				 : x->site->balance.request_bytes;
	return most > 0 &&
		(n > most || (body->kind == BODY_LENGTH && body->length > most));
}

/* ---- how it went ---- */

static void
leave_alone(struct edge_origin *o, const char *why)
{
	uint64_t down_ms = o->site->balance.down_ms;

	if (o->down_until_ms <= clock_now()) {
		log_warn("edge.origin", "host=%.*s port=%u down_ms=%llu why=%s",
			SPAN_ARG(o->settings->host), o->settings->port,
			(unsigned long long)down_ms, why);
	}
	o->down_until_ms = clock_now() + down_ms;
	o->failures = 0;
}

void
edge_unreachable(struct session *s)
{
	stat_add(STAT_ORIGIN_FAILURES, 1);
	if (s->x->load)
		leave_alone(s->x->load, "unreachable");
}

void
edge_failed(struct session *s)
{
	struct edge_origin *o = s->x->load;

	if (!o)
		return;
	stat_add(STAT_ORIGIN_FAILURES, 1);
	if (++o->failures >= o->site->balance.fails)
		leave_alone(o, "failures");
}

void
edge_answered(struct session *s, unsigned status)
{
	if (status == 502 || status == 503 || status == 504) {
		edge_failed(s);
	} else if (s->x->load) {
		s->x->load->failures = 0;
	}
}

/* Every request earns a part of a retry. */
bool
edge_retry(struct session *s)
{
	struct exchange *x = s->x;
	struct edge *e = s->wg->edge;

	if (!x->site || x->tried >= x->site->balance.retries || e->tokens < TOKEN)
		return false;
	const struct site_origin *before = x->site_origin;
	if (!edge_aim_again(s))
		return false;
	e->tokens -= TOKEN;
	x->tried++;
	stat_add(STAT_ORIGIN_RETRIES, 1);
	log_debug("edge.retry", "from=%.*s:%u to=%.*s:%u", SPAN_ARG(before->host),
		before->port, SPAN_ARG(x->site_origin->host), x->site_origin->port);
	return true;
}

void
edge_earn(struct edge *e, const struct site *site)
{
	e->tokens += (uint32_t)site->balance.budget; /* percent */
	if (e->tokens > TOKENS_MOST)
		e->tokens = TOKENS_MOST;
}

/* ---- health checks ---- */

static void
checked(struct origin_ask *a)
{
	struct edge_origin *o = CONTAINER_OF(a, struct edge_origin, check);
	bool sick = !a->ok || a->response.status != 200;

	if (a->ok && sick) {
		(void)err_set(&a->err, ERR_GATE_FETCH, "the answer is %u",
			a->response.status);
	}

	if (sick != o->sick) {
		log_warn("edge.check", "host=%.*s port=%u well=%s why=\"%s\"",
			SPAN_ARG(o->settings->host), o->settings->port,
			sick ? "no" : "yes", sick ? a->err.text : "");
		if (sick) {
			stat_add(STAT_ORIGINS_DOWN, 1);
		} else {
			stat_sub(STAT_ORIGINS_DOWN, 1);
		}
	}
	o->sick = sick;
	origin_ask_cancel(a);
}

static void
check_now(struct timer *t)
{
	struct edge_origin *o = CONTAINER_OF(t, struct edge_origin, check_at);
	struct worker *w = o->e->w;
	const struct site_balance *b = &o->site->balance;
	struct arena arena;
	struct http_head request;
	struct err err = {0};
	struct origin_ask_for what = {
		.g = o->e->g,
		.site = o->site,
		.origin = o->settings,
		.request = &request,
		.limit = CHECK_BYTES,
		.deadline_ms = clock_now() + b->check_timeout_ms,
	};

	arena_init(&arena, CHECK_ARENA);
	http_request_make(&request, &arena, HTTP_GET,
		arena_format(&arena, "%.*s:%u", SPAN_ARG(o->settings->host),
			o->settings->port),
		b->check_path);
	must(http_add(&request.fields, SPAN("User-Agent"), SPAN("sekisho"), &err));
	stat_add(STAT_ORIGIN_PROBES, 1);
	origin_ask_cancel(&o->check);
	o->check = (struct origin_ask){.done = checked};
	origin_ask_start(&o->check, w, &what);
	arena_fini(&arena);
	timer_set(&w->loop, &o->check_at, clock_now() + b->check_ms);
}

static void
open_origin(struct edge *e, const struct site *site, const struct site_origin *settings)
{
	struct edge_origin *o = state_of(e, settings);

	o->settings = settings;
	o->site = site;
	o->e = e;
	o->check_at.fired = check_now;
	if (site->balance.check_path.n > 0)
		timer_set(&e->w->loop, &o->check_at, clock_now());
}

void
edge_balance_open(struct edge *e)
{
	e->tokens = TOKENS_MOST / 2;
	e->origins = mem_array(e->w->settings->n_origins, sizeof(*e->origins));
	for (const struct conf_item *it = e->g->sites.sites; it; it = it->next) {
		const struct site *site = (const struct site *)(const void *)it;
		for (size_t i = 0; i < site->n_origins; i++)
			open_origin(e, site, site->at[i]);
	}
}

void
edge_balance_close(struct edge *e)
{
	for (size_t i = 0; e->origins && i < e->w->settings->n_origins; i++) {
		struct edge_origin *o = &e->origins[i];
		if (!o->settings)
			continue;
		timer_stop(&e->w->loop, &o->check_at);
		origin_ask_cancel(&o->check);
	}
	mem_free(e->origins);
	e->origins = NULL;
}

// SPDX-License-Identifier: Apache-2.0
#include "keyless/ask_pool.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include "keyless/ask_pool_priv.h"
#include "tls/profile.h"

enum {
	MOST_DEFAULT = 16384,
	TIMEOUT_MS_DEFAULT = 2000,
	UNKNOWN_US = 1000, /* taken for a mean before there is one */
	HEDGE_LEAST_US = 2000,
	HEDGE_UNKNOWN_US = 100000, /* before anything was measured */
	HEDGE_BUDGET = 100,        /* in tenths of an ask */
	SLOW_MOST = 16,            /* late or overtaken in a row: left alone */
	TRIES = 2,
};

/* One asking of one server. */
struct ask_try {
	struct ask ask;
	struct ask_job *job;
	struct tunnel *tunnel;
};

/* What became of one ask of a requester. */
struct ask_job {
	struct ask *outer; /* borrowed */
	struct ask_pool *pool;
	struct list by_age;           /* in pool->jobs, all have the same time */
	struct list idle;             /* in pool->idle while no server has it */
	struct list hedging;          /* in pool->hedging while it may be doubled */
	struct ask_try *tries[TRIES]; /* owned; NULL when over */
	struct tunnel *first;         /* who was asked first; or NULL */
	unsigned begun;               /* tries so far */
	uint64_t due_ms;
	uint64_t hedge_us; /* when to ask another, clock_us() */
	struct err why;    /* of the last try */
};

struct ask_pool {
	struct ask_pool_spec spec;
	struct tunnel *tunnels; /* owned; n_servers */
	struct list jobs;
	struct list idle;
	struct list hedging;
	size_t n;
	unsigned hedge_budget;
	uint64_t chance; /* state of a small generator: which two servers */
	struct timer tick;
	struct hook starting; /* idle jobs get a server, outside of any done() */
	bool closing;
};

struct profile *
ask_pool_profile(struct err *err)
{
	return profile_new(&(struct profile_spec){.role = PROFILE_CLIENT}, err);
}

const struct ask_pool_spec *
ask_pool_settings(const struct ask_pool *p)
{
	return &p->spec;
}

/* ---- which server ---- */

/* xorshift64*: only to spread work. */
static size_t
pick_below(struct ask_pool *p, size_t n)
{
	p->chance ^= p->chance >> 12;
	p->chance ^= p->chance << 25;
	p->chance ^= p->chance >> 27;
	return (size_t)((p->chance * UINT64_C(0x2545F4914F6CDD1D)) >> 33) % n;
}

/* What an ask would wait for. Each time it was overtaken since its last answer counts
 * as if it were eight times slower; a ping's answer forgives. */
static uint64_t
work_before(const struct tunnel *t)
{
	uint64_t mean_us = t->mean_us ? t->mean_us : UNKNOWN_US;

	return (t->link.n + 1) * mean_us * (1 + 8 * (uint64_t)t->slow);
}

/* Power of two choices among those that are up; other than `not`, if there is one. */
static struct tunnel *
pick_tunnel(struct ask_pool *p, const struct tunnel *other_than)
{
	struct tunnel *up[ASK_POOL_SERVERS];
	size_t n = 0;

	for (size_t i = 0; i < p->spec.n_servers; i++) {
		struct tunnel *t = &p->tunnels[i];

		/* cppcheck-suppress nullPointerRedundantCheck ; t is never NULL */
		if (t->state == TUNNEL_UP && t != other_than)
			up[n++] = t;
	}
	if (n == 0)
		return NULL;
	size_t i = pick_below(p, n);
	struct tunnel *a = up[i];
	struct tunnel *b = up[n > 1 ? (i + 1 + pick_below(p, n - 1)) % n : i];
	return work_before(a) <= work_before(b) ? a : b;
}

static bool
is_any_coming(const struct ask_pool *p)
{
	for (size_t i = 0; i < p->spec.n_servers; i++) {
		if (p->tunnels[i].state == TUNNEL_UP ||
			ask_tunnel_is_coming(&p->tunnels[i]))
			return true;
	}
	return false;
}

/* In the words of the server that was tried last. */
static void
say_none_is_up(const struct ask_pool *p, struct err *err)
{
	const struct tunnel *t = &p->tunnels[0];

	for (size_t i = 1; i < p->spec.n_servers; i++) {
		if (p->tunnels[i].lost_ms > t->lost_ms)
			t = &p->tunnels[i];
	}
	(void)err_set(err, ERR_KEYLESS_NO_SERVER, "%s: %s", t->host,
		t->failures > 0 ? t->last.text : "not connected yet");
}

/* ---- the end of a job ---- */

static void
drop_try(struct ask_job *j, size_t i)
{
	if (!j->tries[i])
		return;
	ask_cancel(&j->tries[i]->ask);
	mem_free(j->tries[i]);
	j->tries[i] = NULL;
}

/* Gives the requester its ask back. */
static struct ask *
free_job(struct ask_job *j)
{
	struct ask *a = j->outer;

	for (size_t i = 0; i < TRIES; i++)
		drop_try(j, i);
	list_leave(&j->by_age);
	list_leave(&j->idle);
	list_leave(&j->hedging);
	j->pool->n--;
	a->job = NULL;
	mem_free(j);
	return a;
}

static void
cancelled(struct ask *a)
{
	(void)free_job(a->job);
}

static void
fail_job(struct ask_job *j, const struct err *why)
{
	struct err kept = *why;
	struct ask *a = free_job(j);

	a->ok = false;
	a->answer = (struct span){0};
	a->err = kept;
	a->done(a);
}

/* ---- tries ---- */

static void try_done(struct ask *a);

/* Items a server may not know are left out where the operator said so. */
static struct wire_msg
want_for(const struct tunnel *t, const struct wire_msg *want)
{
	struct wire_msg m = *want;

	if (t->legacy_c && m.op == WIRE_RSA_DECRYPT)
		m.op = WIRE_RSA_RAW_LEGACY;
	if (t->plain_items) {
		m.cert_id = m.function = m.extra = m.trace = m.context =
			(struct span){0};
		m.region = 0;
	}
	return m;
}

static uint64_t
hedge_after(const struct tunnel *t)
{
	if (t->p95_us == 0)
		return HEDGE_UNKNOWN_US;
	return t->p95_us > HEDGE_LEAST_US ? t->p95_us : HEDGE_LEAST_US;
}

static void
set_tick(struct ask_pool *p, uint64_t at_ms)
{
	if (!timer_is_set(&p->tick) || at_ms < p->tick.deadline_ms) {
		timer_stop(p->spec.loop, &p->tick);
		timer_set(p->spec.loop, &p->tick, at_ms);
	}
}

static bool
begin_try(struct ask_job *j, struct tunnel *t, struct err *err)
{
	size_t i = j->tries[0] ? 1 : 0;
	struct ask_try *try = mem_alloc(sizeof(*try));

	must(!j->tries[i]); /* at most TRIES are alive */
	try->job = j;
	try->tunnel = t;
	try->ask.want = want_for(t, &j->outer->want);
	try->ask.done = try_done;
	if (!ask_send(&t->link, &try->ask, err)) {
		mem_free(try);
		return false;
	}
	j->tries[i] = try;
	j->begun++;
	if (!j->first)
		j->first = t;
	return true;
}

static bool
may_hedge(const struct ask_pool *p, const struct ask_job *j)
{
	return !p->spec.no_hedging && p->spec.n_servers > 1 && j->begun == 1;
}

/* Has a server asked, or lets the job wait for one. */
static void
start_job(struct ask_job *j)
{
	struct ask_pool *p = j->pool;
	struct tunnel *t = pick_tunnel(p, j->first);

	if (!t)
		t = pick_tunnel(p, NULL);
	if (t && begin_try(j, t, &j->why)) {
		list_leave(&j->idle);
		if (may_hedge(p, j)) {
			uint64_t after = hedge_after(t);

			j->hedge_us = clock_us() + after;
			list_push(&p->hedging, &j->hedging);
			set_tick(p, clock_now() + after / 1000 + 1);
		}
		return;
	}
	if (!list_joined(&j->idle))
		list_push(&p->idle, &j->idle);
}

/* Jobs without a server get one, or an error when none will come. */
static void
start_idle(struct hook *h)
{
	struct ask_pool *p = CONTAINER_OF(h, struct ask_pool, starting);
	bool hope = is_any_coming(p);
	struct list now;
	struct err none = {0};

	say_none_is_up(p, &none);
	list_init(&now);
	while (!list_empty(&p->idle)) {
		struct list *it = list_first(&p->idle);

		list_leave(it);
		list_push(&now, it);
	}
	while (!list_empty(&now)) {
		struct ask_job *j =
			CONTAINER_OF(list_first(&now), struct ask_job, idle);

		list_leave(&j->idle);
		if (hope) {
			start_job(j);
		} else {
			fail_job(j, j->begun > 0 ? &j->why : &none);
		}
	}
}

/* Whether asking again, elsewhere, can help. */
static bool
is_worth_a_retry(const struct ask *a)
{
	if (a->err.code == ERR_KEYLESS_REFUSED) {
		return a->refusal == WIRE_INTERNAL || a->refusal == WIRE_REMOTE ||
			a->refusal == WIRE_VERSION || a->refusal > WIRE_REMOTE;
	}
	return true;
}

static void
note_slow(struct tunnel *t)
{
	struct err err = {0};

	if (++t->slow < SLOW_MOST || t->state != TUNNEL_UP)
		return;
	(void)err_set(&err, ERR_KEYLESS_LATE, "%u asks in a row were late", t->slow);
	ask_tunnel_give_up(t, &err);
}

static void
succeed(struct ask_job *j, struct span answer)
{
	for (size_t i = 0; i < TRIES; i++) {
		if (j->tries[i])
			note_slow(j->tries[i]->tunnel); /* overtaken */
	}
	struct ask *a = free_job(j);

	a->ok = true;
	a->refusal = WIRE_OK;
	a->answer = answer;
	a->done(a);
}

static void
try_done(struct ask *a)
{
	struct ask_try *try = CONTAINER_OF(a, struct ask_try, ask);
	struct ask_job *j = try->job;
	struct ask_pool *p = j->pool;
	struct err why = a->err;
	struct span answer = a->answer;
	bool ok = a->ok;
	bool again = !ok && is_worth_a_retry(a);
	struct err wrong_version = why;

	j->outer->refusal = a->refusal;
	j->outer->server = try->tunnel->host;
	j->tries[j->tries[0] == try ? 0 : 1] = NULL;
	if (a->err.code == ERR_KEYLESS_LATE && !ok)
		note_slow(try->tunnel);
	if (a->refusal == WIRE_VERSION && !ok)
		ask_tunnel_give_up(try->tunnel, &wrong_version);
	mem_free(try);
	if (ok) {
		succeed(j, answer);
		return;
	}
	j->why = why;
	if (again && (j->tries[0] || j->tries[1]))
		return; /* the other one may still answer */
	if (again && j->begun < TRIES && clock_now() < j->due_ms && !p->closing) {
		list_leave(&j->hedging);
		list_push(&p->idle, &j->idle);
		loop_soon(p->spec.loop, &p->starting);
		return;
	}
	fail_job(j, &why);
}

/* ---- time ---- */

static void
hedge(struct ask_job *j)
{
	struct ask_pool *p = j->pool;
	struct tunnel *t = pick_tunnel(p, j->first);
	struct err err = {0};

	if (!t || p->hedge_budget < 10 || !j->tries[0] || j->tries[1])
		return;
	if (!begin_try(j, t, &err))
		return;
	p->hedge_budget -= 10;
	t->hedges++;
}

static void
hedge_those_due(struct ask_pool *p)
{
	uint64_t now = clock_us();

	while (!list_empty(&p->hedging)) {
		struct ask_job *j =
			CONTAINER_OF(list_first(&p->hedging), struct ask_job, hedging);

		if (j->hedge_us > now) {
			set_tick(p, clock_now() + (j->hedge_us - now) / 1000 + 1);
			return;
		}
		list_leave(&j->hedging);
		hedge(j);
	}
}

static void
tick(struct timer *t)
{
	struct ask_pool *p = CONTAINER_OF(t, struct ask_pool, tick);

	hedge_those_due(p);
	while (!list_empty(&p->jobs)) {
		struct ask_job *j =
			CONTAINER_OF(list_first(&p->jobs), struct ask_job, by_age);
		struct err err = {0};

		if (j->due_ms > clock_now()) {
			set_tick(p, j->due_ms);
			return;
		}
		for (size_t i = 0; i < TRIES; i++) {
			if (j->tries[i])
				note_slow(j->tries[i]->tunnel);
		}
		(void)err_set(&err, ERR_KEYLESS_LATE, "no answer within %u ms",
			p->spec.timeout_ms);
		fail_job(j, &err);
	}
}

/* ---- told by tunnels ---- */

void
ask_pool_tunnel_up(struct ask_pool *p)
{
	loop_soon(p->spec.loop, &p->starting);
}

void
ask_pool_tunnel_lost(struct ask_pool *p)
{
	if (!p->closing)
		loop_soon(p->spec.loop, &p->starting);
}

/* ---- the pool ---- */

struct ask_pool *
ask_pool_new(const struct ask_pool_spec *spec)
{
	struct ask_pool *p = mem_alloc(sizeof(*p));

	must(spec->n_servers > 0 && spec->n_servers <= ASK_POOL_SERVERS);
	p->spec = *spec;
	if (p->spec.most == 0)
		p->spec.most = MOST_DEFAULT;
	if (p->spec.timeout_ms == 0)
		p->spec.timeout_ms = TIMEOUT_MS_DEFAULT;
	p->hedge_budget = HEDGE_BUDGET;
	p->tick.fired = tick;
	p->starting.run = start_idle;
	secret_random(&p->chance, sizeof(p->chance));
	p->chance |= 1;
	list_init(&p->jobs);
	list_init(&p->idle);
	list_init(&p->hedging);
	list_init(&p->starting.in);
	p->tunnels = mem_array(spec->n_servers, sizeof(*p->tunnels));
	for (size_t i = 0; i < spec->n_servers; i++)
		ask_tunnel_init(&p->tunnels[i], p, &spec->servers[i]);
	for (size_t i = 0; i < spec->n_servers; i++)
		ask_tunnel_connect(&p->tunnels[i]);
	p->spec.servers = NULL;
	return p;
}

void
ask_pool_free(struct ask_pool *p)
{
	struct err err = {0};

	if (!p)
		return;
	p->closing = true;
	(void)err_set(&err, ERR_KEYLESS_BROKEN, "the pool is closed");
	while (!list_empty(&p->jobs)) {
		fail_job(CONTAINER_OF(list_first(&p->jobs), struct ask_job, by_age),
			&err);
	}
	for (size_t i = 0; i < p->spec.n_servers; i++)
		ask_tunnel_fini(&p->tunnels[i]);
	loop_unhook(&p->starting);
	timer_stop(p->spec.loop, &p->tick);
	mem_free(p->tunnels);
	mem_free(p);
}

bool
ask_pool_send(struct ask_pool *p, struct ask *a, struct err *err)
{
	must(!a->link && !a->job && a->done); /* one ask waits in one place */
	if (p->closing || p->n >= p->spec.most) {
		return err_set(
			err, ERR_KEYLESS_BUSY, "%zu operations wait already", p->n);
	}
	if (wire_size(&a->want, true) == 0) {
		return err_set(err, ERR_KEYLESS_WIRE,
			"a payload of %zu octets is too long", a->want.payload.n);
	}
	if (!is_any_coming(p)) {
		say_none_is_up(p, err);
		return false;
	}

	struct ask_job *j = mem_alloc(sizeof(*j));

	j->outer = a;
	j->pool = p;
	j->due_ms = clock_now() + p->spec.timeout_ms;
	say_none_is_up(p, &j->why);
	list_init(&j->idle);
	list_init(&j->hedging);
	list_push(&p->jobs, &j->by_age);
	p->n++;
	a->job = j;
	a->cancelled = cancelled;
	if (p->hedge_budget < HEDGE_BUDGET)
		p->hedge_budget++;
	set_tick(p, j->due_ms);
	start_job(j);
	return true;
}

size_t
ask_pool_count(const struct ask_pool *p)
{
	return p->spec.n_servers;
}

void
ask_pool_look(const struct ask_pool *p, size_t i, struct ask_server_view *out)
{
	const struct tunnel *t = &p->tunnels[i];

	must(i < p->spec.n_servers);
	*out = (struct ask_server_view){.host = t->host,
		.port = t->port,
		.state = ASK_SERVER_COMING,
		.p95_us = t->p95_us,
		.answers = t->answers,
		.failures = t->failures,
		.hedges = t->hedges,
		.last = t->last};
	if (t->state == TUNNEL_DOWN)
		out->state = ASK_SERVER_DOWN;
	if (t->state == TUNNEL_UP) {
		out->state = ASK_SERVER_UP;
		out->waiting = t->link.n;
	}
}

// SPDX-License-Identifier: Apache-2.0
#include "gate/evidence.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/sha256.h"
#include "base/stats.h"
#include "base/text.h"
#include "gate/settings.h"
#include "pki/revoke.h"

enum {
	KEY = SHA256_SIZE + 4, /* what is fetched, and by which gateway */
	TRIED_BYTES = 512 * 1024,
	FETCH_MS = 30000,      /* a fetch nobody waits for any more ends then */
	RETRY_MS = 120 * 1000, /* what failed is not asked for earlier */
	RETRY_HARD_MS = 10 * 1000,
	REPEAT_MS = 60 * 1000,         /* nor what brought nothing new */
	ANSWER_MOST = REVOKE_OCSP_MAX, /* issuers are not larger either */
	SHELF_S = 7 * 86400,           /* what lies longer is of no use to anybody */
};

enum kind { KIND_ISSUERS, KIND_OCSP, KIND_CRL };

/* What differs between the three. */
static const struct {
	const char *name;
	const char *accept;
} kinds[] = {
	[KIND_ISSUERS] = {"issuers", "application/pkix-cert, application/pkcs7-mime"},
	[KIND_OCSP] = {"ocsp", "application/ocsp-response"},
	[KIND_CRL] = {"crl", "application/pkix-crl"},
};

/* Something to fetch; all borrowed. */
struct piece {
	enum kind kind;
	const struct gateway *g;
	struct span url;
	struct cert *cert; /* OCSP and CRL: whom it is about, and by whom */
	struct cert *issuer;
	struct span post; /* OCSP: the request */
	bool urgent;
};

struct job {
	struct map_item by_key;
	struct corpse corpse;
	struct list links; /* of those who wait */
	struct evidence *e;
	const struct gateway *g;
	enum kind kind;
	uint64_t began_ms;
	struct cert *cert; /* held */
	struct cert *issuer;
	struct fetch fetch;
	uint8_t key[KEY];
	char url[FETCH_URL + 1];
};

struct tried {
	struct lru_item item;
	uint64_t until_ms;
	uint8_t key[KEY];
};

/* ---- what was tried */

static void
forget_tried(struct lru_item *item)
{
	mem_free(CONTAINER_OF(item, struct tried, item));
}

static bool
was_tried(struct evidence *e, const uint8_t key[KEY])
{
	struct lru_item *item = lru_get(&e->tried, span_of(key, KEY));
	return item && CONTAINER_OF(item, struct tried, item)->until_ms > clock_now();
}

static void
note_tried(struct evidence *e, const uint8_t key[KEY], uint64_t for_ms)
{
	struct lru_item *item = lru_get(&e->tried, span_of(key, KEY));
	struct tried *t = item ? CONTAINER_OF(item, struct tried, item) : NULL;

	if (!t) {
		t = mem_alloc(sizeof(*t));
		memcpy(t->key, key, KEY);
		lru_add(&e->tried, &t->item, span_of(t->key, KEY), sizeof(*t));
	}
	t->until_ms = clock_now() + for_ms;
}

static void
make_key(const struct piece *p, uint8_t key[KEY])
{
	struct sha256 h;
	const uint8_t kind = (uint8_t)p->kind; /* one of three */
	struct write w = write_to(key + SHA256_SIZE, KEY - SHA256_SIZE);

	sha256_init(&h);
	sha256_add(&h, span_of(&kind, 1));
	sha256_add(&h, p->url);
	sha256_add(&h, span_of("", 1));
	sha256_add(&h, p->post);
	sha256_done(&h, key);
	write_be(&w, (uint32_t)p->g->index, 4); /* gateways are few */
}

/* What is fetched is the same for every gateway; who may fetch it is not. */
static struct span
shelf_key(const uint8_t key[KEY])
{
	return span_of(key, SHA256_SIZE);
}

/* ---- taking what came */

static bool
take_issuers(const struct gateway *g, struct span octets, struct err *err)
{
	struct chain chain = {0};

	if (!chain_add_issuers(&chain, octets, err)) {
		chain_fini(&chain);
		return false;
	}
	for (size_t i = 0; i < chain.n; i++)
		trust_learn(g->trust, chain.der[i]);
	chain_fini(&chain);
	return true;
}

static bool
take_ocsp(
	struct evidence *e, const struct piece *p, struct span octets, struct err *err)
{
	if (revoke_add_ocsp(e->revoke, octets, p->cert, p->issuer, err) !=
		REVOKE_UNKNOWN)
		return true;
	return err->code == ERR_NONE ? err_set(err, ERR_PKI_OCSP, "it tells nothing")
				     : false;
}

static bool
take(struct evidence *e, const struct piece *p, struct span octets, struct err *err)
{
	switch (p->kind) {
	case KIND_ISSUERS:
		return take_issuers(p->g, octets, err);
	case KIND_OCSP:
		return take_ocsp(e, p, octets, err);
	case KIND_CRL:
		break;
	}
	return revoke_add_crl_of(e->revoke, octets, p->issuer, err) &&
		(revoke_age(e->revoke, p->cert, p->issuer, clock_wall()) !=
				REVOKE_NOTHING ||
			err_set(err, ERR_PKI_CRL,
				"it is not current, or not of this certificate"));
}

static size_t
most_octets(const struct piece *p)
{
	return p->kind == KIND_CRL ? (size_t)p->g->upstream.fetch_most : ANSWER_MOST;
}

/* Another worker may have fetched it. True when that is of use. */
static bool
take_from_shelf(struct evidence *e, const struct piece *p, const uint8_t key[KEY])
{
	struct span octets = {0};
	struct err ignored = {0};

	if (!shelf_get(&e->shelf, shelf_key(key), most_octets(p), &octets))
		return false;
	bool ok = take(e, p, octets, &ignored);
	mem_free((void *)(uintptr_t)octets.p);
	if (ok && p->kind != KIND_ISSUERS) {
		enum revoke_age age =
			revoke_age(e->revoke, p->cert, p->issuer, clock_wall());
		ok = age == REVOKE_YOUNG || (p->urgent && age == REVOKE_OLD);
	}
	if (ok)
		stat_add(STAT_FETCHES_SHELVED, 1);
	return ok;
}

/* ---- fetching */

/* Where nobody gets through without the answer, a lost packet must not cost minutes. */
static uint64_t
retry_ms(const struct gateway *g)
{
	return g->upstream.revocation == TRUST_REVOCATION_HARD ? RETRY_HARD_MS
							       : RETRY_MS;
}

static struct piece
piece_of(const struct job *job)
{
	return (struct piece){.kind = job->kind,
		.g = job->g,
		.url = span_str(job->url),
		.cert = job->cert,
		.issuer = job->issuer};
}

static void
bury_job(struct corpse *c)
{
	struct job *job = CONTAINER_OF(c, struct job, corpse);
	cert_put(job->cert);
	cert_put(job->issuer);
	mem_free(job);
}

/* From a list of its own: done() may begin other fetches. */
static void
tell_links(struct job *job)
{
	struct list told;

	list_init(&told);
	while (!list_empty(&job->links)) {
		struct list *first = list_first(&job->links);
		list_leave(first);
		list_push(&told, first);
	}
	while (!list_empty(&told)) {
		struct evidence_link *link =
			CONTAINER_OF(list_first(&told), struct evidence_link, in_job);
		struct evidence_wait *wait = link->wait;
		list_leave(&link->in_job);
		if (--wait->pending > 0)
			continue;
		timer_stop(wait->e->place.loop, &wait->timer);
		wait->done(wait);
	}
}

static void
drop_job(struct job *job)
{
	map_remove(&job->e->jobs, &job->by_key);
	fetch_cancel(&job->fetch);
	loop_bury(job->e->place.loop, &job->corpse);
}

static void
fetched(struct fetch *f)
{
	struct job *job = CONTAINER_OF(f, struct job, fetch);
	struct evidence *e = job->e;
	struct span octets = buf_peek(&f->body);
	const struct piece p = piece_of(job);
	struct err err = f->err;
	bool ok = f->ok && take(e, &p, octets, &err);

	stat_add(ok ? STAT_FETCHES : STAT_FETCH_FAILURES, 1);
	note_tried(e, job->key, ok ? REPEAT_MS : retry_ms(job->g));
	if (ok) {
		shelf_put(
			&e->shelf, shelf_key(job->key), octets, clock_wall() + SHELF_S);
	} else {
		log_info("evidence.fetch", "kind=%s url=%s code=%s reason=\"%s\"",
			kinds[job->kind].name, job->url, err_id(err.code), err.text);
	}
	drop_job(job);
	tell_links(job);
}

static bool
may_fetch(struct fetch *f, const struct addr *to, struct err *err)
{
	const struct job *job = CONTAINER_OF(f, struct job, fetch);
	return gateway_fetch_allowed(job->g, job->e->settings, to, err);
}

static struct job *
start_job(struct evidence *e, const struct piece *p, const uint8_t key[KEY])
{
	struct job *job = mem_alloc(sizeof(*job));
	const struct fetch_ask ask = {
		.url = p->url,
		.post = p->post,
		.type = "application/ocsp-request",
		.accept = kinds[p->kind].accept,
		.limit = most_octets(p),
		.deadline_ms = clock_now() + FETCH_MS,
	};
	job->e = e;
	job->g = p->g;
	job->kind = p->kind;
	job->began_ms = clock_now();
	job->cert = p->cert ? cert_get(p->cert) : NULL;
	job->issuer = p->issuer ? cert_get(p->issuer) : NULL;
	job->corpse.bury = bury_job;
	job->fetch.done = fetched;
	job->fetch.allowed = may_fetch;
	memcpy(job->key, key, KEY);
	(void)!span_copy(job->url, sizeof(job->url), p->url); /* checked before */
	list_init(&job->links);
	map_add(&e->jobs, &job->by_key, span_of(job->key, KEY));
	fetch_start(&job->fetch, &e->place, &ask);
	return job;
}

static struct job *
find_job(const struct evidence *e, const uint8_t key[KEY])
{
	struct map_item *item = map_get(&e->jobs, span_of(key, KEY));
	return item ? CONTAINER_OF(item, struct job, by_key) : NULL;
}

/* ---- who waits */

static void
waited_too_long(struct timer *t)
{
	struct evidence_wait *wait = CONTAINER_OF(t, struct evidence_wait, timer);

	wait->late = true;
	evidence_cancel(wait);
	wait->done(wait);
}

/* Whoever is as late as the deadline of those before is not waited for again. */
static bool
is_worth_waiting(const struct job *job, const struct evidence_wait *wait)
{
	return !wait->late && wait->pending < EVIDENCE_LINKS &&
		clock_now() - job->began_ms < job->g->upstream.fetch_ms;
}

static void
wait_for(struct job *job, struct evidence_wait *wait)
{
	struct evidence *e = job->e;
	struct evidence_link *link = &wait->links[wait->pending++];

	link->wait = wait;
	list_push(&job->links, &link->in_job);
	wait->e = e;
	wait->fetched++;
	if (wait->deadline_ms == 0)
		wait->deadline_ms = clock_now() + job->g->upstream.fetch_ms;
	wait->timer.fired = waited_too_long;
	timer_set(e->place.loop, &wait->timer, wait->deadline_ms);
}

void
evidence_cancel(struct evidence_wait *wait)
{
	if (!wait->e)
		return;
	for (size_t i = 0; i < EVIDENCE_LINKS; i++)
		list_leave(&wait->links[i].in_job);
	wait->pending = 0;
	timer_stop(wait->e->place.loop, &wait->timer);
}

/* ---- what is missing */

/* What one way to learn a piece came to. */
enum outcome {
	OUTCOME_USELESS, /* tried not long ago: another way, if there is one */
	OUTCOME_AGAIN,
	OUTCOME_UNDER_WAY,
};

static enum outcome
pursue(struct evidence *e, const struct piece *p, struct evidence_wait *wait)
{
	uint8_t key[KEY];

	if (p->url.n > FETCH_URL || span_chr(p->url, 0) < p->url.n)
		return OUTCOME_USELESS;
	make_key(p, key);
	struct job *job = find_job(e, key);
	if (!job) {
		if (was_tried(e, key))
			return OUTCOME_USELESS;
		if (take_from_shelf(e, p, key)) {
			note_tried(e, key, REPEAT_MS);
			return OUTCOME_AGAIN;
		}
		/* Anybody can have issuers fetched; what proves something keeps its
		 * half. */
		size_t most =
			p->kind == KIND_ISSUERS ? EVIDENCE_JOBS / 2 : EVIDENCE_JOBS;
		if (e->jobs.n >= most)
			return OUTCOME_USELESS;
		job = start_job(e, p, key);
	}
	if (p->urgent && is_worth_waiting(job, wait))
		wait_for(job, wait);
	return OUTCOME_UNDER_WAY;
}

/*
 * Where the issuer of a path's last certificate can be had; empty: nothing is missing.
 * An intermediate that has ended may have a successor where its own issuer is told.
 */
static struct span
missing_issuer(const struct verdict *v)
{
	if (v->n_path == 0)
		return (struct span){0};
	if (v->faults & (1u << VERDICT_INCOMPLETE))
		return v->path[v->n_path - 1]->ca_issuers;
	if ((v->class == VERDICT_EXPIRED || v->class == VERDICT_NOT_YET) && v->at > 0 &&
		(size_t)v->at < v->n_path)
		return v->path[v->at - 1]->ca_issuers;
	return (struct span){0};
}

/* Revocation is asked only below a root that is trusted: anybody can write addresses
 * into a certificate. */
static bool
is_proven(const struct verdict *v)
{
	const uint32_t unproven = 1u << VERDICT_UNKNOWN_ISSUER |
		1u << VERDICT_SELF_SIGNED | 1u << VERDICT_INCOMPLETE |
		1u << VERDICT_MALFORMED | 1u << VERDICT_BAD_SIGNATURE |
		1u << VERDICT_TOO_COMPLEX | 1u << VERDICT_BLOCKED |
		1u << VERDICT_OWN_AUTHORITY;

	return v->n_path >= 2 && (v->faults & unproven) == 0;
}

static enum outcome
pursue_way(struct evidence *e, const struct evidence_ask *ask,
	const struct revoke_want *want, size_t i, struct evidence_wait *wait)
{
	bool ocsp = want->ways[i].how == REVOKE_BY_OCSP;
	struct err ignored = {0};
	struct piece p = {
		.kind = ocsp ? KIND_OCSP : KIND_CRL,
		.g = ask->g,
		.url = want->ways[i].url,
		.cert = want->cert,
		.issuer = want->issuer,
		.urgent = want->urgent,
	};
	if (ocsp && !revoke_ocsp_request(want->cert, want->issuer, &p.post, &ignored))
		return OUTCOME_USELESS;
	enum outcome outcome = pursue(e, &p, wait);
	mem_free((void *)(uintptr_t)p.post.p);
	return outcome;
}

/* True when the shelf had something. */
static bool
pursue_revocation(
	struct evidence *e, const struct evidence_ask *ask, struct evidence_wait *wait)
{
	struct revoke_want wants[EVIDENCE_LINKS];
	size_t n = revoke_wants(ask->trust, ask->verdict, wants, COUNT_OF(wants));
	bool again = false;

	for (size_t i = 0; i < n; i++) {
		enum outcome outcome = OUTCOME_USELESS;
		for (size_t k = 0; k < wants[i].n && outcome == OUTCOME_USELESS; k++)
			outcome = pursue_way(e, ask, &wants[i], k, wait);
		again = again || (outcome == OUTCOME_AGAIN && wants[i].urgent);
	}
	return again;
}

enum evidence_turn
evidence_gather(
	struct evidence *e, const struct evidence_ask *ask, struct evidence_wait *wait)
{
	const struct piece issuers = {
		.kind = KIND_ISSUERS,
		.g = ask->g,
		.url = missing_issuer(ask->verdict),
		.urgent = true,
	};
	bool again = false;

	must(wait->pending == 0);
	if (!ask->g->upstream.fetch)
		return EVIDENCE_NOTHING;
	if (issuers.url.n > 0) {
		again = pursue(e, &issuers, wait) == OUTCOME_AGAIN;
	} else if (is_proven(ask->verdict)) {
		again = pursue_revocation(e, ask, wait);
	}
	if (wait->pending > 0)
		return EVIDENCE_WAIT;
	return again ? EVIDENCE_AGAIN : EVIDENCE_NOTHING;
}

/* ---- life */

void
evidence_init(struct evidence *e, const struct fetch_place *at,
	const struct settings *settings, uint64_t budget)
{
	*e = (struct evidence){.place = *at, .settings = settings};
	e->revoke = revoke_new((size_t)budget);
	shelf_init(&e->shelf);
	map_init(&e->jobs);
	lru_init(&e->tried, TRIED_BYTES, forget_tried);
}

void
evidence_open_shelf(struct evidence *e, const char *dir, uint64_t budget)
{
	struct err err = {0};

	if (!shelf_open(&e->shelf, dir, budget, &err)) {
		log_info("evidence.shelf", "code=%s reason=\"%s\"", err_id(err.code),
			err.text);
	}
}

void
evidence_fini(struct evidence *e)
{
	struct map_item *it;

	if (!e->revoke) /* never begun */
		return;
	while ((it = map_next(&e->jobs, NULL)) != NULL)
		drop_job(CONTAINER_OF(it, struct job, by_key));
	map_fini(&e->jobs);
	lru_fini(&e->tried);
	shelf_close(&e->shelf);
	revoke_free(e->revoke);
	e->revoke = NULL;
}

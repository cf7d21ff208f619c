// SPDX-License-Identifier: Apache-2.0
/*
 * evidence_job: one piece of evidence on its way.
 *
 *	             ┌────────── not there, not of use ─────────┐
 *	 JOB_LIFTING ┴─▶ JOB_READING ─▶ told                     ▼
 *	 (the shelf)        ▲    └────▶ told, JOB_KEEPING   JOB_FETCHING
 *	                    └──────────────── a list ───────────┘
 *
 * Issuers and OCSP answers are short: they are taken in the turn in which they come.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/text.h"
#include "gate/evidence_priv.h"
#include "gate/settings.h"

enum {
	FETCH_MS = 30000,      /* a fetch nobody waits for any more ends then */
	RETRY_MS = 120 * 1000, /* what failed is not asked for earlier */
	RETRY_HARD_MS = 10 * 1000,
	REPEAT_MS = 60 * 1000,         /* nor what brought nothing new */
	ANSWER_MOST = REVOKE_OCSP_MAX, /* issuers are not larger either */
	SHELF_S = 7 * 86400,           /* what lies longer is of no use to anybody */
	GET_MOST = 255,                /* octets of an address (RFC 5019 §5) */
	STEP = 64 * 1024,              /* octets of a list that a turn moves */
};

/* What differs between the three. */
static const struct {
	const char *name;
	const char *accept;
} kinds[] = {
	[EVIDENCE_ISSUERS] = {"issuers",
		"application/pkix-cert, application/pkcs7-mime"},
	[EVIDENCE_OCSP] = {"ocsp", "application/ocsp-response"},
	[EVIDENCE_CRL] = {"crl", "application/pkix-crl"},
};

struct tried {
	struct lru_item item;
	uint64_t until_ms;
	uint8_t key[EVIDENCE_KEY];
};

/* ---- what was tried */

void
job_forget_tried(struct lru_item *item)
{
	mem_free(CONTAINER_OF(item, struct tried, item));
}

bool
piece_was_tried(struct evidence *e, const uint8_t key[EVIDENCE_KEY])
{
	struct lru_item *item = lru_get(&e->tried, span_of(key, EVIDENCE_KEY));
	return item && CONTAINER_OF(item, struct tried, item)->until_ms > clock_now();
}

static void
note_tried(struct evidence *e, const uint8_t key[EVIDENCE_KEY], uint64_t for_ms)
{
	struct lru_item *item = lru_get(&e->tried, span_of(key, EVIDENCE_KEY));
	struct tried *t = item ? CONTAINER_OF(item, struct tried, item) : NULL;

	if (!t) {
		t = mem_alloc(sizeof(*t));
		memcpy(t->key, key, EVIDENCE_KEY);
		lru_add(&e->tried, &t->item, span_of(t->key, EVIDENCE_KEY), sizeof(*t));
	}
	t->until_ms = clock_now() + for_ms;
}

void
piece_key(const struct piece *p, uint8_t key[EVIDENCE_KEY])
{
	struct sha256 h;
	const uint8_t kind = (uint8_t)p->kind; /* one of three */
	struct write w = write_to(key + SHA256_SIZE, EVIDENCE_KEY - SHA256_SIZE);

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
shelf_key(const uint8_t key[EVIDENCE_KEY])
{
	return span_of(key, SHA256_SIZE);
}

/* ---- taking what came */

/* Sites may have roots of their own, and the same origins. */
static void
learn(const struct gateway *g, struct span der)
{
	trust_learn(g->trust, der);
	for (const struct conf_item *it = g->sites.sites; it; it = it->next) {
		const struct site *site = (const struct site *)(const void *)it;
		if (site->balance.trust)
			trust_learn(site->balance.trust, der);
	}
}

static bool
take_issuers(const struct gateway *g, struct span octets, struct err *err)
{
	struct chain chain = {0};

	if (!chain_add_issuers(&chain, octets, err)) {
		chain_fini(&chain);
		return false;
	}
	for (size_t i = 0; i < chain.n; i++)
		learn(g, chain.der[i]);
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
	return p->kind == EVIDENCE_ISSUERS ? take_issuers(p->g, octets, err)
					   : take_ocsp(e, p, octets, err);
}

static enum revoke_age
age_of(struct evidence *e, const struct piece *p)
{
	return revoke_age(e->revoke, p->cert, p->issuer, clock_wall());
}

/* Who has to wait is content with what is old; it is fetched anew soon enough. */
static bool
is_young_enough(struct evidence *e, const struct piece *p)
{
	enum revoke_age age = age_of(e, p);
	return age == REVOKE_YOUNG || (p->urgent && age == REVOKE_OLD);
}

bool
piece_take_shelved(
	struct evidence *e, const struct piece *p, const uint8_t key[EVIDENCE_KEY])
{
	struct span octets = {0};
	struct err ignored = {0};

	if (p->kind == EVIDENCE_CRL ||
		!shelf_get(&e->shelf, shelf_key(key), ANSWER_MOST, &octets))
		return false;
	bool ok = take(e, p, octets, &ignored);
	mem_free((void *)(uintptr_t)octets.p);
	if (ok && p->kind == EVIDENCE_OCSP)
		ok = is_young_enough(e, p);
	if (!ok)
		return false;
	note_tried(e, key, REPEAT_MS);
	stat_add(STAT_FETCHES_SHELVED, 1);
	return true;
}

/* ---- the end of a job */

static struct piece
piece_of(const struct job *job)
{
	return (struct piece){.kind = job->kind,
		.g = job->g,
		.url = span_str(job->url),
		.cert = job->cert,
		.issuer = job->issuer,
		.urgent = job->urgent};
}

static void
bury_job(struct corpse *c)
{
	struct job *job = CONTAINER_OF(c, struct job, corpse);
	cert_put(job->cert);
	cert_put(job->issuer);
	mem_free((void *)(uintptr_t)job->post.p);
	mem_free(job);
}

/* Octets and what was made of them so far. */
static void
let_go(struct job *job)
{
	revoke_reading_free(job->reading);
	job->reading = NULL;
	shelf_read_end(&job->shelf_in);
	mem_free((void *)(uintptr_t)job->lifted.p);
	job->lifted = (struct span){0};
}

void
job_drop(struct job *job)
{
	map_remove(&job->e->jobs, &job->by_key);
	loop_unhook(&job->step);
	let_go(job);
	shelf_write_end(&job->shelf_out);
	fetch_cancel(&job->fetch);
	loop_bury(job->e->place.loop, &job->corpse);
}

/* Where nobody gets through without the answer, a lost packet must not cost minutes. */
static uint64_t
retry_ms(const struct gateway *g)
{
	return g->upstream.revocation == TRUST_REVOCATION_HARD ? RETRY_HARD_MS
							       : RETRY_MS;
}

static void
note_end(struct job *job, bool ok, const struct err *err)
{
	stat_add(ok ? STAT_FETCHES : STAT_FETCH_FAILURES, 1);
	note_tried(job->e, job->key, ok ? REPEAT_MS : retry_ms(job->g));
	if (!ok) {
		log_info("evidence.fetch", "kind=%s url=%s code=%s reason=\"%s\"",
			kinds[job->kind].name, job->url, err_id(err->code), err->text);
	}
}

/* Nothing of it is needed any more. */
static void
end_job(struct job *job, bool ok)
{
	job_drop(job);
	evidence_tell(job, ok);
}

/* ---- fetching */

static void start_fetch(struct job *job);
static void start_reading(struct job *job, struct span octets);

static size_t
most_octets(const struct job *job)
{
	return job->kind == EVIDENCE_CRL ? (size_t)job->g->upstream.fetch_most
					 : ANSWER_MOST;
}

/* Some responders know one way of asking only. */
static bool
may_post(const struct job *job)
{
	return job->by_get && job->fetch.reached &&
		clock_now() - job->began_ms < FETCH_MS;
}

/* An issuer, or an answer. */
static void
take_fetched(struct job *job)
{
	struct span octets = buf_peek(&job->fetch.body);
	const struct piece p = piece_of(job);
	struct err err = job->fetch.err;
	bool ok = job->fetch.ok && take(job->e, &p, octets, &err);

	if (!ok && may_post(job)) {
		job->by_get = false;
		fetch_cancel(&job->fetch);
		start_fetch(job);
		return;
	}
	note_end(job, ok, &err);
	if (ok) {
		shelf_put(&job->e->shelf, shelf_key(job->key), octets,
			clock_wall() + SHELF_S);
	}
	end_job(job, ok);
}

static void
fetched(struct fetch *f)
{
	struct job *job = CONTAINER_OF(f, struct job, fetch);

	if (job->kind != EVIDENCE_CRL || !f->ok) {
		take_fetched(job);
	} else {
		start_reading(job, buf_peek(&f->body));
	}
}

static bool
may_fetch(struct fetch *f, const struct addr *to, struct err *err)
{
	const struct job *job = CONTAINER_OF(f, struct job, fetch);
	return gateway_fetch_allowed(job->g, job->e->settings, to, err);
}

/* Each way of asking has its own time, so that one that hangs leaves some. */
static void
start_fetch(struct job *job)
{
	char by_get[GET_MOST + 1];
	struct text t = text_to(by_get, sizeof(by_get));
	struct fetch_ask ask = {
		.url = span_str(job->url),
		.post = job->post,
		.type = "application/ocsp-request",
		.accept = kinds[job->kind].accept,
		.limit = most_octets(job),
		.deadline_ms = job->began_ms + FETCH_MS,
	};

	job->by_get = job->by_get && job->kind == EVIDENCE_OCSP &&
		revoke_ocsp_url(ask.url, job->post, &t);
	if (job->by_get) {
		ask.url = text_span(&t);
		ask.post = (struct span){0};
	}
	job->phase = JOB_FETCHING;
	job->from_shelf = false;
	fetch_start(&job->fetch, &job->e->place, &ask);
}

/* ---- lists, a step a turn */

static void
go_on(struct job *job)
{
	loop_soon(job->e->place.loop, &job->step);
}

static void
fetch_instead(struct job *job)
{
	let_go(job);
	job->began_ms = clock_now();
	evidence_count_fetched(job);
	start_fetch(job);
}

static void
start_keeping(struct job *job)
{
	struct span octets = buf_peek(&job->fetch.body);

	job->phase = JOB_KEEPING;
	if (shelf_write_begin(&job->shelf_out, &job->e->shelf, shelf_key(job->key),
		    octets, clock_wall() + SHELF_S)) {
		go_on(job);
	} else {
		job_drop(job);
	}
}

static void
end_reading(struct job *job, bool ok, struct err *err)
{
	const struct piece p = piece_of(job);

	if (ok && age_of(job->e, &p) == REVOKE_NOTHING) {
		ok = err_set(err, ERR_PKI_CRL,
			"it is not current, or not of this certificate");
	}
	if (job->from_shelf) {
		if (!ok || !is_young_enough(job->e, &p)) {
			fetch_instead(job);
			return;
		}
		note_tried(job->e, job->key, REPEAT_MS);
		stat_add(STAT_FETCHES_SHELVED, 1);
		end_job(job, true);
		return;
	}
	note_end(job, ok, err);
	if (!ok) {
		end_job(job, false);
		return;
	}
	let_go(job);
	evidence_tell(job, true);
	start_keeping(job);
}

static void
start_reading(struct job *job, struct span octets)
{
	struct err err = {0};

	job->phase = JOB_READING;
	job->reading = revoke_reading_new(octets, job->issuer, &err);
	if (job->reading) {
		go_on(job);
	} else {
		end_reading(job, false, &err);
	}
}

static void
lift_some(struct job *job)
{
	switch (shelf_read_some(&job->shelf_in, STEP, &job->lifted)) {
	case SHELF_MORE:
		go_on(job);
		break;
	case SHELF_DONE:
		start_reading(job, job->lifted);
		break;
	case SHELF_FAILED:
		fetch_instead(job);
		break;
	}
}

static void
read_some(struct job *job)
{
	struct err err = {0};

	switch (revoke_reading_advance(job->reading, job->e->revoke, &err)) {
	case REVOKE_MORE:
		go_on(job);
		break;
	case REVOKE_READ:
		end_reading(job, true, &err);
		break;
	case REVOKE_FAILED:
		end_reading(job, false, &err);
		break;
	}
}

static void
take_step(struct hook *h)
{
	struct job *job = CONTAINER_OF(h, struct job, step);

	switch (job->phase) {
	case JOB_LIFTING:
		lift_some(job);
		break;
	case JOB_READING:
		read_some(job);
		break;
	case JOB_KEEPING:
		if (shelf_write_some(&job->shelf_out, STEP) == SHELF_MORE) {
			go_on(job);
		} else {
			end_job(job, true);
		}
		break;
	case JOB_FETCHING: /* the fetch tells by itself */
		break;
	}
}

/* ---- beginning */

static void
begin_job(struct job *job)
{
	if (job->kind == EVIDENCE_CRL &&
		shelf_read_begin(&job->shelf_in, &job->e->shelf, shelf_key(job->key),
			most_octets(job))) {
		job->phase = JOB_LIFTING;
		job->from_shelf = true;
		go_on(job);
	} else {
		start_fetch(job);
	}
}

struct job *
job_start(struct evidence *e, const struct piece *p, const uint8_t key[EVIDENCE_KEY])
{
	struct job *job = mem_alloc(sizeof(*job));

	job->e = e;
	job->g = p->g;
	job->kind = p->kind;
	job->urgent = p->urgent;
	job->by_get = true;
	job->began_ms = clock_now();
	job->cert = p->cert ? cert_get(p->cert) : NULL;
	job->issuer = p->issuer ? cert_get(p->issuer) : NULL;
	job->post = (struct span){(const uint8_t *)mem_cstr(p->post), p->post.n};
	job->corpse.bury = bury_job;
	job->fetch.done = fetched;
	job->fetch.allowed = may_fetch;
	job->step.run = take_step;
	shelf_reader_init(&job->shelf_in);
	shelf_writer_init(&job->shelf_out);
	memcpy(job->key, key, EVIDENCE_KEY);
	(void)!span_copy(job->url, sizeof(job->url), p->url); /* checked before */
	list_init(&job->links);
	map_add(&e->jobs, &job->by_key, span_of(job->key, EVIDENCE_KEY));
	begin_job(job);
	return job;
}

struct job *
job_find(const struct evidence *e, const uint8_t key[EVIDENCE_KEY])
{
	struct map_item *item = map_get(&e->jobs, span_of(key, EVIDENCE_KEY));
	return item ? CONTAINER_OF(item, struct job, by_key) : NULL;
}

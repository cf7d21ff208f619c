// SPDX-License-Identifier: Apache-2.0
#include "gate/evidence.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/stats.h"
#include "gate/evidence_priv.h"
#include "gate/settings.h"

enum { TRIED_BYTES = 512 * 1024 };

/* ---- who is told */

/* From a list of its own: done() may begin other fetches. */
void
evidence_tell(struct job *job, bool ok)
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
		if (ok) {
			wait->from[job->kind] =
				job->from_shelf ? EVIDENCE_SHELF : EVIDENCE_NETWORK;
		}
		if (--wait->pending > 0)
			continue;
		timer_stop(wait->e->place.loop, &wait->timer);
		wait->done(wait);
	}
}

void
evidence_count_fetched(struct job *job)
{
	LIST_EACH (it, &job->links)
		CONTAINER_OF(it, struct evidence_link, in_job)->wait->fetched++;
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
	if (job->phase != JOB_LIFTING)
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
	uint8_t key[EVIDENCE_KEY];

	if (p->url.n > FETCH_URL || span_chr(p->url, 0) < p->url.n)
		return OUTCOME_USELESS;
	piece_key(p, key);
	struct job *job = job_find(e, key);
	if (!job) {
		if (piece_was_tried(e, key))
			return OUTCOME_USELESS;
		if (piece_take_shelved(e, p, key)) {
			wait->from[p->kind] = EVIDENCE_SHELF;
			return OUTCOME_AGAIN;
		}
		/* Anybody can have issuers fetched; what proves something keeps its
		 * half. */
		size_t most =
			p->kind == EVIDENCE_ISSUERS ? EVIDENCE_JOBS / 2 : EVIDENCE_JOBS;
		if (e->jobs.n >= most)
			return OUTCOME_USELESS;
		job = job_start(e, p, key);
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
		.kind = ocsp ? EVIDENCE_OCSP : EVIDENCE_CRL,
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
		.kind = EVIDENCE_ISSUERS,
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
	lru_init(&e->tried, TRIED_BYTES, job_forget_tried);
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
		job_drop(CONTAINER_OF(it, struct job, by_key));
	map_fini(&e->jobs);
	lru_fini(&e->tried);
	shelf_close(&e->shelf);
	revoke_free(e->revoke);
	e->revoke = NULL;
}

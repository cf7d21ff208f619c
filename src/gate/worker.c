// SPDX-License-Identifier: Apache-2.0
#include "gate/worker.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/text.h"
#include "gate/act_tls.h"
#include "gate/act_value.h"
#include "gate/keyserver.h"
#include "gate/session.h"
#include "gate/story.h"
#include "tls/hello_memo.h"
#include "tls/profile.h"

enum {
	RESUME_BYTES = 8 * 1024 * 1024, /* sessions with origins */
	EVENT_QUEUE = 4 * 1024 * 1024,  /* octets waiting for a slow scribe */
	FRESH_MS = 1000,   /* a session this young is not idle, it has not begun */
	VAULT_ASKS = 8192, /* questions to the vault at a time */
};

static void
accepted(struct listener *l, int fd, const struct addr *peer)
{
	struct worker_listener *wl = CONTAINER_OF(l, struct worker_listener, listener);
	if (wl->settings->keyserver) {
		keyserver_accept(wl->w, wl->settings, fd, peer);
	} else if (wl->settings->front == FRONT_AUTHORITY) {
		issuer_accept(wl->w, wl->settings->gateway, fd);
	} else {
		session_open(wl->w, wl, fd, peer);
	}
}

static bool
send_events(struct event_link *link, struct span message)
{
	struct worker *w = CONTAINER_OF(link, struct worker, events);
	if (!w->event_pipe.loop)
		return true; /* nobody wants them */
	return ipc_put(&w->event_pipe, message);
}

static void
flush_events(struct worker *w)
{
	uint64_t wait_ms = event_flush(&w->events);
	if (wait_ms != UINT64_MAX && !timer_is_set(&w->event_timer))
		timer_set(&w->loop, &w->event_timer, clock_now() + wait_ms);
}

/* Once: the callback is gone when it was called. */
static void
tell_if_drained(struct worker *w)
{
	void (*drained)(struct worker *) = w->drained;

	if (!w->draining || !drained || !list_empty(&w->sessions) ||
		!keyserver_is_idle(w) || !visit_desk_is_idle(&w->issuers.desk))
		return;
	w->drained = NULL;
	drained(w);
}

static void
turn_ended(struct hook *h)
{
	struct worker *w = CONTAINER_OF(h, struct worker, each_turn);

	flush_events(w);
	tell_if_drained(w);
}

static void
events_due(struct timer *t)
{
	flush_events(CONTAINER_OF(t, struct worker, event_timer));
}

/* Sessions begun in one manner are not resumed in another. */
static struct profile_spec
in_manner(const struct profile_spec *base, size_t i)
{
	struct manner m = manner_at(i);
	struct profile_spec spec = *base;

	spec.policy[0] ^= (uint8_t)i; /* below MANNERS */
	if (m.min_version != 0) {
		spec.min_version = m.min_version;
		spec.insecure_old_versions = false;
	}
	if (m.level != 0)
		spec.level = (enum profile_level)(m.level - 1);
	return spec;
}

static bool
open_manners(const struct profile_spec *base, uint32_t wanted,
	struct profile *into[MANNERS], struct err *err)
{
	for (size_t i = 1; i < MANNERS; i++) {
		if (!(wanted & 1U << i))
			continue;
		const struct profile_spec spec = in_manner(base, i);
		into[i] = profile_new(&spec, err);
		if (!into[i])
			return false;
	}
	return true;
}

static bool
open_profiles(struct worker *w, struct worker_gateway *wg, struct err *err)
{
	const struct gateway *g = wg->g;
	struct profile_spec to_clients = {
		.role = PROFILE_SERVER,
		.min_version = (uint16_t)g->client.min_version,
		.level = (enum profile_level)g->client.profile,
		.insecure_rsa_key_exchange = g->client.insecure_rsa_key_exchange,
		.tickets = w->tickets,
		.ids = w->settings->ids,
		.session_timeout_s = (uint32_t)(g->client.session_ms / 1000),
	};
	struct profile_spec to_origins = {
		.role = PROFILE_CLIENT,
		.min_version = (uint16_t)g->upstream.min_version,
		.level = (enum profile_level)g->upstream.profile,
	};
	/* What is older is then the verdict's to say (gate/reach.c). */
	if (untrusted_of(&g->untrusted, VERDICT_OLD_TLS) != UNTRUSTED_BLOCK) {
		to_origins.insecure_old_versions = true;
		to_origins.min_version = 0;
	}
	for (size_t i = 0; i < PROFILE_POLICY; i++)
		to_clients.policy[i] = to_origins.policy[i] = g->policy_hash[i];
	wg->to_clients = profile_new(&to_clients, err);
	wg->to_origins = profile_new(&to_origins, err);
	wg->wanted = facts_wanted(g->policy);
	act_value_wants(g, &wg->wanted);
	const struct manners manners = act_tls_manners(g);
	return wg->to_clients && wg->to_origins &&
		open_manners(&to_clients, manners.clients, wg->clients_in, err) &&
		open_manners(&to_origins, manners.origins, wg->origins_in, err);
}

struct profile *
worker_to_clients(const struct worker_gateway *wg, struct manner m)
{
	size_t i = manner_index(m);
	return i == 0 ? wg->to_clients : wg->clients_in[i];
}

struct profile *
worker_to_origins(const struct worker_gateway *wg, struct manner m)
{
	size_t i = manner_index(m);
	return i == 0 ? wg->to_origins : wg->origins_in[i];
}

static bool
open_each(struct worker *w, const struct conf_item *first, struct err *err)
{
	for (const struct conf_item *it = first; it; it = it->next) {
		const struct gateway *g = (const struct gateway *)(const void *)it;
		struct worker_gateway *wg = &w->gateways[g->index];
		wg->g = g;
		if (!open_profiles(w, wg, err) ||
			(g->sites.is_edge && !edge_open(w, wg, err))) {
			return err_within(err, "%s %.*s",
				g->sites.is_edge ? "edge" : "gateway",
				SPAN_ARG(g->name));
		}
	}
	return true;
}

static bool
open_gateways(struct worker *w, struct err *err)
{
	const struct settings *set = w->settings;
	w->n_gateways = set->n_gateways;
	w->gateways = mem_array(w->n_gateways, sizeof(*w->gateways));
	return open_each(w, set->gateways, err) && open_each(w, set->edges, err);
}

static size_t
leaf_cache_bytes(const struct settings *set)
{
	size_t most = 0;
	for (const struct conf_item *it = set->gateways; it; it = it->next) {
		const struct gateway *g = (const struct gateway *)(const void *)it;
		if (g->leaf_cache > most)
			most = g->leaf_cache;
	}
	return most;
}

static uint64_t
fetch_cache_bytes(const struct conf_item *first, uint64_t most)
{
	for (const struct conf_item *it = first; it; it = it->next) {
		const struct gateway *g = (const struct gateway *)(const void *)it;
		if (g->upstream.fetch && g->upstream.fetch_cache > most)
			most = g->upstream.fetch_cache;
	}
	return most;
}

uint64_t
worker_shelf_bytes(const struct settings *s)
{
	return fetch_cache_bytes(s->edges, fetch_cache_bytes(s->gateways, 0));
}

char *
worker_shelf_path(const struct settings *s)
{
	char path[1024];
	struct text t = text_to(path, sizeof(path));

	text_add(&t, "%.*s/fetched", SPAN_ARG(s->data));
	return s->data.n == 0 || t.cut || worker_shelf_bytes(s) == 0
		? NULL
		: mem_cstr(text_span(&t));
}

static void
open_crls(struct worker *w)
{
	for (size_t i = 0; i < w->n_gateways; i++) {
		if (!w->gateways[i].g->sites.is_edge) {
			crl_open(&w->gateways[i].crl, w->gateways[i].g, &w->vault.link,
				&w->loop);
		}
	}
}

static void
open_evidence(struct worker *w)
{
	const struct fetch_place at = {.loop = &w->loop, .resolver = w->resolver};

	evidence_init(&w->evidence, &at, w->settings, worker_shelf_bytes(w->settings));
}

static size_t
pool_size(const struct conf_item *first, size_t most)
{
	for (const struct conf_item *it = first; it; it = it->next) {
		const struct gateway *g = (const struct gateway *)(const void *)it;
		if (g->upstream.pool > most)
			most = g->upstream.pool;
	}
	return most;
}

static struct listen_limit *
limit_of(struct worker *w, const struct listen_settings *l)
{
	if (l->keyserver)
		return keyserver_limit(w, l);
	return l->front == FRONT_AUTHORITY ? &w->issuers.desk.limit : &w->limit;
}

static void
open_listeners(struct worker *w, const struct worker_spec *spec)
{
	const struct conf_item *it = w->settings->listens;
	w->listeners = mem_array(spec->n_listen_fds, sizeof(*w->listeners));
	for (size_t i = 0; i < spec->n_listen_fds && it; i++, it = it->next) {
		struct worker_listener *wl = &w->listeners[w->n_listeners++];
		wl->w = w;
		wl->settings = (const struct listen_settings *)(const void *)it;
		wl->listener.accepted = accepted;
		if (!addr_local(spec->listen_fds[i], &wl->local) ||
			ip_kind(&wl->local.ip) == IP_RESERVED)
			wl->local = (struct addr){0};
		listen_start(&wl->listener, &w->loop, spec->listen_fds[i],
			limit_of(w, wl->settings));
	}
}

static bool
open_resolver(struct worker *w, struct err *err)
{
	const struct resolver_settings *r = &w->settings->resolver;
	const struct resolve_options options = {
		.servers = w->settings->servers,
		.hosts_path = r->hosts.n > 0 ? (const char *)r->hosts.p : NULL,
		.timeout_ms = (uint32_t)r->timeout_ms,
	};
	w->resolver = resolve_open(&w->loop, &options, err);
	return w->resolver != NULL;
}

bool
worker_open(struct worker *w, const struct worker_spec *spec, struct err *err)
{
	*w = (struct worker){.settings = spec->settings,
		.index = spec->index,
		.key_metrics = spec->key_metrics};
	list_init(&w->sessions);
	if (!loop_init(&w->loop, err))
		return false;
	w->tickets = tickets_new(spec->settings->ticket_secret, TICKETS_LIFE_MAX_S);
	splice_pool_init(&w->pipes);
	w->prints = hello_memo_new();
	resume_cache_init(&w->resumes, RESUME_BYTES);
	upstream_pool_init(&w->pool,
		pool_size(
			spec->settings->edges, pool_size(spec->settings->gateways, 0)));
	trunks_init(&w->trunks);
	versions_init(&w->versions);
	listen_limit_init(&w->limit, spec->settings->connections);
	crowd_init(&w->crowd, spec->settings->client_connections);
	ask_line_open(&w->vault, &w->loop, spec->vault_fd, VAULT_ASKS);
	mint_init(&w->mint, &w->vault.link, leaf_cache_bytes(spec->settings));
	if (spec->event_fd >= 0)
		ipc_out_open(&w->event_pipe, &w->loop, spec->event_fd, EVENT_QUEUE);
	event_link_init(&w->events, send_events);
	w->event_timer.fired = events_due;
	w->each_turn.run = turn_ended;
	loop_each_turn(&w->loop, &w->each_turn);
	if (!open_resolver(w, err) || !open_gateways(w, err) || !fleet_open(w, err) ||
		!keyserver_open_all(w, err) || !issuer_open_all(w, err)) {
		worker_close(w);
		return false;
	}
	open_evidence(w);
	staple_open_all(w);
	open_crls(w);
	open_listeners(w, spec);
	return true;
}

void
worker_run(struct worker *w)
{
	loop_run(&w->loop);
}

void
worker_lost(struct worker *w)
{
	listen_release(&w->limit);
	tell_if_drained(w);
}

static void
cut_the_rest(struct timer *t)
{
	struct worker *w = CONTAINER_OF(t, struct worker, drain_deadline);
	struct err err = {0};
	(void)err_set(
		&err, ERR_GATE_DRAINED, "it was still open when the time was over");
	LIST_EACH (it, &w->sessions)
		session_end(CONTAINER_OF(it, struct session, in_worker), ENDER_GATEWAY,
			&err);
}

static void
stop_listening(struct worker *w)
{
	for (size_t i = 0; i < w->n_listeners; i++)
		listen_stop(&w->listeners[i].listener);
	w->n_listeners = 0;
}

/* Those at least so old, by when they came in. */
static void
drain_sessions(struct worker *w, uint64_t age_ms)
{
	uint64_t now_us = clock_us();
	LIST_EACH (it, &w->sessions) {
		struct session *s = CONTAINER_OF(it, struct session, in_worker);
		if (now_us - s->story->began_us >= age_ms * 1000)
			session_drain(s);
	}
}

static void
drain_the_fresh(struct timer *t)
{
	struct worker *w = CONTAINER_OF(t, struct worker, drain_fresh);
	drain_sessions(w, 0);
	tell_if_drained(w);
}

/* Who has only just come is about to ask something and shall get an answer: it has a
 * moment before it counts as idle. */
void
worker_drain(struct worker *w)
{
	if (w->draining)
		return;
	w->draining = true;
	w->drain_since_ms = clock_now();
	stop_listening(w);
	w->drain_deadline.fired = cut_the_rest;
	timer_set(&w->loop, &w->drain_deadline, clock_now() + w->settings->drain_ms);
	w->drain_fresh.fired = drain_the_fresh;
	timer_set(&w->loop, &w->drain_fresh, clock_now() + FRESH_MS);
	drain_sessions(w, FRESH_MS);
	keyserver_drain_all(w);
	tell_if_drained(w);
}

void
worker_stop(struct worker *w)
{
	loop_stop(&w->loop);
}

void
worker_close(struct worker *w)
{
	LIST_EACH (it, &w->sessions)
		session_end(CONTAINER_OF(it, struct session, in_worker), ENDER_GATEWAY,
			NULL);
	stop_listening(w);
	keyserver_close_all(w);
	issuer_close_all(w);
	staple_close_all(w);
	upstream_pool_fini(&w->pool);
	trunks_fini(w);
	versions_fini(&w->versions);
	fleet_close(w);
	mint_fini(&w->mint);
	evidence_fini(&w->evidence);
	event_link_fini(&w->events);
	if (w->event_pipe.loop)
		ipc_out_close(&w->event_pipe);
	for (size_t i = 0; i < w->n_gateways; i++)
		crl_close(&w->gateways[i].crl);
	ask_line_close(&w->vault);
	loop_unhook(&w->each_turn);
	timer_stop(&w->loop, &w->event_timer);
	timer_stop(&w->loop, &w->drain_deadline);
	timer_stop(&w->loop, &w->drain_fresh);
	for (size_t i = 0; i < w->n_gateways; i++)
		edge_close(&w->gateways[i]);
	if (w->resolver)
		resolve_close(w->resolver);
	resume_cache_fini(&w->resumes);
	loop_fini(&w->loop); /* buries the sessions just ended */
	for (size_t i = 0; i < w->n_gateways; i++) {
		profile_put(w->gateways[i].to_clients);
		profile_put(w->gateways[i].to_origins);
		for (size_t k = 0; k < MANNERS; k++) {
			profile_put(w->gateways[i].clients_in[k]);
			profile_put(w->gateways[i].origins_in[k]);
		}
	}
	splice_pool_fini(&w->pipes);
	hello_memo_free(w->prints);
	tickets_free(w->tickets);
	crowd_fini(&w->crowd);
	mem_free(w->gateways);
	mem_free(w->listeners);
}

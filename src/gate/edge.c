// SPDX-License-Identifier: Apache-2.0
/*
 * edge: what a worker keeps for an edge. A verdict on a client that was made under
 * older revocation lists is made anew at the next request: a client revoked is refused
 * on the connection it has.
 */
#include "gate/edge.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "gate/cache_refresh.h"
#include "gate/session.h"
#include "gate/worker.h"
#include "keyless/ask_pool.h"
#include "pki/revoke.h"

enum {
	JUDGED_MS = 60 * 1000,
	WATCH_MS = 250,       /* a list that is replaced counts after this time */
	WAITING_MOST = 16384, /* handshakes that wait for a signature, per worker */
};

static void
watch(struct timer *t)
{
	struct edge *e = CONTAINER_OF(t, struct edge, watch);

	for (size_t i = 0; i < e->g->sites.n_clients; i++)
		edge_lists_look(&e->clients[i]);
	timer_set(&e->w->loop, &e->watch, clock_now() + WATCH_MS);
}

/* ---- the verdict on a client ---- */

static void
check(struct session *s, const struct chain *chain, struct verdict *v)
{
	const struct site_clients *settings = s->visit->name->clients;
	struct edge_clients *c = &s->wg->edge->clients[settings->index];
	struct trust_ask ask = {
		.chain = chain,
		.now = clock_wall(),
		.options = trust_options_default(),
		.revoke = c->revoke,
	};

	ask.options.use = TRUST_CLIENT;
	ask.options.revocation = (enum trust_revocation)settings->revocation;
	trust_check(settings->trust, &ask, v);
	/* A resumed session brings the leaf alone: its issuers are remembered. */
	for (size_t i = 1; i < chain->n && v->class == VERDICT_GOOD; i++)
		trust_learn(settings->trust, chain->der[i]);
	s->visit->epoch = c->epoch;
	s->visit->judged_ms = clock_now();
}

void
edge_judge(struct session *s)
{
	struct edge_visit *visit = s->visit;
	struct chain chain = {0};
	struct verdict v = {0};
	struct err err = {0};
	bool first = !visit->cert.presented;

	if (!visit->name->clients || !tls_has_peer(s->client.tls))
		return;
	bool read = tls_peer_chain(s->client.tls, &chain, &err);
	if (read)
		check(s, &chain, &v);
	if (read && !first) {
		client_cert_judge(&visit->cert, &v);
	} else if (!read || arena_room(&s->arena) < CLIENT_CERT_ROOM ||
		!client_cert_describe(&visit->cert, &chain, &v, &s->arena, &err)) {
		visit->cert.presented = true; /* and not verified */
	}
	verdict_fini(&v);
	chain_fini(&chain);
}

void
edge_judge_again(struct session *s)
{
	const struct site_clients *settings = s->visit->name->clients;

	if (!settings)
		return;
	const struct edge_clients *c = &s->wg->edge->clients[settings->index];
	if (c->epoch != s->visit->epoch ||
		clock_now() - s->visit->judged_ms >= JUDGED_MS)
		edge_judge(s);
}

/* ---- opening and closing ---- */

static bool
open_clients(struct edge *e, const struct site_clients *settings, struct err *err)
{
	struct edge_clients *c = &e->clients[settings->index];
	const struct client_settings *client = &e->g->client;
	struct profile_spec spec = {
		.role = PROFILE_SERVER,
		.min_version = (uint16_t)client->min_version,
		.level = (enum profile_level)client->profile,
		.insecure_rsa_key_exchange = client->insecure_rsa_key_exchange,
		.client_cert = (enum profile_client_cert)settings->certificate,
		.ca_names = settings->ca_names,
		.n_ca_names = settings->n_ca_names,
		.tickets = e->w->tickets,
		.ids = e->w->settings->ids,
		.session_timeout_s = (uint32_t)(client->session_ms / 1000),
	};

	memcpy(spec.policy, settings->ca_digest.p, sizeof(spec.policy));
	c->settings = settings;
	c->profile = profile_new(&spec, err);
	if (!c->profile)
		return false;
	return edge_lists_open(e, c, err);
}

static bool
open_keys(struct edge *e, struct err *err)
{
	const struct site_keys *k = &e->g->sites.keys;

	if ((k->servers || e->g->sites.asks_vault) && !remote_setup(WAITING_MOST, err))
		return false;
	if (!k->servers)
		return true;
	e->keys_profile = ask_pool_profile(err);
	if (!e->keys_profile)
		return false;
	e->keys = site_open_pool(k,
		&(struct site_pool_place){.loop = &e->w->loop,
			.resolver = e->w->resolver,
			.profile = e->keys_profile});
	return e->keys != NULL;
}

bool
edge_open(struct worker *w, struct worker_gateway *wg, struct err *err)
{
	struct edge *e = mem_alloc(sizeof(*e));
	const struct site_table *sites = &wg->g->sites;

	wg->edge = e;
	e->w = w;
	e->g = wg->g;
	edge_wait_init(e);
	e->clients = mem_array(sites->n_clients, sizeof(*e->clients));
	edge_balance_open(e);
	for (const struct conf_item *it = sites->clients; it; it = it->next) {
		const struct site_clients *c =
			(const struct site_clients *)(const void *)it;
		if (!open_clients(e, c, err))
			return false;
	}
	if (!open_keys(e, err))
		return false;
	e->watch.fired = watch;
	if (sites->n_clients > 0)
		timer_set(&w->loop, &e->watch, clock_now() + WATCH_MS);
	return true;
}

void
edge_close(struct worker_gateway *wg)
{
	struct edge *e = wg->edge;

	if (!e)
		return;
	timer_stop(&e->w->loop, &e->watch);
	timer_stop(&e->w->loop, &e->look);
	if (e->keys)
		ask_pool_free(e->keys);
	profile_put(e->keys_profile);
	for (size_t i = 0; i < e->g->sites.n_clients; i++) {
		profile_put(e->clients[i].profile);
		edge_lists_close(&e->clients[i]);
	}
	mem_free(e->clients);
	cache_refresh_close(e);
	edge_balance_close(e);
	mem_free(e);
	wg->edge = NULL;
}

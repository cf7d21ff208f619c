// SPDX-License-Identifier: Apache-2.0
/*
 * keyserver_serve: what a worker does for edges: everything but the signature.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/text.h"
#include "event/event.h"
#include "gate/keyserver.h"
#include "gate/settings.h"
#include "gate/worker.h"
#include "keyless/context.h"
#include "keyless/sealing.h"
#include "tls/profile.h"

/* A call of an edge that waits for the vault. */
struct passed {
	struct ask ask;
	struct answer_call *call;
	struct keyserver *keyserver;
	struct list in;
};

static void
forget(struct passed *p)
{
	list_leave(&p->in);
	mem_free(p);
}

/* The vault knows why; an edge is told what the vault said, or that it was in vain. */
static void
vault_answered(struct ask *a)
{
	struct passed *p = CONTAINER_OF(a, struct passed, ask);

	if (a->ok) {
		answer_reply(p->call, a->answer);
	} else {
		answer_refuse(p->call,
			a->refusal ? (enum wire_error)a->refusal : WIRE_INTERNAL);
	}
	forget(p);
}

static struct keyserver *
keyserver_of(struct answer_door *d)
{
	struct answer_desk *desk = CONTAINER_OF(d, struct answer_desk, door);
	struct server *s = CONTAINER_OF(desk, struct server, desk);

	return CONTAINER_OF(s, struct keyserver, server);
}

static void
pass_on(struct answer_call *c)
{
	struct keyserver *k = keyserver_of(c->door);
	struct passed *p = mem_alloc(sizeof(*p));
	struct err err = {0};

	p->call = c;
	p->keyserver = k;
	p->ask.want = c->req; /* its spans live as long as the call */
	/* There the vault is told who asks; what an edge said there is not for it. */
	p->ask.want.function = (struct span){0};
	p->ask.want.extra = k->settings->name;
	p->ask.done = vault_answered;
	list_push(&k->passed, &p->in);
	if (ask_send(&k->w->vault.link, &p->ask, &err))
		return;
	answer_refuse(c, WIRE_INTERNAL);
	forget(p);
}

static const struct answer_op seal_ops[] = {
	{WIRE_SEAL, false, SEALING_MOST, pass_on},
	{WIRE_UNSEAL, false, SEALING_MOST, pass_on},
};

static void
emit(struct server *s, const struct answer_audit *a, const struct server_peer *peer)
{
	struct keyserver *k = CONTAINER_OF(s, struct keyserver, server);
	const struct wire_msg *req = &a->call->req;
	char ski[2 * WIRE_SKI + 1];
	char id[CONTEXT_ID];
	struct text t = text_to(ski, sizeof(ski));
	struct event e;

	stat_add(a->result == WIRE_OK ? STAT_KEYS_ANSWERED : STAT_KEYS_REFUSED, 1);
	stat_add(STAT_KEYS_US, a->took_us);
	event_init(&e, EVENT_KIND_KEY);
	event_str(&e, EVENT_GATEWAY, k->settings->name);
	event_cstr(&e, EVENT_ACTION, a->result == WIRE_OK ? "sign" : "refuse");
	event_cstr(&e, EVENT_KEY_OPERATION, wire_op_name(req->op));
	event_cstr(&e, EVENT_KEY_STATUS, wire_error_name((uint8_t)a->result));
	text_put_hex(&t, req->ski, false);
	event_str(&e, EVENT_KEY_SKI, text_span(&t));
	event_str(&e, EVENT_SNI, req->name);
	if (peer) {
		event_ip(&e, EVENT_CLIENT, &peer->from.ip);
		event_int(&e, EVENT_CLIENT_PORT, peer->from.port);
		event_cstr(&e, EVENT_CLIENT_CERT, peer->name);
		event_cstr(&e, EVENT_CLIENT_CERT_SERIAL, peer->serial);
	}
	event_ip(&e, EVENT_KEY_CLIENT, &req->client_ip);
	if (context_request_id(req->context, id))
		event_cstr(&e, EVENT_KEY_REQUEST, id);
	event_int(&e, EVENT_US_TOTAL, (int64_t)a->took_us);
	event_emit(&k->w->events, &e);
}

/* ---- opening and closing ---- */

static void
make_policies(struct keyserver *k)
{
	const struct keyserver_settings *set = k->settings;
	size_t i = 0;

	k->policies = mem_array(set->n_clients, sizeof(*k->policies));
	for (const struct conf_item *it = set->clients; it; it = it->next) {
		const struct keyserver_client *c =
			(const struct keyserver_client *)(const void *)it;

		k->policies[i++] = (struct server_policy){
			.match = (const char *)c->match.p,
			.client = {.name = (const char *)c->match.p,
				.mask = c->mask,
				.skis = c->skis,
				.n_skis = c->keys.n,
				.names = c->allowed,
				.n_names = c->names.n,
				.per_second =
					(uint32_t)
						c->per_second /* at most a million */}};
	}
}

static bool
open_one(struct worker *w, const struct keyserver_settings *set, struct err *err)
{
	struct keyserver *k = mem_alloc(sizeof(*k));

	k->w = w;
	k->settings = set;
	list_init(&k->passed);
	k->next = w->keyservers;
	w->keyservers = k;
	make_policies(k);
	k->profile = server_profile(err);
	server_open(&k->server,
		&(struct server_spec){.loop = &w->loop,
			.profile = k->profile,
			.identity = set->id,
			.trust = set->trust,
			.revoke = set->revoke,
			.policies = k->policies,
			.n_policies = set->n_clients,
			.metrics = w->key_metrics,
			.most = w->settings->connections,
			.idle_ms =
				(uint32_t)set->idle_ms, /* a duration of days at most */
			.mask = keyserver_usual_mask(set)});
	k->server.desk.door.pass_on = pass_on;
	if (set->seal_secret.n > 0) {
		k->server.desk.door.ops = seal_ops;
		k->server.desk.door.n_ops = COUNT_OF(seal_ops);
	}
	k->server.audited = emit;
	return k->profile != NULL;
}

bool
keyserver_open_all(struct worker *w, struct err *err)
{
	for (const struct conf_item *it = w->settings->keyservers; it; it = it->next) {
		const struct keyserver_settings *set =
			(const struct keyserver_settings *)(const void *)it;

		if (!open_one(w, set, err))
			return err_within(err, "keyserver %.*s", SPAN_ARG(set->name));
	}
	return true;
}

static void
close_one(struct keyserver *k)
{
	LIST_EACH (it, &k->passed) {
		struct passed *p = CONTAINER_OF(it, struct passed, in);

		ask_cancel(&p->ask);
		answer_refuse(p->call, WIRE_INTERNAL);
		forget(p);
	}
	server_close(&k->server);
	profile_put(k->profile);
	mem_free(k->policies);
	mem_free(k);
}

void
keyserver_close_all(struct worker *w)
{
	while (w->keyservers) {
		struct keyserver *k = w->keyservers;

		w->keyservers = k->next;
		close_one(k);
	}
}

void
keyserver_drain_all(struct worker *w)
{
	for (struct keyserver *k = w->keyservers; k; k = k->next)
		server_drain(&k->server);
}

bool
keyserver_is_idle(const struct worker *w)
{
	for (const struct keyserver *k = w->keyservers; k; k = k->next) {
		if (k->server.n_peers > 0)
			return false;
	}
	return true;
}

static struct keyserver *
find(struct worker *w, const struct listen_settings *l)
{
	struct keyserver *k = w->keyservers;

	while (k->settings != l->keyserver)
		k = k->next; /* settings_compile() found it: it is there */
	return k;
}

struct listen_limit *
keyserver_limit(struct worker *w, const struct listen_settings *l)
{
	return &find(w, l)->server.limit;
}

void
keyserver_accept(struct worker *w, const struct listen_settings *l, int fd,
	const struct addr *peer)
{
	server_accept(&find(w, l)->server, fd, peer);
}

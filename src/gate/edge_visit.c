// SPDX-License-Identifier: Apache-2.0
/*
 * edge_visit: the life of one client of an edge, from its ClientHello to the origin its
 * requests go to.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stats.h"
#include "base/text.h"
#include "gate/edge.h"
#include "gate/exchange_priv.h"
#include "gate/proxy_hello.h"
#include "gate/stages.h"
#include "gate/story.h"
#include "gate/worker.h"
#include "keyless/ask_pool.h"

enum {
	/* What the session itself may still want to know of a client. */
	STAPLE_ROOM = CLIENT_CERT_ROOM,
	EARLY_MOST = 16 * 1024, /* octets of early data */
};

static int
end_with(struct session *s, enum ender who, const struct err *err)
{
	session_end(s, who, err);
	return TURN_OVER;
}

/* ---- hello ---- */

static int
refuse_name(struct session *s)
{
	struct err err = {0};

	(void)err_set(&err, ERR_GATE_UNKNOWN_SITE, "%s%.*s",
		s->facts.sni.n > 0 ? "" : "the client named none",
		SPAN_ARG(s->facts.sni));
	if (tls_put_alert(&s->client.io.out, TLS_ALERT_UNRECOGNIZED_NAME))
		io_touch(&s->client.io);
	return end_with(s, ENDER_GATEWAY, &err);
}

/* Runs on the handshake's small fibre: only noted; edge_sign() does the rest. */
static void
want_signature(struct remote_owner *o, struct remote_ask *ask)
{
	CONTAINER_OF(o, struct edge_visit, owner)->signature = ask;
}

int
edge_take_hello(struct session *s)
{
	const struct site_name *name = site_find(s->g, s->facts.sni);

	if (!name)
		return refuse_name(s);
	s->visit = arena_alloc(&s->arena, sizeof(*s->visit));
	s->visit->s = s;
	s->visit->name = name;
	s->visit->owner.asked = want_signature;
	s->facts.cert = &s->visit->cert;
	s->facts.port = s->facts.server.port;
	s->story->action = "serve";
	exchange_fini(&s->exchange);
	exchange_init(&s->exchange, true);
	const struct act *act = session_decide(s, PHASE_HELLO);
	if (act && act->kind == ACT_BLOCK)
		return session_block(s, act, PHASE_HELLO);
	return STAGE_PRESENT;
}

int
edge_take_non_tls(struct session *s)
{
	const struct refusal refusal = {
		.code = ERR_GATE_NOT_TLS,
		.text = SPAN("this port speaks https"),
		.status = 400,
	};

	s->facts.tls = false;
	session_refuse(s, &refusal);
	return STAGE_RELAY;
}

/* ---- present ---- */

/* What the client can use: of two certificates the ECDSA one, which costs us less. */
static struct identity *
identity_for(const struct site *site, const struct hello *h)
{
	if (!site->ecdsa || !site->rsa)
		return site->ecdsa ? site->ecdsa : site->rsa;
	return hello_takes_ecdsa(h) ? site->ecdsa : site->rsa;
}

static struct span
chosen_alpn(const struct hello *h)
{
	if (hello_offers(h, SPAN("h2")))
		return SPAN("h2");
	return hello_offers(h, SPAN("http/1.1")) ? SPAN("http/1.1") : (struct span){0};
}

/* A copy, since the handshake goes on over many turns of the loop. */
static struct span
staple_for(struct session *s, const struct identity *id)
{
	struct span staple = staple_of(s->w, id);

	return staple.n > 0 && arena_room(&s->arena) > STAPLE_ROOM + staple.n
		? arena_copy(&s->arena, staple)
		: (struct span){0};
}

bool
edge_start_tls(struct session *s, struct err *err)
{
	const struct site_name *name = s->visit->name;
	struct identity *id = identity_for(name->site, &s->hello);
	const struct tls_server_spec spec = {
		.profile = name->clients
			? s->wg->edge->clients[name->clients->index].profile
			: s->wg->to_clients,
		.identity = id,
		.staple = staple_for(s, id),
		.session_s = name->site->session_s,
		.early_most = name->site->early_data && !name->clients ? EARLY_MOST : 0,
		.once = s->w->settings->once,
		.alpn = chosen_alpn(&s->hello),
		.binding = name->binding,
		.owner = &s->visit->owner,
		.wire_in = &s->client.io.in,
		.wire_out = &s->client.io.out,
	};

	s->client.tls = tls_server_new(&spec, err);
	return s->client.tls != NULL;
}

/* Whose key it was and how long it took: of the last, when a handshake needs two. */
static void
note_signer(const struct edge_signing *g, const struct ask *a)
{
	struct session_story *story = g->visit->s->story;

	story->sign_us += clock_us() - g->asked_us;
	(void)text_format(story->signer, sizeof(story->signer), "%s",
		a->server ? a->server : "vault");
}

static const struct site_certificate *
certificate_of(const struct remote_ask *ask)
{
	return CONTAINER_OF((uintptr_t)ask->key, const struct site_certificate, where);
}

static void
signature_came(struct ask *a)
{
	struct edge_signing *g = CONTAINER_OF(a, struct edge_signing, ask);
	struct edge_visit *v = g->visit;
	struct remote_ask *wanted = v->signature;

	note_signer(g, a);
	v->signature = NULL;
	stat_sub(STAT_SIGNATURES_WAITING, 1);
	if (a->ok && site_key_is_near(certificate_of(wanted))) {
		remote_answer_near(wanted, a->answer);
	} else if (a->ok) {
		remote_answer(wanted, a->answer);
	} else {
		stat_add(STAT_SIGNATURES_FAILED, 1);
		log_warn("edge.key", "host=%.*s why=\"%s\"", SPAN_ARG(v->s->facts.sni),
			a->err.text);
		g->err = a->err;
		remote_refuse(wanted);
	}
	session_advance(v->s);
}

/* The vault is asked for keys that are here, key servers for others. */
static bool
send_ask(struct session *s, struct edge_visit *v, struct err *err)
{
	const struct edge *e = s->wg->edge;
	struct ask *ask = &v->signing->ask;

	if (site_is_kept(certificate_of(v->signature))) {
		ask->want.function = SPAN(SITE_OWN_KEYS);
		return ask_send(&e->w->vault.link, ask, err);
	}
	return e->keys && ask_pool_send(e->keys, ask, err);
}

/* The session's id as the key protocol wants it: a JSON object. */
static struct span
request_context(struct edge_signing *g)
{
	char id[EVENT_ID_TEXT];

	text_format(g->context, sizeof(g->context), "{\"request_id\":\"%s\"}",
		event_id_text(id, g->visit->s->story->id));
	return span_str(g->context);
}

bool
edge_sign(struct session *s)
{
	struct edge_visit *v = s->visit;
	struct err err = {0};

	if (!v->signature || (v->signing && v->signing->ask.done))
		return false; /* it was sent already */
	if (!v->signing)
		v->signing = arena_alloc(&s->arena, sizeof(*v->signing));
	v->signing->visit = v;
	v->signing->ask = (struct ask){
		.done = signature_came,
		.want =
			{
				.op = (uint8_t)v->signature
					      ->op, /* one octet by definition */
				.ski = span_of(v->signature->key->ski, REMOTE_SKI),
				.payload = v->signature->input,
				.name = s->facts.sni,
				.client_ip = s->facts.client.ip,
				.server_ip = s->facts.server.ip,
				.context = request_context(v->signing),
			},
	};
	v->signing->asked_us = clock_us();
	stat_add(STAT_SIGNATURES_ASKED, 1);
	if (send_ask(s, v, &err)) {
		stat_add(STAT_SIGNATURES_WAITING, 1);
		return false;
	}
	stat_add(STAT_SIGNATURES_FAILED, 1);
	log_warn("edge.key", "host=%.*s why=\"%s\"", SPAN_ARG(s->facts.sni), err.text);
	v->signing->err = err;
	remote_refuse(v->signature);
	v->signature = NULL;
	return true;
}

int
edge_opened(struct session *s)
{
	edge_judge(s);
	edge_count(s);
	const struct act *act = session_decide(s, PHASE_HANDSHAKE);
	if (act && act->kind == ACT_BLOCK &&
		session_block(s, act, PHASE_HANDSHAKE) == TURN_OVER)
		return TURN_OVER;
	return STAGE_RELAY;
}

void
edge_end(struct session *s)
{
	struct edge_visit *v = s->visit;

	if (!v || !v->signature)
		return;
	if (v->signing && v->signing->ask.done) {
		ask_cancel(&v->signing->ask);
		stat_sub(STAT_SIGNATURES_WAITING, 1);
	}
	v->signature = NULL; /* tls_free() refuses it */
}

/* ---- requests ---- */

static enum exchange_turn
answer(struct session *s, enum err_code code, unsigned status, const char *text)
{
	const struct refusal refusal = {
		.code = code, .text = span_str(text), .status = status};

	exchange_answer_refusal(s, &refusal);
	return EXCHANGE_GOES_ON;
}

/* Both versions where TLS can tell; without, HTTP/2 only where it is known. */
static struct span
origin_alpn(const struct site_origin *o, bool wants_h1)
{
	if (wants_h1)
		return o->tls ? SPAN("\x08http/1.1") : (struct span){0};
	if (o->tls)
		return SPAN("\x02h2\x08http/1.1");
	return o->h2 ? SPAN("\x02h2") : (struct span){0};
}

/* What the origin is told of the client before the first request. */
static struct span
hello_of(struct session *s)
{
	const struct exchange *x = s->x;
	const struct client_cert *c = &s->visit->cert;
	const struct proxy_hello h = {
		.client = s->facts.client,
		.server = s->facts.server,
		.alpn = x->client ? SPAN("h2") : SPAN("http/1.1"),
		.name = s->facts.sni,
		.tls_version = s->facts.tls_version,
		.tls_cipher = s->facts.tls_cipher,
		.common_name = c->presented
			? proxy_hello_common_name(c->text[CLIENT_CERT_SUBJECT])
			: (struct span){0},
		.has_cert = c->presented,
		.verified = c->verified && !c->revoked,
	};
	uint8_t text[PROXY_HELLO_MOST];

	return arena_copy(&s->x->arena,
		x->site->balance.hello == HELLO_V1 ? proxy_hello_v1(&h, text)
						   : proxy_hello_v2(&h, text));
}

struct target
edge_target(const struct gateway *g, const struct site *site,
	const struct site_origin *o, bool wants_h1)
{
	const struct site_balance *b = &site->balance;
	struct ip ip;

	return (struct target){
		.g = g,
		.host = o->host,
		.port = o->port,
		.tls = o->tls,
		.sni = o->tls && !ip_parse(o->host, &ip) ? o->host : (struct span){0},
		.alpn = origin_alpn(o, wants_h1 || b->hello != HELLO_NONE),
		.identity = b->identity,
		.trust = b->trust,
		.connect_ms = b->connect_ms,
		.handshake_ms = b->handshake_ms,
		.idle_ms = b->idle_ms,
	};
}

static void
aim_at(struct session *s, const struct site_origin *o)
{
	struct exchange *x = s->x;

	x->site_origin = o;
	x->request.scheme = o->tls ? SPAN("https") : SPAN("http");
	x->target = edge_target(s->g, x->site, o, x->wants_h1);
	if (x->site->balance.hello != HELLO_NONE)
		x->target.hello = hello_of(s);
}

/* The site a request is for: the connection's, or one that asks the same of clients. */
static const struct site_name *
name_of_request(struct session *s, struct err *err)
{
	struct exchange *x = s->x;
	const struct site_name *mine = s->visit->name;
	struct url_host host;

	if (!url_host_parse(x->request.authority, s->facts.port, &x->arena, &host, err))
		return NULL;
	const struct site_name *n = site_find(s->g, host.name);
	if (n && memcmp(n->binding, mine->binding, sizeof(n->binding)) == 0)
		return n;
	(void)err_set(err, ERR_GATE_MISDIRECTED,
		"the request is for another site than the connection");
	return NULL;
}

bool
edge_aim_again(struct session *s)
{
	const struct site_origin *o = edge_choose(s);

	if (!o)
		return false;
	aim_at(s, o);
	if (s->x->readied) /* else it is not yet what the origin gets */
		edge_name_origin(s);
	return true;
}

enum exchange_turn
edge_aim(struct session *s)
{
	struct exchange *x = s->x;
	struct err err = {0};

	if (x->request.method == HTTP_CONNECT && x->request.protocol.n == 0)
		return answer(s, ERR_GATE_TARGET, 405, "CONNECT on an edge");
	const struct site_name *name = name_of_request(s, &err);
	if (!name) {
		return answer(s, err.code, err.code == ERR_GATE_MISDIRECTED ? 421 : 400,
			err.text);
	}
	edge_judge_again(s);
	x->tried = 0;
	x->site = name->site;
	edge_earn(s->wg->edge, x->site);
	if (edge_is_too_long(x, false)) {
		return answer(
			s, ERR_GATE_TOO_LARGE, 413, "the request says how long it is");
	}
	if (!edge_aim_again(s))
		return answer(s, ERR_GATE_BUSY, 503, "all origins are busy");
	return EXCHANGE_GOES_ON;
}

void
edge_name_origin(struct session *s)
{
	struct exchange *x = s->x;

	if (x->site && !x->site->keep_host) {
		x->request.authority = arena_format(&x->arena, "%.*s:%u",
			SPAN_ARG(x->site_origin->host), x->site_origin->port);
	}
}

bool
edge_aim_next(struct session *s)
{
	struct exchange *x = s->x;

	if (!x->site)
		return false;
	edge_unreachable(s);
	if (++x->tried >= x->site->n_origins)
		return false;
	reach_cancel(&s->lane->reach);
	return edge_aim_again(s);
}

/* ---- plain HTTP ---- */

/* The port clients reach the edge at, as they would write it. */
static uint16_t
https_port(const struct session *s)
{
	for (const struct conf_item *it = s->w->settings->listens; it; it = it->next) {
		const struct listen_settings *l =
			(const struct listen_settings *)(const void *)it;
		if (l->front == FRONT_EDGE && l->gateway == s->g)
			return l->bind.port;
	}
	return 443;
}

enum exchange_turn
edge_redirect(struct session *s)
{
	struct exchange *x = s->x;
	struct url_host host;
	struct err err = {0};
	uint16_t port = https_port(s);

	if (!url_host_parse(x->request.authority, 80, &x->arena, &host, &err))
		return answer(s, ERR_GATE_TARGET, 400, err.text);
	if (!site_find(s->g, host.name))
		return answer(s, ERR_GATE_UNKNOWN_SITE, 404, "no site has this name");
	if (x->request.path.n == 0 || x->request.path.p[0] != '/')
		return answer(s, ERR_GATE_TARGET, 400, "no path to send on");
	struct span to = port == 443
		? arena_format(&x->arena, "https://%.*s%.*s", SPAN_ARG(host.name),
			  SPAN_ARG(x->request.path))
		: arena_format(&x->arena, "https://%.*s:%u%.*s", SPAN_ARG(host.name),
			  port, SPAN_ARG(x->request.path));
	s->x->action = "redirect";
	exchange_answer_redirect(s, 308, to, (struct span){0});
	return EXCHANGE_GOES_ON;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * ask_pool_priv: what ask_pool.c (which server, when again) and ask_tunnel.c (one
 * server's connection) know of each other.
 */
#pragma once

#include "keyless/ask_pool.h"
#include "net/dial.h"
#include "net/io.h"
#include "net/resolve.h"

struct tls;

enum tunnel_state {
	TUNNEL_DOWN, /* until `again` fires */
	TUNNEL_RESOLVING,
	TUNNEL_DIALLING,
	TUNNEL_SHAKING,
	TUNNEL_PROBING, /* open; must answer a ping */
	TUNNEL_UP,
};

enum { TUNNEL_RECENT = 64 };

struct tunnel {
	struct ask_link link; /* of this connection; initialised from PROBING on */
	struct ask_pool *pool;
	enum tunnel_state state;
	char host[ASK_POOL_HOST];
	char name[ASK_POOL_HOST];
	uint16_t port;
	bool bare;
	bool legacy_c;
	bool plain_items;

	struct resolve query;
	struct dial dial;
	struct io io;
	struct tls *tls; /* owned; NULL before SHAKING */
	struct buf plain_in;
	struct buf plain_out;
	struct hook flush;
	struct hook lost; /* a failure found where asks must not be answered */
	struct err lost_why;
	struct timer again; /* DOWN: try; connecting: deadline; UP: ping */
	struct timer due;   /* the oldest ask on the link */
	struct ask ping;
	uint64_t answers_at_ping;
	uint32_t backoff_ms;

	uint32_t recent_us[TUNNEL_RECENT]; /* ring of latencies */
	uint64_t answers;
	uint32_t p95_us;
	uint32_t mean_us; /* exponentially weighted */
	unsigned slow;    /* late or overtaken, since the last answer */
	uint64_t failures;
	uint64_t hedges;
	struct err last;
	uint64_t lost_ms; /* when it failed last; 0: never */
};

void ask_tunnel_init(
	struct tunnel *t, struct ask_pool *p, const struct ask_pool_server *s);
void ask_tunnel_fini(struct tunnel *t);
void ask_tunnel_connect(struct tunnel *t);
/* Gives the connection up soon: not now, since asks are being answered. */
void ask_tunnel_give_up(struct tunnel *t, const struct err *why);
/* Whether it may be up before an ask that waits now is due. */
MUST_USE bool ask_tunnel_is_coming(const struct tunnel *t);

/* Told by the tunnel. */
void ask_pool_tunnel_up(struct ask_pool *p);
void ask_pool_tunnel_lost(struct ask_pool *p);
const struct ask_pool_spec *ask_pool_settings(const struct ask_pool *p);

// SPDX-License-Identifier: Apache-2.0
/*
 * ask_pool: several key servers as one, over mutual TLS.
 *
 * One connection per server and process, all asks pipelined on it. Of two servers
 * chosen by chance the one with less work before it is asked (latency × asks waiting).
 * An ask that takes longer than nineteen of twenty did is asked of another server too,
 * within a budget of one in ten; the first answer counts. A broken connection, a
 * deadline, "too busy" are tried once more elsewhere; a refusal is not. A server that
 * keeps being late is left alone for a while and must answer a ping before it is asked
 * again.
 */
#pragma once

#include "keyless/ask.h"
#include "net/loop.h"

struct ask_pool;
struct identity; /* pki/identity.h */
struct profile;  /* tls/profile.h */
struct resolver; /* net/resolve.h */
struct trust;    /* pki/trust.h */

enum { ASK_POOL_SERVERS = 16, ASK_POOL_HOST = 254 };

struct ask_pool_server {
	struct span host; /* name or address to dial, or the path of a Unix socket */
	struct span name; /* that its certificate must have; empty: host */
	uint16_t port;    /* 0: 2407 */
	bool bare;        /* requests without padding */
	bool legacy_c;    /* the first C server: raw RSA has another opcode */
	bool plain_items; /* leave out items 0x06 and 0x13 to 0x17: it does not know
			     them */
};

/* Pointers are borrowed for the pool's life, but for servers, which are copied. */
struct ask_pool_spec {
	struct loop *loop;
	struct resolver *resolver;
	struct profile *profile;   /* see ask_pool_profile() */
	struct identity *identity; /* our certificate */
	struct trust *trust;       /* the CA of the key servers */
	const struct ask_pool_server *servers;
	size_t n_servers;
	size_t most;         /* asks at a time; 0: 16384 */
	uint32_t timeout_ms; /* of an ask, retries included; 0: 2000 */
	bool no_hedging;
};

/* TLS 1.2 and 1.3; NULL with ERR_TLS_PROFILE. */
struct profile *ask_pool_profile(struct err *err);

/* Connects to every server at once and keeps trying. */
struct ask_pool *ask_pool_new(const struct ask_pool_spec *spec);
/* Every ask is answered with ERR_KEYLESS_BROKEN first. Not from inside done(). */
void ask_pool_free(struct ask_pool *p);

/* As ask_send(); ask_cancel() works as usual. ERR_KEYLESS_NO_SERVER when none is up or
 * about to be. */
MUST_USE bool ask_pool_send(struct ask_pool *p, struct ask *a, struct err *err);

/* ---- how the servers are ---- */

enum ask_server_state {
	ASK_SERVER_DOWN, /* waits before the next try */
	ASK_SERVER_COMING,
	ASK_SERVER_UP,
};

struct ask_server_view {
	const char *host; /* the pool's */
	uint16_t port;
	enum ask_server_state state;
	size_t waiting;    /* asks */
	uint32_t p95_us;   /* of the last answers; 0: none yet */
	uint64_t answers;  /* since the start */
	uint64_t failures; /* connections lost or not made */
	uint64_t hedges;   /* asks sent here because another was slow */
	struct err last;   /* why it was lost last */
};

size_t ask_pool_count(const struct ask_pool *p);
/* i < ask_pool_count(). */
void ask_pool_look(const struct ask_pool *p, size_t i, struct ask_server_view *out);

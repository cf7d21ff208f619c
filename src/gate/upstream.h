// SPDX-License-Identifier: Apache-2.0
/*
 * upstream: a connection to an origin, and the pool of those that wait for a next
 * request.
 *
 * Owned by the session that uses it, or by the worker's pool. What was found out about
 * the origin (its chain, the verdict) stays with the connection, so that a client
 * served over a pooled one is decided by the same facts as the one it was opened for.
 * Connections are shared only between clients that agree in everything the verdict
 * depends on, and never after a client authenticated on one.
 */
#pragma once

#include "base/arena.h"
#include "gate/side.h"
#include "gate/target.h"
#include "net/addr.h"
#include "pki/trust.h"
#include "tls/hello.h"

struct worker;
struct lane;
struct h2;
struct trunk;

struct upstream {
	struct side side;
	struct h2 *h2;       /* owned; NULL unless HTTP/2 was chosen */
	struct trunk *trunk; /* that shares it and owns it; NULL: it has one user */
	struct worker *w;
	struct lane *user; /* NULL while in the pool */
	struct corpse corpse;

	struct map_item by_target; /* the pool's; several may have one key */
	struct list idle;          /* in the pool, oldest first */
	struct list same;          /* others with this key */
	struct timer idle_deadline;
	uint8_t *key; /* owned */
	size_t n_key;
	size_t target_index;

	struct addr peer;
	char ja3[HELLO_JA3]; /* of the ClientHello we sent; "" without TLS */
	char ja4[HELLO_JA4];
	struct verdict verdict; /* of its chain; class good for plain ones too */
	bool knows_h2;          /* in plain TCP, by prior knowledge */
	bool was_reused;        /* at least one request went before */
	bool bound;             /* a client authenticated on it: never shared */
	bool kept;              /* its TLS session was, for the next connection */
	unsigned requests;
};

struct upstream_pool {
	struct map by_target; /* first idle connection of each key */
	struct list idle;     /* all, oldest first */
	size_t n;
	size_t most;
};

enum { UPSTREAM_KEY_MOST = 32 + 18 + 32 + 256 + 256 + 256 };
/* The octets in which two targets must agree to share connections; how many. */
size_t upstream_key(const struct target *to, uint8_t dst[UPSTREAM_KEY_MOST]);

void upstream_pool_init(struct upstream_pool *pool, size_t most);
void upstream_pool_fini(struct upstream_pool *pool);

/* Takes fd, just connected. */
struct upstream *upstream_new(struct worker *w, const struct target *to, int fd);
/* TLS stands: begins HTTP/2 if that is what was chosen, or what is known without asking
 * (`h2c`). Such a connection is its session's own, or a trunk's, and never in the pool.
 */
void upstream_begin(struct upstream *up);
/* Whether it goes where this target is. */
MUST_USE bool upstream_is_for(const struct upstream *up, const struct target *to);
/* Closes and buries. NULL is fine. */
void upstream_free(struct upstream *up);
/* An idle connection to this, now the session's; or NULL. */
struct upstream *upstream_take(struct worker *w, const struct target *to);
/* The request is over and both ends may go on: to the pool, or closed. */
void upstream_give(struct upstream *up, uint64_t idle_ms);

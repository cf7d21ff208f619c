// SPDX-License-Identifier: Apache-2.0
/*
 * elsewhere: a handshake whose private key is on a key server.
 *
 * A site has an `elsewhere_key`: which key, and through what it is reached (a pool of
 * key servers, or the vault's link). Each connection that may need it embeds an
 * `elsewhere` and gives its owner to the TLS engine: when the handshake pauses, the
 * signature is asked for, and ready() tells the connection to advance when it came, or
 * will not come.
 *
 *	session ── tls_advance() ── paused ── ask ──▶ key server
 *	session ◀── ready() ◀── answer, refusal, deadline
 */
#pragma once

#include "keyless/ask.h"
#include "tls/remote.h"

struct ask_pool;
struct chain;    /* pki/chain.h */
struct identity; /* pki/identity.h */

/* Outlives every identity made from it. One of pool and link is set. */
struct elsewhere_key {
	struct remote_key remote; /* filled in by elsewhere_identity() */
	struct ask_pool *pool;    /* borrowed */
	struct ask_link *link;    /* borrowed */
};

/* An identity of this chain whose leaf's key is k; k->remote.ski is set from the leaf.
 * remote_setup() was called before. ERR_TLS_REMOTE, ERR_PKI_IDENTITY. */
struct identity *elsewhere_identity(
	struct elsewhere_key *k, const struct chain *chain, struct err *err);

struct elsewhere {
	struct remote_owner owner; /* for tls_server_spec or tls_client_spec */
	/* The handshake can go on: tls_advance(). From the loop. */
	void (*ready)(struct elsewhere *e);
	/* What the key server is told beside; zero is fine. Spans live as long as e. */
	struct span name; /* SNI the client asked for */
	struct ip client_ip;
	struct ip server_ip;

	/* The outcome of the last one, for events. */
	struct err err;   /* why there was no signature; ERR_NONE when there was one */
	uint64_t took_us; /* from asking to the answer */

	/* Private. */
	struct ask ask;
	struct remote_ask *pending; /* on the paused fibre's stack */
	uint64_t since_us;
};

void elsewhere_init(struct elsewhere *e, void (*ready)(struct elsewhere *e));
/* Before tls_free(), and whenever the connection ends: nothing comes any more. */
void elsewhere_drop(struct elsewhere *e);
/* Whether a signature is being waited for. */
MUST_USE bool elsewhere_waits(const struct elsewhere *e);

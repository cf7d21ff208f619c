// SPDX-License-Identifier: Apache-2.0
/*
 * server: the public key server: the key protocol over mutual TLS, for edges elsewhere.
 *
 * A client certificate must chain to the operator's CA and be good for clientAuth; then
 * the first policy row that names it says which keys, operations, server names and how
 * many a second. No row at all: every certificate of that CA may sign with every key.
 * It is judged in the handshake, so a bad one meets an alert that says why; no octet of
 * the peer's is read as a request before.
 */
#pragma once

#include "keyless/line.h"
#include "keyless/metrics.h"
#include "net/addr.h"
#include "net/listen.h"
#include "pki/trust.h"
#include "tls/engine.h"

struct identity; /* pki/identity.h */
struct revoke;   /* pki/revoke.h */

struct server;

/* Whom a row is for, and what it may. */
struct server_policy {
	/* A DNS name or commonName of the certificate, or "sha256:" and the hex digest
	 * of its octets. Borrowed. */
	const char *match;
	struct answer_client client;
};

/* One client connection. */
struct server_peer {
	struct answer_seat seat;
	struct server *server; /* borrowed */
	struct addr from;
	char name[128];  /* of its certificate; "" until it was judged */
	char serial[64]; /* hex */

	/* Private. */
	struct list all;
	struct io io;
	struct tls *tls; /* owned */
	struct buf plain_in;
	struct buf plain_out;
	struct timer idle;
	uint64_t opened_ms; /* clock_now() */
	struct corpse corpse;
	struct tls_judge judge;
	enum verdict_class verdict; /* on its certificate */
	struct err why;             /* not to be let in */
	bool good;                  /* judged in the handshake */
	bool open;                  /* good, and the handshake is over */
	bool closing;               /* nothing it says matters any more */
	bool dead;
};

/* All borrowed for the server's life, but for the policies' clients, which it changes.
 */
struct server_spec {
	struct loop *loop;
	struct keys *keys;
	struct profile *profile; /* see server_profile() */
	struct identity *identity;
	struct trust *trust;   /* the CA of the clients */
	struct revoke *revoke; /* CRLs; or NULL */
	struct server_policy *policies;
	size_t n_policies;
	struct metrics *metrics; /* counted into; NULL: the server's own */
	size_t most;             /* connections; 0: 4096 */
	uint32_t handshake_ms;   /* 0: 10 s */
	uint32_t idle_ms;        /* 0: 30 s; over a Unix socket an hour at least */
	/* without policies: what clients may; empty: the default */
	struct wire_mask mask;
};

struct server {
	struct server_spec spec;
	struct answer_desk desk; /* door.ops may be set: seal, unseal */
	struct metrics *metrics;
	/* One signature or refusal, after metrics have counted it. May be NULL; peer is
	 * NULL when it is gone already. */
	void (*audited)(struct server *s, const struct answer_audit *a,
		const struct server_peer *peer);

	/* Private. */
	struct listen_limit limit;
	struct list peers;
	size_t n_peers;
	bool draining;
	uint64_t drained_ms;      /* clock_now(), when that began */
	struct answer_client any; /* without policies */
	struct metrics own;
};

/* TLS 1.3, and 1.2 with the two suites the protocol's reference takes; a certificate is
 * demanded of the client. NULL with ERR_TLS_PROFILE. */
struct profile *server_profile(struct err *err);

/* Sets s up; nothing listens yet. */
void server_open(struct server *s, const struct server_spec *spec);
/* Closes every peer. Listeners are the caller's and are stopped before. */
void server_close(struct server *s);

/* A client that was accepted; takes fd. s->limit counts it: start listeners with
 * listen_start(…, &s->limit). */
void server_accept(struct server *s, int fd, const struct addr *from);

/* Ends each peer when it has asked nothing for a moment, within a second, and its calls
 * are answered: what it sent before it could know is not lost. */
void server_drain(struct server *s);

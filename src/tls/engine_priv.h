// SPDX-License-Identifier: Apache-2.0
/*
 * engine_priv: what is in an engine, for the files of this room.
 */
#pragma once

#include "pki/ossl.h"
#include "tls/bio_priv.h"
#include "tls/engine.h"

/* How far a server is that takes early data. */
enum early { EARLY_OVER, EARLY_ASKED, EARLY_READING };

struct tls {
	SSL *ssl;                /* owned */
	struct profile *profile; /* one reference */
	struct bio_wire wire;
	enum tls_state state;
	int alert_sent; /* TLS_NO_ALERT, or its number */
	int alert_received;
	bool presented;             /* server: there is an identity */
	bool accepted;              /* client: tls_accept() was called */
	bool told_end;              /* our close_notify is on its way */
	enum err_code refused;      /* why there was no signature, or ERR_NONE */
	struct span alpn;           /* server: what to choose; borrowed */
	struct span staple;         /* server; borrowed */
	uint32_t session_s;         /* server; 0: the profile's */
	enum early early;           /* server */
	struct once *once;          /* borrowed; or NULL */
	struct buf early_in;        /* what came before anybody could read */
	struct remote_owner *owner; /* borrowed */
	struct tls_judge *judge;    /* server: borrowed; or NULL */
	struct remote_ask *ask; /* on the paused fibre's stack; NULL when not paused */
	struct chain *peer;     /* server: what the client showed; owned, or NULL */
	bool wants_scts;        /* client: asks for timestamps of transparency logs */
	struct span scts;       /* client; owned; SignedCertificateTimestampList */
	SSL_SESSION *session;   /* client: newest that can be resumed; owned, or NULL */
	size_t retry;        /* octets of a write that OpenSSL must see again, or 0 */
	uint64_t burst;      /* octets written since the last pause */
	uint64_t written_ms; /* clock_now() of the last write */
	struct err *why;     /* owned; set with TLS_FAILED */
};

/* Callbacks that belong to every SSL_CTX, and to those of one role. */
void engine_prepare(SSL_CTX *ctx);
void engine_prepare_server(SSL_CTX *ctx);
MUST_USE bool engine_prepare_client(SSL_CTX *ctx);
/* peer.c: the client's certificates are kept by the engine, not by OpenSSL. */
void peer_keep(struct tls *t, struct chain *chain); /* takes it */
void peer_free(struct tls *t);
/* For the profiles of servers that ask for certificates and resume. */
void peer_prepare(SSL_CTX *ctx);
/* early.c: as SSL_do_handshake(), SSL_read_ex() and SSL_write_ex(), of which they take
 * the place while early data may come. */
void early_begin(struct tls *t, uint32_t most, struct once *once);
int early_shake(struct tls *t);
int early_read(struct tls *t, uint8_t *dst, size_t cap, size_t *n);
int early_write(struct tls *t, struct span data, size_t *n);
/* The engine an SSL belongs to. */
struct tls *engine_of(const SSL *ssl);

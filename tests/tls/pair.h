// SPDX-License-Identifier: Apache-2.0
/*
 * pair: two engines face to face in memory, for the tests of this room.
 */
#pragma once

#include "base/buf.h"
#include "pki/identity.h"
#include "pki/ossl.h"
#include "tests/test.h"
#include "tls/engine.h"
#include "tls/resume.h"

struct pair {
	struct tls *client;
	struct tls *server;
	struct buf up;       /* client to server */
	struct buf down;     /* server to client */
	struct buf up_later; /* on the way, when a test meters the wire */
	struct buf down_later;
	struct err client_err;
	struct err server_err;
};

/* A self-signed leaf for a.example and its key. */
static inline X509 *
pair_leaf(EVP_PKEY *key)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	static long serial = 1;

	CHECK(X509_set_version(x, 2) == 1);
	ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
	CHECK(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		      (const unsigned char *)"a.example", -1, -1, 0) == 1);
	CHECK(X509_set_issuer_name(x, name) == 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	CHECK(X509_set_pubkey(x, key) == 1);
	bool ed = EVP_PKEY_is_a(key, "ED25519");
	CHECK(X509_sign(x, key, ed ? NULL : EVP_sha256()) > 0);
	return x;
}

static inline struct identity *
pair_identity_of(X509 *leaf, EVP_PKEY *key)
{
	struct chain chain;
	struct err err = {0};

	chain_init(&chain);
	CHECK_OK(chain_from_x509(&chain, leaf, NULL, &err), &err);
	struct identity *id = identity_new(&chain, key, &err);
	CHECK_OK(id != NULL, &err);
	chain_fini(&chain);
	return id;
}

static inline struct identity *
pair_identity(enum key_kind kind)
{
	struct err err = {0};
	AUTO(EVP_PKEY) *key = key_new(kind, &err);

	CHECK_OK(key != NULL, &err);
	AUTO(X509) *leaf = pair_leaf(key);
	return pair_identity_of(leaf, key);
}

static inline struct profile *
pair_profile(struct profile_spec spec)
{
	struct err err = {0};
	struct profile *p = profile_new(&spec, &err);

	CHECK_OK(p != NULL, &err);
	return p;
}

static inline void
pair_init(struct pair *p, size_t limit)
{
	*p = (struct pair){0};
	buf_init(&p->up, limit);
	buf_init(&p->down, limit);
	buf_init(&p->up_later, limit);
	buf_init(&p->down_later, limit);
}

static inline void
pair_fini(struct pair *p)
{
	tls_free(p->client);
	tls_free(p->server);
	buf_fini(&p->up);
	buf_fini(&p->down);
	buf_fini(&p->up_later);
	buf_fini(&p->down_later);
}

static inline void
pair_client(struct pair *p, struct tls_client_spec spec)
{
	struct err err = {0};

	spec.wire_in = &p->down;
	spec.wire_out = &p->up;
	p->client = tls_client_new(&spec, &err);
	CHECK_OK(p->client != NULL, &err);
}

static inline void
pair_server(struct pair *p, struct tls_server_spec spec)
{
	struct err err = {0};

	spec.wire_in = &p->up;
	spec.wire_out = &p->down;
	p->server = tls_server_new(&spec, &err);
	CHECK_OK(p->server != NULL, &err);
}

/* Where the caller looks at the state itself. */
static inline void
pair_advance(struct tls *t, struct err *err)
{
	enum tls_state state = tls_advance(t, err);
	CHECK_INT(state, tls_state(t));
}

/* Both go on until neither moves an octet. */
static inline void
pair_run(struct pair *p)
{
	struct tls_facts before;
	struct tls_facts after;

	do {
		tls_facts(p->client, &before);
		uint64_t was = before.wire_in + before.wire_out;
		tls_facts(p->server, &before);
		was += before.wire_in + before.wire_out;
		pair_advance(p->client, &p->client_err);
		pair_advance(p->server, &p->server_err);
		tls_facts(p->client, &before);
		tls_facts(p->server, &after);
		if (before.wire_in + before.wire_out + after.wire_in + after.wire_out ==
			was)
			break;
	} while (true);
}

/* To the end of the handshake, with the verdict that all is well. */
static inline void
pair_open(struct pair *p)
{
	pair_run(p);
	CHECK_INT(tls_state(p->client), TLS_WANTS_VERDICT);
	tls_accept(p->client);
	CHECK_INT(tls_state(p->client), TLS_OPEN);
	CHECK_INT(tls_state(p->server), TLS_OPEN);
}

/* One message there and back, through engines that are open. */
static inline void
pair_talk(struct pair *p)
{
	struct buf a;
	struct buf b;

	buf_init(&a, 65536);
	buf_init(&b, 65536);
	CHECK(buf_put(&a, SPAN("ping")));
	CHECK_INT(tls_write(p->client, &a), 4);
	CHECK_INT(tls_read(p->server, &b), 4);
	CHECK_SPAN(buf_peek(&b), "ping");
	CHECK_INT(tls_write(p->server, &b), 4);
	CHECK_INT(tls_read(p->client, &a), 4);
	CHECK_SPAN(buf_peek(&a), "ping");
	buf_fini(&a);
	buf_fini(&b);
}

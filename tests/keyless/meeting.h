// SPDX-License-Identifier: Apache-2.0
/* meeting: whole TLS handshakes whose private key is behind a socket pair. */
#pragma once

#include "keyless/elsewhere.h"
#include "pki/identity.h"
#include "tests/keyless/pair.h"
#include "tls/engine.h"
#include "tls/profile.h"

enum { WIRE = 65536, DAY = 86400 };

struct site {
	struct elsewhere_key key;
	struct identity *id;
	struct profile *server_side;
	struct profile *client_side;
};

/* A TLS connection; its server half has no private key. */
struct meeting {
	struct tls *client;
	struct tls *server;
	struct buf up;
	struct buf down;
	struct elsewhere elsewhere;
	struct err err;
	int readies;
};

static struct site site;

static inline X509 *
make_leaf(EVP_PKEY *key)
{
	X509 *x = X509_new();
	bool ed = EVP_PKEY_is_a(key, "ED25519");

	CHECK(X509_set_version(x, 2) == 1);
	CHECK(ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1);
	CHECK(X509_gmtime_adj(X509_getm_notBefore(x), -DAY) != NULL);
	CHECK(X509_gmtime_adj(X509_getm_notAfter(x), DAY) != NULL);
	CHECK(X509_set_pubkey(x, key) == 1);
	CHECK(X509_sign(x, key, ed ? NULL : EVP_sha256()) > 0);
	return x;
}

/* The key goes into the key server's store; of the edge's own only the leaf is left. */
static inline void
site_open(enum key_kind kind, uint16_t version)
{
	struct err err = {0};
	struct chain chain;
	EVP_PKEY *key = key_new(kind, &err);
	X509 *leaf = make_leaf(key);

	pair_open();
	chain_init(&chain);
	CHECK_OK(chain_from_x509(&chain, leaf, NULL, &err), &err);
	CHECK_OK(keys_add(&pair.keys, key_wrap(key), "site", "test", &err), &err);
	site = (struct site){.key.link = &pair.line.link};
	site.id = elsewhere_identity(&site.key, &chain, &err);
	CHECK_OK(site.id != NULL, &err);
	site.server_side = profile_new(
		&(struct profile_spec){.role = PROFILE_SERVER, .max_version = version},
		&err);
	site.client_side =
		profile_new(&(struct profile_spec){.role = PROFILE_CLIENT}, &err);
	CHECK_OK(site.server_side && site.client_side, &err);
	chain_fini(&chain);
	X509_free(leaf);
}

static inline void
site_close(void)
{
	identity_put(site.id);
	profile_put(site.server_side);
	profile_put(site.client_side);
	pair_close();
}

static inline void
ready(struct elsewhere *e)
{
	CONTAINER_OF(e, struct meeting, elsewhere)->readies++;
}

static inline void
meeting_open(struct meeting *m)
{
	*m = (struct meeting){0};
	buf_init(&m->up, WIRE);
	buf_init(&m->down, WIRE);
	elsewhere_init(&m->elsewhere, ready);
	m->elsewhere.name = SPAN("shop.example");
	m->client =
		tls_client_new(&(struct tls_client_spec){.profile = site.client_side,
				       .host = SPAN("shop.example"),
				       .wire_in = &m->down,
				       .wire_out = &m->up},
			&m->err);
	m->server =
		tls_server_new(&(struct tls_server_spec){.profile = site.server_side,
				       .identity = site.id,
				       .owner = &m->elsewhere.owner,
				       .wire_in = &m->up,
				       .wire_out = &m->down},
			&m->err);
	CHECK_OK(m->client && m->server, &m->err);
}

static inline void
meeting_close(struct meeting *m)
{
	elsewhere_drop(&m->elsewhere);
	tls_free(m->client);
	tls_free(m->server);
	buf_fini(&m->up);
	buf_fini(&m->down);
}

static inline void
meeting_step(struct meeting *m)
{
	struct err client_err = {0};

	if (tls_advance(m->client, &client_err) == TLS_WANTS_VERDICT)
		tls_accept(m->client);
	enum tls_state state = tls_advance(m->server, &m->err);
	CHECK_INT(state, tls_state(m->server));
}

static inline bool
is_over(struct meeting *m)
{
	enum tls_state s = tls_state(m->server);

	return s == TLS_FAILED || (s == TLS_OPEN && tls_state(m->client) == TLS_OPEN);
}

static inline void
meeting_run(struct meeting *m)
{
	for (int i = 0; i < 3000 && !is_over(m); i++) {
		meeting_step(m);
		loop_turn(&pair.loop, elsewhere_waits(&m->elsewhere) ? 5 : 0);
	}
	CHECK(is_over(m));
}

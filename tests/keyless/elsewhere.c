// SPDX-License-Identifier: Apache-2.0
/* Whole TLS handshakes whose private key is behind a socket pair, in another store. */
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

static X509 *
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
static void
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

static void
site_close(void)
{
	identity_put(site.id);
	profile_put(site.server_side);
	profile_put(site.client_side);
	pair_close();
}

static void
ready(struct elsewhere *e)
{
	CONTAINER_OF(e, struct meeting, elsewhere)->readies++;
}

static void
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

static void
meeting_close(struct meeting *m)
{
	elsewhere_drop(&m->elsewhere);
	tls_free(m->client);
	tls_free(m->server);
	buf_fini(&m->up);
	buf_fini(&m->down);
}

static void
meeting_step(struct meeting *m)
{
	struct err client_err = {0};

	if (tls_advance(m->client, &client_err) == TLS_WANTS_VERDICT)
		tls_accept(m->client);
	enum tls_state state = tls_advance(m->server, &m->err);
	CHECK_INT(state, tls_state(m->server));
}

static bool
is_over(struct meeting *m)
{
	enum tls_state s = tls_state(m->server);

	return s == TLS_FAILED || (s == TLS_OPEN && tls_state(m->client) == TLS_OPEN);
}

static void
meeting_run(struct meeting *m)
{
	for (int i = 0; i < 3000 && !is_over(m); i++) {
		meeting_step(m);
		loop_turn(&pair.loop, elsewhere_waits(&m->elsewhere) ? 5 : 0);
	}
	CHECK(is_over(m));
}

static void
handshakes_complete_with_every_kind_of_key_and_version(void)
{
	static const enum key_kind kinds[] = {
		KEY_P256, KEY_P384, KEY_RSA2048, KEY_ED25519};
	static const uint16_t versions[] = {TLS_1_2, TLS_1_3};

	for (size_t i = 0; i < COUNT_OF(kinds) * 2; i++) {
		struct meeting m;
		struct tls_facts facts;

		site_open(kinds[i / 2], versions[i % 2]);
		meeting_open(&m);
		meeting_run(&m);
		if (tls_state(m.server) != TLS_OPEN)
			fail_msg("%zu: %s", i, m.err.text);
		tls_facts(m.server, &facts);
		CHECK_INT(facts.version, versions[i % 2]);
		CHECK_INT(m.readies, 1);
		CHECK_INT(m.elsewhere.err.code, ERR_NONE);
		CHECK_INT(pair.server.seat.link.requests, 1);
		meeting_close(&m);
		site_close();
	}
}

static void
a_refusal_ends_the_handshake_and_says_why(void)
{
	struct meeting m;

	site_open(KEY_P256, TLS_1_3);
	wire_mask_drop(&pair.client.mask, WIRE_ECDSA_SHA256);
	meeting_open(&m);
	meeting_run(&m);
	CHECK_INT(tls_state(m.server), TLS_FAILED);
	CHECK_INT(m.elsewhere.err.code, ERR_KEYLESS_REFUSED);
	CHECK(!buf_empty(&m.down) || tls_state(m.client) == TLS_FAILED); /* an alert */
	meeting_close(&m);
	site_close();
}

static void
a_broken_link_fails_the_handshake_at_once(void)
{
	struct meeting m;

	site_open(KEY_P256, TLS_1_3);
	meeting_open(&m);
	answer_line_close(&pair.server);
	pair.server_ended = true;
	meeting_run(&m);
	CHECK_INT(tls_state(m.server), TLS_FAILED);
	CHECK_INT(m.elsewhere.err.code, ERR_KEYLESS_BROKEN);
	meeting_close(&m);

	meeting_open(&m); /* now it cannot even be sent: no pause */
	meeting_run(&m);
	CHECK_INT(tls_state(m.server), TLS_FAILED);
	CHECK_INT(m.readies, 0);
	meeting_close(&m);
	site_close();
}

static struct answer_call *kept;

static void
keep_call(struct answer_call *c)
{
	kept = c;
}

static void
a_lie_is_found_out_and_a_client_that_went_is_forgotten(void)
{
	struct meeting m;
	static const uint8_t lie[71] = {0x30, 69};

	site_open(KEY_P256, TLS_1_3);
	pair.desk.door.pass_on = keep_call;
	meeting_open(&m);
	for (int i = 0; i < 100 && !kept; i++) {
		meeting_step(&m);
		loop_turn(&pair.loop, 1);
	}
	CHECK(kept && elsewhere_waits(&m.elsewhere));
	answer_reply(kept, span_of(lie, sizeof(lie)));
	kept = NULL;
	meeting_run(&m);
	CHECK_INT(tls_state(m.server), TLS_FAILED);
	CHECK_INT(m.err.code, ERR_TLS_REMOTE_LIED);
	meeting_close(&m);

	meeting_open(&m);
	for (int i = 0; i < 100 && !kept; i++) {
		meeting_step(&m);
		loop_turn(&pair.loop, 1);
	}
	meeting_close(&m); /* the client hung up while the key server thought */
	answer_reply(kept, span_of(lie, sizeof(lie)));
	for (int i = 0; i < 20; i++)
		loop_turn(&pair.loop, 1);
	CHECK_INT(pair.line.link.strays, 1);
	site_close();
}

static void
setup_once(void)
{
	struct err err = {0};

	CHECK_OK(remote_setup(64, &err), &err);
}

TESTS(setup_once, handshakes_complete_with_every_kind_of_key_and_version,
	a_refusal_ends_the_handshake_and_says_why,
	a_broken_link_fails_the_handshake_at_once,
	a_lie_is_found_out_and_a_client_that_went_is_forgotten)

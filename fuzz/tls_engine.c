// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz tls_engine: wire bytes of a stranger against both roles.
 *
 * The first octet chooses the role and how the bytes are cut. A client is fed the input
 * as a server's flight; a server first gets a real ClientHello when bit 1 is set, so
 * that the input meets it in the middle of a handshake.
 */
#include "pki/identity.h"
#include "pki/ossl.h"
#include "tls/engine.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { AS_SERVER = 1, AFTER_HELLO = 2, WIRE = 70000 };

/* Made once: a fuzz target may keep what every run needs. */
static struct {
	struct profile *client;
	struct profile *server;
	struct identity *id;
} world;

static X509 *
make_leaf(EVP_PKEY *key)
{
	X509 *x = X509_new();

	if (!x || X509_set_version(x, 2) != 1 || X509_set_pubkey(x, key) != 1)
		__builtin_trap();
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	if (X509_sign(x, key, EVP_sha256()) <= 0)
		__builtin_trap();
	return x;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct err err = {0};
	struct chain chain;
	AUTO(EVP_PKEY) *key = key_new(KEY_P256, &err);
	AUTO(X509) *leaf = make_leaf(key);

	(void)argc;
	(void)argv;
	chain_init(&chain);
	if (!chain_from_x509(&chain, leaf, NULL, &err))
		__builtin_trap();
	world.id = identity_new(&chain, key, &err);
	chain_fini(&chain);
	world.client =
		profile_new(&(struct profile_spec){.role = PROFILE_CLIENT}, &err);
	world.server = profile_new(&(struct profile_spec){.role = PROFILE_SERVER,
					   .client_cert = CLIENT_CERT_ASK},
		&err);
	return world.id && world.client && world.server ? 0 : 1;
}

static struct tls *
new_client(struct buf *in, struct buf *out)
{
	struct err err = {0};

	return tls_client_new(&(struct tls_client_spec){.profile = world.client,
				      .host = SPAN("a.example"),
				      .alpn = SPAN("\2h2"),
				      .wire_in = in,
				      .wire_out = out},
		&err);
}

static struct tls *
new_server(struct buf *in, struct buf *out)
{
	struct err err = {0};

	return tls_server_new(&(struct tls_server_spec){.profile = world.server,
				      .identity = world.id,
				      .alpn = SPAN("h2"),
				      .wire_in = in,
				      .wire_out = out},
		&err);
}

/* A ClientHello of ours into the server's wire. */
static void
say_hello(struct tls *server, struct buf *in)
{
	struct err err = {0};
	struct buf none;
	buf_init(&none, 0);
	struct tls *client = new_client(&none, in);

	if (tls_advance(client, &err) == TLS_FAILED)
		__builtin_trap();
	tls_free(client);
	if (tls_advance(server, &err) == TLS_FAILED)
		__builtin_trap();
}

static void
feed(struct tls *t, struct buf *in, struct buf *out, struct span wire)
{
	struct err err = {0};
	struct buf plain;
	struct tls_facts f;

	buf_init(&plain, WIRE);
	while (wire.n > 0 && tls_state(t) != TLS_FAILED) {
		struct span piece = span_first(wire, 1 + wire.n / 2);
		if (!buf_put(in, piece))
			break;
		wire = span_from(wire, piece.n);
		if (tls_advance(t, &err) == TLS_WANTS_VERDICT)
			tls_accept(t);
		(void)tls_read(t, &plain);
		(void)tls_write(t, &plain);
		buf_drop(out, buf_len(out));
	}
	tls_wire_ended(t);
	(void)tls_read(t, &plain);
	if (tls_advance(t, &err) == TLS_FAILED && err.code == ERR_NONE)
		__builtin_trap();
	(void)tls_end(t);
	tls_facts(t, &f);
	buf_fini(&plain);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf in;
	struct buf out;

	if (n < 1)
		return 0;
	buf_init(&in, WIRE);
	buf_init(&out, WIRE);
	struct tls *t =
		p[0] & AS_SERVER ? new_server(&in, &out) : new_client(&in, &out);
	if (!t)
		__builtin_trap();
	if ((p[0] & (AS_SERVER | AFTER_HELLO)) == (AS_SERVER | AFTER_HELLO))
		say_hello(t, &in);
	feed(t, &in, &out, span_of(p + 1, n - 1));
	tls_free(t);
	buf_fini(&in);
	buf_fini(&out);
	return 0;
}

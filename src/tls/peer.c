// SPDX-License-Identifier: Apache-2.0
/*
 * peer: the certificates that the other side showed.
 *
 * OpenSSL keeps a client's leaf, parsed, in the session. To make a ticket it writes the
 * session, reads it back and writes it again, and reading a key costs more than
 * checking a signature with it: a fifth of the whole handshake went there. So what a
 * client showed is kept by the engine, as octets, and before a ticket is made the
 * session loses its certificate and carries the same octets as data of ours, which
 * nobody parses. Nothing else changes: ticket and binding protect them as before.
 */
#include <openssl/err.h>

#include "base/mem.h"
#include "pki/chain.h"
#include "pki/der.h"
#include "pki/der_write.h"
#include "tls/engine_priv.h"

enum { SESSION_PEER = DER_EXPLICIT + 3 }; /* in OpenSSL's form of a session */

void
peer_keep(struct tls *t, struct chain *chain)
{
	peer_free(t);
	t->peer = chain;
}

void
peer_free(struct tls *t)
{
	if (t->peer)
		chain_fini(t->peer);
	mem_free(t->peer);
	t->peer = NULL;
}

/* ---- sessions ---- */

/* The session without its certificate; false when it has none, or is not as we know
 * it. */
static bool
leave_out_peer(struct span session, struct der_write *out)
{
	struct read r = read_from(session);
	struct read body = der_take(&r, DER_SEQUENCE);
	const uint8_t *begin = body.left.p;

	while (read_more(&body) && !der_is(&body, SESSION_PEER))
		(void)der_any(&body);
	size_t before = (size_t)(body.left.p - begin);
	if (der_any(&body).tag != SESSION_PEER || body.bad || !read_done(&r))
		return false;
	der_put(out, body.left);
	der_put(out, span_of(begin, before));
	der_wrap(out, DER_SEQUENCE, der_mark(out) + body.left.n + before);
	return !out->bad;
}

/* In place: the handshake goes on with this very object, so it is read anew over
 * itself, and loses what is not there any more. */
static void
strip(SSL_SESSION *session, struct span whole)
{
	uint8_t *mem = mem_alloc(whole.n);
	struct der_write w = der_write_to(mem, whole.n);

	if (leave_out_peer(whole, &w)) {
		struct span bare = der_written(&w);
		(void)d2i_SSL_SESSION(&session, &bare.p, (long)bare.n);
	}
	secret_wipe(mem, whole.n);
	mem_free(mem);
}

/* What cannot be done is not needed: then the certificate goes with the session as
 * OpenSSL sends it. */
static int
before_ticket(SSL *ssl, void *unused)
{
	const struct tls *t = engine_of(ssl);
	SSL_SESSION *session = SSL_get_session(ssl);
	unsigned char *whole = NULL;

	(void)unused;
	if (!t->peer || t->peer->n == 0 || !SSL_SESSION_get0_peer(session))
		return 1;
	struct span leaf = t->peer->der[0];
	if (SSL_SESSION_set1_ticket_appdata(session, leaf.p, leaf.n) == 1) {
		int n = i2d_SSL_SESSION(session, &whole);
		if (n > 0)
			strip(session, span_of(whole, (size_t)n));
		OPENSSL_clear_free(whole, n > 0 ? (size_t)n : 0);
	}
	ERR_clear_error();
	return 1;
}

void
peer_prepare(SSL_CTX *ctx)
{
	SSL_CTX_set_session_ticket_cb(ctx, before_ticket, NULL, NULL);
}

/* The leaf that came back in a ticket; empty: none. */
static struct span
leaf_of_ticket(const struct tls *t)
{
	SSL_SESSION *session = SSL_get_session(t->ssl);
	void *p = NULL;
	size_t n = 0;

	if (!SSL_is_server(t->ssl) || !session ||
		SSL_SESSION_get0_ticket_appdata(session, &p, &n) != 1)
		return (struct span){0};
	return span_of(p, n);
}

/* ---- telling ---- */

bool
tls_has_peer(const struct tls *t)
{
	return (t->peer && t->peer->n > 0) || SSL_get0_peer_certificate(t->ssl) ||
		leaf_of_ticket(t).n > 0;
}

bool
tls_peer_chain(const struct tls *t, struct chain *out, struct err *err)
{
	const X509 *leaf = SSL_get0_peer_certificate(t->ssl);
	const STACK_OF(X509) *rest = SSL_get_peer_cert_chain(t->ssl);

	if (t->peer)
		return chain_add_all(out, t->peer, err);
	if (!leaf) {
		struct span der = leaf_of_ticket(t);
		return der.n == 0 || chain_add(out, der, err);
	}
	/* On a client the list begins with the leaf, on a server it does not have it.
	 */
	bool has_leaf = rest && sk_X509_num(rest) > 0 && !SSL_is_server(t->ssl);
	return chain_from_x509(out, has_leaf ? NULL : leaf, rest, err);
}

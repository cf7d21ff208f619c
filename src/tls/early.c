// SPDX-License-Identifier: Apache-2.0
/*
 * early: data that comes with a client's first flight (RFC 8446 §2.3).
 *
 * Whoever saw it on the wire can send it again. So a ticket's is taken once on a node,
 * only while the ticket's age fits (OpenSSL looks at that, within ten seconds), and the
 * holder is told until the handshake is over that what was read may be such a
 * repetition. The answer can go back before that; it reads nobody who has not the
 * session's key.
 */
#include <openssl/sha.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tls/engine_priv.h"
#include "tls/once.h"

/* A ticket's key is its own: whoever comes with it a second time repeats something, or
 * is a client that does not do as it should (RFC 8446 §C.4). */
static int
take_ticket(SSL *ssl, void *unused)
{
	struct tls *t = engine_of(ssl);
	uint8_t key[SSL_MAX_MASTER_KEY_LENGTH + 16];
	uint8_t digest[SHA256_DIGEST_LENGTH];
	const SSL_SESSION *session = SSL_get_session(ssl);
	size_t n = session ? SSL_SESSION_get_master_key(session, key, sizeof(key)) : 0;

	(void)unused;
	SHA256(key, n, digest);
	secret_wipe(key, sizeof(key));
	return n > 0 &&
		once_take(t->once, span_of(digest, sizeof(digest)), clock_now() / 1000);
}

void
early_begin(struct tls *t, uint32_t most, struct once *once)
{
	t->early = EARLY_ASKED;
	t->once = once;
	buf_init(&t->early_in, most);
	(void)SSL_set_max_early_data(t->ssl, most);
	(void)SSL_set_recv_max_early_data(t->ssl, most);
	/* OpenSSL's own guard keeps sessions in this process instead of in tickets. */
	SSL_set_options(t->ssl, SSL_OP_NO_ANTI_REPLAY);
	SSL_set_allow_early_data_cb(t->ssl, take_ticket, NULL);
}

int
early_shake(struct tls *t)
{
	size_t n = 0;
	size_t space = 0;

	if (t->early == EARLY_OVER)
		return SSL_do_handshake(t->ssl);
	uint8_t *dst = buf_space(&t->early_in, 1, &space);
	int r = SSL_read_early_data(t->ssl, dst, space, &n);
	buf_added(&t->early_in, n);
	if (n == 0)
		buf_fini(&t->early_in);
	switch (r) {
	case SSL_READ_EARLY_DATA_SUCCESS:
		t->early = EARLY_READING;
		return 1;
	case SSL_READ_EARLY_DATA_FINISH:
		t->early = EARLY_OVER;
		return SSL_do_handshake(t->ssl);
	default: /* SSL_READ_EARLY_DATA_ERROR, perhaps for want of octets */
		return 0;
	}
}

int
early_read(struct tls *t, uint8_t *dst, size_t cap, size_t *n)
{
	if (t->early == EARLY_READING) {
		int r = SSL_read_early_data(t->ssl, dst, cap, n);
		if (r != SSL_READ_EARLY_DATA_FINISH)
			return r == SSL_READ_EARLY_DATA_SUCCESS;
		t->early = EARLY_OVER;
	}
	return SSL_read_ex(t->ssl, dst, cap, n);
}

int
early_write(struct tls *t, struct span data, size_t *n)
{
	if (tls_is_early(t))
		return SSL_write_early_data(t->ssl, data.p, data.n, n);
	return SSL_write_ex(t->ssl, data.p, data.n, n);
}

bool
tls_is_early(const struct tls *t)
{
	return t->once && t->state == TLS_OPEN && !SSL_is_init_finished(t->ssl);
}

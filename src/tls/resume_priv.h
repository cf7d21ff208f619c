// SPDX-License-Identifier: Apache-2.0
/*
 * resume_priv: tickets and sessions as OpenSSL wants them.
 */
#pragma once

#include "pki/ossl.h"
#include "tls/resume.h"

struct tls_session {
	struct lru_item item;
	uint8_t key[RESUME_KEY];
	SSL_SESSION *ssl; /* one reference */
};

/* OpenSSL's callback of a server with tickets: seals and opens them. */
int tickets_key(SSL *ssl, unsigned char *name, unsigned char *iv,
	EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seal);
struct seal; /* pki/seal.h */
/* What sessions are sealed with that are kept by id: for as long as tickets live, and
 * with keys of the same secret. For the caller to seal_fini(). */
void tickets_seal(const struct tickets *t, struct seal *seal);
/* Sessions of TLS 1.2 go to profile.ids and come from there. */
void ids_prepare(SSL_CTX *ctx);

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

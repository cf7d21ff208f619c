// SPDX-License-Identifier: Apache-2.0
/*
 * signer: many signatures with one key, fast, and the checking of them.
 *
 * key_sign() sets OpenSSL up anew for each signature; a key server makes thousands a
 * second with the same key, so a signer keeps what does not change. One thread; it
 * blocks.
 */
#pragma once

#include "pki/key.h"

struct signer;

/* Borrows the key for its life. Refuses what the key protocol has no operation for: RSA
 * under 2048 or over 8192 bits, curves other than P-256, P-384 and P-521. ERR_PKI_KEY.
 */
struct signer *signer_new(const struct key *k, struct err *err);
void signer_free(struct signer *s); /* NULL does nothing */

/* As key_sign(). */
MUST_USE bool signer_sign(struct signer *s, const struct key_job *job, uint8_t *dst,
	size_t *n, struct err *err);
/* As key_rsa_raw(). */
MUST_USE bool signer_raw(
	struct signer *s, struct span input, uint8_t *dst, size_t *n, struct err *err);

/* Whether `signature` is one of the job by the private half of pub. */
MUST_USE bool signer_check(
	EVP_PKEY *pub, const struct key_job *job, struct span signature);

enum { SIGNER_DIGEST_MAX = 64 };
/* The digest of a text; returns its length (0 for KEY_HASH_NONE). */
size_t signer_digest(
	enum key_hash hash, struct span text, uint8_t dst[SIGNER_DIGEST_MAX]);

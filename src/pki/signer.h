// SPDX-License-Identifier: Apache-2.0
/*
 * signer: many signatures with one key, fast, and the checking of them.
 *
 * A key server makes thousands of signatures a second with the same key, so a signer
 * keeps what does not change between two. One thread; it blocks.
 */
#pragma once

#include "pki/key.h"

struct signer;

/* Borrows the key for its life. Refuses what the key protocol has no operation for: RSA
 * under 2048 or over 8192 bits, curves other than P-256, P-384 and P-521. ERR_PKI_KEY.
 */
struct signer *signer_new(const struct key *k, struct err *err);
void signer_free(struct signer *s); /* NULL does nothing */

/* RSA with the padding named (KEY_MD5SHA1 only with KEY_PKCS1, without DigestInfo),
 * ECDSA as DER, Ed25519 over the whole message. dst has KEY_SIGNATURE_MAX octets.
 * ERR_PKI_KEY. */
MUST_USE bool signer_sign(struct signer *s, const struct key_job *job, uint8_t *dst,
	size_t *n, struct err *err);
/* The raw RSA private operation, without padding: input and output are as long as the
 * modulus. */
MUST_USE bool signer_raw(
	struct signer *s, struct span input, uint8_t *dst, size_t *n, struct err *err);

/* Whether `signature` is one of the job by the private half of pub. */
MUST_USE bool signer_check(
	EVP_PKEY *pub, const struct key_job *job, struct span signature);

enum { SIGNER_DIGEST_MAX = 64 };
/* The digest of a text; returns its length (0 for KEY_HASH_NONE). */
size_t signer_digest(
	enum key_hash hash, struct span text, uint8_t dst[SIGNER_DIGEST_MAX]);

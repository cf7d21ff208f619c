// SPDX-License-Identifier: Apache-2.0
/*
 * resign: a certificate, or a revocation list, whose issuer's key is elsewhere.
 *
 * leaf_mint() signs with a stand-in key of the same kind (authority_load_elsewhere());
 * here its signature is taken off, the octets to be signed are handed out, and the
 * right signature is put in its place. Only octets move: what was built stays as it was
 * built.
 */
#pragma once

#include "pki/key.h"
#include "pki/signer.h"

/* All spans point into the certificate that was split. */
struct resign {
	struct span tbs;       /* the signed element, header included */
	struct span algorithm; /* the signature's AlgorithmIdentifier, the same */
};

MUST_USE bool resign_split(struct span der, struct resign *out, struct err *err);

/* What the issuer's key has to do: hash, padding and input (the hash, or for Ed25519
 * the whole TBS) for an issuer with this public key, by the algorithm that the stand-in
 * used. digest holds the input where it is a hash. */
struct key_job resign_job(const struct resign *r, const EVP_PKEY *issuer,
	uint8_t digest[SIGNER_DIGEST_MAX]);

/* The certificate with this signature, which is verified first: ERR_TLS_REMOTE_LIED.
 * *der is the caller's to mem_free(). */
MUST_USE bool resign_join(const struct resign *r, EVP_PKEY *issuer,
	struct span signature, struct span *der, struct err *err);

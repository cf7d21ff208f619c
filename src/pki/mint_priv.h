// SPDX-License-Identifier: Apache-2.0
/*
 * mint_priv: building certificates as structure; between leaf.c and authority.c.
 */
#pragma once

#include "base/ip.h"
#include "pki/ossl.h"

/* What both kinds of certificate need; everything is borrowed. */
struct mint_plan {
	const X509 *issuer; /* NULL: self-signed */
	const EVP_PKEY *signer;
	const EVP_PKEY *subject_key; /* only its public half is used */
	X509_NAME *subject;
	int64_t not_before;
	int64_t not_after;
};

/* A certificate with version, serial, names, dates, key, SKI and AKI; not signed yet.
 * NULL on failure. */
X509 *mint_begin(const struct mint_plan *plan, struct err *err);
/* Adds an extension from its structure. */
MUST_USE bool mint_add(X509 *x, int nid, void *value, bool critical);
/* Adds the keyUsage bits numbered as in RFC 5280 §4.2.1.3, −1 at the end. */
MUST_USE bool mint_add_usage(X509 *x, const int *bits);
MUST_USE bool mint_add_basic(X509 *x, bool is_ca, int path_len);
MUST_USE bool mint_add_crl_url(X509 *x, const char *url);
/* SHA-256, or the key's own method for Ed25519 (SHA-384 with P-384). */
MUST_USE bool mint_sign(X509 *x, const EVP_PKEY *signer, struct err *err);

/* The digest that mint_sign() uses; NULL where the key's method has its own. */
const EVP_MD *mint_digest(const EVP_PKEY *signer);

/* A revocation list: everything but its entries; then its end and signature. */
struct mint_crl_plan {
	const X509 *issuer; /* all borrowed */
	const EVP_PKEY *signer;
	const EVP_MD *md; /* NULL for Ed25519; pki/resign.h knows SHA-256 */
	uint64_t number;
	int64_t this_update; /* wall seconds */
	int64_t next_update;
};
X509_CRL *mint_crl_begin(const struct mint_crl_plan *plan, struct err *err);
MUST_USE bool mint_crl_finish(X509_CRL *crl, const struct mint_crl_plan *plan,
	struct span *der, struct err *err);

/* Appends an attribute as UTF-8; false on failure. Empty values are left out. */
MUST_USE bool mint_name_add(X509_NAME *name, int nid, struct span value);
MUST_USE bool mint_set_time(ASN1_TIME *t, int64_t wall);
int64_t mint_get_time(const ASN1_TIME *t);
/* DER into memory of ours. */
MUST_USE bool mint_encode(const X509 *x, struct span *der, struct err *err);

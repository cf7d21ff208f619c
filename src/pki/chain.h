// SPDX-License-Identifier: Apache-2.0
/*
 * chain: a bounded list of certificates as octets, leaf first, as a TLS peer sends it.
 *
 * Nothing here believes what is inside: order, validity and kinship are trust's to say.
 */
#pragma once

#include "pki/ossl.h"

enum {
	CHAIN_MAX = 64,           /* certificates */
	CHAIN_BYTES = 256 * 1024, /* octets of all together */
};

struct chain {
	struct span der[CHAIN_MAX]; /* each owned; freed by chain_fini() */
	size_t n;
	size_t bytes;
};

void chain_init(struct chain *c);
/* Frees; c may be used again. A zeroed chain may be given. */
void chain_fini(struct chain *c);

/* Adds a copy at the end, or ERR_PKI_CHAIN when a bound is met. */
MUST_USE bool chain_add(struct chain *c, struct span der, struct err *err);
/* Adds copies of all of another. */
MUST_USE bool chain_add_all(struct chain *c, const struct chain *from, struct err *err);
/* Adds every CERTIFICATE of PEM text, or the one certificate of DER octets; none at all
 * is ERR_PKI_CHAIN. */
MUST_USE bool chain_add_text(struct chain *c, struct span pem_or_der, struct err *err);
MUST_USE bool chain_load(struct chain *c, const char *path, struct err *err);

/* What an authority's "CA issuers" address may serve (RFC 5280 §4.2.2.1): as above, or
 * a certs-only CMS message in DER, of which no signature is looked at. */
MUST_USE bool chain_add_issuers(struct chain *c, struct span body, struct err *err);

/* From OpenSSL's list; leaf may be NULL when the list begins with it. */
MUST_USE bool chain_from_x509(struct chain *c, const X509 *leaf,
	const STACK_OF(X509) * rest, struct err *err);
/* A new list from index `from` on, for the caller to free with its members; NULL on
 * failure. Its members may be shared with others through OpenSSL's own counting. */
STACK_OF(X509) * chain_to_x509(const struct chain *c, size_t from, struct err *err);

/*
 * On the wire: each certificate behind a length of 3 octets (RFC 8446 §4.4.2 without
 * extensions). chain_read() adds to c.
 */
size_t chain_wire_size(const struct chain *c);
MUST_USE bool chain_write(const struct chain *c, uint8_t *dst, size_t cap, size_t *n);
MUST_USE bool chain_read(struct chain *c, struct span wire, struct err *err);

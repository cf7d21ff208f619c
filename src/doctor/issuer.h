// SPDX-License-Identifier: Apache-2.0
/*
 * issuer: the product whose name stands in a certificate, and the roots that are
 * public.
 */
#pragma once

#include "doctor/tables.h"
#include "pki/cert.h"
#include "pki/chain.h"

/* The product that this Name (RFC 5280 §4.1.2.4, whole element) belongs to, as issuer
 * or root; the most confident row, or NULL. */
MUST_USE const struct issuer_row *issuer_of_name(struct span name);
/* The same for everything a chain names: subjects and issuers of its CAs, the leaf's
 * issuer. */
MUST_USE const struct issuer_row *issuer_of_chain(const struct chain *chain);
/* By a line of an HTTP answer's head, "Via: 1.1 x (squid/5.7)". */
MUST_USE const struct issuer_row *issuer_of_header(struct span line);
/* By the name of a running process. */
MUST_USE const struct issuer_row *issuer_of_process(struct span name);

/* Development CAs and the like: a name we know that does not mean inspection. */
MUST_USE bool issuer_is_inspection(const struct issuer_row *r);

/* public-roots.tsv, as rows. */
struct root_row {
	const char *sha256; /* of the certificate, lower-case hex */
	const char *ends;   /* "2030-12-31" */
	const char *name;
};
extern const struct root_row root_rows[];

/* Whether the carried list has a root of this fingerprint. */
MUST_USE bool issuer_is_public(const uint8_t sha256[CERT_HASH]);

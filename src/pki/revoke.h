// SPDX-License-Identifier: Apache-2.0
/*
 * revoke: what issuers say about certificates they took back (RFC 5280 §5, RFC 6960).
 *
 * Engines only: octets in, answers out. Somebody else fetches, from public addresses,
 * while no session waits on the loop. Answers are kept by serial and issuer, bounded,
 * until their own nextUpdate.
 */
#pragma once

#include "pki/cert.h"

enum revoke_state { REVOKE_UNKNOWN, REVOKE_GOOD, REVOKE_REVOKED };

enum {
	REVOKE_CRL_MAX = 16 * 1024 * 1024, /* octets of one CRL */
	REVOKE_OCSP_MAX = 64 * 1024,       /* octets of one response */
	REVOKE_SKEW_S = 300,               /* thisUpdate may be this far ahead */
};

struct revoke;

/* budget: octets of CRLs and answers kept. */
struct revoke *revoke_new(size_t budget);
void revoke_free(struct revoke *r); /* NULL does nothing */

/*
 * Takes a CRL (DER or PEM) into account when its issuer is met; its signature is
 * checked against that issuer then. ERR_PKI_CRL when it is no CRL we understand,
 * ERR_PKI_CRL too for critical extensions that change its scope.
 */
MUST_USE bool revoke_add_crl(struct revoke *r, struct span crl, struct err *err);

/*
 * Reads an OCSP response about `c` issued by `issuer` (RFC 6960 §3.2: signature by the
 * issuer or its delegate with id-kp-OCSPSigning, right certificate, thisUpdate and
 * nextUpdate around now). REVOKE_UNKNOWN with *err when it proves nothing.
 */
enum revoke_state revoke_read_ocsp(struct span response, struct cert *c,
	struct cert *issuer, int64_t now, struct err *err);
/* The same, and keeps what it proves until nextUpdate. */
enum revoke_state revoke_add_ocsp(struct revoke *r, struct span response,
	struct cert *c, struct cert *issuer, struct err *err);

/* What is known about c now, from CRLs and kept answers. */
enum revoke_state revoke_ask(
	struct revoke *r, struct cert *c, struct cert *issuer, int64_t now);

/* The request to post to cert->ocsp; the caller frees with mem_free(). */
MUST_USE bool revoke_ocsp_request(
	struct cert *c, struct cert *issuer, struct span *der, struct err *err);

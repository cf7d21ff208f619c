// SPDX-License-Identifier: Apache-2.0
/*
 * ocsp_serve: answering OCSP for the managed authority (RFC 6960, RFC 5019).
 *
 * Octets in, octets out. A request comes from anybody, so it is read strictly and
 * bounded; an answer is signed by the certificate that the authority delegated this to.
 * What is asked about other authorities' certificates is "unauthorized", what this one
 * never issued is "unknown".
 */
#pragma once

#include "pki/client_status.h"
#include "pki/identity.h"

enum {
	OCSP_SERVE_MAX = 4096,    /* octets of a request */
	OCSP_SERVE_CERTS = 16,    /* certificates in one */
	OCSP_SERVE_NONCE = 128,   /* octets (RFC 9654 §2.1) */
	OCSP_SERVE_LIFE_S = 3600, /* until nextUpdate */
	OCSP_SERVE_ERROR = 5,     /* octets of an answer that is none */
};

/* OCSPResponseStatus. */
enum ocsp_serve_status {
	OCSP_SERVE_DONE = 0,
	OCSP_SERVE_MALFORMED = 1,
	OCSP_SERVE_INTERNAL = 2,
	OCSP_SERVE_LATER = 3,
	OCSP_SERVE_UNAUTHORIZED = 6,
};

/* A request as read; spans point into its octets. */
struct ocsp_serve_ask {
	struct span ids[OCSP_SERVE_CERTS]; /* CertID, whole elements */
	size_t n;
	struct span nonce; /* or empty */
};

/* False when it is malformed or asks for more than the bounds. ERR_PKI_OCSP. */
MUST_USE bool ocsp_serve_read(
	struct span der, struct ocsp_serve_ask *out, struct err *err);

struct ocsp_serve;

/* ca: the authority's certificate, DER. id: who signs: delegated by it (OCSPSigning) or
 * itself; one reference is taken. NULL with ERR_PKI_OCSP when it is neither. */
struct ocsp_serve *ocsp_serve_new(struct span ca, struct identity *id, struct err *err);
void ocsp_serve_free(struct ocsp_serve *s); /* NULL does nothing */

/* Whether the request's first certificate is one of this authority's. */
MUST_USE bool ocsp_serve_knows(
	const struct ocsp_serve *s, const struct ocsp_serve_ask *ask);

/* The answer, DER; the caller frees with mem_free(). OCSP_SERVE_DONE, or what to say
 * instead with ocsp_serve_error(). */
enum ocsp_serve_status ocsp_serve_answer(struct ocsp_serve *s,
	const struct ocsp_serve_ask *ask, const struct client_status *status,
	int64_t now, struct span *der);
/* An answer that says only why there is none. */
struct span ocsp_serve_error(
	enum ocsp_serve_status status, uint8_t dst[OCSP_SERVE_ERROR]);

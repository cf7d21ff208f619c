// SPDX-License-Identifier: Apache-2.0
/*
 * answers: OCSP answers as a test wants them.
 */
#pragma once

#include <openssl/ocsp.h>

#include "tests/pki/forge.h"

struct answer_plan {
	const struct forged *about;
	const struct forged *issuer;
	const struct forged *signer;
	const struct forged *delegate; /* sent along */
	int status;
	int64_t from_days;
	int64_t to_days;
};

/* DER; the caller frees with OPENSSL_free(). */
static inline struct span
make_ocsp(const struct answer_plan *p)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), p->about->x, p->issuer->x);
	ASN1_TIME *from = ASN1_TIME_set(
		NULL, (time_t)(clock_wall() + p->from_days * FORGE_DAY - 60));
	ASN1_TIME *to = ASN1_TIME_set(NULL,
		(time_t)(clock_wall() + (p->to_days ? p->to_days : 3) * FORGE_DAY));
	ASN1_TIME *when = p->status == V_OCSP_CERTSTATUS_REVOKED ? from : NULL;
	uint8_t *der = NULL;

	CHECK(OCSP_basic_add1_status(basic, id, p->status, 0, when, from, to) != NULL);
	CHECK(OCSP_basic_sign(basic, p->signer->x, p->signer->key, EVP_sha256(), NULL,
		      p->delegate ? 0 : OCSP_NOCERTS) == 1);
	OCSP_RESPONSE *r = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	int n = i2d_OCSP_RESPONSE(r, &der);
	OCSP_RESPONSE_free(r);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	return span_of(der, (size_t)n);
}

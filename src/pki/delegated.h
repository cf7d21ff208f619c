// SPDX-License-Identifier: Apache-2.0
/*
 * delegated: delegated credentials (RFC 9345): a short-lived key that the key of a
 * certificate has signed, so that it can stay where it is.
 *
 *	cred = valid_time(4) | dc_cert_verify_algorithm(2) | SubjectPublicKeyInfo<3>
 *	DelegatedCredential = cred | algorithm(2) | signature<2>
 *
 * What is signed is built here, by whoever asks; any key server signs it as it signs a
 * handshake.
 */
#pragma once

#include "pki/cert.h"

enum {
	DELEGATED_MOST_S = 7 * 86400, /* RFC 9345 §4.1.3 */
	DELEGATED_LABEL = 64 + 33 + 1 /* blanks, context string, zero octet */
};

struct delegated_wish {
	struct cert *cert; /* borrowed; with the DelegationUsage extension */
	const EVP_PKEY
		*key;     /* the credential's: P-256, P-384 or Ed25519; public half */
	int64_t now;      /* wall seconds */
	uint32_t valid_s; /* at most DELEGATED_MOST_S */
};

/* One that waits for its signature. */
struct delegated {
	uint16_t algorithm; /* SignatureScheme of the certificate's key */
	enum key_hash hash; /* of it; KEY_HASH_NONE: the whole message is signed */
	struct span tbs;    /* owned; what is to be signed */
	struct span cred;   /* inside tbs */
};

/* ERR_PKI_DELEGATED: the certificate does not allow it, or ends before. */
MUST_USE bool delegated_begin(
	const struct delegated_wish *wish, struct delegated *out, struct err *err);
/* The DelegatedCredential as it stands in the extension; the caller frees with
 * mem_free(). The signature was verified. */
MUST_USE bool delegated_finish(const struct delegated *d, struct span signature,
	struct span *out, struct err *err);
void delegated_fini(struct delegated *d);

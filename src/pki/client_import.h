// SPDX-License-Identifier: Apache-2.0
/*
 * client_import: an authority for clients that was made elsewhere becomes a managed
 * one.
 */
#pragma once

#include "pki/client_register.h"

struct cert; /* pki/cert.h */

/* What is brought. */
struct client_brought {
	struct span certificate; /* PEM or DER; of PEM the first one counts */
	EVP_PKEY *key;           /* borrowed */
	struct span passphrase;  /* encrypts ca.key [plain] */
	struct span list;        /* its last list; looked at before anything is made */
};

/* As client_ca_make(), with what was made elsewhere. Refused is what could not do the
 * work: no authority, not allowed to sign certificates or lists, not for clients, over,
 * weak, or with another key. ERR_PKI_CLIENT_CA says which. */
MUST_USE bool client_import_ca(
	const char *dir, const struct client_brought *b, struct err *err);

/* Whether the authority has signed this certificate. ERR_PKI_CLIENT. */
MUST_USE bool client_import_is_ours(
	const struct client_ca *ca, struct cert *c, struct err *err);

/* Takes over what the last list (PEM or DER) of the authority says: its certificates
 * stay revoked, and the next list's number is greater. Within a transaction; *n is how
 * many it named. ERR_PKI_CRL when it is not this authority's. */
MUST_USE bool client_import_list(struct client_register *r, const struct client_ca *ca,
	struct span list, size_t *n, struct err *err);

// SPDX-License-Identifier: Apache-2.0
/*
 * profile_priv: what is in a profile, for the engine.
 */
#pragma once

#include "pki/ossl.h"
#include "tls/profile.h"

struct profile {
	unsigned refs;
	enum profile_role role;
	enum profile_client_cert client_cert;
	uint8_t policy[PROFILE_POLICY];
	SSL_CTX *ctx;            /* owned */
	BIO_METHOD *wire;        /* owned; see bio.h */
	struct tickets *tickets; /* borrowed */
	struct ids *ids;         /* borrowed; or NULL */
};

/* The profile an SSL_CTX belongs to. */
struct profile *profile_of(const SSL_CTX *ctx);

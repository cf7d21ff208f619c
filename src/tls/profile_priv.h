// SPDX-License-Identifier: Apache-2.0
/*
 * profile_priv: what is in a profile, for the engine.
 */
#pragma once

#include "pki/ossl.h"
#include "tls/profile.h"

struct identity;

enum { PROFILE_DRESSES = 64 };

/* An identity that is shown again and again, and a context that has it already. */
struct dress {
	const struct identity *id; /* never looked into; a reference only with ctx */
	unsigned uses;
	SSL_CTX *ctx; /* owned; NULL: not worth it so far */
};

struct profile {
	unsigned refs;
	struct profile_spec spec; /* texts are its own; ca_names are in ctx alone */
	SSL_CTX *ctx;             /* owned */
	BIO_METHOD *wire;         /* owned; see bio.h */
	struct dress *dresses;    /* owned; PROFILE_DRESSES of them, or NULL */
};

/* One more context like that of p, with the authorities to ask for still missing. NULL:
 * *err says why. */
MUST_USE SSL_CTX *profile_context(struct profile *p, struct err *err);

/*
 * dress.c: a context of p that shows id, or NULL: not worth it. To put a certificate
 * into a connection costs more than to make the connection, because OpenSSL looks each
 * time whether certificate and key fit.
 */
SSL_CTX *dress_for(struct profile *p, struct identity *id);
void dress_free(struct profile *p);

/* The profile an SSL_CTX belongs to. */
struct profile *profile_of(const SSL_CTX *ctx);

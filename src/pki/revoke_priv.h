// SPDX-License-Identifier: Apache-2.0
/*
 * revoke_priv: between the files of revoke.
 */
#pragma once

#include "base/list.h"
#include "pki/path_priv.h"
#include "pki/revoke.h"

/* Serial numbers of a list: INTEGER contents, sorted. */
struct crl_serials {
	struct span *p; /* owned */
	size_t n;
	size_t cap;
};

/* A CRL as read; spans point into der. */
struct crl {
	struct list all;
	struct span der; /* owned */
	struct span tbs;
	const struct cert_sigalg *sig;
	struct span signature;
	struct span issuer; /* Name, whole element */
	int64_t this_update;
	int64_t next_update;
	struct span idp;      /* issuingDistributionPoint, or empty */
	struct span number;   /* INTEGER contents, as base */
	struct span base;     /* of a delta: the least list it changes; or empty */
	struct span freshest; /* first http URL of its deltas, or empty */
	struct crl_serials revoked;
	struct crl_serials lifted; /* only of a delta: revoked no more */
	size_t cost;
	bool proven; /* by the key below */
	uint8_t signer[CERT_HASH];
};

/* NULL with ERR_PKI_CRL. Takes a copy of the octets. */
struct crl *crl_read(struct span der, struct err *err);
void crl_free(struct crl *c);
MUST_USE bool crl_lists(const struct crl *c, struct span serial);
MUST_USE bool crl_lifts(const struct crl *c, struct span serial);
/* A list of changes since another one (RFC 5280 §5.2.4). */
MUST_USE bool crl_is_delta(const struct crl *c);
/* Whether the delta changes this whole list: same issuer and scope, not before the list
 * it begins at, and newer than it. Both are proven, by one key. */
MUST_USE bool crl_changes(const struct crl *delta, const struct crl *whole);
/* Whether the whole list has all that the delta says, and perhaps more. */
MUST_USE bool crl_replaces(const struct crl *whole, const struct crl *delta);
/* Whether it speaks of this certificate, as far as its scope goes (RFC 5280 §5.2.5). */
MUST_USE bool crl_covers(const struct crl *crl, const struct cert *c);

struct ocsp_answer {
	enum revoke_state state;
	int64_t this_update;
	int64_t next_update;
};

/* What a response proves about c; false with ERR_PKI_OCSP when nothing. */
MUST_USE bool ocsp_read(struct span response, struct cert *c, struct cert *issuer,
	struct ocsp_answer *out, struct err *err);
/* Whether the answer speaks of now. */
MUST_USE bool ocsp_is_current(const struct ocsp_answer *a, int64_t now);

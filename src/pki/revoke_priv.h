// SPDX-License-Identifier: Apache-2.0
/*
 * revoke_priv: between the files of revoke.
 *
 *	revoke.c        what is kept: lists and answers, and what they say
 *	revoke_judge.c  a whole path, and what should be fetched for it
 *	revoke_reading.c  a list that is taken in a little at a time
 *	crl.c           reading a list · crl_scope.c whom it speaks of · serials.c
 *	crl_delta.c     a whole list and the changes to it
 *	ocsp.c          reading an answer · ocsp_request.c asking for one
 */
#pragma once

#include "base/list.h"
#include "pki/path_priv.h"
#include "pki/revoke.h"
#include "pki/serials.h"

/* A CRL as read. The octets it came in are not kept, only what they came to. */
struct crl {
	struct list all;    /* of the holder */
	struct list kin;    /* of its signer, or of those not proven */
	struct span head;   /* owned; what the next six are copies of */
	struct span issuer; /* Name, whole element */
	struct span idp;    /* issuingDistributionPoint, or empty */
	struct span signature;
	struct span number;   /* INTEGER contents, as base */
	struct span base;     /* of a delta: the least list it changes; or empty */
	struct span freshest; /* first http URL of its deltas, or empty */
	const struct cert_sigalg *sig;   /* NULL: of no use */
	uint8_t digest[EVP_MAX_MD_SIZE]; /* of what is signed */
	size_t n_digest;
	/* owned: what is signed, when its method knows no digest */
	struct span message;
	int64_t this_update;
	int64_t next_update;
	struct serials revoked;
	struct serials lifted; /* only of a delta: revoked no more */
	size_t cost;           /* octets of memory */
	bool proven;           /* by the key below */
	uint8_t signer[CERT_HASH];
};

/* A list while it is read: hashed, then its entries, then its extensions. */
struct crl_reader {
	struct crl *crl; /* owned, until CRL_READ */
	struct span tbs; /* borrowed, as all below */
	struct span algo;
	size_t hashed;       /* octets of tbs */
	EVP_MD_CTX *md;      /* owned; NULL: nothing is hashed */
	struct read rest;    /* of the tbs, behind its dates */
	struct read entries; /* still to be read */
	struct span signature;
	struct span issuer;
	struct span idp;
	struct span number;
	struct span base;
	struct span freshest;
	enum { CRL_HASHING, CRL_LISTING, CRL_PLACING, CRL_OVER } phase;
};

enum crl_turn { CRL_MORE, CRL_READ, CRL_FAILED };

/* der outlives the reading. ERR_PKI_CRL, here and below. */
MUST_USE bool crl_begin(struct crl_reader *r, struct span der, struct err *err);
/* Goes on by about CRL_STEP octets. CRL_READ: *out is the caller's. */
enum { CRL_STEP = 64 * 1024 };
enum crl_turn crl_advance(struct crl_reader *r, struct crl **out, struct err *err);
void crl_abandon(struct crl_reader *r); /* harmless when it is over */

/* The octets of a list in PEM form; the caller's to mem_free(). */
MUST_USE bool crl_from_pem(struct span text, struct span *der, struct err *err);
/* All of it at once. NULL with *err. */
struct crl *crl_read(struct span der, struct err *err);
void crl_free(struct crl *c);
MUST_USE bool crl_lists(const struct crl *c, struct span serial);
MUST_USE bool crl_lifts(const struct crl *c, struct span serial);
/* A list of changes since another one (RFC 5280 §5.2.4). */
MUST_USE bool crl_is_delta(const struct crl *c);
/* Whether the delta changes this whole list: same issuer and scope, not before the list
 * it begins at, and newer than it. Both are proven, by one key. */
MUST_USE bool crl_changes(const struct crl *delta, const struct crl *whole);
/* Of two lists of one key: by its date, and by its number where that is the same. */
MUST_USE bool crl_is_later(const struct crl *a, const struct crl *b);
/* Whether nothing that old says is lost when this one takes its place: same issuer,
 * scope and kind, not before it, and changes that begin no later. */
MUST_USE bool crl_supersedes(const struct crl *c, const struct crl *old);
/* Whether the whole list has all that the delta says, and perhaps more. */
MUST_USE bool crl_replaces(const struct crl *whole, const struct crl *delta);
/* Whether this authority's key signed it; a proof is remembered. */
MUST_USE bool crl_is_proven(struct crl *crl, struct cert *issuer);

/* What a list is for a certificate, as far as its scope goes (RFC 5280 §5.2.5, §6.3.3).
 */
enum crl_scope {
	CRL_NOT_ITS,   /* says nothing of it */
	CRL_SOME,      /* some reasons only: it can revoke, and prove nothing good */
	CRL_ITS_WHOLE, /* says all */
};
enum crl_scope crl_scope(const struct crl *crl, const struct cert *c);
/* Whether a scope is of a form that can be understood at all. */
MUST_USE bool crl_scope_ok(struct span idp, const char **fault);

struct ocsp_answer {
	enum revoke_state state;
	int64_t this_update;
	int64_t next_update;
	struct span scts; /* in the response: what logs signed of c; or empty */
};

/* The timestamps of a response about c, or nothing. */
struct span ocsp_scts(
	struct span response, const struct cert *c, const struct cert *issuer);
/* What a response proves about c; false with ERR_PKI_OCSP when nothing. */
MUST_USE bool ocsp_read(struct span response, struct cert *c, struct cert *issuer,
	struct ocsp_answer *out, struct err *err);
/* Whether the answer speaks of now. */
MUST_USE bool ocsp_is_current(const struct ocsp_answer *a, int64_t now);

/* Takes a list in, in the place of an older one that the same key signed. */
void revoke_keep_list(struct revoke *r, struct crl *c);
/* As revoke_ask(); *proofs gains what told it (enum verdict_proof). */
enum revoke_state revoke_find(struct revoke *r, struct cert *c, struct cert *issuer,
	int64_t now, unsigned *proofs);
/* A good answer that was looked at before needs no second look. */
enum revoke_state revoke_recall(struct revoke *r, struct span response, struct cert *c,
	struct cert *issuer, int64_t now);

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
	REVOKE_URL = 1024,                 /* octets of an address in a list */
};

struct revoke;
struct trust_ask; /* trust.h */
struct verdict;   /* the same */

/* budget: octets of CRLs and answers kept. */
struct revoke *revoke_new(size_t budget);
void revoke_free(struct revoke *r); /* NULL does nothing */

/*
 * Takes a CRL (DER or PEM), whole or delta, into account when its issuer is met; its
 * signature is checked against that issuer then. ERR_PKI_CRL when it is no CRL we
 * understand: also for indirect ones and critical extensions nobody here knows.
 */
MUST_USE bool revoke_add_crl(struct revoke *r, struct span crl, struct err *err);

/*
 * The same for a list just fetched for `issuer`: taken only when that issuer signed it,
 * and then it replaces the older one of its key and scope.
 */
MUST_USE bool revoke_add_crl_of(
	struct revoke *r, struct span crl, struct cert *issuer, struct err *err);

/*
 * The same, a little at a time: a list of megabytes takes tens of milliseconds, and a
 * loop has others to serve. One advance takes well under one. The octets are borrowed
 * until revoke_reading_free(), the issuer is held. NULL with ERR_PKI_CRL.
 */
struct revoke_reading;
struct revoke_reading *revoke_reading_new(
	struct span crl, struct cert *issuer, struct err *err);
enum revoke_turn { REVOKE_MORE, REVOKE_READ, REVOKE_FAILED };
/* REVOKE_READ: it is in r now. REVOKE_FAILED: *err says why. Neither goes on. */
enum revoke_turn revoke_reading_advance(
	struct revoke_reading *reading, struct revoke *r, struct err *err);
void revoke_reading_free(struct revoke_reading *reading); /* NULL does nothing */

/* Proves this authority's lists now, and not when a certificate of its own comes. */
void revoke_meet(struct revoke *r, struct cert *authority);
/* Takes over the proven lists of changes that `from` has and nothing here says better:
 * for who reads all lists anew. */
void revoke_carry(struct revoke *r, struct revoke *from);

/* Whether some list had to go because there was no room: what it says is not known, and
 * where that lets somebody in, nobody may go on with the rest. */
MUST_USE bool revoke_is_short(const struct revoke *r);

/* Octets of memory that lists take now. */
MUST_USE size_t revoke_list_bytes(const struct revoke *r);

/* What a list says of itself. */
struct revoke_list {
	int64_t this_update;           /* wall seconds */
	int64_t next_update;           /* 0: it does not say */
	size_t n;                      /* certificates taken back */
	bool is_delta;                 /* changes to another list (RFC 5280 §5.2.4) */
	char freshest[REVOKE_URL + 1]; /* where such changes to this one are, or "" */
	struct cert *issuer; /* of those given, who signed it; borrowed; NULL: nobody */
};
/* Reads a list (DER or PEM) without keeping it; looks for its signer among n issuers.
 * ERR_PKI_CRL as above. */
MUST_USE bool revoke_read_crl(struct span crl, struct cert *const *issuers, size_t n,
	struct revoke_list *out, struct err *err);

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

/* Until when a response says what it says: its nextUpdate, or a day after thisUpdate.
 * Its signature is checked as above, its dates are not. ERR_PKI_OCSP. */
MUST_USE bool revoke_ocsp_ends(struct span response, struct cert *c,
	struct cert *issuer, int64_t *next_update, struct err *err);

/* What is known about c now, from CRLs and kept answers. */
enum revoke_state revoke_ask(
	struct revoke *r, struct cert *c, struct cert *issuer, int64_t now);

/* How good what is known about c is: a quarter of its life before the end it is old,
 * and the next answer should be there before it is needed. */
enum revoke_age { REVOKE_NOTHING, REVOKE_OLD, REVOKE_YOUNG };
enum revoke_age revoke_age(
	struct revoke *r, struct cert *c, struct cert *issuer, int64_t now);

enum revoke_how { REVOKE_BY_OCSP, REVOKE_BY_CRL };

enum { REVOKE_WAYS = 2 };

/* One certificate of a path of which more should be known. */
struct revoke_want {
	struct cert *cert;   /* borrowed from the path, as all here */
	struct cert *issuer; /* the one above it */
	bool urgent; /* nothing current is at hand; else what is there grows old */
	size_t n;    /* ways to learn it, the better first; 0: it names none */
	struct {
		enum revoke_how how;
		struct span url;
	} ways[REVOKE_WAYS];
};

/*
 * What would have to be fetched so that trust_check() knows the revocation of every
 * certificate of v's path: at most cap are written, how many is returned. A good staple
 * and a short life (rubric 63) want nothing. OCSP comes first for the leaf, the list
 * for authorities, because many leafs share it.
 */
size_t revoke_wants(const struct trust_ask *ask, const struct verdict *v,
	struct revoke_want *out, size_t cap);

/* The address by which a short request is asked with GET (RFC 6960 A.1), added to t;
 * false when it cannot be, or does not fit. */
struct text;
enum { REVOKE_GET_MOST = 192 }; /* octets of such a request */
MUST_USE bool revoke_ocsp_url(struct span responder, struct span der, struct text *t);
/* The request to post to cert->ocsp; the caller frees with mem_free(). */
MUST_USE bool revoke_ocsp_request(
	struct cert *c, struct cert *issuer, struct span *der, struct err *err);

// SPDX-License-Identifier: Apache-2.0
/*
 * path_priv: searching and checking certification paths; between the files of trust.
 *
 *	trust.c        the store, what is remembered, the question
 *	path.c         the search: which certificates might lead to a root
 *	path_check.c   one path, every rule; collects findings
 *	constraints.c  name constraints · policy.c policies · names.c host names
 */
#pragma once

#include "base/map.h"
#include "pki/cert_priv.h"
#include "pki/suffix.h"
#include "pki/trust.h"

enum { PATH_POOL = 2 * CHAIN_MAX + 64, PATH_NAMES_WORK = 200 * 1000 };

/* Where a root of the system comes from. */
enum anchor_place { ANCHOR_ANYWHERE, ANCHOR_SHIPPED, ANCHOR_ADDED };

struct anchor {
	struct map_item by_subject; /* only the first of a name is in the map */
	struct map_item by_hash;
	struct anchor *same_name; /* next with this subject */
	struct cert *cert;        /* held */
	enum anchor_place place;
	bool is_public; /* came with the system's bundle, not added to it */
};

/* What is wrong with a path: the gravest finding in words, all of them as bits. */
struct findings {
	uint32_t mask;
	enum verdict_class worst; /* VERDICT_GOOD while there is none */
	int at;
	char text[192];
};

void findings_add(struct findings *f, enum verdict_class class, int at, const char *fmt,
	...) PRINTF(4, 5);
/* Larger is graver; what breaks the proof of identity comes before what merely ages. */
MUST_USE int findings_gravity(enum verdict_class class);

struct path {
	struct cert *certs[TRUST_PATH]; /* borrowed; leaf first */
	size_t n;
	const struct anchor *anchor; /* the last one's, or NULL */
};

/* Every rule of RFC 5280 §6.1 and of ours for a path that ends in an anchor; the
 * signatures were proven by the search. */
void path_check(struct trust *t, const struct trust_ask *ask, const struct path *p,
	struct findings *out);
/* What can be said of the leaf when there is no path. */
void path_check_leaf(struct trust *t, const struct trust_ask *ask, const struct path *p,
	struct findings *out);
/* Faults of style, for those who ask for `strict`. */
void path_lint(const struct path *p, struct findings *out);
/* Whether c could never stand above another certificate at this time. */
MUST_USE bool path_is_hopeless(const struct cert *c, const struct trust_ask *ask);

/* The search. pool: what may be between; the leaf is pool[0]. *out has no class set
 * when the budget was used up. */
struct path_pool {
	struct cert *certs[PATH_POOL]; /* held by whoever made it */
	size_t n;
	size_t n_told; /* of them from the peer or the caller; the rest nobody vouches
			  for */
};
void path_search(struct trust *t, const struct trust_ask *ask,
	const struct path_pool *pool, struct verdict *out);

/* Name constraints of p->certs[at] against everything below it. *work counts down. */
void constraints_check(
	const struct path *p, size_t at, uint32_t *work, struct findings *out);

/* Policies along the path (RFC 5280 §6.1 with initial-any-policy). */
void policy_check(const struct path *p, struct findings *out);

/* Whether c is for this host: a DNS name or an address. suffixes may be NULL. */
MUST_USE bool names_match(
	const struct cert *c, struct span host, const struct suffixes *suffixes);
/* Whether host is a DNS name or an address at all. */
MUST_USE bool names_is_host(struct span host);
/* Whether no public authority may certify it: one label, .local, a private address. */
MUST_USE bool names_is_private(struct span host);
/* A list of its names for people, cut after a few. */
void names_list(const struct cert *c, struct text *t);
/* Whether a presented DNS name is well-formed, a leading "*." allowed or not. */
MUST_USE bool names_is_dns(struct span name, bool wildcard);

struct anchor *trust_anchors(const struct trust *t, struct span subject);
const struct anchor *trust_anchor_of(const struct trust *t, const struct cert *c);
MUST_USE bool trust_is_own(const struct trust *t, const uint8_t spki[CERT_HASH]);
MUST_USE bool trust_is_blocked(const struct trust *t, const uint8_t spki[CERT_HASH]);

/* Whether `issuer`'s key made c's signature; proofs are remembered in c. *count rises
 * by one when it had to be computed. */
MUST_USE bool signature_check(struct cert *c, struct cert *issuer, unsigned *count);
/* Bits of an RSA key; larger ones are met nowhere and cost milliseconds each. */
enum { SIGNATURE_RSA_MAX = 8192 };
/* One signature over octets, by a method and a key. */
MUST_USE bool signature_verify(const struct cert_sigalg *sig, EVP_PKEY *key,
	struct span message, struct span signature);
/* The same, over a digest made before by signature_md(). */
MUST_USE bool signature_verify_digest(const struct cert_sigalg *sig, EVP_PKEY *key,
	struct span digest, struct span signature);
/* NULL: the method signs the octets themselves, or is not known. */
const EVP_MD *signature_md(const struct cert_sigalg *sig);

/* Revocation of everything on the path, by what ask has at hand. */
void revoke_judge(const struct trust_ask *ask, struct verdict *v);

/* Looks for the timestamps that the leaf has in it: that is remembered with a verdict.
 */
void ct_look(const struct ctlogs *l, int64_t now, struct verdict *v);
/* Signed timestamps, when a list of logs is there; `required`: too few is a fault. */
void ct_judge(const struct ctlogs *l, const struct trust_ask *ask, bool required,
	struct verdict *v);

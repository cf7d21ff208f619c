// SPDX-License-Identifier: Apache-2.0
/*
 * leaf: minting a certificate from a whitelist of facts.
 *
 * Nothing of an origin's certificate is copied; a worker states facts, the vault builds
 * a certificate as structure, never from text. The facts travel as the payload of MINT.
 */
#pragma once

#include "base/arena.h"
#include "base/ip.h"
#include "pki/authority.h"

enum {
	LEAF_NAMES = 128,       /* DNS names in one leaf */
	LEAF_IPS = 32,          /* addresses in one leaf */
	LEAF_FACTS = 40 * 1024, /* octets of the facts on the wire */
	LEAF_DAYS = 30,         /* default lifetime */
	LEAF_DAYS_MAX = 199,    /* browsers refuse 200 and more */
	LEAF_BACKDATE_S = 3600, /* for clients whose clock is late */
};

enum leaf_purpose {
	LEAF_NORMAL, /* the origin was verified, or a rule accepts it */
	LEAF_PAGE,   /* carries a page of ours; short-lived */
	LEAF_MIRROR, /* shows the origin's fault: signed by the CA nobody trusts */
};

struct leaf_facts {
	enum leaf_purpose purpose;
	enum key_kind kind; /* of the leaf's key: KEY_P256 or KEY_RSA2048 */
	unsigned days;      /* wished lifetime; 0: the default */
	int64_t not_before; /* the origin's, wall seconds; 0: unknown; only a mirror
			       keeps it */
	int64_t not_after;  /* the origin's: a cap; 0: none */
	/* borrowed; DNS names as the origin has them, lower case */
	const struct span *names;
	size_t n_names;
	const struct ip *ips; /* borrowed */
	size_t n_ips;
};

/* Writes the facts to dst; false when they do not fit or exceed the bounds above. */
MUST_USE bool leaf_facts_write(
	const struct leaf_facts *f, uint8_t *dst, size_t cap, size_t *n);
/*
 * Reads them; what they point to lies in the arena or in wire. Refuses whatever
 * leaf_mint() would: no name at all, a name that is no DNS name (RFC 5890 LDH labels,
 * a wildcard only as the whole leftmost label), a kind that is no leaf's.
 * ERR_PKI_FACTS.
 */
MUST_USE bool leaf_facts_read(
	struct span wire, struct arena *a, struct leaf_facts *out, struct err *err);

/*
 * A leaf for the public half of `key`, signed by a->key (mirror: a->mirror_key). Random
 * positive serial of 127 bits, SHA-256, dates inside the issuer's, the cap's and
 * LEAF_DAYS_MAX. *der is the caller's to mem_free(). ERR_PKI_MINT.
 */
MUST_USE bool leaf_mint(const struct authority *a, const struct leaf_facts *f,
	const EVP_PKEY *key, struct span *der, struct err *err);

/* The two keys of leafs: made by the vault, renewed daily, given to the workers. */
struct leafkeys {
	EVP_PKEY *p256;  /* owned */
	EVP_PKEY *rsa;   /* owned */
	int64_t born;    /* wall seconds */
	uint32_t number; /* counts up within one vault; names the pair in MINT */
};

enum { LEAFKEYS_WIRE = 4096, LEAFKEYS_LIFE_S = 86400 };

MUST_USE bool leafkeys_make(struct leafkeys *k, uint32_t number, struct err *err);
void leafkeys_fini(struct leafkeys *k);
/* The one for this kind of leaf; borrowed. */
EVP_PKEY *leafkeys_get(const struct leafkeys *k, enum key_kind kind);
/* Secret octets: the caller wipes them. dst has LEAFKEYS_WIRE bytes. */
MUST_USE bool leafkeys_write(
	const struct leafkeys *k, uint8_t *dst, size_t *n, struct err *err);
MUST_USE bool leafkeys_read(struct span wire, struct leafkeys *k, struct err *err);

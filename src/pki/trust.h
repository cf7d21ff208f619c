// SPDX-License-Identifier: Apache-2.0
/*
 * trust: whether a peer's certificates are good for a name (RFC 5280 §6, RFC 9525).
 *
 * OpenSSL's path builder does not go back after a wrong turn; ours searches every path
 * over the issuers at hand, bounded, and checks each strictly. A store of roots is
 * loaded once, shared by fork, and never changes; to reload is to make a new one.
 */
#pragma once

#include "pki/cert.h"
#include "pki/chain.h"
#include "pki/ct.h"

struct trust;  /* a set of roots, with what else is believed */
struct revoke; /* revoke.h: what is known to be revoked */
struct ctlogs; /* ct.h: transparency logs */

enum verdict_class {
#define VERDICT(name, id, sentence) VERDICT_##name,
#include "pki/verdict_list.h"
#undef VERDICT
	VERDICT_COUNT
};

enum {
	TRUST_PATH = 12,    /* certificates in a path, leaf and root included */
	TRUST_ROOTS = 2000, /* in a store */
};

/* What besides the chain itself a verdict stands on. */
enum verdict_proof {
	VERDICT_BY_STAPLE = 1 << 0,
	VERDICT_BY_OCSP = 1 << 1, /* an answer that was fetched */
	VERDICT_BY_CRL = 1 << 2,
	VERDICT_BY_LEARNED = 1 << 3, /* an issuer nobody sent, fetched or seen before */
};

struct verdict {
	enum verdict_class class;
	uint32_t faults; /* bit 1 << class for every fault of the path; class is the
			    gravest */
	int at;          /* index in path of the certificate at fault; −1: none */
	char text[192];  /* what we saw: names, dates, the section; printable */
	/* leaf first; a good one ends in the root; held */
	struct cert *path[TRUST_PATH];
	size_t n_path;
	bool cached;
	unsigned proofs; /* enum verdict_proof, of revocation for the whole path */
	const char *revocation;  /* "good (stapled)", "unknown", …; a constant */
	const char *ct;          /* the same for transparency, or "" */
	struct ct_seen embedded; /* logs whose timestamps the leaf has in it */
	unsigned paths;          /* tried */
	unsigned signatures;     /* checked now, not remembered */
};

/* Lets the path go. A zeroed verdict may be given. */
void verdict_fini(struct verdict *v);
const char *verdict_id(enum verdict_class class);
const char *verdict_sentence(enum verdict_class class);
/* The class of that id, or VERDICT_COUNT. */
enum verdict_class verdict_find(struct span id);
/* Adds what somebody else found out about the peer; text says what was seen. It becomes
 * the verdict's class when it is graver. */
void verdict_add(struct verdict *v, enum verdict_class class, const char *text);
/* Object member with id, sentence, text, path: what logs and pages show. */
void verdict_json(const struct verdict *v, struct json_out *j, const char *key);

enum trust_use { TRUST_SERVER, TRUST_CLIENT, TRUST_ANY };
enum trust_revocation {
	TRUST_REVOCATION_OFF,
	TRUST_REVOCATION_SOFT, /* refuse the revoked; unknown is good */
	TRUST_REVOCATION_HARD, /* unknown is refused */
};

enum trust_ct {
	TRUST_CT_REPORT, /* look when logs are known, and say */
	TRUST_CT_PUBLIC, /* refuse below a public root when too few logs have seen it */
	TRUST_CT_ALL,    /* below any root */
};

/* How strict to be; trust_options_default() fills in what suits public origins. */
struct trust_options {
	enum trust_use use;
	enum trust_revocation revocation;
	unsigned rsa_bits;  /* smallest modulus [2048] */
	bool private_names; /* single labels, .local, private addresses may be certified
			       by the roots of the system too */
	bool strict;        /* also refuse what a well-kept authority would not issue */
	enum trust_ct ct;
	int max_depth; /* intermediates, self-issued ones not counted; −1: any [−1] */
	unsigned max_path;       /* certificates in a path [TRUST_PATH] */
	unsigned max_paths;      /* tried before giving up [64] */
	unsigned max_signatures; /* checked before giving up [64] */
};

/* One question. All pointers are borrowed for the call. */
struct trust_ask {
	const struct chain *chain; /* as received, leaf first */
	const struct chain
		*extra;   /* more issuers (fetched by AIA, preloaded), or NULL */
	struct span host; /* a DNS name (A-labels) or an address as text; empty: any */
	int64_t now;      /* wall seconds */
	struct trust_options options;
	struct span staple;    /* OCSP response of the handshake, or empty */
	struct span tls_scts;  /* signed_certificate_timestamp extension, or empty */
	struct revoke *revoke; /* CRLs and answers known, or NULL */
	struct revoke
		*lists; /* CRLs of the operator, which are never dropped; or NULL */
};

struct trust_options trust_options_default(void);

/*
 * A store of roots: of the system (the distribution's bundle) when `system`, and of the
 * files named (PEM, NULL at the end), or either. NULL with ERR_PKI_ROOTS.
 */
struct trust *trust_new(bool system, const char *const *files, struct err *err);
struct trust *trust_new_chain(const struct chain *roots, struct err *err);
/* The same, and they count as public, as the system's do. */
struct trust *trust_new_public(const struct chain *roots, struct err *err);
void trust_free(struct trust *t); /* NULL does nothing */
size_t trust_count(const struct trust *t);
/* Wall seconds of the newest file it was read from; 0 for none. Older than a year is
 * worth a warning. */
int64_t trust_age(const struct trust *t);
/* A number that is another one when a file it was read from is replaced; costs a stat
 * of each. */
MUST_USE uint64_t trust_stamp(const struct trust *t);
/* Whether a file it was read from has changed since: make a new one. */
MUST_USE bool trust_stale(const struct trust *t);

/* A certificate of this authority met outside is refused as VERDICT_OWN_AUTHORITY. */
void trust_refuse_own(struct trust *t, const uint8_t spki_sha256[CERT_HASH]);
/* A key known to be compromised or distrusted: VERDICT_BLOCKED. */
void trust_block_key(struct trust *t, const uint8_t spki_sha256[CERT_HASH]);
/* Logs to hold SCTs against; borrowed, outlives t. */
void trust_set_logs(struct trust *t, const struct ctlogs *logs);
/* Remembers an issuer for later paths (fetched by AIA, or seen); bounded. */
void trust_learn(struct trust *t, struct span der);

/*
 * The verdict; *out is the caller's to verdict_fini(). Remembered by octets of the
 * chain, name and options, as long as every date in the path allows: the second time
 * costs one look-up. Revocation is asked every time.
 */
void trust_check(struct trust *t, const struct trust_ask *ask, struct verdict *out);

/* How far the chain of a verdict goes, and where it ends. Constants. */
struct trust_status {
	const char *chain; /* complete, completed (by issuers that were not sent),
			      incomplete, self-signed, unreadable */
	const char *root;  /* trusted (public), trusted (private), untrusted, unknown */
};
struct trust_status trust_status(const struct trust *t, const struct verdict *v);

/* Octets for remembered verdicts, 4 MiB at the start; 0 turns it off. */
void trust_cache_limit(struct trust *t, size_t bytes);

// SPDX-License-Identifier: Apache-2.0
/*
 * authority: the CA that inspected clients trust: an offline root, and a node CA below
 * it.
 *
 * A directory holds root.crt, root.key (may be taken offline), node.crt, node.key
 * (0400), and, while a new node CA waits for its day, next.crt and next.key. After a
 * change of roots cross.crt is the root as another one signed it (authority_cross.c).
 * Only the vault loads keys; everybody else reads the certificates.
 */
#pragma once

#include "pki/chain.h"
#include "pki/key.h"

/* What a new authority is to be; zero and NULL mean the default in brackets. */
struct authority_wish {
	const char *name;         /* commonName ["sekisho CA"]; the node adds its own */
	const char *organisation; /* [none] */
	const char *node;         /* name of this node [the host's] */
	enum key_kind kind;       /* [p256] */
	unsigned root_days;       /* [3650] */
	unsigned node_days;       /* [365], inside the root's */
	/* make no node CA: it comes by `node request` and `node sign` */
	bool root_only;
	unsigned from_days;          /* a node CA's first day, from now [0] */
	struct span passphrase;      /* encrypts the root's key [plain] */
	struct span node_passphrase; /* encrypts the node's key [plain] */
	const char *const
		*permitted; /* DNS subtrees it may certify [all]; NULL at the end */
};

struct authority {
	X509 *root;    /* owned */
	X509 *node;    /* owned; the issuer of leafs; NULL when there is only a root */
	EVP_PKEY *key; /* owned; the node's; NULL when loaded without keys */
	EVP_PKEY *
		mirror_key; /* owned; of the CA nobody trusts; made at load with keys */
	X509 *mirror;       /* owned; its self-signed certificate */
	struct chain chain; /* what is sent behind a leaf: the node CA, and cross.crt */
	int64_t not_before; /* of node, wall seconds */
	int64_t not_after;
	char *crl_url; /* owned; put into leafs when not NULL; the gateway serves it */
	uint8_t id[KEY_ID]; /* SHA-256 of the node's public key */
};

/* How long before its end a certificate asks for attention: 90, 60, 30, 7 days. */
enum authority_state {
	AUTHORITY_PENDING, /* not yet valid */
	AUTHORITY_IN_USE,
	AUTHORITY_RENEW, /* within 90 days of its end */
	AUTHORITY_EXPIRED,
};

/*
 * Makes the authority in dir (created 0700). Refuses to overwrite any of its files.
 * ERR_PKI_AUTHORITY, ERR_FILE_WRITE.
 */
MUST_USE bool authority_init(
	const char *dir, const struct authority_wish *wish, struct err *err);

/*
 * Loads and lints. With keys for the vault: node.key must be private and fit; a
 * passphrase opens an encrypted one. Without, only the certificates. A node certificate
 * that is absent is an error with keys only. NULL on failure, with the fault named.
 */
struct authority *authority_load(
	const char *dir, bool with_keys, struct span passphrase, struct err *err);
/* For a node CA whose private key is elsewhere: a->key is a stand-in of the same kind,
 * whose signatures are to be replaced (pki/resign.h). NULL on failure. */
struct authority *authority_load_elsewhere(const char *dir, struct err *err);
void authority_free(struct authority *a); /* NULL does nothing */

/* A CA for this process alone, never written: tests, trials, pages of a gateway without
 * an authority. NULL on failure. */
struct authority *authority_ephemeral(
	const struct authority_wish *wish, struct err *err);

/* Whether nobody else can read node.key, by its mode alone: whoever checks a
 * configuration may be another user. One that is absent is private. */
MUST_USE bool authority_key_is_private(const char *dir, struct err *err);

enum authority_state authority_state(const struct authority *a, int64_t now);
/* Wall seconds of the node CA's end, or of the root's when that comes first. */
int64_t authority_end(const struct authority *a);
/* Days until the node CA ends, negative when it has; the root's when it ends first. */
int64_t authority_days_left(const struct authority *a, int64_t now);

/* The root as DER or PEM, for download pages; the caller frees with mem_free(). */
MUST_USE bool authority_root_der(
	const struct authority *a, struct span *der, struct err *err);
MUST_USE bool authority_root_pem(
	const struct authority *a, struct span *pem, struct err *err);

/* Whether its keyUsage lets the node CA sign CRLs: an authority from elsewhere may not.
 */
MUST_USE bool authority_signs_lists(const struct authority *a);
/* A CRL signed by the node CA that revokes nothing, valid for 7 days: what SChannel
 * clients fetch. DER; the caller frees. Needs the key. */
MUST_USE bool authority_crl(
	const struct authority *a, int64_t now, struct span *der, struct err *err);

/* A fleet: the root stays at one place, each node asks by CSR (PKCS#10, PEM). */
MUST_USE bool authority_request(const char *dir, const struct authority_wish *wish,
	struct span *csr, struct err *err);
MUST_USE bool authority_sign(const char *dir, struct span csr,
	const struct authority_wish *wish, struct span *certificate, struct err *err);
/* What comes back to a node, each in PEM; borrowed. */
struct authority_answer {
	struct span node; /* made by authority_sign() */
	struct span root;
	struct span cross;      /* of that root by an older one, or empty */
	struct span passphrase; /* of next.key */
};
/* Accepts it into a node's dir; a node CA whose first day has not come stays pending as
 * next.crt. */
MUST_USE bool authority_adopt(
	const char *dir, const struct authority_answer *answer, struct err *err);

/* What is known of the node CA after the one in use: see authority_next.c. */
enum authority_next {
	AUTHORITY_NEXT_NONE,
	AUTHORITY_NEXT_INACTIVE,
	AUTHORITY_NEXT_PENDING,
	AUTHORITY_NEXT_AVAILABLE,
};
enum authority_next authority_next(const char *dir, int64_t now);
const char *authority_next_word(enum authority_next next);
/* A new node key and certificate beside the one in use: next.key, next.crt. Needs the
 * root's key. */
MUST_USE bool authority_prepare(
	const char *dir, const struct authority_wish *wish, struct err *err);
/* Puts them in the place of node.key and node.crt, in use at the next load; the old
 * ones are kept as previous.crt and previous.key. Refused while they are pending.
 * passphrase opens next.key. */
MUST_USE bool authority_activate(
	const char *dir, struct span passphrase, struct err *err);
/* Both at once. */
MUST_USE bool authority_rotate(
	const char *dir, const struct authority_wish *wish, struct err *err);
/* Whether next.* is available, outlives node.crt, and node.crt ends within before_s. */
MUST_USE bool authority_is_due(const char *dir, int64_t now, int64_t before_s);

/* Another root (PEM) under this one's signature, as PEM for the caller to free. Needs
 * root.key. See authority_cross.c. */
MUST_USE bool authority_cross_sign(const char *dir, struct span other_pem,
	struct span passphrase, struct span *pem, struct err *err);
/* A new root and node CA; the old root stays as previous-root.*, cross.crt leads from
 * the new one to it, cross-old.crt the other way. Needs root.key; wish->passphrase
 * opens it and encrypts the new one. */
MUST_USE bool authority_rotate_root(
	const char *dir, const struct authority_wish *wish, struct err *err);

/*
 * An authority that people bring along: `bundle` has the issuing certificate first,
 * then those above it, and its key (PEM), or is PKCS#12, or one certificate in DER;
 * `key` is a file of its own (PEM, or PKCS#8 in DER), or empty; `root` too. The chain
 * must end in a self-signed root. Linted, and tried with a leaf, before anything is
 * written; dir must have none yet.
 */
struct authority_bundle {
	struct span bundle;
	struct span key;
	struct span root;
	struct span passphrase;      /* of the key or the PKCS#12 file */
	struct span node_passphrase; /* encrypts node.key [plain] */
};
MUST_USE bool authority_import(
	const char *dir, const struct authority_bundle *from, struct err *err);

// SPDX-License-Identifier: Apache-2.0
/*
 * client_ca: the managed authority for certificates of clients.
 *
 * A directory: ca.crt, ca.key (0400), ocsp.crt and ocsp.key (who answers OCSP in its
 * name, 0400), register.db (client_register.h), and what is made from the register and
 * read by the edge: clients.crl (DER, signed) and clients.status (client_status.h).
 * Whoever only verifies needs ca.crt and clients.crl.
 */
#pragma once

#include "pki/key.h"

enum {
	CLIENT_CA_DAYS = 3650,
	CLIENT_CA_CRL_DAYS = 30, /* nextUpdate of a list */
	CLIENT_VALID_MIN_S = 3600,
	CLIENT_VALID_MAX_S = 3653 * 86400, /* ten years */
	CLIENT_VALID_S = 90 * 86400,
	CLIENT_SANS = 16,  /* names in one certificate */
	CLIENT_URL = 256,  /* octets of an address in a certificate */
	CLIENT_TEXT = 512, /* octets of a subject or one name */
};

/* Who signs where the authority's key is not at hand: in a token, on a key server. */
struct client_signer {
	/* dst has KEY_SIGNATURE_MAX octets. It may take its time. */
	bool (*sign)(struct client_signer *s, const struct key_job *job, uint8_t *dst,
		size_t *n, struct err *err);
};

struct client_ca_wish {
	const char *name;         /* commonName ["sekisho client CA"] */
	const char *organisation; /* [none] */
	enum key_kind kind;       /* [p256] */
	unsigned days;            /* [CLIENT_CA_DAYS] */
	struct span passphrase;   /* encrypts ca.key [plain] */
	/* Of a key that is there already, elsewhere; then no ca.key is written and
	 * kind does not matter. Both or none; borrowed. */
	EVP_PKEY *public;
	struct client_signer *signer;
};

struct client_ca {
	X509 *crt;     /* owned */
	EVP_PKEY *key; /* owned; NULL when loaded without; with a signer a stand-in */
	struct client_signer *signer; /* borrowed; NULL: key signs */
	int64_t not_after;
};

/* Makes dir (0711: workers open its lists by name) and its four files; nothing is
 * overwritten. ERR_PKI_CLIENT_CA. */
MUST_USE bool client_ca_make(
	const char *dir, const struct client_ca_wish *wish, struct err *err);
/* Whether dir has nothing of an authority yet: nothing is overwritten. */
MUST_USE bool client_ca_is_free(const char *dir, struct err *err);
/* NULL on failure: ERR_PKI_CLIENT_CA, or why the key cannot be read. */
struct client_ca *client_ca_load(
	const char *dir, bool with_key, struct span passphrase, struct err *err);
/* The same with its key elsewhere; signer outlives it. */
struct client_ca *client_ca_load_elsewhere(
	const char *dir, struct client_signer *signer, struct err *err);
/* What was built and signed by the stand-in, signed by the right key instead: replaces
 * *der, which mem_alloc() made, and frees it on failure. Does nothing without a signer.
 */
MUST_USE bool client_ca_resign(
	const struct client_ca *ca, struct span *der, struct err *err);
/* Wipes the key. */
void client_ca_free(struct client_ca *ca); /* NULL does nothing */
/* A fresh ocsp.crt and ocsp.key when less than half of the old one's life is left. */
MUST_USE bool client_ca_renew_ocsp(
	const struct client_ca *ca, const char *dir, struct err *err);
/* dir/file in dst[1024]. */
MUST_USE bool client_ca_path(
	char dst[1024], const char *dir, const char *file, struct err *err);

/* What a certificate is to say. Texts are UTF-8 and become structure value by value:
 * a comma in a name is a comma in a name. */
struct client_wish {
	struct span subject; /* "CN=a,O=b": RFC 4514 with the types of client_name.c */
	const EVP_PKEY *key; /* borrowed; its public half is used */
	const struct span *sans; /* "email:", "dns:", "uri:", "ip:" and the name */
	size_t n_sans;           /* at most CLIENT_SANS */
	int64_t valid_s; /* CLIENT_VALID_MIN_S to CLIENT_VALID_MAX_S; cut at the CA's
			    end */
	const char *crl_url;    /* or NULL */
	const char *ocsp_url;   /* or NULL */
	const char *issuer_url; /* where ca.crt is served, or NULL */
};

/*
 * A certificate for TLS clients: digitalSignature, clientAuth, both key identifiers,
 * random serial number of 127 bits. *der is the caller's
 * to mem_free(). ERR_PKI_CLIENT.
 */
MUST_USE bool client_ca_issue(const struct client_ca *ca,
	const struct client_wish *wish, struct span *der, struct err *err);
/* The names of an older certificate, new serial number and dates; wish->key may be
 * NULL: its key too. */
MUST_USE bool client_ca_reissue(const struct client_ca *ca, struct span old_der,
	const struct client_wish *wish, struct span *der, struct err *err);

/* Reasons of RFC 5280 §5.3.1 that a client's certificate can have. */
enum client_reason {
	CLIENT_UNSPECIFIED = 0,
	CLIENT_KEY_COMPROMISE = 1,
	CLIENT_AFFILIATION_CHANGED = 3,
	CLIENT_SUPERSEDED = 4,
	CLIENT_CESSATION = 5,
	CLIENT_HOLD = 6,
	CLIENT_PRIVILEGE_WITHDRAWN = 9,
};
/* "key-compromise", …; NULL for a number that is none of them. */
const char *client_reason_name(int reason);
/* Number of that name, or −1. */
int client_reason_find(struct span name);

struct client_revoked {
	struct span serial; /* INTEGER contents; borrowed */
	int64_t at;         /* wall seconds */
	int reason;         /* enum client_reason */
};

/* A whole list signed by the CA; *der is the caller's to mem_free(). */
struct client_crl_plan {
	const struct client_revoked *revoked;
	size_t n_revoked;
	uint64_t number; /* rises with every list (RFC 5280 §5.2.3) */
	int64_t now;
	unsigned days; /* until nextUpdate; 0: CLIENT_CA_CRL_DAYS */
};
MUST_USE bool client_ca_crl(const struct client_ca *ca,
	const struct client_crl_plan *plan, struct span *der, struct err *err);

/* ---- requests (PKCS#10) ---- */

enum { CLIENT_CSR_MAX = 16 * 1024 };

/* What a request says; the key has proven that it is its sender's. */
struct client_csr {
	EVP_PKEY *key;             /* owned */
	char subject[CLIENT_TEXT]; /* as client_wish has it; "" when empty */
	char sans[CLIENT_SANS][CLIENT_TEXT];
	size_t n_sans;
};

/*
 * Reads a request (RFC 2986), PEM or DER, strictly: one value per attribute, no octets
 * left, a key of a kind we issue for, a signature by that key with a method that is not
 * weak. Names of kinds that a client's certificate does not have are refused, not
 * passed over. ERR_PKI_CSR; *out is then zeroed.
 */
MUST_USE bool client_csr_read(
	struct span text, struct client_csr *out, struct err *err);
void client_csr_fini(struct client_csr *csr);
/* A request made here, PEM; the caller frees with mem_free(). */
MUST_USE bool client_csr_make(
	EVP_PKEY *key, struct span subject, struct span *pem, struct err *err);

/* ---- for browsers and phones ---- */

enum client_form {
	CLIENT_PEM,
	CLIENT_DER,
	CLIENT_PKCS12,        /* PBES2, AES-256, HMAC-SHA-256 */
	CLIENT_PKCS12_LEGACY, /* 3DES and SHA-1, for keychains that know no better */
	CLIENT_APPLE,         /* configuration profile around the legacy PKCS#12 */
	CLIENT_FORMS,
};
const char *client_form_name(enum client_form form);
enum client_form client_form_find(struct span name); /* or CLIENT_FORMS */
const char *client_form_suffix(enum client_form form);

/* What goes into a file for a client. */
struct client_bundle {
	struct span der; /* its certificate */
	EVP_PKEY *key;   /* borrowed; NULL only for PEM and DER */
	const char *name;
	struct span passphrase; /* of PKCS#12; not empty, UTF-8 without NUL */
};
/* *out may hold a private key: secret_wipe() and mem_free() it. */
MUST_USE bool client_export(const struct client_ca *ca, enum client_form form,
	const struct client_bundle *from, struct span *out, struct err *err);

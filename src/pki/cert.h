// SPDX-License-Identifier: Apache-2.0
/*
 * cert: what a certificate says (RFC 5280 §4), read strictly by ourselves.
 *
 * OpenSSL 3.0 takes more than 100 µs to parse a certificate and accepts a good deal
 * that is not DER; this reader takes a microsecond or two, keeps spans into one copy of
 * the octets, and refuses what two readers could read differently. The OpenSSL objects
 * (public key, X509) are made when first asked for, and kept.
 *
 * Certificates are ref-counted, as identities and profiles are: the parse cache, the
 * verdict cache and a session may all hold the same intermediate.
 */
#pragma once

#include "base/ip.h"
#include "base/json.h"
#include "base/lru.h"
#include "base/read.h"
#include "base/text.h"
#include "pki/key.h"

enum {
	CERT_MAX = 64 * 1024, /* octets; a larger certificate is refused */
	CERT_HASH = 32,
	CERT_SIGNERS = 4, /* proven issuers remembered per certificate */
	CERT_EXTS = 32,   /* extensions; more are refused */
};

/* keyUsage bits as we number them: bit 0 of the BIT STRING is 1 << 0. */
enum cert_usage {
	CERT_DIGITAL_SIGNATURE = 1 << 0,
	CERT_KEY_ENCIPHERMENT = 1 << 2,
	CERT_KEY_CERT_SIGN = 1 << 5,
	CERT_CRL_SIGN = 1 << 6,
};

enum cert_eku {
	CERT_EKU_SERVER = 1 << 0,
	CERT_EKU_CLIENT = 1 << 1,
	CERT_EKU_ANY = 1 << 2,
	CERT_EKU_OCSP = 1 << 3,
	CERT_EKU_OTHER = 1 << 4,
};

/* A signature method; constants of cert_read.c. */
struct cert_sigalg {
	const char *name;  /* "ecdsa-sha256" */
	const char *cfssl; /* "ECDSAWithSHA256" */
	struct span oid;
	enum key_family family; /* of the key that signs */
	enum key_hash hash;     /* KEY_HASH_NONE: of the method itself */
	bool pss;
	bool weak; /* no collision resistance, or not checked at all */
};

/* An extension's value, as sent; absent when p is NULL. */
struct cert_ext {
	struct span value; /* contents of the OCTET STRING */
	bool critical;
	bool present;
};

/* All spans point into der and live as long as the certificate. Read only. */
struct cert {
	struct lru_item cached; /* in the parse cache */
	unsigned refs;
	bool is_cached;
	struct span der; /* owned */
	uint8_t sha256[CERT_HASH];
	uint8_t spki_sha256[CERT_HASH];

	unsigned version;     /* 1, 2 or 3 */
	struct span tbs;      /* the signed octets, header included */
	struct span serial;   /* INTEGER contents, two's complement */
	struct span algo;     /* signature AlgorithmIdentifier, whole element */
	struct span issuer;   /* Name, whole element */
	struct span subject;  /* Name, whole element */
	int64_t not_before;   /* wall seconds */
	int64_t not_after;    /* the last second of validity */
	struct span spki;     /* whole element */
	struct span key_bits; /* contents of the BIT STRING without its first octet */
	struct span signature;
	enum key_family family;
	unsigned bits;     /* RSA modulus or field size */
	uint64_t exponent; /* RSA public exponent, 0 when larger than 64 bits */
	const struct cert_sigalg *sig; /* NULL when we do not know it */
	const char *curve;             /* "P-256", …, or NULL */

	struct cert_ext san, basic, usage, eku, names, aki, ski, policies, mappings,
		policy_limits, inhibit_any, aia, crl_points, scts, tls_feature;
	bool has_unknown_critical;
	bool is_ca;               /* basicConstraints cA */
	int path_len;             /* −1: no limit */
	unsigned key_usage;       /* enum cert_usage; 0 when absent */
	unsigned ekus;            /* enum cert_eku */
	struct span aki_key;      /* keyIdentifier, or empty */
	struct span ski_key;      /* subjectKeyIdentifier, or empty */
	struct span ca_issuers;   /* first http URL of the issuer, or empty */
	struct span ocsp;         /* first http URL of the responder, or empty */
	struct span crl;          /* first http URL of a CRL, or empty */
	bool must_staple;         /* RFC 7633 */
	const char *serial_fault; /* what is wrong with its serial number, or NULL */
	char fault[64]; /* what in its form no verifier should accept, or "" */

	EVP_PKEY *key;                            /* owned; made by cert_key() */
	X509 *x509;                               /* owned; made by cert_x509() */
	uint8_t signers[CERT_SIGNERS][CERT_HASH]; /* keys whose signature was proven */
	unsigned n_signers;
};

/*
 * The certificate of these octets, with one more reference: from the cache of the
 * process, or parsed. NULL with ERR_PKI_CERT when it is no certificate. Forms that can
 * be read but must not be trusted (a negative serial number, a doubled extension) are
 * read and named in `fault`, so that they can be shown to people.
 */
struct cert *cert_parse(struct span der, struct err *err);
struct cert *cert_get(struct cert *c);
void cert_put(struct cert *c); /* NULL does nothing */

/* Bounds the parse cache of this process, 4 MiB at the start; 0 empties it. */
void cert_cache_limit(size_t bytes);

/* From a file or text in PEM (first certificate) or DER. */
struct cert *cert_load(const char *path, struct err *err);
struct cert *cert_from_text(struct span pem_or_der, struct err *err);
struct cert *cert_from_x509(const X509 *x, struct err *err);

/* OpenSSL's view; owned by the certificate. NULL with ERR_PKI_CERT. */
EVP_PKEY *cert_key(struct cert *c, struct err *err);
X509 *cert_x509(struct cert *c, struct err *err);

enum cert_san_kind {
	CERT_SAN_DNS,
	CERT_SAN_IP,
	CERT_SAN_EMAIL,
	CERT_SAN_URI,
	CERT_SAN_DIR,
	CERT_SAN_OTHER
};

/* One subjectAltName. DNS, e-mail and URI are raw octets as sent: check before use. */
struct cert_san {
	enum cert_san_kind kind;
	struct span value; /* name; 4 or 16 octets; Name element */
};

/* for (struct read it = cert_sans(c); cert_next_san(&it, &san);) */
struct read cert_sans(const struct cert *c);
MUST_USE bool cert_next_san(struct read *it, struct cert_san *out);
/* For people: "a.example", "192.0.2.1". */
void cert_san_text(const struct cert_san *san, struct text *t);

/* "CN=a.example, O=Example" in the order of the certificate, control octets escaped. */
void cert_name_text(struct span name, struct text *t);
/* The first commonName as UTF-8 into t, or nothing. */
void cert_common_name(struct span name, struct text *t);
/* Whether subject and issuer are the same name (RFC 5280 §7.1: case and white space of
 * printable and UTF-8 strings do not count). */
MUST_USE bool cert_names_eq(struct span a, struct span b);
/* Lower-case hex without separators; the shape logs and pages use. */
void cert_serial_text(const struct cert *c, struct text *t);
/* "RSA 2048", "EC P-256", "Ed25519". */
void cert_key_text(const struct cert *c, struct text *t);

/*
 * An object member (or array element with key NULL) as `cfssl certinfo` prints it:
 * subject, issuer, serial_number, sans, not_before, not_after, sigalg,
 * authority_key_id, subject_key_id, pem; and what that lacks: version, serial in hex,
 * is_ca, path_len, key, key_usage, ext_key_usage, fingerprints, AIA and CRL addresses,
 * must_staple, faults.
 */
void cert_json(const struct cert *c, struct json_out *j, const char *key);
/* The same without the object's end: the caller adds members and json_end(). */
void cert_json_open(const struct cert *c, struct json_out *j, const char *key);
/* PEM text, added to t. */
void cert_pem(const struct cert *c, struct text *t);
/* Lines for a terminal. */
void cert_print(const struct cert *c, struct text *t);

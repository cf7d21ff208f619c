// SPDX-License-Identifier: Apache-2.0
/*
 * key: private and public keys at rest.
 *
 * Keys are OpenSSL's EVP_PKEY; the caller owns what is returned (EVP_PKEY_free, or
 * AUTO(EVP_PKEY)). Private octets that pass through here are wiped.
 */
#pragma once

#include "pki/ossl.h"

enum key_kind {
	KEY_OTHER = 0, /* none of ours; never made, seldom accepted */
	KEY_P256,
	KEY_P384,
	KEY_RSA2048,
	KEY_RSA3072,
	KEY_RSA4096,
	KEY_ED25519,
};

enum {
	KEY_FILE_MAX = 64 * 1024, /* a larger key file is refused unread */
	KEY_SKI = 20,             /* RFC 5280 §4.2.1.2 method 1 */
	KEY_ID = 32,              /* SHA-256 of the SubjectPublicKeyInfo */
};

/* "p256", "rsa2048", …; "other". */
const char *key_kind_name(enum key_kind kind);
/* The kind of that name, or KEY_OTHER. */
enum key_kind key_kind_find(struct span name);
enum key_kind key_kind_of(const EVP_PKEY *key);

/* A fresh key, or NULL with ERR_PKI_KEY. kind is not KEY_OTHER. */
EVP_PKEY *key_new(enum key_kind kind, struct err *err);

/*
 * Reads the first private key of PEM text: PKCS#8 plain or encrypted, or the
 * traditional forms. passphrase may be empty: an encrypted key is then refused with
 * ERR_PKI_PASSPHRASE, nobody is asked. NULL on failure.
 */
EVP_PKEY *key_from_pem(struct span pem, struct span passphrase, struct err *err);
/* The same from a file, which must be private: see file_is_private(). */
EVP_PKEY *key_load(const char *path, struct span passphrase, struct err *err);
/* PKCS#8 in DER, plain or encrypted. NULL on failure. */
EVP_PKEY *key_from_pkcs8(struct span der, struct span passphrase, struct err *err);
/* PKCS#8 DER. NULL on failure. */
EVP_PKEY *key_from_der(struct span der, struct err *err);

/* Writes PKCS#8 PEM with mode 0400; encrypted (PBES2, AES-256, PBKDF2) when passphrase
 * is not empty. Replaces an older file atomically. */
MUST_USE bool key_save(
	const char *path, const EVP_PKEY *key, struct span passphrase, struct err *err);
/* PKCS#8 DER in memory for the caller to secret_wipe() and mem_free(). */
MUST_USE bool key_to_der(const EVP_PKEY *key, struct span *der, struct err *err);

/* SubjectPublicKeyInfo in DER; the caller frees with mem_free((void *)der->p). */
MUST_USE bool key_spki(const EVP_PKEY *key, struct span *der, struct err *err);
/* SHA-256 of it: the name of a key everywhere in the product. */
MUST_USE bool key_id(const EVP_PKEY *key, uint8_t id[KEY_ID], struct err *err);
/* SHA-1 of the public key bits (RFC 5280 §4.2.1.2 (1)), what every verifier expects. */
MUST_USE bool key_ski(const EVP_PKEY *key, uint8_t ski[KEY_SKI], struct err *err);

/*
 * The same key for rooms that do not know OpenSSL (the key server, the vault).
 * Operations block; they belong in processes made for that.
 */
struct key;

enum key_hash {
	KEY_HASH_NONE,
	KEY_MD5SHA1,
	KEY_SHA1,
	KEY_SHA224,
	KEY_SHA256,
	KEY_SHA384,
	KEY_SHA512
};
enum key_padding {
	KEY_PKCS1,
	KEY_PSS
}; /* PSS: MGF1 of the same hash, salt as long as it */

enum { KEY_SIGNATURE_MAX = 1024 };

/* Takes over pkey, which is not NULL. */
struct key *key_wrap(EVP_PKEY *pkey);
void key_free(struct key *k); /* NULL does nothing */
struct key *key_open(const char *path, struct span passphrase, struct err *err);
struct key *key_open_pem(struct span pem, struct span passphrase, struct err *err);
/* A public key: a SubjectPublicKeyInfo in PEM. */
struct key *key_open_public(const char *path, struct err *err);
/* Borrowed. */
EVP_PKEY *key_pkey(const struct key *k);

enum key_family {
	KEY_FAMILY_OTHER,
	KEY_FAMILY_RSA,
	KEY_FAMILY_EC,
	KEY_FAMILY_ED25519,
	KEY_FAMILY_DSA,
};
enum key_family key_family(const struct key *k);
enum key_family key_pkey_family(const EVP_PKEY *key);
/* Of the modulus or the field. */
unsigned key_bits(const struct key *k);
/* RSA modulus without leading zeros, or the compressed EC point; false for others or
 * when it does not fit. */
MUST_USE bool key_numbers(const struct key *k, uint8_t *dst, size_t cap, size_t *n);

/* What is to be signed (pki/signer.h): a hash made elsewhere, as long as `hash` says,
 * or with KEY_HASH_NONE the whole message for Ed25519. */
struct key_job {
	enum key_hash hash;
	enum key_padding padding;
	struct span input;
};

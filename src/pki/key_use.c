// SPDX-License-Identifier: Apache-2.0
/*
 * key_use: operations with private keys for rooms that do not know OpenSSL.
 */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "base/mem.h"
#include "base/must.h"
#include "pki/key.h"

struct key {
	EVP_PKEY *pkey; /* owned */
};

struct key *
key_wrap(EVP_PKEY *pkey)
{
	struct key *k = mem_alloc(sizeof *k);

	must(pkey);
	k->pkey = pkey;
	return k;
}

void
key_free(struct key *k)
{
	if (!k)
		return;
	EVP_PKEY_free(k->pkey);
	mem_free(k);
}

struct key *
key_open(const char *path, struct span passphrase, struct err *err)
{
	EVP_PKEY *pkey = key_load(path, passphrase, err);
	return pkey ? key_wrap(pkey) : NULL;
}

struct key *
key_open_pem(struct span pem, struct span passphrase, struct err *err)
{
	EVP_PKEY *pkey = key_from_pem(pem, passphrase, err);
	return pkey ? key_wrap(pkey) : NULL;
}

EVP_PKEY *
key_pkey(const struct key *k)
{
	return k->pkey;
}

enum key_family
key_family(const struct key *k)
{
	return key_pkey_family(k->pkey);
}

unsigned
key_bits(const struct key *k)
{
	int bits = EVP_PKEY_get_bits(k->pkey);
	return bits > 0 ? (unsigned)bits : 0;
}

static bool
read_modulus(const EVP_PKEY *pkey, uint8_t *dst, size_t cap, size_t *n)
{
	AUTO(BIGNUM) *modulus = NULL;

	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &modulus) != 1)
		return false;
	int size = BN_num_bytes(modulus);
	if (size <= 0 || (size_t)size > cap)
		return false;
	*n = (size_t)BN_bn2bin(modulus, dst);
	return true;
}

/* OpenSSL gives the point in the form the key prefers; we want the compressed one
 * (SEC 1 §2.3.3), which is x behind the parity of y. */
static bool
read_point(const EVP_PKEY *pkey, uint8_t *dst, size_t cap, size_t *n)
{
	uint8_t point[2 * 72 + 1];
	size_t got = 0;

	if (EVP_PKEY_get_octet_string_param(
		    pkey, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &got) != 1)
		return false;
	size_t half = (got - 1) / 2;
	if (got < 3 || point[0] != 4 || half + 1 > cap)
		return false;
	dst[0] = (uint8_t)(2 | (point[got - 1] & 1));
	for (size_t i = 0; i < half; i++)
		dst[1 + i] = point[1 + i];
	*n = half + 1;
	return true;
}

bool
key_numbers(const struct key *k, uint8_t *dst, size_t cap, size_t *n)
{
	switch (key_family(k)) {
	case KEY_FAMILY_RSA:
		return read_modulus(k->pkey, dst, cap, n);
	case KEY_FAMILY_EC:
		return read_point(k->pkey, dst, cap, n);
	case KEY_FAMILY_OTHER:
	case KEY_FAMILY_ED25519:
	case KEY_FAMILY_DSA:
		break;
	}
	return false;
}

static const EVP_MD *
find_hash(enum key_hash hash)
{
	switch (hash) {
	case KEY_HASH_NONE:
		return NULL;
	case KEY_MD5SHA1:
		return EVP_md5_sha1();
	case KEY_SHA1:
		return EVP_sha1();
	case KEY_SHA224:
		return EVP_sha224();
	case KEY_SHA256:
		return EVP_sha256();
	case KEY_SHA384:
		return EVP_sha384();
	case KEY_SHA512:
		return EVP_sha512();
	}
	return NULL;
}

static bool
sign_message(const struct key *k, struct span message, uint8_t *dst, size_t *n,
	struct err *err)
{
	AUTO(EVP_MD_CTX) *md = EVP_MD_CTX_new();
	size_t size = KEY_SIGNATURE_MAX;

	if (!md || EVP_DigestSignInit(md, NULL, NULL, NULL, k->pkey) != 1 ||
		EVP_DigestSign(md, dst, &size, message.p, message.n) != 1)
		return ossl_err(err, ERR_PKI_KEY, "signing with Ed25519");
	*n = size;
	return true;
}

static bool
set_padding(EVP_PKEY_CTX *op, const struct key_job *job)
{
	if (job->padding == KEY_PKCS1)
		return EVP_PKEY_CTX_set_rsa_padding(op, RSA_PKCS1_PADDING) == 1;
	return EVP_PKEY_CTX_set_rsa_padding(op, RSA_PKCS1_PSS_PADDING) == 1 &&
		EVP_PKEY_CTX_set_rsa_pss_saltlen(op, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static bool
sign_digest(const struct key *k, const struct key_job *job, uint8_t *dst, size_t *n,
	struct err *err)
{
	const EVP_MD *md = find_hash(job->hash);
	AUTO(EVP_PKEY_CTX) *op = EVP_PKEY_CTX_new(k->pkey, NULL);
	bool is_rsa = key_family(k) == KEY_FAMILY_RSA;
	size_t size = KEY_SIGNATURE_MAX;

	if (!md || job->input.n != (size_t)EVP_MD_get_size(md)) {
		return err_set(
			err, ERR_PKI_KEY, "%zu octets are not that hash", job->input.n);
	}
	if (!op || EVP_PKEY_sign_init(op) != 1 || (is_rsa && !set_padding(op, job)) ||
		EVP_PKEY_CTX_set_signature_md(op, md) != 1 ||
		EVP_PKEY_sign(op, dst, &size, job->input.p, job->input.n) != 1)
		return ossl_err(err, ERR_PKI_KEY, "signing");
	*n = size;
	return true;
}

bool
key_sign(const struct key *k, const struct key_job *job, uint8_t *dst, size_t *n,
	struct err *err)
{
	switch (key_family(k)) {
	case KEY_FAMILY_ED25519:
		if (job->hash != KEY_HASH_NONE) {
			return err_set(
				err, ERR_PKI_KEY, "Ed25519 signs whole messages");
		}
		return sign_message(k, job->input, dst, n, err);
	case KEY_FAMILY_RSA:
		if (job->padding == KEY_PSS && job->hash == KEY_MD5SHA1)
			return err_set(err, ERR_PKI_KEY, "PSS needs one hash");
		return sign_digest(k, job, dst, n, err);
	case KEY_FAMILY_EC:
		return sign_digest(k, job, dst, n, err);
	case KEY_FAMILY_OTHER:
	case KEY_FAMILY_DSA:
		break;
	}
	return err_set(err, ERR_PKI_KEY, "this kind of key does not sign here");
}

bool
key_rsa_raw(const struct key *k, struct span input, uint8_t *dst, size_t *n,
	struct err *err)
{
	size_t size = KEY_SIGNATURE_MAX;

	if (key_family(k) != KEY_FAMILY_RSA)
		return err_set(err, ERR_PKI_KEY, "only RSA keys decrypt");
	AUTO(EVP_PKEY_CTX) *op = EVP_PKEY_CTX_new(k->pkey, NULL);
	if (!op || EVP_PKEY_decrypt_init(op) != 1 ||
		EVP_PKEY_CTX_set_rsa_padding(op, RSA_NO_PADDING) != 1 ||
		EVP_PKEY_decrypt(op, dst, &size, input.p, input.n) != 1)
		return ossl_err(err, ERR_PKI_KEY, "the raw RSA operation");
	*n = size;
	return true;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * key_use: operations with private keys for rooms that do not know OpenSSL.
 */
#include <openssl/core_names.h>
#include <openssl/pem.h>

#include "base/file.h"
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

struct key *
key_open_public(const char *path, struct err *err)
{
	struct span text = {0};

	if (!file_read(path, KEY_FILE_MAX, &text, err))
		return NULL;
	BIO *bio = BIO_new_mem_buf(text.p, (int)text.n); /* at most KEY_FILE_MAX */
	EVP_PKEY *pkey =
		bio ? PEM_read_bio_PUBKEY(bio, NULL, ossl_no_passphrase, NULL) : NULL;
	BIO_free(bio);
	mem_free((void *)(uintptr_t)text.p);
	if (!pkey) {
		ossl_err(err, ERR_PKI_KEY, "%s: no public key in PEM", path);
		return NULL;
	}
	return key_wrap(pkey);
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

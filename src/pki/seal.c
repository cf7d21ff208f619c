// SPDX-License-Identifier: Apache-2.0
#include "pki/seal.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "base/mem.h"
#include "base/read.h"
#include "pki/ossl.h"

enum { VERSION = 1, NONCE = 12, TAG = 16, HEAD = 1 + 4 + NONCE, KEY = 32 };

/* How many epochs a blob outlives its own; the life is cut in this many pieces. */
enum { PIECES = 4 };

void
seal_init(struct seal *s, const uint8_t secret[SEAL_SECRET], uint32_t life_s)
{
	*s = (struct seal){.epoch_s = life_s / PIECES + 1, .n_epochs = PIECES};
	for (size_t i = 0; i < SEAL_SECRET; i++)
		s->secret[i] = secret[i];
}

void
seal_fini(struct seal *s)
{
	secret_wipe(s, sizeof(*s));
}

static uint32_t
epoch_of(const struct seal *s, int64_t now)
{
	return (uint32_t)((uint64_t)now /
		s->epoch_s); /* wraps after 2106 at the least */
}

static bool
derive_key(const struct seal *s, uint32_t epoch, uint8_t key[KEY])
{
	char label[] = "sekisho seal";
	char hash[] = "SHA256";
	uint8_t salt[4];
	struct write w = write_to(salt, sizeof(salt));
	OSSL_PARAM params[5];
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	uint8_t secret[SEAL_SECRET];

	for (size_t i = 0; i < SEAL_SECRET; i++)
		secret[i] = s->secret[i];
	write_be(&w, epoch, 4);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, hash, 0);
	params[1] = OSSL_PARAM_construct_octet_string(
		OSSL_KDF_PARAM_KEY, secret, SEAL_SECRET);
	params[2] = OSSL_PARAM_construct_octet_string(
		OSSL_KDF_PARAM_SALT, salt, sizeof(salt));
	params[3] = OSSL_PARAM_construct_octet_string(
		OSSL_KDF_PARAM_INFO, label, sizeof(label) - 1);
	params[4] = OSSL_PARAM_construct_end();
	bool ok = ctx && EVP_KDF_derive(ctx, key, KEY, params) == 1;
	secret_wipe(secret, sizeof(secret));
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return ok;
}

static bool
encrypt(const uint8_t key[KEY], struct span text, uint8_t *dst)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n = 0;
	/* text.n is below 64 KiB: a payload of the protocol. */
	bool ok = c && text.n <= UINT16_MAX &&
		EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, dst + 5) == 1 &&
		EVP_EncryptUpdate(c, NULL, &n, dst, HEAD) == 1 &&
		EVP_EncryptUpdate(c, dst + HEAD, &n, text.p, (int)text.n) == 1 &&
		EVP_EncryptFinal_ex(c, dst + HEAD + text.n, &n) == 1 &&
		EVP_CIPHER_CTX_ctrl(
			c, EVP_CTRL_GCM_GET_TAG, TAG, dst + HEAD + text.n) == 1;

	EVP_CIPHER_CTX_free(c);
	return ok;
}

bool
seal_close(const struct seal *s, struct span text, int64_t now, uint8_t *dst,
	struct err *err)
{
	uint32_t epoch = epoch_of(s, now);
	struct write w = write_to(dst, HEAD);
	uint8_t key[KEY];

	write_be(&w, VERSION, 1);
	write_be(&w, epoch, 4);
	secret_random(dst + w.n, NONCE);
	bool ok = derive_key(s, epoch, key) && encrypt(key, text, dst);
	secret_wipe(key, sizeof(key));
	return ok ? true : ossl_err(err, ERR_PKI_KEY, "sealing");
}

static bool
decrypt(const uint8_t key[KEY], struct span blob, uint8_t *dst, size_t *n_text)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n = 0;
	size_t size = blob.n - SEAL_OVERHEAD; /* the caller saw that it is not less */
	uint8_t tag[TAG];

	for (size_t i = 0; i < TAG; i++)
		tag[i] = blob.p[HEAD + size + i];
	bool ok = c && size <= UINT16_MAX &&
		EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, blob.p + 5) == 1 &&
		EVP_DecryptUpdate(c, NULL, &n, blob.p, HEAD) == 1 &&
		EVP_DecryptUpdate(c, dst, &n, blob.p + HEAD, (int)size) == 1 &&
		EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG, tag) == 1 &&
		EVP_DecryptFinal_ex(c, dst + size, &n) == 1;

	EVP_CIPHER_CTX_free(c);
	if (ok) {
		*n_text = size;
	} else {
		secret_wipe(dst, size);
	}
	return ok;
}

enum seal_state
seal_open(const struct seal *s, struct span blob, int64_t now, uint8_t *dst, size_t *n)
{
	struct read r = read_from(blob);
	uint32_t version = read_be(&r, 1);
	uint32_t epoch = read_be(&r, 4);
	uint8_t key[KEY];

	if (blob.n < SEAL_OVERHEAD || version != VERSION)
		return SEAL_FORGED;
	/* One ahead: another server's clock may be. */
	uint32_t age = epoch_of(s, now) - epoch + 1;
	if (age > s->n_epochs + 1)
		return SEAL_EXPIRED;
	bool ok = derive_key(s, epoch, key) && decrypt(key, blob, dst, n);
	secret_wipe(key, sizeof(key));
	ERR_clear_error();
	return ok ? SEAL_OPENED : SEAL_FORGED;
}

// SPDX-License-Identifier: Apache-2.0
#include "pki/signer.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "base/mem.h"
#include "base/must.h"

enum { N_HASHES = KEY_SHA512 + 1, RSA_LEAST = 2048, RSA_MOST = 8192 };

struct signer {
	EVP_PKEY *pkey; /* borrowed */
	enum key_family family;
	EVP_PKEY_CTX *ready[N_HASHES][2]; /* owned; made when first asked for */
	EVP_PKEY_CTX *raw;                /* owned */
	EVP_MD_CTX *message;              /* owned; Ed25519 */
};

static bool
is_served_curve(const EVP_PKEY *pkey)
{
	static const char *const names[] = {"prime256v1", "secp384r1", "secp521r1"};
	char name[32];
	size_t n = 0;

	if (EVP_PKEY_get_group_name(pkey, name, sizeof(name), &n) != 1)
		return false;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (span_eq(span_str(name), span_str(names[i])))
			return true;
	}
	return false;
}

struct signer *
signer_new(const struct key *k, struct err *err)
{
	enum key_family family = key_family(k);
	unsigned bits = key_bits(k);
	bool fits = family == KEY_FAMILY_ED25519;

	if (family == KEY_FAMILY_RSA)
		fits = bits >= RSA_LEAST && bits <= RSA_MOST;
	if (family == KEY_FAMILY_EC)
		fits = is_served_curve(key_pkey(k));
	if (!fits) {
		err_set(err, ERR_PKI_KEY, "%s of %u bits cannot be served",
			EVP_PKEY_get0_type_name(key_pkey(k)), bits);
		return NULL;
	}

	struct signer *s = mem_alloc(sizeof(*s));

	s->pkey = key_pkey(k);
	s->family = family;
	return s;
}

void
signer_free(struct signer *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < N_HASHES; i++) {
		EVP_PKEY_CTX_free(s->ready[i][KEY_PKCS1]);
		EVP_PKEY_CTX_free(s->ready[i][KEY_PSS]);
	}
	EVP_PKEY_CTX_free(s->raw);
	EVP_MD_CTX_free(s->message);
	mem_free(s);
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

/* After …_sign_init() or …_verify_init(). */
static bool
set_scheme(EVP_PKEY_CTX *op, enum key_family family, const struct key_job *job)
{
	const EVP_MD *md = find_hash(job->hash);

	/* ECDSA does not say which hash it was; lengths are checked by the caller. */
	if (family != KEY_FAMILY_RSA)
		return md != NULL;
	if (!md || EVP_PKEY_CTX_set_signature_md(op, md) != 1)
		return false;
	if (job->padding == KEY_PKCS1)
		return EVP_PKEY_CTX_set_rsa_padding(op, RSA_PKCS1_PADDING) == 1;
	return EVP_PKEY_CTX_set_rsa_padding(op, RSA_PKCS1_PSS_PADDING) == 1 &&
		EVP_PKEY_CTX_set_rsa_mgf1_md(op, md) == 1 &&
		EVP_PKEY_CTX_set_rsa_pss_saltlen(op, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static EVP_PKEY_CTX *
get_ready(struct signer *s, const struct key_job *job)
{
	EVP_PKEY_CTX **slot = &s->ready[job->hash][job->padding];

	if (*slot) {
		/* cppcheck-suppress identicalInnerCondition ; a pointer, not a truth */
		return *slot;
	}
	AUTO(EVP_PKEY_CTX) *op = EVP_PKEY_CTX_new(s->pkey, NULL);
	if (!op || EVP_PKEY_sign_init(op) != 1 || !set_scheme(op, s->family, job))
		return NULL;
	*slot = KEEP(op);
	return *slot;
}

static bool
sign_digest(struct signer *s, const struct key_job *job, uint8_t *dst, size_t *n,
	struct err *err)
{
	EVP_PKEY_CTX *op = get_ready(s, job);
	const EVP_MD *md = find_hash(job->hash);
	size_t size = KEY_SIGNATURE_MAX;

	if (!op || !md || job->input.n != (size_t)EVP_MD_get_size(md)) {
		ERR_clear_error();
		return err_set(
			err, ERR_PKI_KEY, "%zu octets are not that hash", job->input.n);
	}
	if (EVP_PKEY_sign(op, dst, &size, job->input.p, job->input.n) != 1)
		return ossl_err(err, ERR_PKI_KEY, "signing");
	*n = size;
	return true;
}

static bool
sign_message(
	struct signer *s, struct span message, uint8_t *dst, size_t *n, struct err *err)
{
	size_t size = KEY_SIGNATURE_MAX;

	if (!s->message)
		s->message = EVP_MD_CTX_new();
	if (!s->message ||
		EVP_DigestSignInit(s->message, NULL, NULL, NULL, s->pkey) != 1 ||
		EVP_DigestSign(s->message, dst, &size, message.p, message.n) != 1)
		return ossl_err(err, ERR_PKI_KEY, "signing with Ed25519");
	*n = size;
	return true;
}

bool
signer_sign(struct signer *s, const struct key_job *job, uint8_t *dst, size_t *n,
	struct err *err)
{
	bool is_message = s->family == KEY_FAMILY_ED25519;

	if (is_message != (job->hash == KEY_HASH_NONE)) {
		return err_set(
			err, ERR_PKI_KEY, "the hash does not fit the kind of key");
	}
	if (is_message)
		return sign_message(s, job->input, dst, n, err);
	if (job->padding == KEY_PSS &&
		(job->hash == KEY_MD5SHA1 || s->family != KEY_FAMILY_RSA))
		return err_set(err, ERR_PKI_KEY, "PSS is for RSA, with one hash");
	return sign_digest(s, job, dst, n, err);
}

static bool
get_raw_ready(struct signer *s)
{
	if (s->raw)
		return true;
	AUTO(EVP_PKEY_CTX) *op = EVP_PKEY_CTX_new(s->pkey, NULL);
	if (!op || EVP_PKEY_decrypt_init(op) != 1 ||
		EVP_PKEY_CTX_set_rsa_padding(op, RSA_NO_PADDING) != 1)
		return false;
	s->raw = KEEP(op);
	return true;
}

bool
signer_raw(
	struct signer *s, struct span input, uint8_t *dst, size_t *n, struct err *err)
{
	size_t size = KEY_SIGNATURE_MAX;

	if (s->family != KEY_FAMILY_RSA)
		return err_set(err, ERR_PKI_KEY, "only RSA keys decrypt");
	if (input.n != (size_t)EVP_PKEY_get_size(s->pkey)) {
		return err_set(err, ERR_PKI_KEY,
			"%zu octets are not the modulus' length", input.n);
	}
	if (!get_raw_ready(s) ||
		EVP_PKEY_decrypt(s->raw, dst, &size, input.p, input.n) != 1)
		return ossl_err(err, ERR_PKI_KEY, "the raw RSA operation");
	*n = size;
	return true;
}

static bool
verify_message(EVP_PKEY *pub, struct span message, struct span signature)
{
	AUTO(EVP_MD_CTX) *md = EVP_MD_CTX_new();

	return md && EVP_DigestVerifyInit(md, NULL, NULL, NULL, pub) == 1 &&
		EVP_DigestVerify(md, signature.p, signature.n, message.p, message.n) ==
		1;
}

static bool
verify_digest(EVP_PKEY *pub, const struct key_job *job, struct span signature)
{
	enum key_family family =
		EVP_PKEY_is_a(pub, "RSA") ? KEY_FAMILY_RSA : KEY_FAMILY_EC;
	AUTO(EVP_PKEY_CTX) *op = EVP_PKEY_CTX_new(pub, NULL);

	return op && EVP_PKEY_verify_init(op) == 1 && set_scheme(op, family, job) &&
		EVP_PKEY_verify(
			op, signature.p, signature.n, job->input.p, job->input.n) == 1;
}

bool
signer_check(EVP_PKEY *pub, const struct key_job *job, struct span signature)
{
	bool ok = job->hash == KEY_HASH_NONE
		? verify_message(pub, job->input, signature)
		: verify_digest(pub, job, signature);

	ERR_clear_error();
	return ok;
}

size_t
signer_digest(enum key_hash hash, struct span text, uint8_t dst[SIGNER_DIGEST_MAX])
{
	const EVP_MD *md = find_hash(hash);
	unsigned n = 0;

	if (!md)
		return 0;
	must(EVP_Digest(text.p, text.n, dst, &n, md, NULL) == 1); /* built-in hashes */
	return n;
}

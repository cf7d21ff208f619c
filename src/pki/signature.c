// SPDX-License-Identifier: Apache-2.0
/*
 * signature: did this key sign these octets?
 *
 * The most expensive step of a path, so a proof is remembered in the certificate, which
 * the parse cache keeps. Only proofs are: a failure says nothing about other issuers.
 */
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "base/text.h"
#include "pki/path_priv.h"

static const EVP_MD *
find_md(enum key_hash hash)
{
	switch (hash) {
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
	case KEY_HASH_NONE:
	case KEY_MD5SHA1:
		break;
	}
	return NULL;
}

const EVP_MD *
signature_md(const struct cert_sigalg *sig)
{
	return find_md(sig->hash);
}

bool
signature_verify_digest(const struct cert_sigalg *sig, EVP_PKEY *key,
	struct span digest, struct span signature)
{
	AUTO(EVP_PKEY_CTX) *op = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

	bool ok = op && find_md(sig->hash) && EVP_PKEY_verify_init(op) == 1;
	/* The padding comes first: the digest is checked against it. */
	if (ok && sig->family == KEY_FAMILY_RSA) {
		ok = EVP_PKEY_CTX_set_rsa_padding(op,
			     sig->pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) == 1;
	}
	ok = ok && EVP_PKEY_CTX_set_signature_md(op, find_md(sig->hash)) == 1;
	if (ok && sig->pss)
		ok = EVP_PKEY_CTX_set_rsa_pss_saltlen(op, RSA_PSS_SALTLEN_DIGEST) == 1;
	ok = ok &&
		EVP_PKEY_verify(op, signature.p, signature.n, digest.p, digest.n) == 1;
	ERR_clear_error();
	return ok;
}

bool
signature_verify(const struct cert_sigalg *sig, EVP_PKEY *key, struct span message,
	struct span signature)
{
	AUTO(EVP_MD_CTX) *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *op = NULL;

	bool ok =
		md && EVP_DigestVerifyInit(md, &op, find_md(sig->hash), NULL, key) == 1;
	if (ok && sig->pss) {
		ok = EVP_PKEY_CTX_set_rsa_padding(op, RSA_PKCS1_PSS_PADDING) == 1 &&
			EVP_PKEY_CTX_set_rsa_pss_saltlen(op, RSA_PSS_SALTLEN_DIGEST) ==
				1;
	}
	ok = ok &&
		EVP_DigestVerify(md, signature.p, signature.n, message.p, message.n) ==
			1;
	ERR_clear_error();
	return ok;
}

static bool
is_proven(const struct cert *c, const struct cert *issuer)
{
	for (unsigned i = 0; i < c->n_signers; i++) {
		if (span_eq(span_of(c->signers[i], CERT_HASH),
			    span_of(issuer->spki_sha256, CERT_HASH)))
			return true;
	}
	return false;
}

bool
signature_check(struct cert *c, struct cert *issuer, unsigned *count)
{
	struct err ignored = {0};

	if (is_proven(c, issuer))
		return true;
	if (!c->sig || c->sig->family != issuer->family)
		return false;
	/* MD2, MD4 and MD5 prove nothing; Ed25519 has no hash of its own. */
	if (c->sig->hash == KEY_HASH_NONE && c->sig->family != KEY_FAMILY_ED25519)
		return false;
	if (issuer->family == KEY_FAMILY_RSA && issuer->bits > SIGNATURE_RSA_MAX)
		return false;
	(*count)++;
	EVP_PKEY *key = cert_key(issuer, &ignored);
	if (!key || !signature_verify(c->sig, key, c->tbs, c->signature))
		return false;
	if (c->n_signers < CERT_SIGNERS) {
		for (size_t i = 0; i < CERT_HASH; i++)
			c->signers[c->n_signers][i] = issuer->spki_sha256[i];
		c->n_signers++;
	}
	return true;
}

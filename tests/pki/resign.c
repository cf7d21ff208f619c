// SPDX-License-Identifier: Apache-2.0
#include "pki/resign.h"

#include "base/mem.h"
#include "pki/authority.h"
#include "pki/cert.h"
#include "pki/leaf.h"
#include "pki/signer.h"
#include "tests/test.h"

static struct span
mint(const struct authority *a, struct leafkeys *keys)
{
	static const struct span names[] = {SPAN_INIT("a.example")};
	struct leaf_facts facts = {.kind = KEY_P256, .names = names, .n_names = 1};
	struct span der = {0};
	struct err err = {0};

	CHECK_OK(leafkeys_make(keys, 1, &err), &err);
	CHECK_OK(leaf_mint(a, &facts, leafkeys_get(keys, KEY_P256), &der, &err), &err);
	return der;
}

/* As it happens with a key elsewhere: a stand-in signs first, then the right one. */
static void
play(enum key_kind kind)
{
	struct err err = {0};
	struct authority *a =
		authority_ephemeral(&(struct authority_wish){.kind = kind}, &err);
	struct key *real = key_wrap(a->key); /* the issuer's; goes to the key server */
	struct signer *signer = signer_new(real, &err);
	struct leafkeys keys = {0};
	struct resign r;
	struct span der = {0};
	uint8_t digest[SIGNER_DIGEST_MAX];
	uint8_t signature[KEY_SIGNATURE_MAX];
	size_t n = 0;

	a->key = key_new(kind, &err);
	struct span stand_in = mint(a, &keys);
	EVP_PKEY *issuer = X509_get0_pubkey(a->node);
	CHECK_OK(resign_split(stand_in, &r, &err), &err);
	struct key_job job = resign_job(&r, issuer, digest);
	CHECK_OK(signer_sign(signer, &job, signature, &n, &err), &err);
	CHECK_OK(resign_join(&r, issuer, span_of(signature, n), &der, &err), &err);

	struct cert *c = cert_parse(der, &err);
	CHECK_OK(c != NULL, &err);
	CHECK_INT(X509_verify(cert_x509(c, &err), issuer), 1);
	struct cert *before = cert_parse(stand_in, &err);
	CHECK_INT(X509_verify(cert_x509(before, &err), issuer), 0);
	cert_put(before);
	cert_put(c);

	/* A lie is not put in. */
	signature[n / 2] ^= 1;
	struct span none = {0};
	CHECK(!resign_join(&r, issuer, span_of(signature, n), &none, &err));
	CHECK_INT(err.code, ERR_TLS_REMOTE_LIED);
	mem_free((void *)(uintptr_t)stand_in.p);
	mem_free((void *)(uintptr_t)der.p);
	signer_free(signer);
	key_free(real);
	leafkeys_fini(&keys);
	authority_free(a);
}

static void
the_right_signature_takes_the_place_of_the_stand_in(void)
{
	play(KEY_P256);
	play(KEY_P384);
	play(KEY_RSA2048);
	play(KEY_ED25519);
}

static void
what_is_no_certificate_is_not_split(void)
{
	static const struct span bad[] = {SPAN_INIT(""), SPAN_INIT("\x30"),
		SPAN_INIT("\x30\x00"), SPAN_INIT("\x30\x80\x00\x00"),
		SPAN_INIT("\x30\x04\x30\x00\x30\x00"),
		SPAN_INIT("\x30\x82\xff\xff\x30\x00"),
		SPAN_INIT("\x30\x06\x30\x00\x30\x00\x03\x00\x00")};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct resign r;
		struct err err = {0};

		CHECK(!resign_split(bad[i], &r, &err));
	}
}

TESTS(the_right_signature_takes_the_place_of_the_stand_in,
	what_is_no_certificate_is_not_split)

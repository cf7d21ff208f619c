// SPDX-License-Identifier: Apache-2.0
#include "pki/token.h"

#include "pki/signer.h"
#include "tests/pki/softhsm.h"

static struct token *
open_one(struct token_box *b, const char *name, const char *pin, struct err *err)
{
	struct token_uri uri;

	CHECK_OK(token_uri_parse(span_str(name), &uri, err), err);
	return token_open(b, &uri, span_str(pin), err);
}

static void
expect_signatures(
	struct token *t, const EVP_PKEY *key, const struct key_job *jobs, size_t n)
{
	uint8_t out[KEY_SIGNATURE_MAX];
	struct err err = {0};

	CHECK(EVP_PKEY_eq(token_public(t), key) == 1);
	for (size_t i = 0; i < n; i++) {
		size_t size = 0;

		CHECK_OK(token_sign(t, &jobs[i], out, &size, &err), &err);
		CHECK(signer_check(token_public(t), &jobs[i], span_of(out, size)));
	}
}

static const uint8_t hash[64] =
	"sixty-four octets, more or less random, as long as SHA-512's...";

static void
every_kind_of_key_signs_as_one_from_a_file(void)
{
	static const struct {
		enum key_kind kind;
		const char *label;
	} keys[] = {{KEY_P256, "p256"}, {KEY_P384, "p384"}, {KEY_RSA2048, "rsa"},
		{KEY_ED25519, "ed"}};
	const struct key_job ec[] = {{KEY_SHA256, KEY_PKCS1, {hash, 32}},
		{KEY_SHA384, KEY_PKCS1, {hash, 48}},
		{KEY_SHA512, KEY_PKCS1, {hash, 64}}};
	const struct key_job rsa[] = {{KEY_SHA256, KEY_PKCS1, {hash, 32}},
		{KEY_SHA384, KEY_PKCS1, {hash, 48}}, {KEY_SHA1, KEY_PKCS1, {hash, 20}},
		{KEY_MD5SHA1, KEY_PKCS1, {hash, 36}},
		{KEY_SHA224, KEY_PKCS1, {hash, 28}},
		{KEY_SHA512, KEY_PKCS1, {hash, 64}}, {KEY_SHA256, KEY_PSS, {hash, 32}},
		{KEY_SHA384, KEY_PSS, {hash, 48}}, {KEY_SHA512, KEY_PSS, {hash, 64}}};
	const struct key_job ed[] = {{KEY_HASH_NONE, KEY_PKCS1, {hash, 64}}};
	struct softhsm h;
	struct err err = {0};
	char name[64];

	if (!softhsm_open(&h))
		return;
	EVP_PKEY *made[COUNT_OF(keys)];
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		char id[3] = {'0', (char)('1' + i), 0};

		made[i] = key_new(keys[i].kind, &err);
		softhsm_import(&h, made[i], keys[i].label, id);
	}
	struct token_box *b = token_box_new(SOFTHSM_MODULE);
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		text_format(name, sizeof(name), "pkcs11:token=lab;object=%s",
			keys[i].label);
		struct token *t = open_one(b, name, "1234", &err);
		CHECK_OK(t != NULL, &err);
		if (i < 2) {
			expect_signatures(t, made[i], ec, COUNT_OF(ec));
		} else if (i == 2) {
			expect_signatures(t, made[i], rsa, COUNT_OF(rsa));
		} else {
			expect_signatures(t, made[i], ed, COUNT_OF(ed));
		}
		EVP_PKEY_free(made[i]);
		token_free(t);
	}
	token_box_free(b);
	softhsm_close(&h);
}

static void
a_job_that_does_not_fit_the_key_is_refused_here(void)
{
	struct softhsm h;
	struct err err = {0};
	uint8_t out[KEY_SIGNATURE_MAX];
	size_t n = 0;

	if (!softhsm_open(&h))
		return;
	EVP_PKEY *rsa = key_new(KEY_RSA2048, &err);
	softhsm_import(&h, rsa, "rsa", "01");
	struct token_box *b = token_box_new(NULL);
	struct token *t = open_one(b,
		"pkcs11:token=lab;id=%01?module-path=" SOFTHSM_MODULE "&pin-value=1234",
		"", &err);
	CHECK_OK(t != NULL, &err);
	const struct key_job bad[] = {{KEY_SHA256, KEY_PKCS1, {hash, 31}},
		{KEY_HASH_NONE, KEY_PKCS1, {hash, 32}},
		{KEY_MD5SHA1, KEY_PSS, {hash, 36}}};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		CHECK(!token_sign(t, &bad[i], out, &n, &err));
		CHECK_INT(err.code, ERR_PKI_TOKEN);
	}
	uint8_t number[256] = {0, 1};
	uint8_t again[256];
	CHECK(!token_raw(t, span_of(number, 255), out, &n, &err));
	CHECK_OK(token_raw(t, span_of(number, 256), out, &n, &err), &err);
	CHECK_INT(n, 256);
	struct key *k = key_wrap(rsa);
	struct signer *s = signer_new(k, &err);
	CHECK_OK(signer_raw(s, span_of(number, 256), again, &n, &err), &err);
	CHECK(span_eq(span_of(again, 256), span_of(out, 256)));
	signer_free(s);
	key_free(k);
	token_free(t);
	token_box_free(b);
	softhsm_close(&h);
}

static void
a_name_that_fits_none_or_two_fits_none(void)
{
	struct softhsm h;
	struct err err = {0};

	if (!softhsm_open(&h))
		return;
	EVP_PKEY *one = key_new(KEY_P256, &err);
	EVP_PKEY *two = key_new(KEY_P256, &err);
	struct token_box *b = token_box_new(SOFTHSM_MODULE);
	softhsm_import(&h, one, "one", "01");
	struct token *only = open_one(b, "pkcs11:token=lab", "1234", &err);
	CHECK_OK(only && EVP_PKEY_eq(token_public(only), one) == 1, &err);
	softhsm_import(&h, two, "two", "02");
	static const char *const bad[] = {"pkcs11:token=lab",
		"pkcs11:token=lab;object=three", "pkcs11:token=lab;object=one;id=%02",
		"pkcs11:token=other;object=one",
		"pkcs11:token=lab;object=one?module-path=/nowhere.so",
		("pkcs11:token=lab;object=one?module-path=/usr/lib/x86_64-linux-gnu/"
		 "libcrypto.so.3")};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		CHECK(!open_one(b, bad[i], "1234", &err));
		CHECK_INT(err.code, ERR_PKI_TOKEN);
	}
	token_free(only);
	token_box_free(b);
	EVP_PKEY_free(one);
	EVP_PKEY_free(two);
	softhsm_close(&h);
}

static void
a_wrong_pin_is_said_to_be_one(void)
{
	struct softhsm h;
	struct err err = {0};

	if (!softhsm_open(&h))
		return;
	EVP_PKEY *key = key_new(KEY_P256, &err);
	softhsm_import(&h, key, "one", "01");
	struct token_box *b = token_box_new(SOFTHSM_MODULE);
	CHECK(!open_one(b, "pkcs11:token=lab;object=one", "4321", &err));
	CHECK(strstr(err.text, "PIN is wrong") != NULL);
	CHECK(!open_one(b, "pkcs11:token=lab;object=one", "", &err));
	token_box_free(b);
	EVP_PKEY_free(key);
	softhsm_close(&h);
}

TESTS(every_kind_of_key_signs_as_one_from_a_file,
	a_job_that_does_not_fit_the_key_is_refused_here,
	a_name_that_fits_none_or_two_fits_none, a_wrong_pin_is_said_to_be_one)

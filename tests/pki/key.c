// SPDX-License-Identifier: Apache-2.0
#include "pki/key.h"

#include <openssl/rsa.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/signer.h"
#include "tests/test.h"

static char dir[] = "/tmp/sekisho-key-XXXXXX";

static const char *
path_in(const char *file)
{
	static char path[128];
	(void)text_format(path, sizeof path, "%s/%s", dir, file);
	return path;
}

static void
every_kind_is_made_known_again_and_saved(void)
{
	static const enum key_kind kinds[] = {
		KEY_P256, KEY_P384, KEY_RSA2048, KEY_RSA3072, KEY_ED25519};
	struct err err = {0};
	struct stat st;

	CHECK(mkdtemp(dir) != NULL);
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		AUTO(EVP_PKEY) *key = key_new(kinds[i], &err);
		CHECK_OK(key != NULL, &err);
		CHECK_INT(key_kind_of(key), kinds[i]);
		CHECK_INT(key_kind_find(span_str(key_kind_name(kinds[i]))), kinds[i]);
		CHECK_OK(key_save(path_in("k"), key, (struct span){0}, &err), &err);
		CHECK(stat(path_in("k"), &st) == 0 && (st.st_mode & 0777) == 0400);
		AUTO(EVP_PKEY) *again = key_load(path_in("k"), (struct span){0}, &err);
		CHECK_OK(again != NULL, &err);
		CHECK_INT(EVP_PKEY_eq(key, again), 1);
	}
	CHECK_INT(key_kind_find(SPAN("rsa1024")), KEY_OTHER);
}

static void
an_encrypted_key_opens_with_its_passphrase_alone(void)
{
	struct err err = {0};
	AUTO(EVP_PKEY) *key = key_new(KEY_P256, &err);

	CHECK_OK(key_save(path_in("e"), key, SPAN("open sesame"), &err), &err);
	AUTO(EVP_PKEY) *right = key_load(path_in("e"), SPAN("open sesame"), &err);
	CHECK_OK(right != NULL, &err);
	CHECK(key_load(path_in("e"), (struct span){0}, &err) == NULL);
	CHECK_INT(err.code, ERR_PKI_PASSPHRASE);
	CHECK(key_load(path_in("e"), SPAN("wrong"), &err) == NULL);
	CHECK_INT(err.code, ERR_PKI_PASSPHRASE);
}

static void
a_key_others_can_read_is_refused(void)
{
	struct err err = {0};
	AUTO(EVP_PKEY) *key = key_new(KEY_P256, &err);

	CHECK(key_save(path_in("o"), key, (struct span){0}, &err));
	CHECK(chmod(path_in("o"), 0444) == 0);
	CHECK(key_load(path_in("o"), (struct span){0}, &err) == NULL);
	CHECK_INT(err.code, ERR_FILE_NOT_PRIVATE);
}

static void
noise_is_no_key(void)
{
	struct err err = {0};
	CHECK(key_from_pem(SPAN("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE "
				"KEY-----\n"),
		      (struct span){0}, &err) == NULL);
	CHECK_INT(err.code, ERR_PKI_KEY);
	CHECK(key_from_der(SPAN("\x30\x03\x02\x01\x00"), &err) == NULL);
	CHECK_INT(err.code, ERR_PKI_KEY);
}

/* RFC 5280 §4.2.1.2 (1) against OpenSSL's own "hash". */
static void
a_key_identifier_is_sha1_of_the_key_bits(void)
{
	struct err err = {0};
	AUTO(EVP_PKEY) *key = key_new(KEY_P384, &err);
	AUTO(X509) *x = X509_new();
	uint8_t ski[KEY_SKI];
	uint8_t want[64];
	unsigned n = 0;

	X509_set_pubkey(x, key);
	CHECK(X509_pubkey_digest(x, EVP_sha1(), want, &n) == 1 && n == KEY_SKI);
	CHECK_OK(key_ski(key, ski, &err), &err);
	CHECK(span_eq(span_of(ski, KEY_SKI), span_of(want, n)));
}

static bool
verifies(EVP_PKEY *key, const struct key_job *job, struct span sig)
{
	AUTO(EVP_PKEY_CTX) *op = EVP_PKEY_CTX_new(key, NULL);
	return EVP_PKEY_verify_init(op) == 1 &&
		(job->padding != KEY_PSS ||
			(EVP_PKEY_CTX_set_rsa_padding(op, RSA_PKCS1_PSS_PADDING) == 1 &&
				EVP_PKEY_CTX_set_rsa_pss_saltlen(op, 32) == 1)) &&
		EVP_PKEY_CTX_set_signature_md(op, EVP_sha256()) == 1 &&
		EVP_PKEY_verify(op, sig.p, sig.n, job->input.p, job->input.n) == 1;
}

static void
signatures_made_for_other_rooms_verify(void)
{
	struct err err = {0};
	uint8_t sig[KEY_SIGNATURE_MAX];
	size_t n = 0;
	static const enum key_kind kinds[] = {KEY_P256, KEY_RSA2048, KEY_RSA2048};
	static const enum key_padding paddings[] = {KEY_PKCS1, KEY_PKCS1, KEY_PSS};

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct key *k = key_wrap(key_new(kinds[i], &err));
		struct key_job job = {.hash = KEY_SHA256,
			.padding = paddings[i],
			.input = SPAN("0123456789abcdef0123456789abcdef")};
		struct signer *s = signer_new(k, &err);
		CHECK_OK(signer_sign(s, &job, sig, &n, &err), &err);
		CHECK(verifies(key_pkey(k), &job, (struct span){sig, n}));
		job.input.n--;
		CHECK(!signer_sign(s, &job, sig, &n, &err));
		CHECK_INT(err.code, ERR_PKI_KEY);
		signer_free(s);
		key_free(k);
	}
	struct key *ed = key_wrap(key_new(KEY_ED25519, &err));
	struct key_job whole = {.input = SPAN("a message of any length")};
	struct signer *s = signer_new(ed, &err);
	CHECK_OK(signer_sign(s, &whole, sig, &n, &err), &err);
	CHECK_INT(n, 64);
	whole.hash = KEY_SHA256;
	CHECK(!signer_sign(s, &whole, sig, &n, &err));
	CHECK(!signer_raw(s, whole.input, sig, &n, &err));
	signer_free(s);
	key_free(ed);
}

static void
the_raw_operation_undoes_the_public_one(void)
{
	struct err err = {0};
	struct key *k = key_wrap(key_new(KEY_RSA2048, &err));
	AUTO(EVP_PKEY_CTX) *op = EVP_PKEY_CTX_new(key_pkey(k), NULL);
	uint8_t plain[256] = {0, 2, 3};
	uint8_t cipher[256];
	uint8_t back[KEY_SIGNATURE_MAX];
	size_t n = sizeof cipher;
	size_t m = 0;

	CHECK(EVP_PKEY_encrypt_init(op) == 1);
	CHECK(EVP_PKEY_CTX_set_rsa_padding(op, RSA_NO_PADDING) == 1);
	CHECK(EVP_PKEY_encrypt(op, cipher, &n, plain, sizeof plain) == 1);
	struct signer *s = signer_new(k, &err);
	CHECK_OK(signer_raw(s, (struct span){cipher, n}, back, &m, &err), &err);
	signer_free(s);
	CHECK(span_eq(span_of(back, m), span_of(plain, sizeof plain)));
	CHECK_INT(key_bits(k), 2048);
	CHECK(key_numbers(k, back, sizeof back, &m) && m == 256);
	key_free(k);
	(void)unlink(path_in("k"));
	(void)unlink(path_in("e"));
	(void)unlink(path_in("o"));
	(void)rmdir(dir);
}

TESTS(every_kind_is_made_known_again_and_saved,
	an_encrypted_key_opens_with_its_passphrase_alone,
	a_key_others_can_read_is_refused, noise_is_no_key,
	a_key_identifier_is_sha1_of_the_key_bits,
	signatures_made_for_other_rooms_verify, the_raw_operation_undoes_the_public_one)

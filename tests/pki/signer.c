// SPDX-License-Identifier: Apache-2.0
#include "pki/signer.h"

#include <string.h>

#include "tests/test.h"

struct pair {
	struct key *key;
	struct signer *signer;
};

static struct pair
make(enum key_kind kind)
{
	struct err err = {0};
	struct pair p = {.key = key_wrap(key_new(kind, &err))};

	p.signer = signer_new(p.key, &err);
	CHECK_OK(p.signer != NULL, &err);
	return p;
}

static void
drop(struct pair *p)
{
	signer_free(p->signer);
	key_free(p->key);
}

static void
each_hash_and_padding_signs_and_verifies_again_and_again(void)
{
	static const enum key_kind kinds[] = {KEY_RSA2048, KEY_P256, KEY_P384};

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct pair p = make(kinds[i]);

		for (int hash = KEY_MD5SHA1; hash <= KEY_SHA512 * 2; hash++) {
			struct key_job job = {.hash = (enum key_hash)(hash / 2 + 1)};
			uint8_t digest[SIGNER_DIGEST_MAX];
			uint8_t out[KEY_SIGNATURE_MAX];
			size_t n = 0;
			struct err err = {0};

			job.padding = hash % 2 ? KEY_PSS : KEY_PKCS1;
			if (job.hash > KEY_SHA512 ||
				(job.padding == KEY_PSS &&
					(i > 0 || job.hash == KEY_MD5SHA1)))
				continue;
			job.input = span_of(digest,
				signer_digest(job.hash, SPAN("sekisho"), digest));
			CHECK_OK(signer_sign(p.signer, &job, out, &n, &err), &err);
			CHECK_OK(signer_sign(p.signer, &job, out, &n, &err), &err);
			CHECK(signer_check(key_pkey(p.key), &job, span_of(out, n)));
			digest[0] ^= 1;
			CHECK(!signer_check(key_pkey(p.key), &job, span_of(out, n)));
			job.input.n--;
			CHECK(!signer_sign(p.signer, &job, out, &n, &err));
		}
		drop(&p);
	}
}

static void
ed25519_signs_messages_and_nothing_else(void)
{
	struct pair p = make(KEY_ED25519);
	struct key_job job = {.input = SPAN("any length at all")};
	uint8_t out[KEY_SIGNATURE_MAX];
	size_t n = 0;
	struct err err = {0};

	CHECK_OK(signer_sign(p.signer, &job, out, &n, &err), &err);
	CHECK_INT(n, 64);
	CHECK(signer_check(key_pkey(p.key), &job, span_of(out, n)));
	job.hash = KEY_SHA256;
	CHECK(!signer_sign(p.signer, &job, out, &n, &err));
	CHECK(!signer_raw(p.signer, SPAN("x"), out, &n, &err));
	drop(&p);
}

static void
a_raw_operation_wants_the_length_of_the_modulus(void)
{
	struct pair p = make(KEY_RSA2048);
	uint8_t block[256] = {0, 2, 1};
	uint8_t out[KEY_SIGNATURE_MAX];
	size_t n = 0;
	struct err err = {0};

	CHECK_OK(signer_raw(p.signer, span_of(block, 256), out, &n, &err), &err);
	CHECK_INT(n, 256);
	CHECK(!signer_raw(p.signer, span_of(block, 255), out, &n, &err));
	memset(block, 0xff, sizeof(block));
	CHECK(!signer_raw(p.signer, span_of(block, 256), out, &n, &err));
	drop(&p);
}

TESTS(each_hash_and_padding_signs_and_verifies_again_and_again,
	ed25519_signs_messages_and_nothing_else,
	a_raw_operation_wants_the_length_of_the_modulus)

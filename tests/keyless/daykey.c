// SPDX-License-Identifier: Apache-2.0
#include "keyless/daykey.h"

#include "keyless/keys.h"
#include "pki/key.h"
#include "tests/test.h"

/* What two nodes make of one day with the same key. */
static void
secret_of(enum key_kind kind, enum wire_key type, const uint32_t days[2],
	uint8_t secrets[2][DAYKEY_SECRET])
{
	struct err err = {0};
	struct keys keys;
	uint8_t ski[KEY_SKI];

	keys_init(&keys);
	EVP_PKEY *pkey = key_new(kind, &err);
	CHECK_OK(key_ski(pkey, ski, &err), &err);
	CHECK_OK(keys_add(&keys, key_wrap(pkey), "a", "t", &err), &err);
	for (int i = 0; i < 2; i++) {
		struct daykey_job j;
		uint8_t sig[KEYS_RESULT_MAX];
		size_t n = 0;

		CHECK(daykey_job(&j, type, days[i]));
		CHECK_INT(keys_perform(keys_by_ski(&keys, span_of(ski, KEY_SKI)), j.op,
				  j.input, sig, &n),
			WIRE_OK);
		daykey_secret(span_of(sig, n), secrets[i]);
	}
	keys_fini(&keys);
}

static void
one_key_and_one_day_make_one_secret(void)
{
	static const struct {
		enum key_kind kind;
		enum wire_key type;
	} rows[] = {{KEY_ED25519, WIRE_KEY_ED25519}, {KEY_RSA2048, WIRE_KEY_RSA}};
	uint8_t s[2][DAYKEY_SECRET];

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		secret_of(rows[i].kind, rows[i].type, (const uint32_t[]){7, 7}, s);
		CHECK(memcmp(s[0], s[1], DAYKEY_SECRET) == 0);
		secret_of(rows[i].kind, rows[i].type, (const uint32_t[]){7, 8}, s);
		CHECK(memcmp(s[0], s[1], DAYKEY_SECRET) != 0);
	}
}

static void
a_key_that_never_signs_twice_alike_is_refused(void)
{
	struct daykey_job j;

	CHECK(!daykey_job(&j, WIRE_KEY_EC, 7));
	CHECK(!daykey_job(&j, WIRE_KEY_NONE, 7));
}

/* Written down: another version of the program must come to the same octets. */
static void
what_is_signed_is_fixed(void)
{
	struct daykey_job j;

	CHECK(daykey_job(&j, WIRE_KEY_ED25519, 0x01020304));
	CHECK_INT(j.op, WIRE_ED25519);
	CHECK(span_eq(j.input, SPAN("sekisho session tickets of the day\0\1\2\3\4")));
	CHECK(daykey_job(&j, WIRE_KEY_RSA, 0x01020304));
	CHECK_INT(j.op, WIRE_RSA_SHA256);
	CHECK_INT(j.input.n, 32);
}

TESTS(one_key_and_one_day_make_one_secret,
	a_key_that_never_signs_twice_alike_is_refused, what_is_signed_is_fixed)

// SPDX-License-Identifier: Apache-2.0
#include "pki/digest.h"

#include <string.h>

#include "base/text.h"
#include "tests/test.h"

static const char *
hex_of(enum digest kind, const struct span *parts, size_t n)
{
	static char line[65];
	uint8_t sum[32] = {0};
	struct text t = text_to(line, sizeof(line));

	CHECK(digest_begin(kind));
	for (size_t i = 0; i < n; i++)
		digest_add(kind, parts[i]);
	size_t size = digest_end(kind, sum);
	text_put_hex(&t, span_of(sum, size), false);
	return line;
}

/* RFC 1321 §A.5, FIPS 180-4: "abc", and the same in parts, again and again. */
static void
hashes_are_those_of_the_standards(void)
{
	static const struct {
		enum digest kind;
		const char *hex;
	} rows[] = {
		{DIGEST_MD5, "900150983cd24fb0d6963f7d28e17f72"},
		{DIGEST_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d"},
		{DIGEST_SHA256,
			"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f2001"
			"5ad"},
	};
	const struct span whole[] = {SPAN("abc")};
	const struct span parts[] = {SPAN("a"), {0}, SPAN("bc")};

	for (int again = 0; again < 3; again++) {
		for (size_t i = 0; i < COUNT_OF(rows); i++) {
			CHECK_STR(hex_of(rows[i].kind, whole, 1), rows[i].hex);
			CHECK_STR(hex_of(rows[i].kind, parts, 3), rows[i].hex);
		}
	}
}

static void
nothing_is_left_from_the_one_before(void)
{
	uint8_t one[32];
	uint8_t two[32];

	digest_sha256(SPAN("first"), one);
	digest_sha256(SPAN("second"), two);
	CHECK(memcmp(one, two, sizeof(one)) != 0);
	digest_sha256(SPAN("first"), two);
	CHECK(memcmp(one, two, sizeof(one)) == 0);
}

/* Two of different kinds do not meet. */
static void
kinds_can_be_under_way_together(void)
{
	uint8_t md5[16];
	uint8_t sha256[32];
	uint8_t alone[32];

	CHECK(digest_begin(DIGEST_MD5) && digest_begin(DIGEST_SHA256));
	digest_add(DIGEST_SHA256, SPAN("x"));
	digest_add(DIGEST_MD5, SPAN("y"));
	CHECK_INT(digest_end(DIGEST_MD5, md5), DIGEST_MD5_SIZE);
	CHECK_INT(digest_end(DIGEST_SHA256, sha256), DIGEST_SHA256_SIZE);
	digest_sha256(SPAN("x"), alone);
	CHECK(memcmp(alone, sha256, sizeof(alone)) == 0);
}

TESTS(hashes_are_those_of_the_standards, nothing_is_left_from_the_one_before,
	kinds_can_be_under_way_together)

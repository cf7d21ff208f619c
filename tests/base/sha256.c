// SPDX-License-Identifier: Apache-2.0
#include "base/sha256.h"

#include <string.h>

#include "base/text.h"
#include "tests/test.h"

static void
check_hex(const uint8_t digest[SHA256_SIZE], const char *want)
{
	char hex[2 * SHA256_SIZE + 1];
	struct text t = text_to(hex, sizeof(hex));
	text_put_hex(&t, span_of(digest, SHA256_SIZE), false);
	CHECK_STR(hex, want);
}

/* FIPS 180-4 examples, and the empty message. */
static void
known_digests_come_out(void)
{
	uint8_t d[SHA256_SIZE];
	sha256_of((struct span){0}, d);
	check_hex(
		d, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	sha256_of(SPAN("abc"), d);
	check_hex(
		d, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256_of(SPAN("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), d);
	check_hex(
		d, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void
pieces_give_what_the_whole_gives(void)
{
	uint8_t text[300];
	uint8_t whole[SHA256_SIZE];
	memset(text, 'x', sizeof(text));
	for (size_t n = 0; n <= sizeof(text); n += 7) {
		uint8_t d[SHA256_SIZE];
		struct sha256 h;
		sha256_of(span_of(text, n), whole);
		sha256_init(&h);
		sha256_add(&h, span_of(text, n / 3));
		sha256_add(&h, span_of(text, n - n / 3));
		sha256_done(&h, d);
		CHECK(memcmp(d, whole, sizeof(d)) == 0);
	}
}

/* RFC 4231 cases 2 and 6. */
static void
known_macs_come_out(void)
{
	uint8_t d[SHA256_SIZE];
	uint8_t key[131];
	struct span parts[] = {SPAN("what do ya want "), SPAN("for nothing?")};
	sha256_hmac(SPAN("Jefe"), parts, 2, d);
	check_hex(
		d, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	struct span text =
		SPAN("Test Using Larger Than Block-Size Key - Hash Key First");
	sha256_hmac(span_of(key, sizeof(key)), &text, 1, d);
	check_hex(
		d, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TESTS(known_digests_come_out, pieces_give_what_the_whole_gives, known_macs_come_out)

// SPDX-License-Identifier: Apache-2.0
#include "pki/seal.h"

#include <string.h>

#include "tests/test.h"

enum { NOW = 1000000 };

static const uint8_t secret[SEAL_SECRET] = "a secret of thirty-two octets!!";
static const uint8_t other[SEAL_SECRET] = "another one of thirty-two octets";

static void
what_one_seals_another_with_the_secret_opens(void)
{
	struct seal a;
	struct seal b;
	struct err err = {0};
	uint8_t blob[5 + SEAL_OVERHEAD];
	uint8_t text[sizeof(blob)];
	size_t n = 0;

	seal_init(&a, secret, 3600);
	seal_init(&b, secret, 3600);
	CHECK_OK(seal_close(&a, SPAN("hello"), NOW, blob, &err), &err);
	CHECK_INT(seal_open(&b, span_of(blob, sizeof(blob)), NOW + 3600, text, &n),
		SEAL_OPENED);
	CHECK_SPAN(span_of(text, n), "hello");
	/* A clock that is behind by less than an epoch. */
	CHECK_INT(seal_open(&b, span_of(blob, sizeof(blob)), NOW - 600, text, &n),
		SEAL_OPENED);
	CHECK_INT(seal_open(&b, span_of(blob, sizeof(blob)), NOW + 7200, text, &n),
		SEAL_EXPIRED);
	seal_init(&b, other, 3600);
	CHECK_INT(
		seal_open(&b, span_of(blob, sizeof(blob)), NOW, text, &n), SEAL_FORGED);
	seal_fini(&a);
	seal_fini(&b);
}

static void
any_changed_octet_is_noticed(void)
{
	struct seal s;
	struct err err = {0};
	uint8_t blob[5 + SEAL_OVERHEAD];
	uint8_t text[sizeof(blob)];
	size_t n = 0;

	seal_init(&s, secret, 3600);
	CHECK_OK(seal_close(&s, SPAN("hello"), NOW, blob, &err), &err);
	for (size_t i = 0; i < sizeof(blob); i++) {
		blob[i] ^= 0x40;
		CHECK(seal_open(&s, span_of(blob, sizeof(blob)), NOW, text, &n) !=
			SEAL_OPENED);
		blob[i] ^= 0x40;
	}
	for (size_t i = 0; i < sizeof(blob); i++)
		CHECK(seal_open(&s, span_of(blob, i), NOW, text, &n) == SEAL_FORGED);
	CHECK_INT(
		seal_open(&s, span_of(blob, sizeof(blob)), NOW, text, &n), SEAL_OPENED);
	seal_fini(&s);
}

static void
nothing_can_be_sealed_too(void)
{
	struct seal s;
	struct err err = {0};
	uint8_t blob[SEAL_OVERHEAD];
	uint8_t text[SEAL_OVERHEAD];
	size_t n = 9;

	seal_init(&s, secret, 1);
	CHECK_OK(seal_close(&s, (struct span){0}, NOW, blob, &err), &err);
	CHECK_INT(
		seal_open(&s, span_of(blob, sizeof(blob)), NOW, text, &n), SEAL_OPENED);
	CHECK_INT(n, 0);
	seal_fini(&s);
}

TESTS(what_one_seals_another_with_the_secret_opens, any_changed_octet_is_noticed,
	nothing_can_be_sealed_too)

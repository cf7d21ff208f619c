// SPDX-License-Identifier: Apache-2.0
#include "tls/hello_memo.h"

#include <string.h>

#include "tests/test.h"

/* A hello of five extensions; the spans are all that fingerprints look at. */
static const struct hello base = {
	.ciphers = SPAN_INIT("\x13\x01\x13\x02\xc0\x2b"),
	.extensions = SPAN_INIT("\0\0\0\0"
				"\0\x10\0\0"
				"\0\x0a\0\0"
				"\0\x0d\0\0"
				"\0\x2b\0\0"),
	.alpn = SPAN_INIT("\2h2\x08http/1.1"),
	.groups = SPAN_INIT("\0\x1d\0\x17"),
	.points = SPAN_INIT("\0"),
	.sigalgs = SPAN_INIT("\4\3\x08\4"),
	.legacy_version = 0x0303,
	.version_max = 0x0304,
	.n_extensions = 5,
	.has_sni = true,
};

static void
expect_computed(struct hello_memo *m, const struct hello *h)
{
	char ja3[HELLO_JA3];
	char ja4[HELLO_JA4];
	struct hello_prints prints;

	for (int again = 0; again < 2; again++) {
		hello_memo_prints(m, h, &prints);
		CHECK_STR(prints.ja3, hello_ja3(h, ja3));
		CHECK_STR(prints.ja4, hello_ja4(h, ja4));
	}
}

/* Each differs from the first in one thing that shows in a fingerprint. */
static void
what_is_recalled_is_what_would_be_computed(void)
{
	struct hello_memo *m = hello_memo_new();
	struct hello all[9];

	for (size_t i = 0; i < COUNT_OF(all); i++)
		all[i] = base;
	all[1].ciphers = SPAN("\x13\x02\x13\x01\xc0\x2b");
	all[2].extensions = SPAN("\0\x10\0\0"
				 "\0\0\0\0"
				 "\0\x0a\0\0"
				 "\0\x0d\0\0"
				 "\0\x2b\0\0");
	all[3].alpn = SPAN("\x08http/1.1\2h2");
	all[4].groups = SPAN("\0\x17\0\x1d");
	all[5].points = SPAN("\0\1");
	all[6].sigalgs = SPAN("\x08\4\4\3");
	all[7].version_max = 0x0303;
	all[8].has_sni = false;
	for (size_t i = 0; i < COUNT_OF(all); i++)
		expect_computed(m, &all[i]);
	all[0].legacy_version = 0x0301;
	all[1].alpn = (struct span){0};
	for (size_t i = 0; i < COUNT_OF(all); i++)
		expect_computed(m, &all[i]);
	hello_memo_free(m);
}

/* Octets that move from one list to the next make another hello. */
static void
lists_do_not_run_into_each_other(void)
{
	struct hello_memo *m = hello_memo_new();
	struct hello h = base;

	h.ciphers = SPAN("\x13\x01\x13\x02");
	h.groups = SPAN("\0\x1d");
	expect_computed(m, &h);
	h.groups = SPAN("");
	h.sigalgs = SPAN("\0\x1d\4\3\x08\4");
	expect_computed(m, &h);
	hello_memo_free(m);
}

static void
grease_makes_no_difference(void)
{
	struct hello_memo *m = hello_memo_new();
	struct hello_prints one;
	struct hello_prints two;
	struct hello h = base;

	h.ciphers = SPAN("\x0a\x0a\x13\x01\x13\x02\xc0\x2b");
	hello_memo_prints(m, &h, &one);
	h.ciphers = SPAN("\xfa\xfa\x13\x01\x13\x02\xc0\x2b");
	hello_memo_prints(m, &h, &two);
	CHECK_STR(one.ja3, two.ja3);
	CHECK_STR(one.ja4, two.ja4);
	expect_computed(m, &h);
	hello_memo_free(m);
}

/* More than is remembered, longer than is remembered, and nothing at all. */
static void
strange_hellos_are_computed(void)
{
	static uint8_t many[2000];
	struct hello_memo *m = hello_memo_new();
	struct hello h = base;

	for (size_t i = 0; i < sizeof(many); i += 2) {
		many[i] = (uint8_t)(i >> 8);
		many[i + 1] = (uint8_t)(i * 7);
	}
	h.ciphers = span_of(many, sizeof(many));
	expect_computed(m, &h);
	for (size_t n = 2; n < 600; n += 2) {
		h.ciphers = span_of(many, n);
		expect_computed(m, &h);
	}
	h = (struct hello){0};
	expect_computed(m, &h);
	hello_memo_free(m);
}

TESTS(what_is_recalled_is_what_would_be_computed, lists_do_not_run_into_each_other,
	grease_makes_no_difference, strange_hellos_are_computed)

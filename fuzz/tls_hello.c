// SPDX-License-Identifier: Apache-2.0
/* fuzz tls_hello: records of a stranger, looked at in pieces as they would come. */
#include "base/text.h"
#include "tls/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
ask_everything(struct hello *h)
{
	char ja3[HELLO_JA3];
	char ja4[HELLO_JA4];
	char sha1[HELLO_SHA1];
	struct arena a;

	arena_init(&a, HELLO_MAX + 64);
	hello_keep(h, &a);
	hello_ja3(h, ja3);
	hello_ja4(h, ja4);
	hello_ciphers_sha1(h, sha1);
	hello_extensions_sha1(h, true, sha1);
	(void)hello_takes_ecdsa(h);
	(void)hello_takes_rsa(h);
	(void)hello_offers(h, SPAN("h2"));
	arena_fini(&a);
}

/* The first octet says how large the pieces are; the outcome must not depend on it. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct err err = {0};
	struct hello h = {0};
	struct hello_peek once = {0};
	struct hello_peek often = {0};
	enum hello_turn turn = HELLO_WANTS_MORE;

	if (n < 1)
		return 0;
	struct span wire = span_of(p + 1, n - 1);
	size_t step = 1u + p[0];
	for (size_t at = 0; at <= wire.n && turn == HELLO_WANTS_MORE; at += step)
		turn = hello_peek(&often, span_first(wire, at), &h, &err);
	if (turn == HELLO_WANTS_MORE)
		turn = hello_peek(&often, wire, &h, &err);
	if (turn == HELLO_READY)
		ask_everything(&h);
	if (hello_peek(&once, wire, &h, &err) != turn)
		__builtin_trap();
	hello_peek_fini(&often);
	hello_peek_fini(&once);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * bench of pki: what one mint, one verdict, one parse costs of a core's time.
 *
 *	ninja -C build bench-pki && build/bench-pki
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/leaf.h"
#include "pki/trust.h"

enum { ROUNDS = 1000 };

struct setting {
	struct authority *authority;
	struct leafkeys keys;
	struct chain chains[ROUNDS]; /* leaf and node CA */
	struct trust *trust;
};

static void
die(const struct err *err)
{
	text_err("%s: %s\n", err_id(err->code), err->text);
	_Exit(1);
}

/* Microseconds of processor time, whatever else the machine does. */
static uint64_t
cpu_us(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) != 0)
		return 0;
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void
print(const char *what, uint64_t us, size_t n)
{
	text_out("%-52s %8.1f µs   %9.0f/s\n", what, (double)us / (double)n,
		(double)n * 1e6 / (double)us);
}

static void
mint_all(struct setting *s, enum key_kind kind, const char *what)
{
	struct err err = {0};
	uint64_t start = cpu_us();

	for (size_t i = 0; i < ROUNDS; i++) {
		char name[32];
		struct text t = text_to(name, sizeof name);
		text_add(&t, "n%zu.example", i);
		struct span host = text_span(&t);
		struct leaf_facts f = {.kind = kind, .names = &host, .n_names = 1};
		struct span der = {0};
		if (!leaf_mint(
			    s->authority, &f, leafkeys_get(&s->keys, kind), &der, &err))
			die(&err);
		chain_fini(&s->chains[i]);
		if (!chain_add(&s->chains[i], der, &err) ||
			!chain_add_all(&s->chains[i], &s->authority->chain, &err))
			die(&err);
		mem_free((void *)(uintptr_t)der.p);
	}
	print(what, cpu_us() - start, ROUNDS);
}

static void
verify_all(struct setting *s, const char *what)
{
	uint64_t start = cpu_us();

	for (size_t i = 0; i < ROUNDS; i++) {
		char name[32];
		struct text t = text_to(name, sizeof name);
		struct verdict v = {0};
		text_add(&t, "n%zu.example", i);
		struct trust_ask ask = {.chain = &s->chains[i],
			.host = text_span(&t),
			.now = clock_wall(),
			.options = trust_options_default()};
		trust_check(s->trust, &ask, &v);
		if (v.class != VERDICT_GOOD)
			text_err("%s: %s\n", verdict_id(v.class), v.text);
		verdict_fini(&v);
	}
	print(what, cpu_us() - start, ROUNDS);
}

static void
parse_all(struct setting *s, const char *what)
{
	struct err err = {0};
	uint64_t start = cpu_us();

	for (size_t i = 0; i < ROUNDS; i++)
		cert_put(cert_parse(s->chains[i].der[0], &err));
	print(what, cpu_us() - start, ROUNDS);
}

static void
parse_openssl(struct setting *s, const char *what)
{
	uint64_t start = cpu_us();

	for (size_t i = 0; i < ROUNDS; i++) {
		const uint8_t *p = s->chains[i].der[0].p;
		X509 *x = d2i_X509(NULL, &p, (long)s->chains[i].der[0].n);
		if (x)
			(void)X509_get_extension_flags(x);
		X509_free(x);
	}
	print(what, cpu_us() - start, ROUNDS);
}

/* Resident octets of this process. */
static size_t
resident(void)
{
	struct span text = {0};
	struct err err = {0};
	uint64_t pages = 0;

	(void)err;
	FILE *f = fopen("/proc/self/statm", "r");
	char buf[64] = "";
	size_t n = f ? fread(buf, 1, sizeof buf - 1, f) : 0;
	if (f)
		(void)fclose(f);
	struct span rest = span_of(buf, n);
	if (!span_cut(&rest, ' ', &text) || !span_cut(&rest, ' ', &text) ||
		!text_u64(text, UINT64_MAX / 4096, &pages))
		return 0;
	return (size_t)pages * 4096;
}

int
main(void)
{
	static struct setting s;
	struct err err = {0};
	struct chain roots = {0};
	const struct authority_wish wish = {.node = "bench"};

	s.authority = authority_ephemeral(&wish, &err);
	if (!s.authority || !leafkeys_make(&s.keys, 1, &err))
		die(&err);
	mint_all(&s, KEY_RSA2048, "mint a leaf with an RSA-2048 key");
	mint_all(&s, KEY_P256, "mint a leaf with a P-256 key");
	if (!chain_from_x509(&roots, s.authority->root, NULL, &err))
		die(&err);
	s.trust = trust_new_chain(&roots, &err);
	cert_cache_limit(0);
	parse_openssl(&s, "parse a certificate, OpenSSL");
	parse_all(&s, "parse a certificate, ours, not cached");
	cert_cache_limit(64 * 1024 * 1024);
	trust_cache_limit(s.trust, 64 * 1024 * 1024);
	size_t before = resident();
	verify_all(&s, "verify leaf + CA + root, leaf never seen");
	size_t after = resident();
	verify_all(&s, "verify again: verdict remembered");
	parse_all(&s, "parse a certificate, ours, cached");
	text_out("caches of certificates and verdicts per 1,000 names   %zu KiB\n",
		(after - before) / 1024);
	return text_flush() ? 0 : 1;
}

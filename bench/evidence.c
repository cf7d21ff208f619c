// SPDX-License-Identifier: Apache-2.0
/*
 * bench of evidence: what revocation costs a verdict, and a long list its loop.
 *
 *	ninja -C build bench-evidence && build/bench-evidence
 *
 * Times are of the processor. "Warm" is a chain that was verified before: a session's
 *own cost. The rows below it say what asking about revocation adds.
 */
#include <openssl/ocsp.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/authority.h"
#include "pki/leaf.h"
#include "pki/revoke.h"
#include "pki/trust.h"

enum {
	ROUNDS = 20000,
	NUMBERS = 112000, /* of 16 octets: a list of just under 4 MiB */
	WEEK_S = 7 * 86400,
	BUDGET = 32 * 1024 * 1024,
};

struct setting {
	struct authority *authority;
	struct leafkeys keys;
	struct chain chain;
	struct trust *trust;
	struct cert *leaf;
	struct cert *issuer;
};

static void
die(const struct err *err)
{
	text_err("%s: %s\n", err_id(err->code), err->text);
	_Exit(1);
}

/* Of the processor, so that a busy machine does not count. */
static uint64_t
cpu_us(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) != 0)
		_Exit(1);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void
set_time(ASN1_TIME *t, int64_t from_now_s)
{
	if (!ASN1_TIME_set(t, (time_t)(clock_wall() + from_now_s)))
		_Exit(1);
}

static void
add_numbers(X509_CRL *crl, long n, ASN1_TIME *when)
{
	BIGNUM *big = BN_new();
	ASN1_INTEGER *number = ASN1_INTEGER_new();

	for (long i = 0; i < n; i++) {
		X509_REVOKED *r = X509_REVOKED_new();
		BN_set_word(big, (BN_ULONG)i + 1);
		BN_lshift(big, big, 103);
		(void)BN_to_ASN1_INTEGER(big, number);
		X509_REVOKED_set_serialNumber(r, number);
		X509_REVOKED_set_revocationDate(r, when);
		X509_CRL_add0_revoked(crl, r);
	}
	ASN1_INTEGER_free(number);
	BN_free(big);
}

static struct span
make_list(const struct setting *s, long n)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *t = ASN1_TIME_new();
	ASN1_INTEGER *one = ASN1_INTEGER_new();
	uint8_t *der = NULL;

	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(s->authority->node));
	set_time(t, -60);
	X509_CRL_set1_lastUpdate(crl, t);
	add_numbers(crl, n, t);
	set_time(t, WEEK_S);
	X509_CRL_set1_nextUpdate(crl, t);
	ASN1_INTEGER_set(one, 1);
	X509_CRL_add1_ext_i2d(crl, NID_crl_number, one, 0, 0);
	X509_CRL_sign(crl, s->authority->key, EVP_sha256());
	int size = i2d_X509_CRL(crl, &der);
	ASN1_INTEGER_free(one);
	ASN1_TIME_free(t);
	X509_CRL_free(crl);
	return span_of(der, size > 0 ? (size_t)size : 0);
}

static struct span
make_answer(const struct setting *s)
{
	struct err err = {0};
	X509 *leaf = cert_x509(s->leaf, &err);
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), leaf, s->authority->node);
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	ASN1_TIME *from = ASN1_TIME_new();
	ASN1_TIME *to = ASN1_TIME_new();
	uint8_t *der = NULL;

	set_time(from, -60);
	set_time(to, WEEK_S);
	OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_GOOD, 0, NULL, from, to);
	OCSP_basic_sign(basic, s->authority->node, s->authority->key, EVP_sha256(),
		NULL, OCSP_NOCERTS);
	OCSP_RESPONSE *r = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	int size = i2d_OCSP_RESPONSE(r, &der);
	OCSP_RESPONSE_free(r);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	return span_of(der, size > 0 ? (size_t)size : 0);
}

/* Step by step, as a loop does it. */
static void
take_list(const struct setting *s, struct revoke *r, struct span list)
{
	struct err err = {0};
	struct revoke_reading *reading = revoke_reading_new(list, s->issuer, &err);
	enum revoke_turn turn = reading ? REVOKE_MORE : REVOKE_FAILED;
	uint64_t longest = 0;
	uint64_t begun = cpu_us();
	unsigned steps = 0;

	for (; turn == REVOKE_MORE; steps++) {
		uint64_t before = cpu_us();
		turn = revoke_reading_advance(reading, r, &err);
		uint64_t took = cpu_us() - before;
		longest = took > longest ? took : longest;
	}
	if (turn != REVOKE_READ)
		die(&err);
	revoke_reading_free(reading);
	text_out("a list of %zu octets, %d numbers: %u steps, %llu µs, the longest "
		 "%llu µs;\nkept in %zu octets, %.1f a number\n",
		list.n, NUMBERS, steps, (unsigned long long)(cpu_us() - begun),
		(unsigned long long)longest, revoke_list_bytes(r),
		(double)revoke_list_bytes(r) / NUMBERS);
}

static void
verify(const struct setting *s, struct revoke *r, struct span staple, const char *what)
{
	struct trust_ask ask = {.chain = &s->chain,
		.host = SPAN("bench.example"),
		.now = clock_wall(),
		.options = trust_options_default(),
		.staple = staple,
		.revoke = r};
	unsigned signatures = 0;
	uint64_t begun = cpu_us();

	ask.options.revocation = r ? TRUST_REVOCATION_SOFT : TRUST_REVOCATION_OFF;
	for (size_t i = 0; i < ROUNDS; i++) {
		struct verdict v = {0};
		trust_check(s->trust, &ask, &v);
		signatures += v.signatures;
		if (v.class != VERDICT_GOOD)
			text_err("%s: %s\n", verdict_id(v.class), v.text);
		verdict_fini(&v);
	}
	text_out("%-52s %8.2f µs   %u signatures\n", what,
		(double)(cpu_us() - begun) / ROUNDS, signatures);
}

static void
open_setting(struct setting *s)
{
	const struct authority_wish wish = {.node = "bench"};
	const struct span host = SPAN("bench.example");
	const struct leaf_facts facts = {
		.kind = KEY_P256, .names = &host, .n_names = 1};
	struct chain roots = {0};
	struct span der = {0};
	struct err err = {0};

	s->authority = authority_ephemeral(&wish, &err);
	if (!s->authority || !leafkeys_make(&s->keys, 1, &err) ||
		!leaf_mint(s->authority, &facts, leafkeys_get(&s->keys, KEY_P256), &der,
			&err) ||
		!chain_add(&s->chain, der, &err) ||
		!chain_add_all(&s->chain, &s->authority->chain, &err) ||
		!chain_from_x509(&roots, s->authority->root, NULL, &err))
		die(&err);
	s->trust = trust_new_chain(&roots, &err);
	s->leaf = cert_parse(s->chain.der[0], &err);
	s->issuer = cert_parse(s->chain.der[1], &err);
	if (!s->trust || !s->leaf || !s->issuer)
		die(&err);
	mem_free((void *)(uintptr_t)der.p);
	chain_fini(&roots);
}

int
main(void)
{
	static struct setting s;
	struct err err = {0};

	open_setting(&s);
	struct span list = make_list(&s, NUMBERS);
	struct span answer = make_answer(&s);
	struct revoke *lists = revoke_new(BUDGET);
	struct revoke *answers = revoke_new(BUDGET);

	take_list(&s, lists, list);
	if (revoke_add_ocsp(answers, answer, s.leaf, s.issuer, &err) != REVOKE_GOOD)
		die(&err);
	verify(&s, NULL, (struct span){0}, "warm, nobody asks about revocation");
	verify(&s, answers, (struct span){0}, "warm, an OCSP answer at hand");
	verify(&s, lists, (struct span){0}, "warm, a list of 4 MiB at hand");
	verify(&s, answers, answer, "warm, a staple that was seen before");
	trust_cache_limit(s.trust, 0);
	verify(&s, NULL, (struct span){0}, "verdict not remembered, signatures proven");
	OPENSSL_free((void *)(uintptr_t)list.p);
	OPENSSL_free((void *)(uintptr_t)answer.p);
	return text_flush() ? 0 : 1;
}

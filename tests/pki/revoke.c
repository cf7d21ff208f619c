// SPDX-License-Identifier: Apache-2.0
/*
 * Trust rubric 50 to 53, 60 and 63: what was taken back, and what is remembered.
 */
#include "tests/pki/answers.h"
#include "tests/pki/lists.h"

static void
check_54_hard_refuses_what_soft_lets_pass(void)
{
	lists_begin();
	struct trust_options o = trust_options_default();
	CHECK_VERDICT("good", .sent = {&leaf, &middle}, .roots = {&root},
		.host = "a.example", .with = &o);
	o.revocation = TRUST_REVOCATION_HARD;
	CHECK_VERDICT("revocation-unknown", .sent = {&leaf, &middle}, .roots = {&root},
		.host = "a.example", .with = &o);
	/* A list for each of the two issuers settles it. */
	struct revoke *r = knowing(&(struct list_plan){.by = &middle});
	add_list(r, &(struct list_plan){.by = &root}, NULL);
	CHECK_VERDICT("good", .sent = {&leaf, &middle}, .roots = {&root},
		.host = "a.example", .with = &o, .revoke = r);
	CHECK_VERDICT("revocation-unknown", .sent = {&leaf, &middle}, .roots = {&root},
		.host = "a.example", .with = &o, .revoke = r, .days = 8);
	revoke_free(r);
	forge_end();
}

/* The operator's own: either store may revoke, and what both lack is unknown. */
static void
lists_of_the_operator_count_beside_those_fetched(void)
{
	lists_begin();
	struct trust_options o = trust_options_default();
	struct revoke *gone =
		knowing(&(struct list_plan){.by = &middle, .revoked = &leaf});
	struct revoke *good = knowing(&(struct list_plan){.by = &middle});
	struct revoke *none = revoke_new(1024 * 1024);
	add_list(good, &(struct list_plan){.by = &root}, NULL);
	o.revocation = TRUST_REVOCATION_HARD;
	CHECK_VERDICT("good", .sent = {&leaf, &middle}, .roots = {&root},
		.host = "a.example", .with = &o, .lists = good);
	CHECK_VERDICT("good", .sent = {&leaf, &middle}, .roots = {&root},
		.host = "a.example", .with = &o, .lists = good, .revoke = none);
	CHECK_VERDICT("revoked", .sent = {&leaf, &middle}, .roots = {&root},
		.host = "a.example", .with = &o, .lists = gone, .revoke = good);
	CHECK_VERDICT("revoked", .sent = {&leaf, &middle}, .roots = {&root},
		.host = "a.example", .with = &o, .lists = good, .revoke = gone);
	CHECK_VERDICT("revocation-unknown", .sent = {&leaf, &middle}, .roots = {&root},
		.host = "a.example", .with = &o, .lists = none, .revoke = none);
	revoke_free(gone);
	revoke_free(good);
	revoke_free(none);
	forge_end();
}

static struct revoke_want
want_of(struct revoke *r, const struct forged *chain[3], int64_t days, size_t *n)
{
	struct chain sent = {0};
	struct chain roots = {0};
	struct err err = {0};
	struct verdict v = {0};
	struct revoke_want wants[4] = {0};
	forge_add(&sent, chain[0]);
	forge_add(&sent, chain[1]);
	forge_add(&roots, chain[2]);
	struct trust *t = trust_new_chain(&roots, &err);
	const struct trust_ask ask = {.chain = &sent,
		.host = SPAN("a.example"),
		.now = clock_wall() + days * FORGE_DAY,
		.options = trust_options_default(),
		.revoke = r};
	trust_check(t, &ask, &v);
	*n = revoke_wants(&ask, &v, wants, COUNT_OF(wants));
	verdict_fini(&v); /* the spans of wants live in the parse cache */
	trust_free(t);
	chain_fini(&sent);
	chain_fini(&roots);
	return wants[0];
}

static void
what_is_wanted_is_urgent_until_known_and_again_when_it_grows_old(void)
{
	size_t n = 0;
	struct err err = {0};
	root = forge(&(struct forge){.cn = "Root", .ca = true, .to_days = 3000});
	middle = forge(&(struct forge){
		.cn = "Middle", .ca = true, .by = &root, .to_days = 300});
	leaf = forge(&(struct forge){.cn = "l",
		.by = &middle,
		.san = "DNS:a.example",
		.more = {"crlDistributionPoints", "URI:http://c.example/l",
			"authorityInfoAccess", "OCSP;URI:http://o.example/"}});
	const struct forged *chain[] = {&leaf, &middle, &root};
	struct revoke *r = revoke_new(1024 * 1024);

	struct revoke_want w = want_of(r, chain, 0, &n);
	CHECK_INT(n, 1); /* the intermediate names no place */
	CHECK(w.urgent && w.n == 2);
	CHECK(w.ways[0].how == REVOKE_BY_OCSP && w.ways[1].how == REVOKE_BY_CRL);
	CHECK(span_eq(w.ways[1].url, SPAN("http://c.example/l")));

	struct span crl = make_crl(&(struct list_plan){.by = &middle});
	struct cert *issuer = cert_from_x509(middle.x, &err);
	struct cert *other = cert_from_x509(root.x, &err);
	CHECK(!revoke_add_crl_of(r, crl, other, &err)); /* not that one's */
	CHECK_INT(err.code, ERR_PKI_CRL);
	CHECK_OK(revoke_add_crl_of(r, crl, issuer, &err), &err);
	(void)want_of(r, chain, 0, &n);
	CHECK_INT(n, 0);
	w = want_of(r, chain, 6, &n); /* it ends in seven */
	CHECK(n == 1 && !w.urgent);
	w = want_of(r, chain, 8, &n);
	CHECK(n == 1 && w.urgent);
	OPENSSL_free((void *)(uintptr_t)crl.p);
	cert_put(issuer);
	cert_put(other);
	revoke_free(r);
	forge_end();
}

static void
check_staple(const char *want, const struct answer_plan *p, const struct forged *of)
{
	struct span response = make_ocsp(p);
	struct revoke *r = revoke_new(1024 * 1024);

	CHECK_VERDICT(want, .sent = {of, &middle}, .roots = {&root},
		.host = "a.example", .staple = response);
	for (int i = 0; i < 2; i++) /* the second time from memory */
		CHECK_VERDICT(want, .sent = {of, &middle}, .roots = {&root},
			.host = "a.example", .staple = response, .revoke = r);
	revoke_free(r);
	OPENSSL_free((void *)(uintptr_t)response.p);
}

enum { GOOD = V_OCSP_CERTSTATUS_GOOD, GONE = V_OCSP_CERTSTATUS_REVOKED };

#define STAPLE(want, of, ...) check_staple(want, &(struct answer_plan){__VA_ARGS__}, of)

static struct forged
promising(void)
{
	return forge(&(struct forge){.cn = "l",
		.by = &middle,
		.san = "DNS:a.example",
		.more = {"tlsfeature", "status_request"}});
}

static void
check_51_a_revoked_answer_is_believed(void)
{
	lists_begin();
	STAPLE("revoked", &leaf, .about = &leaf, .issuer = &middle, .signer = &middle,
		.status = GONE);
	STAPLE("good", &leaf, .about = &leaf, .issuer = &middle, .signer = &middle,
		.status = GOOD);
	forge_end();
}

/* Whoever has a stolen key staples the last good answer there was. */
static void
a_good_staple_says_nothing_against_a_known_revocation(void)
{
	lists_begin();
	struct err err = {0};
	struct forged must = promising();
	struct span good = make_ocsp(&(struct answer_plan){
		.about = &must, .issuer = &middle, .signer = &middle, .status = GOOD});
	struct span gone = make_ocsp(&(struct answer_plan){
		.about = &must, .issuer = &middle, .signer = &middle, .status = GONE});
	struct span list =
		make_crl(&(struct list_plan){.by = &middle, .revoked = &must});
	struct cert *c = cert_from_x509(must.x, &err);
	struct cert *issuer = cert_from_x509(middle.x, &err);

	for (int by_list = 0; by_list < 2; by_list++) {
		struct revoke *r = revoke_new(1024 * 1024);
		CHECK_VERDICT("good", .sent = {&must, &middle}, .roots = {&root},
			.host = "a.example", .staple = good, .revoke = r);
		if (by_list) {
			CHECK_OK(revoke_add_crl(r, list, &err), &err);
		} else {
			CHECK_INT(revoke_add_ocsp(r, gone, c, issuer, &err),
				REVOKE_REVOKED);
		}
		CHECK_VERDICT("revoked", .sent = {&must, &middle}, .roots = {&root},
			.host = "a.example", .staple = good, .revoke = r);
		CHECK_VERDICT("revoked", .sent = {&must, &middle}, .roots = {&root},
			.host = "a.example", .revoke = r);
		revoke_free(r);
	}
	cert_put(c);
	cert_put(issuer);
	OPENSSL_free((void *)(uintptr_t)good.p);
	OPENSSL_free((void *)(uintptr_t)gone.p);
	OPENSSL_free((void *)(uintptr_t)list.p);
	forge_end();
}

/* Must-staple tells whether an answer counts as a good one. */
static void
check_52_a_staple_is_good_only_from_the_right_one_at_the_right_time(void)
{
	lists_begin();
	struct forged must = promising();
	struct forged helper =
		forge(&(struct forge){.cn = "O", .by = &middle, .eku = "OCSPSigning"});
	struct forged other =
		forge(&(struct forge){.cn = "P", .by = &middle, .eku = "serverAuth"});
	struct forged stranger = forge(&(struct forge){.cn = "Middle", .ca = true});

	STAPLE("good", &must, .about = &must, .issuer = &middle, .signer = &middle,
		.status = GOOD);
	STAPLE("good", &must, .about = &must, .issuer = &middle, .signer = &helper,
		.delegate = &helper, .status = GOOD);
	STAPLE("revocation-unknown", &must, .about = &must, .issuer = &middle,
		.signer = &helper, .status = GOOD);
	STAPLE("revocation-unknown", &must, .about = &must, .issuer = &middle,
		.signer = &other, .delegate = &other, .status = GOOD);
	STAPLE("revocation-unknown", &must, .about = &must, .issuer = &middle,
		.signer = &stranger, .delegate = &stranger, .status = GOOD);
	STAPLE("revocation-unknown", &must, .about = &leaf, .issuer = &middle,
		.signer = &middle, .status = GOOD);
	STAPLE("revocation-unknown", &must, .about = &must, .issuer = &middle,
		.signer = &middle, .status = GOOD, .from_days = -9, .to_days = -2);
	STAPLE("revocation-unknown", &must, .about = &must, .issuer = &middle,
		.signer = &middle, .status = GOOD, .from_days = 2);
	STAPLE("revocation-unknown", &must, .about = &must, .issuer = &middle,
		.signer = &middle, .status = V_OCSP_CERTSTATUS_UNKNOWN);
	forge_end();
}

/* Whatever it says of itself: an answer counts a month, and no longer than the delegate
 * that signed it. */
static void
an_answer_does_not_count_for_ever(void)
{
	lists_begin();
	struct err err = {0};
	struct forged brief = forge(&(struct forge){
		.cn = "O", .by = &middle, .eku = "OCSPSigning", .to_days = 2});
	struct cert *c = cert_from_x509(leaf.x, &err);
	struct cert *issuer = cert_from_x509(middle.x, &err);
	const struct answer_plan plans[] = {
		{.about = &leaf,
			.issuer = &middle,
			.signer = &middle,
			.status = GOOD,
			.to_days = 4000},
		{.about = &leaf,
			.issuer = &middle,
			.signer = &brief,
			.delegate = &brief,
			.status = GOOD,
			.to_days = 20},
	};
	static const int64_t good_for[] = {30, 1};
	for (size_t i = 0; i < COUNT_OF(plans); i++) {
		struct span r = make_ocsp(&plans[i]);
		int64_t now = clock_wall() + good_for[i] * FORGE_DAY;
		CHECK_INT(revoke_read_ocsp(r, c, issuer, now, &err), REVOKE_GOOD);
		now += 2 * FORGE_DAY;
		CHECK_INT(revoke_read_ocsp(r, c, issuer, now, &err), REVOKE_UNKNOWN);
		OPENSSL_free((void *)(uintptr_t)r.p);
	}
	cert_put(c);
	cert_put(issuer);
	forge_end();
}

/* RFC 6960 §4.2.2.2: that the authority said so is not all. */
static void
a_delegate_is_as_good_as_a_certificate_must_be(void)
{
	lists_begin();
	struct forged must = promising();
	struct forged weak = forge(&(struct forge){.cn = "W",
		.by = &middle,
		.eku = "OCSPSigning",
		.key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024)});
	struct forged no_signature = forge(&(struct forge){.cn = "K",
		.by = &middle,
		.eku = "OCSPSigning",
		.usage = "critical,keyEncipherment"});
	struct forged any = forge(&(struct forge){
		.cn = "A", .by = &middle, .eku = "anyExtendedKeyUsage"});
	struct forged below = forge(
		&(struct forge){.cn = "B", .ca = true, .by = &middle, .to_days = 20});
	struct forged grandchild =
		forge(&(struct forge){.cn = "G", .by = &below, .eku = "OCSPSigning"});
	const struct forged *const bad[] = {&weak, &no_signature, &any, &grandchild};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		STAPLE("revocation-unknown", &must, .about = &must, .issuer = &middle,
			.signer = bad[i], .delegate = bad[i], .status = GOOD);
	EVP_PKEY_free(weak.key); /* the forge has its own reference */
	forge_end();
}

/* RFC 5019 §5: short enough for the caches between. */
static void
a_question_fits_an_address(void)
{
	static const struct {
		const char *at;
		const char *begins; /* NULL: it must be posted */
	} cases[] = {
		{"http://o.example", "http://o.example/ME"},
		{"http://o.example/", "http://o.example/ME"},
		{"http://o.example/a/b", "http://o.example/a/b/ME"},
		{"http://o.example/?x=1", NULL},
	};
	lists_begin();
	struct err err = {0};
	struct span request = {0};
	struct cert *c = cert_from_x509(leaf.x, &err);
	struct cert *issuer = cert_from_x509(middle.x, &err);
	CHECK_OK(revoke_ocsp_request(c, issuer, &request, &err), &err);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char url[256];
		struct text t = text_to(url, sizeof url);
		bool fits = revoke_ocsp_url(span_str(cases[i].at), request, &t);
		CHECK(fits == (cases[i].begins != NULL));
		if (!fits)
			continue;
		CHECK(span_starts(text_span(&t), span_str(cases[i].begins)));
		struct span question =
			span_from(text_span(&t), span_str(cases[i].at).n);
		/* Base64's own signs are escaped. */
		CHECK(span_chr(question, '+') == question.n);
		CHECK(span_chr(question, '=') == question.n);
	}
	char small[40];
	struct text t = text_to(small, sizeof small);
	CHECK(!revoke_ocsp_url(SPAN("http://o.example"), request, &t));
	mem_free((void *)(uintptr_t)request.p);
	cert_put(c);
	cert_put(issuer);
	forge_end();
}

static void
check_53_a_promised_staple_must_come(void)
{
	lists_begin();
	struct forged must = promising();
	CHECK_VERDICT("revocation-unknown", .sent = {&must, &middle}, .roots = {&root},
		.host = "a.example");
	CHECK_VERDICT("revocation-unknown", .sent = {&must, &middle}, .roots = {&root},
		.host = "a.example", .staple = SPAN("noise"));
	forge_end();
}

static void
every_truncation_of_an_answer_proves_nothing(void)
{
	lists_begin();
	struct err err = {0};
	struct cert *c = cert_from_x509(leaf.x, &err);
	struct cert *issuer = cert_from_x509(middle.x, &err);
	struct span r = make_ocsp(&(struct answer_plan){.about = &leaf,
		.issuer = &middle,
		.signer = &middle,
		.status = V_OCSP_CERTSTATUS_GOOD});
	CHECK_INT(revoke_read_ocsp(r, c, issuer, clock_wall(), &err), REVOKE_GOOD);
	for (size_t n = 0; n < r.n; n++)
		CHECK_INT(revoke_read_ocsp(
				  (struct span){r.p, n}, c, issuer, clock_wall(), &err),
			REVOKE_UNKNOWN);
	OPENSSL_free((void *)(uintptr_t)r.p);
	struct span request = {0};
	CHECK_OK(revoke_ocsp_request(c, issuer, &request, &err), &err);
	CHECK(request.n > 40 && request.p[0] == 0x30);
	mem_free((void *)(uintptr_t)request.p);
	cert_put(c);
	cert_put(issuer);
	forge_end();
}

static void
check_63_short_lived_certificates_need_no_answer(void)
{
	lists_begin();
	struct trust_options o = trust_options_default();
	struct forged brief = forge(&(struct forge){
		.cn = "l", .by = &root, .san = "DNS:a.example", .to_days = 8});
	struct forged longer = forge(&(struct forge){
		.cn = "l", .by = &root, .san = "DNS:a.example", .to_days = 20});
	o.revocation = TRUST_REVOCATION_HARD;
	CHECK_VERDICT("good", .sent = {&brief}, .roots = {&root}, .host = "a.example",
		.with = &o);
	CHECK_VERDICT("revocation-unknown", .sent = {&longer}, .roots = {&root},
		.host = "a.example", .with = &o);
	forge_end();
}

/* One store, many questions: a verdict is remembered for its octets, name and time. */
static void
check_60_no_verdict_is_stale(void)
{
	lists_begin();
	struct forged self =
		forge(&(struct forge){.cn = "a.example", .san = "DNS:a.example"});
	struct chain good = {0};
	struct chain bad = {0};
	struct chain roots = {0};
	struct err err = {0};
	struct verdict v = {0};
	forge_add(&good, &leaf);
	forge_add(&good, &middle);
	forge_add(&bad, &self);
	forge_add(&roots, &root);
	struct trust *t = trust_new_chain(&roots, &err);
	struct trust_ask ask = {.host = SPAN("a.example"),
		.now = clock_wall(),
		.options = trust_options_default()};
	const struct chain *turns[] = {&good, &bad, &good, &bad, &good};
	for (size_t i = 0; i < COUNT_OF(turns); i++) {
		ask.chain = turns[i];
		trust_check(t, &ask, &v);
		CHECK((v.class == VERDICT_GOOD) == (turns[i] == &good));
		CHECK(v.cached == (i >= 2));
		CHECK(i < 2 || v.signatures == 0);
		verdict_fini(&v);
	}
	ask.host = SPAN("b.example");
	trust_check(t, &ask, &v);
	CHECK_INT(v.class, VERDICT_WRONG_NAME);
	verdict_fini(&v);
	ask.host = SPAN("a.example");
	ask.now += 31 * FORGE_DAY;
	trust_check(t, &ask, &v);
	CHECK_INT(v.class, VERDICT_EXPIRED);
	CHECK(!v.cached);
	verdict_fini(&v);
	ask.now -= 40 * FORGE_DAY;
	trust_check(t, &ask, &v);
	CHECK_INT(v.class, VERDICT_NOT_YET);
	verdict_fini(&v);
	/* Revocation is never remembered with the verdict. */
	ask.now = clock_wall();
	ask.revoke = knowing(&(struct list_plan){.by = &middle, .revoked = &leaf});
	trust_check(t, &ask, &v);
	CHECK_INT(v.class, VERDICT_REVOKED);
	verdict_fini(&v);
	revoke_free(ask.revoke);
	trust_free(t);
	chain_fini(&good);
	chain_fini(&bad);
	chain_fini(&roots);
	forge_end();
}

static void
an_issuer_fetched_elsewhere_completes_the_chain(void)
{
	lists_begin();
	struct chain sent = {0};
	struct chain extra = {0};
	struct chain roots = {0};
	struct err err = {0};
	struct verdict v = {0};
	forge_add(&sent, &leaf);
	forge_add(&extra, &middle);
	forge_add(&roots, &root);
	struct trust *t = trust_new_chain(&roots, &err);
	struct trust_ask ask = {.chain = &sent,
		.extra = &extra,
		.host = SPAN("a.example"),
		.now = clock_wall(),
		.options = trust_options_default()};
	trust_check(t, &ask, &v);
	CHECK_INT(v.class, VERDICT_GOOD);
	verdict_fini(&v);
	ask.extra = NULL;
	trust_check(t, &ask, &v);
	CHECK_INT(v.class, VERDICT_UNKNOWN_ISSUER);
	verdict_fini(&v);
	trust_learn(t, extra.der[0]);
	trust_check(t, &ask, &v);
	CHECK_INT(v.class, VERDICT_GOOD);
	CHECK_INT(v.n_path, 3);
	verdict_fini(&v);
	trust_free(t);
	chain_fini(&sent);
	chain_fini(&extra);
	chain_fini(&roots);
	forge_end();
}

/* Whoever gets a certificate of their own to be fetched could else make every other
 * chain look forged. */
static void
an_issuer_that_nobody_vouches_for_proves_no_forgery(void)
{
	char ski[2 * 32 + 1];
	struct chain sent = {0};
	struct chain theirs = {0};
	struct chain roots = {0};
	struct err err = {0};
	struct verdict v = {0};

	lists_begin();
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(middle.x);
	struct text t = text_to(ski, sizeof(ski));
	text_put_hex(&t,
		span_of(ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id)),
		false);
	struct forged double_ = forge(&(struct forge){.cn = "Middle",
		.ca = true,
		.no_ids = true,
		.more = {"subjectKeyIdentifier", ski}});
	forge_add(&sent, &leaf);
	forge_add(&theirs, &double_);
	forge_add(&roots, &root);
	struct trust *trust = trust_new_chain(&roots, &err);
	struct trust_ask ask = {.chain = &sent,
		.extra = &theirs,
		.host = SPAN("a.example"),
		.now = clock_wall(),
		.options = trust_options_default()};
	trust_check(trust, &ask, &v);
	CHECK_INT(v.class, VERDICT_BAD_SIGNATURE); /* the caller vouched for it */
	verdict_fini(&v);
	ask.extra = NULL;
	trust_learn(trust, theirs.der[0]);
	trust_check(trust, &ask, &v);
	CHECK_INT(v.class, VERDICT_UNKNOWN_ISSUER);
	verdict_fini(&v);
	trust_free(trust);
	chain_fini(&sent);
	chain_fini(&theirs);
	chain_fini(&roots);
	forge_end();
}

TESTS(what_is_wanted_is_urgent_until_known_and_again_when_it_grows_old,
	check_54_hard_refuses_what_soft_lets_pass,
	check_51_a_revoked_answer_is_believed,
	check_52_a_staple_is_good_only_from_the_right_one_at_the_right_time,
	a_good_staple_says_nothing_against_a_known_revocation,
	lists_of_the_operator_count_beside_those_fetched,
	check_53_a_promised_staple_must_come, an_answer_does_not_count_for_ever,
	a_delegate_is_as_good_as_a_certificate_must_be, a_question_fits_an_address,
	every_truncation_of_an_answer_proves_nothing,
	check_63_short_lived_certificates_need_no_answer, check_60_no_verdict_is_stale,
	an_issuer_fetched_elsewhere_completes_the_chain,
	an_issuer_that_nobody_vouches_for_proves_no_forgery)

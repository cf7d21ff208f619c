// SPDX-License-Identifier: Apache-2.0
/*
 * Trust rubric 50 to 53, 60 and 63: what was taken back, and what is remembered.
 */
#include "pki/revoke.h"
#include "tests/pki/forge.h"

static struct forged root;
static struct forged middle;
static struct forged leaf;

static void
begin(void)
{
	root = forge(&(struct forge){.cn = "Root", .ca = true, .to_days = 3000});
	middle = forge(&(struct forge){
		.cn = "Middle", .ca = true, .by = &root, .to_days = 300});
	leaf = forge(&(struct forge){.cn = "l", .by = &middle, .san = "DNS:a.example"});
}

struct list_plan {
	const struct forged *by;
	const struct forged *revoked; /* or NULL */
	int64_t from_days;            /* default −1 */
	int64_t to_days;              /* default 7 */
	const char *idp;
	bool no_number;
	long number; /* default 5 */
	long delta;  /* 0: a whole list; else the number it begins at */
	bool lifts;  /* "revoked" is no more (removeFromCRL) */
	bool soft_delta;
	bool break_signature;
};

static void
add_number(X509_CRL *crl, int nid, long number, int critical)
{
	ASN1_INTEGER *n = ASN1_INTEGER_new();

	ASN1_INTEGER_set(n, number);
	X509_CRL_add1_ext_i2d(crl, nid, n, critical, 0);
	ASN1_INTEGER_free(n);
}

static void
add_reason(X509_REVOKED *r, long reason)
{
	ASN1_ENUMERATED *e = ASN1_ENUMERATED_new();

	ASN1_ENUMERATED_set(e, reason);
	X509_REVOKED_add1_ext_i2d(r, NID_crl_reason, e, 0, 0);
	ASN1_ENUMERATED_free(e);
}

static struct span
make_crl(const struct list_plan *p)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *t = ASN1_TIME_new();
	uint8_t *der = NULL;
	X509V3_CTX with;

	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(p->by->x));
	ASN1_TIME_set(t,
		(time_t)(clock_wall() +
			(p->from_days ? p->from_days : -1) * FORGE_DAY));
	X509_CRL_set1_lastUpdate(crl, t);
	if (p->revoked) {
		X509_REVOKED *r = X509_REVOKED_new();
		X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(p->revoked->x));
		X509_REVOKED_set_revocationDate(r, t);
		if (p->lifts)
			add_reason(r, 8);
		X509_CRL_add0_revoked(crl, r);
	}
	ASN1_TIME_set(
		t, (time_t)(clock_wall() + (p->to_days ? p->to_days : 7) * FORGE_DAY));
	X509_CRL_set1_nextUpdate(crl, t);
	ASN1_TIME_free(t);
	if (!p->no_number)
		add_number(crl, NID_crl_number, p->number ? p->number : 5, 0);
	if (p->delta)
		add_number(crl, NID_delta_crl, p->delta, !p->soft_delta);
	if (p->idp) {
		CONF *none = NCONF_new(NULL);
		long at = 0;
		BIO *bio = BIO_new_mem_buf(p->idp, -1);
		NCONF_load_bio(none, bio, &at);
		BIO_free(bio);
		X509V3_set_ctx(&with, p->by->x, NULL, NULL, crl, 0);
		X509V3_set_nconf(&with, none);
		X509_EXTENSION *e = X509V3_EXT_nconf(
			none, &with, "issuingDistributionPoint", "critical,@idp");
		CHECK(e != NULL);
		X509_CRL_add_ext(crl, e, -1);
		X509_EXTENSION_free(e);
		NCONF_free(none);
	}
	X509_CRL_sort(crl);
	CHECK(X509_CRL_sign(crl, p->by->key, EVP_sha256()) > 0);
	int size = i2d_X509_CRL(crl, &der);
	X509_CRL_free(crl);
	CHECK(size > 0);
	if (p->break_signature)
		der[size - 1] ^= 1;
	return span_of(der, (size_t)size);
}

static struct revoke *
knowing(const struct list_plan *p)
{
	struct revoke *r = revoke_new(1024 * 1024);
	struct err err = {0};
	struct span crl = make_crl(p);

	CHECK_OK(revoke_add_crl(r, crl, &err), &err);
	OPENSSL_free((void *)(uintptr_t)crl.p);
	return r;
}

static void
check_crl(const char *want, const struct list_plan *p, bool hard)
{
	struct trust_options o = trust_options_default();
	struct revoke *r = knowing(p);

	o.revocation = hard ? TRUST_REVOCATION_HARD : TRUST_REVOCATION_SOFT;
	CHECK_VERDICT(want, .sent = {&leaf, &middle}, .roots = {&root},
		.host = "a.example", .revoke = r, .with = &o);
	revoke_free(r);
}

static void
check_50_a_crl_revokes_leaf_and_intermediate(void)
{
	begin();
	struct forged other = forge(&(struct forge){.cn = "Middle", .ca = true});
	check_crl(
		"revoked", &(struct list_plan){.by = &middle, .revoked = &leaf}, false);
	check_crl(
		"revoked", &(struct list_plan){.by = &root, .revoked = &middle}, false);
	check_crl("good", &(struct list_plan){.by = &middle}, false);
	check_crl(
		"good", &(struct list_plan){.by = &middle, .revoked = &middle}, false);
	/* The root's list says nothing of the leaf; an impostor's proves nothing. */
	check_crl("good", &(struct list_plan){.by = &root, .revoked = &leaf}, false);
	check_crl("good", &(struct list_plan){.by = &other, .revoked = &leaf}, false);
	check_crl("good",
		&(struct list_plan){
			.by = &middle, .revoked = &leaf, .break_signature = true},
		false);
	/* What is revoked stays so after the list's end. */
	check_crl("revoked",
		&(struct list_plan){.by = &middle,
			.revoked = &leaf,
			.from_days = -9,
			.to_days = -2},
		false);
	forge_end();
}

static void
a_partial_list_speaks_of_its_part_only(void)
{
	begin();
	check_crl("revoked",
		&(struct list_plan){.by = &middle,
			.revoked = &leaf,
			.idp = "[idp]\nonlyuser=TRUE\n"},
		false);
	check_crl("good",
		&(struct list_plan){
			.by = &middle, .revoked = &leaf, .idp = "[idp]\nonlyCA=TRUE\n"},
		false);
	check_crl("good",
		&(struct list_plan){.by = &middle,
			.revoked = &leaf,
			.idp = "[idp]\nindirectCRL=TRUE\n"},
		false);
	check_crl("good",
		&(struct list_plan){.by = &middle,
			.revoked = &leaf,
			.idp = "[idp]\nfullname=URI:http://crl.example/1\n"},
		false);
	forge_end();
}

static void
lists_that_are_not_understood_are_refused(void)
{
	begin();
	const struct list_plan plans[] = {
		{.by = &middle, .no_number = true},
		{.by = &middle, .delta = 3, .soft_delta = true},
		{.by = &middle, .revoked = &leaf, .lifts = true}, /* whole */
		{.by = &middle, .number = -1},
	};
	struct revoke *r = revoke_new(1024 * 1024);
	for (size_t i = 0; i < COUNT_OF(plans); i++) {
		struct err err = {0};
		struct span crl = make_crl(&plans[i]);
		CHECK(!revoke_add_crl(r, crl, &err));
		CHECK_INT(err.code, ERR_PKI_CRL);
		OPENSSL_free((void *)(uintptr_t)crl.p);
	}
	struct span whole =
		make_crl(&(struct list_plan){.by = &middle, .revoked = &leaf});
	for (size_t n = 0; n < whole.n; n++) {
		struct err err = {0};
		CHECK(!revoke_add_crl(r, (struct span){whole.p, n}, &err));
	}
	OPENSSL_free((void *)(uintptr_t)whole.p);
	revoke_free(r);
	forge_end();
}

/* What a whole list and its changes say together; hard, so that "good" is proven. */
static void
check_changes(const char *want, const struct list_plan *whole,
	const struct list_plan *delta, const struct list_plan *more)
{
	struct trust_options o = trust_options_default();
	struct revoke *r = knowing(delta);
	const struct list_plan of_root = {.by = &root};
	const struct list_plan *rest[] = {whole, &of_root, more};

	o.revocation = TRUST_REVOCATION_HARD;
	for (size_t i = 0; i < COUNT_OF(rest); i++) {
		struct err err = {0};
		if (!rest[i])
			continue;
		struct span crl = make_crl(rest[i]);
		CHECK_OK(revoke_add_crl(r, crl, &err), &err);
		OPENSSL_free((void *)(uintptr_t)crl.p);
	}
	CHECK_VERDICT(want, .sent = {&leaf, &middle}, .roots = {&root},
		.host = "a.example", .revoke = r, .with = &o);
	revoke_free(r);
}

/* RFC 5280 §5.2.4. */
static void
changes_count_from_the_list_they_begin_at(void)
{
	begin();
	const struct list_plan clean = {.by = &middle, .number = 5};
	const struct list_plan listed = {.by = &middle, .number = 5, .revoked = &leaf};
	const struct list_plan adds = {
		.by = &middle, .number = 7, .delta = 5, .revoked = &leaf};
	const struct list_plan lifts = {.by = &middle,
		.number = 7,
		.delta = 5,
		.revoked = &leaf,
		.lifts = true};
	const struct list_plan nothing = {.by = &middle, .number = 7, .delta = 5};

	check_changes("good", &clean, &nothing, NULL);
	check_changes("revoked", &clean, &adds, NULL);
	check_changes("revoked", &listed, &nothing, NULL);
	check_changes("good", &listed, &lifts, NULL);
	/* A whole list of their number or a later one has them already. */
	const struct list_plan later = {.by = &middle, .number = 7};
	const struct list_plan later_listed = {
		.by = &middle, .number = 8, .revoked = &leaf};
	check_changes("good", &later, &adds, NULL);
	check_changes("revoked", &later_listed, &lifts, NULL);
	/* They do not follow a list older than the one they begin at; what they add is
	 * revoked all the same. */
	const struct list_plan gap_lifts = {.by = &middle,
		.number = 9,
		.delta = 6,
		.revoked = &leaf,
		.lifts = true};
	const struct list_plan gap_adds = {
		.by = &middle, .number = 9, .delta = 6, .revoked = &leaf};
	check_changes("revoked", &listed, &gap_lifts, NULL);
	check_changes("revoked", &clean, &gap_adds, NULL);
	/* Alone they prove nothing good. */
	check_changes("revocation-unknown", NULL, &nothing, NULL);
	check_changes("revoked", NULL, &adds, NULL);
	forge_end();
}

static void
a_list_with_changes_is_as_current_as_these(void)
{
	begin();
	const struct list_plan ended = {
		.by = &middle, .number = 5, .from_days = -9, .to_days = -2};
	const struct list_plan ended_listed = {.by = &middle,
		.number = 5,
		.from_days = -9,
		.to_days = -2,
		.revoked = &leaf};
	const struct list_plan nothing = {.by = &middle, .number = 7, .delta = 5};
	const struct list_plan lifts = {.by = &middle,
		.number = 7,
		.delta = 5,
		.revoked = &leaf,
		.lifts = true};
	const struct list_plan old_lifts = {.by = &middle,
		.number = 7,
		.delta = 5,
		.from_days = -9,
		.to_days = -2,
		.revoked = &leaf,
		.lifts = true};

	check_changes("good", &ended, &nothing, NULL);
	check_changes("good", &ended_listed, &lifts, NULL);
	/* Somebody may serve for ever what was lifted once. */
	check_changes("revoked", &ended_listed, &old_lifts, NULL);
	check_changes("revocation-unknown", &ended, &old_lifts, NULL);
	forge_end();
}

static void
changes_of_another_scope_or_signer_count_for_nothing(void)
{
	begin();
	struct forged other = forge(&(struct forge){.cn = "Middle", .ca = true});
	const struct list_plan listed = {.by = &middle, .number = 5, .revoked = &leaf};
	const struct list_plan scoped = {.by = &middle,
		.number = 7,
		.delta = 5,
		.revoked = &leaf,
		.lifts = true,
		.idp = "[idp]\nonlyuser=TRUE\n"};
	const struct list_plan foreign = {
		.by = &other, .number = 7, .delta = 5, .revoked = &leaf, .lifts = true};
	const struct list_plan broken = {.by = &middle,
		.number = 7,
		.delta = 5,
		.revoked = &leaf,
		.lifts = true,
		.break_signature = true};
	const struct list_plan adds = {
		.by = &other, .number = 7, .delta = 5, .revoked = &leaf};
	const struct list_plan clean = {.by = &middle, .number = 5};

	check_changes("revoked", &listed, &scoped, NULL);
	check_changes("revoked", &listed, &foreign, NULL);
	check_changes("revoked", &listed, &broken, NULL);
	check_changes("good", &clean, &adds, NULL);
	/* A false one does not keep the true one away. */
	const struct list_plan lifts = {.by = &middle,
		.number = 6,
		.delta = 5,
		.revoked = &leaf,
		.lifts = true};
	check_changes("good", &listed, &foreign, &lifts);
	forge_end();
}

static void
a_list_says_where_its_changes_are(void)
{
	begin();
	X509_CRL *crl = X509_CRL_new();
	struct span plain = make_crl(&(struct list_plan){.by = &middle});
	const uint8_t *p = plain.p;
	struct revoke_list list;
	struct err err = {0};
	X509V3_CTX with;
	uint8_t *der = NULL;

	CHECK(d2i_X509_CRL(&crl, &p, (long)plain.n) != NULL);
	X509V3_set_ctx(&with, middle.x, NULL, NULL, crl, 0);
	X509V3_set_nconf(&with, NCONF_new(NULL));
	X509_EXTENSION *e = X509V3_EXT_nconf(with.db, &with, "freshestCRL",
		"URI:ldap://d.example/x,URI:http://d.example/delta");
	X509_CRL_add_ext(crl, e, -1);
	CHECK(X509_CRL_sign(crl, middle.key, EVP_sha256()) > 0);
	int n = i2d_X509_CRL(crl, &der);

	struct cert *issuer = cert_from_x509(middle.x, &err);
	CHECK_OK(revoke_read_crl(plain, &issuer, 1, &list, &err), &err);
	CHECK(list.freshest[0] == '\0' && !list.is_delta && list.issuer == issuer);
	CHECK_OK(revoke_read_crl(span_of(der, (size_t)n), &issuer, 1, &list, &err),
		&err);
	CHECK_STR(list.freshest, "http://d.example/delta");
	cert_put(issuer);
	OPENSSL_free(der);
	OPENSSL_free((void *)(uintptr_t)plain.p);
	X509_EXTENSION_free(e);
	NCONF_free(with.db);
	X509_CRL_free(crl);
	forge_end();
}

static void
check_54_hard_refuses_what_soft_lets_pass(void)
{
	begin();
	struct trust_options o = trust_options_default();
	CHECK_VERDICT("good", .sent = {&leaf, &middle}, .roots = {&root},
		.host = "a.example", .with = &o);
	o.revocation = TRUST_REVOCATION_HARD;
	CHECK_VERDICT("revocation-unknown", .sent = {&leaf, &middle}, .roots = {&root},
		.host = "a.example", .with = &o);
	/* A list for each of the two issuers settles it. */
	struct revoke *r = knowing(&(struct list_plan){.by = &middle});
	struct err err = {0};
	struct span crl = make_crl(&(struct list_plan){.by = &root});
	CHECK(revoke_add_crl(r, crl, &err));
	OPENSSL_free((void *)(uintptr_t)crl.p);
	CHECK_VERDICT("good", .sent = {&leaf, &middle}, .roots = {&root},
		.host = "a.example", .with = &o, .revoke = r);
	CHECK_VERDICT("revocation-unknown", .sent = {&leaf, &middle}, .roots = {&root},
		.host = "a.example", .with = &o, .revoke = r, .days = 8);
	revoke_free(r);
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

/* Anybody between can serve a list with any date; it must not keep the real one out. */
static void
a_list_nobody_signed_does_not_keep_a_proven_one_away(void)
{
	struct err err = {0};
	begin();
	struct forged other = forge(&(struct forge){.cn = "Middle", .ca = true});
	struct revoke *r = knowing(
		&(struct list_plan){.by = &other, .from_days = 2, .to_days = 90});
	struct span crl =
		make_crl(&(struct list_plan){.by = &middle, .revoked = &leaf});
	struct cert *issuer = cert_from_x509(middle.x, &err);
	CHECK_OK(revoke_add_crl_of(r, crl, issuer, &err), &err);
	CHECK_VERDICT("revoked", .sent = {&leaf, &middle}, .roots = {&root},
		.host = "a.example", .revoke = r);
	OPENSSL_free((void *)(uintptr_t)crl.p);
	cert_put(issuer);
	revoke_free(r);
	forge_end();
}

struct answer_plan {
	const struct forged *about;
	const struct forged *issuer;
	const struct forged *signer;
	const struct forged *delegate; /* sent along */
	int status;
	int64_t from_days;
	int64_t to_days;
};

static struct span
make_ocsp(const struct answer_plan *p)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), p->about->x, p->issuer->x);
	ASN1_TIME *from = ASN1_TIME_set(
		NULL, (time_t)(clock_wall() + p->from_days * FORGE_DAY - 60));
	ASN1_TIME *to = ASN1_TIME_set(NULL,
		(time_t)(clock_wall() + (p->to_days ? p->to_days : 3) * FORGE_DAY));
	ASN1_TIME *when = p->status == V_OCSP_CERTSTATUS_REVOKED ? from : NULL;
	uint8_t *der = NULL;

	CHECK(OCSP_basic_add1_status(basic, id, p->status, 0, when, from, to) != NULL);
	CHECK(OCSP_basic_sign(basic, p->signer->x, p->signer->key, EVP_sha256(), NULL,
		      p->delegate ? 0 : OCSP_NOCERTS) == 1);
	OCSP_RESPONSE *r = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	int n = i2d_OCSP_RESPONSE(r, &der);
	OCSP_RESPONSE_free(r);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	return span_of(der, (size_t)n);
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
	begin();
	STAPLE("revoked", &leaf, .about = &leaf, .issuer = &middle, .signer = &middle,
		.status = GONE);
	STAPLE("good", &leaf, .about = &leaf, .issuer = &middle, .signer = &middle,
		.status = GOOD);
	forge_end();
}

/* Must-staple tells whether an answer counts as a good one. */
static void
check_52_a_staple_is_good_only_from_the_right_one_at_the_right_time(void)
{
	begin();
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

static void
check_53_a_promised_staple_must_come(void)
{
	begin();
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
	begin();
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
	begin();
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
	begin();
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
	begin();
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

TESTS(changes_count_from_the_list_they_begin_at,
	a_list_with_changes_is_as_current_as_these,
	changes_of_another_scope_or_signer_count_for_nothing,
	a_list_says_where_its_changes_are,
	what_is_wanted_is_urgent_until_known_and_again_when_it_grows_old,
	a_list_nobody_signed_does_not_keep_a_proven_one_away,
	check_50_a_crl_revokes_leaf_and_intermediate,
	a_partial_list_speaks_of_its_part_only,
	lists_that_are_not_understood_are_refused,
	check_54_hard_refuses_what_soft_lets_pass,
	check_51_a_revoked_answer_is_believed,
	check_52_a_staple_is_good_only_from_the_right_one_at_the_right_time,
	check_53_a_promised_staple_must_come,
	every_truncation_of_an_answer_proves_nothing,
	check_63_short_lived_certificates_need_no_answer, check_60_no_verdict_is_stale,
	an_issuer_fetched_elsewhere_completes_the_chain)

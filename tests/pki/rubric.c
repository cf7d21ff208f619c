// SPDX-License-Identifier: Apache-2.0
/*
 * Trust rubric 1 to 19: whose certificate, for which name, at what time. A test is
 * named after its number.
 */
#include "tests/pki/forge.h"

static struct forged root;
static struct forged middle;

/* A fresh root and intermediate for each test. */
static void
begin(void)
{
	root = forge(&(struct forge){.cn = "Root", .ca = true, .to_days = 3000});
	middle = forge(&(struct forge){
		.cn = "Middle", .ca = true, .by = &root, .to_days = 300});
}

static struct forged
leaf_for(const char *san)
{
	return forge(&(struct forge){
		.cn = "leaf", .by = &middle, .san = san, .eku = "serverAuth"});
}

static void
check_01_ordinary_chains_work(void)
{
	static const char *const kinds[] = {
		"rsa2048", "rsa3072", "p256", "p384", "ed25519"};
	const EVP_MD *mds[] = {
		EVP_sha256(), EVP_sha384(), EVP_sha512(), EVP_sha256(), NULL};

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct forged r = forge(&(struct forge){
			.cn = "R", .ca = true, .kind = kinds[i], .md = mds[i]});
		struct forged a = forge(&(struct forge){.cn = "A",
			.ca = true,
			.by = &r,
			.kind = kinds[i],
			.md = mds[i]});
		struct forged b =
			forge(&(struct forge){.cn = "B", .ca = true, .by = &a});
		struct forged c =
			forge(&(struct forge){.cn = "C", .ca = true, .by = &b});
		const struct forged *by[] = {&r, &a, &b, &c};
		for (size_t k = 0; k < COUNT_OF(by); k++) {
			struct forged l = forge(&(struct forge){
				.cn = "l", .by = by[k], .san = "DNS:a.example"});
			CHECK_VERDICT("good", .sent = {&l, &a, &b, &c}, .roots = {&r},
				.host = "a.example");
		}
	}
	forge_end();
}

static void
check_02_a_self_signed_leaf_is_refused(void)
{
	begin();
	struct forged a =
		forge(&(struct forge){.cn = "a.example", .san = "DNS:a.example"});
	struct forged b = forge(
		&(struct forge){.cn = "a.example", .ca = true, .san = "DNS:a.example"});
	CHECK_VERDICT(
		"self-signed", .sent = {&a}, .roots = {&root}, .host = "a.example");
	CHECK_VERDICT(
		"self-signed", .sent = {&b}, .roots = {&root}, .host = "a.example");
	forge_end();
}

static void
check_03_an_unknown_issuer_is_refused_root_sent_or_not(void)
{
	begin();
	struct forged other = forge(&(struct forge){.cn = "Other", .ca = true});
	struct forged l = leaf_for("DNS:a.example");
	CHECK_VERDICT("unknown-issuer", .sent = {&l, &middle}, .roots = {&other},
		.host = "a.example");
	CHECK_VERDICT("unknown-issuer", .sent = {&l, &middle, &root}, .roots = {&other},
		.host = "a.example");
	CHECK_VERDICT(
		"unknown-issuer", .sent = {&l}, .roots = {&other}, .host = "a.example");
	forge_end();
}

static void
check_04_a_copied_name_and_key_identifier_are_refused(void)
{
	begin();
	struct forged fake =
		forge(&(struct forge){.cn = "Root", .ca = true, .no_ids = true});
	X509_add1_ext_i2d(fake.x, NID_subject_key_identifier,
		(void *)(uintptr_t)X509_get0_subject_key_id(root.x), 0, 0);
	X509_sign(fake.x, fake.key, EVP_sha256());
	struct forged l =
		forge(&(struct forge){.cn = "l", .by = &fake, .san = "DNS:a.example"});
	CHECK_VERDICT(
		"bad-signature", .sent = {&l}, .roots = {&root}, .host = "a.example");
	CHECK_VERDICT("unknown-issuer", .sent = {&l, &fake}, .roots = {&root},
		.host = "a.example");
	forge_end();
}

static void
check_05_a_broken_signature_is_refused(void)
{
	begin();
	struct forged l = forge(&(struct forge){.cn = "l",
		.by = &middle,
		.san = "DNS:a.example",
		.break_signature = true});
	struct forged m = forge(&(struct forge){
		.cn = "M", .ca = true, .by = &root, .break_signature = true});
	struct forged under =
		forge(&(struct forge){.cn = "l", .by = &m, .san = "DNS:a.example"});
	CHECK_VERDICT("bad-signature", .sent = {&l, &middle}, .roots = {&root},
		.host = "a.example");
	CHECK_VERDICT("bad-signature", .sent = {&under, &m}, .roots = {&root},
		.host = "a.example");
	forge_end();
}

static void
check_06_two_signature_methods_are_refused(void)
{
	begin();
	struct forged l = leaf_for("DNS:a.example");
	struct span der = forge_der(&l);
	struct err err = {0};
	struct chain sent = {0};
	uint8_t *p = (uint8_t *)(uintptr_t)der.p;
	/* The last octet of the outer AlgorithmIdentifier's OID: sha256 becomes sha384.
	 */
	const struct span oid = SPAN("\x2a\x86\x48\xce\x3d\x04\x03\x02");
	size_t inner = span_find(der, oid);
	size_t outer = inner + 1 + span_find(span_from(der, inner + 1), oid);
	p[outer + oid.n - 1] = 3;
	CHECK(chain_add(&sent, der, &err));
	struct cert *c = cert_parse(der, &err);
	CHECK(c && c->fault[0] != 0);
	cert_put(c);
	chain_fini(&sent);
	OPENSSL_free(p);
	forge_end();
}

static void
check_07_an_incomplete_chain_is_refused(void)
{
	begin();
	struct forged l = leaf_for("DNS:a.example");
	struct forged hint = forge(&(struct forge){.cn = "l",
		.by = &middle,
		.san = "DNS:a.example",
		.more = {"authorityInfoAccess",
			"caIssuers;URI:http://ca.example/m.crt"}});
	CHECK_VERDICT(
		"unknown-issuer", .sent = {&l}, .roots = {&root}, .host = "a.example");
	CHECK_VERDICT("incomplete-chain", .sent = {&hint}, .roots = {&root},
		.host = "a.example");
	forge_end();
}

static void
check_08_every_path_is_tried(void)
{
	begin();
	struct forged other = forge(&(struct forge){.cn = "Other", .ca = true});
	/* The same authority: certified by an unknown root, expired, and rightly. */
	struct forged cross = forge(&(struct forge){
		.cn = "Middle", .ca = true, .by = &other, .key = middle.key});
	struct forged old = forge(&(struct forge){.cn = "Middle",
		.ca = true,
		.by = &root,
		.key = middle.key,
		.from_days = -20,
		.to_days = -5});
	struct forged l = leaf_for("DNS:a.example");
	struct forged noise = forge(&(struct forge){.cn = "Noise", .ca = true});
	CHECK_VERDICT("good", .sent = {&l, &cross, &old, &middle, &other, &noise},
		.roots = {&root}, .host = "a.example");
	CHECK_VERDICT("good", .sent = {&l, &noise, &other, &middle, &old, &cross},
		.roots = {&root}, .host = "a.example");
	CHECK_VERDICT("expired", .sent = {&l, &cross, &old}, .roots = {&root},
		.host = "a.example");
	CHECK_VERDICT("unknown-issuer", .sent = {&l, &cross, &other}, .roots = {&root},
		.host = "a.example");
	/* Two that certify each other lead nowhere, and end. */
	struct forged x = forge(&(struct forge){.cn = "X", .ca = true});
	struct forged y = forge(&(struct forge){.cn = "Y", .ca = true, .by = &x});
	struct forged x2 =
		forge(&(struct forge){.cn = "X", .ca = true, .by = &y, .key = x.key});
	struct forged under =
		forge(&(struct forge){.cn = "l", .by = &x, .san = "DNS:a.example"});
	CHECK_VERDICT("unknown-issuer", .sent = {&under, &x2, &y}, .roots = {&root},
		.host = "a.example");
	forge_end();
}

struct name_case {
	const char *san;
	const char *host;
	bool good;
};

static void
check_names(const struct name_case *cases, size_t n)
{
	begin();
	for (size_t i = 0; i < n; i++) {
		struct forged l = leaf_for(cases[i].san);
		enum verdict_class got =
			forge_verdict(&(struct forge_ask){.sent = {&l, &middle},
				.roots = {&root},
				.host = cases[i].host});
		if ((got == VERDICT_GOOD) != cases[i].good)
			print_error("%s for %s: %s\n", cases[i].san, cases[i].host,
				verdict_id(got));
		CHECK((got == VERDICT_GOOD) == cases[i].good);
	}
	forge_end();
}

static void
check_10_the_host_name_must_match(void)
{
	static const struct name_case cases[] = {
		{"DNS:a.example", "a.example", true},
		{"DNS:a.example", "A.EXAMPLE", true},
		{"DNS:a.example", "a.example.", true},
		{"DNS:a.example", "b.example", false},
		{"DNS:a.example", "xa.example", false},
		{"DNS:a.example", "www.a.example", false},
		{"DNS:a.example", "example", false},
		{"DNS:.a.example", "a.example", false},
		{"DNS:.a.example", "x.a.example", false},
		{"DNS:a.example.", "a.example", false},
		{"DNS:b.example,DNS:a.example", "a.example", true},
	};
	check_names(cases, COUNT_OF(cases));
}

static void
check_11_a_common_name_never_counts(void)
{
	begin();
	struct forged none = forge(&(struct forge){.cn = "a.example", .by = &middle});
	struct forged other = forge(&(struct forge){
		.cn = "a.example", .by = &middle, .san = "DNS:b.example"});
	struct forged mail = forge(&(struct forge){
		.cn = "a.example", .by = &middle, .san = "email:x@b.example"});
	CHECK_VERDICT("wrong-name", .sent = {&none, &middle}, .roots = {&root},
		.host = "a.example");
	CHECK_VERDICT("wrong-name", .sent = {&other, &middle}, .roots = {&root},
		.host = "a.example");
	CHECK_VERDICT("wrong-name", .sent = {&mail, &middle}, .roots = {&root},
		.host = "a.example");
	forge_end();
}

static void
check_12_wildcards_are_one_whole_leftmost_label(void)
{
	static const struct name_case cases[] = {
		{"DNS:*.a.example", "x.a.example", true},
		{"DNS:*.A.example", "x.a.EXAMPLE", true},
		{"DNS:*.a.example", "a.example", false},
		{"DNS:*.a.example", "x.y.a.example", false},
		{"DNS:*.a.example", ".a.example", false},
		{"DNS:x*.a.example", "xy.a.example", false},
		{"DNS:*x.a.example", "yx.a.example", false},
		{"DNS:x.*.example", "x.a.example", false},
		{"DNS:*.*.example", "x.a.example", false},
		{"DNS:*", "a.example", false},
		{"DNS:*", "localhost", false},
		{"DNS:*.example", "a.example", false},
		{"DNS:xn--*.a.example", "xn--bcher.a.example", false},
		{"DNS:*.a.example", "xn--bcher-kva.a.example", true},
	};
	check_names(cases, COUNT_OF(cases));
}

static void
check_13_addresses_match_address_names_only(void)
{
	static const struct name_case cases[] = {
		{"IP:192.0.2.1", "192.0.2.1", true},
		{"IP:2001:db8::1", "2001:db8::1", true},
		{"IP:2001:db8::1", "[2001:DB8:0::1]", true},
		{"IP:192.0.2.1", "192.0.2.2", false},
		{"DNS:192.0.2.1", "192.0.2.1", false},
		{"DNS:*.0.2.1", "192.0.2.1", false},
		{"IP:192.0.2.1", "192.0.2.1.", false},
		{"IP:192.0.2.1", "192.000.2.1", false},
	};
	check_names(cases, COUNT_OF(cases));
}

static struct forged
leaf_with_raw_name(const void *octets, size_t n)
{
	struct forged l = forge(&(struct forge){.cn = "l", .by = &middle});
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *dns = ASN1_IA5STRING_new();
	ASN1_STRING_set(dns, octets, (int)n);
	GENERAL_NAME_set0_value(name, GEN_DNS, dns);
	sk_GENERAL_NAME_push(names, name);
	X509_add1_ext_i2d(l.x, NID_subject_alt_name, names, 0, 0);
	GENERAL_NAMES_free(names);
	X509_sign(l.x, middle.key, EVP_sha256());
	return l;
}

static void
check_14_raw_unicode_names_are_refused(void)
{
	begin();
	struct forged utf8 = leaf_with_raw_name("b\xc3\xbc"
						"cher.example",
		13);
	struct forged latin = leaf_with_raw_name("b\xfc"
						 "cher.example",
		12);
	struct forged good = leaf_for("DNS:xn--bcher-kva.example");
	CHECK_VERDICT("malformed", .sent = {&utf8, &middle}, .roots = {&root},
		.host = "xn--bcher-kva.example");
	CHECK_VERDICT("malformed", .sent = {&latin, &middle}, .roots = {&root},
		.host = "b\xfc"
			"cher.example");
	CHECK_VERDICT("good", .sent = {&good, &middle}, .roots = {&root},
		.host = "xn--bcher-kva.example");
	forge_end();
}

static void
check_15_a_thousand_names_work(void)
{
	begin();
	enum { NAMES = 1000, EACH = 24 };
	char *san = mem_alloc(NAMES * EACH);
	struct text t = text_to(san, NAMES * EACH);
	for (int i = 0; i < NAMES; i++)
		text_add(&t, "%sDNS:n%d.a.example", i ? "," : "", i);
	CHECK(!t.cut);
	struct forged l = leaf_for(san);
	uint64_t start = clock_us();
	CHECK_VERDICT("good", .sent = {&l, &middle}, .roots = {&root},
		.host = "n999.a.example");
	CHECK_VERDICT("wrong-name", .sent = {&l, &middle}, .roots = {&root},
		.host = "n1000.a.example");
	CHECK(clock_us() - start < 1000000);
	mem_free(san);
	forge_end();
}

static void
check_16_a_nul_never_ends_a_name(void)
{
	begin();
	struct forged l = leaf_with_raw_name("a.example\0.evil.example", 23);
	CHECK_VERDICT("malformed", .sent = {&l, &middle}, .roots = {&root},
		.host = "a.example");
	CHECK_VERDICT("malformed", .sent = {&l, &middle}, .roots = {&root},
		.host = "evil.example");
	forge_end();
}

static void
check_17_text_tricks_never_match(void)
{
	static const char *const tricks[] = {" a.example", "a.example ",
		"a.example\r\n", "b.example, DNS:a.example", "b.example\nDNS:a.example",
		"a.example/"};
	begin();
	for (size_t i = 0; i < COUNT_OF(tricks); i++) {
		struct forged l = leaf_with_raw_name(tricks[i], span_str(tricks[i]).n);
		CHECK(forge_verdict(&(struct forge_ask){.sent = {&l, &middle},
			      .roots = {&root},
			      .host = "a.example"}) != VERDICT_GOOD);
	}
	static const struct name_case kinds[] = {
		{"URI:https://a.example/", "a.example", false},
		{"otherName:1.2.3.4;UTF8:a.example", "a.example", false},
		{"email:x@a.example", "a.example", false},
		{"RID:1.2.3.4", "a.example", false},
	};
	forge_end();
	check_names(kinds, COUNT_OF(kinds));
}

static void
check_18_dates_of_leaf_and_intermediate_count(void)
{
	begin();
	struct forged old = forge(&(struct forge){.cn = "l",
		.by = &middle,
		.san = "DNS:a.example",
		.from_days = -9,
		.to_days = -2});
	struct forged early = forge(&(struct forge){
		.cn = "l", .by = &middle, .san = "DNS:a.example", .from_days = 2});
	struct forged backwards = forge(&(struct forge){.cn = "l",
		.by = &middle,
		.san = "DNS:a.example",
		.from_days = 2,
		.to_days = -2});
	struct forged old_ca = forge(&(struct forge){
		.cn = "O", .ca = true, .by = &root, .from_days = -9, .to_days = -2});
	struct forged under = forge(
		&(struct forge){.cn = "l", .by = &old_ca, .san = "DNS:a.example"});
	CHECK_VERDICT("expired", .sent = {&old, &middle}, .roots = {&root},
		.host = "a.example");
	CHECK_VERDICT("not-yet-valid", .sent = {&early, &middle}, .roots = {&root},
		.host = "a.example");
	CHECK_VERDICT("malformed", .sent = {&backwards, &middle}, .roots = {&root},
		.host = "a.example");
	CHECK_VERDICT("expired", .sent = {&under, &old_ca}, .roots = {&root},
		.host = "a.example");
	forge_end();
}

static void
check_19_dates_of_a_root_count(void)
{
	struct forged old = forge(
		&(struct forge){.cn = "R", .ca = true, .from_days = -9, .to_days = -2});
	struct forged l =
		forge(&(struct forge){.cn = "l", .by = &old, .san = "DNS:a.example"});
	CHECK_VERDICT("expired", .sent = {&l}, .roots = {&old}, .host = "a.example");
	forge_end();
}

/* An operator who allows one class must not thereby allow a graver one. */
static void
the_gravest_fault_is_the_verdict_and_all_are_told(void)
{
	begin();
	uint32_t faults = 0;
	struct forged l = forge(&(struct forge){.cn = "l",
		.by = &middle,
		.san = "DNS:b.example",
		.from_days = -9,
		.to_days = -2});
	struct forged self = forge(&(struct forge){
		.cn = "s", .san = "DNS:b.example", .from_days = -9, .to_days = -2});
	CHECK_VERDICT("wrong-name", .sent = {&l, &middle}, .roots = {&root},
		.host = "a.example", .faults = &faults);
	CHECK_INT(faults, 1u << VERDICT_WRONG_NAME | 1u << VERDICT_EXPIRED);
	CHECK_VERDICT("self-signed", .sent = {&self}, .roots = {&root},
		.host = "a.example", .faults = &faults);
	CHECK_INT(faults,
		1u << VERDICT_WRONG_NAME | 1u << VERDICT_EXPIRED |
			1u << VERDICT_SELF_SIGNED);
	forge_end();
}

TESTS(check_01_ordinary_chains_work, check_02_a_self_signed_leaf_is_refused,
	check_03_an_unknown_issuer_is_refused_root_sent_or_not,
	check_04_a_copied_name_and_key_identifier_are_refused,
	check_05_a_broken_signature_is_refused,
	check_06_two_signature_methods_are_refused,
	check_07_an_incomplete_chain_is_refused, check_08_every_path_is_tried,
	check_10_the_host_name_must_match, check_11_a_common_name_never_counts,
	check_12_wildcards_are_one_whole_leftmost_label,
	check_13_addresses_match_address_names_only,
	check_14_raw_unicode_names_are_refused, check_15_a_thousand_names_work,
	check_16_a_nul_never_ends_a_name, check_17_text_tricks_never_match,
	check_18_dates_of_leaf_and_intermediate_count, check_19_dates_of_a_root_count,
	the_gravest_fault_is_the_verdict_and_all_are_told)

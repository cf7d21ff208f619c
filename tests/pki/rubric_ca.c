// SPDX-License-Identifier: Apache-2.0
/*
 * Trust rubric 20 to 34: what an authority may do, and what nobody should accept.
 */
#include "tests/pki/forge.h"

static struct forged root;

static void
begin(void)
{
	root = forge(&(struct forge){.cn = "Root", .ca = true, .to_days = 3000});
}

static struct forged
under(const struct forged *ca)
{
	return forge(&(struct forge){.cn = "l", .by = ca, .san = "DNS:a.example"});
}

static void
check_20_an_issuer_must_be_an_authority(void)
{
	begin();
	struct forged no = forge(&(struct forge){
		.cn = "M", .by = &root, .usage = "critical,keyCertSign"});
	struct forged bare = forge(&(struct forge){.cn = "B",
		.by = &root,
		.no_basic = true,
		.usage = "critical,keyCertSign"});
	struct forged v1 =
		forge(&(struct forge){.cn = "V", .by = &root, .version1 = true});
	struct forged ordinary = under(&root);
	const struct forged *bad[] = {&no, &bare, &v1, &ordinary};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct forged l = under(bad[i]);
		CHECK_VERDICT("ca-violation", .sent = {&l, bad[i]}, .roots = {&root},
			.host = "a.example");
		CHECK(forge_verdict(&(struct forge_ask){.sent = {&l, bad[i]},
			      .roots = {bad[i]},
			      .host = "a.example"}) != VERDICT_GOOD);
	}
	forge_end();
}

static void
check_21_path_lengths_and_key_usage_hold(void)
{
	struct forged r =
		forge(&(struct forge){.cn = "R", .ca = true, .path_len = ",pathlen:1"});
	struct forged a = forge(&(struct forge){
		.cn = "A", .ca = true, .by = &r, .path_len = ",pathlen:0"});
	struct forged b = forge(&(struct forge){.cn = "B", .ca = true, .by = &a});
	struct forged from_a = under(&a);
	struct forged from_b = under(&b);
	CHECK_VERDICT(
		"good", .sent = {&from_a, &a}, .roots = {&r}, .host = "a.example");
	CHECK_VERDICT("ca-violation", .sent = {&from_b, &b, &a}, .roots = {&r},
		.host = "a.example");

	struct forged c = forge(&(struct forge){.cn = "C", .ca = true, .by = &r});
	struct forged d = forge(&(struct forge){.cn = "D", .ca = true, .by = &c});
	struct forged from_d = under(&d);
	CHECK_VERDICT("ca-violation", .sent = {&from_d, &d, &c}, .roots = {&r},
		.host = "a.example");
	/* The same name again does not count (RFC 5280 §4.2.1.9). */
	struct forged again =
		forge(&(struct forge){.cn = "A", .ca = true, .by = &a, .key = a.key});
	struct forged deep = under(&again);
	CHECK_VERDICT("good", .sent = {&deep, &again, &a}, .roots = {&r},
		.host = "a.example");

	struct forged mute = forge(&(struct forge){
		.cn = "M", .ca = true, .by = &r, .usage = "critical,cRLSign"});
	struct forged from_mute = under(&mute);
	CHECK_VERDICT("ca-violation", .sent = {&from_mute, &mute}, .roots = {&r},
		.host = "a.example");
	struct forged no_handshake = forge(&(struct forge){.cn = "l",
		.by = &r,
		.san = "DNS:a.example",
		.usage = "critical,nonRepudiation"});
	CHECK_VERDICT("wrong-use", .sent = {&no_handshake}, .roots = {&r},
		.host = "a.example");
	forge_end();
}

struct names_case {
	const char *names; /* nameConstraints of the intermediate */
	const char *san;
	const char *cn;
	const char *host;
	bool good;
};

static const struct names_case names_cases[] = {
	{"critical,permitted;DNS:example", "DNS:a.example", "l", "a.example", true},
	{"permitted;DNS:example", "DNS:a.test", "l", "a.test", false},
	{"critical,permitted;DNS:b.example", "DNS:a.example", "l", "a.example", false},
	{"critical,permitted;DNS:b.example", "DNS:ab.example", "l", "ab.example",
		false},
	{"critical,permitted;DNS:b.example", "DNS:B.EXAMPLE", "l", "b.example", true},
	{"critical,permitted;DNS:.b.example", "DNS:x.b.example", "l", "x.b.example",
		true},
	{"critical,permitted;DNS:.b.example", "DNS:b.example", "l", "b.example", false},
	{"critical,permitted;DNS:a.example", "DNS:a.example,DNS:b.test", "l",
		"a.example", false},
	{"critical,permitted;DNS:a.example", "DNS:*.a.example", "l", "x.a.example",
		true},
	{"critical,permitted;DNS:x.a.example", "DNS:*.a.example", "l", "x.a.example",
		false},
	{"critical,excluded;DNS:b.example", "DNS:a.example", "l", "a.example", true},
	{"critical,excluded;DNS:a.example", "DNS:a.example", "l", "a.example", false},
	{"excluded;DNS:example", "DNS:a.example", "l", "a.example", false},
	{"critical,excluded;DNS:x.a.example", "DNS:*.a.example", "l", "y.a.example",
		false},
	{"critical,permitted;DNS:example,excluded;DNS:a.example", "DNS:a.example", "l",
		"a.example", false},
	{"critical,permitted;IP:192.0.2.0/255.255.255.0", "IP:192.0.2.9", "l",
		"192.0.2.9", true},
	{"critical,permitted;IP:192.0.2.0/255.255.255.0", "IP:192.0.3.9", "l",
		"192.0.3.9", false},
	{"critical,excluded;IP:192.0.2.0/255.255.255.0", "IP:192.0.2.9", "l",
		"192.0.2.9", false},
	{"critical,permitted;IP:192.0.2.0/255.255.255.0", "IP:2001:db8::1", "l",
		"2001:db8::1", false},
	{"critical,permitted;DNS:a.example", "IP:192.0.2.9", "l", "192.0.2.9", true},
	{"critical,permitted;email:b.example", "DNS:a.example,email:x@b.example", "l",
		"a.example", true},
	{"critical,permitted;email:b.example", "DNS:a.example,email:x@c.example", "l",
		"a.example", false},
	{"critical,excluded;email:x@b.example", "DNS:a.example,email:x@b.example", "l",
		"a.example", false},
	{"critical,permitted;URI:.b.example", "DNS:a.example,URI:https://w.b.example/",
		"l", "a.example", true},
	{"critical,permitted;URI:.b.example", "DNS:a.example,URI:https://c.example/",
		"l", "a.example", false},
	{"critical,permitted;DNS:a.example", "DNS:a.example", "evil.test", "a.example",
		true},
};

static void
check_22_name_constraints_hold_for_every_kind_of_name(void)
{
	begin();
	for (size_t i = 0; i < COUNT_OF(names_cases); i++) {
		const struct names_case *n = &names_cases[i];
		struct forged ca = forge(&(struct forge){
			.cn = "M", .ca = true, .by = &root, .names = n->names});
		struct forged l =
			forge(&(struct forge){.cn = n->cn, .by = &ca, .san = n->san});
		enum verdict_class got = forge_verdict(&(struct forge_ask){
			.sent = {&l, &ca}, .roots = {&root}, .host = n->host});
		if ((got == VERDICT_GOOD) != n->good)
			print_error("%s / %s: %s\n", n->names, n->san, verdict_id(got));
		CHECK((got == VERDICT_GOOD) == n->good);
		/* The same on a root. */
		struct forged r = forge(
			&(struct forge){.cn = "R2", .ca = true, .names = n->names});
		struct forged l2 =
			forge(&(struct forge){.cn = n->cn, .by = &r, .san = n->san});
		CHECK((forge_verdict(&(struct forge_ask){
			       .sent = {&l2}, .roots = {&r}, .host = n->host}) ==
			      VERDICT_GOOD) == n->good);
	}
	forge_end();
}

static void
check_23_extended_key_usage_holds_and_restricts_below(void)
{
	begin();
	static const struct {
		const char *ca;
		const char *leaf;
		const char *want;
	} cases[] = {
		{NULL, "serverAuth", "good"},
		{NULL, NULL, "good"},
		{"serverAuth", NULL, "good"},
		{"serverAuth,clientAuth", "serverAuth", "good"},
		{NULL, "clientAuth", "wrong-use"},
		{NULL, "anyExtendedKeyUsage", "wrong-use"},
		{"clientAuth", "serverAuth", "ca-violation"},
		{"codeSigning", NULL, "ca-violation"},
		{"anyExtendedKeyUsage", "serverAuth", "good"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct forged ca = forge(&(struct forge){
			.cn = "M", .ca = true, .by = &root, .eku = cases[i].ca});
		struct forged l = forge(&(struct forge){.cn = "l",
			.by = &ca,
			.san = "DNS:a.example",
			.eku = cases[i].leaf});
		CHECK_VERDICT(cases[i].want, .sent = {&l, &ca}, .roots = {&root},
			.host = "a.example");
	}
	forge_end();
}

static void
check_24_policy_constraints_are_processed(void)
{
	begin();
	struct forged ca = forge(&(struct forge){.cn = "M",
		.ca = true,
		.by = &root,
		.more = {"certificatePolicies", "1.2.3.4", "policyConstraints",
			"critical,requireExplicitPolicy:0"}});
	struct forged with = forge(&(struct forge){.cn = "l",
		.by = &ca,
		.san = "DNS:a.example",
		.more = {"certificatePolicies", "1.2.3.4"}});
	struct forged other = forge(&(struct forge){.cn = "l",
		.by = &ca,
		.san = "DNS:a.example",
		.more = {"certificatePolicies", "1.2.3.5"}});
	struct forged none = under(&ca);
	CHECK_VERDICT(
		"good", .sent = {&with, &ca}, .roots = {&root}, .host = "a.example");
	CHECK_VERDICT("ca-violation", .sent = {&other, &ca}, .roots = {&root},
		.host = "a.example");
	CHECK_VERDICT("ca-violation", .sent = {&none, &ca}, .roots = {&root},
		.host = "a.example");

	struct forged any = forge(&(struct forge){.cn = "N",
		.ca = true,
		.by = &root,
		.more = {"certificatePolicies", "2.5.29.32.0", "policyConstraints",
			"critical,requireExplicitPolicy:0"}});
	struct forged under_any = forge(&(struct forge){.cn = "l",
		.by = &any,
		.san = "DNS:a.example",
		.more = {"certificatePolicies", "1.2.3.5"}});
	CHECK_VERDICT("good", .sent = {&under_any, &any}, .roots = {&root},
		.host = "a.example");
	struct forged mapped = forge(&(struct forge){.cn = "O",
		.ca = true,
		.by = &ca,
		.more = {"certificatePolicies", "1.2.3.4", "policyMappings",
			"critical,1.2.3.4:1.2.9.9"}});
	struct forged under_mapped = forge(&(struct forge){.cn = "l",
		.by = &mapped,
		.san = "DNS:a.example",
		.more = {"certificatePolicies", "1.2.9.9"}});
	struct forged unmapped = forge(&(struct forge){.cn = "l",
		.by = &mapped,
		.san = "DNS:a.example",
		.more = {"certificatePolicies", "1.2.3.4"}});
	CHECK_VERDICT("good", .sent = {&under_mapped, &mapped, &ca}, .roots = {&root},
		.host = "a.example");
	CHECK_VERDICT("ca-violation", .sent = {&unmapped, &mapped, &ca},
		.roots = {&root}, .host = "a.example");
	forge_end();
}

static void
check_25_an_unknown_critical_extension_is_refused(void)
{
	begin();
	struct forged soft = forge(&(struct forge){.cn = "l",
		.by = &root,
		.san = "DNS:a.example",
		.more = {"1.2.3.4.5", "DER:0500"}});
	struct forged hard = forge(&(struct forge){.cn = "l",
		.by = &root,
		.san = "DNS:a.example",
		.more = {"1.2.3.4.5", "critical,DER:0500"}});
	struct forged ca = forge(&(struct forge){.cn = "M",
		.ca = true,
		.by = &root,
		.more = {"1.2.3.4.5", "critical,DER:0500"}});
	struct forged below = under(&ca);
	CHECK_VERDICT("good", .sent = {&soft}, .roots = {&root}, .host = "a.example");
	CHECK_VERDICT(
		"malformed", .sent = {&hard}, .roots = {&root}, .host = "a.example");
	CHECK_VERDICT("malformed", .sent = {&below, &ca}, .roots = {&root},
		.host = "a.example");
	forge_end();
}

static enum verdict_class
ask_octets(const uint8_t *p, size_t n)
{
	struct chain sent = {0};
	struct chain roots = {0};
	struct err err = {0};
	struct verdict v = {0};
	struct trust *t;

	forge_add(&roots, &root);
	t = trust_new_chain(&roots, &err);
	if (n > 0)
		CHECK(chain_add(&sent, (struct span){p, n}, &err));
	struct trust_ask ask = {.chain = &sent,
		.host = SPAN("a.example"),
		.now = clock_wall(),
		.options = trust_options_default()};
	trust_check(t, &ask, &v);
	enum verdict_class class = v.class;
	verdict_fini(&v);
	trust_free(t);
	chain_fini(&sent);
	chain_fini(&roots);
	return class;
}

static void
check_26_malformed_certificates_are_refused_without_a_crash(void)
{
	begin();
	struct forged l = under(&root);
	struct forged twice = forge(&(struct forge){.cn = "l",
		.by = &root,
		.san = "DNS:a.example",
		.more = {"subjectAltName", "DNS:b.example"}});
	struct span der = forge_der(&l);
	uint8_t longer[4096] = {0};
	CHECK(der.n + 1 < sizeof longer);
	for (size_t i = 0; i < der.n; i++)
		longer[i] = der.p[i];
	CHECK_STR(verdict_id(ask_octets(der.p, der.n)), "good");
	CHECK_STR(verdict_id(ask_octets(longer, der.n + 1)), "malformed");
	CHECK_STR(verdict_id(ask_octets(longer, 0)), "malformed");
	CHECK_STR(verdict_id(ask_octets((const uint8_t *)"noise", 5)), "malformed");
	CHECK_VERDICT(
		"malformed", .sent = {&twice}, .roots = {&root}, .host = "a.example");
	for (size_t n = 1; n < der.n; n++)
		CHECK(ask_octets(der.p, n) == VERDICT_MALFORMED);
	/* One bit anywhere, and it is never good. */
	for (size_t i = 0; i < der.n; i++) {
		longer[i] ^= (uint8_t)(1u << (i % 8));
		CHECK(ask_octets(longer, der.n) != VERDICT_GOOD);
		longer[i] = der.p[i];
	}
	OPENSSL_free((void *)(uintptr_t)der.p);
	forge_end();
}

static void
check_27_work_is_bounded(void)
{
	begin();
	/* Forty authorities of one name, each signed by the next one's key: a path
	 * through them has no end that is trusted. */
	enum { MANY = 40 };
	struct forged ca[MANY];
	struct chain sent = {0};
	struct chain roots = {0};
	struct err err = {0};
	struct verdict v = {0};
	ca[0] = forge(&(struct forge){.cn = "Same", .ca = true});
	for (size_t i = 1; i < MANY; i++)
		ca[i] = forge(
			&(struct forge){.cn = "Same", .ca = true, .by = &ca[i - 1]});
	struct forged l = under(&ca[MANY - 1]);
	forge_add(&sent, &l);
	for (size_t i = 0; i < MANY; i++)
		forge_add(&sent, &ca[i]);
	forge_add(&roots, &root);
	struct trust *t = trust_new_chain(&roots, &err);
	struct trust_ask ask = {.chain = &sent,
		.host = SPAN("a.example"),
		.now = clock_wall(),
		.options = trust_options_default()};
	trust_check(t, &ask, &v);
	CHECK_STR(verdict_id(v.class), "too-complex");
	CHECK(v.signatures <= ask.options.max_signatures + 1);
	verdict_fini(&v);
	trust_free(t);
	/* A chain over the bound is not even taken. */
	bool ok = true;
	for (size_t i = 0; ok && i < 2 * CHAIN_MAX; i++)
		ok = chain_add(&sent, sent.der[0], &err);
	CHECK(!ok && sent.n == CHAIN_MAX);
	CHECK_INT(err.code, ERR_PKI_CHAIN);
	chain_fini(&sent);
	chain_fini(&roots);
	forge_end();
}

static void
check_30_weak_keys_are_refused_everywhere(void)
{
	begin();
	struct err err = {0};
	AUTO(EVP_PKEY) *rsa1024 = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	AUTO(EVP_PKEY) *p224 = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-224");
	AUTO(EVP_PKEY) *k256 = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "secp256k1");
	const EVP_PKEY *weak[] = {rsa1024, p224, k256};
	for (size_t i = 0; i < COUNT_OF(weak); i++) {
		struct forged l = forge(&(struct forge){.cn = "l",
			.by = &root,
			.san = "DNS:a.example",
			.key = weak[i]});
		struct forged ca = forge(&(struct forge){
			.cn = "M", .ca = true, .by = &root, .key = weak[i]});
		struct forged below = under(&ca);
		struct forged r =
			forge(&(struct forge){.cn = "W", .ca = true, .key = weak[i]});
		struct forged from_r = under(&r);
		CHECK_VERDICT("weak-key", .sent = {&l}, .roots = {&root},
			.host = "a.example");
		CHECK_VERDICT("weak-key", .sent = {&below, &ca}, .roots = {&root},
			.host = "a.example");
		CHECK_VERDICT("weak-key", .sent = {&from_r}, .roots = {&r},
			.host = "a.example");
	}
	(void)err;
	forge_end();
}

static void
check_31_weak_signatures_are_refused_but_on_roots(void)
{
	begin();
	struct forged l = forge(&(struct forge){
		.cn = "l", .by = &root, .san = "DNS:a.example", .md = EVP_sha1()});
	struct forged ca = forge(
		&(struct forge){.cn = "M", .ca = true, .by = &root, .md = EVP_sha1()});
	struct forged below = under(&ca);
	struct forged r = forge(&(struct forge){
		.cn = "R1", .ca = true, .md = EVP_sha1(), .kind = "rsa2048"});
	struct forged from_r = under(&r);
	CHECK_VERDICT(
		"weak-signature", .sent = {&l}, .roots = {&root}, .host = "a.example");
	CHECK_VERDICT("weak-signature", .sent = {&below, &ca}, .roots = {&root},
		.host = "a.example");
	CHECK_VERDICT("good", .sent = {&from_r}, .roots = {&r}, .host = "a.example");
	struct forged md5 = forge(&(struct forge){
		.cn = "l", .by = &r, .san = "DNS:a.example", .md = EVP_md5()});
	CHECK(forge_verdict(&(struct forge_ask){
		      .sent = {&md5}, .roots = {&r}, .host = "a.example"}) !=
		VERDICT_GOOD);
	forge_end();
}

static struct verdict
ask_with(void (*arrange)(struct trust *t, const uint8_t *spki), const struct forged *l)
{
	struct chain sent = {0};
	struct chain roots = {0};
	struct err err = {0};
	struct verdict v = {0};
	struct cert *c = cert_from_x509(root.x, &err);

	forge_add(&roots, &root);
	forge_add(&sent, l);
	struct trust *t = trust_new_chain(&roots, &err);
	struct trust_ask ask = {.chain = &sent,
		.host = SPAN("a.example"),
		.now = clock_wall(),
		.options = trust_options_default()};
	trust_check(t, &ask, &v);
	CHECK_INT(v.class, VERDICT_GOOD);
	verdict_fini(&v);
	arrange(t, c->spki_sha256); /* what was remembered no longer counts */
	trust_check(t, &ask, &v);
	verdict_fini(&v);
	cert_put(c);
	trust_free(t);
	chain_fini(&sent);
	chain_fini(&roots);
	return v;
}

static void
check_32_a_key_on_the_block_list_is_refused(void)
{
	begin();
	struct forged l = under(&root);
	CHECK_STR(verdict_id(ask_with(trust_block_key, &l).class), "blocked");
	forge_end();
}

static void
check_33_our_own_authority_met_outside_is_refused(void)
{
	begin();
	struct forged l = under(&root);
	CHECK_STR(verdict_id(ask_with(trust_refuse_own, &l).class), "own-authority");
	forge_end();
}

/* A root of the system certifies private names only for those who ask for it. */
static void
check_34_private_names_need_a_private_root(void)
{
	static const struct {
		const char *san;
		const char *host;
		bool is_private;
	} rows[] = {{"DNS:printer", "printer", true},
		{"DNS:nas.local", "nas.local", true},
		{"DNS:db.internal", "db.internal", true},
		{"IP:10.0.0.1", "10.0.0.1", true},
		{"IP:192.168.1.1", "192.168.1.1", true}, {"IP:::1", "::1", true},
		{"DNS:a.example", "a.example", false},
		{"IP:8.8.8.8", "8.8.8.8", false}};

	begin();
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct forged l = forge(
			&(struct forge){.cn = "l", .by = &root, .san = rows[i].san});
		CHECK_VERDICT(
			"good", .sent = {&l}, .roots = {&root}, .host = rows[i].host);
		CHECK_VERDICT(rows[i].is_private ? "ca-violation" : "good",
			.sent = {&l}, .roots = {&root}, .host = rows[i].host,
			.as_system = true);
	}
	forge_end();
}

TESTS(check_20_an_issuer_must_be_an_authority, check_21_path_lengths_and_key_usage_hold,
	check_22_name_constraints_hold_for_every_kind_of_name,
	check_23_extended_key_usage_holds_and_restricts_below,
	check_24_policy_constraints_are_processed,
	check_25_an_unknown_critical_extension_is_refused,
	check_26_malformed_certificates_are_refused_without_a_crash,
	check_27_work_is_bounded, check_30_weak_keys_are_refused_everywhere,
	check_31_weak_signatures_are_refused_but_on_roots,
	check_32_a_key_on_the_block_list_is_refused,
	check_33_our_own_authority_met_outside_is_refused,
	check_34_private_names_need_a_private_root)

// SPDX-License-Identifier: Apache-2.0
#include "pki/leaf.h"

#include "base/clock.h"
#include "base/mem.h"
#include "pki/cert.h"
#include "tests/test.h"

enum { ARENA = 64 * 1024, DAY = 86400 };

static struct authority *
new_authority(void)
{
	struct err err = {0};
	const struct authority_wish wish = {.name = "test", .node = "n1"};
	struct authority *a = authority_ephemeral(&wish, &err);

	CHECK_OK(a != NULL, &err);
	return a;
}

static struct cert *
mint(const struct authority *a, const struct leaf_facts *f)
{
	struct err err = {0};
	struct span der = {0};
	AUTO(EVP_PKEY) *key = key_new(f->kind, &err);

	CHECK_OK(leaf_mint(a, f, key, &der, &err), &err);
	struct cert *c = cert_parse(der, &err);
	CHECK_OK(c != NULL, &err);
	mem_free((void *)(uintptr_t)der.p);
	return c;
}

static void
a_leaf_says_what_the_facts_say_and_nothing_else(void)
{
	struct authority *a = new_authority();
	const struct span names[] = {SPAN("a.example"), SPAN("*.a.example")};
	struct ip ip = ip_v4(0xc0000201);
	struct leaf_facts f = {
		.kind = KEY_P256, .names = names, .n_names = 2, .ips = &ip, .n_ips = 1};
	struct cert *c = mint(a, &f);
	struct read it = cert_sans(c);
	struct cert_san san;

	CHECK(cert_next_san(&it, &san) && san.kind == CERT_SAN_DNS);
	CHECK_SPAN(san.value, "a.example");
	CHECK(cert_next_san(&it, &san));
	CHECK_SPAN(san.value, "*.a.example");
	CHECK(cert_next_san(&it, &san) && san.kind == CERT_SAN_IP);
	CHECK_SPAN(san.value, "\xc0\x00\x02\x01");
	CHECK(!cert_next_san(&it, &san));
	CHECK_STR(c->fault, "");
	CHECK_INT(c->version, 3);
	CHECK_INT(c->serial.n, 16);
	CHECK(c->serial.p[0] < 0x80);
	CHECK(!c->is_ca && c->basic.critical && c->usage.critical);
	CHECK_INT(c->key_usage, CERT_DIGITAL_SIGNATURE);
	CHECK_INT(c->ekus, CERT_EKU_SERVER);
	CHECK_STR(c->sig->name, "ecdsa-sha256");
	CHECK(!c->aia.present && !c->scts.present && !c->crl_points.present);
	CHECK(!c->tls_feature.present && !c->policies.present);
	cert_put(c);
	authority_free(a);
}

static void
an_issuer_key_identifier_is_the_nodes(void)
{
	struct authority *a = new_authority();
	struct err err = {0};
	const struct span name = SPAN("a.example");
	struct leaf_facts f = {.kind = KEY_RSA2048, .names = &name, .n_names = 1};
	struct cert *c = mint(a, &f);
	struct cert *node = cert_from_x509(a->node, &err);

	CHECK(node && node->ski_key.n == KEY_SKI);
	CHECK(span_eq(c->aki_key, node->ski_key));
	CHECK_INT(c->key_usage, CERT_DIGITAL_SIGNATURE | CERT_KEY_ENCIPHERMENT);
	cert_put(node);
	cert_put(c);
	authority_free(a);
}

static void
a_lifetime_is_thirty_days_and_never_over_199(void)
{
	struct authority *a = new_authority();
	const struct span name = SPAN("a.example");
	struct leaf_facts f = {.kind = KEY_P256, .names = &name, .n_names = 1};
	struct cert *c = mint(a, &f);
	CHECK_INT(c->not_after - c->not_before, 30 * DAY - 1);
	CHECK(c->not_before <= clock_wall() - 3000);
	cert_put(c);

	f.days = 5000;
	c = mint(a, &f);
	CHECK_INT(c->not_after - c->not_before, 199 * DAY - 1);
	cert_put(c);

	f.not_after = clock_wall() + 3 * DAY;
	c = mint(a, &f);
	CHECK_INT(c->not_after, f.not_after);
	cert_put(c);

	f.purpose = LEAF_PAGE;
	c = mint(a, &f);
	CHECK(c->not_after <= clock_wall() + 2 * DAY);
	cert_put(c);
	authority_free(a);
}

static void
dates_never_leave_the_issuers(void)
{
	struct err err = {0};
	const struct authority_wish wish = {.node = "n", .node_days = 2};
	struct authority *a = authority_ephemeral(&wish, &err);
	const struct span name = SPAN("a.example");
	struct leaf_facts f = {.kind = KEY_P256, .names = &name, .n_names = 1};
	struct cert *c = mint(a, &f);

	CHECK_INT(c->not_after, a->not_after);
	CHECK(c->not_before >= a->not_before);
	cert_put(c);
	authority_free(a);
}

static void
a_mirror_keeps_wrong_dates_under_a_ca_nobody_trusts(void)
{
	struct authority *a = new_authority();
	struct err err = {0};
	const struct span name = SPAN("a.example");
	struct leaf_facts f = {.purpose = LEAF_MIRROR,
		.kind = KEY_P256,
		.names = &name,
		.n_names = 1,
		.not_before = 1000000000,
		.not_after = 1100000000};
	struct cert *c = mint(a, &f);
	struct cert *root = cert_from_x509(a->root, &err);

	CHECK_INT(c->not_after, 1100000000);
	CHECK(!cert_names_eq(c->issuer, root->subject));
	cert_put(root);
	cert_put(c);
	authority_free(a);
}

static void
a_name_over_64_characters_stands_in_a_critical_san_alone(void)
{
	struct authority *a = new_authority();
	const struct span name = SPAN("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				      "aaaaaaaaaaaaaaaa.b.example");
	const struct span label63 = SPAN("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
					 "aaaaaaaaaaaaaaaaaa.b.example");
	struct leaf_facts f = {.kind = KEY_P256, .names = &label63, .n_names = 1};
	struct cert *c = mint(a, &f);
	struct err err = {0};
	struct span der = {0};

	CHECK(c->san.critical);
	CHECK_INT(c->subject.n, 2); /* an empty SEQUENCE */
	f.names = &name;
	CHECK(!leaf_mint(a, &f, a->key, &der, &err)); /* a label of 64 */
	CHECK_INT(err.code, ERR_PKI_FACTS);
	cert_put(c);
	authority_free(a);
}

static void
names_that_are_none_are_refused(void)
{
	static const char *const bad[] = {"", ".", "a..b", "a.example.", "-a.example",
		"a-.example", "a b.example", "a,DNS:b.example", "A.example", "*", "*.",
		"a.*.example", "a*.example", "10.0.0.1", "a.example\n",
		"\xc3\xa4.example"};
	struct authority *a = new_authority();

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct err err = {0};
		struct span der = {0};
		struct span name = span_str(bad[i]);
		struct leaf_facts f = {.kind = KEY_P256, .names = &name, .n_names = 1};
		CHECK(!leaf_mint(a, &f, a->key, &der, &err));
		CHECK_INT(err.code, ERR_PKI_FACTS);
	}
	authority_free(a);
}

static void
facts_survive_the_wire_and_every_truncation_is_refused(void)
{
	const struct span names[] = {SPAN("a.example"), SPAN("b.example")};
	struct ip ip = ip_v4(0x7f000001);
	struct leaf_facts f = {.purpose = LEAF_PAGE,
		.kind = KEY_RSA2048,
		.days = 9,
		.not_before = -5,
		.not_after = 7,
		.names = names,
		.n_names = 2,
		.ips = &ip,
		.n_ips = 1};
	uint8_t wire[512];
	size_t n = 0;
	struct arena arena;
	struct leaf_facts got;
	struct err err = {0};

	arena_init(&arena, ARENA);
	CHECK(leaf_facts_write(&f, wire, sizeof wire, &n));
	CHECK_OK(leaf_facts_read((struct span){wire, n}, &arena, &got, &err), &err);
	CHECK(got.purpose == f.purpose && got.kind == f.kind && got.days == 9);
	CHECK(got.not_before == -5 && got.not_after == 7);
	CHECK(got.n_names == 2 && got.n_ips == 1);
	CHECK_SPAN(got.names[1], "b.example");
	CHECK(ip_eq(&got.ips[0], &ip));
	for (size_t i = 0; i < n; i++) {
		arena_reset(&arena);
		CHECK(!leaf_facts_read((struct span){wire, i}, &arena, &got, &err));
		CHECK_INT(err.code, ERR_PKI_FACTS);
		CHECK(!leaf_facts_write(&f, wire, i, &n));
	}
	arena_fini(&arena);
}

static void
leaf_keys_travel_from_the_vault_to_a_worker(void)
{
	struct err err = {0};
	struct leafkeys made = {0};
	struct leafkeys got = {0};
	uint8_t wire[LEAFKEYS_WIRE];
	size_t n = 0;

	CHECK_OK(leafkeys_make(&made, 7, &err), &err);
	CHECK_OK(leafkeys_write(&made, wire, &n, &err), &err);
	CHECK_OK(leafkeys_read((struct span){wire, n}, &got, &err), &err);
	CHECK(EVP_PKEY_eq(made.p256, got.p256) == 1);
	CHECK(EVP_PKEY_eq(made.rsa, leafkeys_get(&got, KEY_RSA2048)) == 1);
	CHECK_INT(got.number, 7);
	leafkeys_fini(&got);
	for (size_t i = 0; i < n; i += 7)
		CHECK(!leafkeys_read((struct span){wire, i}, &got, &err));
	leafkeys_fini(&made);
}

TESTS(a_leaf_says_what_the_facts_say_and_nothing_else,
	an_issuer_key_identifier_is_the_nodes,
	a_lifetime_is_thirty_days_and_never_over_199, dates_never_leave_the_issuers,
	a_mirror_keeps_wrong_dates_under_a_ca_nobody_trusts,
	a_name_over_64_characters_stands_in_a_critical_san_alone,
	names_that_are_none_are_refused,
	facts_survive_the_wire_and_every_truncation_is_refused,
	leaf_keys_travel_from_the_vault_to_a_worker)

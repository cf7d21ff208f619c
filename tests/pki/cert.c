// SPDX-License-Identifier: Apache-2.0
#include "pki/cert.h"
#include "base/json.h"
#include "tests/pki/forge.h"

static void
the_cache_gives_the_same_certificate_for_the_same_octets(void)
{
	struct forged a = forge(&(struct forge){.cn = "A", .ca = true});
	struct span der = forge_der(&a);
	struct err err = {0};
	struct cert *first = cert_parse(der, &err);
	struct cert *second = cert_parse(der, &err);

	CHECK(first && first == second);
	cert_cache_limit(0); /* a holder keeps what the cache lets go */
	struct cert *third = cert_parse(der, &err);
	CHECK(third && third != first);
	CHECK(span_eq(third->der, first->der));
	cert_put(first);
	cert_put(second);
	cert_put(third);
	OPENSSL_free((void *)(uintptr_t)der.p);
	forge_end();
}

static void
the_cache_stays_within_its_bound(void)
{
	struct forged some[8];
	struct err err = {0};
	struct cert *held[8];

	cert_cache_limit(16 * 1024);
	for (size_t i = 0; i < COUNT_OF(some); i++) {
		some[i] = forge(&(struct forge){.cn = "A", .ca = true});
		held[i] = cert_from_x509(some[i].x, &err);
		CHECK(held[i] != NULL);
	}
	size_t kept = 0;
	for (size_t i = 0; i < COUNT_OF(some); i++)
		kept += held[i]->is_cached;
	CHECK(kept > 0 && kept < 5);
	for (size_t i = 0; i < COUNT_OF(some); i++)
		cert_put(held[i]);
	forge_end();
}

static void
json_has_cfssls_words_and_more(void)
{
	struct forged a = forge(&(struct forge){.cn = "A \"quoted\" name", .ca = true});
	struct forged l = forge(&(struct forge){.cn = "l",
		.by = &a,
		.san = "DNS:a.example,IP:192.0.2.1",
		.eku = "serverAuth",
		.more = {"authorityInfoAccess", "OCSP;URI:http://ocsp.example/"}});
	struct err err = {0};
	struct cert *c = cert_from_x509(l.x, &err);
	struct json_out j;
	struct arena arena;
	struct json *root = NULL;

	json_init(&j, 64 * 1024);
	cert_json(c, &j, NULL);
	arena_init(&arena, 256 * 1024);
	CHECK_OK(json_parse(json_text(&j), &arena, &root, &err), &err);
	CHECK_SPAN(json_string(json_get(json_get(root, "issuer"), "common_name")),
		"A \"quoted\" name");
	CHECK_SPAN(
		json_string(json_get(json_get(root, "subject"), "common_name")), "l");
	CHECK_SPAN(json_string(json_get(root, "sans")->first->next), "192.0.2.1");
	CHECK_SPAN(json_string(json_get(root, "sigalg")), "ECDSAWithSHA256");
	CHECK_SPAN(json_string(json_get(root, "key")), "EC P-256");
	CHECK_SPAN(json_string(json_get(root, "ocsp")), "http://ocsp.example/");
	CHECK_SPAN(json_string(json_get(root, "ext_key_usage")->first), "server_auth");
	CHECK(json_string(json_get(root, "not_after")).n == 20);
	CHECK(json_string(json_get(root, "serial_number")).n > 0);
	CHECK(span_starts(json_string(json_get(root, "pem")),
		SPAN("-----BEGIN CERTIFICATE-----\nMII")));
	arena_fini(&arena);
	json_fini(&j);
	cert_put(c);
	forge_end();
}

static void
a_subject_cannot_break_a_line_of_the_log(void)
{
	struct forged a = forge(&(struct forge){.cn = "x\n\x1b[31mred\\", .ca = true});
	struct err err = {0};
	struct cert *c = cert_from_x509(a.x, &err);
	char buf[128];
	struct text t = text_to(buf, sizeof buf);

	cert_name_text(c->subject, &t);
	CHECK(span_chr(text_span(&t), '\n') == t.n &&
		span_chr(text_span(&t), 0x1b) == t.n);
	CHECK(span_starts(text_span(&t), SPAN("CN=x")));
	cert_put(c);
	forge_end();
}

static struct cert *
named(const char *cn)
{
	struct err err = {0};
	struct forged f = forge(&(struct forge){.cn = cn});
	return cert_from_x509(f.x, &err);
}

static void
names_compare_without_case_and_extra_blanks(void)
{
	static const struct {
		const char *a;
		const char *b;
		bool same;
	} rows[] = {{"Example CA", "example  ca", true},
		{"Example CA", " Example CA ", true},
		{"Example CA", "ExampleCA", false}, {"a", "b", false},
		{"a", "a a", false}, {"a b", "a", false}};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct cert *a = named(rows[i].a);
		struct cert *b = named(rows[i].b);
		CHECK(cert_names_eq(a->subject, b->subject) == rows[i].same);
		CHECK(cert_names_eq(b->subject, a->subject) == rows[i].same);
		cert_put(a);
		cert_put(b);
	}
	forge_end();
}

static void
what_openssl_says_of_the_form_we_say_too(void)
{
	struct forged a = forge(&(struct forge){
		.cn = "A", .ca = true, .kind = "rsa2048", .path_len = ",pathlen:3"});
	struct err err = {0};
	struct cert *c = cert_from_x509(a.x, &err);

	CHECK_INT(c->path_len, X509_get_pathlen(a.x));
	CHECK_INT(c->bits, EVP_PKEY_get_bits(a.key));
	CHECK_INT(c->exponent, 65537);
	CHECK(c->is_ca && c->basic.critical && c->usage.critical);
	CHECK_INT(c->key_usage,
		X509_get_key_usage(a.x) == (KU_KEY_CERT_SIGN | KU_CRL_SIGN)
			? (CERT_KEY_CERT_SIGN | CERT_CRL_SIGN)
			: 0);
	CHECK(X509_cmp(cert_x509(c, &err), a.x) == 0);
	CHECK_INT(EVP_PKEY_eq(cert_key(c, &err), a.key), 1);
	const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(a.x);
	CHECK(span_eq(c->ski_key,
		span_of(ASN1_STRING_get0_data(ski), (size_t)ASN1_STRING_length(ski))));
	CHECK(span_eq(c->aki_key, c->ski_key));
	cert_put(c);
	forge_end();
}

TESTS(the_cache_gives_the_same_certificate_for_the_same_octets,
	the_cache_stays_within_its_bound, json_has_cfssls_words_and_more,
	a_subject_cannot_break_a_line_of_the_log,
	names_compare_without_case_and_extra_blanks,
	what_openssl_says_of_the_form_we_say_too)

// SPDX-License-Identifier: Apache-2.0
#include "pki/client_cert.h"

#include "base/mem.h"
#include "base/text.h"
#include "pki/key.h"
#include "pki/ossl.h"
#include "tests/test.h"

/* A certificate as the published examples have it: several attributes, an odd serial.
 */
static struct chain
made_chain(size_t padding)
{
	struct err err = {0};
	struct chain chain;
	AUTO(EVP_PKEY) *key = key_new(KEY_P256, &err);
	AUTO(X509) *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	static const struct {
		const char *type;
		const char *value;
	} parts[] = {{"C", "US"}, {"O", "Access, Testing"}, {"CN", "james"}};

	CHECK_OK(key != NULL, &err);
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		CHECK(X509_NAME_add_entry_by_txt(name, parts[i].type, MBSTRING_ASC,
			      (const unsigned char *)parts[i].value, -1, -1, 0) == 1);
	CHECK(X509_set_issuer_name(x, name) == 1);
	CHECK(X509_set_version(x, 2) == 1 && X509_set_pubkey(x, key) == 1);
	CHECK(ASN1_INTEGER_set(X509_get_serialNumber(x), 0xabc) == 1);
	CHECK(ASN1_TIME_set_string(X509_getm_notBefore(x), "20220321133500Z") == 1);
	CHECK(ASN1_TIME_set_string(X509_getm_notAfter(x), "20320301133500Z") == 1);
	if (padding > 0) {
		AUTO(ASN1_OCTET_STRING) *value = ASN1_OCTET_STRING_new();
		uint8_t *zeros = mem_alloc(padding);
		CHECK(ASN1_OCTET_STRING_set(value, zeros, (int)padding) == 1);
		AUTO(X509_EXTENSION) *ext = X509_EXTENSION_create_by_NID(
			NULL, NID_netscape_comment, 0, value);
		CHECK(X509_add_ext(x, ext, -1) == 1);
		mem_free(zeros);
	}
	CHECK(X509_sign(x, key, EVP_sha256()) > 0);
	chain_init(&chain);
	CHECK_OK(chain_from_x509(&chain, x, NULL, &err), &err);
	return chain;
}

static void
names_and_numbers_have_the_published_forms(void)
{
	struct chain chain = made_chain(0);
	struct client_cert c;
	struct arena a;
	struct err err = {0};

	arena_init(&a, CLIENT_CERT_ROOM);
	CHECK_OK(client_cert_describe(&c, &chain, NULL, &a, &err), &err);
	CHECK(c.presented && !c.verified && !c.revoked);
	CHECK_SPAN(c.text[CLIENT_CERT_SUBJECT], "CN=james,O=Access\\, Testing,C=US");
	CHECK_SPAN(
		c.text[CLIENT_CERT_ISSUER_LEGACY], "/C=US/O=Access, Testing/CN=james");
	CHECK_SPAN(c.text[CLIENT_CERT_SERIAL], "0ABC");
	CHECK_SPAN(c.text[CLIENT_CERT_NOT_BEFORE], "Mar 21 13:35:00 2022 GMT");
	CHECK_SPAN(c.text[CLIENT_CERT_NOT_AFTER], "Mar  1 13:35:00 2032 GMT");
	CHECK_INT(c.text[CLIENT_CERT_SHA256].n, 64);
	CHECK_INT(c.text[CLIENT_CERT_SHA1].n, 40);
	chain_fini(&chain);
	arena_fini(&a);
}

static void
the_header_form_is_the_certificate_itself(void)
{
	struct chain chain = made_chain(0);
	struct client_cert c;
	struct arena a;
	struct err err = {0};
	uint8_t der[4096];
	size_t n = 0;

	CHECK_OK(chain_add(&chain, chain.der[0], &err), &err);
	arena_init(&a, CLIENT_CERT_ROOM);
	CHECK_OK(client_cert_describe(&c, &chain, NULL, &a, &err), &err);
	struct span s = c.text[CLIENT_CERT_RFC9440];
	CHECK(s.p[0] == ':' && s.p[s.n - 1] == ':');
	CHECK(text_unbase64(span_slice(s, 1, s.n - 1), der, sizeof(der), &n));
	CHECK(span_eq(span_of(der, n), chain.der[0]));
	CHECK(span_eq(c.text[CLIENT_CERT_CHAIN_RFC9440], s)); /* one more, the same */
	chain_fini(&chain);
	arena_fini(&a);
}

static void
a_certificate_too_large_for_a_field_is_left_out(void)
{
	struct chain chain = made_chain(9000);
	struct client_cert c;
	struct arena a;
	struct err err = {0};

	arena_init(&a, CLIENT_CERT_ROOM);
	CHECK_OK(client_cert_describe(&c, &chain, NULL, &a, &err), &err);
	CHECK(c.rfc9440_too_large && c.text[CLIENT_CERT_RFC9440].n == 0);
	CHECK(!c.chain_too_large);
	CHECK_OK(chain_add(&chain, chain.der[0], &err), &err);
	CHECK_OK(chain_add(&chain, chain.der[0], &err), &err);
	CHECK_OK(client_cert_describe(&c, &chain, NULL, &a, &err), &err);
	CHECK(c.chain_too_large && c.text[CLIENT_CERT_CHAIN_RFC9440].n == 0);
	chain_fini(&chain);
	arena_fini(&a);
}

static void
nothing_presented_is_nothing_said(void)
{
	struct chain chain = {0};
	struct client_cert c = {.presented = true};
	struct arena a;
	struct err err = {0};

	arena_init(&a, CLIENT_CERT_ROOM);
	CHECK_OK(client_cert_describe(&c, &chain, NULL, &a, &err), &err);
	CHECK(!c.presented && !c.verified && c.text[CLIENT_CERT_SUBJECT].n == 0);
	arena_fini(&a);
}

static void
verified_stays_true_when_revoked(void)
{
	struct client_cert c = {.presented = true};
	const uint32_t revoked = 1u << VERDICT_REVOKED;

	client_cert_judge(&c, &(struct verdict){.class = VERDICT_GOOD});
	CHECK(c.verified && !c.revoked);
	client_cert_judge(
		&c, &(struct verdict){.class = VERDICT_REVOKED, .faults = revoked});
	CHECK(c.verified && c.revoked);
	client_cert_judge(&c,
		&(struct verdict){.class = VERDICT_EXPIRED,
			.faults = revoked | 1u << VERDICT_EXPIRED});
	CHECK(!c.verified && c.revoked);
	client_cert_judge(&c, &(struct verdict){.class = VERDICT_UNKNOWN_ISSUER});
	CHECK(!c.verified && !c.revoked);
}

TESTS(names_and_numbers_have_the_published_forms,
	the_header_form_is_the_certificate_itself,
	a_certificate_too_large_for_a_field_is_left_out,
	nothing_presented_is_nothing_said, verified_stays_true_when_revoked)

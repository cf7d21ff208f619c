// SPDX-License-Identifier: Apache-2.0
#include "pki/chain.h"
#include "tests/pki/forge.h"

static void
text_of_several_certificates_is_read_in_order(void)
{
	struct forged a = forge(&(struct forge){.cn = "A", .ca = true});
	struct forged b = forge(&(struct forge){.cn = "B", .by = &a});
	struct chain made = {0};
	struct chain got = {0};
	struct err err = {0};
	static char pem[8192];
	struct text t = text_to(pem, sizeof pem);

	forge_add(&made, &b);
	forge_add(&made, &a);
	for (size_t i = 0; i < made.n; i++) {
		struct cert *c = cert_parse(made.der[i], &err);
		text_add(&t, "some text between\n");
		cert_pem(c, &t);
		cert_put(c);
	}
	CHECK_OK(chain_add_text(&got, text_span(&t), &err), &err);
	CHECK_INT(got.n, 2);
	CHECK(span_eq(got.der[0], made.der[0]) && span_eq(got.der[1], made.der[1]));
	chain_fini(&got);
	CHECK_OK(chain_add_text(&got, made.der[0], &err), &err); /* DER too */
	CHECK_INT(got.n, 1);
	chain_fini(&got);
	CHECK(!chain_add_text(&got, SPAN("nothing here"), &err));
	CHECK_INT(err.code, ERR_PKI_CHAIN);
	CHECK_INT(got.n, 0);
	chain_fini(&made);
	forge_end();
}

static void
the_wire_form_survives_and_every_truncation_is_refused(void)
{
	struct forged a = forge(&(struct forge){.cn = "A", .ca = true});
	struct chain made = {0};
	struct err err = {0};
	uint8_t wire[4096];
	size_t n = 0;

	forge_add(&made, &a);
	forge_add(&made, &a);
	CHECK(chain_write(&made, wire, sizeof wire, &n));
	CHECK_INT(n, chain_wire_size(&made));
	CHECK(!chain_write(&made, wire, n - 1, &n));
	for (size_t i = 1; i <= n; i++) {
		struct chain got = {0};
		bool whole = i == n || i == n / 2; /* one of two is a list as well */
		CHECK(chain_read(&got, (struct span){wire, i}, &err) == whole);
		CHECK(whole || got.n == 0);
		chain_fini(&got);
	}
	chain_fini(&made);
	forge_end();
}

static void
a_list_of_openssl_goes_and_comes_back(void)
{
	struct forged a = forge(&(struct forge){.cn = "A", .ca = true});
	struct forged b = forge(&(struct forge){.cn = "B", .by = &a});
	struct chain made = {0};
	struct chain back = {0};
	struct err err = {0};

	forge_add(&made, &b);
	forge_add(&made, &a);
	AUTO_CERTS *rest = chain_to_x509(&made, 1, &err);
	CHECK(rest && sk_X509_num(rest) == 1);
	CHECK_OK(chain_from_x509(&back, b.x, rest, &err), &err);
	CHECK(back.n == 2 && span_eq(back.der[1], made.der[1]));
	chain_fini(&back);
	chain_fini(&made);
	CHECK(chain_add(&made, SPAN("noise"), &err));
	CHECK(chain_to_x509(&made, 0, &err) == NULL);
	chain_fini(&made);
	forge_end();
}

static void
bounds_hold_before_anything_is_copied(void)
{
	struct chain c = {0};
	struct err err = {0};
	static uint8_t big[CHAIN_BYTES];

	CHECK(chain_add(&c, (struct span){big, CHAIN_BYTES - 1}, &err));
	CHECK(!chain_add(&c, (struct span){big, 2}, &err));
	CHECK(chain_add(&c, (struct span){big, 1}, &err));
	CHECK_INT(c.n, 2);
	chain_fini(&c);
	CHECK_INT(c.bytes, 0);
}

/* A certs-only message of two certificates, as OpenSSL writes it. */
static struct span
make_message(const struct forged *a, const struct forged *b)
{
	uint8_t *der = NULL;
	PKCS7 *p7 = PKCS7_new();
	CHECK(PKCS7_set_type(p7, NID_pkcs7_signed) == 1);
	CHECK(PKCS7_content_new(p7, NID_pkcs7_data) == 1);
	CHECK(PKCS7_add_certificate(p7, a->x) == 1);
	CHECK(PKCS7_add_certificate(p7, b->x) == 1);
	int n = i2d_PKCS7(p7, &der);
	CHECK(n > 0);
	PKCS7_free(p7);
	return span_of(der, (size_t)n);
}

static void
issuers_come_as_der_as_pem_and_as_a_message(void)
{
	struct forged a = forge(&(struct forge){.cn = "A", .ca = true});
	struct forged b = forge(&(struct forge){.cn = "B", .ca = true});
	struct chain c = {0};
	struct err err = {0};
	struct span der = forge_der(&a);
	struct span message = make_message(&a, &b);

	CHECK_OK(chain_add_issuers(&c, der, &err), &err);
	CHECK_INT(c.n, 1);
	chain_fini(&c);
	CHECK_OK(chain_add_issuers(&c, message, &err), &err);
	CHECK(c.n == 2 && (span_eq(c.der[0], der) || span_eq(c.der[1], der)));
	chain_fini(&c);
	CHECK(!chain_add_issuers(&c, (struct span){0}, &err) && c.n == 0);
	CHECK(!chain_add_issuers(&c, SPAN("<html>not here</html>"), &err));
	for (size_t n = 1; n < message.n; n++) {
		/* What is cut is refused, or is seen as one odd certificate. */
		if (chain_add_issuers(&c, span_first(message, n), &err))
			CHECK_INT(c.n, 1);
		chain_fini(&c);
	}
	OPENSSL_free((void *)(uintptr_t)der.p);
	OPENSSL_free((void *)(uintptr_t)message.p);
	forge_end();
}

TESTS(issuers_come_as_der_as_pem_and_as_a_message,
	text_of_several_certificates_is_read_in_order,
	the_wire_form_survives_and_every_truncation_is_refused,
	a_list_of_openssl_goes_and_comes_back, bounds_hold_before_anything_is_copied)

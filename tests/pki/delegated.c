// SPDX-License-Identifier: Apache-2.0
#include "pki/delegated.h"

#include "base/mem.h"
#include "base/read.h"
#include "base/text.h"
#include "pki/signer.h"
#include "tests/test.h"

enum { NOW = 1800000000, DAY = 86400 };

static void
add_extension(X509 *x, const char *name, const char *value)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(name, 1);
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	size_t n = 0;
	uint8_t bytes[16];

	CHECK(text_unhex(span_str(value), bytes, sizeof(bytes), &n));
	CHECK(ASN1_OCTET_STRING_set(octets, bytes, (int)n) == 1);
	X509_EXTENSION *e = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, octets);
	CHECK(X509_add_ext(x, e, -1) == 1);
	X509_EXTENSION_free(e);
	ASN1_OCTET_STRING_free(octets);
	ASN1_OBJECT_free(oid);
}

/* A certificate of this key, with the extension and a keyUsage, in hex; or without. */
static struct cert *
make(EVP_PKEY *key, bool delegates, const char *usage)
{
	struct err err = {0};
	AUTO(X509) *x = X509_new();

	CHECK(X509_set_version(x, 2) == 1);
	CHECK(ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1);
	CHECK(ASN1_TIME_set(X509_getm_notBefore(x), NOW - DAY) != NULL);
	CHECK(ASN1_TIME_set(X509_getm_notAfter(x), NOW + 30 * DAY) != NULL);
	CHECK(X509_set_pubkey(x, key) == 1);
	if (delegates)
		add_extension(x, "1.3.6.1.4.1.44363.44", "0500");
	add_extension(x, "2.5.29.15", usage);
	bool ed = EVP_PKEY_is_a(key, "ED25519");
	CHECK(X509_sign(x, key, ed ? NULL : EVP_sha256()) > 0);
	struct cert *c = cert_from_x509(x, &err);
	CHECK_OK(c != NULL, &err);
	return c;
}

#define SIGNS    "03020780"
#define ENCRYPTS "03020520"

/* What stands in RFC 9345 §4, read back octet by octet. */
static void
check_form(struct cert *c, const EVP_PKEY *key, const struct delegated *d)
{
	struct err err = {0};
	struct span spki = {0};
	struct read r = read_from(d->tbs);

	CHECK_OK(key_spki(key, &spki, &err), &err);
	for (int i = 0; i < 64; i++)
		CHECK_INT(read_be(&r, 1), ' ');
	CHECK(span_eq(read_bytes(&r, 34), SPAN("TLS, server delegated credentials\0")));
	CHECK(span_eq(read_bytes(&r, c->der.n), c->der));
	CHECK_INT(read_be(&r, 4), DAY + 3600); /* from notBefore on */
	CHECK_INT(read_be(&r, 2), 0x0403);
	struct read vec = read_vec(&r, 3);
	CHECK(span_eq(vec.left, spki));
	CHECK_INT(read_be(&r, 2), d->algorithm);
	CHECK(read_done(&r));
	mem_free((void *)(uintptr_t)spki.p);
}

static void
play(enum key_kind kind, uint16_t algorithm, enum key_hash hash)
{
	struct err err = {0};
	struct delegated d = {0};
	struct span whole = {0};
	AUTO(EVP_PKEY) *of_cert = key_new(kind, &err);
	AUTO(EVP_PKEY) *key = key_new(KEY_P256, &err);
	struct cert *c = make(of_cert, true, SIGNS);
	const struct delegated_wish wish = {
		.cert = c, .key = key, .now = NOW, .valid_s = 3600};

	CHECK_OK(delegated_begin(&wish, &d, &err), &err);
	CHECK_INT(d.algorithm, algorithm);
	CHECK_INT(d.hash, hash);
	check_form(c, key, &d);
	CHECK_OK(delegated_finish(&d, SPAN("signature"), &whole, &err), &err);
	struct read r = read_from(whole);
	CHECK(span_eq(read_bytes(&r, d.cred.n), d.cred));
	CHECK_INT(read_be(&r, 2), algorithm);
	struct read sig = read_vec(&r, 2);
	CHECK(span_eq(sig.left, SPAN("signature")));
	CHECK(read_done(&r));
	CHECK(!delegated_finish(&d, (struct span){0}, &whole, &err));
	mem_free((void *)(uintptr_t)whole.p);
	delegated_fini(&d);
	cert_put(c);
}

static void
it_is_built_as_the_rfc_has_it(void)
{
	play(KEY_P256, 0x0403, KEY_SHA256);
	play(KEY_P384, 0x0503, KEY_SHA384);
	play(KEY_RSA2048, 0x0804, KEY_SHA256);
	play(KEY_ED25519, 0x0807, KEY_HASH_NONE);
}

static void
refused(struct cert *c, EVP_PKEY *key, int64_t now, uint32_t valid_s)
{
	struct err err = {0};
	struct delegated d = {0};
	const struct delegated_wish wish = {
		.cert = c, .key = key, .now = now, .valid_s = valid_s};

	CHECK(!delegated_begin(&wish, &d, &err));
	CHECK_INT(err.code, ERR_PKI_DELEGATED);
	CHECK(!d.tbs.p);
	cert_put(c);
}

static void
what_the_certificate_does_not_allow_is_refused(void)
{
	struct err err = {0};
	AUTO(EVP_PKEY) *key = key_new(KEY_P256, &err);
	AUTO(EVP_PKEY) *rsa = key_new(KEY_RSA2048, &err);

	refused(make(key, false, SIGNS), key, NOW, 3600);
	refused(make(key, true, ENCRYPTS), key, NOW, 3600);
	refused(make(key, true, SIGNS), key, NOW, DELEGATED_MOST_S + 1);
	refused(make(key, true, SIGNS), key, NOW, 0);
	refused(make(key, true, SIGNS), key, NOW + 29 * DAY, 2 * DAY);
	refused(make(key, true, SIGNS), key, NOW - 2 * DAY, 3600);
	refused(make(key, true, SIGNS), rsa, NOW, 3600);
}

TESTS(it_is_built_as_the_rfc_has_it, what_the_certificate_does_not_allow_is_refused)

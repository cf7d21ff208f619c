// SPDX-License-Identifier: Apache-2.0
#include <openssl/ui.h>
#include <string.h>

#include "base/mem.h"
#include "pki/client_ca.h"
#include "tests/test.h"

/* A request with these names, DER; the caller frees. */
static struct span
make_request(enum key_kind kind, const char *sans, const EVP_MD *md)
{
	struct err err = {0};
	AUTO(EVP_PKEY) *key = key_new(kind, &err);
	AUTO(X509_REQ) *req = X509_REQ_new();
	AUTO(X509_NAME) *name = X509_NAME_new();
	AUTO_OCTETS *p = NULL;

	CHECK(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
		      (const unsigned char *)"device, 7", -1, -1, 0) == 1);
	CHECK(X509_REQ_set_subject_name(req, name) == 1);
	CHECK(X509_REQ_set_pubkey(req, key) == 1);
	if (sans) {
		STACK_OF(X509_EXTENSION) *exts = sk_X509_EXTENSION_new_null();
		CHECK(sk_X509_EXTENSION_push(exts,
			      X509V3_EXT_conf_nid(
				      NULL, NULL, NID_subject_alt_name, sans)) > 0);
		CHECK(X509_REQ_add_extensions(req, exts) == 1);
		sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	}
	CHECK(X509_REQ_sign(req, key, md) > 0);
	int n = i2d_X509_REQ(req, &p);
	return (struct span){
		(const uint8_t *)mem_cstr(span_of(p, (size_t)n)), (size_t)n};
}

static bool
reads(struct span der, enum err_code *code)
{
	static struct client_csr csr;
	struct err err = {0};
	bool ok = client_csr_read(der, &csr, &err);

	*code = err.code;
	CHECK(ok == (csr.key != NULL));
	client_csr_fini(&csr);
	return ok;
}

static void
a_request_says_its_key_and_names(void)
{
	struct span der = make_request(KEY_P256,
		"email:d7@ex.example,DNS:d7.ex.example,URI:urn:d:7,IP:192.0.2.7",
		EVP_sha256());
	static struct client_csr csr;
	struct err err = {0};

	CHECK_OK(client_csr_read(der, &csr, &err), &err);
	CHECK_STR(csr.subject, "CN=device\\, 7");
	CHECK_INT(csr.n_sans, 4);
	CHECK_STR(csr.sans[0], "email:d7@ex.example");
	CHECK_STR(csr.sans[3], "ip:192.0.2.7");
	CHECK_INT(key_kind_of(csr.key), KEY_P256);
	client_csr_fini(&csr);
	mem_free((void *)(uintptr_t)der.p);
}

static void
every_kind_of_key_we_issue_for_is_taken_and_no_other(void)
{
	static const enum key_kind kinds[] = {
		KEY_P256, KEY_P384, KEY_RSA2048, KEY_ED25519};
	enum err_code code;

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		struct span der = make_request(
			kinds[i], NULL, kinds[i] == KEY_ED25519 ? NULL : EVP_sha256());
		CHECK(reads(der, &code));
		mem_free((void *)(uintptr_t)der.p);
	}
	AUTO(EVP_PKEY) *small = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	AUTO(EVP_PKEY) *p521 = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521");
	EVP_PKEY *bad[] = {small, p521};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct span pem = {0};
		struct err err = {0};
		CHECK_OK(client_csr_make(bad[i], SPAN("CN=a"), &pem, &err), &err);
		CHECK(!reads(pem, &code) && code == ERR_PKI_CSR);
		mem_free((void *)(uintptr_t)pem.p);
	}
}

static void
a_weak_signature_is_refused(void)
{
	struct span der = make_request(KEY_RSA2048, NULL, EVP_sha1());
	enum err_code code;

	CHECK(!reads(der, &code) && code == ERR_PKI_CSR);
	mem_free((void *)(uintptr_t)der.p);
}

static void
who_does_not_hold_the_key_gets_nothing(void)
{
	struct span der = make_request(KEY_P256, NULL, EVP_sha256());
	uint8_t *copy = mem_alloc(der.n);
	size_t at = span_find(der, SPAN("device"));
	enum err_code code;

	memcpy(copy, der.p, der.n);
	copy[at] = 'D'; /* another name under the same signature */
	CHECK(!reads(span_of(copy, der.n), &code) && code == ERR_PKI_CSR);
	memcpy(copy, der.p, der.n);
	copy[der.n - 1] ^= 1;
	CHECK(!reads(span_of(copy, der.n), &code) && code == ERR_PKI_CSR);
	mem_free(copy);
	mem_free((void *)(uintptr_t)der.p);
}

static void
names_we_do_not_certify_are_refused_not_dropped(void)
{
	static const char *const bad[] = {"RID:1.2.3", "otherName:1.2.3;UTF8:x",
		"email:no at sign", "DNS:a b", "URI:nocolon"};
	enum err_code code;

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct span der = make_request(KEY_P256, bad[i], EVP_sha256());
		CHECK(!reads(der, &code) && code == ERR_PKI_CSR);
		mem_free((void *)(uintptr_t)der.p);
	}
}

static void
every_truncation_and_every_addition_is_refused(void)
{
	struct span der = make_request(KEY_P256, "email:a@ex.example", EVP_sha256());
	uint8_t *longer = mem_alloc(der.n + 1);
	enum err_code code;

	for (size_t n = 0; n < der.n; n++)
		CHECK(!reads(span_first(der, n), &code) && code == ERR_PKI_CSR);
	memcpy(longer, der.p, der.n);
	CHECK(!reads(span_of(longer, der.n + 1), &code) && code == ERR_PKI_CSR);
	mem_free(longer);
	mem_free((void *)(uintptr_t)der.p);
}

static void
one_flipped_bit_anywhere_is_refused(void)
{
	struct span der = make_request(KEY_P256, "email:a@ex.example", EVP_sha256());
	uint8_t *copy = mem_alloc(der.n);
	enum err_code code;

	memcpy(copy, der.p, der.n);
	for (size_t i = 0; i < der.n; i++) {
		copy[i] ^= 0x10;
		CHECK(!reads(span_of(copy, der.n), &code));
		copy[i] ^= 0x10;
	}
	mem_free(copy);
	mem_free((void *)(uintptr_t)der.p);
}

static void
pem_is_read_and_what_is_too_long_is_not(void)
{
	struct err err = {0};
	struct span pem = {0};
	AUTO(EVP_PKEY) *key = key_new(KEY_P256, &err);
	size_t n = (size_t)2 * CLIENT_CSR_MAX + 1;
	uint8_t *big = mem_alloc(n);
	enum err_code code;

	CHECK_OK(client_csr_make(key, SPAN("CN=a,O=b"), &pem, &err), &err);
	CHECK(reads(pem, &code));
	memset(big, '0', n);
	CHECK(!reads(span_of(big, n), &code) && code == ERR_PKI_CSR);
	CHECK(!reads(SPAN("-----BEGIN CERTIFICATE REQUEST-----\n"), &code));
	mem_free(big);
	mem_free((void *)(uintptr_t)pem.p);
}

static unsigned asked; /* by OpenSSL, at the terminal */

static int
note_asked(UI *ui)
{
	(void)ui;
	asked++;
	return 0;
}

/* Whoever may post a request could else stop who reads it, and have the operator type a
 * passphrase. */
static void
a_request_that_says_it_is_encrypted_has_nobody_asked_for_a_passphrase(void)
{
	UI_METHOD *terminal = UI_create_method("test");
	enum err_code code = ERR_NONE;

	asked = 0;
	CHECK(UI_method_set_opener(terminal, note_asked) == 0);
	UI_set_default_method(terminal);
	CHECK(!reads(SPAN("-----BEGIN CERTIFICATE REQUEST-----\n"
			  "Proc-Type: 4,ENCRYPTED\n"
			  "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
			  "AAAAAAAAAAAAAAAAAAAAAA==\n"
			  "-----END CERTIFICATE REQUEST-----\n"),
		&code));
	CHECK_INT(code, ERR_PKI_CSR);
	CHECK_INT(asked, 0);
	UI_set_default_method(UI_OpenSSL());
	UI_destroy_method(terminal);
}

TESTS(a_request_says_its_key_and_names,
	every_kind_of_key_we_issue_for_is_taken_and_no_other,
	a_weak_signature_is_refused, who_does_not_hold_the_key_gets_nothing,
	names_we_do_not_certify_are_refused_not_dropped,
	every_truncation_and_every_addition_is_refused,
	one_flipped_bit_anywhere_is_refused, pem_is_read_and_what_is_too_long_is_not,
	a_request_that_says_it_is_encrypted_has_nobody_asked_for_a_passphrase)

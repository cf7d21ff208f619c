// SPDX-License-Identifier: Apache-2.0
/*
 * client_export: a client's certificate and key in the forms its programs take.
 */
#include <openssl/pem.h>
#include <openssl/sha.h>

#include "base/mem.h"
#include "base/text.h"
#include "pki/apple_priv.h"
#include "pki/authority_priv.h"
#include "pki/client_ca.h"

enum { MODERN_ROUNDS = 100000, LEGACY_ROUNDS = 2048, PASSPHRASE_MAX = 1024 };

static const struct {
	const char *name;
	const char *suffix;
} forms[] = {
	[CLIENT_PEM] = {"pem", ".crt"},
	[CLIENT_DER] = {"der", ".cer"},
	[CLIENT_PKCS12] = {"pkcs12", ".p12"},
	[CLIENT_PKCS12_LEGACY] = {"pkcs12-legacy", ".p12"},
	[CLIENT_APPLE] = {"apple", ".mobileconfig"},
};

const char *
client_form_name(enum client_form form)
{
	return forms[form].name;
}

const char *
client_form_suffix(enum client_form form)
{
	return forms[form].suffix;
}

enum client_form
client_form_find(struct span name)
{
	for (size_t i = 0; i < CLIENT_FORMS; i++) {
		if (span_eq(name, span_str(forms[i].name)))
			return (enum client_form)i;
	}
	return CLIENT_FORMS;
}

static X509 *
read_cert(struct span der, struct err *err)
{
	const unsigned char *p = der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.n);

	if (!x)
		ossl_err(err, ERR_PKI_CLIENT, "the certificate");
	return x;
}

/* What old keychains open: PBE-SHA1-3DES for both, HMAC-SHA-1. 3DES and not RC2: the
 * default provider has it. */
static PKCS12 *
new_pkcs12(const struct client_ca *ca, const struct client_bundle *from, X509 *x,
	bool legacy, const char *pass)
{
	int method = legacy ? NID_pbe_WithSHA1And3_Key_TripleDES_CBC : NID_aes_256_cbc;
	int rounds = legacy ? LEGACY_ROUNDS : MODERN_ROUNDS;
	AUTO_CERTS *others = sk_X509_new_null();

	if (!others || X509_up_ref(ca->crt) != 1)
		return NULL;
	if (!sk_X509_push(others, ca->crt)) {
		X509_free(ca->crt);
		return NULL;
	}
	/* mac_iter −1: no MAC yet, its digest is chosen below. */
	AUTO(PKCS12) *p12 = PKCS12_create(
		pass, from->name, from->key, x, others, method, method, rounds, -1, 0);
	if (!p12 ||
		PKCS12_set_mac(p12, pass, -1, NULL, 0, rounds,
			legacy ? EVP_sha1() : EVP_sha256()) != 1)
		return NULL;
	return KEEP(p12);
}

static bool
write_pkcs12(const struct client_ca *ca, bool legacy, const struct client_bundle *from,
	struct span *out, struct err *err)
{
	char pass[PASSPHRASE_MAX + 1];
	AUTO(X509) *x = read_cert(from->der, err);
	AUTO_OCTETS *p = NULL;

	if (!x)
		return false;
	if (!from->key || X509_check_private_key(x, from->key) != 1) {
		return ossl_err(
			err, ERR_PKI_CLIENT, "the key is not the certificate's");
	}
	if (from->passphrase.n == 0 || !text_is_utf8(from->passphrase) ||
		!span_copy(pass, sizeof(pass), from->passphrase)) {
		return err_set(err, ERR_PKI_PASSPHRASE,
			"PKCS#12 needs a passphrase, 1 to %d octets of UTF-8",
			PASSPHRASE_MAX);
	}
	AUTO(PKCS12) *p12 = new_pkcs12(ca, from, x, legacy, pass);
	secret_wipe(pass, sizeof(pass));
	int n = p12 ? i2d_PKCS12(p12, &p) : -1;
	if (n <= 0)
		return ossl_err(err, ERR_PKI_CLIENT, "making PKCS#12");
	*out = (struct span){
		(const uint8_t *)mem_cstr(span_of(p, (size_t)n)), (size_t)n};
	secret_wipe(p, (size_t)n);
	return true;
}

/* Apple's importer knows the legacy form in every version. The passphrase is not in the
 * profile: the phone asks for it. */
static bool
write_apple(const struct client_ca *ca, const struct client_bundle *from,
	struct span *out, struct err *err)
{
	struct span p12 = {0};
	AUTO_OCTETS *root = NULL;

	if (!write_pkcs12(ca, true, from, &p12, err))
		return false;
	int n = i2d_X509(ca->crt, &root);
	struct apple_identity who = {.name = from->name, .pkcs12 = p12};
	SHA256(from->der.p, from->der.n, who.hash);
	bool ok = n > 0;
	if (ok) {
		who.root = span_of(root, (size_t)n);
		ok = apple_write_identity(&who, out, err);
	}
	secret_wipe((void *)(uintptr_t)p12.p, p12.n);
	mem_free((void *)(uintptr_t)p12.p);
	return ok;
}

static bool
write_pem(const struct client_bundle *from, struct span *out, struct err *err)
{
	AUTO(X509) *x = read_cert(from->der, err);

	return x && authority_pem(x, out, err);
}

bool
client_export(const struct client_ca *ca, enum client_form form,
	const struct client_bundle *from, struct span *out, struct err *err)
{
	switch (form) {
	case CLIENT_PEM:
		return write_pem(from, out, err);
	case CLIENT_DER:
		*out = (struct span){(const uint8_t *)mem_cstr(from->der), from->der.n};
		return true;
	case CLIENT_PKCS12:
	case CLIENT_PKCS12_LEGACY:
		return write_pkcs12(ca, form == CLIENT_PKCS12_LEGACY, from, out, err);
	case CLIENT_APPLE:
		return write_apple(ca, from, out, err);
	case CLIENT_FORMS:
		break;
	}
	return err_set(err, ERR_PKI_CLIENT, "no such form");
}

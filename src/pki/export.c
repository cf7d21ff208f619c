// SPDX-License-Identifier: Apache-2.0
#include "pki/export.h"

#include <openssl/sha.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/apple_priv.h"
#include "pki/authority_priv.h"

enum { ROOM = 64 * 1024, ID_TEXT = 65 };

static const struct {
	const char *name;
	const char *suffix;
	const char *type;
} forms[] = {
	[EXPORT_PEM] = {"pem", ".pem", "application/x-pem-file"},
	[EXPORT_DER] = {"der", ".crt", "application/x-x509-ca-cert"},
	[EXPORT_PKCS12] = {"pkcs12", ".p12", "application/x-pkcs12"},
	[EXPORT_APPLE] = {"apple", ".mobileconfig", "application/x-apple-aspen-config"},
	[EXPORT_WINDOWS] = {"windows", ".ps1", "text/plain; charset=utf-8"},
	[EXPORT_CHROME] = {"chrome", ".json", "application/json"},
	[EXPORT_FIREFOX] = {"firefox", ".json", "application/json"},
};

const char *
export_name(enum export_form form)
{
	return forms[form].name;
}

const char *
export_suffix(enum export_form form)
{
	return forms[form].suffix;
}

const char *
export_type(enum export_form form)
{
	return forms[form].type;
}

enum export_form
export_find(struct span name)
{
	for (size_t i = 0; i < EXPORT_FORMS; i++) {
		if (span_eq(name, span_str(forms[i].name)))
			return (enum export_form)i;
	}
	return EXPORT_FORMS;
}

/* What the text forms are made of. */
struct parts {
	struct span der; /* owned */
	char name[256];
	char sha256[ID_TEXT];
	uint8_t hash[SHA256_DIGEST_LENGTH];
};

static bool
collect(const struct authority *a, struct parts *p, struct err *err)
{
	if (!authority_root_der(a, &p->der, err))
		return false;
	SHA256(p->der.p, p->der.n, p->hash);
	struct text id = text_to(p->sha256, sizeof p->sha256);
	text_put_hex(&id, span_of(p->hash, sizeof p->hash), false);
	if (X509_NAME_get_text_by_NID(X509_get_subject_name(a->root), NID_commonName,
		    p->name, sizeof p->name) < 0)
		p->name[0] = 0;
	return true;
}

static void
write_windows(struct text *t, const struct parts *p)
{
	text_add(t,
		"# Start-up script (computer) of a group policy: trusts the authority "
		"with\n"
		"# SHA-256 %s.\n"
		"# To take it back: Get-ChildItem Cert:\\LocalMachine\\Root | "
		"Where-Object\n"
		"# { $_.GetCertHashString('SHA256') -eq '%s' } | Remove-Item\n"
		"$der = [Convert]::FromBase64String('",
		p->sha256, p->sha256);
	text_put_base64(t, p->der);
	text_add(t,
		"')\n"
		"$cert = "
		"[Security.Cryptography.X509Certificates.X509Certificate2]::new($der)\n"
		"$store = "
		"[Security.Cryptography.X509Certificates.X509Store]::new('Root', "
		"'LocalMachine')\n"
		"$store.Open('ReadWrite')\n"
		"$store.Add($cert)\n"
		"$store.Close()\n");
}

static void
write_chrome(struct text *t, const struct parts *p)
{
	text_add(t, "{\n  \"CACertificates\": [\n    \"");
	text_put_base64(t, p->der);
	text_add(t, "\"\n  ]\n}\n");
}

/* Firefox reads the file itself; the name is looked up in its certificates folder. */
static void
write_firefox(struct text *t)
{
	text_add(t,
		"{\n  \"policies\": {\n    \"Certificates\": {\n"
		"      \"ImportEnterpriseRoots\": true,\n"
		"      \"Install\": [\"sekisho.crt\"]\n    }\n  }\n}\n");
}

static bool
write_text(
	enum export_form form, const struct parts *p, struct span *out, struct err *err)
{
	char *buf = mem_alloc(ROOM);
	struct text t = text_to(buf, ROOM);

	switch (form) {
	case EXPORT_APPLE:
		apple_write_root(&t, p->name, p->der, p->hash);
		break;
	case EXPORT_WINDOWS:
		write_windows(&t, p);
		break;
	case EXPORT_CHROME:
		write_chrome(&t, p);
		break;
	case EXPORT_FIREFOX:
		write_firefox(&t);
		break;
	case EXPORT_PEM:
	case EXPORT_DER:
	case EXPORT_PKCS12:
	case EXPORT_FORMS:
		break;
	}
	if (t.cut) {
		mem_free(buf);
		return err_set(err, ERR_PKI_AUTHORITY, "the certificate is too large");
	}
	*out = text_span(&t);
	return true;
}

/* Java takes a certificate for a trusted one only when the bag says for which use. */
static bool
mark_for_java(PKCS12_SAFEBAG *bag)
{
	AUTO(ASN1_OBJECT) *any = OBJ_txt2obj("2.5.29.37.0", 1);

	return any &&
		PKCS12_add1_attr_by_txt(bag, "2.16.840.1.113894.746875.1.1",
			V_ASN1_OBJECT, (const unsigned char *)any, -1) == 1;
}

static PKCS12 *
new_pkcs12(const struct authority *a, const char *password)
{
	STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
	STACK_OF(PKCS7) *safes = NULL;
	PKCS12_SAFEBAG *bag = PKCS12_add_cert(&bags, a->root);
	PKCS12 *p12 = NULL;

	if (bag && PKCS12_add_friendlyname_utf8(bag, "sekisho", -1) == 1 &&
		mark_for_java(bag) &&
		PKCS12_add_safe(&safes, bags, NID_aes_256_cbc, 10000, password) == 1)
		p12 = PKCS12_add_safes(safes, 0);
	sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
	sk_PKCS7_pop_free(safes, PKCS7_free);
	return p12;
}

static bool
write_pkcs12(const struct authority *a, const char *password, struct span *out,
	struct err *err)
{
	const char *pass = password ? password : "changeit";
	AUTO(PKCS12) *p12 = new_pkcs12(a, pass);
	AUTO_OCTETS *p = NULL;

	if (!p12 || PKCS12_set_mac(p12, pass, -1, NULL, 0, 10000, EVP_sha256()) != 1)
		return ossl_err(err, ERR_PKI_AUTHORITY, "making PKCS#12");
	int n = i2d_PKCS12(p12, &p);
	if (n <= 0)
		return ossl_err(err, ERR_PKI_AUTHORITY, "encoding PKCS#12");
	*out = (struct span){
		(const uint8_t *)mem_cstr(span_of(p, (size_t)n)), (size_t)n};
	return true;
}

bool
export_root(const struct authority *a, enum export_form form, const char *password,
	struct span *out, struct err *err)
{
	struct parts parts = {0};

	if (form == EXPORT_PEM)
		return authority_root_pem(a, out, err);
	if (form == EXPORT_DER)
		return authority_root_der(a, out, err);
	if (form == EXPORT_PKCS12)
		return write_pkcs12(a, password, out, err);
	if (!collect(a, &parts, err))
		return false;
	bool ok = write_text(form, &parts, out, err);
	mem_free((void *)(uintptr_t)parts.der.p);
	return ok;
}

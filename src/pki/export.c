// SPDX-License-Identifier: Apache-2.0
#include "pki/export.h"

#include <openssl/sha.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/apple_priv.h"
#include "pki/authority_priv.h"

enum { ROOM = 256 * 1024, ID_TEXT = 65 };

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
	[EXPORT_KUBERNETES] = {"kubernetes", ".yaml", "application/yaml"},
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
	struct span der; /* the certificate's */
	char name[256];
	char sha256[ID_TEXT];
	uint8_t hash[SHA256_DIGEST_LENGTH];
};

static bool
collect(const struct cert *c, struct parts *p, struct err *err)
{
	struct text id = text_to(p->sha256, sizeof p->sha256);
	struct text name = text_to(p->name, sizeof p->name);

	if (c->der.n > CERT_MAX)
		return err_set(err, ERR_PKI_AUTHORITY, "the certificate is too large");
	p->der = c->der;
	SHA256(p->der.p, p->der.n, p->hash);
	text_put_hex(&id, span_of(p->hash, sizeof p->hash), false);
	cert_common_name(c->subject, &name);
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

/* What a pod mounts, or a trust manager hands round. */
static void
write_kubernetes(struct text *t, const struct cert *c)
{
	char *pem = mem_alloc(ROOM);
	struct text p = text_to(pem, ROOM);
	struct span line;

	cert_pem(c, &p);
	struct span rest = text_span(&p);
	text_add(t,
		"apiVersion: v1\nkind: ConfigMap\nmetadata:\n"
		"  name: organisation-ca\ndata:\n  ca.crt: |\n");
	while (span_cut(&rest, '\n', &line))
		text_add(t, "    %.*s\n", SPAN_ARG(line));
	mem_free(pem);
}

static bool
write_text(
	enum export_form form, const struct cert *c, struct span *out, struct err *err)
{
	struct parts parts = {0};
	const struct parts *p = &parts;

	if (!collect(c, &parts, err))
		return false;

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
	case EXPORT_KUBERNETES:
		write_kubernetes(&t, c);
		break;
	case EXPORT_PEM:
		cert_pem(c, &t);
		break;
	case EXPORT_DER:
		text_put(&t, c->der);
		break;
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

static bool
add_bag(STACK_OF(PKCS12_SAFEBAG) * *bags, struct cert *c, const char *name,
	struct err *err)
{
	X509 *x = cert_x509(c, err);
	PKCS12_SAFEBAG *bag = x ? PKCS12_add_cert(bags, x) : NULL;

	return bag && PKCS12_add_friendlyname_utf8(bag, name, -1) == 1 &&
		mark_for_java(bag);
}

static PKCS12 *
new_pkcs12(struct cert *const *certs, size_t n, const char *password, struct err *err)
{
	STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
	STACK_OF(PKCS7) *safes = NULL;
	PKCS12 *p12 = NULL;
	bool ok = n > 0;

	for (size_t i = 0; ok && i < n; i++) {
		char name[32] = "sekisho";
		if (i > 0)
			text_format(name, sizeof name, "sekisho-%zu", i);
		ok = add_bag(&bags, certs[i], name, err);
	}
	if (ok && PKCS12_add_safe(&safes, bags, NID_aes_256_cbc, 10000, password) == 1)
		p12 = PKCS12_add_safes(safes, 0);
	sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
	sk_PKCS7_pop_free(safes, PKCS7_free);
	return p12;
}

bool
export_truststore(struct cert *const *certs, size_t n, const char *password,
	struct span *out, struct err *err)
{
	const char *pass = password ? password : "changeit";
	AUTO(PKCS12) *p12 = new_pkcs12(certs, n, pass, err);
	AUTO_OCTETS *p = NULL;

	if (!p12 || PKCS12_set_mac(p12, pass, -1, NULL, 0, 10000, EVP_sha256()) != 1)
		return ossl_err(err, ERR_PKI_AUTHORITY, "making PKCS#12");
	int size = i2d_PKCS12(p12, &p);
	if (size <= 0)
		return ossl_err(err, ERR_PKI_AUTHORITY, "encoding PKCS#12");
	*out = (struct span){
		(const uint8_t *)mem_cstr(span_of(p, (size_t)size)), (size_t)size};
	return true;
}

bool
export_cert(struct cert *c, enum export_form form, const char *password,
	struct span *out, struct err *err)
{
	if (form == EXPORT_PKCS12)
		return export_truststore(&c, 1, password, out, err);
	return write_text(form, c, out, err);
}

bool
export_root(const struct authority *a, enum export_form form, const char *password,
	struct span *out, struct err *err)
{
	struct cert *c = cert_from_x509(a->root, err);
	bool ok = c && export_cert(c, form, password, out, err);

	cert_put(c);
	return ok;
}

// SPDX-License-Identifier: Apache-2.0
#include "pki/tunnel.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/cert.h"
#include "pki/mint_priv.h"

enum { PATH = 512, DAY_S = 86400, BACKDATE_S = 3600, PEM_MAX = 3072 };

static const char *
join(char dst[PATH], const char *dir, const char *base, const char *ext)
{
	text_format(dst, PATH, "%s/%s.%s", dir, base, ext);
	return dst;
}

static bool
is_free(const char *path, struct err *err)
{
	if (access(path, F_OK) == 0)
		return err_set(err, ERR_PKI_AUTHORITY, "%s is there already", path);
	return true;
}

static X509_NAME *
new_name(const char *cn)
{
	AUTO(X509_NAME) *name = X509_NAME_new();

	if (!name || !mint_name_add(name, NID_commonName, span_str(cn)))
		return NULL;
	return KEEP(name);
}

static bool
save_certificate(const char *path, const X509 *x, struct err *err)
{
	char pem[PEM_MAX];
	struct text t = text_to(pem, sizeof(pem));
	struct cert *c = cert_from_x509(x, err);

	if (!c)
		return false;
	cert_pem(c, &t);
	cert_put(c);
	if (t.cut)
		return err_set(err, ERR_PKI_AUTHORITY, "the certificate is too long");
	return file_replace(path, text_span(&t), 0644, err);
}

static bool
save_both(const char *dir, const char *base, const X509 *x, const EVP_PKEY *key,
	struct err *err)
{
	char path[PATH];

	return key_save(join(path, dir, base, "key"), key, (struct span){0}, err) &&
		save_certificate(join(path, dir, base, "crt"), x, err);
}

static bool
make_ca(const char *dir, EVP_PKEY *key, struct err *err)
{
	static const int usage[] = {5, 6, -1}; /* keyCertSign, cRLSign */
	AUTO(X509_NAME) *name = new_name("sekisho key tunnel CA");
	int64_t now = clock_wall();
	struct mint_plan plan = {.signer = key,
		.subject_key = key,
		.subject = name,
		.not_before = now - BACKDATE_S,
		.not_after = now + (int64_t)TUNNEL_CA_DAYS * DAY_S};
	AUTO(X509) *x = name ? mint_begin(&plan, err) : NULL;

	if (!x || !mint_add_basic(x, true, 0) || !mint_add_usage(x, usage) ||
		!mint_sign(x, key, err))
		return err_within(err, "making the tunnel's CA");
	return save_both(dir, "ca", x, key, err);
}

bool
tunnel_make(const char *dir, struct err *err)
{
	char path[PATH];

	if (!file_mkdir(dir, 0700, err) ||
		!is_free(join(path, dir, "ca", "crt"), err) ||
		!is_free(join(path, dir, "ca", "key"), err))
		return false;
	AUTO(EVP_PKEY) *key = key_new(KEY_P256, err);
	return key && make_ca(dir, key, err);
}

/* ---- ends ---- */

static bool
push_name(GENERAL_NAMES *names, struct span text)
{
	AUTO(GENERAL_NAME) *name = GENERAL_NAME_new();
	AUTO(ASN1_STRING) *value = NULL;
	struct ip ip;
	bool is_ip = ip_parse(text, &ip);
	struct span octets = is_ip ? span_of(ip.bytes, ip_size(&ip)) : text;

	value = ASN1_STRING_type_new(is_ip ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
	if (!name || !value || octets.n > 253 ||
		ASN1_STRING_set(value, octets.p, (int)octets.n) != 1)
		return false;
	GENERAL_NAME_set0_value(name, is_ip ? GEN_IPADD : GEN_DNS, KEEP(value));
	if (!sk_GENERAL_NAME_push(names, name))
		return false;
	(void)KEEP(name); /* names owns it now */
	return true;
}

static bool
add_names(X509 *x, const struct tunnel_wish *w)
{
	AUTO(GENERAL_NAMES) *names = sk_GENERAL_NAME_new_null();

	if (w->n_names == 0)
		return true;
	if (!names)
		return false;
	for (size_t i = 0; i < w->n_names; i++) {
		if (!push_name(names, span_str(w->names[i])))
			return false;
	}
	return mint_add(x, NID_subject_alt_name, names, false);
}

static bool
add_purpose(X509 *x, enum tunnel_end end)
{
	static const int usage[] = {0, -1}; /* digitalSignature */
	int nid = end == TUNNEL_SERVER ? NID_server_auth : NID_client_auth;
	EXTENDED_KEY_USAGE *eku = sk_ASN1_OBJECT_new_null();
	bool ok = eku && sk_ASN1_OBJECT_push(eku, OBJ_nid2obj(nid)) > 0 &&
		mint_add(x, NID_ext_key_usage, eku, false) &&
		mint_add_usage(x, usage) && mint_add_basic(x, false, -1);

	sk_ASN1_OBJECT_pop_free(eku, ASN1_OBJECT_free);
	return ok;
}

struct ca {
	struct cert *cert;
	EVP_PKEY *key;
};

static void
close_ca(struct ca *ca)
{
	cert_put(ca->cert);
	EVP_PKEY_free(ca->key);
}

static bool
open_ca(struct ca *ca, const char *dir, struct err *err)
{
	char path[PATH];

	ca->cert = cert_load(join(path, dir, "ca", "crt"), err);
	ca->key = ca->cert
		? key_load(join(path, dir, "ca", "key"), (struct span){0}, err)
		: NULL;
	return ca->key != NULL;
}

static bool
issue(const struct ca *ca, const char *dir, const struct tunnel_wish *w,
	struct err *err)
{
	AUTO(EVP_PKEY) *key = key_new(KEY_P256, err);
	AUTO(X509_NAME) *name = new_name(w->file);
	int64_t now = clock_wall();
	int64_t end = now + (int64_t)(w->days ? w->days : TUNNEL_DAYS) * DAY_S;
	struct mint_plan plan = {.issuer = cert_x509(ca->cert, err),
		.signer = ca->key,
		.subject_key = key,
		.subject = name,
		.not_before = now - BACKDATE_S,
		.not_after = end < ca->cert->not_after ? end : ca->cert->not_after};

	if (!key || !name || !plan.issuer)
		return false;
	AUTO(X509) *x = mint_begin(&plan, err);
	if (!x || !add_purpose(x, w->end) || !add_names(x, w) ||
		!mint_sign(x, ca->key, err))
		return err_within(err, "certificate for %s", w->file);
	return save_both(dir, w->file, x, key, err);
}

bool
tunnel_issue(const char *dir, const struct tunnel_wish *wish, struct err *err)
{
	char path[PATH];
	struct ca ca = {0};

	if (!is_free(join(path, dir, wish->file, "crt"), err) ||
		!is_free(join(path, dir, wish->file, "key"), err))
		return false;
	bool ok = open_ca(&ca, dir, err) && issue(&ca, dir, wish, err);
	close_ca(&ca);
	return ok;
}

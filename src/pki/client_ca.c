// SPDX-License-Identifier: Apache-2.0
#include "pki/client_ca.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/authority_priv.h"
#include "pki/client_name.h"
#include "pki/resign.h"

enum { BACKDATE_S = 300, DAY_S = 86400, OCSP_DAYS = 365, NAME_MAX_OCTETS = 64 };

static const int ca_usage[] = {5, 6, -1};  /* keyCertSign, cRLSign */
static const int signer_usage[] = {0, -1}; /* digitalSignature */

bool
client_ca_path(char dst[1024], const char *dir, const char *file, struct err *err)
{
	return authority_path(dst, dir, file, err);
}

/* ---- the authority's own certificates ---- */

static X509_NAME *
new_name(const char *organisation, const char *cn, struct err *err)
{
	AUTO(X509_NAME) *name = X509_NAME_new();

	if (!name || span_str(cn).n > NAME_MAX_OCTETS ||
		!mint_name_add(name, NID_organizationName, span_str(organisation)) ||
		!mint_name_add(name, NID_commonName, span_str(cn))) {
		ossl_err(err, ERR_PKI_CLIENT_CA, "the authority cannot have this name");
		return NULL;
	}
	return KEEP(name);
}

static bool
resign(const struct client_ca *ca, struct span stand_in, struct span *der,
	struct err *err)
{
	EVP_PKEY *public = X509_get0_pubkey(ca->crt);
	uint8_t digest[SIGNER_DIGEST_MAX];
	uint8_t signature[KEY_SIGNATURE_MAX];
	struct resign parts;
	size_t n = 0;

	if (!resign_split(stand_in, &parts, err))
		return false;
	struct key_job job = resign_job(&parts, public, digest);
	return ca->signer->sign(ca->signer, &job, signature, &n, err) &&
		resign_join(&parts, public, span_of(signature, n), der, err);
}

bool
client_ca_resign(const struct client_ca *ca, struct span *der, struct err *err)
{
	struct span stand_in = *der;

	if (!ca->signer)
		return true;
	*der = (struct span){0};
	bool ok = resign(ca, stand_in, der, err);
	mem_free((void *)(uintptr_t)stand_in.p);
	return ok;
}

/* Signs it, by whoever has the key; *x is another one then. */
static bool
sign(const struct client_ca *ca, X509 **x, struct err *err)
{
	struct span der = {0};

	if (!mint_sign(*x, ca->key, err))
		return false;
	if (!ca->signer)
		return true;
	bool ok = mint_encode(*x, &der, err) && client_ca_resign(ca, &der, err);
	const unsigned char *p = der.p;
	X509 *right = ok ? d2i_X509(NULL, &p, (long)der.n) : NULL;
	mem_free((void *)(uintptr_t)der.p);
	if (!right)
		return ok ? ossl_err(err, ERR_PKI_MINT, "a signed certificate") : false;
	X509_free(*x);
	*x = right;
	return true;
}

/* Not signed yet; of the key only the public half is used. */
static X509 *
make_ca(const struct client_ca_wish *wish, const EVP_PKEY *key, struct err *err)
{
	AUTO(X509_NAME) *name = new_name(
		wish->organisation, wish->name ? wish->name : "sekisho client CA", err);
	int64_t days = wish->days ? wish->days : CLIENT_CA_DAYS;
	int64_t start = clock_wall() - BACKDATE_S;
	struct mint_plan plan = {
		.signer = key,
		.subject_key = key,
		.subject = name,
		.not_before = start,
		.not_after = start + days * DAY_S - 1,
	};

	if (!name)
		return NULL;
	AUTO(X509) *x = mint_begin(&plan, err);
	if (!x || !mint_add_basic(x, true, 0) || !mint_add_usage(x, ca_usage)) {
		ossl_err(err, ERR_PKI_CLIENT_CA, "building the authority");
		return NULL;
	}
	return KEEP(x);
}

static bool
add_eku(X509 *x, int nid)
{
	EXTENDED_KEY_USAGE *eku = sk_ASN1_OBJECT_new_null();
	/* Static: of OpenSSL's own table, so there is nothing to free. */
	bool ok = eku && sk_ASN1_OBJECT_push(eku, OBJ_nid2obj(nid)) > 0 &&
		mint_add(x, NID_ext_key_usage, eku, false);

	sk_ASN1_OBJECT_free(eku);
	return ok;
}

/* RFC 6960 §4.2.2.2.1: nobody is to ask whether the answerer is revoked; it is
 * short-lived instead. */
static bool
add_nocheck(X509 *x)
{
	ASN1_NULL *nothing = ASN1_NULL_new();
	bool ok = nothing && mint_add(x, NID_id_pkix_OCSP_noCheck, nothing, false);

	ASN1_NULL_free(nothing);
	return ok;
}

static X509 *
make_ocsp(const struct client_ca *ca, const EVP_PKEY *key, struct err *err)
{
	AUTO(X509_NAME) *name = new_name(NULL, "OCSP responder", err);
	int64_t start = clock_wall() - BACKDATE_S;
	int64_t end = start + (int64_t)OCSP_DAYS * DAY_S - 1;
	struct mint_plan plan = {
		.issuer = ca->crt,
		.signer = ca->key,
		.subject_key = key,
		.subject = name,
		.not_before = start,
		.not_after = end < ca->not_after ? end : ca->not_after,
	};

	if (!name)
		return NULL;
	AUTO(X509) *x = mint_begin(&plan, err);
	if (!x || !mint_add_basic(x, false, -1) || !mint_add_usage(x, signer_usage) ||
		!add_eku(x, NID_OCSP_sign) || !add_nocheck(x)) {
		ossl_err(err, ERR_PKI_CLIENT_CA, "building the OCSP responder");
		return NULL;
	}
	return sign(ca, &x, err) ? KEEP(x) : NULL;
}

static bool
save_ocsp(const struct client_ca *ca, const char *dir, struct err *err)
{
	AUTO(EVP_PKEY) *key = key_new(KEY_P256, err);
	AUTO(X509) *x = key ? make_ocsp(ca, key, err) : NULL;

	return x && authority_save_key(dir, "ocsp.key", key, (struct span){0}, err) &&
		authority_save_cert(dir, "ocsp.crt", x, err);
}

bool
client_ca_renew_ocsp(const struct client_ca *ca, const char *dir, struct err *err)
{
	struct err ignored = {0};
	AUTO(X509) *old = authority_has(dir, "ocsp.key")
		? authority_load_cert(dir, "ocsp.crt", &ignored)
		: NULL;

	if (old) {
		int64_t left = mint_get_time(X509_get0_notAfter(old)) - clock_wall();
		bool capped = mint_get_time(X509_get0_notAfter(old)) >= ca->not_after;
		if (capped || left > (int64_t)OCSP_DAYS * DAY_S / 2)
			return true;
	}
	return save_ocsp(ca, dir, err);
}

bool
client_ca_is_free(const char *dir, struct err *err)
{
	static const char *const files[] = {"ca.crt", "ca.key", "register.db"};

	for (size_t i = 0; i < COUNT_OF(files); i++) {
		if (authority_has(dir, files[i])) {
			return err_set(err, ERR_PKI_CLIENT_CA,
				"%s/%s exists; nothing is overwritten", dir, files[i]);
		}
	}
	return true;
}

static enum key_kind
kind_of_wish(const struct client_ca_wish *wish)
{
	if (wish->public)
		return key_kind_of(wish->public);
	return wish->kind ? wish->kind : KEY_P256;
}

/* Where the key is elsewhere a fresh one of its kind stands in. */
static EVP_PKEY *
new_key(enum key_kind kind, struct err *err)
{
	if (kind != KEY_OTHER)
		return key_new(kind, err);
	err_set(err, ERR_PKI_CLIENT_CA, "its key is of no kind we can ask for");
	return NULL;
}

bool
client_ca_make(const char *dir, const struct client_ca_wish *wish, struct err *err)
{
	if (!file_mkdir(dir, 0711, err) || !client_ca_is_free(dir, err))
		return false;
	AUTO(EVP_PKEY) *key = new_key(kind_of_wish(wish), err);
	AUTO(X509) *x =
		key ? make_ca(wish, wish->public ? wish->public : key, err) : NULL;
	if (!x)
		return false;
	struct client_ca ca = {.crt = x,
		.key = key,
		.signer = wish->signer,
		.not_after = mint_get_time(X509_get0_notAfter(x))};
	if (!sign(&ca, &x, err))
		return false;
	ca.crt = x;
	return (wish->signer ||
		       authority_save_key(dir, "ca.key", key, wish->passphrase, err)) &&
		authority_save_cert(dir, "ca.crt", x, err) && save_ocsp(&ca, dir, err);
}

struct client_ca *
client_ca_load_elsewhere(const char *dir, struct client_signer *signer, struct err *err)
{
	struct client_ca *ca = client_ca_load(dir, false, (struct span){0}, err);
	EVP_PKEY *public = ca ? X509_get0_pubkey(ca->crt) : NULL;

	if (!ca)
		return NULL;
	ca->signer = signer;
	ca->key = new_key(public ? key_kind_of(public) : KEY_OTHER, err);
	if (ca->key)
		return ca;
	client_ca_free(ca);
	return NULL;
}

struct client_ca *
client_ca_load(const char *dir, bool with_key, struct span passphrase, struct err *err)
{
	AUTO(X509) *x = authority_load_cert(dir, "ca.crt", err);
	AUTO(EVP_PKEY) *key = NULL;

	if (!x) {
		err_within(err, "no authority for clients in %s", dir);
		return NULL;
	}
	if (with_key) {
		key = authority_load_key(dir, "ca.key", passphrase, err);
		if (!key)
			return NULL;
		if (X509_check_private_key(x, key) != 1) {
			ossl_err(err, ERR_PKI_CLIENT_CA, "%s/ca.key is not ca.crt's",
				dir);
			return NULL;
		}
	}
	struct client_ca *ca = mem_alloc(sizeof *ca);
	ca->not_after = mint_get_time(X509_get0_notAfter(x));
	ca->crt = KEEP(x);
	ca->key = KEEP(key);
	return ca;
}

void
client_ca_free(struct client_ca *ca)
{
	if (!ca)
		return;
	X509_free(ca->crt);
	EVP_PKEY_free(ca->key); /* OpenSSL wipes private numbers as it frees them */
	mem_free(ca);
}

/* ---- certificates of clients ---- */

static bool
push_access(AUTHORITY_INFO_ACCESS *all, int method, const char *url)
{
	ACCESS_DESCRIPTION *ad = url ? ACCESS_DESCRIPTION_new() : NULL;
	AUTO(ASN1_IA5STRING) *uri = ad ? ASN1_IA5STRING_new() : NULL;

	if (!url)
		return true;
	bool ok = uri && ASN1_STRING_set(uri, url, -1) == 1;
	if (ok) {
		ad->method = OBJ_nid2obj(method);
		GENERAL_NAME_set0_value(ad->location, GEN_URI, KEEP(uri));
		ok = sk_ACCESS_DESCRIPTION_push(all, ad) > 0;
	}
	if (!ok)
		ACCESS_DESCRIPTION_free(ad);
	return ok;
}

static bool
add_access(X509 *x, const struct client_wish *w)
{
	if (!w->ocsp_url && !w->issuer_url)
		return true;
	AUTHORITY_INFO_ACCESS *all = sk_ACCESS_DESCRIPTION_new_null();
	bool ok = all && push_access(all, NID_ad_OCSP, w->ocsp_url) &&
		push_access(all, NID_ad_ca_issuers, w->issuer_url) &&
		mint_add(x, NID_info_access, all, false);
	sk_ACCESS_DESCRIPTION_pop_free(all, ACCESS_DESCRIPTION_free);
	return ok;
}

/* RFC 5280 §4.2.1.6: critical where the subject is empty. */
static bool
add_sans(X509 *x, const struct client_wish *w, struct err *err)
{
	AUTO(GENERAL_NAMES) *names = GENERAL_NAMES_new();
	bool bare = X509_NAME_entry_count(X509_get_subject_name(x)) == 0;

	if (w->n_sans == 0 && bare) {
		return err_set(
			err, ERR_PKI_CLIENT, "neither a subject nor another name");
	}
	if (w->n_sans == 0)
		return true;
	for (size_t i = 0; i < w->n_sans; i++) {
		if (!names || !client_name_add_san(names, w->sans[i], err))
			return false;
	}
	return mint_add(x, NID_subject_alt_name, names, bare) ||
		ossl_err(err, ERR_PKI_CLIENT, "building a certificate");
}

static bool
finish(const struct client_ca *ca, X509 *x, const struct client_wish *w,
	struct span *der, struct err *err)
{
	if (!mint_add_basic(x, false, -1) || !mint_add_usage(x, signer_usage) ||
		!add_eku(x, NID_client_auth) || !add_access(x, w) ||
		(w->crl_url && !mint_add_crl_url(x, w->crl_url)))
		return ossl_err(err, ERR_PKI_CLIENT, "building a certificate");
	return mint_sign(x, ca->key, err) && mint_encode(x, der, err) &&
		client_ca_resign(ca, der, err);
}

static bool
set_dates(const struct client_ca *ca, const struct client_wish *w,
	struct mint_plan *plan, struct err *err)
{
	int64_t now = clock_wall();

	if (w->valid_s < CLIENT_VALID_MIN_S || w->valid_s > CLIENT_VALID_MAX_S) {
		return err_set(err, ERR_PKI_CLIENT,
			"valid for an hour at least, for ten years at most");
	}
	if (ca->not_after <= now + CLIENT_VALID_MIN_S) {
		return err_set(
			err, ERR_PKI_CLIENT_CA, "the authority itself has ended");
	}
	plan->not_before = now - BACKDATE_S;
	plan->not_after = now + w->valid_s;
	if (plan->not_after > ca->not_after)
		plan->not_after = ca->not_after;
	return true;
}

static X509 *
begin(const struct client_ca *ca, const struct client_wish *w, X509_NAME *subject,
	const EVP_PKEY *key, struct err *err)
{
	struct mint_plan plan = {
		.issuer = ca->crt,
		.signer = ca->key,
		.subject_key = key,
		.subject = subject,
	};

	if (key_kind_of(key) == KEY_OTHER) {
		err_set(err, ERR_PKI_CLIENT, "the key is of no kind we issue for");
		return NULL;
	}
	return set_dates(ca, w, &plan, err) ? mint_begin(&plan, err) : NULL;
}

bool
client_ca_issue(const struct client_ca *ca, const struct client_wish *w,
	struct span *der, struct err *err)
{
	AUTO(X509_NAME) *subject = client_name_parse(w->subject, err);
	AUTO(X509) *x = subject ? begin(ca, w, subject, w->key, err) : NULL;

	return x && add_sans(x, w, err) && finish(ca, x, w, der, err);
}

static bool
copy_sans(X509 *x, const X509 *from, struct err *err)
{
	int critical = -1;
	AUTO(GENERAL_NAMES) *names =
		X509_get_ext_d2i(from, NID_subject_alt_name, &critical, NULL);

	if (critical == -1)
		return true; /* it has none */
	return (names && mint_add(x, NID_subject_alt_name, names, critical == 1)) ||
		ossl_err(err, ERR_PKI_CLIENT, "the older certificate's names");
}

bool
client_ca_reissue(const struct client_ca *ca, struct span old_der,
	const struct client_wish *w, struct span *der, struct err *err)
{
	const unsigned char *p = old_der.p;
	AUTO(X509) *old = d2i_X509(NULL, &p, (long)old_der.n);
	EVP_PKEY *same = old ? X509_get0_pubkey(old) : NULL;

	if (!same)
		return ossl_err(err, ERR_PKI_CLIENT, "the older certificate");
	AUTO(X509) *x =
		begin(ca, w, X509_get_subject_name(old), w->key ? w->key : same, err);
	return x && copy_sans(x, old, err) && finish(ca, x, w, der, err);
}

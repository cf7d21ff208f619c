// SPDX-License-Identifier: Apache-2.0
/*
 * mint: the parts that every certificate of ours is made of.
 */
#include "base/mem.h"
#include "base/must.h"
#include "pki/key.h"
#include "pki/mint_priv.h"

enum { SERIAL_OCTETS = 16 };

bool
mint_add(X509 *x, int nid, void *value, bool critical)
{
	return X509_add1_ext_i2d(x, nid, value, critical, X509V3_ADD_DEFAULT) == 1;
}

bool
mint_add_usage(X509 *x, const int *bits)
{
	AUTO(ASN1_BIT_STRING) *usage = ASN1_BIT_STRING_new();

	if (!usage)
		return false;
	for (; *bits >= 0; bits++) {
		if (ASN1_BIT_STRING_set_bit(usage, *bits, 1) != 1)
			return false;
	}
	return mint_add(x, NID_key_usage, usage, true);
}

bool
mint_add_basic(X509 *x, bool is_ca, int path_len)
{
	AUTO(BASIC_CONSTRAINTS) *bc = BASIC_CONSTRAINTS_new();

	if (!bc)
		return false;
	bc->ca = is_ca ? 0xff : 0;
	if (is_ca && path_len >= 0) {
		bc->pathlen = ASN1_INTEGER_new();
		if (!bc->pathlen || ASN1_INTEGER_set(bc->pathlen, path_len) != 1)
			return false;
	}
	return mint_add(x, NID_basic_constraints, bc, true);
}

static GENERAL_NAME *
new_uri(const char *url)
{
	AUTO(GENERAL_NAME) *name = GENERAL_NAME_new();
	AUTO(ASN1_IA5STRING) *uri = ASN1_IA5STRING_new();

	if (!name || !uri || ASN1_STRING_set(uri, url, -1) != 1)
		return NULL;
	GENERAL_NAME_set0_value(name, GEN_URI, KEEP(uri));
	return KEEP(name);
}

bool
mint_add_crl_url(X509 *x, const char *url)
{
	AUTO(CRL_DIST_POINTS) *points = CRL_DIST_POINTS_new();
	AUTO(DIST_POINT) *point = DIST_POINT_new();
	AUTO(GENERAL_NAMES) *names = GENERAL_NAMES_new();
	AUTO(GENERAL_NAME) *uri = new_uri(url);

	if (!points || !point || !names || !uri || !sk_GENERAL_NAME_push(names, uri))
		return false;
	(void)KEEP(uri); /* names owns it now */
	point->distpoint = DIST_POINT_NAME_new();
	if (!point->distpoint)
		return false;
	point->distpoint->type = 0; /* fullName */
	point->distpoint->name.fullname = KEEP(names);
	if (!sk_DIST_POINT_push(points, point))
		return false;
	(void)KEEP(point); /* points owns it now */
	return mint_add(x, NID_crl_distribution_points, points, false);
}

/* RFC 5280 §4.1.2.2; CA/Browser Forum BR §7.1: random, positive, and never zero. */
static bool
set_serial(X509 *x)
{
	uint8_t octets[SERIAL_OCTETS];
	AUTO(BIGNUM) *n = NULL;

	secret_random(octets, sizeof octets);
	octets[0] = (uint8_t)((octets[0] & 0x7f) | 0x40); /* always the same length */
	n = BN_bin2bn(octets, sizeof octets, NULL);
	return n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;
}

static bool
add_ski(X509 *x, const EVP_PKEY *key, struct err *err)
{
	uint8_t ski[KEY_SKI];
	AUTO(ASN1_OCTET_STRING) *value = ASN1_OCTET_STRING_new();

	return key_ski(key, ski, err) && value &&
		ASN1_OCTET_STRING_set(value, ski, sizeof ski) == 1 &&
		mint_add(x, NID_subject_key_identifier, value, false);
}

/* The issuer's own identifier where it has one: verifiers compare the two. */
static bool
add_aki(X509 *x, const struct mint_plan *plan, struct err *err)
{
	AUTO(AUTHORITY_KEYID) *aki = AUTHORITY_KEYID_new();
	const ASN1_OCTET_STRING *have = NULL;
	uint8_t ski[KEY_SKI];

	if (!aki || !(aki->keyid = ASN1_OCTET_STRING_new()))
		return false;
	if (plan->issuer)
		have = X509_get0_subject_key_id((X509 *)(uintptr_t)plan->issuer);
	if (!have && !key_ski(plan->signer, ski, err))
		return false;
	const uint8_t *p = have ? ASN1_STRING_get0_data(have) : ski;
	int n = have ? ASN1_STRING_length(have) : (int)sizeof ski;
	return ASN1_OCTET_STRING_set(aki->keyid, p, n) == 1 &&
		mint_add(x, NID_authority_key_identifier, aki, false);
}

bool
mint_set_time(ASN1_TIME *t, int64_t wall)
{
	return ASN1_TIME_set(t, (time_t)wall) != NULL;
}

int64_t
mint_get_time(const ASN1_TIME *t)
{
	struct tm tm = {0};
	return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static bool
fill(X509 *x, const struct mint_plan *plan, struct err *err)
{
	X509_NAME *issuer =
		plan->issuer ? X509_get_subject_name(plan->issuer) : plan->subject;

	return X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) &&
		X509_set_issuer_name(x, issuer) == 1 &&
		X509_set_subject_name(x, plan->subject) == 1 &&
		mint_set_time(X509_getm_notBefore(x), plan->not_before) &&
		mint_set_time(X509_getm_notAfter(x), plan->not_after) &&
		X509_set_pubkey(x, (EVP_PKEY *)(uintptr_t)plan->subject_key) == 1 &&
		add_ski(x, plan->subject_key, err) && add_aki(x, plan, err);
}

X509 *
mint_begin(const struct mint_plan *plan, struct err *err)
{
	AUTO(X509) *x = X509_new();

	if (!x || !fill(x, plan, err)) {
		ossl_err(err, ERR_PKI_MINT, "building a certificate");
		return NULL;
	}
	return KEEP(x);
}

const EVP_MD *
mint_digest(const EVP_PKEY *signer)
{
	switch (key_kind_of(signer)) {
	case KEY_ED25519:
		return NULL;
	case KEY_P384:
		return EVP_sha384();
	case KEY_OTHER:
	case KEY_P256:
	case KEY_RSA2048:
	case KEY_RSA3072:
	case KEY_RSA4096:
		break;
	}
	return EVP_sha256();
}

bool
mint_sign(X509 *x, const EVP_PKEY *signer, struct err *err)
{
	if (X509_sign(x, (EVP_PKEY *)(uintptr_t)signer, mint_digest(signer)) <= 0)
		return ossl_err(err, ERR_PKI_MINT, "signing a certificate");
	return true;
}

bool
mint_name_add(X509_NAME *name, int nid, struct span value)
{
	if (value.n == 0)
		return true;
	return value.n <= 1024 &&
		X509_NAME_add_entry_by_NID(
			name, nid, MBSTRING_UTF8, value.p, (int)value.n, -1, 0) == 1;
}

bool
mint_encode(const X509 *x, struct span *der, struct err *err)
{
	AUTO_OCTETS *p = NULL;
	int n = i2d_X509(x, &p);

	if (n <= 0)
		return ossl_err(err, ERR_PKI_MINT, "encoding a certificate");
	uint8_t *copy = mem_alloc((size_t)n);
	for (size_t i = 0; i < (size_t)n; i++)
		copy[i] = p[i];
	*der = (struct span){copy, (size_t)n};
	return true;
}

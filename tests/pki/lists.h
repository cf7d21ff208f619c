// SPDX-License-Identifier: Apache-2.0
/*
 * lists: revocation lists as a test wants them, and one small family of certificates.
 */
#pragma once

#include "pki/revoke.h"
#include "tests/pki/forge.h"

static struct forged root;
static struct forged middle;
static struct forged leaf;

/* The usual three, afresh. */
static inline void
lists_begin(void)
{
	root = forge(&(struct forge){.cn = "Root", .ca = true, .to_days = 3000});
	middle = forge(&(struct forge){
		.cn = "Middle", .ca = true, .by = &root, .to_days = 300});
	leaf = forge(&(struct forge){.cn = "l", .by = &middle, .san = "DNS:a.example"});
}

struct list_plan {
	const struct forged *by;
	const struct forged *revoked; /* or NULL */
	int64_t from_days;            /* default −1 */
	int64_t to_days;              /* default 7 */
	const char *idp;
	long padding; /* so many numbers of nobody */
	bool no_number;
	long number; /* default 5 */
	long delta;  /* 0: a whole list; else the number it begins at */
	bool lifts;  /* "revoked" is no more (removeFromCRL) */
	bool soft_delta;
	bool break_signature;
};

static inline void
add_number(X509_CRL *crl, int nid, long number, int critical)
{
	ASN1_INTEGER *n = ASN1_INTEGER_new();

	ASN1_INTEGER_set(n, number);
	X509_CRL_add1_ext_i2d(crl, nid, n, critical, 0);
	ASN1_INTEGER_free(n);
}

static inline void
add_reason(X509_REVOKED *r, long reason)
{
	ASN1_ENUMERATED *e = ASN1_ENUMERATED_new();

	ASN1_ENUMERATED_set(e, reason);
	X509_REVOKED_add1_ext_i2d(r, NID_crl_reason, e, 0, 0);
	ASN1_ENUMERATED_free(e);
}

static inline X509_REVOKED *
put_serial(X509_CRL *crl, const ASN1_INTEGER *serial, const ASN1_TIME *when)
{
	X509_REVOKED *r = X509_REVOKED_new();
	X509_REVOKED_set_serialNumber(r, (ASN1_INTEGER *)(uintptr_t)serial);
	X509_REVOKED_set_revocationDate(r, (ASN1_TIME *)(uintptr_t)when);
	X509_CRL_add0_revoked(crl, r);
	return r;
}

static inline void
put_serials(X509_CRL *crl, const struct list_plan *p, const ASN1_TIME *when)
{
	ASN1_INTEGER *n = ASN1_INTEGER_new();
	BIGNUM *big = BN_new();

	for (long i = 0; i < p->padding; i++) {
		BN_set_word(big, (BN_ULONG)i + 1);
		BN_lshift(big, big, 100);
		(void)put_serial(crl, BN_to_ASN1_INTEGER(big, n), when);
	}
	X509_REVOKED *r = p->revoked
		? put_serial(crl, X509_get0_serialNumber(p->revoked->x), when)
		: NULL;
	if (r && p->lifts)
		add_reason(r, 8);
	BN_free(big);
	ASN1_INTEGER_free(n);
}

static inline void
put_scope(X509_CRL *crl, const struct list_plan *p)
{
	X509V3_CTX with;
	CONF *none = NCONF_new(NULL);
	long at = 0;
	BIO *bio = BIO_new_mem_buf(p->idp, -1);

	NCONF_load_bio(none, bio, &at);
	BIO_free(bio);
	X509V3_set_ctx(&with, p->by->x, NULL, NULL, crl, 0);
	X509V3_set_nconf(&with, none);
	X509_EXTENSION *e = X509V3_EXT_nconf(
		none, &with, "issuingDistributionPoint", "critical,@idp");
	CHECK(e != NULL);
	X509_CRL_add_ext(crl, e, -1);
	X509_EXTENSION_free(e);
	NCONF_free(none);
}

static inline void
put_numbers(X509_CRL *crl, const struct list_plan *p)
{
	if (!p->no_number)
		add_number(crl, NID_crl_number, p->number ? p->number : 5, 0);
	if (p->delta)
		add_number(crl, NID_delta_crl, p->delta, !p->soft_delta);
}

static inline struct span
make_crl(const struct list_plan *p)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *t = ASN1_TIME_new();
	uint8_t *der = NULL;

	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(p->by->x));
	ASN1_TIME_set(t,
		(time_t)(clock_wall() +
			(p->from_days ? p->from_days : -1) * FORGE_DAY));
	X509_CRL_set1_lastUpdate(crl, t);
	put_serials(crl, p, t);
	ASN1_TIME_set(
		t, (time_t)(clock_wall() + (p->to_days ? p->to_days : 7) * FORGE_DAY));
	X509_CRL_set1_nextUpdate(crl, t);
	ASN1_TIME_free(t);
	put_numbers(crl, p);
	if (p->idp)
		put_scope(crl, p);
	bool eddsa = EVP_PKEY_is_a(p->by->key, "ED25519");
	CHECK(X509_CRL_sign(crl, p->by->key, eddsa ? NULL : EVP_sha256()) > 0);
	int size = i2d_X509_CRL(crl, &der);
	X509_CRL_free(crl);
	CHECK(size > 0);
	if (p->break_signature)
		der[size - 1] ^= 1;
	return span_of(der, (size_t)size);
}

static inline void
add_list(struct revoke *r, const struct list_plan *p, const struct forged *of)
{
	struct err err = {0};
	struct span crl = make_crl(p);
	struct cert *issuer = of ? cert_from_x509(of->x, &err) : NULL;

	CHECK_OK(of ? revoke_add_crl_of(r, crl, issuer, &err)
		    : revoke_add_crl(r, crl, &err),
		&err);
	cert_put(issuer);
	OPENSSL_free((void *)(uintptr_t)crl.p);
}

static inline struct revoke *
knowing(const struct list_plan *p)
{
	struct revoke *r = revoke_new(1024 * 1024);

	add_list(r, p, NULL);
	return r;
}

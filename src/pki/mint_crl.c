// SPDX-License-Identifier: Apache-2.0
/*
 * mint_crl: the parts that every revocation list of ours is made of.
 */
#include "base/mem.h"
#include "pki/key.h"
#include "pki/mint_priv.h"

static bool
add_aki(X509_CRL *crl, const X509 *issuer)
{
	AUTO(AUTHORITY_KEYID) *aki = AUTHORITY_KEYID_new();
	const ASN1_OCTET_STRING *ski =
		X509_get0_subject_key_id((X509 *)(uintptr_t)issuer);

	if (!aki || !ski)
		return false;
	aki->keyid = ASN1_OCTET_STRING_dup(ski);
	return aki->keyid &&
		X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, aki, 0,
			X509V3_ADD_DEFAULT) == 1;
}

static bool
add_number(X509_CRL *crl, uint64_t number)
{
	AUTO(ASN1_INTEGER) *value = ASN1_INTEGER_new();

	return value && ASN1_INTEGER_set_uint64(value, number) == 1 &&
		X509_CRL_add1_ext_i2d(
			crl, NID_crl_number, value, 0, X509V3_ADD_DEFAULT) == 1;
}

static bool
set_dates(X509_CRL *crl, const struct mint_crl_plan *plan)
{
	AUTO(ASN1_TIME) *from = ASN1_TIME_new();
	AUTO(ASN1_TIME) *to = ASN1_TIME_new();

	return from && to && mint_set_time(from, plan->this_update) &&
		mint_set_time(to, plan->next_update) &&
		X509_CRL_set1_lastUpdate(crl, from) == 1 &&
		X509_CRL_set1_nextUpdate(crl, to) == 1;
}

X509_CRL *
mint_crl_begin(const struct mint_crl_plan *plan, struct err *err)
{
	AUTO(X509_CRL) *crl = X509_CRL_new();

	if (!crl || X509_CRL_set_version(crl, X509_CRL_VERSION_2) != 1 ||
		X509_CRL_set_issuer_name(crl, X509_get_subject_name(plan->issuer)) !=
			1 ||
		!set_dates(crl, plan) || !add_aki(crl, plan->issuer) ||
		!add_number(crl, plan->number)) {
		ossl_err(err, ERR_PKI_AUTHORITY, "building a CRL");
		return NULL;
	}
	return KEEP(crl);
}

bool
mint_crl_finish(X509_CRL *crl, const struct mint_crl_plan *plan, struct span *der,
	struct err *err)
{
	EVP_PKEY *signer = (EVP_PKEY *)(uintptr_t)plan->signer; /* only reads it */
	AUTO_OCTETS *p = NULL;
	int n = X509_CRL_sort(crl) == 1 && X509_CRL_sign(crl, signer, plan->md) > 0
		? i2d_X509_CRL(crl, &p)
		: -1;

	if (n <= 0)
		return ossl_err(err, ERR_PKI_AUTHORITY, "signing a CRL");
	*der = (struct span){
		(const uint8_t *)mem_cstr(span_of(p, (size_t)n)), (size_t)n};
	return true;
}

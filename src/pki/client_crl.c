// SPDX-License-Identifier: Apache-2.0
/*
 * client_crl: what the managed authority says it has taken back (RFC 5280 §5).
 */
#include "base/mem.h"
#include "pki/client_ca.h"
#include "pki/mint_priv.h"

static const struct {
	int number;
	const char *name;
} reasons[] = {
	{CLIENT_UNSPECIFIED, "unspecified"},
	{CLIENT_KEY_COMPROMISE, "key-compromise"},
	{CLIENT_AFFILIATION_CHANGED, "affiliation-changed"},
	{CLIENT_SUPERSEDED, "superseded"},
	{CLIENT_CESSATION, "cessation-of-operation"},
	{CLIENT_HOLD, "hold"},
	{CLIENT_PRIVILEGE_WITHDRAWN, "privilege-withdrawn"},
};

const char *
client_reason_name(int reason)
{
	for (size_t i = 0; i < COUNT_OF(reasons); i++) {
		if (reasons[i].number == reason)
			return reasons[i].name;
	}
	return NULL;
}

int
client_reason_find(struct span name)
{
	for (size_t i = 0; i < COUNT_OF(reasons); i++) {
		if (span_eq_nocase(name, span_str(reasons[i].name)))
			return reasons[i].number;
	}
	return -1;
}

/* §5.3.1: "unspecified" is not written. */
static bool
add_reason(X509_REVOKED *entry, int reason)
{
	if (reason == CLIENT_UNSPECIFIED)
		return true;
	ASN1_ENUMERATED *value = ASN1_ENUMERATED_new();
	bool ok = value && ASN1_ENUMERATED_set(value, reason) == 1 &&
		X509_REVOKED_add1_ext_i2d(
			entry, NID_crl_reason, value, 0, X509V3_ADD_DEFAULT) == 1;
	ASN1_ENUMERATED_free(value);
	return ok;
}

static bool
add_entry(X509_CRL *crl, const struct client_revoked *r)
{
	AUTO(X509_REVOKED) *entry = X509_REVOKED_new();
	AUTO(ASN1_TIME) *at = ASN1_TIME_new();
	AUTO(BIGNUM) *n = BN_bin2bn(r->serial.p, (int)r->serial.n, NULL);
	AUTO(ASN1_INTEGER) *serial = n ? BN_to_ASN1_INTEGER(n, NULL) : NULL;

	if (!entry || !at || !serial || !mint_set_time(at, r->at) ||
		X509_REVOKED_set_serialNumber(entry, serial) != 1 ||
		X509_REVOKED_set_revocationDate(entry, at) != 1 ||
		!add_reason(entry, r->reason) || X509_CRL_add0_revoked(crl, entry) != 1)
		return false;
	(void)KEEP(entry); /* the list owns it now */
	return true;
}

bool
client_ca_crl(const struct client_ca *ca, const struct client_crl_plan *plan,
	struct span *der, struct err *err)
{
	unsigned days = plan->days ? plan->days : CLIENT_CA_CRL_DAYS;
	const struct mint_crl_plan head = {.issuer = ca->crt,
		.signer = ca->key,
		.md = mint_digest(ca->key),
		.number = plan->number,
		.this_update = plan->now,
		.next_update = plan->now + (int64_t)days * 86400};
	AUTO(X509_CRL) *crl = mint_crl_begin(&head, err);

	if (!crl)
		return false;
	for (size_t i = 0; i < plan->n_revoked; i++) {
		if (plan->revoked[i].serial.n > 20 ||
			!add_entry(crl, &plan->revoked[i]))
			return ossl_err(err, ERR_PKI_CLIENT_CA, "building a list");
	}
	return mint_crl_finish(crl, &head, der, err) && client_ca_resign(ca, der, err);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * revoke_reading: a list just fetched, taken in a little at a time.
 */
#include "base/mem.h"
#include "pki/revoke_priv.h"

struct revoke_reading {
	struct crl_reader reader;
	struct cert *issuer; /* held */
	struct span der;     /* owned, where the list came as PEM; or empty */
};

/* PEM is decoded in one go, so it may not be long; RFC 5280 §4.2.1.13 wants DER. */
enum { PEM_MOST = 256 * 1024 };

struct revoke_reading *
revoke_reading_new(struct span crl, struct cert *issuer, struct err *err)
{
	struct revoke_reading *reading = mem_alloc(sizeof *reading);
	bool is_pem = crl.n > 0 && crl.p[0] != 0x30;
	bool ok = crl.n > 0 && crl.n <= (is_pem ? PEM_MOST : REVOKE_CRL_MAX);

	reading->issuer = cert_get(issuer);
	if (!ok)
		err_set(err, ERR_PKI_CRL, "%zu octets", crl.n);
	if (ok && is_pem)
		ok = crl_from_pem(crl, &reading->der, err);
	if (ok && crl_begin(&reading->reader, is_pem ? reading->der : crl, err))
		return reading;
	revoke_reading_free(reading);
	return NULL;
}

void
revoke_reading_free(struct revoke_reading *reading)
{
	if (!reading)
		return;
	crl_abandon(&reading->reader);
	cert_put(reading->issuer);
	mem_free((void *)(uintptr_t)reading->der.p);
	mem_free(reading);
}

static enum revoke_turn
take(struct revoke *r, struct crl *c, struct cert *issuer, struct err *err)
{
	if (!cert_names_eq(c->issuer, issuer->subject) || !crl_is_proven(c, issuer)) {
		crl_free(c);
		err_set(err, ERR_PKI_CRL, "it is not signed by the authority it is of");
		return REVOKE_FAILED;
	}
	revoke_keep_list(r, c);
	return REVOKE_READ;
}

enum revoke_turn
revoke_reading_advance(
	struct revoke_reading *reading, struct revoke *r, struct err *err)
{
	struct crl *c = NULL;

	switch (crl_advance(&reading->reader, &c, err)) {
	case CRL_MORE:
		return REVOKE_MORE;
	case CRL_READ:
		return take(r, c, reading->issuer, err);
	case CRL_FAILED:
		break;
	}
	return REVOKE_FAILED;
}

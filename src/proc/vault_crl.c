// SPDX-License-Identifier: Apache-2.0
/*
 * vault_crl: the authority's list of what it took back, which is nothing: some clients
 * insist on having one (SChannel). Signed where the key is.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "proc/vault_priv.h"

enum { CRL_KEEP_MS = 3600 * 1000 };

static void
keep(struct known_authority *k, struct span der)
{
	mem_free((void *)(uintptr_t)k->crl.p);
	k->crl = der;
	k->crl_at = clock_now();
}

static void
reply(struct answer_call *c, struct known_authority *k)
{
	if (k->crl.n > 0 && k->crl.n <= VAULT_CHAIN_MOST) {
		answer_reply(c, k->crl);
	} else {
		answer_refuse(c, WIRE_NO_CERT);
	}
}

static void
tell_list(struct answer_call *c, struct known_authority *k, struct span der)
{
	keep(k, der);
	reply(c, k);
}

static void
refuse_list(struct answer_call *c, const struct err *why)
{
	log_warn("vault.crl", "code=%s reason=\"%s\"", err_id(why->code), why->text);
	answer_refuse(c, WIRE_CRYPTO);
}

static const struct vault_signed list_signed = {tell_list, refuse_list};

/* One an hour is enough, however many workers ask. */
void
vault_run_crl(struct answer_call *c)
{
	struct known_authority *k = vault_find_authority(vault_of(c), c->req.cert_id);
	struct span der = {0};
	struct err err = {0};

	if (!k) {
		answer_refuse(c, WIRE_NO_CERT);
	} else if (k->crl.n > 0 && clock_now() - k->crl_at < CRL_KEEP_MS) {
		reply(c, k);
	} else if (!authority_crl(k->authority, clock_wall(), &der, &err)) {
		refuse_list(c, &err);
	} else if (vault_signs_elsewhere(k)) {
		vault_sign(c, k, der, &list_signed);
	} else {
		tell_list(c, k, der);
	}
}

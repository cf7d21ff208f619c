// SPDX-License-Identifier: Apache-2.0
/*
 * vault_sign: what is signed by an authority whose key is not in a file: in a token, at
 * once, or on key servers, later.
 */
#include "base/mem.h"
#include "keyless/ask_pool.h"
#include "pki/resign.h"
#include "proc/vault_priv.h"

/* Waits for its signature from elsewhere. */
struct unsigned_one {
	struct ask ask;
	struct answer_call *call;
	struct known_authority *by;
	const struct vault_signed *then;
	struct span der; /* owned; with the stand-in's signature */
	struct resign parts;
	uint8_t digest[SIGNER_DIGEST_MAX];
};

bool
vault_signs_elsewhere(const struct known_authority *k)
{
	return k->pool || k->token.n > 0;
}

static void
drop(struct unsigned_one *u)
{
	mem_free((void *)(uintptr_t)u->der.p);
	mem_free(u);
}

static void
signature_came(struct ask *a)
{
	struct unsigned_one *u = CONTAINER_OF(a, struct unsigned_one, ask);
	EVP_PKEY *issuer = X509_get0_pubkey(u->by->authority->node);
	struct span der = {0};
	struct err err = a->err;

	if (a->ok && resign_join(&u->parts, issuer, a->answer, &der, &err)) {
		u->then->done(u->call, u->by, der);
	} else {
		u->then->refused(u->call, &err);
	}
	drop(u);
}

/* By a key in a token: here, and at once. */
static void
sign_here(struct unsigned_one *u)
{
	EVP_PKEY *issuer = X509_get0_pubkey(u->by->authority->node);
	struct vault *v = vault_of(u->call);
	struct keys_entry *e = keys_by_ski(&v->ca, span_of(u->by->ski, KEY_SKI));
	uint8_t signature[KEYS_RESULT_MAX];
	size_t n = 0;
	struct span whole = {0};
	struct err err = {0};
	struct key_job job = resign_job(&u->parts, issuer, u->digest);
	uint8_t op = keys_op_for(issuer, &job);
	bool ok = e && keys_perform(e, op, job.input, signature, &n) == WIRE_OK;

	if (!ok)
		(void)err_set(&err, ERR_PKI_TOKEN, "the authority's key did not sign");
	if (ok && resign_join(&u->parts, issuer, span_of(signature, n), &whole, &err)) {
		u->then->done(u->call, u->by, whole);
	} else {
		u->then->refused(u->call, &err);
	}
	drop(u);
}

static bool
ask_for_signature(struct unsigned_one *u, struct err *err)
{
	EVP_PKEY *issuer = X509_get0_pubkey(u->by->authority->node);

	struct key_job job = resign_job(&u->parts, issuer, u->digest);

	u->ask.want = (struct wire_msg){.op = keys_op_for(issuer, &job),
		.ski = span_of(u->by->ski, KEY_SKI),
		.payload = job.input};
	u->ask.done = signature_came;
	return ask_pool_send(u->by->pool, &u->ask, err);
}

void
vault_sign(struct answer_call *c, struct known_authority *k, struct span der,
	const struct vault_signed *then)
{
	struct unsigned_one *u = mem_alloc(sizeof(*u));
	struct err err = {0};

	u->call = c;
	u->by = k;
	u->then = then;
	u->der = der;
	bool ok = resign_split(der, &u->parts, &err);
	if (ok && !k->pool) {
		sign_here(u);
		return;
	}
	if (ok && ask_for_signature(u, &err))
		return;
	then->refused(c, &err);
	drop(u);
}

// SPDX-License-Identifier: Apache-2.0
#include "keyless/elsewhere.h"

#include "base/clock.h"
#include "keyless/ask_pool.h"
#include "pki/cert.h"
#include "pki/identity.h"

static const struct elsewhere_key *
key_of(const struct remote_ask *asked)
{
	return CONTAINER_OF((uintptr_t)asked->key, const struct elsewhere_key, remote);
}

static void
came(struct ask *a)
{
	struct elsewhere *e = CONTAINER_OF(a, struct elsewhere, ask);
	struct remote_ask *asked = e->pending;

	e->pending = NULL;
	e->took_us = clock_us() - e->since_us;
	if (a->ok) {
		remote_answer(asked, a->answer);
	} else {
		e->err = a->err;
		remote_refuse(asked);
	}
	e->ready(e);
}

/* On the fibre's small stack. When it cannot even be sent, the handshake is refused
 * without a pause. */
static void
asked(struct remote_owner *o, struct remote_ask *asked)
{
	struct elsewhere *e = CONTAINER_OF(o, struct elsewhere, owner);
	const struct elsewhere_key *k = key_of(asked);

	e->ask.want =
		(struct wire_msg){.op = (uint8_t)asked->op, /* values are opcodes */
			.ski = span_of(k->remote.ski, REMOTE_SKI),
			.payload = asked->input,
			.name = e->name,
			.client_ip = e->client_ip,
			.server_ip = e->server_ip};
	e->ask.done = came;
	e->err = (struct err){0};
	e->since_us = clock_us();
	bool sent = k->pool ? ask_pool_send(k->pool, &e->ask, &e->err)
			    : ask_send(k->link, &e->ask, &e->err);
	if (sent) {
		e->pending = asked;
	} else {
		remote_refuse(asked);
	}
}

void
elsewhere_init(struct elsewhere *e, void (*ready)(struct elsewhere *e))
{
	*e = (struct elsewhere){.owner.asked = asked, .ready = ready};
}

void
elsewhere_drop(struct elsewhere *e)
{
	ask_cancel(&e->ask);
	e->pending = NULL;
}

bool
elsewhere_waits(const struct elsewhere *e)
{
	return e->pending != NULL;
}

struct identity *
elsewhere_identity(struct elsewhere_key *k, const struct chain *chain, struct err *err)
{
	struct cert *leaf = NULL;
	struct identity *id = NULL;

	if (chain->n == 0) {
		(void)err_set(err, ERR_PKI_IDENTITY, "there is no certificate");
		return NULL;
	}
	leaf = cert_parse(chain->der[0], err);
	X509 *x = leaf ? cert_x509(leaf, err) : NULL;
	EVP_PKEY *key = x ? remote_key_new(x, &k->remote, err) : NULL;
	if (key)
		id = identity_new(chain, key, err);
	EVP_PKEY_free(key); /* the identity took its own reference */
	cert_put(leaf);
	return id;
}

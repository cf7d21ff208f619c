// SPDX-License-Identifier: Apache-2.0
/*
 * dress: contexts that have an identity already.
 *
 * Each costs what a fifth of a handshake costs, and some memory, so an identity must
 * have been shown a number of times first. A table of a few places is enough: who has
 * a place keeps it while it is used more than those who want it.
 */
#include <openssl/err.h>

#include "base/mem.h"
#include "pki/identity.h"
#include "tls/profile_priv.h"

enum {
	USES_FIRST = 32, /* before one is made */
	USES_MOST = 256, /* that a place remembers */
};

static struct dress *
place_of(struct profile *p, const struct identity *id)
{
	/* Objects of one size lie at multiples of it: the upper bits are mixed in. */
	uint64_t h = (uint64_t)(uintptr_t)id * 0x9e3779b97f4a7c15U;

	if (!p->dresses)
		p->dresses = mem_array(PROFILE_DRESSES, sizeof(*p->dresses));
	return &p->dresses[(h >> 32) % PROFILE_DRESSES];
}

static void
leave(struct dress *d)
{
	if (d->ctx)
		identity_put((struct identity *)(uintptr_t)d->id);
	SSL_CTX_free(d->ctx);
	*d = (struct dress){0};
}

static SSL_CTX *
make(struct profile *p, struct identity *id)
{
	struct err err = {0};
	AUTO(SSL_CTX) *ctx = profile_context(p, &err);
	const STACK_OF(X509_NAME) *names = SSL_CTX_get0_CA_list(p->ctx);

	if (!ctx || SSL_CTX_use_cert_and_key(ctx, id->leaf, id->key, id->rest, 1) != 1)
		return NULL;
	if (names)
		SSL_CTX_set0_CA_list(ctx, SSL_dup_CA_list(names));
	(void)identity_get(id);
	return KEEP(ctx);
}

SSL_CTX *
dress_for(struct profile *p, struct identity *id)
{
	struct dress *d = place_of(p, id);

	if (d->id != id) {
		if (d->uses > 0) {
			d->uses--;
			return NULL;
		}
		leave(d);
		d->id = id;
	}
	if (d->uses < USES_MOST)
		d->uses++;
	if (d->ctx || d->uses < USES_FIRST)
		return d->ctx;
	d->ctx = make(p, id);
	if (!d->ctx) { /* what is wrong is said where it is used without */
		ERR_clear_error();
		d->uses = 0;
	}
	return d->ctx;
}

void
dress_free(struct profile *p)
{
	for (size_t i = 0; p->dresses && i < PROFILE_DRESSES; i++)
		leave(&p->dresses[i]);
	mem_free(p->dresses);
	p->dresses = NULL;
}

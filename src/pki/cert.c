// SPDX-License-Identifier: Apache-2.0
#include "pki/cert.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/must.h"
#include "pki/cert_priv.h"
#include "pki/chain.h"

/* One cache per process: what a certificate says depends on its octets alone, so there
 * is nothing to configure but the size. */
static struct {
	struct lru lru;
	bool ready;
} cache;

enum { CACHE_DEFAULT = 4 * 1024 * 1024, COST_PER_CERT = 4 * 1024 };

static void
forget(struct lru_item *item)
{
	struct cert *c = CONTAINER_OF(item, struct cert, cached);
	c->is_cached = false;
	cert_put(c);
}

static void
prepare_cache(void)
{
	if (cache.ready)
		return;
	lru_init(&cache.lru, CACHE_DEFAULT, forget);
	cache.ready = true;
}

void
cert_cache_limit(size_t bytes)
{
	if (cache.ready)
		lru_fini(&cache.lru);
	lru_init(&cache.lru, bytes, forget);
	cache.ready = true;
}

struct cert *
cert_get(struct cert *c)
{
	c->refs++;
	return c;
}

void
cert_put(struct cert *c)
{
	if (!c || --c->refs > 0)
		return;
	must(!c->is_cached); /* the cache holds a reference of its own */
	EVP_PKEY_free(c->key);
	X509_free(c->x509);
	mem_free((void *)(uintptr_t)c->der.p);
	mem_free(c);
}

static struct cert *
parse_afresh(struct span der, struct err *err)
{
	struct cert *c = mem_alloc(sizeof *c);
	uint8_t *copy = mem_alloc(der.n);

	for (size_t i = 0; i < der.n; i++)
		copy[i] = der.p[i];
	c->refs = 1;
	c->der = (struct span){copy, der.n};
	if (cert_read(c, err))
		return c;
	cert_put(c);
	return NULL;
}

struct cert *
cert_parse(struct span der, struct err *err)
{
	if (der.n == 0 || der.n > CERT_MAX) {
		err_set(err, ERR_PKI_CERT, "a certificate of %zu octets", der.n);
		return NULL;
	}
	prepare_cache();
	struct lru_item *item = cache.lru.budget > 0 ? lru_get(&cache.lru, der) : NULL;
	if (item)
		return cert_get(CONTAINER_OF(item, struct cert, cached));

	struct cert *c = parse_afresh(der, err);
	if (c && cache.lru.budget > 0) {
		c->is_cached = true;
		lru_add(&cache.lru, &cert_get(c)->cached, c->der,
			COST_PER_CERT + der.n);
	}
	return c;
}

struct cert *
cert_from_text(struct span pem_or_der, struct err *err)
{
	struct chain chain = {0};

	if (!chain_add_text(&chain, pem_or_der, err))
		return NULL;
	struct cert *c = cert_parse(chain.der[0], err);
	chain_fini(&chain);
	return c;
}

struct cert *
cert_load(const char *path, struct err *err)
{
	struct chain chain = {0};

	if (!chain_load(&chain, path, err))
		return NULL;
	struct cert *c = cert_parse(chain.der[0], err);
	chain_fini(&chain);
	if (!c)
		err_within(err, "%s", path);
	return c;
}

struct cert *
cert_from_x509(const X509 *x, struct err *err)
{
	AUTO_OCTETS *der = NULL;
	int n = i2d_X509(x, &der);

	if (n <= 0) {
		ossl_err(err, ERR_PKI_CERT, "encoding a certificate");
		return NULL;
	}
	return cert_parse(span_of(der, (size_t)n), err);
}

EVP_PKEY *
cert_key(struct cert *c, struct err *err)
{
	const uint8_t *p = c->spki.p;

	if (!c->key)
		c->key = d2i_PUBKEY(NULL, &p, (long)c->spki.n); /* under CERT_MAX */
	if (!c->key)
		ossl_err(err, ERR_PKI_CERT, "its public key");
	return c->key;
}

X509 *
cert_x509(struct cert *c, struct err *err)
{
	const uint8_t *p = c->der.p;

	if (!c->x509)
		c->x509 = d2i_X509(NULL, &p, (long)c->der.n);
	if (!c->x509)
		ossl_err(err, ERR_PKI_CERT, "OpenSSL cannot read it");
	return c->x509;
}

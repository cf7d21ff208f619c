// SPDX-License-Identifier: Apache-2.0
#include "tls/resume.h"

#include <string.h>

#include "base/mem.h"
#include "base/must.h"
#include "base/read.h"
#include "pki/digest.h"
#include "tls/engine_priv.h"
#include "tls/profile_priv.h"
#include "tls/resume_priv.h"

enum {
	/* What a session costs besides: OpenSSL's object, and each certificate parsed.
	 */
	SESSION_COST = 2048,
	CERT_COST = 5120,
};

void
resume_binding(uint8_t out[32], const struct span *parts, size_t n)
{
	must(digest_begin(DIGEST_SHA256));
	for (size_t i = 0; i < n; i++) {
		uint64_t length = parts[i].n;
		uint8_t head[8];
		struct write w = write_to(head, sizeof(head));
		write_be64(&w, length);
		digest_add(DIGEST_SHA256, span_of(head, sizeof(head)));
		digest_add(DIGEST_SHA256, parts[i]);
	}
	(void)digest_end(DIGEST_SHA256, out);
}

static void
free_session(struct lru_item *item)
{
	struct tls_session *s = CONTAINER_OF(item, struct tls_session, item);

	SSL_SESSION_free(s->ssl);
	mem_free(s);
}

void
resume_cache_init(struct resume_cache *c, size_t budget_bytes)
{
	lru_init(&c->lru, budget_bytes, free_session);
}

void
resume_cache_fini(struct resume_cache *c)
{
	lru_fini(&c->lru);
}

static bool
make_key(const struct resume_key *key, uint8_t out[RESUME_KEY])
{
	uint8_t text[1024];
	struct write w = write_to(text, sizeof(text));

	size_t host = write_open(&w, 2);
	write_span(&w, key->host);
	write_close(&w, host, 2);
	write_be(&w, key->port, 2);
	write_span(&w, span_of(key->policy, PROFILE_POLICY));
	write_be64(&w, key->trust_epoch);
	write_span(&w, key->alpn);
	struct span s = write_done(&w);
	if (s.n == 0)
		return false;
	digest_sha256(s, out);
	return true;
}

static struct tls_session *
find(struct resume_cache *c, const struct resume_key *key)
{
	uint8_t digest[RESUME_KEY];

	if (!make_key(key, digest))
		return NULL;
	struct lru_item *item = lru_get(&c->lru, span_of(digest, sizeof(digest)));
	return item ? CONTAINER_OF(item, struct tls_session, item) : NULL;
}

struct tls_session *
resume_get(struct resume_cache *c, const struct resume_key *key)
{
	struct tls_session *s = find(c, key);

	/* OpenSSL marks a session as spent when a connection of it broke. */
	if (!s || SSL_SESSION_is_resumable(s->ssl))
		return s;
	resume_drop(c, key);
	return NULL;
}

static size_t
session_cost(const struct tls *t)
{
	const STACK_OF(X509) *chain = SSL_get_peer_cert_chain(t->ssl);
	int n = chain ? sk_X509_num(chain) : 1;

	return sizeof(struct tls_session) + SESSION_COST + (size_t)n * CERT_COST;
}

bool
resume_put(struct resume_cache *c, const struct resume_key *key, struct tls *t)
{
	uint8_t digest[RESUME_KEY];

	if (!t->accepted || !t->session || !SSL_SESSION_is_resumable(t->session) ||
		!make_key(key, digest))
		return false;
	struct tls_session *old = find(c, key);
	if (old && old->ssl == t->session)
		return true;
	resume_drop(c, key);

	struct tls_session *s = mem_alloc(sizeof(*s));
	must(SSL_SESSION_up_ref(t->session) == 1);
	s->ssl = t->session;
	memcpy(s->key, digest, sizeof(s->key)); /* both RESUME_KEY */
	lru_add(&c->lru, &s->item, span_of(s->key, sizeof(s->key)), session_cost(t));
	return true;
}

void
resume_drop(struct resume_cache *c, const struct resume_key *key)
{
	struct tls_session *s = find(c, key);

	if (!s)
		return;
	lru_remove(&c->lru, &s->item);
	free_session(&s->item);
}

// SPDX-License-Identifier: Apache-2.0
#include "tls/resume.h"

#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/read.h"
#include "tls/engine_priv.h"
#include "tls/profile_priv.h"
#include "tls/resume_priv.h"

enum {
	NAME = 16, /* of a ticket's key, in the clear in front: hour, and 12 octets of
		      MAC */
	NAME_HOUR = 4,
	HOURS = 64,     /* derived keys kept; more than TICKETS_LIFE_MAX_S has hours */
	SKEW_HOURS = 1, /* a fleet's clocks may differ by this */
	/* What a session costs besides: OpenSSL's object, and each certificate parsed.
	 */
	SESSION_COST = 2048,
	CERT_COST = 5120,
};

/* ---- tickets ---- */

struct hour_key {
	bool made;
	uint32_t hour; /* since 1970 */
	uint8_t name[NAME];
	uint8_t cipher[32];
	uint8_t mac[32];
};

struct tickets {
	uint8_t secret[TICKETS_SECRET];
	uint32_t life_s;
	struct hour_key keys[HOURS]; /* at hour % HOURS */
};

struct tickets *
tickets_new(const uint8_t secret[TICKETS_SECRET], uint32_t life_s)
{
	struct tickets *t = mem_alloc(sizeof(*t));

	must(life_s <= TICKETS_LIFE_MAX_S);
	memcpy(t->secret, secret, sizeof(t->secret)); /* both TICKETS_SECRET */
	t->life_s = life_s;
	return t;
}

void
tickets_free(struct tickets *t)
{
	if (!t)
		return;
	secret_wipe(t, sizeof(*t));
	mem_free(t);
}

/* 32 octets that nobody without the secret can tell from chance: HMAC-SHA-256 of what
 * they are for and the hour. */
static void
derive(const struct tickets *t, const char *what, uint32_t hour, uint8_t out[32])
{
	uint8_t label[32];
	unsigned n = 0;
	struct write w = write_to(label, sizeof(label));

	write_span(&w, span_str(what));
	write_be(&w, hour, 4);
	struct span s = write_done(&w);
	must(HMAC(EVP_sha256(), t->secret, TICKETS_SECRET, s.p, s.n, out, &n) &&
		n == 32);
}

static const struct hour_key *
key_of_hour(struct tickets *t, uint32_t hour)
{
	struct hour_key *k = &t->keys[hour % HOURS];
	uint8_t tag[32];

	if (k->made && k->hour == hour)
		return k;
	derive(t, "sekisho ticket cipher", hour, k->cipher);
	derive(t, "sekisho ticket mac", hour, k->mac);
	derive(t, "sekisho ticket name", hour, tag);
	struct write w = write_to(k->name, sizeof(k->name));
	write_be(&w, hour, NAME_HOUR);
	write_span(&w, span_of(tag, NAME - NAME_HOUR));
	k->hour = hour;
	k->made = true;
	return k;
}

static uint32_t
this_hour(void)
{
	return (uint32_t)(clock_wall() / TICKETS_HOUR_S); /* fits for 490,000 years */
}

/* The key a ticket names, or NULL: not ours, too old, or from the future. */
static const struct hour_key *
find_key(struct tickets *t, const uint8_t *name)
{
	struct read r = read_from(span_of(name, NAME));
	uint32_t hour = read_be(&r, NAME_HOUR);
	uint32_t now = this_hour();
	uint32_t oldest = now - (t->life_s + TICKETS_HOUR_S - 1) / TICKETS_HOUR_S;

	if (hour < oldest || hour > now + SKEW_HOURS)
		return NULL;
	const struct hour_key *k = key_of_hour(t, hour);
	return secret_eq(k->name, name, NAME) ? k : NULL;
}

static bool
set_mac(EVP_MAC_CTX *mac, const struct hour_key *k)
{
	char sha256[] = "SHA256";
	uint8_t key[sizeof(k->mac)];
	OSSL_PARAM params[] = {
		OSSL_PARAM_octet_string(OSSL_MAC_PARAM_KEY, key, sizeof(key)),
		OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
		OSSL_PARAM_END,
	};

	memcpy(key, k->mac, sizeof(key)); /* of the same size by its declaration */
	bool ok = EVP_MAC_CTX_set_params(mac, params) == 1;
	secret_wipe(key, sizeof(key));
	return ok;
}

static int
seal_ticket(struct tickets *t, unsigned char *name, unsigned char *iv,
	EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
	const struct hour_key *k = key_of_hour(t, this_hour());

	if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1 ||
		EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, k->cipher, iv) !=
			1 ||
		!set_mac(mac, k))
		return -1;
	memcpy(name, k->name, NAME); /* OpenSSL's field has as many */
	return 1;
}

int
resume_ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv,
	EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seal)
{
	struct tickets *t = profile_of(SSL_get_SSL_CTX(ssl))->tickets;

	if (seal)
		return seal_ticket(t, name, iv, cipher, mac);
	const struct hour_key *k = find_key(t, name);
	if (!k)
		return 0; /* a full handshake */
	if (EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, k->cipher, iv) != 1 ||
		!set_mac(mac, k))
		return -1;
	return k->hour == this_hour() ? 1 : 2; /* 2: and give it a new one */
}

/* ---- sessions with origins ---- */

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
	return s.n > 0 && SHA256(s.p, s.n, out) != NULL;
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

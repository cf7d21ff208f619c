// SPDX-License-Identifier: Apache-2.0
/*
 * tickets: keys of session tickets, derived and never handed round (see resume.h).
 */
#include <openssl/core_names.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/read.h"
#include "pki/seal.h"
#include "tls/profile_priv.h"
#include "tls/resume_priv.h"

enum {
	/* of a ticket's key, in the clear in front: hour, and octets of MAC */
	NAME = 16,
	NAME_HOUR = 4,
	HOURS = 64,     /* derived keys kept; more than TICKETS_LIFE_MAX_S has hours */
	SKEW_HOURS = 1, /* a fleet's clocks may differ by this */
	HOURS_A_DAY = 24,
	DAYS = 8, /* secrets of days kept; more than TICKETS_LIFE_MAX_S and tomorrow */
};

struct hour_key {
	bool made;
	uint32_t hour; /* since 1970 */
	uint8_t name[NAME];
	uint8_t cipher[32];
	uint8_t mac[32];
};

struct day_secret {
	bool set;
	uint32_t day; /* since 1970 */
	uint8_t secret[TICKETS_SECRET];
};

struct tickets {
	uint8_t secret[TICKETS_SECRET];
	uint32_t life_s;
	struct hour_key keys[HOURS];   /* of `secret`, at hour % HOURS */
	struct day_secret days[DAYS];  /* at day % DAYS */
	struct hour_key shared[HOURS]; /* of those, at hour % HOURS */
	EVP_CIPHER *aes; /* AES-256-CBC, looked up once and not for each ticket */
};

struct tickets *
tickets_new(const uint8_t secret[TICKETS_SECRET], uint32_t life_s)
{
	struct tickets *t = mem_alloc(sizeof(*t));

	must(life_s <= TICKETS_LIFE_MAX_S);
	memcpy(t->secret, secret, sizeof(t->secret)); /* both TICKETS_SECRET */
	t->life_s = life_s;
	t->aes = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	must(t->aes); /* every library that has TLS has it */
	return t;
}

void
tickets_free(struct tickets *t)
{
	if (!t)
		return;
	EVP_CIPHER_free(t->aes);
	secret_wipe(t, sizeof(*t));
	mem_free(t);
}

/* 32 octets that nobody without the secret can tell from chance: HMAC-SHA-256 of what
 * they are for and the hour. */
static void
derive(const uint8_t *secret, const char *what, uint32_t hour, uint8_t out[32])
{
	uint8_t label[32];
	unsigned n = 0;
	struct write w = write_to(label, sizeof(label));

	write_span(&w, span_str(what));
	write_be(&w, hour, 4);
	struct span s = write_done(&w);
	must(HMAC(EVP_sha256(), secret, TICKETS_SECRET, s.p, s.n, out, &n) && n == 32);
}

void
tickets_seal(const struct tickets *t, struct seal *seal)
{
	uint8_t secret[SEAL_SECRET];

	derive(t->secret, "sekisho session id", 0, secret);
	seal_init(seal, secret, t->life_s);
	secret_wipe(secret, sizeof(secret));
}

static const struct hour_key *
make_key(struct hour_key *k, const uint8_t *secret, uint32_t hour)
{
	uint8_t tag[32];

	if (k->made && k->hour == hour)
		return k;
	derive(secret, "sekisho ticket cipher", hour, k->cipher);
	derive(secret, "sekisho ticket mac", hour, k->mac);
	derive(secret, "sekisho ticket name", hour, tag);
	struct write w = write_to(k->name, sizeof(k->name));
	write_be(&w, hour, NAME_HOUR);
	write_span(&w, span_of(tag, NAME - NAME_HOUR));
	k->hour = hour;
	k->made = true;
	return k;
}

/* What everybody with the day's secret has; NULL while it is not here. */
static const struct hour_key *
shared_key(struct tickets *t, uint32_t hour)
{
	const struct day_secret *d = &t->days[hour / HOURS_A_DAY % DAYS];

	return d->set && d->day == hour / HOURS_A_DAY
		? make_key(&t->shared[hour % HOURS], d->secret, hour)
		: NULL;
}

static const struct hour_key *
own_key(struct tickets *t, uint32_t hour)
{
	return make_key(&t->keys[hour % HOURS], t->secret, hour);
}

void
tickets_set_day(struct tickets *t, uint32_t day, const uint8_t secret[TICKETS_SECRET])
{
	struct day_secret *d = &t->days[day % DAYS];

	d->day = day;
	memcpy(d->secret, secret, sizeof(d->secret)); /* both TICKETS_SECRET */
	d->set = true;
	for (uint32_t i = 0; i < HOURS; i++) {
		if (t->shared[i].hour / HOURS_A_DAY == day)
			t->shared[i].made = false; /* of another secret */
	}
}

bool
tickets_has_day(const struct tickets *t, uint32_t day)
{
	return t->days[day % DAYS].set && t->days[day % DAYS].day == day;
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
	const struct hour_key *k = shared_key(t, hour);
	if (k && secret_eq(k->name, name, NAME))
		return k;
	k = own_key(t, hour); /* of a time when the day's secret was not here */
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
	const struct hour_key *k = shared_key(t, this_hour());

	if (!k)
		k = own_key(t, this_hour());
	if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(t->aes)) != 1 ||
		EVP_EncryptInit_ex(cipher, t->aes, NULL, k->cipher, iv) != 1 ||
		!set_mac(mac, k))
		return -1;
	memcpy(name, k->name, NAME); /* OpenSSL's field has as many */
	return 1;
}

// NOLINTBEGIN(readability-function-size): OpenSSL's signature
int
tickets_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
	EVP_MAC_CTX *mac, int seal)
{
	struct tickets *t = profile_of(SSL_get_SSL_CTX(ssl))->spec.tickets;

	if (seal)
		return seal_ticket(t, name, iv, cipher, mac);
	const struct hour_key *k = find_key(t, name);
	if (!k)
		return 0; /* a full handshake */
	if (EVP_DecryptInit_ex(cipher, t->aes, NULL, k->cipher, iv) != 1 ||
		!set_mac(mac, k))
		return -1;
	/* 2: and give it a new one. In TLS 1.3 always: clients use a ticket once. */
	return k->hour == this_hour() && SSL_version(ssl) < TLS1_3_VERSION ? 1 : 2;
}
// NOLINTEND(readability-function-size)

// SPDX-License-Identifier: Apache-2.0
/*
 * resume: sessions that go on where an earlier one stopped, and never under another
 * policy.
 *
 * Servers keep nothing: the session is in the client's ticket, sealed with a key that
 * is derived from one secret and the hour, so every worker, every generation after a
 * reload and every node of a fleet opens the others' tickets, and nobody has to hand
 * keys round. Clients (we, towards origins) keep sessions in a cache per worker, keyed
 * by everything the verdict on the origin depended on.
 */
#pragma once

#include "base/err.h"
#include "base/lru.h"
#include "base/span.h"

struct tls;

/* ---- tickets of our servers ---- */

enum {
	TICKETS_SECRET = 32,
	TICKETS_HOUR_S = 3600,
	TICKETS_LIFE_MAX_S = 48 * 3600,
};

struct tickets;

/* secret: shared by all who are to open these tickets; copied. Tickets older than
 * life_s (5 minutes to 48 hours) are refused whatever is in them. */
struct tickets *tickets_new(const uint8_t secret[TICKETS_SECRET], uint32_t life_s);
/* The tickets of this day (since 1970, UTC) are sealed with another secret from now on;
 * those of `secret` can still be opened. Secrets of seven days back are forgotten. */
void tickets_set_day(
	struct tickets *t, uint32_t day, const uint8_t secret[TICKETS_SECRET]);
MUST_USE bool tickets_has_day(const struct tickets *t, uint32_t day);
/* Wipes. After every profile that uses it. NULL is fine. */
void tickets_free(struct tickets *t);

/*
 * What a session is bound to (profile_spec.policy, tls_server_spec.binding): SHA-256
 * over the parts, each behind its length. Same parts, same octets, in every process and
 * on every node of a fleet. out has 32 octets.
 */
void resume_binding(uint8_t out[32], const struct span *parts, size_t n);

/* ---- sessions with origins ---- */

struct tls_session;

struct resume_cache {
	struct lru lru;
};

enum { RESUME_KEY = 32 };

/* What a session is for. All of it must be equal for one to be resumed. */
struct resume_key {
	struct span host; /* name that was verified, as the verifier got it */
	uint16_t port;
	const uint8_t *policy; /* PROFILE_POLICY octets: profile_policy() */
	uint64_t trust_epoch;  /* rises when roots or revocation knowledge change */
	struct span alpn;      /* as offered; servers bind sessions to it */
};

void resume_cache_init(struct resume_cache *c, size_t budget_bytes);
void resume_cache_fini(struct resume_cache *c);
/* The newest session for this, or NULL. Valid until the cache is touched again: give it
 * to tls_client_new() at once. */
MUST_USE struct tls_session *resume_get(
	struct resume_cache *c, const struct resume_key *key);
/*
 * Keeps the newest session of t if it has one that can be resumed and tls_accept() was
 * called; in TLS 1.3 tickets come after the handshake, so call when the connection has
 * been read from, or when it ends. Returns whether something was kept.
 */
bool resume_put(struct resume_cache *c, const struct resume_key *key, struct tls *t);
/* Forgets the session: after the origin failed the verdict or the handshake. */
void resume_drop(struct resume_cache *c, const struct resume_key *key);

// SPDX-License-Identifier: Apache-2.0
#include "tls/ids.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/read.h"
#include "pki/digest.h"
#include "pki/seal.h"
#include "tls/profile_priv.h"
#include "tls/resume_priv.h"

enum { WAYS = 8, DIGEST = 16 };

/*
 * A slot is written by who has made `turn` odd, and read by anybody: a reader that saw
 * it change reads nothing, and what it copied is authenticated all the same. A worker
 * that dies while it writes leaves the slot odd: one session less until the next start.
 */
struct slot {
	_Atomic uint32_t turn;
	_Atomic uint32_t used_s; /* clock_wall() of the last use; 0: free */
	uint32_t n;              /* octets of body */
	uint8_t digest[DIGEST];  /* of the id */
	uint8_t body[DIGEST + IDS_SESSION_MAX + SEAL_OVERHEAD];
};

struct ids {
	unsigned holders;
	size_t n;
	struct slot *slots; /* shared */
};

struct ids *
ids_new(size_t slots, struct err *err)
{
	void *p = mmap(NULL, slots * sizeof(struct slot), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		(void)err_errno(err, ERR_SYSTEM, errno, "memory for TLS sessions");
		return NULL;
	}
	struct ids *ids = mem_alloc(sizeof(*ids));
	*ids = (struct ids){1, slots, p};
	return ids;
}

struct ids *
ids_get(struct ids *ids)
{
	ids->holders++;
	return ids;
}

void
ids_put(struct ids *ids)
{
	if (!ids || --ids->holders > 0)
		return;
	(void)munmap(ids->slots, ids->n * sizeof(struct slot));
	mem_free(ids);
}

/* The set of slots an id may be in. */
static struct slot *
find_set(struct ids *ids, struct span id, uint8_t digest[DIGEST])
{
	uint8_t whole[DIGEST_SHA256_SIZE];
	uint64_t at = 0;

	digest_sha256(id, whole);
	memcpy(digest, whole, DIGEST); /* the first half */
	memcpy(&at, whole + DIGEST, sizeof(at));
	return &ids->slots[at & (ids->n - 1) & ~(size_t)(WAYS - 1)];
}

static struct slot *
find_slot(struct slot *set, const uint8_t digest[DIGEST])
{
	for (size_t i = 0; i < WAYS; i++) {
		if (atomic_load(&set[i].used_s) != 0 &&
			memcmp(set[i].digest, digest, DIGEST) == 0)
			return &set[i];
	}
	return NULL;
}

static struct slot *
find_oldest(struct slot *set)
{
	struct slot *best = set;

	for (size_t i = 1; i < WAYS; i++) {
		if (atomic_load(&set[i].used_s) < atomic_load(&best->used_s))
			best = &set[i];
	}
	return best;
}

static bool
seize(struct slot *s, uint32_t *turn)
{
	*turn = atomic_load(&s->turn);
	return *turn % 2 == 0 &&
		atomic_compare_exchange_strong(&s->turn, turn, *turn + 1);
}

static void
release(struct slot *s, uint32_t turn)
{
	atomic_store(&s->turn, turn + 2);
}

static uint32_t
now_s(void)
{
	return (uint32_t)clock_wall(); /* until 2106 */
}

/* What is sealed begins with the digest: a blob under another id opens for nobody. */
static bool
seal_slot(struct slot *s, struct tickets *t, struct span session)
{
	uint8_t text[DIGEST + IDS_SESSION_MAX];
	struct write w = write_to(text, sizeof(text));
	struct seal seal;
	struct err ignored = {0};

	write_span(&w, span_of(s->digest, DIGEST));
	write_span(&w, session);
	tickets_seal(t, &seal);
	bool ok = seal_close(&seal, write_done(&w), clock_wall(), s->body, &ignored);
	s->n = ok ? (uint32_t)(w.n + SEAL_OVERHEAD) : 0; /* bounded by text[] */
	seal_fini(&seal);
	secret_wipe(text, sizeof(text));
	return ok;
}

/* s is a copy of our own; text has as many octets as its body. */
static struct span
open_slot(const struct slot *s, struct tickets *t, const uint8_t digest[DIGEST],
	uint8_t *text)
{
	struct seal seal;
	size_t n = 0;

	if (s->n > sizeof(s->body))
		return (struct span){0};
	tickets_seal(t, &seal);
	bool ok = seal_open(&seal, span_of(s->body, s->n), clock_wall(), text, &n) ==
			SEAL_OPENED &&
		n > DIGEST && memcmp(text, digest, DIGEST) == 0;
	seal_fini(&seal);
	return ok ? span_of(text + DIGEST, n - DIGEST) : (struct span){0};
}

bool
ids_keep(struct ids *ids, struct tickets *t, struct span id, struct span session)
{
	uint8_t digest[DIGEST];
	uint32_t turn;

	if (session.n > IDS_SESSION_MAX)
		return false;
	struct slot *set = find_set(ids, id, digest);
	struct slot *s = find_slot(set, digest);
	if (!s)
		s = find_oldest(set);
	if (!seize(s, &turn))
		return false;
	memcpy(s->digest, digest, DIGEST); /* of the same size */
	bool ok = seal_slot(s, t, session);
	atomic_store(&s->used_s, ok ? now_s() : 0);
	release(s, turn);
	return ok;
}

/* Copies what is in the slot as a whole. */
static bool
copy_slot(struct slot *dst, struct slot *s)
{
	uint32_t turn = atomic_load(&s->turn);

	if (turn % 2 != 0)
		return false;
	memcpy(dst, s, sizeof(*dst)); /* both one slot */
	atomic_thread_fence(memory_order_acquire);
	return atomic_load(&s->turn) == turn;
}

struct span
ids_recall(struct ids *ids, struct tickets *t, struct span id, uint8_t *dst)
{
	uint8_t digest[DIGEST];
	struct slot *s = find_slot(find_set(ids, id, digest), digest);
	struct span found = {0};

	if (!s)
		return found;
	struct slot *copy = mem_alloc(sizeof(*copy));
	uint8_t *text = mem_alloc(sizeof(copy->body));
	if (copy_slot(copy, s))
		found = open_slot(copy, t, digest, text);
	if (found.n > 0) {
		memcpy(dst, found.p, found.n); /* at most IDS_SESSION_MAX */
		found.p = dst;
		atomic_store(&s->used_s, now_s());
	}
	secret_wipe(text, sizeof(copy->body));
	mem_free(text);
	mem_free(copy);
	return found;
}

void
ids_forget(struct ids *ids, struct span id)
{
	uint8_t digest[DIGEST];
	uint32_t turn;
	struct slot *s = find_slot(find_set(ids, id, digest), digest);

	if (!s || !seize(s, &turn))
		return;
	atomic_store(&s->used_s, 0);
	memset(s->digest, 0, DIGEST);
	memset(s->body, 0, sizeof(s->body));
	s->n = 0;
	release(s, turn);
}

/* ---- OpenSSL's cache of sessions, elsewhere ---- */

static struct span
id_of(const SSL_SESSION *session)
{
	unsigned n = 0;
	const unsigned char *p = SSL_SESSION_get_id(session, &n);

	return span_of(p, n);
}

/* TLS 1.3 keeps its sessions in tickets, whatever OpenSSL calls them by. */
static int
keep(SSL *ssl, SSL_SESSION *session)
{
	const struct profile *p = profile_of(SSL_get_SSL_CTX(ssl));
	uint8_t der[IDS_SESSION_MAX];
	uint8_t *at = der;

	if (SSL_version(ssl) >= TLS1_3_VERSION || id_of(session).n == 0)
		return 0;
	int n = i2d_SSL_SESSION(session, NULL);
	if (n <= 0 || n > IDS_SESSION_MAX || i2d_SSL_SESSION(session, &at) != n)
		return 0;
	(void)ids_keep(
		p->spec.ids, p->spec.tickets, id_of(session), span_of(der, (size_t)n));
	secret_wipe(der, sizeof(der));
	return 0; /* we hold no reference */
}

static SSL_SESSION *
recall(SSL *ssl, const unsigned char *id, int id_n, int *copy)
{
	const struct profile *p = profile_of(SSL_get_SSL_CTX(ssl));
	uint8_t der[IDS_SESSION_MAX];
	const uint8_t *at = der;
	struct span found = {0};

	*copy = 0; /* the reference goes to OpenSSL */
	if (id_n > 0) {
		found = ids_recall(
			p->spec.ids, p->spec.tickets, span_of(id, (size_t)id_n), der);
	}
	SSL_SESSION *session =
		found.n > 0 ? d2i_SSL_SESSION(NULL, &at, (long)found.n) : NULL;
	secret_wipe(der, sizeof(der));
	return session;
}

static void
forget(SSL_CTX *ctx, SSL_SESSION *session)
{
	ids_forget(profile_of(ctx)->spec.ids, id_of(session));
}

void
ids_prepare(SSL_CTX *ctx)
{
	SSL_CTX_set_session_cache_mode(
		ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, keep);
	SSL_CTX_sess_set_get_cb(ctx, recall);
	SSL_CTX_sess_set_remove_cb(ctx, forget);
}

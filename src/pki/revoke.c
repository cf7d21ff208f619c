// SPDX-License-Identifier: Apache-2.0
#include "pki/revoke.h"

#include <openssl/pem.h>
#include <openssl/sha.h>

#include "base/clock.h"
#include "base/mem.h"
#include "pki/revoke_priv.h"

enum { ANSWERS_SHARE = 4 };

struct kept {
	struct lru_item item; /* by issuer's key and serial */
	uint8_t key[CERT_HASH];
	uint8_t source[CERT_HASH]; /* SHA-256 of the response */
	struct ocsp_answer answer;
};

/* A key that signed lists we have: one, or one for each part. */
struct signer {
	struct map_item by_key;
	uint8_t key[CERT_HASH];
	struct list crls;
};

struct revoke {
	struct list crls;     /* the longest here first */
	struct list unproven; /* of them, whose authority was not met yet */
	struct map signers;
	size_t crl_bytes;
	size_t crl_budget;
	bool is_short; /* a list went to make room */
	struct lru answers;
};

static void
forget_answer(struct lru_item *item)
{
	mem_free(CONTAINER_OF(item, struct kept, item));
}

struct revoke *
revoke_new(size_t budget)
{
	struct revoke *r = mem_alloc(sizeof *r);

	list_init(&r->crls);
	list_init(&r->unproven);
	map_init(&r->signers);
	r->crl_budget = budget - budget / ANSWERS_SHARE;
	lru_init(&r->answers, budget / ANSWERS_SHARE, forget_answer);
	return r;
}

static struct signer *
find_signer(const struct revoke *r, const uint8_t key[CERT_HASH])
{
	struct map_item *item = map_get(&r->signers, span_of(key, CERT_HASH));
	return item ? CONTAINER_OF(item, struct signer, by_key) : NULL;
}

static struct signer *
add_signer(struct revoke *r, const uint8_t key[CERT_HASH])
{
	struct signer *s = mem_alloc(sizeof *s);

	for (size_t i = 0; i < CERT_HASH; i++)
		s->key[i] = key[i];
	list_init(&s->crls);
	map_add(&r->signers, &s->by_key, span_of(s->key, CERT_HASH));
	return s;
}

/* The list is the caller's. */
static void
leave(struct revoke *r, struct crl *c)
{
	struct signer *s = c->proven ? find_signer(r, c->signer) : NULL;

	r->crl_bytes -= c->cost;
	list_leave(&c->all);
	list_leave(&c->kin);
	if (!s || !list_empty(&s->crls))
		return;
	map_remove(&r->signers, &s->by_key);
	mem_free(s);
}

static void
drop_crl(struct revoke *r, struct crl *c)
{
	leave(r, c);
	crl_free(c);
}

bool
revoke_is_short(const struct revoke *r)
{
	return r->is_short;
}

size_t
revoke_list_bytes(const struct revoke *r)
{
	return r->crl_bytes;
}

void
revoke_free(struct revoke *r)
{
	if (!r)
		return;
	LIST_EACH (it, &r->crls)
		drop_crl(r, CONTAINER_OF(it, struct crl, all));
	map_fini(&r->signers);
	lru_fini(&r->answers);
	mem_free(r);
}

bool
crl_from_pem(struct span text, struct span *der, struct err *err)
{
	AUTO(BIO) *bio =
		BIO_new_mem_buf(text.p, (int)text.n); /* under REVOKE_CRL_MAX */
	AUTO(X509_CRL) *crl =
		bio ? PEM_read_bio_X509_CRL(bio, NULL, ossl_no_passphrase, NULL) : NULL;
	AUTO_OCTETS *p = NULL;
	int n = crl ? i2d_X509_CRL(crl, &p) : -1;

	if (n <= 0)
		return ossl_err(err, ERR_PKI_CRL, "no list in PEM form");
	*der = (struct span){
		(const uint8_t *)mem_cstr(span_of(p, (size_t)n)), (size_t)n};
	return true;
}

/*
 * An authority that has a new key, and another one that took its name, each have a list
 * of their own: only the same key's list of the same part replaces one, and only when
 * it is proven. Among equals the later to come counts.
 */
static bool
is_needless(const struct crl *c, const struct crl *other)
{
	return crl_supersedes(other, c) || crl_replaces(other, c);
}

/* Puts a proven list among those of its key; of what is there and itself, only what says
 * something that no other one does stays. */
static void
join_signer(struct revoke *r, struct crl *c)
{
	struct signer *s = find_signer(r, c->signer);

	if (!s)
		s = add_signer(r, c->signer);
	LIST_EACH (it, &s->crls) {
		struct crl *other = CONTAINER_OF(it, struct crl, kin);
		if (is_needless(c, other) && !crl_supersedes(c, other)) {
			drop_crl(r, c);
			return;
		}
	}
	list_push(&s->crls, &c->kin);
	LIST_EACH (it, &s->crls) {
		struct crl *other = CONTAINER_OF(it, struct crl, kin);
		if (other != c && is_needless(other, c))
			drop_crl(r, other);
	}
}

/* What nobody proved goes first, then who is here longest; the last to come stays. */
static void
make_room(struct revoke *r)
{
	while (r->crl_bytes > r->crl_budget) {
		struct list *first = list_first(&r->unproven);
		struct crl *c = first
			? CONTAINER_OF(first, struct crl, kin)
			: CONTAINER_OF(list_first(&r->crls), struct crl, all);
		if (&c->all == r->crls.prev)
			return;
		drop_crl(r, c);
		r->is_short = true;
	}
}

void
revoke_keep_list(struct revoke *r, struct crl *c)
{
	list_push(&r->crls, &c->all);
	r->crl_bytes += c->cost;
	if (c->proven) {
		join_signer(r, c);
	} else {
		list_push(&r->unproven, &c->kin);
	}
	make_room(r);
}

/* PEM or DER. NULL with *err. */
static struct crl *
read_text(struct span text, struct err *err)
{
	struct span der = text;
	bool is_pem = text.n > 0 && text.p[0] != 0x30;

	if (text.n == 0 || text.n > REVOKE_CRL_MAX) {
		err_set(err, ERR_PKI_CRL, "%zu octets", text.n);
		return NULL;
	}
	if (is_pem && !crl_from_pem(text, &der, err))
		return NULL;
	struct crl *c = crl_read(der, err);
	if (is_pem)
		mem_free((void *)(uintptr_t)der.p);
	return c;
}

bool
revoke_add_crl(struct revoke *r, struct span text, struct err *err)
{
	struct crl *c = read_text(text, err);

	if (!c)
		return false;
	revoke_keep_list(r, c);
	return true;
}

bool
revoke_add_crl_of(
	struct revoke *r, struct span text, struct cert *issuer, struct err *err)
{
	struct revoke_reading *reading = revoke_reading_new(text, issuer, err);
	enum revoke_turn turn = reading ? REVOKE_MORE : REVOKE_FAILED;

	while (turn == REVOKE_MORE)
		turn = revoke_reading_advance(reading, r, err);
	revoke_reading_free(reading);
	return turn == REVOKE_READ;
}

bool
revoke_read_crl(struct span crl, struct cert *const *issuers, size_t n,
	struct revoke_list *out, struct err *err)
{
	struct crl *c = read_text(crl, err);

	if (!c)
		return false;
	*out = (struct revoke_list){.this_update = c->this_update,
		.next_update = c->next_update,
		.n = c->revoked.n,
		.is_delta = crl_is_delta(c)};
	if (!span_copy(out->freshest, sizeof(out->freshest), c->freshest))
		out->freshest[0] = '\0';
	for (size_t i = 0; i < n && !out->issuer; i++) {
		if (cert_names_eq(c->issuer, issuers[i]->subject) &&
			crl_is_proven(c, issuers[i]))
			out->issuer = issuers[i];
	}
	crl_free(c);
	return true;
}

/* Lists that came without their authority find their place when it is met. */
static void
prove_lists(struct revoke *r, struct span name, struct cert *issuer)
{
	LIST_EACH (it, &r->unproven) {
		struct crl *crl = CONTAINER_OF(it, struct crl, kin);
		if (!cert_names_eq(crl->issuer, name) || !crl_is_proven(crl, issuer))
			continue;
		list_leave(&crl->kin);
		join_signer(r, crl);
	}
}

void
revoke_meet(struct revoke *r, struct cert *authority)
{
	prove_lists(r, authority->subject, authority);
}

void
revoke_carry(struct revoke *r, struct revoke *from)
{
	LIST_EACH (it, &from->crls) {
		struct crl *c = CONTAINER_OF(it, struct crl, all);
		if (!c->proven || !crl_is_delta(c) ||
			r->crl_bytes + c->cost > r->crl_budget)
			continue;
		leave(from, c);
		revoke_keep_list(r, c);
	}
}

/* Of whom a list of the issuer's key speaks, its name looked at as well: one key may
 * have two. */
static enum crl_scope
scope_for(const struct crl *crl, const struct cert *c)
{
	return cert_names_eq(crl->issuer, c->issuer) ? crl_scope(crl, c) : CRL_NOT_ITS;
}

static bool
is_current(const struct crl *crl, int64_t now)
{
	return crl->this_update <= now + REVOKE_SKEW_S && crl->next_update >= now;
}

/* The latest changes to a whole list; NULL: there are none. A change that takes a
 * revocation back counts only while it is current: who kept an old one could serve it
 * for ever. */
static const struct crl *
changes_to(const struct signer *s, const struct crl *whole, int64_t now)
{
	const struct crl *latest = NULL;

	LIST_EACH (it, &s->crls) {
		const struct crl *delta = CONTAINER_OF(it, struct crl, kin);
		if (crl_changes(delta, whole) && is_current(delta, now) &&
			(!latest || crl_is_later(delta, latest)))
			latest = delta;
	}
	return latest;
}

/* RFC 5280 §5.2.4: a whole list with its changes is as current as these are. */
static enum revoke_state
ask_whole(const struct signer *s, const struct crl *whole, const struct cert *c,
	int64_t now)
{
	const struct crl *delta = changes_to(s, whole, now);

	/* A list that has ended still proves what was revoked, and nothing good. */
	if (crl_lists(whole, c->serial) && !(delta && crl_lifts(delta, c->serial)))
		return REVOKE_REVOKED;
	return delta || is_current(whole, now) ? REVOKE_GOOD : REVOKE_UNKNOWN;
}

/* Whether a whole list, with the latest changes to it, has all that a delta says. */
static bool
is_caught_up(const struct signer *s, const struct crl *delta, const struct crl *whole,
	int64_t now)
{
	if (!crl_changes(delta, whole))
		return crl_replaces(whole, delta);
	const struct crl *latest = changes_to(s, whole, now);
	return latest && crl_is_later(latest, delta);
}

/* What changes add stands by itself, until a whole list has caught up with them. */
static enum revoke_state
ask_delta(const struct signer *s, const struct crl *delta, const struct cert *c,
	int64_t now)
{
	if (!crl_lists(delta, c->serial))
		return REVOKE_UNKNOWN;
	LIST_EACH (it, &s->crls) {
		if (is_caught_up(s, delta, CONTAINER_OF(it, struct crl, kin), now))
			return REVOKE_UNKNOWN;
	}
	return REVOKE_REVOKED;
}

static enum revoke_state
ask_crls(struct revoke *r, struct cert *c, struct cert *issuer, int64_t now)
{
	enum revoke_state state = REVOKE_UNKNOWN;

	prove_lists(r, c->issuer, issuer);
	struct signer *s = find_signer(r, issuer->spki_sha256);
	if (!s)
		return REVOKE_UNKNOWN;
	LIST_EACH (it, &s->crls) {
		const struct crl *crl = CONTAINER_OF(it, struct crl, kin);
		enum crl_scope scope = scope_for(crl, c);
		if (scope == CRL_NOT_ITS)
			continue;
		enum revoke_state said = crl_is_delta(crl) ? ask_delta(s, crl, c, now)
							   : ask_whole(s, crl, c, now);
		if (said == REVOKE_REVOKED)
			return said;
		if (said == REVOKE_GOOD && scope == CRL_ITS_WHOLE)
			state = said;
	}
	return state;
}

static void
name_answer(const struct cert *c, const struct cert *issuer, uint8_t key[CERT_HASH])
{
	uint8_t both[CERT_HASH + 64];
	struct write w = write_to(both, sizeof both);

	write_span(&w, span_of(issuer->spki_sha256, CERT_HASH));
	write_span(&w, span_first(c->serial, 64));
	SHA256(both, w.n, key);
}

static struct kept *
find_answer(struct revoke *r, const struct cert *c, const struct cert *issuer)
{
	uint8_t key[CERT_HASH];

	name_answer(c, issuer, key);
	struct lru_item *item = lru_get(&r->answers, span_of(key, CERT_HASH));
	return item ? CONTAINER_OF(item, struct kept, item) : NULL;
}

static void
keep_answer(struct revoke *r, const struct cert *c, const struct cert *issuer,
	struct span response, const struct ocsp_answer *a)
{
	struct kept *k = find_answer(r, c, issuer);

	/* Of two of one moment the graver stays. */
	if (k &&
		(k->answer.this_update > a->this_update ||
			(k->answer.this_update == a->this_update &&
				k->answer.state == REVOKE_REVOKED)))
		return;
	if (!k) {
		k = mem_alloc(sizeof *k);
		name_answer(c, issuer, k->key);
		lru_add(&r->answers, &k->item, span_of(k->key, CERT_HASH), sizeof *k);
	}
	k->answer = *a;
	k->answer.scts = (struct span){0}; /* they die with the response */
	SHA256(response.p, response.n, k->source);
}

enum revoke_state
revoke_read_ocsp(struct span response, struct cert *c, struct cert *issuer, int64_t now,
	struct err *err)
{
	struct ocsp_answer a = {0};

	if (!ocsp_read(response, c, issuer, &a, err))
		return REVOKE_UNKNOWN;
	if (a.state == REVOKE_GOOD && !ocsp_is_current(&a, now)) {
		err_set(err, ERR_PKI_OCSP, "the answer is not of now");
		return REVOKE_UNKNOWN;
	}
	return a.state;
}

bool
revoke_ocsp_ends(struct span response, struct cert *c, struct cert *issuer,
	int64_t *next_update, struct err *err)
{
	struct ocsp_answer a = {0};

	if (!ocsp_read(response, c, issuer, &a, err))
		return false;
	*next_update = a.next_update;
	return true;
}

enum revoke_state
revoke_recall(struct revoke *r, struct span response, struct cert *c,
	struct cert *issuer, int64_t now)
{
	struct err ignored = {0};
	struct ocsp_answer a = {0};
	uint8_t source[CERT_HASH];
	struct kept *k = find_answer(r, c, issuer);

	SHA256(response.p, response.n, source);
	if (k && span_eq(span_of(source, CERT_HASH), span_of(k->source, CERT_HASH))) {
		a = k->answer;
	} else if (ocsp_read(response, c, issuer, &a, &ignored)) {
		keep_answer(r, c, issuer, response, &a);
	}
	if (a.state == REVOKE_GOOD && !ocsp_is_current(&a, now))
		return REVOKE_UNKNOWN;
	return a.state;
}

enum revoke_state
revoke_add_ocsp(struct revoke *r, struct span response, struct cert *c,
	struct cert *issuer, struct err *err)
{
	struct ocsp_answer a = {0};

	if (!ocsp_read(response, c, issuer, &a, err))
		return REVOKE_UNKNOWN;
	keep_answer(r, c, issuer, response, &a);
	return a.state == REVOKE_GOOD && !ocsp_is_current(&a, clock_wall())
		? REVOKE_UNKNOWN
		: a.state;
}

enum revoke_state
revoke_find(struct revoke *r, struct cert *c, struct cert *issuer, int64_t now,
	unsigned *proofs)
{
	enum revoke_state listed = ask_crls(r, c, issuer, now);
	const struct kept *k =
		listed == REVOKE_REVOKED ? NULL : find_answer(r, c, issuer);
	enum revoke_state told = k ? k->answer.state : REVOKE_UNKNOWN;

	if (told == REVOKE_GOOD && !ocsp_is_current(&k->answer, now))
		told = REVOKE_UNKNOWN;
	if (told != REVOKE_UNKNOWN) {
		*proofs |= VERDICT_BY_OCSP;
		return told;
	}
	if (listed != REVOKE_UNKNOWN)
		*proofs |= VERDICT_BY_CRL;
	return listed;
}

enum revoke_state
revoke_ask(struct revoke *r, struct cert *c, struct cert *issuer, int64_t now)
{
	unsigned ignored = 0;

	return revoke_find(r, c, issuer, now, &ignored);
}

/* Past three quarters of its life: time for the next one, and time enough. */
static bool
grows_old(int64_t from, int64_t until, int64_t now)
{
	return now > until - (until - from) / 4;
}

static bool
has_young_list(const struct revoke *r, const struct cert *c, const struct cert *issuer,
	int64_t now)
{
	const struct signer *s = find_signer(r, issuer->spki_sha256);

	if (!s)
		return false;
	LIST_EACH (it, &s->crls) {
		const struct crl *crl = CONTAINER_OF(it, struct crl, kin);
		if (!crl_is_delta(crl) && scope_for(crl, c) == CRL_ITS_WHOLE &&
			!grows_old(crl->this_update, crl->next_update, now))
			return true;
	}
	return false;
}

enum revoke_age
revoke_age(struct revoke *r, struct cert *c, struct cert *issuer, int64_t now)
{
	enum revoke_state state = revoke_ask(r, c, issuer, now);
	const struct kept *k = find_answer(r, c, issuer);

	if (state == REVOKE_UNKNOWN)
		return REVOKE_NOTHING;
	if (state == REVOKE_REVOKED) /* that does not change any more */
		return REVOKE_YOUNG;
	if (k && k->answer.state == REVOKE_GOOD &&
		!grows_old(k->answer.this_update, k->answer.next_update, now))
		return REVOKE_YOUNG;
	return has_young_list(r, c, issuer, now) ? REVOKE_YOUNG : REVOKE_OLD;
}

// SPDX-License-Identifier: Apache-2.0
#include "pki/revoke.h"

#include <openssl/pem.h>
#include <openssl/sha.h>

#include "base/clock.h"
#include "base/mem.h"
#include "pki/revoke_priv.h"

enum { SHORT_LIVED_S = 10 * 86400, ANSWERS_SHARE = 4 };

struct kept {
	struct lru_item item; /* by issuer's key and serial */
	uint8_t key[CERT_HASH];
	uint8_t source[CERT_HASH]; /* SHA-256 of the response */
	struct ocsp_answer answer;
};

struct revoke {
	struct list crls; /* newest last */
	size_t crl_bytes;
	size_t crl_budget;
	bool has_deltas; /* or had */
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
	r->crl_budget = budget - budget / ANSWERS_SHARE;
	lru_init(&r->answers, budget / ANSWERS_SHARE, forget_answer);
	return r;
}

static void
drop_crl(struct revoke *r, struct crl *c)
{
	r->crl_bytes -= c->cost;
	crl_free(c);
}

void
revoke_free(struct revoke *r)
{
	if (!r)
		return;
	LIST_EACH (it, &r->crls)
		drop_crl(r, CONTAINER_OF(it, struct crl, all));
	lru_fini(&r->answers);
	mem_free(r);
}

static bool
decode_pem(struct span text, struct span *der, struct err *err)
{
	AUTO(BIO) *bio =
		BIO_new_mem_buf(text.p, (int)text.n); /* under REVOKE_CRL_MAX */
	AUTO(X509_CRL) *crl = bio ? PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL) : NULL;
	AUTO_OCTETS *p = NULL;
	int n = crl ? i2d_X509_CRL(crl, &p) : -1;

	if (n <= 0)
		return ossl_err(err, ERR_PKI_CRL, "no list in PEM form");
	*der = (struct span){
		(const uint8_t *)mem_cstr(span_of(p, (size_t)n)), (size_t)n};
	return true;
}

/* An older list of the same issuer and scope makes room for the newer one. */
static void
add_newest(struct revoke *r, struct crl *c)
{
	LIST_EACH (it, &r->crls) {
		struct crl *old = CONTAINER_OF(it, struct crl, all);
		if (!span_eq(old->issuer, c->issuer) || !span_eq(old->idp, c->idp) ||
			crl_is_delta(old) != crl_is_delta(c))
			continue;
		/* One that nobody proved must not keep a proven one away. */
		if (old->this_update > c->this_update && (old->proven || !c->proven)) {
			crl_free(c);
			return;
		}
		/* Not before the new one is proven: anybody can write a list. */
		if (c->proven)
			drop_crl(r, old);
	}
	list_push(&r->crls, &c->all);
	r->has_deltas = r->has_deltas || crl_is_delta(c);
	r->crl_bytes += c->cost;
	while (r->crl_bytes > r->crl_budget && list_first(&r->crls) != &c->all)
		drop_crl(r, CONTAINER_OF(list_first(&r->crls), struct crl, all));
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
	if (is_pem && !decode_pem(text, &der, err))
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
	add_newest(r, c);
	return true;
}

static bool
is_proven(struct crl *crl, struct cert *issuer)
{
	struct err ignored = {0};

	if (crl->proven &&
		span_eq(span_of(crl->signer, CERT_HASH),
			span_of(issuer->spki_sha256, CERT_HASH)))
		return true;
	if (!crl->sig || crl->sig->weak || crl->sig->family != issuer->family)
		return false;
	/* RFC 5280 §6.3.3 (f): where uses are named, this one must be. */
	if (issuer->usage.present && !(issuer->key_usage & CERT_CRL_SIGN))
		return false;
	EVP_PKEY *key = cert_key(issuer, &ignored);
	if (!key || !signature_verify(crl->sig, key, crl->tbs, crl->signature))
		return false;
	crl->proven = true;
	for (size_t i = 0; i < CERT_HASH; i++)
		crl->signer[i] = issuer->spki_sha256[i];
	return true;
}

bool
revoke_add_crl_of(
	struct revoke *r, struct span text, struct cert *issuer, struct err *err)
{
	struct crl *c = read_text(text, err);

	if (!c)
		return false;
	if (!cert_names_eq(c->issuer, issuer->subject) || !is_proven(c, issuer)) {
		crl_free(c);
		return err_set(
			err, ERR_PKI_CRL, "it is not signed by the authority it is of");
	}
	add_newest(r, c);
	return true;
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
			is_proven(c, issuers[i]))
			out->issuer = issuers[i];
	}
	crl_free(c);
	return true;
}

static bool
is_current(const struct crl *crl, int64_t now)
{
	return crl->this_update <= now + REVOKE_SKEW_S && crl->next_update >= now;
}

/* Whether a list speaks of c, as one that c's issuer has signed. */
static bool
speaks_of(struct crl *crl, struct cert *c, struct cert *issuer)
{
	return cert_names_eq(crl->issuer, c->issuer) && crl_covers(crl, c) &&
		is_proven(crl, issuer);
}

/* What the changes to a whole list say of c. A change that takes a revocation back
 * counts only while it is current: who kept an old one could serve it for ever. */
static enum revoke_state
ask_changes(struct revoke *r, const struct crl *whole, struct cert *c, int64_t now)
{
	enum revoke_state state = REVOKE_UNKNOWN;

	LIST_EACH (it, &r->crls) {
		struct crl *delta = CONTAINER_OF(it, struct crl, all);
		if (crl_changes(delta, whole) && is_current(delta, now))
			state = crl_lists(whole, c->serial) &&
					!crl_lifts(delta, c->serial)
				? REVOKE_REVOKED
				: REVOKE_GOOD;
	}
	return state;
}

/* RFC 5280 §5.2.4: a whole list with its changes is as current as these are. */
static enum revoke_state
ask_whole(struct revoke *r, const struct crl *whole, struct cert *c, int64_t now)
{
	enum revoke_state changed = ask_changes(r, whole, c, now);

	if (changed != REVOKE_UNKNOWN)
		return changed;
	/* A list that has ended still proves what was revoked, and nothing good. */
	if (crl_lists(whole, c->serial))
		return REVOKE_REVOKED;
	return is_current(whole, now) ? REVOKE_GOOD : REVOKE_UNKNOWN;
}

/* What changes add stands by itself, until a whole list has caught up with them. */
static enum revoke_state
ask_delta(struct revoke *r, const struct crl *delta, struct cert *c)
{
	if (!crl_lists(delta, c->serial))
		return REVOKE_UNKNOWN;
	LIST_EACH (it, &r->crls) {
		if (crl_replaces(CONTAINER_OF(it, struct crl, all), delta))
			return REVOKE_UNKNOWN;
	}
	return REVOKE_REVOKED;
}

/* Before one is held against another. */
static void
prove_all(struct revoke *r, struct cert *c, struct cert *issuer)
{
	LIST_EACH (it, &r->crls)
		(void)speaks_of(CONTAINER_OF(it, struct crl, all), c, issuer);
}

static enum revoke_state
ask_crls(struct revoke *r, struct cert *c, struct cert *issuer, int64_t now)
{
	enum revoke_state state = REVOKE_UNKNOWN;

	if (r->has_deltas)
		prove_all(r, c, issuer);
	LIST_EACH (it, &r->crls) {
		struct crl *crl = CONTAINER_OF(it, struct crl, all);
		if (!speaks_of(crl, c, issuer))
			continue;
		enum revoke_state said = crl_is_delta(crl) ? ask_delta(r, crl, c)
							   : ask_whole(r, crl, c, now);
		if (said == REVOKE_REVOKED)
			return said;
		if (said == REVOKE_GOOD)
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

	if (k && k->answer.this_update > a->this_update)
		return;
	if (!k) {
		k = mem_alloc(sizeof *k);
		name_answer(c, issuer, k->key);
		lru_add(&r->answers, &k->item, span_of(k->key, CERT_HASH), sizeof *k);
	}
	k->answer = *a;
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

/* The same octets as last time need no second look. */
static enum revoke_state
read_or_recall(struct revoke *r, struct span response, struct cert *c,
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
revoke_ask(struct revoke *r, struct cert *c, struct cert *issuer, int64_t now)
{
	enum revoke_state state = ask_crls(r, c, issuer, now);
	if (state == REVOKE_REVOKED)
		return state;

	struct kept *k = find_answer(r, c, issuer);
	if (k && k->answer.state == REVOKE_REVOKED)
		return REVOKE_REVOKED;
	if (k && k->answer.state == REVOKE_GOOD && ocsp_is_current(&k->answer, now))
		return REVOKE_GOOD;
	return state;
}

/* What is known about one certificate of a path, with the word for the log. */
static enum revoke_state
judge_cert(const struct trust_ask *ask, const struct verdict *v, size_t i,
	const char **word)
{
	struct cert *c = v->path[i];
	struct cert *issuer = v->path[i + 1];
	enum revoke_state state = REVOKE_UNKNOWN;
	struct err ignored = {0};

	if (i == 0 && ask->staple.n > 0 && ask->staple.n <= REVOKE_OCSP_MAX) {
		state = ask->revoke
			? read_or_recall(ask->revoke, ask->staple, c, issuer, ask->now)
			: revoke_read_ocsp(ask->staple, c, issuer, ask->now, &ignored);
		/* Whoever has a stolen key staples the last good answer; what is known
		 * of a revocation stands against it. */
		if (state == REVOKE_GOOD && ask->revoke &&
			revoke_ask(ask->revoke, c, issuer, ask->now) == REVOKE_REVOKED)
			return REVOKE_REVOKED;
		if (state != REVOKE_UNKNOWN) {
			*word = "good (stapled)";
			return state;
		}
	}
	if (ask->revoke)
		state = revoke_ask(ask->revoke, c, issuer, ask->now);
	if (state == REVOKE_GOOD) {
		*word = "good";
	} else if (state == REVOKE_UNKNOWN &&
		c->not_after - c->not_before <= SHORT_LIVED_S) {
		*word = "needless (short-lived)";
		return REVOKE_GOOD;
	}
	return state;
}

/* Past three quarters of its life: time for the next one, and time enough. */
static bool
grows_old(int64_t from, int64_t until, int64_t now)
{
	return now > until - (until - from) / 4;
}

static bool
has_young_list(struct revoke *r, struct cert *c, struct cert *issuer, int64_t now)
{
	LIST_EACH (it, &r->crls) {
		struct crl *crl = CONTAINER_OF(it, struct crl, all);
		if (!crl_is_delta(crl) && speaks_of(crl, c, issuer) &&
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

static void
add_way(struct revoke_want *w, enum revoke_how how, struct span url)
{
	if (url.n == 0)
		return;
	w->ways[w->n].how = how;
	w->ways[w->n].url = url;
	w->n++;
}

static bool
wants(const struct trust_ask *ask, const struct verdict *v, size_t i,
	struct revoke_want *w)
{
	const char *word = "";
	enum revoke_state state = judge_cert(ask, v, i, &word);
	bool learned = span_eq(span_str(word), SPAN("good"));

	*w = (struct revoke_want){.cert = v->path[i], .issuer = v->path[i + 1]};
	w->urgent = state == REVOKE_UNKNOWN;
	if (!w->urgent &&
		!(learned &&
			revoke_age(ask->revoke, w->cert, w->issuer, ask->now) ==
				REVOKE_OLD))
		return false;
	if (i > 0)
		add_way(w, REVOKE_BY_CRL, w->cert->crl);
	add_way(w, REVOKE_BY_OCSP, w->cert->ocsp);
	if (i == 0)
		add_way(w, REVOKE_BY_CRL, w->cert->crl);
	return w->n > 0;
}

size_t
revoke_wants(const struct trust_ask *ask, const struct verdict *v,
	struct revoke_want *out, size_t cap)
{
	size_t n = 0;

	if (ask->options.revocation == TRUST_REVOCATION_OFF || !ask->revoke)
		return 0;
	for (size_t i = 0; i + 1 < v->n_path && n < cap; i++) {
		if (wants(ask, v, i, &out[n]))
			n++;
	}
	return n;
}

static void
find_fault(struct verdict *v, enum verdict_class class, size_t at, const char *text)
{
	bool graver = findings_gravity(class) > findings_gravity(v->class);

	verdict_add(v, class, text);
	if (graver)
		v->at = (int)at;
}

static void
judge_path(const struct trust_ask *ask, struct verdict *v)
{
	bool hard = ask->options.revocation == TRUST_REVOCATION_HARD;

	for (size_t i = 0; i + 1 < v->n_path; i++) {
		const char *word = "unknown";
		enum revoke_state state = judge_cert(ask, v, i, &word);
		if (i == 0)
			v->revocation = word;
		if (state == REVOKE_REVOKED) {
			v->revocation = "revoked";
			find_fault(v, VERDICT_REVOKED, i, "its issuer says so");
			return;
		}
		if (state == REVOKE_UNKNOWN && hard) {
			find_fault(v, VERDICT_REVOCATION_UNKNOWN, i,
				"neither a current list nor an answer is at hand");
		}
	}
}

void
revoke_judge(const struct trust_ask *ask, struct verdict *v)
{
	if (ask->options.revocation == TRUST_REVOCATION_OFF || v->n_path < 2 ||
		(v->faults & (1u << VERDICT_UNKNOWN_ISSUER)))
		return;
	judge_path(ask, v);
	/* RFC 7633 §4.3.3: a certificate that promises a staple is not good without. */
	bool stapled = span_eq(span_str(v->revocation), SPAN("good (stapled)"));
	if (v->path[0]->must_staple && !stapled && v->class != VERDICT_REVOKED) {
		find_fault(v, VERDICT_REVOCATION_UNKNOWN, 0,
			"it demands a stapled answer and no good one came");
	}
}

// SPDX-License-Identifier: Apache-2.0
/*
 * revoke_judge: revocation of everything on a path, and what should be fetched for it.
 */
#include "pki/revoke_priv.h"

enum { SHORT_LIVED_S = 10 * 86400 };

/* One certificate of a path, and what was found out about it. */
struct finding {
	enum revoke_state state;
	const char *word; /* for the log */
	unsigned proofs;
};

/* What is known from anywhere; that it was revoked weighs most. */
static enum revoke_state
find_all(const struct trust_ask *ask, struct cert *c, struct cert *issuer,
	unsigned *proofs)
{
	unsigned listed = 0;
	unsigned known = 0;
	enum revoke_state a = ask->lists
		? revoke_find(ask->lists, c, issuer, ask->now, &listed)
		: REVOKE_UNKNOWN;
	enum revoke_state b = ask->revoke && a != REVOKE_REVOKED
		? revoke_find(ask->revoke, c, issuer, ask->now, &known)
		: REVOKE_UNKNOWN;

	*proofs |= b == REVOKE_UNKNOWN ? listed : known;
	return b == REVOKE_UNKNOWN ? a : b;
}

/* Whoever has a stolen key staples the last good answer; what is known otherwise weighs
 * more. */
static bool
judge_staple(const struct trust_ask *ask, struct cert *c, struct cert *issuer,
	struct finding *f)
{
	struct err ignored = {0};
	unsigned proofs = 0;

	if (ask->staple.n == 0 || ask->staple.n > REVOKE_OCSP_MAX)
		return false;
	f->state = ask->revoke
		? revoke_recall(ask->revoke, ask->staple, c, issuer, ask->now)
		: revoke_read_ocsp(ask->staple, c, issuer, ask->now, &ignored);
	if (f->state == REVOKE_GOOD &&
		find_all(ask, c, issuer, &proofs) == REVOKE_REVOKED)
		return false;
	if (f->state == REVOKE_UNKNOWN)
		return false;
	f->proofs = VERDICT_BY_STAPLE;
	f->word = "good (stapled)";
	return true;
}

static struct finding
judge_cert(const struct trust_ask *ask, const struct verdict *v, size_t i)
{
	struct cert *c = v->path[i];
	struct cert *issuer = v->path[i + 1];
	struct finding f = {.word = "unknown"};

	if (i == 0 && judge_staple(ask, c, issuer, &f))
		return f;
	f.state = find_all(ask, c, issuer, &f.proofs);
	if (f.state == REVOKE_GOOD) {
		f.word = "good";
	} else if (f.state == REVOKE_UNKNOWN &&
		c->not_after - c->not_before <= SHORT_LIVED_S) {
		f.state = REVOKE_GOOD;
		f.word = "needless (short-lived)";
	}
	return f;
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
	const struct finding f = judge_cert(ask, v, i);
	bool learned = f.proofs & (VERDICT_BY_OCSP | VERDICT_BY_CRL);

	*w = (struct revoke_want){.cert = v->path[i], .issuer = v->path[i + 1]};
	w->urgent = f.state == REVOKE_UNKNOWN;
	if (!w->urgent &&
		!(learned && f.state == REVOKE_GOOD &&
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
		const struct finding f = judge_cert(ask, v, i);
		v->proofs |= f.proofs;
		if (i == 0)
			v->revocation = f.word;
		if (f.state == REVOKE_REVOKED) {
			v->revocation = "revoked";
			find_fault(v, VERDICT_REVOKED, i, "its issuer says so");
			return;
		}
		if (f.state == REVOKE_UNKNOWN && hard) {
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

// SPDX-License-Identifier: Apache-2.0
/*
 * path: the search for a way from the leaf to a root.
 *
 * Depth first over every issuer at hand, the likeliest first: roots, then those whose
 * key identifier fits, whose dates fit. A step costs a signature at most, and only the
 * first time. The first round passes over issuers that could never be good; only when
 * it finds nothing a second looks at those too, to say what is wrong. Both share one
 * budget of signatures and of paths, so hostile certificates cost no more than that.
 */
#include "pki/path_priv.h"

enum { CANDIDATES = 24 };

struct candidate {
	struct cert *cert;
	const struct anchor *anchor; /* NULL for an intermediate */
	int score;
	bool is_learned;
};

struct search {
	struct trust *trust;
	const struct trust_ask *ask;
	const struct path_pool *pool;
	struct path path;
	bool thorough; /* the second round */
	bool exhausted;
	unsigned paths;
	unsigned signatures;
	/* The best path that ended in a root, with what is wrong with it. */
	bool has_best;
	struct path best;
	struct findings findings;
	/* The longest that did not, and why it stopped. */
	struct path stuck;
	bool forged; /* an issuer of that name was there, and its key did not fit */
};

static bool
is_same_key(const struct cert *a, const struct cert *b)
{
	return span_eq(
		span_of(a->spki_sha256, CERT_HASH), span_of(b->spki_sha256, CERT_HASH));
}

/* A path visits a name and key once (RFC 4158 §2.4.2): that ends every loop. The same
 * key under another name is another authority, cross-certificates make use of that. */
static bool
is_visited(const struct search *s, const struct cert *c)
{
	for (size_t i = 0; i < s->path.n; i++) {
		const struct cert *seen = s->path.certs[i];
		if (seen == c ||
			(is_same_key(seen, c) &&
				cert_names_eq(seen->subject, c->subject)))
			return true;
	}
	return false;
}

static int
score_issuer(const struct search *s, const struct cert *c, bool is_root)
{
	const struct cert *child = s->path.certs[s->path.n - 1];
	int score = is_root ? 4 : 0;

	if (child->aki_key.n > 0 && c->ski_key.n > 0)
		score += span_eq(child->aki_key, c->ski_key) ? 8 : -8;
	if (s->ask->now >= c->not_before && s->ask->now <= c->not_after)
		score += 2;
	if (c->is_ca)
		score += 2;
	return score;
}

/* Keeps the list sorted, best first; the worst falls off the end. */
static void
insert(struct candidate *list, size_t *n, struct candidate c)
{
	size_t at = *n;

	while (at > 0 && list[at - 1].score < c.score)
		at--;
	if (at == CANDIDATES)
		return;
	size_t last = *n < CANDIDATES ? (*n)++ : CANDIDATES - 1;
	for (size_t i = last; i > at; i--)
		list[i] = list[i - 1];
	list[at] = c;
}

static bool
is_wanted(const struct search *s, const struct cert *c)
{
	return !is_visited(s, c) && (s->thorough || !path_is_hopeless(c, s->ask));
}

static size_t
collect(const struct search *s, struct candidate *list)
{
	const struct cert *top = s->path.certs[s->path.n - 1];
	size_t n = 0;

	for (struct anchor *a = trust_anchors(s->trust, top->issuer); a;
		a = a->same_name) {
		if (is_wanted(s, a->cert)) {
			insert(list, &n,
				(struct candidate){a->cert, a,
					score_issuer(s, a->cert, true), false});
		}
	}
	for (size_t i = 1; i < s->pool->n; i++) {
		struct cert *c = s->pool->certs[i];
		if (trust_anchor_of(s->trust, c) ||
			!cert_names_eq(c->subject, top->issuer) || !is_wanted(s, c))
			continue;
		insert(list, &n,
			(struct candidate){c, NULL, score_issuer(s, c, false),
				i >= s->pool->n_told});
	}
	return n;
}

/* A path is whole: true when it is good. */
static bool
judge(struct search *s)
{
	struct findings f = {0};

	s->paths++;
	path_check(s->trust, s->ask, &s->path, &f);
	if (!s->has_best ||
		findings_gravity(f.worst) < findings_gravity(s->findings.worst)) {
		s->has_best = true;
		s->best = s->path;
		s->findings = f;
	}
	return f.worst == VERDICT_GOOD;
}

static bool extend(struct search *s);

static bool
try_candidate(struct search *s, const struct candidate *c)
{
	struct cert *top = s->path.certs[s->path.n - 1];

	if (!signature_check(top, c->cert, &s->signatures)) {
		/* A learned one of that name may be a stranger's work. */
		s->forged = s->forged || (c->score >= 8 && !c->is_learned);
		return false;
	}
	s->path.certs[s->path.n++] = c->cert;
	s->path.anchor = c->anchor;
	bool good = c->anchor ? judge(s) : extend(s);
	s->path.n--;
	s->path.anchor = NULL;
	return good;
}

static bool
is_spent(struct search *s)
{
	const struct trust_options *o = &s->ask->options;

	s->exhausted = s->exhausted || s->signatures >= o->max_signatures ||
		s->paths >= o->max_paths;
	return s->exhausted;
}

static bool
extend(struct search *s)
{
	struct candidate list[CANDIDATES];
	size_t n = s->path.n < s->ask->options.max_path ? collect(s, list) : 0;

	if (s->path.n > s->stuck.n)
		s->stuck = s->path;
	for (size_t i = 0; i < n && !is_spent(s); i++) {
		if (try_candidate(s, &list[i]))
			return true;
	}
	return false;
}

static void
run(struct search *s)
{
	struct cert *leaf = s->pool->certs[0];
	const struct anchor *itself = trust_anchor_of(s->trust, leaf);

	s->path = (struct path){.certs = {leaf}, .n = 1, .anchor = itself};
	if (itself && judge(s))
		return;
	s->path.anchor = NULL;
	if (extend(s))
		return;
	s->thorough = true;
	s->stuck.n = 0;
	(void)extend(s);
}

/* There is no path: say why in the terms of whoever must repair it. */
static void
explain_stuck(struct search *s, struct findings *f)
{
	const struct path *p = &s->stuck;
	struct cert *top = p->certs[p->n - 1];
	char issuer[120];
	struct text t = text_to(issuer, sizeof issuer);
	int at = (int)p->n - 1;
	bool self = cert_names_eq(top->issuer, top->subject) &&
		signature_check(top, top, &s->signatures);

	cert_name_text(top->issuer, &t);
	path_check_leaf(s->trust, s->ask, p, f);
	if (s->exhausted) {
		findings_add(f, VERDICT_TOO_COMPLEX, at,
			"no path found after %u signatures and %u paths", s->signatures,
			s->paths);
	} else if (self && p->n == 1) {
		findings_add(f, VERDICT_SELF_SIGNED, 0, "its own issuer is %s", issuer);
	} else if (self) {
		findings_add(f, VERDICT_UNKNOWN_ISSUER, at,
			"the root %s is not trusted", issuer);
	} else if (s->forged) {
		findings_add(f, VERDICT_BAD_SIGNATURE, at,
			"it claims to be issued by %s, whose key did not sign it",
			issuer);
	} else if (top->ca_issuers.n > 0) {
		findings_add(f, VERDICT_INCOMPLETE, at, "%s was not sent", issuer);
	} else {
		findings_add(f, VERDICT_UNKNOWN_ISSUER, at, "%s is not known", issuer);
	}
}

void
path_search(struct trust *t, const struct trust_ask *ask, const struct path_pool *pool,
	struct verdict *out)
{
	struct search s = {.trust = t, .ask = ask, .pool = pool};

	run(&s);
	const struct path *p = s.has_best ? &s.best : &s.stuck;
	if (!s.has_best)
		explain_stuck(&s, &s.findings);
	out->class = s.findings.worst;
	out->faults = s.findings.mask;
	out->at = s.findings.worst == VERDICT_GOOD ? -1 : s.findings.at;
	out->paths = s.paths;
	out->signatures = s.signatures;
	struct text why = text_to(out->text, sizeof out->text);
	text_add(&why, "%s", s.findings.text);
	out->n_path = p->n;
	for (size_t i = 0; i < p->n; i++)
		out->path[i] = cert_get(p->certs[i]);
}

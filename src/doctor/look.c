// SPDX-License-Identifier: Apache-2.0
#include "doctor/look.h"

#include <string.h>

#include "pki/suffix.h"

enum { DAY = 86400 };

/* ---- one host ---- */

static void
put_name(struct span name, char dst[LOOK_NAME])
{
	struct text t = text_to(dst, LOOK_NAME);
	cert_name_text(name, &t);
}

static bool
is_listed(const struct chain *list, struct span der)
{
	for (size_t i = 0; i < list->n; i++) {
		if (span_eq(list->der[i], der))
			return true;
	}
	return false;
}

static bool
is_public(const struct look_lists *lists, const struct cert *root)
{
	return lists->public ? is_listed(lists->public, root->der)
			     : issuer_is_public(root->sha256);
}

/* The topmost name of the chain as shown: the root, were it there. */
static void
take_top(struct look_host *h)
{
	const struct chain *chain = &h->probe->chain;
	struct err err = {0};
	struct cert *top = cert_parse(chain->der[chain->n - 1], &err);
	if (!top)
		return;
	put_name(top->issuer, h->root);
	if (cert_names_eq(top->issuer, top->subject)) {
		struct text t = text_to(h->root_sha256, LOOK_HEX);
		text_put_hex(&t, span_of(top->sha256, CERT_HASH), false);
	}
	cert_put(top);
}

static void
take_leaf(struct look_host *h, const struct look_lists *lists)
{
	struct err err = {0};
	struct cert *leaf = cert_parse(h->probe->chain.der[0], &err);
	if (!leaf)
		return;
	struct text cn = text_to(h->issuer_cn, LOOK_NAME);
	cert_common_name(leaf->issuer, &cn);
	put_name(leaf->issuer, h->issuer);
	h->leaf = h->probe->chain.der[0];
	h->leaf_days = (leaf->not_after - leaf->not_before + DAY / 2) / DAY;
	h->leaf_age_days = (lists->now - leaf->not_before) / DAY;
	h->scts = leaf->scts.present;
	h->aia = leaf->aia.present;
	h->crl = leaf->crl_points.present;
	cert_put(leaf);
}

static void
take_root(struct look_host *h, const struct look_lists *lists)
{
	const struct verdict *v = &h->verdict;
	if (v->n_path == 0)
		return;
	const struct cert *root = v->path[v->n_path - 1];
	if (!cert_names_eq(root->issuer, root->subject))
		return;
	struct text t = text_to(h->root_sha256, LOOK_HEX);
	put_name(root->subject, h->root);
	text_put_hex(&t, span_of(root->sha256, CERT_HASH), false);
	h->public_root = is_public(lists, root);
	if (!h->product)
		h->product = issuer_of_name(root->subject);
}

static enum look_state
state_of_verdict(const struct look_host *h)
{
	switch (h->verdict.class) {
	case VERDICT_GOOD:
		return h->public_root ? LOOK_PUBLIC : LOOK_PRIVATE;
	case VERDICT_UNKNOWN_ISSUER:
	case VERDICT_INCOMPLETE:
		return LOOK_UNKNOWN_ROOT;
	case VERDICT_SELF_SIGNED:
		return h->probe->chain.n == 1 ? LOOK_SELF_SIGNED : LOOK_UNKNOWN_ROOT;
	case VERDICT_WRONG_NAME:
		return LOOK_WRONG_NAME;
	case VERDICT_EXPIRED:
	case VERDICT_NOT_YET:
		return LOOK_DATES;
	case VERDICT_REVOKED:
	case VERDICT_REVOCATION_UNKNOWN:
	case VERDICT_WEAK_KEY:
	case VERDICT_WEAK_SIGNATURE:
	case VERDICT_BAD_SIGNATURE:
	case VERDICT_CA_VIOLATION:
	case VERDICT_WRONG_USE:
	case VERDICT_MALFORMED:
	case VERDICT_BLOCKED:
	case VERDICT_OWN_AUTHORITY:
	case VERDICT_CT_MISSING:
	case VERDICT_OLD_TLS:
	case VERDICT_TOO_COMPLEX:
	case VERDICT_OTHER:
	case VERDICT_COUNT:
		break;
	}
	return LOOK_BROKEN;
}

static void
judge_chain(struct look_host *h, const struct look_lists *lists)
{
	struct trust_ask ask = {.chain = &h->probe->chain,
		.host = span_str(h->probe->host),
		.now = lists->now,
		.options = trust_options_default()};

	ask.options.private_names = true;
	ask.options.revocation = TRUST_REVOCATION_OFF;
	trust_check(lists->store, &ask, &h->verdict);
	h->judged = true;
	h->product = issuer_of_chain(&h->probe->chain);
	take_leaf(h, lists);
	take_top(h);
	take_root(h, lists);
	h->state = state_of_verdict(h);
}

/* Answers that are pages: redirects, and 511 (RFC 6585 §6). */
static bool
is_login(int status)
{
	return status == 511 || (status >= 300 && status < 400);
}

static void
judge_alone(struct look_host *h, const struct look_lists *lists)
{
	switch (h->probe->end) {
	case PROBE_SHOWN:
		if (h->probe->chain.n > 0) {
			judge_chain(h, lists);
		} else {
			h->state = LOOK_FAILED;
		}
		return;
	case PROBE_PLAIN:
		h->state = LOOK_CAPTIVE;
		return;
	case PROBE_PROXY:
		h->state = is_login(h->probe->status) ? LOOK_CAPTIVE : LOOK_REFUSED;
		return;
	case PROBE_HANDSHAKE:
		h->state = LOOK_FAILED;
		return;
	case PROBE_LATE:
	case PROBE_NO_NAME:
	case PROBE_NO_ROUTE:
		h->state = LOOK_UNREACHABLE;
		return;
	}
}

/* ---- hosts together ---- */

/* The part of a name that has an owner: "example.co.uk" of "www.example.co.uk". */
static struct span
owner_of(struct span host)
{
	const struct suffixes *suffixes = suffixes_system();
	struct span best = host;
	for (struct span rest = host; span_chr(rest, '.') < rest.n;) {
		struct span above = span_from(rest, span_chr(rest, '.') + 1);
		if (suffixes_has(suffixes, above) || span_chr(above, '.') == above.n)
			return rest;
		best = above;
		rest = above;
	}
	return best;
}

static bool
are_unrelated(const struct look_host *a, const struct look_host *b)
{
	return !span_eq_nocase(
		owner_of(span_str(a->probe->host)), owner_of(span_str(b->probe->host)));
}

static bool
has_private_root(const struct look_host *h)
{
	return h->judged && !h->public_root;
}

static bool
same_issuer(const struct look_host *a, const struct look_host *b)
{
	return (a->issuer[0] && strcmp(a->issuer, b->issuer) == 0) ||
		(a->root[0] && strcmp(a->root, b->root) == 0);
}

static const struct look_host *
find_same(const struct look_host *hosts, size_t n, const struct look_host *h)
{
	for (size_t i = 0; i < n; i++) {
		const struct look_host *o = &hosts[i];
		if (o != h && has_private_root(o) && are_unrelated(h, o) &&
			same_issuer(h, o))
			return o;
	}
	return NULL;
}

/* One leaf on unrelated names that it does not name: a portal answers for everybody. */
static bool
is_one_for_all(const struct look_host *hosts, size_t n, const struct look_host *h)
{
	for (size_t i = 0; i < n; i++) {
		const struct look_host *o = &hosts[i];
		bool wrong = o->judged && o->verdict.class == VERDICT_WRONG_NAME;
		if (o != h && wrong && span_eq(o->leaf, h->leaf) && are_unrelated(h, o))
			return true;
	}
	return false;
}

static void
judge_private(struct look_host *h)
{
	bool named = h->product && issuer_is_inspection(h->product) &&
		h->product->confidence[0] != 'l';
	bool dev = h->product && !issuer_is_inspection(h->product);
	if (!h->same && !named)
		return;
	if (dev && !h->same)
		return;
	if (h->state == LOOK_PRIVATE) {
		h->state = LOOK_INSPECTED;
	} else if (h->state == LOOK_UNKNOWN_ROOT) {
		h->state = LOOK_INSPECTED_UNTRUSTED;
	}
}

static bool
is_inspected(const struct look_host *h)
{
	return h->state == LOOK_INSPECTED || h->state == LOOK_INSPECTED_UNTRUSTED;
}

/* Faults of the chain other than that its root is unknown here. */
static bool
looks_good(const struct look_host *h)
{
	uint32_t allowed = 1u << VERDICT_UNKNOWN_ISSUER | 1u << VERDICT_INCOMPLETE |
		1u << VERDICT_SELF_SIGNED | 1u << VERDICT_GOOD;
	return h->judged && (h->verdict.faults & ~allowed) == 0;
}

/* spec of the check: a broken origin must not come out as a good one. */
static void
judge_bad(struct look_host *h)
{
	if (!h->judged || h->state == LOOK_CAPTIVE)
		return;
	if (is_inspected(h) && looks_good(h)) {
		h->state = h->probe->status >= 400 ? LOOK_BAD_REFUSED : LOOK_LAUNDERED;
	} else if (h->state == LOOK_PUBLIC || h->state == LOOK_BYPASSED) {
		h->state = LOOK_BAD_NOT_BAD;
	} else {
		h->state = LOOK_BAD_SHOWN;
	}
}

void
look_judge(struct look_host *hosts, size_t n, const struct look_lists *lists)
{
	bool any = false;

	for (size_t i = 0; i < n; i++)
		judge_alone(&hosts[i], lists);
	for (size_t i = 0; i < n; i++) {
		struct look_host *h = &hosts[i];
		if (has_private_root(h)) {
			h->same = find_same(hosts, n, h);
			judge_private(h);
		}
		any = any || is_inspected(h);
	}
	for (size_t i = 0; i < n; i++) {
		struct look_host *h = &hosts[i];
		if (h->state == LOOK_WRONG_NAME && is_one_for_all(hosts, n, h))
			h->state = LOOK_CAPTIVE;
		if (h->state == LOOK_PUBLIC && any)
			h->state = LOOK_BYPASSED;
	}
	for (size_t i = 0; i < n; i++) {
		if (hosts[i].bad)
			judge_bad(&hosts[i]);
	}
}

void
look_hear(struct look_host *h, const struct probe *talked)
{
	struct span rest = span_str(talked->head);
	struct span line;
	while (!h->product && span_cut(&rest, '\n', &line))
		h->product = issuer_of_header(line);
}

void
look_fini(struct look_host *h)
{
	verdict_fini(&h->verdict);
}

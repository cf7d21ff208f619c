// SPDX-License-Identifier: Apache-2.0
#include "gate/staple.h"

#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "gate/worker.h"
#include "pki/cert.h"
#include "pki/identity.h"
#include "pki/revoke.h"

enum {
	FETCHING_MOST = 16, /* at a time, in one worker */
	FETCH_MS = 15 * 1000,
	BUSY_MS = 1000,  /* until one of those may be over */
	SHELF_MS = 2000, /* looks at what another worker may have fetched */
	FAILED_MS = 60 * 1000,
	FILE_MS = 10 * 1000,
	AGAIN_LEAST_S = 60,
	AGAIN_MOST_S = 24 * 3600,
};

struct staple {
	struct map_item by_leaf;
	struct staple *next;
	struct worker *w;
	uint8_t sha256[CERT_HASH];
	struct cert *leaf; /* one reference, as the next */
	struct cert *issuer;
	struct span file;   /* the settings'; or empty: fetched */
	struct span octets; /* owned; the answer, or empty */
	int64_t ends;       /* its nextUpdate */
	struct timer again;
	struct fetch fetch;
	bool fetching;
};

static void
free_octets(struct span s)
{
	mem_free((void *)(uintptr_t)s.p); // NOLINT(performance-no-int-to-ptr)
}

static bool
is_shared(const struct staple *s)
{
	return s->w->evidence.shelf.dir >= 0;
}

/* Half of what is left of its life, within bounds. */
static uint64_t
again_ms(const struct staple *s)
{
	int64_t half = (s->ends - clock_wall()) / 2;

	if (half < AGAIN_LEAST_S)
		half = AGAIN_LEAST_S;
	if (half > AGAIN_MOST_S)
		half = AGAIN_MOST_S;
	return (uint64_t)half * 1000;
}

static void
later(struct staple *s, uint64_t ms)
{
	timer_set(&s->w->loop, &s->again, clock_now() + ms);
}

/* Takes an answer over when it is good and lasts longer than the one at hand. */
static bool
take(struct staple *s, struct span octets, struct err *err)
{
	int64_t ends = 0;

	if (!revoke_ocsp_ends(octets, s->leaf, s->issuer, &ends, err))
		return false;
	enum revoke_state state =
		revoke_read_ocsp(octets, s->leaf, s->issuer, clock_wall(), err);
	if (state == REVOKE_REVOKED)
		return err_set(err, ERR_PKI_OCSP, "the certificate is revoked");
	if (state != REVOKE_GOOD && err->code == ERR_NONE) {
		return err_set(err, ERR_PKI_OCSP,
			"the responder does not know the certificate");
	}
	if (state != REVOKE_GOOD)
		return false;
	if (s->octets.n > 0 && ends <= s->ends)
		return true;
	free_octets(s->octets);
	s->octets = (struct span){(const uint8_t *)mem_cstr(octets), octets.n};
	s->ends = ends;
	return true;
}

static void
complain(const struct staple *s, const struct err *err)
{
	char name[128];
	struct text t = text_to(name, sizeof(name));

	cert_common_name(s->leaf->subject, &t);
	stat_add(STAT_STAPLES_FAILED, 1);
	log_warn("edge.staple", "certificate=%s has=%s why=\"%s\"", name,
		s->octets.n > 0 ? "an older one" : "none", err->text);
}

/* ---- from a file ---- */

static void
look_at_file(struct staple *s)
{
	struct span octets;
	struct err err = {0};

	if (file_read((const char *)s->file.p, REVOKE_OCSP_MAX, &octets, &err)) {
		if (!take(s, octets, &err))
			complain(s, &err);
		free_octets(octets);
	} else if (s->octets.n == 0) {
		complain(s, &err);
	}
	later(s, FILE_MS);
}

/* ---- from an address ---- */

static void
keep(const struct staple *s)
{
	shelf_put(&s->w->evidence.shelf, span_of(s->sha256, sizeof(s->sha256)),
		s->octets, s->ends);
}

static void
fetched(struct fetch *f)
{
	struct staple *s = CONTAINER_OF(f, struct staple, fetch);
	struct err err = f->err;
	bool ok = f->ok && take(s, buf_peek(&f->body), &err);

	if (ok) {
		stat_add(STAT_STAPLES_FETCHED, 1);
		keep(s);
	} else {
		complain(s, &err);
	}
	s->fetching = false;
	s->w->staples.fetching--;
	fetch_cancel(f);
	later(s, ok ? again_ms(s) : FAILED_MS);
}

/* The address is in a certificate that the operator chose: it may be anywhere. */
static bool
may_fetch(struct fetch *f, const struct addr *to, struct err *err)
{
	(void)f, (void)to, (void)err;
	return true;
}

static void
fetch_now(struct staple *s)
{
	const struct fetch_place at = {.loop = &s->w->loop, .resolver = s->w->resolver};
	struct fetch_ask ask = {.url = s->leaf->ocsp,
		.type = "application/ocsp-request",
		.accept = "application/ocsp-response",
		.limit = REVOKE_OCSP_MAX,
		.deadline_ms = clock_now() + FETCH_MS};
	struct err err = {0};

	if (!revoke_ocsp_request(s->leaf, s->issuer, &ask.post, &err)) {
		complain(s, &err);
		later(s, FAILED_MS);
		return;
	}
	memset(&s->fetch, 0, sizeof(s->fetch));
	s->fetch.done = fetched;
	s->fetch.allowed = may_fetch;
	s->fetching = true;
	s->w->staples.fetching++;
	fetch_start(&s->fetch, &at, &ask);
	free_octets(ask.post); /* copied */
}

/* What lies on the shelf, of this process's past or of another worker. */
static void
recall(struct staple *s)
{
	struct span octets;
	struct err ignored = {0};

	if (!shelf_get(&s->w->evidence.shelf, span_of(s->sha256, sizeof(s->sha256)),
		    REVOKE_OCSP_MAX, &octets))
		return;
	(void)!take(s, octets, &ignored);
	free_octets(octets);
}

/* More than half of what one can expect is left: nobody needs to ask again. */
static bool
is_fresh(const struct staple *s, int64_t ends_before)
{
	return s->octets.n > 0 && s->ends > ends_before && s->ends > clock_wall();
}

static void
due(struct timer *t)
{
	struct staple *s = CONTAINER_OF(t, struct staple, again);
	int64_t before = s->ends;

	if (s->file.n > 0) {
		look_at_file(s);
		return;
	}
	recall(s);
	if (is_fresh(s, before)) {
		later(s, again_ms(s));
	} else if (s->w->index > 0 && is_shared(s)) {
		later(s, SHELF_MS); /* the first worker fetches for all */
	} else if (s->w->staples.fetching >= FETCHING_MOST) {
		later(s, BUSY_MS);
	} else {
		fetch_now(s);
	}
}

/* ---- life ---- */

static struct cert *
cert_of(const X509 *x)
{
	struct err ignored = {0};
	return x ? cert_from_x509(x, &ignored) : NULL;
}

static void
open_one(struct worker *w, const struct site_certificate *c)
{
	const struct identity *id = c->id;
	struct span key = span_of(id->sha256, sizeof(id->sha256));

	if (map_get(&w->staples.by_leaf, key) || sk_X509_num(id->rest) < 1)
		return;
	struct cert *leaf = cert_of(id->leaf);
	struct cert *issuer = cert_of(sk_X509_value(id->rest, 0));
	if (!leaf || !issuer || (leaf->ocsp.n == 0 && c->staple.n == 0)) {
		cert_put(leaf);
		cert_put(issuer);
		return;
	}
	struct staple *s = mem_alloc(sizeof(*s));
	s->w = w;
	s->leaf = leaf;
	s->issuer = issuer;
	s->file = c->staple;
	s->again.fired = due;
	memcpy(s->sha256, id->sha256, sizeof(s->sha256)); /* both CERT_HASH */
	s->next = w->staples.all;
	w->staples.all = s;
	map_add(&w->staples.by_leaf, &s->by_leaf,
		span_of(s->sha256, sizeof(s->sha256)));
	later(s, 0); /* in the loop, when the shelf is open */
}

static void
open_site(struct worker *w, const struct site *site)
{
	const struct conf_item *lists[] = {site->certificates, site->keyless};

	for (size_t i = 0; i < COUNT_OF(lists) && site->stapling; i++) {
		for (const struct conf_item *it = lists[i]; it; it = it->next) {
			open_one(w, (const struct site_certificate *)(const void *)it);
		}
	}
}

void
staple_open_all(struct worker *w)
{
	map_init(&w->staples.by_leaf);
	for (const struct conf_item *e = w->settings->edges; e; e = e->next) {
		const struct gateway *g = (const struct gateway *)(const void *)e;
		for (const struct conf_item *it = g->sites.sites; it; it = it->next)
			open_site(w, (const struct site *)(const void *)it);
	}
}

void
staple_close_all(struct worker *w)
{
	while (w->staples.all) {
		struct staple *s = w->staples.all;
		w->staples.all = s->next;
		timer_stop(&w->loop, &s->again);
		if (s->fetching)
			fetch_cancel(&s->fetch);
		free_octets(s->octets);
		cert_put(s->leaf);
		cert_put(s->issuer);
		mem_free(s);
	}
	map_fini(&w->staples.by_leaf);
}

struct span
staple_of(const struct worker *w, const struct identity *id)
{
	struct span key = span_of(id->sha256, sizeof(id->sha256));
	struct map_item *it = w->staples.all ? map_get(&w->staples.by_leaf, key) : NULL;
	const struct staple *s = it ? CONTAINER_OF(it, struct staple, by_leaf) : NULL;

	return s && s->octets.n > 0 && s->ends > clock_wall() ? s->octets
							      : (struct span){0};
}

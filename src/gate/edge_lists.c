// SPDX-License-Identifier: Apache-2.0
/*
 * edge_lists: the revocation lists of a `clients` block, from files and from addresses.
 *
 * Files are looked at a few times a second and read anew when they were replaced. A
 * list that is fetched counts only when one of the authorities has signed it and it is
 * not older than the one at hand: it comes over plain http, where anybody may answer.
 * Where a signed list says that changes to it are elsewhere (freshestCRL, RFC 5280
 * §5.2.6), those are fetched as well.
 * Either way the old lists stay in force until all of the new set can be read.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "gate/edge.h"
#include "gate/worker.h"
#include "pki/revoke.h"

enum {
	CRL_BYTES = 64 * 1024 * 1024, /* of all lists of a block */
	AUTHORITIES = 64,
	FOLLOWED = 8, /* addresses that lists themselves name, per block */
	FETCH_MS = 30 * 1000,
	AGAIN_LEAST_S = 60,
	AGAIN_MOST_S = 3600,
	WARN_S = 24 * 3600,
	WARN_MS = 3600 * 1000,
};

/* A list that is fetched. */
struct edge_list_url {
	struct edge_list_url *next;
	struct edge_clients *clients;
	struct edge *edge;
	struct span url; /* the settings', or own[] */
	struct fetch fetch;
	struct timer again;
	struct span octets; /* owned; the last good list, or empty */
	int64_t this_update;
	bool fetching;
	bool followed; /* not configured: another list named it */
	char own[REVOKE_URL + 1];
};

static void follow(struct edge_clients *c, const char *url);

/* ---- files ---- */

/* A digest of what the files look like from outside; differs when one was replaced. */
static uint64_t
look_at_files(const struct site_clients *c)
{
	uint64_t sum = 0;

	for (const struct conf_item *it = c->crls; it; it = it->next) {
		const struct site_path *p = (const struct site_path *)(const void *)it;
		struct stat st;
		if (stat((const char *)p->path.p, &st) != 0)
			continue;
		const uint64_t state[] = {(uint64_t)st.st_mtim.tv_sec,
			(uint64_t)st.st_mtim.tv_nsec, (uint64_t)st.st_size,
			(uint64_t)st.st_ino};
		sum = sum * 31 + map_hash(span_of(state, sizeof(state)));
	}
	return sum;
}

/* A day before its end a list is worth a word; one of a day or two in the last quarter
 * of its life, else it always were. */
static void
note_end(struct edge_clients *c, const struct revoke_list *list)
{
	int64_t early = (list->next_update - list->this_update) / 4;

	if (early > WARN_S)
		early = WARN_S;
	if (list->next_update > 0 && (c->ends == 0 || list->next_update < c->ends)) {
		c->ends = list->next_update;
		c->warn_at = list->next_update - early;
	}
}

/* Reads a list and looks for its signer among the block's authorities. */
static bool
read_list(const struct site_clients *c, struct span octets, struct revoke_list *list,
	struct err *err)
{
	struct cert *issuers[AUTHORITIES] = {NULL};
	size_t n = 0;

	for (size_t i = 0; i < c->n_ca_names && n < AUTHORITIES; i++) {
		issuers[n] = cert_parse(c->ca_ders[i], err);
		if (issuers[n])
			n++;
	}
	bool ok = revoke_read_crl(octets, issuers, n, list, err);
	for (size_t i = 0; i < n; i++)
		cert_put(issuers[i]);
	return ok;
}

static bool
add_list(struct edge_clients *c, struct revoke *r, struct span text, struct err *err)
{
	struct revoke_list list;

	if (!read_list(c->settings, text, &list, err) || !revoke_add_crl(r, text, err))
		return false;
	note_end(c, &list);
	if (list.issuer && list.freshest[0])
		follow(c, list.freshest);
	return true;
}

static bool
add_file(struct edge_clients *c, struct revoke *r, const struct site_path *p,
	struct err *err)
{
	struct span text;

	if (!file_read((const char *)p->path.p, REVOKE_CRL_MAX, &text, err))
		return false;
	bool ok = add_list(c, r, text, err);
	mem_free((void *)(uintptr_t)text.p); // NOLINT(performance-no-int-to-ptr)
	return ok || err_within(err, "%s", (const char *)p->path.p);
}

/* What is proven is proven now: a set of lists that nobody was judged by says something
 * all the same to the one that takes its place. */
static void
meet_authorities(const struct site_clients *c, struct revoke *r)
{
	struct err ignored = {0};

	for (size_t i = 0; i < c->n_ca_names; i++) {
		struct cert *authority = cert_parse(c->ca_ders[i], &ignored);
		if (authority)
			revoke_meet(r, authority);
		cert_put(authority);
	}
}

/* All lists anew, or NULL: half of them would let somebody in. */
static struct revoke *
read_all(struct edge_clients *c, struct err *err)
{
	struct revoke *r = revoke_new(CRL_BYTES);
	const int64_t before[] = {c->ends, c->warn_at};
	bool ok = true;

	c->ends = 0;
	for (const struct conf_item *it = c->settings->crls; it && ok; it = it->next) {
		ok = add_file(c, r, (const struct site_path *)(const void *)it, err);
	}
	for (const struct edge_list_url *u = c->urls; u && ok; u = u->next)
		ok = u->octets.n == 0 || add_list(c, r, u->octets, err);
	ok = ok &&
		(!revoke_is_short(r) ||
			err_set(err, ERR_PKI_CRL, "over %d octets together",
				CRL_BYTES));
	if (ok) {
		meet_authorities(c->settings, r);
		return r;
	}
	c->ends = before[0];
	c->warn_at = before[1];
	revoke_free(r);
	return NULL;
}

static void
take_anew(struct edge_clients *c)
{
	struct err err = {0};
	struct revoke *fresh = read_all(c, &err);

	if (!fresh) {
		log_warn("edge.crl", "clients=%.*s kept=old why=\"%s\"",
			SPAN_ARG(c->settings->name), err.text);
		return;
	}
	if (c->revoke)
		revoke_carry(fresh, c->revoke);
	revoke_free(c->revoke);
	c->revoke = fresh;
	c->epoch++;
	c->warned_ms = 0;
	log_info("edge.crl", "clients=%.*s epoch=%llu", SPAN_ARG(c->settings->name),
		(unsigned long long)c->epoch);
}

/* RFC 5280 §5.1.2.5: after nextUpdate a list proves nothing good any more. */
static void
warn_of_end(struct edge_clients *c)
{
	int64_t left = c->ends - clock_wall();
	uint64_t now = clock_now();

	if (c->ends == 0 || clock_wall() < c->warn_at ||
		(c->warned_ms != 0 && now - c->warned_ms < WARN_MS))
		return;
	c->warned_ms = now > 0 ? now : 1;
	log_warn("edge.crl-ends", "clients=%.*s left_s=%lld",
		SPAN_ARG(c->settings->name), (long long)left);
}

void
edge_lists_look(struct edge_clients *c)
{
	warn_of_end(c);
	if (!c->settings->crls)
		return;
	uint64_t seen = look_at_files(c->settings);
	if (seen == c->seen)
		return;
	c->seen = seen;
	take_anew(c);
}

/* ---- addresses ---- */

/* The operator wrote the address: it may be anywhere. */
static bool
may_fetch(struct fetch *f, const struct addr *to, struct err *err)
{
	(void)f, (void)to, (void)err;
	return true;
}

static bool
is_signed(const struct edge_list_url *u, struct span octets, struct revoke_list *list,
	struct err *err)
{
	if (!read_list(u->clients->settings, octets, list, err))
		return false;
	return list->issuer ||
		err_set(err, ERR_PKI_CRL, "none of the authorities has signed it");
}

/* Half of what is left of its life, within bounds. */
static uint64_t
again_ms(const struct revoke_list *list)
{
	int64_t half = (list->next_update - clock_wall()) / 2;

	if (half < AGAIN_LEAST_S)
		half = AGAIN_LEAST_S;
	if (half > AGAIN_MOST_S)
		half = AGAIN_MOST_S;
	return (uint64_t)half * 1000;
}

/* Takes the list over when it is good; how long until the next attempt. */
static uint64_t
take_list(struct edge_list_url *u, struct span octets, struct err *err)
{
	struct revoke_list list = {0};

	if (!is_signed(u, octets, &list, err))
		return AGAIN_LEAST_S * 1000ull;
	if (list.this_update < u->this_update) {
		(void)err_set(err, ERR_PKI_CRL, "it is older than the one at hand");
		return AGAIN_LEAST_S * 1000ull;
	}
	bool same = span_eq(u->octets, octets);
	if (!same) {
		mem_free((void *)(uintptr_t)
				 u->octets.p); // NOLINT(performance-no-int-to-ptr)
		u->octets = (struct span){(const uint8_t *)mem_cstr(octets), octets.n};
		u->this_update = list.this_update;
		shelf_put(&u->edge->w->evidence.shelf, u->url, octets,
			list.next_update > 0 ? list.next_update
					     : clock_wall() + WARN_S);
		take_anew(u->clients);
	}
	return again_ms(&list);
}

static void
fetched(struct fetch *f)
{
	struct edge_list_url *u = CONTAINER_OF(f, struct edge_list_url, fetch);
	struct err err = f->err;
	uint64_t wait_ms = AGAIN_LEAST_S * 1000ull;

	if (f->ok) {
		err = (struct err){0};
		wait_ms = take_list(u, buf_peek(&f->body), &err);
	}
	if (err.code != ERR_NONE) {
		log_warn("edge.crl", "clients=%.*s url=%.*s kept=old why=\"%s\"",
			SPAN_ARG(u->clients->settings->name), SPAN_ARG(u->url),
			err.text);
	}
	u->fetching = false;
	fetch_cancel(f);
	timer_set(&u->edge->w->loop, &u->again, clock_now() + wait_ms);
}

/* What an earlier process fetched counts until the fresh one is here. */
static void
recall(struct edge_list_url *u)
{
	struct span octets = {0};
	struct revoke_list list = {0};
	struct err ignored = {0};

	if (!shelf_get(&u->edge->w->evidence.shelf, u->url, REVOKE_CRL_MAX, &octets))
		return;
	if (is_signed(u, octets, &list, &ignored)) {
		u->octets = octets;
		u->this_update = list.this_update;
		take_anew(u->clients);
	} else {
		mem_free((void *)(uintptr_t)
				 octets.p); // NOLINT(performance-no-int-to-ptr)
	}
}

static void
fetch_now(struct timer *t)
{
	struct edge_list_url *u = CONTAINER_OF(t, struct edge_list_url, again);
	const struct fetch_place at = {
		.loop = &u->edge->w->loop, .resolver = u->edge->w->resolver};
	const struct fetch_ask ask = {.url = u->url,
		.accept = "application/pkix-crl",
		.limit = REVOKE_CRL_MAX,
		.deadline_ms = clock_now() + FETCH_MS};

	if (u->octets.n == 0)
		recall(u);
	memset(&u->fetch, 0, sizeof(u->fetch));
	u->fetch.done = fetched;
	u->fetch.allowed = may_fetch;
	u->fetching = true;
	fetch_start(&u->fetch, &at, &ask);
}

static void
add_url(struct edge *e, struct edge_clients *c, struct span url)
{
	struct edge_list_url *u = mem_alloc(sizeof(*u));

	u->url = url;
	if (span_copy(u->own, sizeof(u->own), url)) /* outlives the list it is from */
		u->url = span_str(u->own);
	u->clients = c;
	u->edge = e;
	u->next = c->urls;
	u->again.fired = fetch_now;
	c->urls = u;
	timer_set(&e->w->loop, &u->again, clock_now());
}

static void
open_urls(struct edge *e, struct edge_clients *c)
{
	for (const struct conf_item *it = c->settings->crl_urls; it; it = it->next)
		add_url(e, c, ((const struct site_path *)(const void *)it)->path);
}

/* Fetches from there from now on, if it is not fetched from already. */
static void
follow(struct edge_clients *c, const char *url)
{
	struct span at = span_str(url);
	unsigned n = 0;

	for (const struct edge_list_url *u = c->urls; u; u = u->next) {
		if (span_eq(u->url, at))
			return;
		n += u->followed;
	}
	if (n == FOLLOWED || at.n >= FETCH_URL)
		return;
	add_url(c->edge, c, at);
	c->urls->followed = true;
	log_info("edge.crl", "clients=%.*s follows=%s", SPAN_ARG(c->settings->name),
		url);
}

bool
edge_lists_open(struct edge *e, struct edge_clients *c, struct err *err)
{
	c->edge = e;
	open_urls(e, c);
	if (!c->settings->crls && !c->urls)
		return true;
	c->seen = look_at_files(c->settings);
	c->revoke = read_all(c, err);
	return c->revoke != NULL;
}

void
edge_lists_close(struct edge_clients *c)
{
	while (c->urls) {
		struct edge_list_url *u = c->urls;
		c->urls = u->next;
		timer_stop(&u->edge->w->loop, &u->again);
		if (u->fetching)
			fetch_cancel(&u->fetch);
		mem_free((void *)(uintptr_t)
				 u->octets.p); // NOLINT(performance-no-int-to-ptr)
		mem_free(u);
	}
	revoke_free(c->revoke);
}

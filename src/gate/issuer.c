// SPDX-License-Identifier: Apache-2.0
#include "gate/issuer.h"

#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/text.h"
#include "gate/issuer_priv.h"
#include "gate/worker.h"
#include "http/url.h"
#include "pki/cert.h"
#include "pki/revoke.h"

enum { PATH_ROOM = 1024, STATUS_MAX = 80 * 1024 * 1024 };

/* ---- files ---- */

void
issuer_put_blob(struct issuer_blob *b)
{
	if (b && --b->refs == 0)
		mem_free(b);
}

static uint64_t
look_at(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return 0;
	const uint64_t state[] = {(uint64_t)st.st_mtim.tv_sec,
		(uint64_t)st.st_mtim.tv_nsec, (uint64_t)st.st_size,
		(uint64_t)st.st_ino};
	return map_hash(span_of(state, sizeof(state))) | 1;
}

/* True when it was replaced and read; what cannot be read leaves the old. */
static bool
refresh(struct issuer_file *f, size_t limit)
{
	uint64_t seen = look_at(f->path);
	struct span octets;
	struct err err = {0};

	if (seen == f->seen)
		return false;
	if (!file_read(f->path, limit, &octets, &err)) {
		log_warn("edge.authority", "kept=old why=\"%s\"", err.text);
		return false;
	}
	struct issuer_blob *b = mem_alloc(sizeof(*b) + octets.n);
	b->refs = 1;
	b->octets = span_of(b + 1, octets.n);
	memcpy(b + 1, octets.p, octets.n);     /* allocated above */
	mem_free((void *)(uintptr_t)octets.p); // NOLINT(performance-no-int-to-ptr)
	issuer_put_blob(f->blob);
	f->blob = b;
	f->seen = seen;
	return true;
}

/* ---- what is asked ---- */

static struct issuer *
first_of(struct worker *w, const struct gateway *g)
{
	for (struct issuer *i = w->issuers.all; i; i = i->next) {
		if (i->g == g)
			return i;
	}
	return NULL;
}

/* By "/clients.crl" or "/KEY.crl". */
static struct issuer *
find_by_path(const struct issuer_ask *q, struct span path, struct span plain,
	struct span suffix)
{
	if (span_eq(path, plain))
		return first_of(q->w, q->g);
	if (path.n != 1 + 2 * KEY_SKI + suffix.n || !span_ends(path, suffix))
		return NULL;
	struct span key = span_slice(path, 1, 1 + 2 * KEY_SKI);
	for (struct issuer *i = q->w->issuers.all; i; i = i->next) {
		if (i->g == q->g && span_eq_nocase(key, span_str(i->key)))
			return i;
	}
	return NULL;
}

static void
give_list(struct issuer *i, struct issuer_answer *out)
{
	(void)refresh(&i->list, REVOKE_CRL_MAX);
	if (!i->list.blob)
		return;
	i->list.blob->refs++;
	*out = (struct issuer_answer){.status = 200,
		.type = "application/pkix-crl",
		.body = i->list.blob->octets,
		.blob = i->list.blob,
		.may_cache = true};
}

/* Whom the request is about; NULL: nobody here. */
static struct issuer *
find_by_ask(struct worker *w, const struct gateway *g, const struct ocsp_serve_ask *ask)
{
	for (struct issuer *i = w->issuers.all; i; i = i->next) {
		if (i->g == g && i->ocsp && ocsp_serve_knows(i->ocsp, ask))
			return i;
	}
	return NULL;
}

static enum ocsp_serve_status
answer_ocsp(const struct issuer_ask *q, struct span request, struct issuer_answer *out)
{
	struct ocsp_serve_ask ask;
	struct client_status status;
	struct span der = {0};
	struct err err = {0};

	if (!ocsp_serve_read(request, &ask, &err))
		return OCSP_SERVE_MALFORMED;
	struct issuer *i = find_by_ask(q->w, q->g, &ask);
	if (!i)
		return OCSP_SERVE_UNAUTHORIZED;
	(void)refresh(&i->status, STATUS_MAX);
	if (!i->status.blob ||
		!client_status_read(i->status.blob->octets, &status, &err))
		return OCSP_SERVE_LATER;
	enum ocsp_serve_status done =
		ocsp_serve_answer(i->ocsp, &ask, &status, clock_wall(), &der);
	if (done != OCSP_SERVE_DONE)
		return done;
	out->may_cache = ask.nonce.n == 0;
	out->body = arena_copy(q->arena, der);
	mem_free((void *)(uintptr_t)der.p); // NOLINT(performance-no-int-to-ptr)
	return OCSP_SERVE_DONE;
}

/* RFC 6960 §A.2: also what is no answer comes with 200. */
static void
give_ocsp(const struct issuer_ask *q, struct span request, struct issuer_answer *out)
{
	*out = (struct issuer_answer){
		.status = 200, .type = "application/ocsp-response"};
	enum ocsp_serve_status status = answer_ocsp(q, request, out);

	stat_add(status == OCSP_SERVE_DONE ? STAT_OCSP_ANSWERS : STAT_OCSP_REFUSED, 1);
	if (status == OCSP_SERVE_DONE)
		return;
	uint8_t *octets = arena_alloc(q->arena, OCSP_SERVE_ERROR);
	out->body = ocsp_serve_error(status, octets);
	out->may_cache = false;
}

/* RFC 6960 §A.1: base64, of which '+', '/' and '=' are escaped or not. */
static bool
read_get(struct span text, struct arena *a, struct span *request)
{
	struct span plain = {0};
	size_t n = 0;

	while (span_starts(text, SPAN("/")))
		text = span_from(text, 1);
	if (text.n > (size_t)4 * OCSP_SERVE_MAX ||
		!url_unescape(a, text, false, &plain) || arena_room(a) < OCSP_SERVE_MAX)
		return false;
	uint8_t *der = arena_alloc(a, OCSP_SERVE_MAX);
	if (!text_unbase64(plain, der, OCSP_SERVE_MAX, &n))
		return false;
	*request = span_of(der, n);
	return n > 0;
}

static void
answer_get(const struct issuer_ask *q, struct issuer_answer *out)
{
	struct span path = q->request->path;
	struct span request = {0};
	struct issuer *i = NULL;

	if (span_starts(path, SPAN("/ocsp/"))) {
		/* What cannot be read is malformed to the OCSP reader too. */
		if (!read_get(span_from(path, 6), q->arena, &request))
			request = (struct span){0};
		give_ocsp(q, request, out);
		return;
	}
	path = span_first(path, span_chr(path, '?'));
	i = find_by_path(q, path, SPAN("/clients.crl"), SPAN(".crl"));
	if (i) {
		give_list(i, out);
		return;
	}
	i = find_by_path(q, path, SPAN("/ca.crt"), SPAN(".crt"));
	if (i) {
		*out = (struct issuer_answer){.status = 200,
			.type = "application/pkix-cert",
			.body = i->settings->ca_ders[0],
			.may_cache = true};
	}
}

void
issuer_answer(const struct issuer_ask *q, struct issuer_answer *out)
{
	bool get = q->request->method == HTTP_GET;
	bool ours = span_eq(q->request->path, SPAN("/ocsp")) ||
		span_eq(q->request->path, SPAN("/"));

	*out = (struct issuer_answer){
		.status = 404, .type = "text/plain", .body = SPAN("not here\n")};
	if (get) {
		answer_get(q, out);
	} else if (q->request->method != HTTP_POST) {
		*out = (struct issuer_answer){.status = 405,
			.type = "text/plain",
			.body = SPAN("GET or POST\n")};
	} else if (ours) {
		give_ocsp(q, q->posted, out);
	}
}

/* ---- opening and closing ---- */

static char *
path_in(const struct site_clients *c, const char *file)
{
	char path[PATH_ROOM];
	size_t n =
		text_format(path, sizeof(path), "%.*s/%s", SPAN_ARG(c->managed), file);

	return mem_cstr(span_of(path, n));
}

static bool
open_one(struct worker *w, const struct gateway *g, const struct site_clients *c,
	struct err *err)
{
	struct cert *ca = cert_parse(c->ca_ders[0], err);

	if (!ca)
		return false;
	struct issuer *i = mem_alloc(sizeof(*i));
	struct text key = text_to(i->key, sizeof(i->key));
	text_put_hex(&key, span_first(ca->ski_key, KEY_SKI), false);
	cert_put(ca);
	i->settings = c;
	i->g = g;
	i->list.path = path_in(c, "clients.crl");
	i->status.path = path_in(c, "clients.status");
	i->next = w->issuers.all;
	w->issuers.all = i;
	if (!c->ocsp)
		return true;
	i->ocsp = ocsp_serve_new(c->ca_ders[0], c->ocsp, err);
	return i->ocsp != NULL;
}

static bool
is_served(const struct settings *s, const struct gateway *g)
{
	for (const struct conf_item *it = s->listens; it; it = it->next) {
		const struct listen_settings *l =
			(const struct listen_settings *)(const void *)it;
		if (l->front == FRONT_AUTHORITY && l->gateway == g)
			return true;
	}
	return false;
}

static bool
open_of(struct worker *w, const struct gateway *g, struct err *err)
{
	for (const struct conf_item *it = g->sites.clients; it; it = it->next) {
		const struct site_clients *c =
			(const struct site_clients *)(const void *)it;
		if (c->managed.n > 0 && !open_one(w, g, c, err))
			return err_within(err, "%.*s", SPAN_ARG(c->managed));
	}
	return true;
}

/* The last opened is the first in the list: the first `managed` is to be that. */
static void
turn_round(struct issuers *all)
{
	struct issuer *turned = NULL;

	while (all->all) {
		struct issuer *i = all->all;
		all->all = i->next;
		i->next = turned;
		turned = i;
	}
	all->all = turned;
}

bool
issuer_open_all(struct worker *w, struct err *err)
{
	issuer_desk_open(w);
	for (const struct conf_item *it = w->settings->edges; it; it = it->next) {
		const struct gateway *g = (const struct gateway *)(const void *)it;
		if (is_served(w->settings, g) && !open_of(w, g, err))
			return false;
	}
	turn_round(&w->issuers);
	return true;
}

void
issuer_close_files(struct issuer *i)
{
	struct issuer_file *files[] = {&i->list, &i->status};

	for (size_t n = 0; n < COUNT_OF(files); n++) {
		mem_free(files[n]->path);
		issuer_put_blob(files[n]->blob);
	}
	ocsp_serve_free(i->ocsp);
	mem_free(i);
}

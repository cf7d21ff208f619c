// SPDX-License-Identifier: Apache-2.0
/*
 * issuer_visit: the visitors of the managed authorities.
 */
#include "base/mem.h"
#include "base/text.h"
#include "gate/issuer_priv.h"
#include "gate/worker.h"

enum { VISITS_MOST = 256, VISIT_MS = 30000 };

/* A change is to be seen by those who cache. */
#define MAY_CACHE "public, max-age=300, no-transform, must-revalidate"

struct issuer_visit {
	struct visit visit;
	struct worker *w;
	const struct gateway *g;
	struct issuer_blob *blob; /* one reference, or NULL */
};

static void
answer_visit(struct visit *v)
{
	struct issuer_visit *i = CONTAINER_OF(v, struct issuer_visit, visit);
	struct issuer_answer a;

	issuer_answer(&(struct issuer_ask){.w = i->w,
			      .g = i->g,
			      .request = &v->request,
			      .posted = v->posted,
			      .arena = &v->arena},
		&a);
	i->blob = a.blob;
	visit_answer(v,
		&(struct visit_answer){
			.status = a.status,
			.type = span_str(a.type),
			.cache = a.may_cache ? SPAN(MAY_CACHE) : (struct span){0},
			.body = a.body,
		});
}

static void
free_visit(struct visit *v)
{
	struct issuer_visit *i = CONTAINER_OF(v, struct issuer_visit, visit);

	issuer_put_blob(i->blob);
	mem_free(i);
}

void
issuer_desk_open(struct worker *w)
{
	w->issuers.desk = (struct visit_desk){
		.loop = &w->loop,
		.most_ms = VISIT_MS,
		.posted_most = OCSP_SERVE_MAX,
		.asked = answer_visit,
		.left = free_visit,
	};
	visit_desk_open(&w->issuers.desk, VISITS_MOST);
}

void
issuer_accept(struct worker *w, const struct gateway *g, int fd)
{
	struct issuer_visit *i = mem_alloc(sizeof(*i));

	i->w = w;
	i->g = g;
	visit_begin(&w->issuers.desk, &i->visit, fd);
}

void
issuer_close_all(struct worker *w)
{
	visit_desk_close(&w->issuers.desk);
	while (w->issuers.all) {
		struct issuer *i = w->issuers.all;
		w->issuers.all = i->next;
		issuer_close_files(i);
	}
}

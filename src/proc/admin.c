// SPDX-License-Identifier: Apache-2.0
#include "proc/admin_priv.h"

#include "base/mem.h"
#include "base/text.h"
#include "http/url.h"

enum {
	VISITS_MOST = 64,
	VISIT_MS = 10000,
	POSTED_MOST = 1024, /* read to its end, then refused */
};

struct admin_visit {
	struct visit visit;
	bool near;  /* over loopback */
	char *text; /* owned; NULL: none was asked for */
};

/* Only where there is, or was, a key server. */
static void
put_keys(const struct pages *pages, struct text *text)
{
	struct metrics *sum = mem_alloc(sizeof(*sum));

	pages_sum_keys(pages, sum);
	if (sum->connections > 0)
		metrics_write(sum, NULL, text);
	mem_free(sum);
}

static void
answer_metrics(struct visit *v)
{
	const struct admin *a = CONTAINER_OF(v->desk, struct admin, desk);
	struct metrics_page *pages = mem_array(PAGES_MOST + 1, sizeof(*pages));
	char *bytes = mem_resize(NULL, METRICS_TEXT_MAX);
	struct text text = text_to(bytes, METRICS_TEXT_MAX);

	metrics_put(&text, pages, pages_list(a->pages, pages));
	put_keys(a->pages, &text);
	mem_free(pages);
	CONTAINER_OF(v, struct admin_visit, visit)->text = bytes;
	visit_answer(v,
		&(struct visit_answer){
			.status = 200,
			.type = SPAN("text/plain; version=0.0.4; charset=utf-8"),
			.body = text_span(&text),
		});
}

/* A stranger's page may have given its own name our address (DNS rebinding), and a
 * browser on this machine then asks for it: by that name. Tools ask by the address. */
static bool
is_lured(struct visit *v)
{
	const bool near = CONTAINER_OF(v, struct admin_visit, visit)->near;
	struct span authority = v->request.authority;
	struct err ignored = {0};
	struct url_host host;

	if (!near || authority.n == 0)
		return false;
	if (!url_host_parse(authority, 80, &v->arena, &host, &ignored))
		return true;
	return host.ip.family == IP_NONE && !span_eq(host.name, SPAN("localhost"));
}

static void
answer_visit(struct visit *v)
{
	if (is_lured(v)) {
		visit_refuse(v, 421, SPAN("ask by address\n"));
	} else if (v->request.method != HTTP_GET) {
		visit_refuse(v, 405, SPAN("only GET\n"));
	} else if (span_eq(v->request.path, SPAN("/metrics"))) {
		answer_metrics(v);
	} else {
		visit_refuse(v, 404, SPAN("try /metrics\n"));
	}
}

static void
free_visit(struct visit *v)
{
	struct admin_visit *a = CONTAINER_OF(v, struct admin_visit, visit);

	mem_free(a->text);
	mem_free(a);
}

static void
tell_accepted(struct listener *l, int fd, const struct addr *peer)
{
	struct admin *a = CONTAINER_OF(l, struct admin, listener);
	struct admin_visit *v = mem_alloc(sizeof(*v));

	v->near = ip_kind(&peer->ip) == IP_LOOPBACK;
	visit_begin(&a->desk, &v->visit, fd);
}

void
admin_open(struct admin *a, struct loop *loop, int fd, const struct pages *pages)
{
	*a = (struct admin){
		.pages = pages,
		.desk = {.loop = loop,
			.most_ms = VISIT_MS,
			.posted_most = POSTED_MOST,
			.asked = answer_visit,
			.left = free_visit},
	};
	visit_desk_open(&a->desk, VISITS_MOST);
	a->listener.accepted = tell_accepted;
	if (fd >= 0)
		listen_start(&a->listener, loop, fd, &a->desk.limit);
}

void
admin_close(struct admin *a)
{
	listen_stop(&a->listener);
	visit_desk_close(&a->desk);
}

// SPDX-License-Identifier: Apache-2.0
#include "proc/admin_priv.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/h1_read.h"
#include "http/h1_write.h"
#include "net/io.h"

enum {
	VISITS_MOST = 64,
	IN_LIMIT = 16384,
	OUT_LIMIT = METRICS_TEXT_MAX + 4096,
	VISIT_MS = 10000, /* from accept to close */
	HEAD_ARENA = 64 * 1024,
};

/* One connection; each serves one request. */
struct visit {
	struct admin *admin;
	struct list in;
	struct io io;
	struct timer late;
	struct corpse corpse;
	struct h1_reader reader;
	struct http_head head;
	struct arena arena;
	bool answered;
};

static void
bury_visit(struct corpse *c)
{
	struct visit *v = CONTAINER_OF(c, struct visit, corpse);
	arena_fini(&v->arena);
	mem_free(v);
}

static void
end_visit(struct visit *v)
{
	struct admin *a = v->admin;
	timer_stop(a->loop, &v->late);
	io_close(&v->io);
	list_leave(&v->in);
	listen_release(&a->limit);
	loop_bury(a->loop, &v->corpse);
}

static void
tell_late(struct timer *t)
{
	end_visit(CONTAINER_OF(t, struct visit, late));
}

/* Answers and ends our direction; the visit goes when the caller has ended its own. */
static void
answer(struct visit *v, unsigned status, struct span type, struct span body)
{
	struct h1_writer w;
	struct http_head head;
	struct err err = {0};

	h1_writer_init(&w);
	http_response_make(&head, &v->arena, status);
	head.close = true;
	head.body = (struct http_body){.kind = BODY_LENGTH, .length = body.n};
	bool ok = http_add(&head.fields, SPAN("Content-Type"), type, &err) &&
		http_add(&head.fields, SPAN("Cache-Control"), SPAN("no-store"), &err) &&
		h1_write_head(&w, &head, &v->io.out, &err) == H1_WROTE &&
		h1_write_body(&w, body, &v->io.out) == body.n &&
		h1_write_end(&w, NULL, &v->io.out, &err) == H1_WROTE;
	v->answered = true;
	if (ok) {
		io_shut(&v->io);
	} else {
		io_abort(&v->io);
	}
}

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
	struct metrics_page *pages = mem_array(PAGES_MOST + 1, sizeof(*pages));
	char *bytes = mem_resize(NULL, METRICS_TEXT_MAX);
	struct text text = text_to(bytes, METRICS_TEXT_MAX);

	metrics_put(&text, pages, pages_list(v->admin->pages, pages));
	put_keys(v->admin->pages, &text);
	answer(v, 200, SPAN("text/plain; version=0.0.4; charset=utf-8"),
		text_span(&text));
	mem_free(bytes);
	mem_free(pages);
}

static void
answer_request(struct visit *v)
{
	if (v->head.method != HTTP_GET) {
		answer(v, 405, SPAN("text/plain"), SPAN("only GET\n"));
		return;
	}
	if (span_eq(v->head.path, SPAN("/metrics"))) {
		answer_metrics(v);
		return;
	}
	answer(v, 404, SPAN("text/plain"), SPAN("try /metrics\n"));
}

static void
advance(struct visit *v)
{
	struct span body;
	struct err err = {0};
	switch (h1_read(&v->reader, &v->io.in, &v->head, &body, &err)) {
	case H1_HEAD:
		answer_request(v);
		return;
	case H1_MORE:
		return;
	case H1_FAILED:
		answer(v, 400, SPAN("text/plain"), SPAN("not understood\n"));
		return;
	case H1_INFORM:
	case H1_BODY:
	case H1_TRAILERS:
	case H1_END:
	case H1_TUNNEL:
	case H1_CLOSED:
		end_visit(v);
		return;
	}
}

static void
tell_moved(struct io *io)
{
	struct visit *v = CONTAINER_OF(io, struct visit, io);
	if (!v->answered && !io->eof)
		advance(v);
	if (!io_is_open(&v->io))
		return;
	if (v->answered)
		buf_drop(&io->in, buf_len(&io->in));
	if (io->failed != 0 || io->eof)
		end_visit(v);
}

static void
tell_accepted(struct listener *l, int fd, const struct addr *peer)
{
	struct admin *a = CONTAINER_OF(l, struct admin, listener);
	struct visit *v = mem_alloc(sizeof(*v));

	(void)peer;
	v->admin = a;
	v->corpse.bury = bury_visit;
	v->late.fired = tell_late;
	v->io.moved = tell_moved;
	arena_init(&v->arena, HEAD_ARENA);
	http_head_init(&v->head, &v->arena);
	h1_reader_init(&v->reader, H1_REQUESTS, NULL);
	list_push(&a->visits, &v->in);
	io_open(&v->io, a->loop, fd, IN_LIMIT, OUT_LIMIT);
	timer_set(a->loop, &v->late, clock_now() + VISIT_MS);
}

void
admin_open(struct admin *a, struct loop *loop, int fd, const struct pages *pages)
{
	*a = (struct admin){.loop = loop, .pages = pages};
	list_init(&a->visits);
	listen_limit_init(&a->limit, VISITS_MOST);
	a->listener.accepted = tell_accepted;
	if (fd >= 0)
		listen_start(&a->listener, loop, fd, &a->limit);
}

void
admin_close(struct admin *a)
{
	listen_stop(&a->listener);
	LIST_EACH (l, &a->visits)
		end_visit(CONTAINER_OF(l, struct visit, in));
}

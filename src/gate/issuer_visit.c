// SPDX-License-Identifier: Apache-2.0
/*
 * issuer_visit: one visitor of a managed authority: a request, an answer, and gone.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "gate/issuer_priv.h"
#include "gate/worker.h"
#include "http/h1_read.h"
#include "http/h1_write.h"
#include "net/io.h"

enum {
	IN_LIMIT = 16384,
	OUT_LIMIT = 64 * 1024,
	VISIT_MS = 30000,        /* from accept to close */
	ARENA_MOST = 256 * 1024, /* a head and trailers of 84 KiB each, and an answer */
	CACHE_S = 300,           /* a change is to be seen by those who cache */
};

struct visit {
	struct worker *w;
	const struct gateway *g;
	struct list in;
	struct io io;
	struct timer late;
	struct corpse corpse;
	struct h1_reader reader;
	struct h1_writer writer;
	struct http_head head;
	struct arena arena;
	uint8_t posted[OCSP_SERVE_MAX + 1]; /* one more: too long is malformed */
	size_t n_posted;
	struct issuer_answer answer;
	struct span left; /* of the answer's body */
	bool answered;
	bool written;
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
	timer_stop(&v->w->loop, &v->late);
	io_close(&v->io);
	list_leave(&v->in);
	issuer_put_blob(v->answer.blob);
	v->answer.blob = NULL;
	listen_release(&v->w->issuers.limit);
	loop_bury(&v->w->loop, &v->corpse);
}

static void
tell_late(struct timer *t)
{
	end_visit(CONTAINER_OF(t, struct visit, late));
}

/* As much of the body as there is room for; the rest follows when it moved. */
static void
write_more(struct visit *v)
{
	struct err err = {0};

	if (v->written)
		return;
	size_t n = h1_write_body(&v->writer, v->left, &v->io.out);
	v->left = span_from(v->left, n);
	if (v->left.n > 0)
		return;
	v->written = true;
	if (h1_write_end(&v->writer, NULL, &v->io.out, &err) == H1_WROTE) {
		io_shut(&v->io);
	} else {
		io_abort(&v->io);
	}
}

static bool
add_fields(struct visit *v, struct http_head *head, struct err *err)
{
	char cache[80];
	size_t n = v->answer.may_cache
		? text_format(cache, sizeof(cache),
			  "public, max-age=%d, no-transform, must-revalidate", CACHE_S)
		: text_format(cache, sizeof(cache), "no-store");

	return http_add(&head->fields, SPAN("Content-Type"), span_str(v->answer.type),
		       err) &&
		http_add(
			&head->fields, SPAN("Cache-Control"), span_of(cache, n), err) &&
		http_add(&head->fields, SPAN("X-Content-Type-Options"), SPAN("nosniff"),
			err);
}

static void
reply(struct visit *v)
{
	struct http_head head;
	struct err err = {0};

	h1_writer_init(&v->writer);
	http_response_make(&head, &v->arena, v->answer.status);
	head.close = true;
	head.body = (struct http_body){.kind = BODY_LENGTH, .length = v->answer.body.n};
	v->left = v->answer.body;
	v->answered = true;
	if (add_fields(v, &head, &err) &&
		h1_write_head(&v->writer, &head, &v->io.out, &err) == H1_WROTE) {
		write_more(v);
	} else {
		v->written = true;
		io_abort(&v->io);
	}
}

static void
refuse(struct visit *v, unsigned status, struct span text)
{
	v->answer = (struct issuer_answer){
		.status = status, .type = "text/plain", .body = text};
	reply(v);
}

/* One octet too many is enough to know. */
static void
keep_posted(struct visit *v, struct span body)
{
	size_t room = sizeof(v->posted) - v->n_posted;
	struct span part = span_first(body, room);

	for (size_t i = 0; i < part.n; i++)
		v->posted[v->n_posted + i] = part.p[i];
	v->n_posted += part.n;
}

/* Goes on with the request; false when the reader wants more octets, or has failed. */
static bool
step(struct visit *v)
{
	struct span body;
	struct err err = {0};

	switch (h1_read(&v->reader, &v->io.in, &v->head, &body, &err)) {
	case H1_BODY:
		keep_posted(v, body);
		h1_took(&v->reader, &v->io.in, body.n);
		if (v->n_posted < sizeof(v->posted))
			return true;
		refuse(v, 413, SPAN("too long\n"));
		return false;
	case H1_HEAD:
	case H1_TRAILERS:
		return true;
	case H1_END:
		issuer_answer(&(struct issuer_ask){.w = v->w,
				      .g = v->g,
				      .request = &v->head,
				      .posted = span_of(v->posted, v->n_posted),
				      .arena = &v->arena},
			&v->answer);
		reply(v);
		return false;
	case H1_FAILED:
		refuse(v, 400, SPAN("not understood\n"));
		return false;
	case H1_MORE:
	case H1_INFORM:
	case H1_TUNNEL:
	case H1_CLOSED:
		break;
	}
	return false;
}

static void
tell_moved(struct io *io)
{
	struct visit *v = CONTAINER_OF(io, struct visit, io);

	while (!v->answered && io->failed == 0 && step(v))
		;
	if (v->answered) {
		write_more(v);
		buf_drop(&io->in, buf_len(&io->in));
	}
	if (io->failed != 0 || (io->eof && (!v->answered || v->written)))
		end_visit(v);
}

void
issuer_accept(struct worker *w, const struct gateway *g, int fd)
{
	struct visit *v = mem_alloc(sizeof(*v));

	v->w = w;
	v->g = g;
	v->corpse.bury = bury_visit;
	v->late.fired = tell_late;
	v->io.moved = tell_moved;
	arena_init(&v->arena, ARENA_MOST);
	http_head_init(&v->head, &v->arena);
	h1_reader_init(&v->reader, H1_REQUESTS, NULL);
	list_push(&w->issuers.visits, &v->in);
	io_open(&v->io, &w->loop, fd, IN_LIMIT, OUT_LIMIT);
	timer_set(&w->loop, &v->late, clock_now() + VISIT_MS);
}

bool
issuer_is_idle(const struct worker *w)
{
	return list_empty(&w->issuers.visits);
}

struct listen_limit *
issuer_limit(struct worker *w)
{
	return &w->issuers.limit;
}

void
issuer_close_all(struct worker *w)
{
	if (!w->issuers.visits.next)
		return; /* never opened */
	LIST_EACH (l, &w->issuers.visits)
		end_visit(CONTAINER_OF(l, struct visit, in));
	while (w->issuers.all) {
		struct issuer *i = w->issuers.all;
		w->issuers.all = i->next;
		issuer_close_files(i);
	}
}

// SPDX-License-Identifier: Apache-2.0
#include "gate/visit.h"

#include "base/clock.h"

enum {
	IN_LIMIT = 16 * 1024,
	OUT_LIMIT = 64 * 1024,
	ARENA_MOST =
		256 * 1024, /* a head and trailers of 84 KiB each, what was posted */
};

static void
bury_visit(struct corpse *c)
{
	struct visit *v = CONTAINER_OF(c, struct visit, corpse);

	arena_fini(&v->arena);
	v->desk->left(v);
}

static void
end_visit(struct visit *v)
{
	timer_stop(v->desk->loop, &v->late);
	io_close(&v->io);
	list_leave(&v->in);
	listen_release(&v->desk->limit);
	loop_bury(v->desk->loop, &v->corpse);
}

static void
tell_late(struct timer *t)
{
	end_visit(CONTAINER_OF(t, struct visit, late));
}

/* What the socket takes at once makes room, of which nobody would tell us. */
static bool
write_body(struct visit *v)
{
	while (v->to_write.n > 0) {
		size_t n = h1_write_body(&v->writer, v->to_write, &v->io.out);
		v->to_write = span_from(v->to_write, n);
		if (n == 0)
			return false;
		io_touch(&v->io);
	}
	return true;
}

/* As much of the answer as there is room for; the rest follows when it moved. */
static void
write_more(struct visit *v)
{
	struct err err = {0};

	if (v->written || !write_body(v))
		return;
	v->written = true;
	if (h1_write_end(&v->writer, NULL, &v->io.out, &err) == H1_WROTE) {
		io_shut(&v->io);
	} else {
		io_abort(&v->io);
	}
}

void
visit_answer(struct visit *v, const struct visit_answer *a)
{
	struct http_head head;
	struct err err = {0};
	struct span cache = a->cache.n > 0 ? a->cache : SPAN("no-store");

	h1_writer_init(&v->writer);
	http_response_make(&head, &v->arena, a->status);
	head.close = true;
	head.body = (struct http_body){.kind = BODY_LENGTH, .length = a->body.n};
	v->to_write = a->body;
	v->answered = true;
	if (http_add(&head.fields, SPAN("Content-Type"), a->type, &err) &&
		http_add(&head.fields, SPAN("Cache-Control"), cache, &err) &&
		http_add(&head.fields, SPAN("X-Content-Type-Options"), SPAN("nosniff"),
			&err) &&
		h1_write_head(&v->writer, &head, &v->io.out, &err) == H1_WROTE) {
		write_more(v);
	} else {
		v->written = true;
		io_abort(&v->io);
	}
}

void
visit_refuse(struct visit *v, unsigned status, struct span line)
{
	visit_answer(v,
		&(struct visit_answer){
			.status = status, .type = SPAN("text/plain"), .body = line});
}

/* False: more than the desk wants. */
static bool
keep_posted(struct visit *v, struct span body)
{
	size_t most = v->desk->posted_most;

	if (body.n > most - v->posted.n)
		return false;
	if (!v->room)
		v->room = arena_alloc(&v->arena, most);
	for (size_t i = 0; i < body.n; i++)
		v->room[v->posted.n + i] = body.p[i];
	v->posted = span_of(v->room, v->posted.n + body.n);
	return true;
}

/* Goes on with the request; false when the reader wants more octets, or has ended. */
static bool
step(struct visit *v)
{
	struct span body;
	struct err err = {0};

	switch (h1_read(&v->reader, &v->io.in, &v->request, &body, &err)) {
	case H1_BODY:
		if (!keep_posted(v, body)) {
			visit_refuse(v, 413, SPAN("too long\n"));
			return false;
		}
		h1_took(&v->reader, &v->io.in, body.n);
		return true;
	case H1_HEAD:
	case H1_TRAILERS:
		return true;
	case H1_END:
		v->desk->asked(v);
		return false;
	case H1_FAILED:
		visit_refuse(v, 400, SPAN("not understood\n"));
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
visit_begin(struct visit_desk *d, struct visit *v, int fd)
{
	v->desk = d;
	v->corpse.bury = bury_visit;
	v->late.fired = tell_late;
	v->io.moved = tell_moved;
	arena_init(&v->arena, ARENA_MOST);
	http_head_init(&v->request, &v->arena);
	h1_reader_init(&v->reader, H1_REQUESTS, NULL);
	list_push(&d->visits, &v->in);
	io_open(&v->io, d->loop, fd, IN_LIMIT, OUT_LIMIT);
	timer_set(d->loop, &v->late, clock_now() + d->most_ms);
}

void
visit_desk_open(struct visit_desk *d, size_t most)
{
	list_init(&d->visits);
	listen_limit_init(&d->limit, most);
}

bool
visit_desk_is_idle(const struct visit_desk *d)
{
	return !d->visits.next || list_empty(&d->visits);
}

void
visit_desk_close(struct visit_desk *d)
{
	if (!d->visits.next)
		return; /* never opened */
	LIST_EACH (l, &d->visits)
		end_visit(CONTAINER_OF(l, struct visit, in));
}

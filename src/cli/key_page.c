// SPDX-License-Identifier: Apache-2.0
/*
 * key_page: the numbers of a key server for a collector that asks over HTTP. One answer
 * whatever is asked, then the connection ends: there is nothing here to parse wrongly.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "cli/key_priv.h"

enum { MOST = 16, HEAD_MAX = 4096, ANSWER_MAX = METRICS_TEXT + 256, ASK_MS = 5000 };

struct visit {
	struct key_page *page;
	struct io io;
	struct timer late;
	struct corpse corpse;
};

static void
bury(struct corpse *c)
{
	mem_free(CONTAINER_OF(c, struct visit, corpse));
}

static void
leave(struct visit *v)
{
	timer_stop(v->page->loop, &v->late);
	io_close(&v->io);
	listen_release(&v->page->limit);
	v->corpse.bury = bury;
	loop_bury(v->page->loop, &v->corpse);
}

static void
answer(struct visit *v)
{
	struct metrics *sum = mem_alloc(sizeof(*sum));
	char *body = mem_alloc(METRICS_TEXT);
	struct text t = text_to(body, METRICS_TEXT);

	for (size_t i = 0; i < v->page->n; i++)
		metrics_add(sum, &v->page->metrics[i]);
	metrics_write(sum, v->page->keys, &t);
	bool ok =
		text_to_buf(&v->io.out,
			"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n"
			"Content-Length: %zu\r\nConnection: close\r\n\r\n",
			t.n) &&
		buf_put(&v->io.out, text_span(&t));
	mem_free(body);
	mem_free(sum);
	if (!ok) {
		leave(v);
	} else {
		io_shut(&v->io);
	}
}

static void
visit_moved(struct io *io)
{
	struct visit *v = CONTAINER_OF(io, struct visit, io);
	struct span s = buf_peek(&io->in);
	bool asked = span_find(s, SPAN("\r\n\r\n")) < s.n;

	if (io->failed || (io->shut && io->eof) ||
		(!asked && (io->eof || buf_full(&io->in)))) {
		leave(v);
	} else if (asked && buf_empty(&io->out) && !io->shut) {
		answer(v);
	}
}

static void
visit_late(struct timer *t)
{
	leave(CONTAINER_OF(t, struct visit, late));
}

static void
accepted(struct listener *l, int fd, const struct addr *peer)
{
	struct key_page *p = CONTAINER_OF(l, struct key_page, listener);
	struct visit *v = mem_alloc(sizeof(*v));

	(void)peer;
	v->page = p;
	v->late.fired = visit_late;
	io_open(&v->io, p->loop, fd, HEAD_MAX, ANSWER_MAX);
	v->io.moved = visit_moved;
	timer_set(p->loop, &v->late, clock_now() + ASK_MS);
}

bool
key_page_open(struct key_page *p, struct loop *loop, const char *where, struct err *err)
{
	struct addr at;
	int fd = -1;

	if (!addr_parse(span_str(where), &at)) {
		return err_set(err, ERR_USAGE, "--metrics %s is no address with a port",
			where);
	}
	if (!listen_open(&at, &(struct listen_options){0}, NULL,
		    &(struct listen_fds){&fd, 1}, err))
		return false;
	p->loop = loop;
	p->listener = (struct listener){.accepted = accepted};
	listen_limit_init(&p->limit, MOST);
	listen_start(&p->listener, loop, fd, &p->limit);
	return true;
}

// SPDX-License-Identifier: Apache-2.0
#include "gate/fetch.h"

#include "base/clock.h"
#include "base/must.h"
#include "http/url.h"

enum {
	WIRE = 64 * 1024,
	ARENA = 96 * 1024, /* both heads */
};

/* What an answer may be in front of its octets: little. */
static const struct http_limits limits = {
	.head_bytes = 16384,
	.line_bytes = FETCH_URL,
	.fields = 64,
	.informs = 4,
	.chunk_extras = 64,
};

static void
stop(struct fetch *f)
{
	if (f->state == FETCH_RESOLVING)
		resolve_cancel(&f->resolve);
	if (f->state == FETCH_DIALLING)
		dial_cancel(&f->dial);
	if (f->state == FETCH_TALKING)
		io_close(&f->io);
	if (f->loop)
		timer_stop(f->loop, &f->timer);
	f->state = FETCH_IDLE;
}

static void
tell(struct hook *h)
{
	struct fetch *f = CONTAINER_OF(h, struct fetch, finished);
	f->done(f);
}

/* The result is told from a hook of the turn: never from inside what found it. */
static void
finish(struct fetch *f, bool ok)
{
	stop(f);
	f->ok = ok;
	loop_soon(f->loop, &f->finished);
}

static void
fail(struct fetch *f, const char *why)
{
	(void)err_set(
		&f->err, ERR_GATE_FETCH, "http://%.*s: %s", SPAN_ARG(f->host), why);
	finish(f, false);
}

static void
too_late(struct timer *t)
{
	fail(CONTAINER_OF(t, struct fetch, timer), "not in time");
}

/* ---- the answer */

static bool
take_body(struct fetch *f, struct span body)
{
	if (!buf_put(&f->body, body)) {
		fail(f, "the answer is larger than allowed");
		return false;
	}
	h1_took(&f->reader, &f->io.in, body.n);
	return true;
}

/* A redirect would lead where the certificate did not say. */
static bool
take_head(struct fetch *f)
{
	if (f->response.status == 200 &&
		!(f->response.body.kind == BODY_LENGTH &&
			f->response.body.length > f->body.limit))
		return true;
	fail(f,
		f->response.status == 200 ? "the answer is larger than allowed"
					  : "the answer is no 200");
	return false;
}

/* False: it waits, or is over. */
static bool
read_some(struct fetch *f)
{
	struct span body = {0};
	struct err err = {0};

	switch (h1_read(&f->reader, &f->io.in, &f->response, &body, &err)) {
	case H1_HEAD:
		return take_head(f);
	case H1_BODY:
		return take_body(f, body);
	case H1_INFORM:
	case H1_TRAILERS:
		return true;
	case H1_END:
		finish(f, true);
		return false;
	case H1_MORE:
		if (!f->io.eof || f->reader.eof)
			break;
		h1_eof(&f->reader);
		return true;
	case H1_FAILED:
	case H1_CLOSED:
	case H1_TUNNEL:
		fail(f, err.text[0] ? err.text : "no whole answer");
		return false;
	}
	return false;
}

static void
moved(struct io *io)
{
	struct fetch *f = CONTAINER_OF(io, struct fetch, io);

	while (f->state == FETCH_TALKING && read_some(f))
		;
	if (f->state == FETCH_TALKING && (io->failed || f->reader.eof))
		fail(f, "the connection broke");
}

/* ---- the question */

static bool
write_request(struct fetch *f)
{
	struct h1_writer writer;
	struct err err = {0};

	h1_writer_init(&writer);
	if (h1_write_head(&writer, &f->request, &f->io.out, &err) != H1_WROTE)
		return false;
	return h1_write_body(&writer, f->post, &f->io.out) == f->post.n &&
		h1_write_end(&writer, NULL, &f->io.out, &err) == H1_WROTE;
}

static void
dialled(struct dial *d)
{
	struct fetch *f = CONTAINER_OF(d, struct fetch, dial);

	if (d->fd < 0) {
		f->err = d->err;
		finish(f, false);
		return;
	}
	f->reached = true;
	f->io.moved = moved;
	io_open(&f->io, f->loop, d->fd, WIRE, WIRE);
	f->state = FETCH_TALKING;
	h1_reader_init(&f->reader, H1_RESPONSES, &limits);
	h1_next_response(&f->reader, f->request.method, false);
	if (!write_request(f)) {
		fail(f, "the request cannot be written");
		return;
	}
	io_touch(&f->io);
}

static bool
may_dial(struct dial *d, const struct addr *to, struct err *err)
{
	struct fetch *f = CONTAINER_OF(d, struct fetch, dial);
	return f->allowed(f, to, err);
}

static void
start_dialling(struct fetch *f)
{
	const struct dial_to to = {
		.ips = f->resolve.ips, .n = f->resolve.n, .port = f->port};

	if (f->resolve.n == 0) {
		(void)err_set(&f->err, f->resolve.code, "%.*s: %s", SPAN_ARG(f->host),
			f->resolve.why ? f->resolve.why : "no address");
		f->state = FETCH_IDLE;
		finish(f, false);
		return;
	}
	f->state = FETCH_DIALLING;
	f->dial = (struct dial){.done = dialled, .allowed = may_dial};
	dial_start(&f->dial, f->loop, &to, f->deadline_ms);
}

static void
resolved(struct resolve *q)
{
	start_dialling(CONTAINER_OF(q, struct fetch, resolve));
}

static bool
make_request(struct fetch *f, const struct fetch_ask *ask, const struct url_target *url)
{
	enum http_method method = ask->post.n > 0 ? HTTP_POST : HTTP_GET;
	struct err *err = &f->err;

	http_head_init(&f->response, &f->arena);
	http_request_make(&f->request, &f->arena, method, url->authority, url->path);
	f->request.close = true;
	f->post = arena_copy(&f->arena, ask->post);
	if (ask->post.n > 0) {
		f->request.body = (struct http_body){BODY_LENGTH, ask->post.n};
		if (!http_add(&f->request.fields, SPAN("Content-Type"),
			    span_str(ask->type), err))
			return false;
	}
	return http_add(&f->request.fields, SPAN("Accept"), span_str(ask->accept),
		       err) &&
		http_add(&f->request.fields, SPAN("User-Agent"), SPAN("sekisho"), err);
}

static bool
read_url(struct fetch *f, const struct fetch_ask *ask)
{
	struct url_target url;
	struct url_host host;

	if (ask->url.n > FETCH_URL || ask->post.n > FETCH_REQUEST)
		return err_set(&f->err, ERR_GATE_FETCH, "the address is too long");
	if (!url_target_parse(ask->url, HTTP_GET, &url, &f->err))
		return false;
	if (url.form != URL_ABSOLUTE || !span_eq_nocase(url.scheme, SPAN("http")))
		return err_set(&f->err, ERR_GATE_FETCH, "only http is fetched from");
	if (!url_host_parse(url.authority, 80, &f->arena, &host, &f->err))
		return false;
	f->host = host.name;
	f->port = host.port;
	return make_request(f, ask, &url);
}

void
fetch_start(struct fetch *f, const struct fetch_place *at, const struct fetch_ask *ask)
{
	must(f->state == FETCH_IDLE);
	f->ok = false;
	f->reached = false;
	f->err = (struct err){0};
	f->loop = at->loop;
	f->deadline_ms = ask->deadline_ms;
	f->finished = (struct hook){.run = tell};
	f->timer = (struct timer){.fired = too_late};
	arena_init(&f->arena, ARENA);
	buf_init(&f->body, ask->limit);
	if (!read_url(f, ask)) {
		finish(f, false);
		return;
	}
	timer_set(f->loop, &f->timer, f->deadline_ms);
	f->resolve = (struct resolve){.done = resolved};
	f->state = FETCH_RESOLVING;
	if (resolve_start(at->resolver, &f->resolve, f->host))
		start_dialling(f);
}

void
fetch_cancel(struct fetch *f)
{
	stop(f);
	loop_unhook(&f->finished);
	if (f->loop) {
		arena_fini(&f->arena);
		buf_fini(&f->body);
	}
	f->loop = NULL;
}

// SPDX-License-Identifier: Apache-2.0
#include "http/h1_write.h"

#include "base/must.h"
#include "base/read.h"
#include "base/text.h"
#include "http/url.h"

enum {
	LINES_MOST = 320,     /* what we add to a head ourselves, at most */
	CHUNK_EXTRAS = 8 + 4, /* size digits and two line ends around a chunk */
	CHUNK_LEAST = 16,     /* room under which a chunk is not begun */
};

void
h1_writer_init(struct h1_writer *w)
{
	*w = (struct h1_writer){0};
}

static bool
refuse(struct err *err, const char *why)
{
	return err_set(err, ERR_HTTP_UNWRITABLE, "%s", why);
}

static bool
check_fields(const struct http_fields *f, struct err *err)
{
	for (uint32_t i = 0; i < f->n; i++) {
		if (!http_is_token(f->v[i].name) || !http_is_value(f->v[i].value))
			return refuse(err, "a field that would break its line");
	}
	return true;
}

static bool
check_request(const struct http_head *head, struct err *err)
{
	struct url_target target;

	if (!http_is_token(head->method_name) ||
		head->method != http_method_find(head->method_name))
		return refuse(err, "method is not a token");
	if (!url_host_check(head->authority, err))
		return false;
	struct span s = head->method == HTTP_CONNECT ? head->authority : head->path;
	if (!url_target_parse(s, head->method, &target, err))
		return false;
	if (target.form == URL_ABSOLUTE)
		return refuse(err, "path is a whole URL");
	if (head->body.kind == BODY_CLOSE)
		return refuse(err, "a request cannot end with its connection");
	return true;
}

static bool
has_no_body(unsigned status)
{
	return status < 200 || status == 204 || status == 304;
}

static bool
check_response(const struct http_head *head, struct err *err)
{
	if (head->status > 999 || head->status < 100)
		return refuse(err, "status has not three digits");
	if (!http_is_value(head->reason))
		return refuse(err, "reason would break its line");
	if (has_no_body(head->status) && head->body.kind != BODY_NONE)
		return refuse(err, "a body where there can be none");
	return true;
}

static bool
check_head(const struct http_head *head, struct err *err)
{
	bool ok = head->status == 0 ? check_request(head, err)
				    : check_response(head, err);

	if (!ok || !check_fields(&head->fields, err))
		return false;
	if (!http_is_value(head->protocol))
		return refuse(err, "protocol would break its line");
	return true;
}

/* HTTP/2 has none, and some clients of HTTP/1 show it. */
static struct span
reason_of(const struct http_head *head)
{
	return head->version == HTTP_2 ? http_reason(head->status) : head->reason;
}

/* No head needs more than this. */
static size_t
bound_of(const struct http_head *head)
{
	size_t n = LINES_MOST + head->method_name.n + head->scheme.n + head->path.n +
		2 * head->authority.n + reason_of(head).n + head->protocol.n;

	for (uint32_t i = 0; i < head->fields.n; i++)
		n += head->fields.v[i].name.n + head->fields.v[i].value.n + 4;
	return n;
}

static void
put_field(struct write *o, struct span name, struct span value)
{
	write_span(o, name);
	write_span(o, SPAN(": "));
	write_span(o, value);
	write_span(o, SPAN("\r\n"));
}

static void
put_start(const struct h1_writer *w, const struct http_head *head, struct write *o)
{
	char status[16];

	if (head->status != 0) {
		size_t n = text_format(
			status, sizeof(status), "HTTP/1.1 %03u ", head->status);
		write_span(o, span_of(status, n));
		write_span(o, reason_of(head));
		write_span(o, SPAN("\r\n"));
		return;
	}
	write_span(o, head->method_name);
	write_span(o, SPAN(" "));
	if (w->whole_url && head->method != HTTP_CONNECT) {
		write_span(o, head->scheme.n > 0 ? head->scheme : SPAN("http"));
		write_span(o, SPAN("://"));
		write_span(o, head->authority);
	}
	bool connect = head->method == HTTP_CONNECT;
	write_span(o, connect ? head->authority : head->path);
	write_span(o, SPAN(" HTTP/1.1\r\n"));
	put_field(o, SPAN("Host"), head->authority);
}

/* Fields about this connection, framing and Host are made from facts, not copied. */
static void
put_fields(const struct http_head *head, struct write *o)
{
	for (uint32_t i = 0; i < head->fields.n; i++) {
		const struct http_field *x = &head->fields.v[i];
		bool ours = x->id == HTTP_NAME_CONTENT_LENGTH ||
			(x->id == HTTP_NAME_HOST && head->status == 0);
		if (!ours && !(http_name_flags(x->id) & HTTP_HOP))
			put_field(o, x->name, x->value);
	}
}

static void
put_length(struct write *o, uint64_t length)
{
	char text[24];
	size_t n = text_format(text, sizeof(text), "%llu", (unsigned long long)length);

	put_field(o, SPAN("Content-Length"), span_of(text, n));
}

/* Without a body a response may still say how long it would be (RFC 9110 §8.6). */
static void
put_announced(const struct http_head *head, struct write *o)
{
	struct span s = http_get_id(&head->fields, HTTP_NAME_CONTENT_LENGTH);
	uint64_t length = 0;

	if (head->status >= 200 && head->status != 204 && s.n > 0 &&
		body_length_parse(s, &length))
		put_length(o, length);
}

static void
put_framing(const struct h1_writer *w, const struct http_head *head, struct write *o)
{
	switch (head->body.kind) {
	case BODY_NONE:
		put_announced(head, o);
		break;
	case BODY_LENGTH:
		put_length(o, head->body.length);
		break;
	case BODY_CHUNKED:
		if (!w->old_peer)
			put_field(o, SPAN("Transfer-Encoding"), SPAN("chunked"));
		break;
	case BODY_CLOSE:
		break;
	}
}

static bool
must_close(const struct h1_writer *w, const struct http_head *head)
{
	return head->close || head->body.kind == BODY_CLOSE ||
		(w->old_peer && head->body.kind == BODY_CHUNKED);
}

static void
put_connection(const struct h1_writer *w, const struct http_head *head, struct write *o)
{
	char value[64];
	struct text t = text_to(value, sizeof(value));

	if (must_close(w, head)) {
		text_put(&t, SPAN(", close"));
	} else if (w->old_peer) {
		text_put(&t, SPAN(", keep-alive"));
	}
	if (head->protocol.n > 0)
		text_put(&t, SPAN(", upgrade"));
	if (head->takes_trailers && head->status == 0)
		text_put(&t, SPAN(", TE"));
	if (t.n > 0)
		put_field(o, SPAN("Connection"), span_from(text_span(&t), 2));
	if (head->protocol.n > 0)
		put_field(o, SPAN("Upgrade"), head->protocol);
	if (head->takes_trailers && head->status == 0)
		put_field(o, SPAN("TE"), SPAN("trailers"));
}

/* Finds room for `bound` octets, or says whether waiting would help. */
static enum h1_wrote
open_room(struct buf *out, size_t bound, struct write *o, struct err *err)
{
	size_t n = 0;

	if (buf_room(out) < bound) {
		if (!buf_empty(out))
			return H1_FULL;
		err_set(err, ERR_HTTP_TOO_LARGE, "a head of %zu octets", bound);
		return H1_REFUSED;
	}
	uint8_t *p = buf_space(out, bound, &n);
	*o = write_to(p, n);
	return H1_WROTE;
}

enum h1_wrote
h1_write_head(struct h1_writer *w, const struct http_head *head, struct buf *out,
	struct err *err)
{
	struct write o;

	must(!w->open);
	if (!check_head(head, err))
		return H1_REFUSED;
	enum h1_wrote wrote = open_room(out, bound_of(head), &o, err);
	if (wrote != H1_WROTE)
		return wrote;

	put_start(w, head, &o);
	put_fields(head, &o);
	put_framing(w, head, &o);
	put_connection(w, head, &o);
	write_span(&o, SPAN("\r\n"));
	must(!o.bad); /* bound_of() counts all of it */
	buf_added(out, o.n);

	w->open = head->status == 0 || head->status >= 200;
	w->must_close = w->open && must_close(w, head);
	w->body = head->body;
	w->left = head->body.length;
	if (w->old_peer && w->body.kind == BODY_CHUNKED)
		w->body.kind = BODY_CLOSE;
	return H1_WROTE;
}

static size_t
put_chunk(struct span s, struct buf *out)
{
	char size[16];
	size_t room = 0;

	if (buf_room(out) < CHUNK_LEAST)
		return 0;
	s = span_first(s, buf_room(out) - CHUNK_EXTRAS);
	s = span_first(s, UINT32_MAX); /* so that eight digits do */
	uint8_t *p = buf_space(out, s.n + CHUNK_EXTRAS, &room);
	struct write o = write_to(p, room);
	size_t n = text_format(size, sizeof(size), "%zx\r\n", s.n);
	write_span(&o, span_of(size, n));
	write_span(&o, s);
	write_span(&o, SPAN("\r\n"));
	must(!o.bad); /* s was cut to fit */
	buf_added(out, o.n);
	return s.n;
}

size_t
h1_write_body(struct h1_writer *w, struct span s, struct buf *out)
{
	must(w->open);
	if (w->body.kind == BODY_NONE || s.n == 0)
		return 0;
	if (w->body.kind == BODY_CHUNKED)
		return put_chunk(s, out);
	if (w->body.kind == BODY_LENGTH && s.n > w->left)
		s.n = (size_t)w->left; /* below s.n, so it fits */
	s = span_first(s, buf_room(out));
	if (!buf_put(out, s))
		return 0;
	if (w->body.kind == BODY_LENGTH)
		w->left -= s.n;
	return s.n;
}

static void
put_trailers(const struct http_fields *f, struct write *o)
{
	for (uint32_t i = 0; f && i < f->n; i++) {
		if (!(http_name_flags(f->v[i].id) & HTTP_NO_TRAIL))
			put_field(o, f->v[i].name, f->v[i].value);
	}
}

static enum h1_wrote
end_chunked(const struct http_fields *trailers, struct buf *out, struct err *err)
{
	size_t bound = sizeof("0\r\n\r\n");
	struct write o;

	if (trailers && !check_fields(trailers, err))
		return H1_REFUSED;
	for (uint32_t i = 0; trailers && i < trailers->n; i++)
		bound += trailers->v[i].name.n + trailers->v[i].value.n + 4;
	enum h1_wrote wrote = open_room(out, bound, &o, err);
	if (wrote != H1_WROTE)
		return wrote;
	write_span(&o, SPAN("0\r\n"));
	put_trailers(trailers, &o);
	write_span(&o, SPAN("\r\n"));
	must(!o.bad); /* the bound counts all of it */
	buf_added(out, o.n);
	return H1_WROTE;
}

enum h1_wrote
h1_write_end(struct h1_writer *w, const struct http_fields *trailers, struct buf *out,
	struct err *err)
{
	must(w->open);
	if (w->body.kind == BODY_LENGTH && w->left > 0) {
		err_set(err, ERR_HTTP_TRUNCATED, "%llu octets of the body are missing",
			(unsigned long long)w->left);
		return H1_REFUSED;
	}
	if (w->body.kind == BODY_CHUNKED) {
		enum h1_wrote wrote = end_chunked(trailers, out, err);
		if (wrote != H1_WROTE)
			return wrote;
	}
	w->open = false;
	return H1_WROTE;
}

enum h1_wrote
h1_write_continue(struct buf *out)
{
	return buf_put(out, SPAN("HTTP/1.1 100 Continue\r\n\r\n")) ? H1_WROTE : H1_FULL;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * What goes out. Bodies are not queued: h2_write_body() lends the caller's octets to
 * the library for the length of one pump, and DATA frames are made from them directly
 * in `out`, as far as the windows and the room allow. A writer that could give nothing
 * more waits in `blocked` until a window opens or `out` empties.
 */
#include <nghttp2/nghttp2.h>

#include "base/must.h"
#include "base/stats.h"
#include "http/h2_priv.h"

enum {
	FRAME_HEAD = 9,
	ROOM_LEAST = 1024, /* under which no DATA frame is begun, unless it fits */
	FEW = 24,          /* fields of a head */
};

static struct h2 *
owner_of(void *user_data)
{
	return user_data;
}

void
h2_pump(struct h2 *h2)
{
	for (;;) {
		struct span now = span_first(h2->unsent, buf_room(h2->out));
		if (!buf_put(h2->out, now))
			return;
		h2->unsent = span_from(h2->unsent, now.n);
		if (h2->unsent.n > 0 || buf_full(h2->out)) {
			h2->out_full = true;
			return;
		}
		const uint8_t *p = NULL;
		ssize_t n = nghttp2_session_mem_send(h2->session, &p);
		if (n <= 0)
			return; /* nothing due; it fails without memory only */
		h2->unsent = span_of(p, (size_t)n);
	}
}

void
h2_flush(struct h2 *h2)
{
	h2_pump(h2);
	if (h2->drains != 1) /* a warning: what is on its way still counts */
		h2_look_if_over(h2);
	if (h2->out_full && buf_room(h2->out) >= h2->out->limit / 2) {
		h2->out_full = false;
		h2_wake_blocked(h2);
	}
}

bool
h2_wants_flush(const struct h2 *h2)
{
	return h2->unsent.n > 0 || nghttp2_session_want_write(h2->session);
}

/* How much of what is lent goes into the next frame; 0 when there is too little room.
 */
static size_t
cut_frame(const struct h2_stream *x, size_t most)
{
	struct span s = span_first(x->giving, most);
	size_t room = buf_room(x->h2->out);
	size_t least = s.n < ROOM_LEAST ? s.n : ROOM_LEAST;

	if (room < FRAME_HEAD + least)
		return 0;
	return span_first(s, room - FRAME_HEAD).n;
}

/* Names and values that tell secrets stay out of the peer's compression table. */
static uint8_t
flags_of(enum http_name id)
{
	bool secret = id == HTTP_NAME_AUTHORIZATION;

	return secret ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
}

/* The library copies names and values, but wants pointers it could write to. */
static uint8_t *
unconst(struct span s)
{
	union {
		const uint8_t *from;
		uint8_t *to;
	} p = {.from = s.p};

	return p.to;
}

/* As the library wants it: on the stack, unless there are unusually many. */
static nghttp2_nv *
make_list(const struct http_fields *f, nghttp2_nv few[FEW], struct arena *a,
	struct err *err)
{
	size_t size = f->n * sizeof(nghttp2_nv);
	nghttp2_nv *list = few;

	if (f->n > FEW && size + 64 > arena_room(a)) {
		err_set(err, ERR_HTTP_TOO_LARGE, "no room for the head");
		return NULL;
	}
	if (f->n > FEW)
		list = arena_alloc(a, size);
	for (uint32_t i = 0; i < f->n; i++) {
		list[i] = (nghttp2_nv){unconst(f->v[i].name), unconst(f->v[i].value),
			f->v[i].name.n, f->v[i].value.n, flags_of(f->v[i].id)};
	}
	return list;
}

/* Whether there are some: if none may be sent, the stream ends without. */
static bool
submit_trailers(struct h2_stream *x)
{
	struct http_field room[FEW];
	nghttp2_nv few[FEW];
	struct http_fields f = {.arena = &x->arena, .v = room, .cap = FEW};
	nghttp2_nv *list = NULL;
	struct err err = {0};

	if (!x->trailers || x->trailers->n == 0)
		return false;
	if (translate_trailers_out(x->trailers, &f, &err))
		list = make_list(&f, few, &x->arena, &err);
	if (!list)
		h2_stream_fail(x, err.code, err.text);
	return list && f.n > 0 &&
		nghttp2_submit_trailer(x->h2->session, x->id, list, f.n) == 0;
}

/* The library asks what the next DATA frame of a stream holds. */
// NOLINTBEGIN(readability-function-size,readability-non-const-parameter): nghttp2
static ssize_t
on_data_wanted(nghttp2_session *session, int32_t stream_id, uint8_t *p, size_t length,
	uint32_t *flags, nghttp2_data_source *source, void *user_data)
{
	struct h2_stream *x = source->ptr;
	size_t n = cut_frame(x, length);

	(void)session;
	(void)stream_id;
	(void)p;
	(void)user_data;
	if (n > 0) {
		*flags |= NGHTTP2_DATA_FLAG_NO_COPY;
		if (x->ends_early && x->owed == n) {
			*flags |= NGHTTP2_DATA_FLAG_EOF;
			x->end_written = true;
		}
		return (ssize_t)n; /* at most length */
	}
	if (x->giving.n > 0)
		x->h2->out_full = true;
	if (x->giving.n > 0 || !x->ending) {
		if (list_joined(&x->in_blocked)) { /* a window opened: try again */
			list_leave(&x->in_blocked);
			h2_wake(x);
		}
		return NGHTTP2_ERR_DEFERRED;
	}
	*flags |= NGHTTP2_DATA_FLAG_EOF;
	x->end_written = true;
	if (submit_trailers(x))
		*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
	return 0;
}
// NOLINTEND(readability-function-size,readability-non-const-parameter)

/* Writes one DATA frame; cut_frame() has seen to the room. */
// NOLINTBEGIN(readability-function-size): nghttp2's signature
static int
on_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
	size_t length, nghttp2_data_source *source, void *user_data)
{
	struct h2_stream *x = source->ptr;
	struct h2 *h2 = owner_of(user_data);

	(void)session;
	must(frame->data.padlen == 0); /* we never ask for padding */
	if (buf_room(h2->out) < FRAME_HEAD + length)
		return NGHTTP2_ERR_WOULDBLOCK;
	must(buf_put(h2->out, span_of(head, FRAME_HEAD)));
	must(buf_put(h2->out, span_first(x->giving, length)));
	x->giving = span_from(x->giving, length);
	if (x->counted)
		x->owed -= length;
	h2_calm_work(h2, length);
	return 0;
}
// NOLINTEND(readability-function-size)

/* RFC 9113 §8.1: a response that is whole before its request ends the stream. */
static void
on_end_sent(struct h2_stream *x)
{
	x->end_sent = true;
	if (x->released && !x->body_done && x->h2->config.role == H2_SERVER)
		h2_reset(x, H2_NO_ERROR);
}

static int
on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
	struct h2 *h2 = owner_of(user_data);
	struct h2_stream *x = h2_stream_find(h2, frame->hd.stream_id);
	bool carries =
		frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;

	(void)session;
	if (x && carries && frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
		on_end_sent(x);
	/* A reset that we did not wish for was caused by the peer. */
	if (frame->hd.type == NGHTTP2_RST_STREAM) {
		stat_add(h2_reset_stat(STAT_H2_RESET_OUT_NO_ERROR,
				 frame->rst_stream.error_code),
			1);
		if (!(x && x->resetting))
			h2_calm_reset(h2);
	}
	return 0;
}

static int
on_frame_not_send(nghttp2_session *session, const nghttp2_frame *frame,
	int lib_error_code, void *user_data)
{
	struct h2_stream *x = h2_stream_find(owner_of(user_data), frame->hd.stream_id);

	(void)session;
	if (x && frame->hd.type == NGHTTP2_HEADERS)
		h2_stream_fail(x, ERR_H2_REFUSED, nghttp2_strerror(lib_error_code));
	return 0;
}

void
h2_send_register(nghttp2_session_callbacks *callbacks)
{
	nghttp2_session_callbacks_set_send_data_callback(callbacks, on_send_data);
	nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
	nghttp2_session_callbacks_set_on_frame_not_send_callback(
		callbacks, on_frame_not_send);
}

static bool
has_body(const struct http_head *head)
{
	return head->body.kind == BODY_CHUNKED || head->body.kind == BODY_CLOSE ||
		head->body.length > 0;
}

/* With a known length END_STREAM goes with the last octet, unless trailers may come. */
static void
begin_body(struct h2_stream *x, const struct http_head *head)
{
	bool promised = http_next_id(&head->fields, HTTP_NAME_TRAILER, NULL) != NULL;
	bool asked = x->h2->config.role == H2_SERVER && x->head.takes_trailers;

	x->head_written = true;
	x->counted = head->body.kind == BODY_LENGTH;
	x->owed = head->body.length;
	x->ends_early = x->counted && !promised && !asked;
	x->end_written = !has_body(head);
}

static bool
out_is_stuck(struct h2_stream *x)
{
	if (x->h2->unsent.n > 0 || buf_room(x->h2->out) < ROOM_LEAST) {
		x->h2->out_full = true;
		h2_stream_block(x);
		return true;
	}
	return false;
}

static enum h2_wrote
refuse_late(struct err *err)
{
	err_set(err, ERR_H2_RESET, "the stream is gone");
	return H2_REFUSED;
}

enum h2_wrote
h2_write_head(struct h2_stream *x, const struct http_head *head, struct err *err)
{
	struct http_field room[FEW];
	nghttp2_nv few[FEW];
	struct http_fields f = {.arena = &x->arena, .v = room, .cap = FEW};
	nghttp2_session *session = x->h2->session;
	nghttp2_data_provider body = {.source.ptr = x, .read_callback = on_data_wanted};

	must(!x->head_written && head->status != 0);
	if (x->closed || x->h2->over)
		return refuse_late(err);
	if (out_is_stuck(x))
		return H2_FULL;
	if (!translate_out(head, &f, err))
		return H2_REFUSED;
	nghttp2_nv *list = make_list(&f, few, &x->arena, err);
	if (!list)
		return H2_REFUSED;
	int rv = 0;
	if (head->status < 200) {
		rv = nghttp2_submit_headers(
			session, NGHTTP2_FLAG_NONE, x->id, NULL, list, f.n, NULL);
	} else {
		rv = nghttp2_submit_response(
			session, x->id, list, f.n, has_body(head) ? &body : NULL);
		begin_body(x, head);
	}
	return rv < 0 ? refuse_late(err) : H2_WROTE;
}

size_t
h2_write_body(struct h2_stream *x, struct span s)
{
	must(x->head_written);
	if (x->closed || x->h2->over || x->end_written || s.n == 0)
		return 0;
	if (x->counted && s.n > x->owed)
		s.n = (size_t)x->owed; /* below s.n, so it fits */
	if (s.n == 0 || out_is_stuck(x))
		return 0;
	x->giving = s;
	(void)nghttp2_session_resume_data(x->h2->session, x->id);
	h2_pump(x->h2);
	size_t took = s.n - x->giving.n;
	if (x->giving.n > 0)
		h2_stream_block(x);
	x->giving = (struct span){0};
	return took;
}

enum h2_wrote
h2_write_end(struct h2_stream *x, const struct http_fields *trailers, struct err *err)
{
	must(x->head_written);
	if (x->end_written)
		return H2_WROTE;
	if (x->closed || x->h2->over)
		return refuse_late(err);
	if (x->counted && x->owed > 0) {
		err_set(err, ERR_HTTP_TRUNCATED, "%llu octets of the body are missing",
			(unsigned long long)x->owed);
		return H2_REFUSED;
	}
	x->ending = true;
	x->trailers = trailers;
	(void)nghttp2_session_resume_data(x->h2->session, x->id);
	h2_pump(x->h2);
	x->ending = false;
	x->trailers = NULL;
	if (x->end_written)
		return H2_WROTE;
	h2_stream_block(x);
	return H2_FULL;
}

/* RFC 9113 §5.1.2: how many streams the peer takes is in its SETTINGS. One goes before
 * those have come; more might be refused, and who asked had nothing to do with it. */
uint32_t
h2_room(const struct h2 *h2)
{
	uint32_t most = nghttp2_session_get_remote_settings(
		h2->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
	if (most > h2->config.streams)
		most = h2->config.streams;
	if (!h2->settled && most > 1)
		most = 1;
	bool open = !h2->over && !h2->goaway_seen && h2->drains == 0 &&
		h2->config.role == H2_CLIENT &&
		nghttp2_session_check_request_allowed(h2->session);
	return open && h2->n_open < most ? most - h2->n_open : 0;
}

bool
h2_can_open(const struct h2 *h2)
{
	return h2_room(h2) > 0;
}

bool
h2_takes_connect_protocol(const struct h2 *h2)
{
	return nghttp2_session_get_remote_settings(
		       h2->session, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
}

static bool
submit_request(struct h2_stream *x, const struct http_head *head, struct err *err)
{
	struct http_field room[FEW];
	nghttp2_nv few[FEW];
	struct http_fields f = {.arena = &x->arena, .v = room, .cap = FEW};
	nghttp2_data_provider body = {.source.ptr = x, .read_callback = on_data_wanted};

	if (!translate_out(head, &f, err))
		return false;
	nghttp2_nv *list = make_list(&f, few, &x->arena, err);
	if (!list)
		return false;
	x->id = nghttp2_submit_request(
		x->h2->session, NULL, list, f.n, has_body(head) ? &body : NULL, x);
	if (x->id < 0)
		return err_set(err, ERR_H2_REFUSED, "%s", nghttp2_strerror(x->id));
	begin_body(x, head);
	return true;
}

struct h2_stream *
h2_request(struct h2 *h2, const struct http_head *head, struct h2_user *user,
	struct err *err)
{
	must(head->status == 0);
	if (!h2_can_open(h2)) {
		err_set(err, ERR_H2_REFUSED, "the connection takes no more streams");
		return NULL;
	}
	if (head->protocol.n > 0 && !h2_takes_connect_protocol(h2)) {
		err_set(err, ERR_HTTP_UNWRITABLE,
			"the origin takes no extended CONNECT");
		return NULL;
	}
	struct h2_stream *x = h2_stream_open(h2, 0);
	x->offered = true;
	x->asked = head->method;
	if (!submit_request(x, head, err)) {
		h2->n_open--;
		h2->promised -= x->window;
		h2_stream_free(x);
		return NULL;
	}
	x->user = user;
	user->stream = x;
	return x;
}

void
h2_pass_priority(struct h2_stream *from, struct h2_stream *to)
{
	struct span s = span_str(from->priority);

	if (s.n == 0 || to->closed || to->h2->over)
		return;
	(void)nghttp2_submit_priority_update(
		to->h2->session, NGHTTP2_FLAG_NONE, to->id, unconst(s), s.n);
	from->priority[0] = 0;
}

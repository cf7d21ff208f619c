// SPDX-License-Identifier: Apache-2.0
/*
 * What the library calls for frames that came in. Nothing is decided here: messages are
 * put together and their streams become ready.
 */
#include <nghttp2/nghttp2.h>

#include "base/stats.h"
#include "http/h2_priv.h"

/* The one place where the library's untyped pointer becomes ours. */
static struct h2 *
owner_of(void *user_data)
{
	return user_data;
}

static int
on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
	struct h2 *h2 = owner_of(user_data);
	struct h2_stream *x = h2_stream_find(h2, frame->hd.stream_id);

	if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
		x = h2_stream_open(h2, frame->hd.stream_id);
		(void)nghttp2_session_set_stream_user_data(session, x->id, x);
	}
	if (x)
		x->coming = (struct translate){0};
	return 0;
}

/* A malformed message: the stream ends, and the peer pays for it. */
static int
reset_malformed(struct h2_stream *x)
{
	(void)nghttp2_submit_rst_stream(
		x->h2->session, NGHTTP2_FLAG_NONE, x->id, NGHTTP2_PROTOCOL_ERROR);
	return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* A head that is too large is the gate's to answer (431), so its stream lives on; the
 * rest of the section is read for the sake of the compression's state only. */
// NOLINTBEGIN(readability-function-size): nghttp2's signature
static int
on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
	size_t namelen, const uint8_t *value, size_t valuelen, uint8_t flags,
	void *user_data)
{
	struct h2 *h2 = owner_of(user_data);
	struct h2_stream *x = h2_stream_find(h2, frame->hd.stream_id);
	struct http_field field = {span_of(name, namelen), span_of(value, valuelen), 0};
	struct err err = {0};

	(void)session;
	(void)flags;
	if (!x || x->err.code != ERR_NONE)
		return 0;
	bool ok = x->head_done ? translate_trailer(&x->coming, &h2->config.limits,
					 &x->head, &field, &err)
			       : translate_field(&x->coming, &h2->config.limits,
					 &x->head, &field, &err);
	if (ok)
		return 0;
	h2_stream_fail(x, err.code, err.text);
	return err.code == ERR_HTTP_TOO_LARGE && !x->head_done ? 0 : reset_malformed(x);
}
// NOLINTEND(readability-function-size)

/* Left alone, the library would skip such a field silently. */
// NOLINTBEGIN(readability-function-size): nghttp2's signature
static int
on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame,
	const uint8_t *name, size_t namelen, const uint8_t *value, size_t valuelen,
	uint8_t flags, void *user_data)
{
	struct h2_stream *x = h2_stream_find(owner_of(user_data), frame->hd.stream_id);

	(void)session;
	(void)name;
	(void)namelen;
	(void)value;
	(void)valuelen;
	(void)flags;
	if (!x)
		return 0;
	h2_stream_fail(x, ERR_HTTP_SYNTAX, "a field that is not valid");
	return reset_malformed(x);
}
// NOLINTEND(readability-function-size)

/* Puts a 1xx head aside and makes room for the next. */
static bool
keep_inform(struct h2_stream *x)
{
	struct h2_inform **last = &x->informs;

	if (++x->n_informs > x->h2->config.limits.informs ||
		arena_room(&x->arena) < 2 * sizeof(struct h2_inform)) {
		h2_stream_fail(x, ERR_HTTP_TOO_LARGE, "too many 1xx heads");
		return false;
	}
	while (*last)
		last = &(*last)->next;
	*last = arena_alloc(&x->arena, sizeof(struct h2_inform));
	(*last)->head = x->head;
	http_head_init(&x->head, &x->arena);
	return true;
}

static bool
finish_head(struct h2_stream *x, bool ended)
{
	struct err err = {0};
	bool server = x->h2->config.role == H2_SERVER;
	bool ok = server
		? translate_request(&x->coming, &x->head, ended, &err)
		: translate_response(&x->coming, &x->head, x->asked, ended, &err);

	if (!ok) {
		h2_stream_fail(x, err.code, err.text);
		return false;
	}
	if (server) {
		x->asked = x->head.method;
	} else if (x->head.status < 200) {
		return keep_inform(x);
	}
	x->head_done = true;
	return true;
}

static void
on_headers(struct h2_stream *x, bool ended)
{
	bool was_done = x->head_done;

	if (x->err.code == ERR_NONE && !was_done && !finish_head(x, ended))
		(void)reset_malformed(x);
	if (ended)
		x->body_done = true;
	h2_wake(x);
}

static void
on_settings(struct h2 *h2, bool ack)
{
	if (ack)
		return;
	h2->settled = true;
	h2_wake_blocked(h2); /* windows may have grown */
}

static void
on_rst_stream(struct h2 *h2, struct h2_stream *x, uint32_t code)
{
	stat_add(h2_reset_stat(STAT_H2_RESET_IN_NO_ERROR, code), 1);
	if (!x || !x->end_sent)
		h2_calm_reset(h2);
}

/* RFC 9218 §7.1: kept for passing on; a value that is too long says nothing sane. */
static void
on_priority_update(struct h2 *h2, const nghttp2_ext_priority_update *update)
{
	struct h2_stream *x = h2_stream_find(h2, update->stream_id);
	struct span value = span_of(update->field_value, update->field_value_len);

	if (update->stream_id == 0) {
		h2_fail(h2, ERR_H2_PROTOCOL, H2_PROTOCOL_ERROR,
			"PRIORITY_UPDATE for stream 0");
	}
	if (x && http_is_value(value) &&
		span_copy(x->priority, sizeof(x->priority), value))
		h2_wake(x);
}

static int
on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
	struct h2 *h2 = owner_of(user_data);
	struct h2_stream *x = h2_stream_find(h2, frame->hd.stream_id);
	bool ended = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
	bool ack = frame->hd.flags & NGHTTP2_FLAG_ACK;

	(void)session;
	switch (frame->hd.type) {
	case NGHTTP2_HEADERS:
		if (x)
			on_headers(x, ended);
		break;
	case NGHTTP2_DATA:
		if (!ended && frame->data.padlen > 0 &&
			frame->hd.length == frame->data.padlen)
			h2_calm_control(h2); /* nothing but padding */
		if (x && ended) {
			x->body_done = true;
			h2_wake(x);
		}
		break;
	case NGHTTP2_RST_STREAM:
		on_rst_stream(h2, x, frame->rst_stream.error_code);
		break;
	case NGHTTP2_SETTINGS:
		on_settings(h2, ack);
		break;
	case NGHTTP2_PING:
		if (ack)
			h2->pinged = 0;
		break;
	case NGHTTP2_GOAWAY:
		h2->goaway_seen = true;
		break;
	case NGHTTP2_WINDOW_UPDATE:
		h2_wake_blocked(h2);
		break;
	case NGHTTP2_PRIORITY_UPDATE:
		on_priority_update(h2, frame->ext.payload);
		break;
	default: /* of no concern to messages */
		break;
	}
	return 0;
}

/* The connection's window opens at once, whoever is slow: it is as large as what all
 * streams together may hold. */
// NOLINTBEGIN(readability-function-size): nghttp2's signature
static int
on_data_chunk_recv(nghttp2_session *session, uint8_t flags, int32_t stream_id,
	const uint8_t *data, size_t len, void *user_data)
{
	struct h2_stream *x = h2_stream_find(owner_of(user_data), stream_id);

	(void)flags;
	(void)nghttp2_session_consume_connection(session, len);
	if (!x || x->released || x->err.code != ERR_NONE) {
		(void)nghttp2_session_consume_stream(session, stream_id, len);
		return 0;
	}
	if (!buf_put(&x->body, span_of(data, len))) {
		h2_stream_fail(x, ERR_H2_PROTOCOL, "more octets than the window");
		return reset_malformed(x);
	}
	h2_wake(x);
	return 0;
}
// NOLINTEND(readability-function-size)

static enum err_code
code_of(uint32_t error)
{
	switch (error) {
	case NGHTTP2_REFUSED_STREAM:
		return ERR_H2_REFUSED;
	case NGHTTP2_HTTP_1_1_REQUIRED:
		return ERR_H2_NEEDS_H1;
	default: /* from outside */
		return ERR_H2_RESET;
	}
}

/* A client that leaves is always news; an origin only if its answer is not whole. */
static int
on_stream_close(
	nghttp2_session *session, int32_t stream_id, uint32_t error, void *user_data)
{
	struct h2 *h2 = owner_of(user_data);
	struct h2_stream *x = h2_stream_find(h2, stream_id);

	(void)session;
	if (!x)
		return 0;
	bool server = h2->config.role == H2_SERVER;
	h2_stream_forget(x);
	x->closed = true;
	x->reset_code = error;
	h2->n_open--;
	h2->promised -= x->window;
	if (x->released || !x->offered) {
		h2_stream_free(x);
		return 0;
	}
	if ((error != 0 && server && !x->end_sent) || !x->body_done)
		h2_stream_fail(x, code_of(error), h2_code_text(error));
	h2_wake(x);
	return 0;
}

static int
on_error(nghttp2_session *session, int lib_error_code, const char *msg, size_t len,
	void *user_data)
{
	struct h2 *h2 = owner_of(user_data);

	(void)session;
	(void)lib_error_code;
	if (h2->err.code == ERR_NONE)
		err_set(&h2->saw, ERR_H2_PROTOCOL, "%.*s", (int)(len & 0xff), msg);
	return 0;
}

void
h2_recv_register(nghttp2_session_callbacks *callbacks)
{
	nghttp2_session_callbacks_set_on_begin_headers_callback(
		callbacks, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_invalid_header_callback(
		callbacks, on_invalid_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
		callbacks, on_data_chunk_recv);
	nghttp2_session_callbacks_set_on_stream_close_callback(
		callbacks, on_stream_close);
	nghttp2_session_callbacks_set_error_callback2(callbacks, on_error);
}

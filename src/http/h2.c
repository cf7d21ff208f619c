// SPDX-License-Identifier: Apache-2.0
/*
 * Connections and streams. The library keeps the protocol's state; we keep messages,
 * buffers and who waits for what.
 */
#include "http/h2.h"

#include <nghttp2/nghttp2.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/pool.h"
#include "http/h2_priv.h"

enum {
	STREAMS = 100,
	WINDOW = 64 * 1024,
	WINDOW_MOST = 1024 * 1024,
	BUDGET = 16 * 1024 * 1024,
	OUT_LEAST = 32 * 1024,
	SEND_HEAD_MOST = 128 * 1024,
};

void
h2_config_init(struct h2_config *c, enum h2_role role)
{
	*c = (struct h2_config){
		.role = role,
		.limits = http_limits_default,
		.streams = STREAMS,
		.window = WINDOW,
		.window_most = WINDOW_MOST,
		.budget = BUDGET,
	};
}

struct h2_stream *
h2_stream_open(struct h2 *h2, int32_t id)
{
	struct h2_stream *x = pool_take_zeroed(sizeof(*x));

	x->h2 = h2;
	x->id = id;
	arena_init(&x->arena, H2_STREAM_ARENA);
	list_init(&x->in_ready);
	list_init(&x->in_blocked);
	list_init(&x->in_all);
	list_push(&h2->streams, &x->in_all);
	http_head_init(&x->head, &x->arena);
	x->window = h2->config.window;
	buf_init(&x->body, x->window);
	h2->promised += x->window;
	h2->n_open++;
	return x;
}

static void
leave_lists(struct h2_stream *x)
{
	list_leave(&x->in_ready);
	list_leave(&x->in_blocked);
	list_leave(&x->in_all);
}

void
h2_stream_free(struct h2_stream *x)
{
	leave_lists(x);
	h2_stream_forget(x);
	buf_fini(&x->body);
	arena_fini(&x->arena);
	pool_give(x, sizeof(*x));
}

/* Each field of a head asks, and a whole head comes at once. */
struct h2_stream *
h2_stream_find(struct h2 *h2, int32_t id)
{
	if (!h2->last || h2->last->id != id)
		h2->last = nghttp2_session_get_stream_user_data(h2->session, id);
	return h2->last;
}

void
h2_stream_forget(struct h2_stream *x)
{
	if (x->h2->last == x)
		x->h2->last = NULL;
}

void
h2_wake(struct h2_stream *x)
{
	list_leave(&x->in_ready);
	list_push(&x->h2->ready, &x->in_ready);
}

void
h2_stream_fail(struct h2_stream *x, enum err_code code, const char *why)
{
	if (x->err.code == ERR_NONE)
		err_set(&x->err, code, "%s", why);
	h2_wake(x);
}

unsigned
h2_reset_stat(unsigned first, uint32_t code)
{
	const uint32_t other = H2_HTTP_1_1_REQUIRED + 1;
	return first + (code < other ? code : other);
}

void
h2_stream_block(struct h2_stream *x)
{
	list_leave(&x->in_blocked);
	list_push(&x->h2->blocked, &x->in_blocked);
}

void
h2_wake_blocked(struct h2 *h2)
{
	while (!list_empty(&h2->blocked)) {
		struct h2_stream *x =
			CONTAINER_OF(h2->blocked.next, struct h2_stream, in_blocked);
		list_leave(&x->in_blocked);
		h2_wake(x);
	}
}

static void
fail_streams(struct h2 *h2)
{
	for (struct list *l = h2->streams.next; l != &h2->streams; l = l->next) {
		struct h2_stream *x = CONTAINER_OF(l, struct h2_stream, in_all);
		if (!x->closed)
			h2_stream_fail(x, h2->err.code, h2->err.text);
	}
}

void
h2_fail(struct h2 *h2, enum err_code code, uint32_t h2_code, const char *why)
{
	if (h2->err.code == ERR_NONE)
		err_set(&h2->err, code, "%s", why);
	if (!h2->over)
		nghttp2_session_terminate_session(h2->session, h2_code);
	h2->over = true;
	fail_streams(h2);
}

void
h2_abort(struct h2 *h2, uint32_t code)
{
	h2_fail(h2, ERR_H2_CLOSED, code, "the connection was ended by us");
}

static nghttp2_option *
make_options(void)
{
	nghttp2_option *option = NULL;

	must(nghttp2_option_new(&option) == 0); /* fails without memory only */
	nghttp2_option_set_no_auto_window_update(option, 1);
	nghttp2_option_set_no_closed_streams(option, 1);
	nghttp2_option_set_peer_max_concurrent_streams(option, STREAMS);
	nghttp2_option_set_max_send_header_block_length(option, SEND_HEAD_MOST);
	nghttp2_option_set_builtin_recv_extension_type(option, NGHTTP2_PRIORITY_UPDATE);
	/* Resets are counted in h2_calm.c, by our clock and our reason. */
	nghttp2_option_set_stream_reset_rate_limit(option, UINT32_MAX, UINT32_MAX);
	return option;
}

static void
make_session(struct h2 *h2)
{
	nghttp2_session_callbacks *callbacks = NULL;
	nghttp2_option *option = make_options();

	must(nghttp2_session_callbacks_new(&callbacks) == 0); /* memory */
	h2_recv_register(callbacks);
	h2_send_register(callbacks);
	nghttp2_mem mem;
	h2_mem_fill(&mem, h2);
	int rv = h2->config.role == H2_SERVER
		? nghttp2_session_server_new3(&h2->session, callbacks, h2, option, &mem)
		: nghttp2_session_client_new3(
			  &h2->session, callbacks, h2, option, &mem);
	must(rv == 0); /* memory */
	nghttp2_session_callbacks_del(callbacks);
	nghttp2_option_del(option);
}

/* RFC 9113 §6.5.2, RFC 8441 §3, RFC 9218 §2.1. The connection's window is the budget:
 * what bounds memory are the windows of the streams. */
static void
submit_settings(struct h2 *h2)
{
	const struct h2_config *c = &h2->config;
	bool server = c->role == H2_SERVER;
	nghttp2_settings_entry entries[6] = {
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, c->window},
		{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)c->limits.head_bytes},
		{NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
	};
	size_t n = 3;

	if (server) {
		entries[n++] = (nghttp2_settings_entry){
			NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, c->streams};
	} else {
		entries[n++] =
			(nghttp2_settings_entry){NGHTTP2_SETTINGS_ENABLE_PUSH, 0};
	}
	if (server && c->connect_protocol) {
		entries[n++] = (nghttp2_settings_entry){
			NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1};
	}
	must(nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, entries, n) == 0);
	must(nghttp2_session_set_local_window_size(
		     h2->session, NGHTTP2_FLAG_NONE, 0, (int32_t)c->budget) == 0);
}

void
h2_offer_connect_protocol(struct h2 *h2)
{
	const nghttp2_settings_entry entry = {
		NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1};
	if (!h2->over) {
		(void)nghttp2_submit_settings(
			h2->session, NGHTTP2_FLAG_NONE, &entry, 1);
	}
}

void
h2_init(struct h2 *h2, const struct h2_config *config, struct buf *out)
{
	must(out->limit >= OUT_LEAST);
	must(config->window <= config->window_most && config->budget <= INT32_MAX);
	*h2 = (struct h2){.config = *config, .out = out};
	list_init(&h2->streams);
	list_init(&h2->ready);
	list_init(&h2->blocked);
	h2_calm_begin(&h2->calm);
	h2_walk_begin(h2);
	make_session(h2);
	submit_settings(h2);
}

void
h2_fini(struct h2 *h2)
{
	nghttp2_session_del(h2->session);
	h2->session = NULL;
	while (!list_empty(&h2->streams)) {
		h2_stream_free(
			CONTAINER_OF(h2->streams.next, struct h2_stream, in_all));
	}
}

/* Errors after which the library cannot go on; it has said goodbye for the others. */
static void
fail_fatally(struct h2 *h2, int rv)
{
	bool flood =
		rv == NGHTTP2_ERR_FLOODED || rv == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS;

	h2_fail(h2, flood ? ERR_H2_FLOOD : ERR_H2_PROTOCOL,
		flood ? H2_ENHANCE_YOUR_CALM : H2_PROTOCOL_ERROR, nghttp2_strerror(rv));
}

static void
read_frames(struct h2 *h2, struct span s)
{
	while (s.n > 0 && !h2->over) {
		struct span feed = {0};
		h2_walk_step(h2, &s, &feed);
		if (feed.n == 0 || h2->over)
			continue;
		ssize_t rv = nghttp2_session_mem_recv(h2->session, feed.p, feed.n);
		if (rv < 0)
			fail_fatally(h2, (int)rv); /* an error code */
	}
}

/* The library has given up, or both have said goodbye: it says so only once its GOAWAY
 * has gone out. */
void
h2_look_if_over(struct h2 *h2)
{
	if (h2->over || nghttp2_session_want_read(h2->session))
		return;
	bool polite = h2->goaway_seen || h2->drains > 0;
	h2_fail(h2, polite ? ERR_H2_CLOSED : ERR_H2_PROTOCOL, H2_NO_ERROR,
		polite ? "the connection ended" : h2->saw.text);
}

bool
h2_read(struct h2 *h2, struct buf *in, struct err *err)
{
	read_frames(h2, buf_peek(in));
	buf_drop(in, buf_len(in));
	h2_look_if_over(h2);
	if (h2->over)
		*err = h2->err;
	return !h2->over;
}

void
h2_eof(struct h2 *h2)
{
	if (!h2->over) {
		h2_fail(h2, ERR_H2_CLOSED, H2_NO_ERROR,
			"the peer closed the connection");
	}
}

struct h2_stream *
h2_ready(struct h2 *h2)
{
	if (list_empty(&h2->ready))
		return NULL;
	struct h2_stream *x = CONTAINER_OF(h2->ready.next, struct h2_stream, in_ready);
	list_leave(&x->in_ready);
	x->offered = true;
	return x;
}

/* What a failed stream still has to tell: an origin's answer up to the break is passed
 * on, a client's request is of no use any more. */
static bool
is_cut(const struct h2_stream *x)
{
	return x->err.code != ERR_NONE && x->h2->config.role == H2_SERVER;
}

static enum h2_step
step_behind_body(struct h2_stream *x, struct err *err)
{
	if (x->body_done && x->head_told) {
		if (x->head.trailers.n > 0 && !x->trailers_told) {
			x->trailers_told = true;
			return H2_TRAILERS;
		}
		return H2_END;
	}
	if (x->err.code == ERR_NONE)
		return H2_MORE;
	*err = x->err;
	return H2_FAILED;
}

enum h2_step
h2_step(struct h2_stream *x, struct http_head **head, struct span *body,
	struct err *err)
{
	*head = &x->head;
	if (is_cut(x)) {
		*err = x->err;
		return H2_FAILED;
	}
	if (x->informs) {
		*head = &x->informs->head;
		x->informs = x->informs->next;
		return H2_INFORM;
	}
	if (x->head_done && !x->head_told) {
		x->head_told = true;
		return H2_HEAD;
	}
	if (x->head_told && !buf_empty(&x->body)) {
		*body = buf_peek(&x->body);
		return H2_BODY;
	}
	return step_behind_body(x, err);
}

/* A stream that is drained as fast as it fills may fill faster: without this a single
 * download over a long line would be limited by its window. */
static void
grow_window(struct h2_stream *x)
{
	const struct h2_config *c = &x->h2->config;

	if (!buf_empty(&x->body) || x->taken < 2 * (uint64_t)x->window ||
		x->window * 2 > c->window_most ||
		x->h2->promised + x->window > c->budget)
		return;
	uint32_t window = x->window * 2;
	if (nghttp2_session_set_local_window_size(x->h2->session, NGHTTP2_FLAG_NONE,
		    x->id, (int32_t)window) != 0) /* at most window_most */
		return;
	x->h2->promised += x->window;
	x->window = window;
	x->body.limit = window;
	x->taken = 0;
}

void
h2_took(struct h2_stream *x, size_t n)
{
	buf_drop(&x->body, n);
	if (x->closed || x->body_done)
		return;
	x->taken += n;
	(void)nghttp2_session_consume_stream(x->h2->session, x->id, n);
	grow_window(x);
}

void
h2_reset(struct h2_stream *x, uint32_t code)
{
	if (x->closed || x->h2->over)
		return;
	x->resetting = true;
	(void)nghttp2_submit_rst_stream(x->h2->session, NGHTTP2_FLAG_NONE, x->id, code);
}

/* RFC 9113 §8.1: a whole response may come before its request is whole; then the rest
 * of that is not wanted, without blame. on_frame_send() sees to it if the end has not
 * gone out yet. */
void
h2_release(struct h2_stream *x)
{
	x->user = NULL;
	x->offered = true;
	x->released = true;
	list_leave(&x->in_ready);
	list_leave(&x->in_blocked);
	if (x->closed || x->h2->over) {
		if (!x->closed) {
			(void)nghttp2_session_set_stream_user_data(
				x->h2->session, x->id, NULL);
		}
		h2_stream_free(x);
		return;
	}
	bool server = x->h2->config.role == H2_SERVER;
	bool answered = server && x->end_written && x->err.code == ERR_NONE;
	if (!answered && !(x->end_written && x->body_done)) {
		h2_reset(x, H2_CANCEL);
	} else if (answered && x->end_sent && !x->body_done) {
		h2_reset(x, H2_NO_ERROR);
	}
}

void
h2_drain(struct h2 *h2)
{
	if (h2->over || h2->drains >= 2)
		return;
	h2->drains++;
	if (h2->config.role == H2_SERVER && h2->drains == 1) {
		(void)nghttp2_submit_shutdown_notice(h2->session);
	} else {
		(void)nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE,
			nghttp2_session_get_last_proc_stream_id(h2->session),
			NGHTTP2_NO_ERROR, NULL, 0);
	}
}

bool
h2_drained(const struct h2 *h2)
{
	return h2->over || (h2->drains > 0 && h2->n_open == 0);
}

bool
h2_ping(struct h2 *h2, uint64_t timeout_ms)
{
	if (h2->over)
		return false;
	if (h2->pinged != 0)
		return clock_now() - h2->pinged <= timeout_ms;
	h2->pinged = clock_now() | 1; /* 0 means none */
	(void)nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, NULL);
	return true;
}

uint32_t
h2_open_streams(const struct h2 *h2)
{
	return h2->n_open;
}

const char *
h2_code_text(uint32_t code)
{
	return nghttp2_http2_strerror(code);
}

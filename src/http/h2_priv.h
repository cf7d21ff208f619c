// SPDX-License-Identifier: Apache-2.0
/*
 * h2_priv: what the files of h2 share. h2.c owns connections and streams, h2_recv.c is
 * called for frames that came, h2_send.c for frames that go.
 */
#pragma once

#include <nghttp2/nghttp2.h>

#include "http/h2.h"

struct h2_inform {
	struct http_head head;
	struct h2_inform *next;
};

/* A stream that the peer, or we, begin; joined to h2->streams. */
struct h2_stream *h2_stream_open(struct h2 *h2, int32_t id);
void h2_stream_free(struct h2_stream *x);
/* By id, or NULL: unknown to us. */
struct h2_stream *h2_stream_find(struct h2 *h2, int32_t id);
/* It is not to be found any more. */
void h2_stream_forget(struct h2_stream *x);
/* It failed: remembers why, and tells. The first reason stays. */
void h2_stream_fail(struct h2_stream *x, enum err_code code, const char *why);
/* The counter of resets with this code; first: of NO_ERROR. */
unsigned h2_reset_stat(unsigned first, uint32_t code);
/* Its writer waits. */
void h2_stream_block(struct h2_stream *x);
void h2_wake_blocked(struct h2 *h2);

/* The connection ends for this reason, with this code towards the peer. */
void h2_fail(struct h2 *h2, enum err_code code, uint32_t h2_code, const char *why);
/* Notices when the library wants to read no more. */
void h2_look_if_over(struct h2 *h2);
/* Moves frames into out while there is room. */
void h2_pump(struct h2 *h2);

/* h2_mem.c: what the library allocates with. */
void h2_mem_fill(nghttp2_mem *mem, struct h2 *h2);

void h2_recv_register(nghttp2_session_callbacks *callbacks);
void h2_send_register(nghttp2_session_callbacks *callbacks);

/* h2_walk.c: looks at each frame before the library does, and has it paid for. Takes
 * octets off the front of *s; what the library may read now is at *feed, perhaps
 * nothing. */
void h2_walk_begin(struct h2 *h2);
void h2_walk_step(struct h2 *h2, struct span *s, struct span *feed);

/* h2_calm.c: what a peer did for nothing, and what it did for something. Spending too
 * much ends the connection. */
void h2_calm_begin(struct h2_calm *calm);
void h2_calm_control(struct h2 *h2);
void h2_calm_reset(struct h2 *h2);
void h2_calm_work(struct h2 *h2, size_t octets);

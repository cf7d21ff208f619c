// SPDX-License-Identifier: Apache-2.0
/*
 * relay_h2: a session whose client and origin both speak HTTP/2.
 *
 *	client ── h2 (server side) ── an exchange per stream ── h2 (client side) ──
 *origin
 *
 * Each request is decided on its own, by the same code as in HTTP/1: exchange.c, with
 * s->x set to the exchange of the stream that has news. One connection of the client
 *has one to the origin; what happens to the origin's (GOAWAY, its end) is mirrored to
 *the client, which then asks again on a new connection.
 */
#pragma once

#include "gate/exchange.h"
#include "http/h2.h"

struct session;

/* One stream of the client and, once its request goes out, one of the origin. */
struct relay_stream {
	struct exchange x;
	struct h2_user client;
	struct h2_user origin;
	struct list in_relay;
	struct list in_waiting; /* for the origin to take another stream */
};

struct relay_h2 {
	struct h2 client;
	struct list streams;
	struct list waiting;
	struct list woken;   /* lanes with news */
	bool offers_connect; /* extended CONNECT, since the origin takes it */
	bool answered;       /* one request at least, with a page for all */
	bool idle;           /* no stream is open: the deadline stands */
	uint64_t looked;     /* clock_now() when slow origins were looked for */
};

/* The client's handshake chose h2: begins. */
void relay_h2_start(struct session *s);
/* For stage_relay: goes as far as the bytes allow. The next stage, or TURN_… */
int relay_h2_advance(struct session *s);
/* The session ends: what is under way ends with it, told. NULL s->h2 is fine. */
void relay_h2_end(struct session *s);

/* For exchange_wire.c: sends the head of s->x to the origin, in a stream of its own. */
enum h1_wrote relay_h2_open_stream(struct session *s, struct err *err);

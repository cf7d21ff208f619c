// SPDX-License-Identifier: Apache-2.0
/*
 * relay_h2: a session whose client speaks HTTP/2.
 *
 *	client ── h2 (server side) ── an exchange per stream ── its lane ── origin
 *
 * Each request is decided on its own, by the same code as in HTTP/1: exchange.c, with
 * s->x set to the exchange of the stream that has news, and s->lane to its lane.
 *
 * A session is bound when the connection it began with speaks HTTP/2 too, as an
 * inspected one usually does: then all streams go over that one, and what happens to it
 * (GOAWAY, its end) is mirrored to the client, which asks again on a new connection.
 * Otherwise each stream has a lane of its own.
 */
#pragma once

#include "gate/exchange.h"
#include "http/h2.h"

struct lane;
struct session;

/* One stream of the client and, once its request goes out, one of the origin. */
struct relay_stream {
	struct exchange x;
	struct h2_user client;
	struct h2_user origin; /* of the bound connection */
	struct lane *lane;     /* owned; NULL: bound */
	struct list in_relay;
	struct list in_waiting; /* for the origin to take another stream */
};

struct relay_h2 {
	struct h2 client;
	struct list streams;
	struct list waiting;
	struct list woken;     /* lanes with news */
	bool bound;            /* to s->own.up */
	bool early;            /* the client's handshake is not over */
	bool offers_connect;   /* extended CONNECT, since the origin takes it */
	bool answered;         /* one request at least, with a page for all */
	bool rested;           /* idle for a while, and memory was given back */
	bool idle;             /* no stream is open: the deadline stands */
	uint64_t looked;       /* clock_now() when slow streams were looked for */
	uint64_t moved;        /* clock_now() when something came or went */
	uint64_t origin_heard; /* clock_now() when the bound connection was heard */
};

/* The client's handshake chose h2: begins. */
void relay_h2_start(struct session *s);
/* For stage_relay: goes as far as the bytes allow. The next stage, or TURN_… */
int relay_h2_advance(struct session *s);
/* The session ends: what is under way ends with it, told. NULL s->h2 is fine. */
void relay_h2_end(struct session *s);

/* For exchange_wire.c: sends the head of s->x to the origin it is bound to, in a stream
 * of its own. */
enum h1_wrote relay_h2_open_stream(struct session *s, struct err *err);
/* The stream of s->x leaves the bound connection: it gets a lane, which is s->lane now.
 */
void relay_h2_unbind(struct session *s);

/* relay_stream.c: for relay_h2.c. */
/* One of each kind that has news; false when there is none. */
MUST_USE bool relay_serve_client(struct session *s);
MUST_USE bool relay_serve_origin(struct session *s);
MUST_USE bool relay_serve_waiting(struct session *s);
/* Lanes with news, once each. */
MUST_USE bool relay_serve_woken(struct session *s);
/* The client's handshake is over: streams that waited for that go on. */
void relay_wake_early(struct session *s);
/* Streams in which something takes too long. */
void relay_fail_slow(struct session *s);
void relay_close_all(struct session *s);
/* The bound connection; NULL when there is none. */
struct h2 *relay_origin(const struct session *s);
/* Whether new streams can get to an origin. */
MUST_USE bool relay_takes_more(const struct session *s);

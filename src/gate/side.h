// SPDX-License-Identifier: Apache-2.0
/*
 * side: one end of a session: a socket, perhaps TLS over it, plaintext for whoever
 * speaks.
 *
 *	socket ─ io ─ wire bytes ─ tls ─ plaintext bufs ─ http, or a tunnel
 *
 * Without TLS the plaintext bufs are the io's own, so nothing is copied.
 */
#pragma once

#include "net/io.h"
#include "tls/engine.h"

enum {
	SIDE_WIRE = 64 * 1024,  /* most octets waiting on the wire, each way */
	SIDE_PLAIN = 64 * 1024, /* most octets of plaintext waiting, each way */
};

struct side {
	struct io io;
	struct tls *tls; /* owned; NULL: plaintext is the wire */
	struct buf in;   /* plaintext from the peer; unused without TLS */
	struct buf out;  /* plaintext to the peer */
	bool ended;      /* the peer ended its direction properly */
	bool end_wanted; /* we end ours when out is empty */
	bool end_sent;
	bool cut; /* our end comes without close_notify: what was sent is not whole */
	struct err err; /* why TLS failed, when it did */
};

/* Takes fd; moved is called as io's. */
void side_open(
	struct side *side, struct loop *loop, int fd, void (*moved)(struct io *));
MUST_USE bool side_is_open(const struct side *side);
/* Frees TLS and closes. abort: with a reset. */
void side_close(struct side *side, bool abort);

/* Where plaintext from and to the peer is. */
struct buf *side_in(struct side *side);
struct buf *side_out(struct side *side);

/* What the wire brought becomes plaintext, as far as there is room. */
void side_pull(struct side *side);
/* Plaintext becomes wire bytes and those are written, as far as there is room. */
void side_push(struct side *side);
/* Ends our direction once all of out was sent: close_notify, then FIN. */
void side_end(struct side *side);

/* The same without close_notify: the peer shall see that something is missing. */
void side_cut(struct side *side);

/* The peer cannot be heard any more: properly, or not. */
MUST_USE bool side_eof(const struct side *side);
/* It broke: no byte will come or go. */
MUST_USE bool side_failed(const struct side *side);
/* Nothing of ours waits to be sent. */
MUST_USE bool side_flushed(const struct side *side);
/* Octets moved on the wire since it was opened: to see progress. */
uint64_t side_moved(const struct side *side);

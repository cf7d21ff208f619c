// SPDX-License-Identifier: Apache-2.0
/*
 * visit: one connection, one request, one answer, in plain HTTP/1 (RFC 9112).
 *
 * For the little that this program says by itself: metrics, lists of revoked
 * certificates, OCSP. The request is read whole before it is answered; few octets are
 * taken, and the time from accept to close is bounded. Whoever serves embeds a
 * visit_desk, and a visit at the beginning of what it keeps per connection.
 */
#pragma once

#include "base/arena.h"
#include "http/h1_read.h"
#include "http/h1_write.h"
#include "http/msg.h"
#include "net/io.h"
#include "net/listen.h"
#include "net/timer.h"

struct visit;

/* Where visitors are served. What is not said to be private is its owner's to set. */
struct visit_desk {
	struct loop *loop;  /* borrowed */
	uint64_t most_ms;   /* from accept to close */
	size_t posted_most; /* octets of a request's body, 64 KiB at most; more are a
			       413 */
	/* The request is there: v->request, v->posted. Calls visit_answer(). */
	void (*asked)(struct visit *v);
	/* Nobody has v any more; frees it, and what the answer's body lay in. */
	void (*left)(struct visit *v);

	struct listen_limit limit;
	struct list visits; /* private */
};

struct visit {
	struct http_head request;
	struct span posted;
	struct arena arena; /* for what is made up on the way to the answer */

	/* Private. */
	struct visit_desk *desk;
	struct list in;
	struct io io;
	struct timer late;
	struct corpse corpse;
	struct h1_reader reader;
	struct h1_writer writer;
	uint8_t *room; /* of posted; in the arena */
	struct span to_write;
	bool answered;
	bool written;
};

struct visit_answer {
	unsigned status;
	struct span type;  /* media type */
	struct span cache; /* Cache-Control; empty: no-store */
	struct span body;  /* lives until left() */
};

/* After its owner's fields are set. At most `most` visitors at a time. */
void visit_desk_open(struct visit_desk *d, size_t most);
/* Ends all visits; left() of each follows at the end of the loop's turn. */
void visit_desk_close(struct visit_desk *d);
MUST_USE bool visit_desk_is_idle(const struct visit_desk *d);

/* Takes fd, which counts against the limit. v is zero, and stays until left(). */
void visit_begin(struct visit_desk *d, struct visit *v, int fd);
/* Once per visit. */
void visit_answer(struct visit *v, const struct visit_answer *a);
/* The same, with a line of text, a constant. */
void visit_refuse(struct visit *v, unsigned status, struct span line);

// SPDX-License-Identifier: Apache-2.0
/*
 * splice: two sockets joined in the kernel: bytes pass through a pipe and never through
 * us (splice(2)).
 *
 * Pipes come from a pool and are held only while bytes are in them, so an idle tunnel
 * costs two descriptors and this struct. Where splice is refused the same is done with
 * read and write. Half-closes are carried over.
 */
#pragma once

#include "base/buf.h"
#include "net/loop.h"

struct splice_pipe;

/* One per process. */
struct splice_pool {
	struct splice_pipe *spare; /* owned */
	size_t n_spare;
	size_t n_held;
	size_t most_spare;
	size_t pipe_bytes; /* what we ask for; less once the kernel's limit is met */
};

void splice_pool_init(struct splice_pool *pool);
/* Tunnels must have ended. */
void splice_pool_fini(struct splice_pool *pool);

enum splice_end {
	SPLICE_RUNNING,
	SPLICE_CLOSED, /* both ways ended in order */
	SPLICE_IDLE,   /* nothing moved for too long */
	SPLICE_FAILED, /* one side did; see failed and failed_side */
};

/* One direction; private. */
struct splice_way {
	struct splice_pipe *pipe; /* held while bytes are in it */
	size_t in_pipe;
	struct buf first; /* bytes read before we came, sent first */
	bool eof;         /* the source has ended */
	bool shut;        /* and the drain was told */
	bool copies;      /* splice was refused: read and write */
};

/* Zero but for `done`. */
struct splice {
	void (*done)(struct splice *s); /* from the loop; both fds are closed by then */

	uint64_t n[2]; /* bytes carried: [0] a → b, [1] b → a, with the first ones */
	enum splice_end end;
	int failed;      /* errno */
	int failed_side; /* 0: a, 1: b */
	int first_eof;   /* which side ended first: 0, 1, or -1 */

	/* Private. */
	struct loop *loop;
	struct splice_pool *pool;
	struct watch side[2];
	struct splice_way way[2];
	struct timer idle;
	struct hook begin;
	uint64_t idle_ms;
};

/* What a tunnel is made of. The fds are taken; the bufs, which may be NULL, are
 * emptied: what a sent already and b shall get first, and the other way round. */
struct splice_ends {
	int a;
	int b;
	struct buf *from_a;
	struct buf *from_b;
	uint64_t idle_ms; /* 0: no limit */
};

void splice_start(struct splice *s, struct loop *loop, struct splice_pool *pool,
	const struct splice_ends *ends);
/* Closes both now; done() is not called. Harmless when it has ended. */
void splice_stop(struct splice *s);
MUST_USE bool splice_is_open(const struct splice *s);

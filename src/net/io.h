// SPDX-License-Identifier: Apache-2.0
/*
 * io: a stream socket with a bounded buf on each way.
 *
 * Whoever holds it works on the bufs and then calls io_touch(): what `out` holds is
 * written, and what epoll is asked for follows from the bufs. `in` full means nothing
 * is read, so the kernel's window closes and the peer waits: that is all the
 * backpressure there is, and interest is never set by hand.
 *
 * `moved` is called from the loop only, never from inside these functions: bytes came
 * or went, the peer ended, or it failed. Look at what is true. When it returns, the io
 * it was called for is touched; touch the others you changed.
 */
#pragma once

#include "base/buf.h"
#include "net/loop.h"

struct io {
	struct buf in;                /* from the peer; drop what you have used */
	struct buf out;               /* to the peer; put what it shall get */
	void (*moved)(struct io *io); /* may close the io */

	/* To be read by all, written here. */
	bool eof;       /* the peer will send nothing more; `in` may still hold some */
	bool shut;      /* our end of writing has been sent */
	int failed;     /* errno of what ended it; no more bytes either way */
	uint64_t n_in;  /* bytes received */
	uint64_t n_out; /* bytes handed to the kernel */

	/* Private. */
	bool shut_wanted;
	uint8_t read_step; /* reads are 16 KiB << this */
	struct loop *loop;
	struct watch watch;
	struct hook told; /* a failure found outside the loop's turn for this io */
};

/*
 * Takes fd, any connected stream socket, non-blocking or not. Set io->moved before or
 * right after. It begins reading at once; limits are those of the bufs.
 */
void io_open(
	struct io *io, struct loop *loop, int fd, size_t in_limit, size_t out_limit);
MUST_USE bool io_is_open(const struct io *io);

/* "I changed the bufs." Writes once if there is something to write. Never calls
 * moved(); a failure shows in io->failed and moved() follows in this turn or the next.
 */
void io_touch(struct io *io);

/* Ends our direction once `out` is empty. Nothing may be put into `out` afterwards. */
void io_shut(struct io *io);

/* Closes now; what `out` holds is lost, and bytes the peer sent and nobody read make
 * the kernel reset it. To end politely: io_shut(), drop `in` until eof, then close.
 * moved() is not called any more. Harmless when not open. */
void io_close(struct io *io);
/* The same with a reset whatever is left: the peer shall see a failure. */
void io_abort(struct io *io);

/* Gives the fd to another holder in this loop, as for splice_start(). The bufs stay,
 * with what they hold: they are the caller's now. */
MUST_USE int io_take(struct io *io);

/* Unsent and sent but not acknowledged octets are dropped by the kernel after this long
 * (TCP_USER_TIMEOUT); quiet peers are probed from idle_s on. 0 leaves the default. */
void io_keepalive(struct io *io, unsigned idle_s, unsigned give_up_ms);

// SPDX-License-Identifier: Apache-2.0
#include "gate/side.h"

void
side_open(struct side *side, struct loop *loop, int fd, void (*moved)(struct io *))
{
	*side = (struct side){.io.moved = moved};
	buf_init(&side->in, SIDE_PLAIN);
	buf_init(&side->out, SIDE_PLAIN);
	io_open(&side->io, loop, fd, SIDE_WIRE, SIDE_WIRE);
}

bool
side_is_open(const struct side *side)
{
	return io_is_open(&side->io);
}

void
side_close(struct side *side, bool abort)
{
	tls_free(side->tls);
	side->tls = NULL;
	buf_fini(&side->in);
	buf_fini(&side->out);
	if (!io_is_open(&side->io))
		return;
	if (abort) {
		io_abort(&side->io);
	} else {
		io_close(&side->io);
	}
}

struct buf *
side_in(struct side *side)
{
	return side->tls ? &side->in : &side->io.in;
}

struct buf *
side_out(struct side *side)
{
	return side->tls ? &side->out : &side->io.out;
}

void
side_pull(struct side *side)
{
	if (!side->tls) {
		side->ended = side->io.eof && !side->io.failed;
		return;
	}
	if (side->io.eof && buf_empty(&side->io.in) && !side->ended)
		tls_wire_ended(side->tls);
	enum tls_state state = tls_advance(side->tls, &side->err);
	if (state == TLS_OPEN)
		tls_read(side->tls, &side->in);
	if (tls_state(side->tls) == TLS_ENDED)
		side->ended = true;
}

/* What waits to be said behind a TLS that failed will never be. */
static void
push_end(struct side *side)
{
	bool broken = side->tls && tls_state(side->tls) == TLS_FAILED;
	bool waits = !buf_empty(side_out(side)) && !broken;
	if (!side->end_wanted || side->end_sent || waits)
		return;
	bool says_so = side->tls && !side->cut && !broken;
	if (says_so && !tls_end(side->tls))
		return;
	side->end_sent = true;
	io_shut(&side->io);
}

void
side_push(struct side *side)
{
	if (!io_is_open(&side->io))
		return;
	if (side->tls && !buf_empty(&side->out))
		tls_write(side->tls, &side->out);
	push_end(side);
	io_touch(&side->io);
	/* The kernel took some: what waited for room in the wire buf can follow. */
	while (side->tls && !buf_empty(&side->out) && !side->io.failed) {
		if (tls_write(side->tls, &side->out) == 0)
			break;
		push_end(side);
		io_touch(&side->io);
	}
}

void
side_end(struct side *side)
{
	side->end_wanted = true;
	side_push(side);
}

void
side_cut(struct side *side)
{
	side->cut = true;
	side_end(side);
}

bool
side_eof(const struct side *side)
{
	return side->ended || side->io.eof || side_failed(side);
}

bool
side_failed(const struct side *side)
{
	return side->io.failed != 0 ||
		(side->tls && tls_state(side->tls) == TLS_FAILED);
}

bool
side_flushed(const struct side *side)
{
	return buf_empty(&side->io.out) && (!side->tls || buf_empty(&side->out));
}

uint64_t
side_moved(const struct side *side)
{
	return side->io.n_in + side->io.n_out;
}

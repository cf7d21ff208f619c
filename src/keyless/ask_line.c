// SPDX-License-Identifier: Apache-2.0
#include "keyless/line.h"

#include "base/clock.h"

enum { IN_LIMIT = 128 * 1024, OUT_LIMIT = 256 * 1024 };

/* Answers may be leaf keys. */
static void
close_wiped(struct io *io)
{
	buf_wipe(&io->in);
	buf_wipe(&io->out);
	io_close(io);
}

static void
end_asking(struct ask_line *line, const struct err *why)
{
	ask_link_break(&line->link, why);
	timer_stop(line->loop, &line->due);
	if (line->ended)
		line->ended(line, why);
}

static void
asking_moved(struct io *io)
{
	struct ask_line *line = CONTAINER_OF(io, struct ask_line, io);
	struct err err = {0};

	if (line->link.broken)
		return; /* ended() was told */
	if (!ask_link_advance(&line->link, &err)) {
		end_asking(line, &err);
		return;
	}
	if (io->failed) {
		(void)err_errno(
			&err, ERR_KEYLESS_BROKEN, io->failed, "reading answers");
	} else if (io->eof) {
		(void)err_set(&err, ERR_KEYLESS_BROKEN, "the other process closed");
	} else {
		return;
	}
	end_asking(line, &err);
}

/* One timer for all: the oldest ask is due first. */
static void
expire(struct timer *t)
{
	struct ask_line *line = CONTAINER_OF(t, struct ask_line, due);
	uint64_t next = ask_link_expire(&line->link, clock_now());

	if (next != UINT64_MAX)
		timer_set(line->loop, t, next);
}

static void
flush_asks(struct hook *h)
{
	struct ask_line *line = CONTAINER_OF(h, struct ask_line, flush);

	io_touch(&line->io);
	if (line->link.n > 0 && !timer_is_set(&line->due))
		timer_set(line->loop, &line->due, clock_now() + line->link.timeout_ms);
}

static void
asks_wrote(struct ask_link *l)
{
	struct ask_line *line = CONTAINER_OF(l, struct ask_line, link);

	loop_soon(line->loop, &line->flush);
}

void
ask_line_open(struct ask_line *line, struct loop *loop, int fd, size_t max)
{
	*line = (struct ask_line){
		.loop = loop, .flush.run = flush_asks, .due.fired = expire};
	io_open(&line->io, loop, fd, IN_LIMIT, OUT_LIMIT);
	line->io.moved = asking_moved;
	ask_link_init(&line->link, &line->io.in, &line->io.out, max);
	line->link.padded = false;
	line->link.wrote = asks_wrote;
}

void
ask_line_close(struct ask_line *line)
{
	ask_link_fini(&line->link);
	loop_unhook(&line->flush);
	timer_stop(line->loop, &line->due);
	close_wiped(&line->io);
}

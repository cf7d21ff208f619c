// SPDX-License-Identifier: Apache-2.0
#include "keyless/line.h"

#include "base/clock.h"

enum {
	IN_LIMIT = 128 * 1024, /* at least one message */
	OUT_LIMIT = 256 * 1024,
	BUDGET_US = 2000,
};

/* Answers may be leaf keys. */
static void
close_wiped(struct io *io)
{
	buf_wipe(&io->in);
	buf_wipe(&io->out);
	io_close(io);
}

/* ---- asking ---- */

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
	if (io->failed)
		(void)err_errno(
			&err, ERR_KEYLESS_BROKEN, io->failed, "reading answers");
	else if (io->eof)
		(void)err_set(&err, ERR_KEYLESS_BROKEN, "the other process closed");
	else
		return;
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

/* ---- answering ---- */

static void
flush_seats(struct answer_desk *desk)
{
	LIST_EACH (it, &desk->wrote) {
		struct answer_seat *seat = CONTAINER_OF(it, struct answer_seat, wrote);

		list_leave(it);
		seat->flush(seat);
	}
}

static void
serve_turn(struct hook *h)
{
	struct answer_desk *desk = CONTAINER_OF(h, struct answer_desk, turn);

	bool more = answer_door_serve(&desk->door, desk->budget_us);
	flush_seats(desk);
	if (more)
		answer_desk_wake(desk);
}

void
answer_desk_open(struct answer_desk *desk, struct loop *loop, struct keys *keys)
{
	*desk = (struct answer_desk){
		.loop = loop, .budget_us = BUDGET_US, .turn.run = serve_turn};
	answer_door_init(&desk->door, keys);
	list_init(&desk->wrote);
	list_init(&desk->turn.in);
}

void
answer_desk_close(struct answer_desk *desk)
{
	loop_unhook(&desk->turn);
	answer_door_fini(&desk->door);
}

void
answer_desk_wake(struct answer_desk *desk)
{
	loop_soon(desk->loop, &desk->turn);
}

static void
seat_wrote(struct answer_link *l)
{
	struct answer_seat *seat = CONTAINER_OF(l, struct answer_seat, link);

	if (!list_joined(&seat->wrote))
		list_push(&seat->desk->wrote, &seat->wrote);
	answer_desk_wake(seat->desk);
}

void
answer_seat_take(struct answer_seat *seat, struct answer_desk *desk)
{
	seat->desk = desk;
	seat->link.wrote = seat_wrote;
	list_init(&seat->wrote);
}

void
answer_seat_leave(struct answer_seat *seat)
{
	answer_link_fini(&seat->link);
	list_leave(&seat->wrote);
}

/* Reads requests as far as answers have room, and has them served. */
static void
read_requests(struct answer_line *line)
{
	if (!answer_link_advance(&line->seat.link))
		io_shut(&line->io);
	if (line->seat.link.n_calls > 0)
		answer_desk_wake(line->seat.desk);
}

static void
flush_line(struct answer_seat *seat)
{
	struct answer_line *line = CONTAINER_OF(seat, struct answer_line, seat);

	io_touch(&line->io);
	read_requests(line);
	io_touch(&line->io);
}

static void
answering_moved(struct io *io)
{
	struct answer_line *line = CONTAINER_OF(io, struct answer_line, io);

	read_requests(line);
	if (io->failed || io->eof || (line->seat.link.ending && io->shut))
		line->ended(line);
}

void
answer_line_open(struct answer_line *line, struct answer_desk *desk,
	struct answer_client *client, int fd)
{
	*line = (struct answer_line){.seat.flush = flush_line};
	io_open(&line->io, desk->loop, fd, IN_LIMIT, OUT_LIMIT);
	line->io.moved = answering_moved;
	answer_link_init(
		&line->seat.link, &desk->door, client, &line->io.in, &line->io.out);
	answer_seat_take(&line->seat, desk);
}

void
answer_line_close(struct answer_line *line)
{
	answer_seat_leave(&line->seat);
	close_wiped(&line->io);
}

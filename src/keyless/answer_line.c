// SPDX-License-Identifier: Apache-2.0
#include "keyless/line.h"

enum {
	IN_LIMIT = 128 * 1024,   /* at least one message */
	OUT_LIMIT = 1100 * 1024, /* room for the answers of 1,024 calls */
	BUDGET_US = 2000,
};

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
	buf_wipe(&line->io.in); /* answers may be leaf keys */
	buf_wipe(&line->io.out);
	io_close(&line->io);
}

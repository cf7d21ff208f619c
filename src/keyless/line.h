// SPDX-License-Identifier: Apache-2.0
/*
 * line: the key protocol over a plain socket, for two of our own processes.
 *
 * What is asked in one turn of the loop leaves in one write when the turn ends.
 */
#pragma once

#include "keyless/answer.h"
#include "keyless/ask.h"
#include "net/io.h"

/* The asking end, in a worker. Ask with ask_send(&line->link, …). */
struct ask_line {
	struct ask_link link;
	/* The other end is gone or broke the protocol; every ask has been answered.
	 * Close it, now or later. May be NULL. */
	void (*ended)(struct ask_line *line, const struct err *why);

	/* Private. */
	struct loop *loop;
	struct io io;
	struct hook flush;
	struct timer due;
};

/* Takes fd. max as in ask_link_init(); set link.timeout_ms and ended afterwards.
 * Requests are not padded. */
void ask_line_open(struct ask_line *line, struct loop *loop, int fd, size_t max);
/* Answers every ask with ERR_KEYLESS_BROKEN first. */
void ask_line_close(struct ask_line *line);

/* Serving any number of links from one loop: the door's calls are worked off near the
 * end of each turn, for a bounded time, and then what was answered is written. */
struct answer_desk {
	struct answer_door door; /* set what it serves after answer_desk_open() */
	uint64_t budget_us;      /* of a turn, for operations; 2000 */

	/* Private. */
	struct loop *loop;
	struct hook turn;
	struct list wrote; /* lines and peers with new octets */
};

void answer_desk_open(struct answer_desk *desk, struct loop *loop, struct keys *keys);
/* All its lines are closed before. */
void answer_desk_close(struct answer_desk *desk);
/* Requests were read: have them served. */
void answer_desk_wake(struct answer_desk *desk);

/* The part of a line or a TLS peer that the desk knows. */
struct answer_seat {
	struct answer_link link;
	struct answer_desk *desk;
	struct list wrote; /* in desk->wrote */
	/* Octets were added to link.out, or room was made there: pass them on, read on.
	 * Called by the desk. */
	void (*flush)(struct answer_seat *seat);
};

/* Sets what the desk needs; link was initialised for desk->door. */
void answer_seat_take(struct answer_seat *seat, struct answer_desk *desk);
void answer_seat_leave(struct answer_seat *seat);

/* The answering end over a plain socket, in the vault. */
struct answer_line {
	struct answer_seat seat;
	/* The other end is gone, or broke the protocol and has been told. Close it, now
	 * or later. */
	void (*ended)(struct answer_line *line);

	/* Private. */
	struct io io;
};

/* Takes fd. client lives as long as the line. */
void answer_line_open(struct answer_line *line, struct answer_desk *desk,
	struct answer_client *client, int fd);
void answer_line_close(struct answer_line *line);

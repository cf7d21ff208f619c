// SPDX-License-Identifier: Apache-2.0
/*
 * leash: the line between the master and one of its processes.
 *
 * A SOCK_SEQPACKET pair; a message is a word, what belongs to it, and perhaps a
 * descriptor. The master holds one end. When it dies the line ends, and the process
 * finishes what it carries and goes too.
 */
#pragma once

#include "net/ipc.h"
#include "net/loop.h"

enum leash_word {
	LEASH_READY = 'r',  /* up: I serve now */
	LEASH_FAILED = 'f', /* up: I cannot; code and text follow */
	LEASH_PEER = 'p',   /* down: a line to another process comes with this */
	LEASH_DRAIN = 'd',  /* down: end when your work is done */
	LEASH_STOP = 's',   /* down: end now */
};

struct leash_message {
	enum leash_word word;
	int fd;         /* the receiver's, or -1 */
	struct err err; /* of LEASH_FAILED */
};

/* Set the callbacks before leash_open(). */
struct leash {
	void (*came)(struct leash *l, const struct leash_message *m);
	void (*ended)(struct leash *l); /* the other end is gone; closed already */

	/* Private. */
	struct loop *loop;
	struct watch watch;
};

MUST_USE bool leash_pair(int fds[2], struct err *err);
/* Takes fd. */
void leash_open(struct leash *l, struct loop *loop, int fd);
/* Harmless when not open. */
void leash_close(struct leash *l);
/* Reads what is there now, as the loop would. */
void leash_look(struct leash *l);

/* Says a word; fd, or -1, is sent along and stays the caller's. A line that is gone is
 * no error: its end is told by ended(). */
void leash_say(struct leash *l, enum leash_word word, int fd);
/* Says LEASH_FAILED from a process that has no loop yet. */
void leash_confess(int fd, const struct err *err);

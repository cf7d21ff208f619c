// SPDX-License-Identifier: Apache-2.0
/*
 * post: the one scribe there is at a time, and the workers' event lines.
 *
 * The store has one writer, so generations share a scribe. The master keeps a copy of
 * the scribe's end of each line: when a scribe is exchanged (each reload brings one
 * with the new settings) or dies, the next reads on where the last one stopped, and
 * what was recorded meanwhile has waited in the lines.
 */
#pragma once

#include "proc/child_priv.h"
#include "proc/ports_priv.h"

/* A worker's line; embedded in what stands for the worker. */
struct post_line {
	struct list in;
	int fd; /* the scribe's end, owned */
};

/* What a scribe is started with. Settings are borrowed until the next change. */
struct post_orders {
	const struct settings *settings;
	struct owner owner;
};

struct post {
	struct loop *loop;
	struct pages *pages;
	const struct ports *ports;
	/* A scribe with the orders given last is ready, or *err says why there is none.
	 */
	void (*settled)(struct post *p, const struct err *err);
	void (*ended)(struct post *p); /* after post_end() */

	/* Private. */
	struct child child;
	struct post_orders orders;
	struct list lines;
	struct timer timer; /* patience with a start, or the next attempt */
	struct hook begin;
	struct hook tell;
	struct err failure;
	unsigned back_off_ms;
	enum post_state {
		POST_NONE,
		POST_ENDING,   /* the one before is finishing; the next follows */
		POST_STARTING, /* not ready yet, and settled() is due */
		POST_SERVES,
		POST_LEAVING, /* none follows */
	} state;
};

/* Set loop, pages, ports and both callbacks before. */
void post_init(struct post *p);
/* Exchanges the scribe; settled() tells of it. */
void post_change(struct post *p, const struct post_orders *orders);
/* Whether a scribe with the orders given last is ready. */
MUST_USE bool post_serves(const struct post *p);
/* After a failure that settled() told: keeps trying with the same orders, silently. */
void post_insist(struct post *p);
/* Takes fd. */
void post_add(struct post *p, struct post_line *line, int fd);
/* The worker is gone; what it sent is still read. Harmless twice. */
void post_drop(struct post_line *line);
/* No more lines: the scribe ends with what there is. now: without waiting for it. */
void post_end(struct post *p, bool now);
/* The process with this id has ended; false when it is not the scribe. */
MUST_USE bool post_reaped(struct post *p, pid_t pid, int status);

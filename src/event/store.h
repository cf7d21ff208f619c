// SPDX-License-Identifier: Apache-2.0
/*
 * store: the events of the past, in one SQLite file.
 *
 * The scribe writes, in batches: a transaction a second or a thousand events, whichever
 * comes first. Readers (`sekisho log`, the console) open the same file and never make
 * the writer wait. A table per kind, a column per row of event_list.h; new rows become
 * new columns of an old file. What the disk does not take is counted and forgotten:
 * traffic goes on.
 */
#pragma once

#include "event/event.h"

struct store;

struct store_options {
	const char *path;  /* its directory is made when missing */
	uint64_t max_ms;   /* older events go; 0 keeps them */
	uint64_t max_size; /* octets of the file, beyond which the oldest go; 0: any */
};

/* For the one writer. */
MUST_USE bool store_open(
	const struct store_options *options, struct store **out, struct err *err);
/* For readers; ERR_EVENT_STORE when there is none yet. */
MUST_USE bool store_open_read(const char *path, struct store **out, struct err *err);
/* Commits what is waiting. NULL is fine. */
void store_close(struct store *s);

/* Takes one event. What fails is counted in STAT_EVENTS_UNSTORED. */
void store_add(struct store *s, const struct event_view *e);
/*
 * To be called often, now_ms from clock_now(): commits when due, forgets what is too
 * old or too much, a bounded piece at a time. Returns ms until it wants to be called
 * again.
 */
uint64_t store_tick(struct store *s, uint64_t now_ms);
/* Commits now. */
void store_flush(struct store *s);

/* Which events to read. Zeroes mean no limit. */
struct store_range {
	unsigned kinds;   /* bit per enum event_kind; 0: all */
	int64_t since_ms; /* began at or after, wall time */
	int64_t until_ms; /* began before */
	uint64_t session;
	uint64_t after;    /* seq above this */
	uint64_t before;   /* seq below this */
	bool oldest_first; /* otherwise newest first */
};

struct store_scan;

MUST_USE bool store_scan_open(struct store *s, const struct store_range *range,
	struct store_scan **out, struct err *err);
/* The next event, or false at the end. Spans in *out live until the next call. */
MUST_USE bool store_scan_next(struct store_scan *scan, struct event_view *out);
void store_scan_close(struct store_scan *scan);

/* The highest seq, 0 when there is none: where following begins. */
uint64_t store_last(struct store *s);

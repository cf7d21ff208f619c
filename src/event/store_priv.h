// SPDX-License-Identifier: Apache-2.0
/*
 * store_priv: the open file, shared by its writer and its readers.
 */
#pragma once

#include <sqlite3.h>

#include "event/store.h"

struct store {
	sqlite3 *db;                       /* owned */
	sqlite3_stmt *insert[EVENT_KINDS]; /* owned; NULL in a reader */
	uint8_t place[EVENT_KINDS]
		     [EVENT_FIELDS]; /* of a field in them; 0: not a column */
	uint64_t seq;                /* of the last event we wrote */
	uint64_t max_ms;
	uint64_t max_size;
	uint8_t *pending; /* owned; records not written yet */
	size_t n_pending; /* octets */
	size_t cap_pending;
	uint64_t waiting;   /* records in it */
	uint64_t begun_ms;  /* when the first came */
	uint64_t retry_ms;  /* not to be tried before: another writer has the file */
	uint64_t pruned_ms; /* when retention was last looked at */
	uint64_t complained_ms; /* when the log was last told of a failure */
	bool has_pruned;        /* pruned_ms is set, and nothing was left over */
};

/* Fills *err from SQLite's own words. Returns false. */
bool store_fail(sqlite3 *db, const char *doing, struct err *err);
MUST_USE bool store_run(sqlite3 *db, const char *sql);
/* The first column of the first row, or `otherwise`. */
int64_t store_ask(sqlite3 *db, const char *sql, int64_t otherwise);
/* The lowest or highest seq of all tables, or -1: what is "min" or "max". */
int64_t store_ask_end(sqlite3 *db, const char *what);
/* Tells the log what SQLite says, not more than once a minute. */
void store_complain(struct store *s, const char *doing);
/* One piece of what is too old or too much; true when there may be more. */
bool store_prune(struct store *s);

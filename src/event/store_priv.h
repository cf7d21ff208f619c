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
	uint64_t seq;                /* of the last event */
	uint64_t max_ms;
	uint64_t max_size;
	uint64_t waiting;       /* events of the open transaction */
	uint64_t begun_ms;      /* when it began */
	uint64_t pruned_ms;     /* when retention was last looked at */
	uint64_t complained_ms; /* when the log was last told of a failure */
	bool has_pruned;        /* pruned_ms is set, and nothing was left over */
};

/* Fills *err from SQLite's own words. Returns false. */
bool store_fail(sqlite3 *db, const char *doing, struct err *err);

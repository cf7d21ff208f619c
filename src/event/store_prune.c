// SPDX-License-Identifier: Apache-2.0
/*
 * store_prune: forgetting what is too old or too much, a bounded piece at a time, so
 * that the scribe never stays away from its workers for long.
 */
#include "base/clock.h"
#include "base/stats.h"
#include "base/text.h"
#include "event/store_priv.h"

enum { PRUNE_ROWS = 4000 }; /* in one go: some milliseconds */

static uint64_t
file_size(struct store *s)
{
	int64_t pages = store_ask(s->db, "PRAGMA page_count", 0) -
		store_ask(s->db, "PRAGMA freelist_count", 0);
	return (uint64_t)(pages * store_ask(s->db, "PRAGMA page_size", 4096));
}

/* Forgets the oldest rows up to seq `last`; true when there were any. */
static bool
forget(struct store *s, int64_t last)
{
	char sql[100];
	uint64_t n = 0;
	bool ok = store_run(s->db, "BEGIN IMMEDIATE");

	for (int k = 0; k < EVENT_KINDS && ok; k++) {
		text_format(sql, sizeof(sql), "DELETE FROM \"%s\" WHERE seq<=%lld",
			event_kind_name((enum event_kind)k), (long long)last);
		ok = store_run(s->db, sql);
		n += ok ? (uint64_t)sqlite3_changes(s->db) : 0;
	}
	if (!ok || !store_run(s->db, "COMMIT")) {
		store_complain(s, "forget");
		if (sqlite3_get_autocommit(s->db) == 0)
			(void)!store_run(s->db, "ROLLBACK");
		return false;
	}
	stat_add(STAT_EVENTS_EXPIRED, n);
	return n > 0;
}

/* Rows ended in this order and began nearly so: up to the last old one of the first. */
static bool
prune_age(struct store *s, int64_t first)
{
	char sql[160];
	int64_t last = -1;
	long long oldest = clock_wall_ms() - (int64_t)s->max_ms;
	long long end = first + PRUNE_ROWS;

	for (int k = 0; k < EVENT_KINDS; k++) {
		text_format(sql, sizeof(sql),
			"SELECT max(seq) FROM \"%s\" WHERE seq<%lld AND time<%lld",
			event_kind_name((enum event_kind)k), end, oldest);
		int64_t v = store_ask(s->db, sql, -1);
		last = v > last ? v : last;
	}
	return last >= 0 && forget(s, last);
}

/* Forgets as many of the oldest rows as the file is too large, by their average. */
static bool
prune_size(struct store *s, int64_t first)
{
	uint64_t size = file_size(s);
	int64_t last = store_ask_end(s->db, "max");
	uint64_t rows = (uint64_t)(last - first + 1); /* last is not below first */

	if (size <= s->max_size)
		return false;
	uint64_t n = rows * (size - s->max_size) / size + 1;
	return forget(s, first - 1 + (int64_t)(n < PRUNE_ROWS ? n : PRUNE_ROWS));
}

bool
store_prune(struct store *s)
{
	int64_t first = store_ask_end(s->db, "min");
	if (first < 0)
		return false;
	bool more = s->max_ms > 0 && prune_age(s, first);
	if (!more && s->max_size > 0)
		more = prune_size(s, first);
	if (more)
		(void)!store_run(s->db, "PRAGMA incremental_vacuum(2000)");
	return more;
}

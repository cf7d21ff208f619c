// SPDX-License-Identifier: Apache-2.0
/*
 * store: the writing half.
 *
 * A table per kind of event, a column per field that the kind has in event_list.h, rows
 * numbered over all tables in the order of arrival. There is no index but that number:
 * time rises with it, so looking for recent things reads the end, and an insert touches
 * the last page only. Rows leave in the same order.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/stats.h"
#include "base/text.h"
#include "event/store_priv.h"

enum {
	APPLICATION_ID = 0x534b4556, /* "SKEV", shown by file(1) */
	COMMIT_COUNT = 1000,
	COMMIT_MS = 1000,
	PENDING_MAX = 4 * 1024 * 1024,
	OPEN_WAIT_MS = 2000, /* for another writer: when opening, */
	WAIT_MS = 20,        /* when writing, then again after */
	RETRY_MS = 200,
	LAST_WAIT_MS = 2000, /* and when closing */
	PRUNE_MS = 5000,     /* how often retention is looked at */
	COMPLAIN_MS = 60000,
	SQL_MAX = 6 * 1024,
};

bool
store_fail(sqlite3 *db, const char *doing, struct err *err)
{
	return err_set(err, ERR_EVENT_STORE, "%s: %s", doing,
		db ? sqlite3_errmsg(db) : "out of memory");
}

bool
store_run(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

int64_t
store_ask(sqlite3 *db, const char *sql, int64_t otherwise)
{
	sqlite3_stmt *q = NULL;
	int64_t v = otherwise;
	if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) == SQLITE_OK &&
		sqlite3_step(q) == SQLITE_ROW &&
		sqlite3_column_type(q, 0) != SQLITE_NULL)
		v = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return v;
}

static const char *
column_type(enum event_field f)
{
	enum event_type type = event_field_type(f);
	return type == EVENT_TYPE_STR || type == EVENT_TYPE_IP ? "TEXT" : "INTEGER";
}

/* Which fields the kind's table has a column for. */
static bool
list_columns(sqlite3 *db, enum event_kind kind, bool has[EVENT_FIELDS])
{
	char sql[100];
	sqlite3_stmt *q = NULL;

	text_format(sql, sizeof(sql), "SELECT name FROM pragma_table_info('%s')",
		event_kind_name(kind));
	if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK)
		return false;
	while (sqlite3_step(q) == SQLITE_ROW) {
		enum event_field f = event_field_find(
			span_str((const char *)sqlite3_column_text(q, 0)));
		if (f < EVENT_FIELDS)
			has[f] = true;
	}
	return sqlite3_finalize(q) == SQLITE_OK;
}

/* Makes the kind's table, or gives an older one the columns it lacks. */
static bool
make_table(sqlite3 *db, enum event_kind kind)
{
	char sql[200];
	bool has[EVENT_FIELDS] = {false};

	text_format(sql, sizeof(sql),
		"CREATE TABLE IF NOT EXISTS \"%s\" (seq INTEGER PRIMARY KEY, time "
		"INTEGER NOT NULL)",
		event_kind_name(kind));
	if (!store_run(db, sql) || !list_columns(db, kind, has))
		return false;
	for (int i = 0; i < EVENT_FIELDS; i++) {
		enum event_field f = (enum event_field)i;
		if (has[f] || !event_field_in(f, kind))
			continue;
		text_format(sql, sizeof(sql), "ALTER TABLE \"%s\" ADD COLUMN \"%s\" %s",
			event_kind_name(kind), event_field_name(f), column_type(f));
		if (!store_run(db, sql))
			return false;
	}
	return true;
}

static bool
make_tables(sqlite3 *db)
{
	char sql[100];
	for (int k = 0; k < EVENT_KINDS; k++) {
		if (!make_table(db, (enum event_kind)k))
			return false;
	}
	text_format(sql, sizeof(sql), "PRAGMA application_id=%d", APPLICATION_ID);
	return store_run(db, sql);
}

static bool
prepare_insert(struct store *s, enum event_kind kind)
{
	char sql[SQL_MAX];
	struct text t = text_to(sql, sizeof(sql));
	uint8_t at = 2; /* seq and time come before */

	text_add(&t, "INSERT INTO \"%s\"(seq,time", event_kind_name(kind));
	for (int i = 0; i < EVENT_FIELDS; i++) {
		enum event_field f = (enum event_field)i;
		if (!event_field_in(f, kind))
			continue;
		text_add(&t, ",\"%s\"", event_field_name(f));
		s->place[kind][f] = ++at; /* at most 255 fields */
	}
	text_add(&t, ") VALUES(?");
	for (int i = 1; i < at; i++)
		text_add(&t, ",?");
	text_add(&t, ")");
	must(!t.cut); /* the names are ours */
	return sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
		       &s->insert[kind], NULL) == SQLITE_OK;
}

int64_t
store_ask_end(sqlite3 *db, const char *what)
{
	char sql[100];
	int64_t end = -1;
	for (int k = 0; k < EVENT_KINDS; k++) {
		text_format(sql, sizeof(sql), "SELECT %s(seq) FROM \"%s\"", what,
			event_kind_name((enum event_kind)k));
		int64_t v = store_ask(db, sql, -1);
		bool lower = what[1] == 'i';
		if (v >= 0 && (end < 0 || (lower ? v < end : v > end)))
			end = v;
	}
	return end;
}

static bool
prepare(struct store *s)
{
	int64_t last = store_ask_end(s->db, "max");
	s->seq = last > 0 ? (uint64_t)last : 0;
	for (int k = 0; k < EVENT_KINDS; k++) {
		if (!prepare_insert(s, (enum event_kind)k))
			return false;
	}
	return true;
}

/* WAL: readers never block the writer. NORMAL: a power cut may lose the last seconds,
 * never the file. */
static bool
set_up(struct store *s)
{
	return store_run(s->db, "PRAGMA auto_vacuum=INCREMENTAL") &&
		store_run(s->db, "PRAGMA journal_mode=WAL") &&
		store_run(s->db, "PRAGMA synchronous=NORMAL") &&
		store_run(s->db, "PRAGMA wal_autocheckpoint=2000") &&
		store_run(s->db, "PRAGMA journal_size_limit=16777216") &&
		store_run(s->db, "BEGIN IMMEDIATE") && make_tables(s->db) &&
		store_run(s->db, "COMMIT") && prepare(s);
}

/* The file, not for others' eyes; SQLite gives its -wal and -shm the same mode. */
static bool
make_file(const char *path, struct err *err)
{
	char dir[1024];
	struct span p = span_str(path);
	size_t slash = span_rchr(p, '/');

	if (slash < p.n && slash > 0) {
		if (!span_copy(dir, sizeof(dir), span_first(p, slash)))
			return err_set(err, ERR_EVENT_STORE, "the path is too long");
		if (!file_mkdir(dir, 0750, err))
			return false;
	}
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return err_errno(err, ERR_EVENT_STORE, errno, "%s", path);
	close(fd);
	return true;
}

bool
store_open(const struct store_options *o, struct store **out, struct err *err)
{
	if (!make_file(o->path, err))
		return false;
	struct store *s = mem_alloc(sizeof(*s));
	s->max_ms = o->max_ms;
	s->max_size = o->max_size;
	if (sqlite3_open_v2(o->path, &s->db,
		    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
		sqlite3_busy_timeout(s->db, OPEN_WAIT_MS) != SQLITE_OK || !set_up(s)) {
		(void)store_fail(s->db, o->path, err);
		store_close(s);
		return false;
	}
	sqlite3_busy_timeout(s->db, WAIT_MS);
	*out = s;
	return true;
}

void
store_close(struct store *s)
{
	if (!s)
		return;
	if (s->db)
		sqlite3_busy_timeout(s->db, LAST_WAIT_MS);
	store_flush(s);
	stat_add(STAT_EVENTS_UNSTORED, s->waiting);
	for (int k = 0; k < EVENT_KINDS; k++)
		sqlite3_finalize(s->insert[k]);
	mem_free(s->pending);
	sqlite3_close(s->db);
	mem_free(s);
}

void
store_complain(struct store *s, const char *doing)
{
	uint64_t now = clock_now();
	if (s->complained_ms != 0 && now - s->complained_ms < COMPLAIN_MS)
		return;
	s->complained_ms = now == 0 ? 1 : now;
	log_error(
		"event.store", "doing=%s reason=\"%s\"", doing, sqlite3_errmsg(s->db));
}

static void
forget_pending(struct store *s)
{
	s->n_pending = 0;
	s->waiting = 0;
}

/* Gives up the open transaction and what was to go with it. */
static void
abandon(struct store *s, const char *doing)
{
	store_complain(s, doing);
	stat_add(STAT_EVENTS_UNSTORED, s->waiting);
	forget_pending(s);
	if (sqlite3_get_autocommit(s->db) == 0)
		(void)!store_run(s->db, "ROLLBACK");
}

static void
bind(sqlite3_stmt *q, int at, enum event_type type, const struct event_value *v)
{
	char text[IP_TEXT];

	switch (type) {
	case EVENT_TYPE_STR: /* at most EVENT_STR_LIMIT octets */
		sqlite3_bind_text(
			q, at, (const char *)v->s.p, (int)v->s.n, SQLITE_STATIC);
		break;
	case EVENT_TYPE_IP:
		sqlite3_bind_text(q, at, ip_text(text, &v->ip), -1, SQLITE_TRANSIENT);
		break;
	case EVENT_TYPE_INT:
	case EVENT_TYPE_FLAG:
	case EVENT_TYPE_ID:
		sqlite3_bind_int64(q, at, v->i);
		break;
	}
}

static bool
insert(struct store *s, const struct event_view *e)
{
	sqlite3_stmt *q = s->insert[e->kind];
	const uint8_t *place = s->place[e->kind];

	sqlite3_clear_bindings(q);
	sqlite3_bind_int64(q, 1, (int64_t)++s->seq);
	sqlite3_bind_int64(q, 2, e->time);
	for (size_t f = 0; (f = event_next(e, f)) < EVENT_FIELDS; f++) {
		if (place[f] > 0) {
			bind(q, place[f], event_field_type((enum event_field)f),
				&e->v[f]);
		}
	}
	int done = sqlite3_step(q);
	sqlite3_reset(q);
	return done == SQLITE_DONE;
}

static bool
insert_pending(struct store *s)
{
	struct span left = span_of(s->pending, s->n_pending);
	struct event_view e;
	struct err err = {0};
	int64_t last = store_ask_end(s->db, "max");

	s->seq = last > 0 ? (uint64_t)last : 0;
	while (left.n > 0) {
		if (!event_read(&left, &e, &err) || !insert(s, &e))
			return false;
	}
	return true;
}

/* While two generations run, two writers take turns: the file is locked only here. */
void
store_flush(struct store *s)
{
	if (s->waiting == 0)
		return;
	if (!store_run(s->db, "BEGIN IMMEDIATE")) {
		if (sqlite3_errcode(s->db) == SQLITE_BUSY) {
			s->retry_ms = clock_now() + RETRY_MS;
		} else {
			abandon(s, "begin");
		}
	} else if (!insert_pending(s)) {
		abandon(s, "insert");
	} else if (!store_run(s->db, "COMMIT")) {
		abandon(s, "commit");
	} else {
		stat_add(STAT_EVENTS_STORED, s->waiting);
		forget_pending(s);
	}
}

void
store_add(struct store *s, const struct event_view *e)
{
	if (e->raw.n > PENDING_MAX - s->n_pending) {
		stat_add(STAT_EVENTS_UNSTORED, 1);
		return;
	}
	if (s->waiting++ == 0)
		s->begun_ms = clock_now();
	s->pending = mem_grow(s->pending, &s->cap_pending, s->n_pending + e->raw.n, 1);
	memcpy(s->pending + s->n_pending, e->raw.p, e->raw.n);
	s->n_pending += e->raw.n;
	if (s->waiting >= COMMIT_COUNT && clock_now() >= s->retry_ms)
		store_flush(s);
}

uint64_t
store_tick(struct store *s, uint64_t now)
{
	bool due = s->waiting >= COMMIT_COUNT ||
		(s->waiting > 0 && now - s->begun_ms >= COMMIT_MS);

	if (due && now >= s->retry_ms)
		store_flush(s);
	if (s->waiting > 0 && now < s->retry_ms)
		return s->retry_ms - now;
	if (s->waiting > 0)
		return COMMIT_MS - (now - s->begun_ms);
	if (s->has_pruned && now - s->pruned_ms < PRUNE_MS)
		return COMMIT_MS;
	bool more = store_prune(s);
	s->has_pruned = !more; /* otherwise go on at the next tick */
	s->pruned_ms = now;
	return more ? 20 : COMMIT_MS;
}

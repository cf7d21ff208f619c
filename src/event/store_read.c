// SPDX-License-Identifier: Apache-2.0
/*
 * store_read: the reading half. Everything that comes out of a file is checked again:
 * it may have been written by another version, or by hand.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/must.h"
#include "base/text.h"
#include "event/store_priv.h"

enum { SQL_MAX = 6 * 1024, URI_MAX = 3200, WAIT_MS = 2000 };

/* The rows of one kind. */
struct kind_scan {
	sqlite3_stmt *q;              /* owned; NULL when the kind is not asked for */
	uint8_t column[EVENT_FIELDS]; /* of the result; 0 when the file has none */
	bool has_row;
	uint64_t seq; /* of the row */
};

struct store_scan {
	struct kind_scan kinds[EVENT_KINDS];
	bool oldest_first;
	struct kind_scan *given; /* whose row was given out, and must be stepped over */
};

static bool
open_with(struct store *s, const char *name, int flags)
{
	return sqlite3_open_v2(name, &s->db,
		       SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | flags,
		       NULL) == SQLITE_OK &&
		sqlite3_busy_timeout(s->db, WAIT_MS) == SQLITE_OK &&
		sqlite3_exec(s->db, "SELECT seq FROM session LIMIT 1", NULL, NULL,
			NULL) == SQLITE_OK;
}

/* A file that nobody writes, in a directory where we may not write: SQLite wants to be
 * told that it will not change. */
static bool
open_resting(struct store *s, const char *path)
{
	char name[URI_MAX];
	struct text t = text_to(name, sizeof(name));
	char wal[URI_MAX];

	text_format(wal, sizeof(wal), "%s-wal", path);
	if (access(wal, F_OK) == 0)
		return false;
	text_add(&t, "file:");
	for (const char *c = path; *c; c++) {
		bool plain = ascii_is_alpha((uint8_t)*c) ||
			ascii_is_digit((uint8_t)*c) || *c == '/' || *c == '.' ||
			*c == '-' || *c == '_';
		if (plain) {
			text_add(&t, "%c", *c);
		} else {
			text_add(&t, "%%%02x", (uint8_t)*c);
		}
	}
	text_add(&t, "?immutable=1");
	sqlite3_close(s->db);
	s->db = NULL;
	return !t.cut && open_with(s, name, SQLITE_OPEN_URI);
}

bool
store_open_read(const char *path, struct store **out, struct err *err)
{
	if (access(path, R_OK) != 0)
		return err_errno(err, ERR_EVENT_STORE, errno, "%s", path);
	struct store *s = mem_alloc(sizeof(*s));
	if (!open_with(s, path, 0) && !open_resting(s, path)) {
		(void)store_fail(s->db, path, err);
		store_close(s);
		return false;
	}
	*out = s;
	return true;
}

/* The fields the kind's table has, and their places in the result. */
static void
put_columns(struct text *t, sqlite3 *db, enum event_kind kind, struct kind_scan *scan)
{
	char sql[100];
	sqlite3_stmt *q = NULL;
	uint8_t at = 2; /* behind seq and time */

	text_format(sql, sizeof(sql), "SELECT name FROM pragma_table_info('%s')",
		event_kind_name(kind));
	if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK)
		return;
	while (sqlite3_step(q) == SQLITE_ROW) {
		enum event_field f = event_field_find(
			span_str((const char *)sqlite3_column_text(q, 0)));
		if (f == EVENT_FIELDS)
			continue; /* of another version */
		text_add(t, ",\"%s\"", event_field_name(f));
		scan->column[f] = at++; /* each name once, at most 255 fields */
	}
	sqlite3_finalize(q);
}

static void
put_bound(struct text *t, const char *condition, int64_t v)
{
	if (v != 0)
		text_add(t, " AND %s%lld", condition, (long long)v);
}

static bool
step(struct kind_scan *k)
{
	k->has_row = k->q && sqlite3_step(k->q) == SQLITE_ROW;
	k->seq = k->has_row ? (uint64_t)sqlite3_column_int64(k->q, 0) : 0;
	return k->has_row;
}

static bool
open_kind(struct store *s, const struct store_range *r, enum event_kind kind,
	struct kind_scan *scan)
{
	char sql[SQL_MAX];
	struct text t = text_to(sql, sizeof(sql));

	text_add(&t, "SELECT seq,time");
	put_columns(&t, s->db, kind, scan);
	text_add(&t, " FROM \"%s\" WHERE 1", event_kind_name(kind));
	put_bound(&t, "time>=", r->since_ms);
	put_bound(&t, "time<", r->until_ms);
	put_bound(&t, "session=", (int64_t)r->session);
	put_bound(&t, "seq>", (int64_t)r->after);
	put_bound(&t, "seq<", (int64_t)r->before);
	text_add(&t, " ORDER BY seq%s", r->oldest_first ? "" : " DESC");
	must(!t.cut); /* the names are ours */
	if (sqlite3_prepare_v2(s->db, sql, -1, &scan->q, NULL) != SQLITE_OK)
		return false;
	(void)step(scan);
	return true;
}

bool
store_scan_open(struct store *s, const struct store_range *r, struct store_scan **out,
	struct err *err)
{
	struct store_scan *scan = mem_alloc(sizeof(*scan));

	scan->oldest_first = r->oldest_first;
	for (int k = 0; k < EVENT_KINDS; k++) {
		if (r->kinds != 0 && (r->kinds >> k & 1) == 0)
			continue;
		if (!open_kind(s, r, (enum event_kind)k, &scan->kinds[k])) {
			(void)store_fail(s->db, "search", err);
			store_scan_close(scan);
			return false;
		}
	}
	*out = scan;
	return true;
}

/* False when the column holds nothing usable. */
static bool
read_column(sqlite3_stmt *q, int at, enum event_type type, struct event_value *v)
{
	if (sqlite3_column_type(q, at) == SQLITE_NULL)
		return false;
	if (type == EVENT_TYPE_INT || type == EVENT_TYPE_FLAG ||
		type == EVENT_TYPE_ID) {
		v->i = sqlite3_column_int64(q, at);
		return true;
	}
	const unsigned char *p = sqlite3_column_text(q, at);
	int n = sqlite3_column_bytes(q, at);
	struct span s = span_of(p, p && n > 0 ? (size_t)n : 0);
	if (type == EVENT_TYPE_IP)
		return ip_parse(s, &v->ip);
	v->s = s;
	return true;
}

/* The kind whose row comes next, or NULL. */
static struct kind_scan *
next_kind(struct store_scan *scan)
{
	struct kind_scan *best = NULL;
	for (int i = 0; i < EVENT_KINDS; i++) {
		struct kind_scan *k = &scan->kinds[i];
		if (k->has_row && (!best || (k->seq < best->seq) == scan->oldest_first))
			best = k;
	}
	return best;
}

bool
store_scan_next(struct store_scan *scan, struct event_view *out)
{
	if (scan->given)
		(void)step(scan->given);
	struct kind_scan *k = next_kind(scan);
	scan->given = k;
	if (!k)
		return false;
	memset(out, 0, sizeof(*out));
	out->seq = k->seq;
	out->time = sqlite3_column_int64(k->q, 1);
	out->kind = (enum event_kind)(k - scan->kinds);
	for (int f = 0; f < EVENT_FIELDS; f++) {
		struct event_value *v = &out->v[f];
		v->set = k->column[f] > 0 &&
			read_column(k->q, k->column[f],
				event_field_type((enum event_field)f), v);
		out->has[f / 64] |= (uint64_t)v->set << f % 64;
	}
	return true;
}

void
store_scan_close(struct store_scan *scan)
{
	if (!scan)
		return;
	for (int i = 0; i < EVENT_KINDS; i++)
		sqlite3_finalize(scan->kinds[i].q);
	mem_free(scan);
}

uint64_t
store_last(struct store *s)
{
	char sql[60];
	uint64_t last = 0;
	for (int k = 0; k < EVENT_KINDS; k++) {
		sqlite3_stmt *q = NULL;
		text_format(sql, sizeof(sql), "SELECT max(seq) FROM \"%s\"",
			event_kind_name((enum event_kind)k));
		if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) == SQLITE_OK &&
			sqlite3_step(q) == SQLITE_ROW) {
			uint64_t v = (uint64_t)sqlite3_column_int64(q, 0);
			last = v > last ? v : last;
		}
		sqlite3_finalize(q);
	}
	return last;
}

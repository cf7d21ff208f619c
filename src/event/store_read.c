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

enum { SQL_MAX = 6 * 1024 };

struct store_scan {
	sqlite3_stmt *q;
	uint8_t column[EVENT_FIELDS]; /* of the result; 0 when the file has none */
};

bool
store_open_read(const char *path, struct store **out, struct err *err)
{
	if (access(path, R_OK) != 0)
		return err_errno(err, ERR_EVENT_STORE, errno, "%s", path);
	struct store *s = mem_alloc(sizeof(*s));
	if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX,
		    NULL) != SQLITE_OK ||
		sqlite3_busy_timeout(s->db, 2000) != SQLITE_OK ||
		sqlite3_exec(s->db, "SELECT seq FROM event LIMIT 1", NULL, NULL,
			NULL) != SQLITE_OK) {
		(void)store_fail(s->db, path, err);
		store_close(s);
		return false;
	}
	*out = s;
	return true;
}

/* The fields the file has, in the order of its columns, and their places. */
static void
put_columns(struct text *t, sqlite3 *db, struct store_scan *scan)
{
	sqlite3_stmt *q = NULL;
	uint8_t at = STORE_COLUMNS_HEAD;

	if (sqlite3_prepare_v2(db, "SELECT name FROM pragma_table_info('event')", -1,
		    &q, NULL) != SQLITE_OK)
		return;
	while (sqlite3_step(q) == SQLITE_ROW) {
		enum event_field f = event_field_find(
			span_str((const char *)sqlite3_column_text(q, 0)));
		if (f == EVENT_FIELDS)
			continue;
		text_add(t, ",\"%s\"", event_field_name(f));
		scan->column[f] = at++; /* each name once, at most 255 fields */
	}
	sqlite3_finalize(q);
}

static void
put_kinds(struct text *t, unsigned kinds)
{
	const char *before = " AND kind IN (";
	if (kinds == 0)
		return;
	for (int k = 0; k < EVENT_KINDS; k++) {
		if ((kinds >> k & 1) == 0)
			continue;
		text_add(t, "%s'%s'", before, event_kind_name((enum event_kind)k));
		before = ",";
	}
	text_add(t, ")");
}

static void
put_bound(struct text *t, const char *condition, int64_t v)
{
	if (v != 0)
		text_add(t, " AND %s%lld", condition, (long long)v);
}

bool
store_scan_open(struct store *s, const struct store_range *r, struct store_scan **out,
	struct err *err)
{
	char sql[SQL_MAX];
	struct text t = text_to(sql, sizeof(sql));
	struct store_scan *scan = mem_alloc(sizeof(*scan));

	text_add(&t, "SELECT seq,time,kind");
	put_columns(&t, s->db, scan);
	text_add(&t, " FROM event WHERE 1");
	put_kinds(&t, r->kinds);
	put_bound(&t, "time>=", r->since_ms);
	put_bound(&t, "time<", r->until_ms);
	put_bound(&t, "session=", (int64_t)r->session);
	put_bound(&t, "seq>", (int64_t)r->after);
	put_bound(&t, "seq<", (int64_t)r->before);
	text_add(&t, " ORDER BY seq%s", r->oldest_first ? "" : " DESC");
	must(!t.cut); /* the names are ours */
	if (sqlite3_prepare_v2(s->db, sql, -1, &scan->q, NULL) != SQLITE_OK) {
		(void)store_fail(s->db, "search", err);
		mem_free(scan);
		return false;
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

bool
store_scan_next(struct store_scan *scan, struct event_view *out)
{
	while (sqlite3_step(scan->q) == SQLITE_ROW) {
		memset(out, 0, sizeof(*out));
		out->seq = (uint64_t)sqlite3_column_int64(scan->q, 0);
		out->time = sqlite3_column_int64(scan->q, 1);
		out->kind = event_kind_find(
			span_str((const char *)sqlite3_column_text(scan->q, 2)));
		if (out->kind == EVENT_KINDS)
			continue; /* of another version */
		for (int f = 0; f < EVENT_FIELDS; f++) {
			struct event_value *v = &out->v[f];
			v->set = scan->column[f] > 0 &&
				read_column(scan->q, scan->column[f],
					event_field_type((enum event_field)f), v);
		}
		return true;
	}
	return false;
}

void
store_scan_close(struct store_scan *scan)
{
	if (!scan)
		return;
	sqlite3_finalize(scan->q);
	mem_free(scan);
}

static uint64_t
ask_seq(struct store *s, const char *sql)
{
	sqlite3_stmt *q = NULL;
	uint64_t seq = 0;
	if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) == SQLITE_OK &&
		sqlite3_step(q) == SQLITE_ROW)
		seq = (uint64_t)sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return seq;
}

uint64_t
store_last(struct store *s)
{
	return ask_seq(s, "SELECT max(seq) FROM event");
}

// SPDX-License-Identifier: Apache-2.0
#include "pki/client_register.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/client_register_priv.h"

enum {
	APPLICATION_ID = 0x534b4343, /* "SKCC", shown by file(1) */
	SCHEMA = 1,
	WAIT_MS = 10000,
	PATH_ROOM = 1024,
};

static const char schema_1[] =
	"CREATE TABLE certificate (id INTEGER PRIMARY KEY, serial TEXT NOT NULL UNIQUE,"
	" name TEXT NOT NULL, label TEXT NOT NULL, subject TEXT NOT NULL,"
	" key TEXT NOT NULL, created INTEGER NOT NULL, not_before INTEGER NOT NULL,"
	" not_after INTEGER NOT NULL, state INTEGER NOT NULL DEFAULT 0,"
	" reason INTEGER NOT NULL DEFAULT 0, revoked_at INTEGER NOT NULL DEFAULT 0,"
	" renews TEXT NOT NULL DEFAULT '', der BLOB NOT NULL);"
	"CREATE INDEX certificate_name ON certificate(name);"
	"CREATE INDEX certificate_label ON certificate(label);"
	"CREATE TABLE journal (id INTEGER PRIMARY KEY, at INTEGER NOT NULL,"
	" what TEXT NOT NULL, serial TEXT NOT NULL, uid INTEGER NOT NULL,"
	" detail TEXT NOT NULL);"
	"CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);"
	"PRAGMA user_version=1";

#define COLUMNS                                                                \
	"id,serial,name,label,subject,key,created,not_before,not_after,state," \
	"reason,revoked_at,renews,der"

static bool
fail(struct client_register *r, const char *doing, struct err *err)
{
	return err_set(err, ERR_PKI_REGISTER, "%s: %s", doing,
		r->db ? sqlite3_errmsg(r->db) : "out of memory");
}

static bool
run(struct client_register *r, const char *sql)
{
	return sqlite3_exec(r->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

sqlite3_stmt *
client_register_query(struct client_register *r, const char *sql)
{
	sqlite3_stmt *q = NULL;

	return sqlite3_prepare_v2(r->db, sql, -1, &q, NULL) == SQLITE_OK ? q : NULL;
}

static int64_t
ask_number(struct client_register *r, const char *sql)
{
	sqlite3_stmt *q = client_register_query(r, sql);
	int64_t v =
		q && sqlite3_step(q) == SQLITE_ROW ? sqlite3_column_int64(q, 0) : -1;

	sqlite3_finalize(q);
	return v;
}

static bool
set_up(struct client_register *r, struct err *err)
{
	int64_t version = ask_number(r, "PRAGMA user_version");

	if (version == SCHEMA)
		return true;
	if (version != 0) {
		return err_set(err, ERR_PKI_REGISTER,
			"its schema is version %lld, ours %d", (long long)version,
			SCHEMA);
	}
	char sql[64];
	text_format(sql, sizeof(sql), "PRAGMA application_id=%d", APPLICATION_ID);
	return (run(r, "BEGIN IMMEDIATE") && run(r, schema_1) && run(r, sql) &&
		       run(r, "COMMIT")) ||
		fail(r, "making the register", err);
}

/* For the owner alone: it tells who has access. */
static bool
make_file(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_errno(err, ERR_PKI_REGISTER, errno, "%s", path);
	close(fd);
	return true;
}

struct client_register *
client_register_open(const char *dir, bool make, struct err *err)
{
	char path[PATH_ROOM];

	if (!client_ca_path(path, dir, "register.db", err) ||
		(make && !make_file(path, err)))
		return NULL;
	struct client_register *r = mem_alloc(sizeof *r);
	r->dir = mem_cstr(span_str(dir));
	if (sqlite3_open_v2(path, &r->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
		    NULL) != SQLITE_OK ||
		sqlite3_busy_timeout(r->db, WAIT_MS) != SQLITE_OK ||
		!run(r, "PRAGMA synchronous=FULL") ||
		!run(r, "PRAGMA trusted_schema=0")) {
		(void)fail(r, path, err);
		client_register_close(r);
		return NULL;
	}
	if (set_up(r, err))
		return r;
	client_register_close(r);
	return NULL;
}

void
client_register_close(struct client_register *r)
{
	if (!r)
		return;
	sqlite3_close(r->db); /* rolls back */
	mem_free(r->dir);
	mem_free(r);
}

bool
client_register_begin(struct client_register *r, struct err *err)
{
	return run(r, "BEGIN IMMEDIATE") || fail(r, "waiting for another writer", err);
}

bool
client_register_commit(struct client_register *r, struct err *err)
{
	return run(r, "COMMIT") || fail(r, "writing the register", err);
}

static void
bind_text(sqlite3_stmt *q, int at, struct span s)
{
	/* Bounded by CLIENT_TEXT and the like. */
	sqlite3_bind_text(
		q, at, s.n > 0 ? (const char *)s.p : "", (int)s.n, SQLITE_TRANSIENT);
}

/* Runs and ends a statement that gives no rows. */
static bool
finish(struct client_register *r, sqlite3_stmt *q, const char *doing, struct err *err)
{
	bool ok = q && sqlite3_step(q) == SQLITE_DONE;

	if (!ok)
		(void)fail(r, doing, err);
	sqlite3_finalize(q);
	return ok;
}

static bool
note(struct client_register *r, const char *what, struct span serial,
	const char *detail, struct err *err)
{
	sqlite3_stmt *q = client_register_query(
		r, "INSERT INTO journal(at,what,serial,uid,detail) VALUES(?,?,?,?,?)");

	sqlite3_bind_int64(q, 1, clock_wall());
	bind_text(q, 2, span_str(what));
	bind_text(q, 3, serial);
	sqlite3_bind_int64(q, 4, (int64_t)getuid());
	bind_text(q, 5, span_str(detail));
	return finish(r, q, "writing the journal", err);
}

bool
client_register_add(
	struct client_register *r, const struct client_record *c, struct err *err)
{
	const struct span texts[] = {
		c->serial, c->name, c->label, c->subject, c->key, c->renews};
	sqlite3_stmt *q = client_register_query(r,
		"INSERT INTO certificate(serial,name,label,subject,key,renews,created,"
		"not_before,not_after,der) VALUES(?,?,?,?,?,?,?,?,?,?)"
		/* what a list told of is filled in, and stays revoked */
		" ON CONFLICT(serial) DO UPDATE SET name=excluded.name,"
		"label=CASE excluded.label WHEN '' THEN label ELSE excluded.label END,"
		"subject=excluded.subject,key=excluded.key,der=excluded.der,"
		"not_before=excluded.not_before,not_after=excluded.not_after"
		" WHERE length(certificate.der)=0");

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		bind_text(q, (int)i + 1, texts[i]);
	sqlite3_bind_int64(q, 7, c->created);
	sqlite3_bind_int64(q, 8, c->not_before);
	sqlite3_bind_int64(q, 9, c->not_after);
	/* Of an imported one only the number is known; NULL would be no value. */
	sqlite3_bind_blob(q, 10, c->der.n > 0 ? (const void *)c->der.p : "",
		(int)c->der.n, SQLITE_TRANSIENT);
	if (!finish(r, q, "adding a certificate", err))
		return false;
	if (sqlite3_changes(r->db) == 0)
		return err_set(err, ERR_PKI_CLIENT, "it is in the register already");
	return note(r, c->renews.n > 0 ? "renew" : "issue", c->serial, "", err);
}

bool
client_register_change(
	struct client_register *r, const struct client_change *c, struct err *err)
{
	bool revoked = c->state == CLIENT_REVOKED;
	sqlite3_stmt *q = client_register_query(r,
		"UPDATE certificate SET state=?,reason=?,revoked_at=? WHERE serial=?");

	sqlite3_bind_int(q, 1, (int)c->state);
	sqlite3_bind_int(q, 2, revoked ? c->reason : 0);
	sqlite3_bind_int64(q, 3, revoked ? c->at : 0);
	bind_text(q, 4, c->serial);
	if (!finish(r, q, "changing a certificate", err))
		return false;
	if (sqlite3_changes(r->db) != 1) {
		return err_set(
			err, ERR_PKI_CLIENT, "no certificate has this serial number");
	}
	return note(r, revoked ? "revoke" : "restore", c->serial,
		revoked ? client_reason_name(c->reason) : "", err);
}

/* ---- reading ---- */

static struct span
take_octets(sqlite3_stmt *q, int at, struct arena *a)
{
	const void *p = sqlite3_column_blob(q, at);
	int n = sqlite3_column_bytes(q, at);

	return n > 0 && arena_room(a) > (size_t)n + 64
		? arena_copy(a, span_of(p, (size_t)n))
		: (struct span){0};
}

/* The row under the statement; returns its number. */
static int64_t
take_record(sqlite3_stmt *q, struct arena *a, struct client_record *c)
{
	*c = (struct client_record){
		.serial = take_octets(q, 1, a),
		.name = take_octets(q, 2, a),
		.label = take_octets(q, 3, a),
		.subject = take_octets(q, 4, a),
		.key = take_octets(q, 5, a),
		.created = sqlite3_column_int64(q, 6),
		.not_before = sqlite3_column_int64(q, 7),
		.not_after = sqlite3_column_int64(q, 8),
		.state = sqlite3_column_int(q, 9) == 0 ? CLIENT_GOOD : CLIENT_REVOKED,
		.reason = sqlite3_column_int(q, 10),
		.revoked_at = sqlite3_column_int64(q, 11),
		.renews = take_octets(q, 12, a),
		.der = take_octets(q, 13, a),
	};
	return sqlite3_column_int64(q, 0);
}

/* "0A:1b" is "0a1b", and serial numbers are printed without leading zeros nowhere. */
static struct span
normal_serial(struct span what, char dst[CLIENT_SERIAL_TEXT])
{
	size_t n = 0;

	for (size_t i = 0; i < what.n; i++) {
		uint8_t c = ascii_lower(what.p[i]);
		if (c == ':')
			continue;
		if (ascii_hex(c) < 0 || n + 1 >= CLIENT_SERIAL_TEXT)
			return (struct span){0};
		dst[n++] = (char)c;
	}
	return span_of(dst, n);
}

/* Takes one; returns how many there are, up to two. */
static unsigned
find_by(struct client_register *r, const char *where, struct span value,
	struct arena *a, struct client_record *out)
{
	char sql[256];
	unsigned n = 0;

	text_format(sql, sizeof(sql),
		"SELECT " COLUMNS " FROM certificate WHERE %s ORDER BY id DESC LIMIT 2",
		where);
	sqlite3_stmt *q = client_register_query(r, sql);
	bind_text(q, 1, value);
	sqlite3_bind_int64(q, 2, clock_wall());
	for (; q && sqlite3_step(q) == SQLITE_ROW; n++) {
		if (n == 0)
			(void)take_record(q, a, out);
	}
	sqlite3_finalize(q);
	return n;
}

bool
client_register_find(struct client_register *r, struct span what, struct arena *a,
	struct client_record *out, struct err *err)
{
	static const char *const others[] = {
		"name=? AND not_after>=?", "label=? AND not_after>=?"};
	char hex[CLIENT_SERIAL_TEXT];
	struct span serial = normal_serial(what, hex);
	unsigned n = 0;

	if (serial.n > 0)
		n = find_by(r, "serial=? AND ?>0", serial, a, out);
	for (size_t i = 0; i < COUNT_OF(others) && n == 0; i++)
		n = find_by(r, others[i], what, a, out);
	if (n == 1)
		return true;
	return err_set(err, ERR_PKI_CLIENT,
		n == 0 ? "no certificate has the serial number, name or label %.*s"
		       : "more than one is called %.*s: give the serial number",
		SPAN_ARG(span_first(what, 80)));
}

struct client_rows
client_register_all(struct client_register *r)
{
	return (struct client_rows){.r = r, .last = 0};
}

bool
client_register_next(
	struct client_rows *rows, struct arena *a, struct client_record *out)
{
	sqlite3_stmt *q = client_register_query(rows->r,
		"SELECT " COLUMNS " FROM certificate WHERE id>? ORDER BY id LIMIT 1");

	sqlite3_bind_int64(q, 1, rows->last);
	bool found = q && sqlite3_step(q) == SQLITE_ROW;
	if (found)
		rows->last = take_record(q, a, out);
	sqlite3_finalize(q);
	return found;
}

struct span
client_register_get(struct client_register *r, const char *name, struct arena *a)
{
	sqlite3_stmt *q =
		client_register_query(r, "SELECT value FROM setting WHERE name=?");
	struct span value = {0};

	bind_text(q, 1, span_str(name));
	if (q && sqlite3_step(q) == SQLITE_ROW)
		value = take_octets(q, 0, a);
	sqlite3_finalize(q);
	return value;
}

bool
client_register_set(
	struct client_register *r, const char *name, struct span value, struct err *err)
{
	sqlite3_stmt *q = client_register_query(
		r, "INSERT OR REPLACE INTO setting(name,value) VALUES(?,?)");

	bind_text(q, 1, span_str(name));
	bind_text(q, 2, value);
	return finish(r, q, "writing a setting", err);
}

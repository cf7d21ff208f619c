// SPDX-License-Identifier: Apache-2.0
#include "event/store.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/stats.h"
#include "base/text.h"
#include "tests/test.h"

static char dir[64];
static char path[100];

static void
begin(void)
{
	text_format(dir, sizeof(dir), "/tmp/sekisho-store-XXXXXX");
	CHECK(mkdtemp(dir));
	text_format(path, sizeof(path), "%s/sub/events.db", dir);
}

static void
end(void)
{
	static const char *const behind[] = {"", "-wal", "-shm"};
	char name[120];
	for (size_t i = 0; i < COUNT_OF(behind); i++) {
		text_format(name, sizeof(name), "%s%s", path, behind[i]);
		unlink(name);
	}
	text_format(name, sizeof(name), "%s/sub", dir);
	rmdir(name);
	CHECK_INT(rmdir(dir), 0);
	clock_real();
}

static struct store *
open_store(uint64_t max_ms, uint64_t max_size)
{
	struct err err = {0};
	struct store *s = NULL;
	CHECK_OK(store_open(&(struct store_options){path, max_ms, max_size}, &s, &err),
		&err);
	return s;
}

static void
add(struct store *s, enum event_kind kind, int64_t time, const char *host)
{
	static struct event e;
	static struct event_view v;
	struct err err = {0};
	struct ip ip = ip_v4(0x0a000001);
	event_init(&e, kind);
	event_time(&e, time);
	event_id(&e, EVENT_SESSION, (uint64_t)time);
	event_cstr(&e, EVENT_HOST, host);
	event_ip(&e, EVENT_CLIENT, &ip);
	event_flag(&e, EVENT_ORIGIN_REUSED, true);
	event_int(&e, EVENT_US_TOTAL, 42);
	struct span s2 = event_bytes(&e);
	CHECK_OK(event_read(&s2, &v, &err), &err);
	store_add(s, &v);
}

/* How many events the range has; the last one's host to *host (static). */
static size_t
count(const struct store_range *range, char host[100])
{
	struct err err = {0};
	struct store *s = NULL;
	struct store_scan *scan = NULL;
	static struct event_view v;
	size_t n = 0;
	CHECK_OK(store_open_read(path, &s, &err), &err);
	CHECK_OK(store_scan_open(s, range, &scan, &err), &err);
	while (store_scan_next(scan, &v)) {
		n++;
		CHECK(span_copy(host, 100, v.v[EVENT_HOST].s));
		CHECK_INT(v.v[EVENT_US_TOTAL].i, 42);
		CHECK(v.v[EVENT_ORIGIN_REUSED].set &&
			v.v[EVENT_CLIENT].ip.family == IP_V4);
		CHECK(!v.v[EVENT_SNI].set);
	}
	store_scan_close(scan);
	store_close(s);
	return n;
}

static void
what_was_added_is_found_by_range(void)
{
	char host[100];
	begin();
	struct store *s = open_store(0, 0);
	add(s, EVENT_KIND_SESSION, 1000, "one");
	add(s, EVENT_KIND_REQUEST, 2000, "two");
	add(s, EVENT_KIND_REQUEST, 3000, "three 'quoted' \xff");
	store_flush(s);
	CHECK_INT(store_last(s), 3);
	CHECK_INT(count(&(struct store_range){0}, host), 3);
	CHECK_STR(host, "one");
	CHECK_INT(count(&(struct store_range){.oldest_first = true}, host), 3);
	CHECK_STR(host, "three 'quoted' \xff");
	CHECK_INT(count(&(struct store_range){.kinds = 1 << EVENT_KIND_REQUEST}, host),
		2);
	CHECK_INT(count(&(struct store_range){.kinds = 1 << EVENT_KIND_KEY}, host), 0);
	CHECK_INT(
		count(&(struct store_range){.since_ms = 2000, .until_ms = 3000}, host),
		1);
	CHECK_STR(host, "two");
	CHECK_INT(count(&(struct store_range){.session = 1000}, host), 1);
	CHECK_INT(count(&(struct store_range){.after = 1}, host), 2);
	CHECK_INT(count(&(struct store_range){.before = 2}, host), 1);
	store_close(s);
	end();
}

static void
a_batch_is_committed_by_time_or_number(void)
{
	char host[100];
	begin();
	clock_fake(1000, 0);
	struct store *s = open_store(0, 0);
	add(s, EVENT_KIND_REQUEST, 1, "a");
	CHECK_INT(store_tick(s, 1400), 600);
	CHECK_INT(count(&(struct store_range){0}, host), 0);
	store_tick(s, 2000);
	CHECK_INT(count(&(struct store_range){0}, host), 1);
	for (int i = 0; i < 1000; i++)
		add(s, EVENT_KIND_REQUEST, 2, "b");
	CHECK_INT(count(&(struct store_range){0}, host), 1001);
	store_close(s);
	end();
}

static void
two_writers_take_turns(void)
{
	char host[100];
	begin();
	struct store *a = open_store(0, 0);
	struct store *b = open_store(0, 0);
	uint64_t unstored = stat_get(STAT_EVENTS_UNSTORED);
	for (int i = 0; i < 2500; i++) {
		add(a, EVENT_KIND_REQUEST, 1, "a");
		add(b, EVENT_KIND_REQUEST, 2, "b");
	}
	store_close(a);
	add(b, EVENT_KIND_SESSION, 3, "b");
	store_close(b);
	CHECK_INT(stat_get(STAT_EVENTS_UNSTORED), unstored);
	CHECK_INT(count(&(struct store_range){0}, host), 5001);
	CHECK_INT(
		count(&(struct store_range){.since_ms = 2, .until_ms = 3}, host), 2500);
	end();
}

static void
a_locked_file_is_waited_for_but_not_stood_for(void)
{
	char host[100];
	sqlite3 *db = NULL;
	begin();
	clock_fake(1000, 0);
	struct store *s = open_store(0, 0);
	CHECK_INT(sqlite3_open(path, &db), SQLITE_OK);
	CHECK_INT(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	add(s, EVENT_KIND_REQUEST, 1, "kept");
	clock_fake(2000, 0);
	CHECK_INT(store_tick(s, 2000), 200);
	CHECK_INT(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	CHECK_INT(sqlite3_close(db), SQLITE_OK);
	CHECK_INT(store_tick(s, 2100), 100);
	clock_fake(2200, 0);
	store_tick(s, 2200);
	CHECK_INT(count(&(struct store_range){0}, host), 1);
	store_close(s);
	end();
}

static void
old_events_go_by_age_and_by_size(void)
{
	char host[100];
	begin();
	clock_fake(1000, 1000000);
	struct store *s = open_store(1000, 0);
	for (int i = 0; i < 5000; i++)
		add(s, EVENT_KIND_REQUEST, 500000, "old");
	add(s, EVENT_KIND_REQUEST, 999900, "new");
	store_flush(s);
	for (uint64_t t = 2000; t < 20000; t += 1000)
		store_tick(s, t);
	CHECK_INT(count(&(struct store_range){0}, host), 1);
	CHECK_STR(host, "new");
	store_close(s);

	s = open_store(0, 200000);
	for (int i = 0; i < 20000; i++) {
		add(s, EVENT_KIND_REQUEST, 999950,
			"a host name that takes some room.example");
	}
	store_flush(s);
	for (uint64_t t = 20000; t < 90000; t += 1000)
		store_tick(s, t);
	size_t left = count(&(struct store_range){0}, host);
	CHECK(left > 500 && left < 3000);
	store_close(s);
	end();
}

/* As an older version would have left it. */
static void
make_old_file(void)
{
	struct err err = {0};
	sqlite3 *db = NULL;
	text_format(dir + strlen(dir), sizeof(dir) - strlen(dir), "/sub");
	CHECK_OK(file_mkdir(dir, 0700, &err), &err);
	dir[strlen(dir) - 4] = 0;
	CHECK_INT(sqlite3_open(path, &db), SQLITE_OK);
	CHECK_INT(sqlite3_exec(db,
			  "CREATE TABLE request (seq INTEGER PRIMARY KEY, time INTEGER "
			  "NOT "
			  "NULL, host TEXT, gone TEXT);"
			  "INSERT INTO request VALUES (7, 5, 'old', 'x')",
			  NULL, NULL, NULL),
		SQLITE_OK);
	CHECK_INT(sqlite3_close(db), SQLITE_OK);
}

static void
an_older_file_gains_columns(void)
{
	char host[100];
	begin();
	make_old_file();
	struct store *s = open_store(0, 0);
	add(s, EVENT_KIND_REQUEST, 9, "new");
	store_close(s);
	CHECK_INT(count(&(struct store_range){.after = 7}, host), 1);
	CHECK_STR(host, "new");

	struct err err = {0};
	struct store_scan *scan = NULL;
	static struct event_view v;
	CHECK_OK(store_open_read(path, &s, &err), &err);
	CHECK_OK(store_scan_open(s, &(struct store_range){.before = 8}, &scan, &err),
		&err);
	CHECK(store_scan_next(scan, &v));
	CHECK_INT(v.seq, 7);
	CHECK_SPAN(v.v[EVENT_HOST].s, "old");
	CHECK(!store_scan_next(scan, &v));
	store_scan_close(scan);
	store_close(s);
	end();
}

static void
a_full_disk_costs_events_not_the_scribe(void)
{
	char host[100];
	struct rlimit before;
	begin();
	clock_fake(1000, 0);
	struct store *s = open_store(0, 0);
	add(s, EVENT_KIND_REQUEST, 1, "kept");
	store_flush(s);
	CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	CHECK_INT(getrlimit(RLIMIT_FSIZE, &before), 0);
	struct rlimit small = {200000, before.rlim_max};
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &small), 0);
	uint64_t unstored = stat_get(STAT_EVENTS_UNSTORED);
	for (int i = 0; i < 5000; i++) {
		add(s, EVENT_KIND_REQUEST, 2,
			"a host name that takes some room.example");
	}
	store_flush(s);
	CHECK(stat_get(STAT_EVENTS_UNSTORED) > unstored);
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &before), 0);
	add(s, EVENT_KIND_REQUEST, 3, "again");
	store_flush(s);
	CHECK(count(&(struct store_range){.since_ms = 3}, host) == 1);
	CHECK_STR(host, "again");
	store_close(s);
	end();
}

static void
a_file_that_is_no_store_is_refused(void)
{
	struct err err = {0};
	struct store *s = NULL;
	CHECK(!store_open_read("/nonexistent/x.db", &s, &err));
	CHECK_INT(err.code, ERR_EVENT_STORE);
	CHECK(!store_open(
		&(struct store_options){"/proc/self/nothing/x.db", 0, 0}, &s, &err));
	CHECK(!store_open_read("/proc/self/status", &s, &err));
	CHECK(!s);
}

TESTS(what_was_added_is_found_by_range, a_batch_is_committed_by_time_or_number,
	two_writers_take_turns, a_locked_file_is_waited_for_but_not_stood_for,
	old_events_go_by_age_and_by_size, an_older_file_gains_columns,
	a_full_disk_costs_events_not_the_scribe, a_file_that_is_no_store_is_refused)

// SPDX-License-Identifier: Apache-2.0
#include "proc/warden_priv.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/text.h"
#include "pki/authority.h"
#include "pki/trust.h"
#include "tests/test.h"

/* A gateway whose authority ends in so many days, with a file of roots. */
static struct {
	char path[64];
	struct gateway g;
	struct settings s;
	struct warden w;
	int64_t now;
} h;

static void
write_roots(void)
{
	struct err err = {0};
	struct span pem = {0};
	const struct authority_wish wish = {.name = "Root"};
	struct authority *a = authority_ephemeral(&wish, &err);
	CHECK(a != NULL);
	CHECK_OK(authority_root_pem(a, &pem, &err), &err);
	CHECK_OK(file_replace(h.path, pem, 0600, &err), &err);
	mem_free((void *)(uintptr_t)pem.p);
	authority_free(a);
}

static void
read_roots(void)
{
	struct err err = {0};
	const char *files[] = {h.path, NULL};
	trust_free(h.g.trust);
	h.g.trust = trust_new(false, files, &err);
	CHECK_OK(h.g.trust != NULL, &err);
}

static void
begin(int64_t days)
{
	h.g = (struct gateway){.name = SPAN("office")};
	h.s = (struct settings){.gateways = &h.g.item};
	h.w = (struct warden){0};
	h.now = clock_wall();
	h.g.authority_end = h.now + days * 86400 + 100;
	(void)text_format(h.path, sizeof(h.path), "/tmp/sekisho-roots-XXXXXX");
	int fd = mkstemp(h.path);
	CHECK(fd >= 0);
	(void)close(fd);
	write_roots();
	read_roots();
}

static void
end(void)
{
	trust_free(h.g.trust);
	CHECK(remove(h.path) == 0);
	clock_real();
}

static bool
look_after(int64_t days)
{
	clock_fake(clock_now(), (h.now + days * 86400) * 1000);
	return warden_look(&h.w, &h.s);
}

static void
it_reminds_at_90_60_30_and_7_days_and_then_daily(void)
{
	begin(100);
	CHECK(!look_after(0));
	CHECK_INT(h.w.told, 0);
	CHECK_INT(stat_get(STAT_AUTHORITY_DAYS), 100);
	CHECK(!look_after(10)); /* 90 left */
	CHECK_INT(h.w.told, 1);
	int64_t first = h.w.told_day;
	CHECK(!look_after(25)); /* 75: told already */
	CHECK_INT(h.w.told_day, first);
	CHECK(!look_after(40));
	CHECK_INT(h.w.told, 2);
	CHECK(!look_after(70));
	CHECK_INT(h.w.told, 3);
	CHECK(!look_after(93));
	CHECK_INT(h.w.told, 4);
	int64_t week = h.w.told_day;
	CHECK(!look_after(94));
	CHECK_INT(h.w.told_day, week + 1); /* every day of the last week */
	CHECK(!look_after(102));
	CHECK_INT(h.w.told, 5);
	CHECK_INT(stat_get(STAT_AUTHORITY_DAYS), 0);
	end();
}

static void
new_settings_begin_anew(void)
{
	struct settings other;
	begin(20);
	CHECK(!look_after(0));
	CHECK_INT(h.w.told, 3);
	h.g.authority_end += 300 * 86400; /* renewed, and reloaded */
	other = h.s;
	CHECK(!warden_look(&h.w, &other));
	CHECK_INT(h.w.told, 0);
	end();
}

/* Time stamps of two writes may be equal: the file's are set by hand. */
static void
set_changed(int64_t wall_s)
{
	const struct timespec times[2] = {{.tv_sec = wall_s}, {.tv_sec = wall_s}};
	CHECK(utimensat(AT_FDCWD, h.path, times, 0) == 0);
}

static void
replaced_roots_are_a_reason_to_reload_once_they_have_settled(void)
{
	begin(1000);
	CHECK(!warden_look(&h.w, &h.s));
	set_changed(h.now - 5000);
	CHECK(!warden_look(&h.w, &h.s)); /* it may still be being written */
	CHECK(warden_look(&h.w, &h.s));
	CHECK(!warden_look(&h.w, &h.s)); /* said once */
	set_changed(h.now - 4000);
	CHECK(!warden_look(&h.w, &h.s));
	set_changed(h.now - 3000);
	CHECK(!warden_look(&h.w, &h.s));
	CHECK(warden_look(&h.w, &h.s));
	end();
}

static void
roots_older_than_a_year_are_reported_once(void)
{
	begin(1000);
	set_changed(h.now - 300 * 86400);
	read_roots();
	CHECK(!look_after(0));
	CHECK(!h.w.told_old);
	CHECK_INT(stat_get(STAT_TRUST_AGE_DAYS), 300);
	CHECK(!look_after(70));
	CHECK(h.w.told_old);
	end();
}

TESTS(it_reminds_at_90_60_30_and_7_days_and_then_daily, new_settings_begin_anew,
	replaced_roots_are_a_reason_to_reload_once_they_have_settled,
	roots_older_than_a_year_are_reported_once)

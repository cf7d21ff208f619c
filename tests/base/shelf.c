// SPDX-License-Identifier: Apache-2.0
#include "base/shelf.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "tests/test.h"

static char dir[64];
static struct shelf shelf;

static void
begin(uint64_t budget)
{
	struct err err = {0};
	(void)text_format(dir, sizeof(dir), "/tmp/sekisho-shelf-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	char path[80];
	(void)text_format(path, sizeof(path), "%s/in", dir);
	CHECK_OK(shelf_open(&shelf, path, budget, &err), &err);
}

/* How many files lie there; with change they are also altered, or removed. */
enum change { CHANGE_NOTHING, CHANGE_OCTET, CHANGE_CUT, CHANGE_REMOVE };

static size_t
each_file(enum change change)
{
	char path[512];
	size_t n = 0;
	(void)text_format(path, sizeof(path), "%s/in", dir);
	DIR *list = opendir(path);
	for (struct dirent *e = readdir(list); e; e = readdir(list)) {
		if (e->d_name[0] == '.')
			continue;
		n++;
		(void)text_format(path, sizeof(path), "%s/in/%s", dir, e->d_name);
		int fd = open(path, O_RDWR);
		if (change == CHANGE_OCTET)
			CHECK(pwrite(fd, "X", 1, 50) == 1);
		if (change == CHANGE_CUT)
			CHECK(ftruncate(fd, 20) == 0);
		if (change == CHANGE_REMOVE)
			CHECK(remove(path) == 0);
		(void)close(fd);
	}
	(void)closedir(list);
	return n;
}

static void
end(void)
{
	char path[80];
	shelf_close(&shelf);
	(void)each_file(CHANGE_REMOVE);
	(void)text_format(path, sizeof(path), "%s/in", dir);
	CHECK(rmdir(path) == 0 && rmdir(dir) == 0);
}

static bool
has(const char *key, const char *want)
{
	struct span out = {0};
	bool ok = shelf_get(&shelf, span_str(key), 1000000, &out);
	if (ok)
		CHECK(span_eq(out, span_str(want)));
	mem_free((void *)(uintptr_t)out.p);
	return ok;
}

static void
what_was_put_is_found_until_its_end(void)
{
	begin(1 << 20);
	CHECK(!has("http://a.example/x", ""));
	shelf_put(
		&shelf, SPAN("http://a.example/x"), SPAN("octets"), clock_wall() + 100);
	CHECK(has("http://a.example/x", "octets"));
	shelf_put(
		&shelf, SPAN("http://a.example/x"), SPAN("newer"), clock_wall() + 100);
	CHECK(has("http://a.example/x", "newer"));
	clock_fake(clock_now(), (clock_wall() + 101) * 1000);
	CHECK(!has("http://a.example/x", ""));
	clock_real();
	end();
}

static void
another_process_finds_it_too(void)
{
	struct err err = {0};
	char path[80];
	begin(1 << 20);
	shelf_put(&shelf, SPAN("k"), SPAN("shared"), clock_wall() + 100);
	shelf_close(&shelf);
	CHECK(!has("k", ""));
	(void)text_format(path, sizeof(path), "%s/in", dir);
	CHECK_OK(shelf_open(&shelf, path, 1 << 20, &err), &err);
	CHECK(has("k", "shared"));
	end();
}

static void
what_was_damaged_is_a_miss(void)
{
	begin(1 << 20);
	shelf_put(&shelf, SPAN("k"), SPAN("octets"), clock_wall() + 100);
	CHECK_INT(each_file(CHANGE_OCTET), 1);
	CHECK(!has("k", ""));
	shelf_put(&shelf, SPAN("k"), SPAN("octets"), clock_wall() + 100);
	CHECK(has("k", "octets"));
	CHECK_INT(each_file(CHANGE_CUT), 1);
	CHECK(!has("k", ""));
	end();
}

static void
a_larger_one_than_the_limit_is_a_miss(void)
{
	struct span out = {0};
	begin(1 << 20);
	shelf_put(&shelf, SPAN("k"), SPAN("octets"), clock_wall() + 100);
	CHECK(!shelf_get(&shelf, SPAN("k"), 5, &out));
	CHECK(shelf_get(&shelf, SPAN("k"), 6, &out));
	mem_free((void *)(uintptr_t)out.p);
	end();
}

static void
it_never_grows_beyond_its_budget(void)
{
	static uint8_t octets[10000];
	begin(100000);
	for (int i = 0; i < 100; i++) {
		char key[16];
		(void)text_format(key, sizeof(key), "key %d", i);
		shelf_put(&shelf, span_str(key), span_of(octets, sizeof(octets)),
			clock_wall() + 100);
		CHECK(each_file(CHANGE_NOTHING) <= 10);
	}
	CHECK(each_file(CHANGE_NOTHING) >= 5);
	/* What is half the budget by itself is not kept at all. */
	shelf_put(&shelf, SPAN("large"), (struct span){octets, 0}, 0);
	end();
}

static void
what_is_long_comes_and_goes_a_step_at_a_time(void)
{
	enum { LONG = 10000, STEP = 1000 };
	static uint8_t octets[LONG];
	struct shelf_writer w;
	struct shelf_reader r;
	struct span out = {0};
	size_t steps = 1;

	begin(1 << 20);
	for (size_t i = 0; i < LONG; i++)
		octets[i] = (uint8_t)(i * 7);
	int64_t until = clock_wall() + 60;
	CHECK(shelf_write_begin(&w, &shelf, SPAN("key"), span_of(octets, LONG), until));
	for (; shelf_write_some(&w, STEP) == SHELF_MORE; steps++)
		CHECK(!shelf_read_begin(&r, &shelf, SPAN("key"), LONG));
	CHECK_INT(steps, LONG / STEP);
	CHECK(shelf_read_begin(&r, &shelf, SPAN("key"), LONG));
	for (steps = 1; shelf_read_some(&r, STEP, &out) == SHELF_MORE; steps++)
		CHECK_INT(out.n, 0);
	CHECK_INT(steps, LONG / STEP);
	CHECK(span_eq(out, span_of(octets, LONG)));
	mem_free((void *)(uintptr_t)out.p);
	/* Given up in the middle, neither leaves anything behind. */
	CHECK(shelf_write_begin(
		&w, &shelf, SPAN("other"), span_of(octets, LONG), until));
	CHECK_INT(shelf_write_some(&w, STEP), SHELF_MORE);
	shelf_write_end(&w);
	CHECK_INT(each_file(CHANGE_NOTHING), 1);
	CHECK(shelf_read_begin(&r, &shelf, SPAN("key"), LONG));
	CHECK_INT(shelf_read_some(&r, STEP, &out), SHELF_MORE);
	shelf_read_end(&r);
	/* One octet altered is found at the end. */
	CHECK_INT(each_file(CHANGE_OCTET), 1);
	CHECK(shelf_read_begin(&r, &shelf, SPAN("key"), LONG));
	enum shelf_turn turn = SHELF_MORE;
	while (turn == SHELF_MORE)
		turn = shelf_read_some(&r, STEP, &out);
	CHECK_INT(turn, SHELF_FAILED);
	end();
}

TESTS(what_is_long_comes_and_goes_a_step_at_a_time, what_was_put_is_found_until_its_end,
	another_process_finds_it_too, what_was_damaged_is_a_miss,
	a_larger_one_than_the_limit_is_a_miss, it_never_grows_beyond_its_budget)

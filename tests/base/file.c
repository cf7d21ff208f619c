// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "tests/test.h"

static char folder[64];

static const char *
in_folder(const char *name)
{
	static char path[128];
	if (folder[0] == '\0') {
		text_format(folder, sizeof(folder), "/tmp/sekisho-test-XXXXXX");
		CHECK(mkdtemp(folder) != NULL);
	}
	text_format(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void
what_is_written_is_read_back_with_a_closing_nul(void)
{
	struct err err = {0};
	struct span got = {0};
	CHECK_OK(file_replace(in_folder("a"), SPAN("one\0two"), 0600, &err), &err);
	CHECK_OK(file_read(in_folder("a"), 100, &got, &err), &err);
	CHECK_SPAN(got, "one\0two");
	CHECK_INT(got.p[got.n], 0);
	mem_free((void *)(uintptr_t)got.p);
}

static void
replacing_changes_contents_and_mode(void)
{
	struct err err = {0};
	struct span got = {0};
	struct stat st;
	CHECK_OK(file_replace(in_folder("b"), SPAN("old"), 0600, &err), &err);
	CHECK_OK(file_replace(in_folder("b"), SPAN("new"), 0644, &err), &err);
	CHECK_OK(file_read(in_folder("b"), 3, &got, &err), &err);
	CHECK_SPAN(got, "new");
	mem_free((void *)(uintptr_t)got.p);
	CHECK(stat(in_folder("b"), &st) == 0 && (st.st_mode & 0777) == 0644);
}

static void
a_file_over_its_limit_is_refused(void)
{
	struct err err = {0};
	struct span got = {0};
	CHECK_OK(file_replace(in_folder("c"), SPAN("1234"), 0600, &err), &err);
	CHECK(!file_read(in_folder("c"), 3, &got, &err));
	CHECK_INT(err.code, ERR_FILE_TOO_LARGE);
	CHECK(got.p == NULL);
}

static void
what_is_not_there_or_no_file_is_named(void)
{
	struct err err = {0};
	struct span got = {0};
	CHECK(!file_read(in_folder("none"), 3, &got, &err));
	CHECK_INT(err.code, ERR_FILE_READ);
	CHECK(!file_read(folder, 3, &got, &err));
	CHECK_INT(err.code, ERR_FILE_READ);
	CHECK(!file_replace(in_folder("none/x"), SPAN(""), 0600, &err));
	CHECK_INT(err.code, ERR_FILE_WRITE);
}

static void
directories_are_made_with_their_parents(void)
{
	struct err err = {0};
	struct stat st;
	CHECK_OK(file_mkdir(in_folder("d/e/f"), 0700, &err), &err);
	CHECK(stat(in_folder("d/e/f"), &st) == 0 && S_ISDIR(st.st_mode));
	CHECK_OK(file_mkdir(in_folder("d/e"), 0700, &err), &err);
}

static void
a_key_that_others_can_read_is_refused(void)
{
	struct err err = {0};
	CHECK_OK(file_replace(in_folder("k"), SPAN("key"), 0600, &err), &err);
	CHECK_OK(file_is_private(in_folder("k"), &err), &err);
	CHECK(chmod(in_folder("k"), 0640) == 0);
	CHECK(!file_is_private(in_folder("k"), &err));
	CHECK(chmod(in_folder("k"), 0604) == 0);
	CHECK(!file_is_private(in_folder("k"), &err));
}

static void
nothing_is_left_behind(void)
{
	static const char *const names[] = {
		"a", "b", "c", "k", "d/e/f", "d/e", "d", ""};
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const char *path = in_folder(names[i]);
		CHECK(unlink(path) == 0 || rmdir(path) == 0);
	}
}

static void
a_secret_is_hex_digits_of_the_right_number_in_a_private_file(void)
{
	struct err err = {0};
	uint8_t got[4] = "abc";
	static const struct {
		const char *text;
		unsigned mode;
		bool good;
	} cases[] = {{"00ff10Aa", 0600, true}, {" 00ff10aa\n", 0400, true},
		{"00ff10", 0600, false}, {"00ff10aabb", 0600, false}, {"", 0600, false},
		{"00ff10ag", 0600, false}, {"00ff10aa", 0640, false}};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		CHECK_OK(file_replace(in_folder("s"), span_str(cases[i].text),
				 cases[i].mode, &err),
			&err);
		bool ok = file_read_secret(in_folder("s"), got, sizeof(got), &err);
		CHECK(ok == cases[i].good);
		CHECK(got[0] == 0 && got[1] == 0xff && got[3] == 0xaa);
	}
	CHECK(unlink(in_folder("s")) == 0);
}

TESTS(what_is_written_is_read_back_with_a_closing_nul,
	replacing_changes_contents_and_mode, a_file_over_its_limit_is_refused,
	what_is_not_there_or_no_file_is_named, directories_are_made_with_their_parents,
	a_key_that_others_can_read_is_refused,
	a_secret_is_hex_digits_of_the_right_number_in_a_private_file,
	nothing_is_left_behind)

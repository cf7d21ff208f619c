// SPDX-License-Identifier: Apache-2.0
#include "doctor/change.h"

#include "tests/doctor/shed.h"

static struct shed shed;
static struct home home;
static struct journal journal;

static void
enter(void)
{
	struct err err = {0};

	CHECK_OK(home_open(&home, NULL, &err), &err);
	CHECK_OK(journal_open(&journal, &home, &err), &err);
}

static void
leave(void)
{
	journal_close(&journal);
	home_close(&home);
}

/* As if the program had ended and was started again. */
static void
restart(void)
{
	leave();
	enter();
}

static void
set(const char *tool, const char *file, const char *key, const char *value)
{
	struct err err = {0};
	struct change_ask ask = {.kind = JOURNAL_EDIT,
		.tool = tool,
		.path = home_path(&home, file),
		.form = EDIT_NPMRC,
		.key = key,
		.value = value};

	CHECK_OK(change_do(&journal, &ask, &err), &err);
	CHECK(change_stands(&journal, &ask, &home));
}

/* The nth change that stands. */
static bool
undo(size_t n, bool merge, struct err *err)
{
	struct journal_change *c = journal_at(&journal, n);

	CHECK(c);
	bool ok = change_undo(&journal, c, merge, err);
	journal_tidy(&journal);
	return ok;
}

static void
check_file(const char *name, const char *want)
{
	struct err err = {0};
	struct span text = {0};

	if (!want) {
		CHECK(access(shed_path(&shed, name), F_OK) != 0);
		return;
	}
	CHECK_OK(file_read(shed_path(&shed, name), 65536, &text, &err), &err);
	CHECK_STR((const char *)text.p, want);
	mem_free((void *)(uintptr_t)text.p);
}

static const char original[] = "; mine\r\nregistry=https://r.example/\r\ncafile = /old";

static void
a_change_is_taken_back_to_the_octet(void)
{
	struct err err = {0};

	shed_open(&shed);
	shed_put(&shed, ".npmrc", original);
	chmod(shed_path(&shed, ".npmrc"), 0600);
	enter();
	set("npm", "~/.npmrc", "cafile", "/new");
	set("npm", "~/.npmrc", "x", "1");
	check_file(".npmrc",
		"; mine\r\nregistry=https://r.example/\r\ncafile = /new\r\nx=1\r\n");
	restart();
	CHECK_OK(undo(0, false, &err), &err);
	check_file(".npmrc",
		"; mine\r\nregistry=https://r.example/\r\ncafile = /old\r\nx=1\r\n");
	restart();
	CHECK_OK(undo(0, false, &err), &err);
	check_file(".npmrc", original);
	struct stat st;
	CHECK(stat(shed_path(&shed, ".npmrc"), &st) == 0 &&
		(st.st_mode & 0777) == 0600);
	check_file(".local", NULL);
	leave();
	shed_close(&shed);
}

static void
files_and_directories_that_were_made_go_in_any_order(void)
{
	struct err err = {0};

	for (size_t first = 0; first < 3; first++) {
		shed_open(&shed);
		enter();
		set("one", "$CONFIG/a/b/rc", "one", "1");
		set("two", "$CONFIG/a/b/rc", "two", "2");
		set("two", "$CONFIG/a/c/rc", "two", "2");
		CHECK_OK(undo(first, false, &err), &err);
		restart();
		CHECK_OK(undo(1, false, &err), &err);
		CHECK_OK(undo(0, false, &err), &err);
		CHECK(!journal_at(&journal, 0));
		check_file(".config", NULL);
		check_file(".local", NULL);
		leave();
		shed_close(&shed);
	}
}

static void
what_others_wrote_since_is_never_lost(void)
{
	struct err err = {0};

	shed_open(&shed);
	shed_put(&shed, ".npmrc", "a=1\ncafile=/old\n");
	enter();
	set("npm", "~/.npmrc", "cafile", "/new");
	set("npm", "~/.npmrc", "b", "2");
	shed_put(&shed, ".npmrc", "a=1\ncafile=/new\nb=2\ntheirs=3\n");
	restart();
	CHECK(!undo(0, false, &err));
	CHECK_INT(err.code, ERR_DOCTOR_CHANGED);
	check_file(".npmrc", "a=1\ncafile=/new\nb=2\ntheirs=3\n");
	CHECK_OK(undo(0, true, &err), &err);
	check_file(".npmrc", "a=1\ncafile=/old\nb=2\ntheirs=3\n");
	/* The other one must not bring the old file back either. */
	restart();
	CHECK(!undo(0, false, &err));
	CHECK_OK(undo(0, true, &err), &err);
	check_file(".npmrc", "a=1\ncafile=/old\ntheirs=3\n");
	leave();
	shed_close(&shed);
}

static void
a_change_between_two_of_ours_is_noticed(void)
{
	struct err err = {0};

	shed_open(&shed);
	enter();
	set("one", "~/rc", "one", "1");
	shed_put(&shed, "rc", "one=1\ntheirs=2\n");
	set("two", "~/rc", "two", "2");
	CHECK(!undo(0, false, &err));
	restart();
	CHECK(!undo(0, false, &err));
	CHECK_OK(undo(0, true, &err), &err);
	CHECK_OK(undo(0, true, &err), &err);
	check_file("rc", "theirs=2\n");
	leave();
	shed_close(&shed);
}

/* Cuts the journal's last n lines off, as a crash would. */
static void
forget_lines(size_t n)
{
	struct err err = {0};
	struct span text = {0};
	const char *path = ".local/state/sekisho/doctor/journal";

	CHECK_OK(file_read(shed_path(&shed, path), 1 << 20, &text, &err), &err);
	size_t at = text.n;
	for (; n > 0; n--) {
		at--;
		while (at > 0 && text.p[at - 1] != '\n')
			at--;
	}
	char *kept = mem_cstr(span_first(text, at));
	shed_put(&shed, path, kept);
	mem_free(kept);
	mem_free((void *)(uintptr_t)text.p);
}

static void
a_crash_in_the_middle_leaves_before_or_after(void)
{
	struct err err = {0};

	/* The change happened, its "done" did not get to the disk. */
	shed_open(&shed);
	shed_put(&shed, ".npmrc", original);
	enter();
	set("npm", "~/.npmrc", "x", "1");
	forget_lines(1);
	restart();
	CHECK_OK(undo(0, false, &err), &err);
	check_file(".npmrc", original);
	leave();
	/* It was begun and did not happen. */
	enter();
	set("npm", "~/.npmrc", "x", "1");
	forget_lines(1);
	shed_put(&shed, ".npmrc", original);
	restart();
	CHECK(!journal_at(&journal, 0));
	journal_tidy(&journal);
	check_file(".local", NULL);
	leave();
	/* The line itself is cut. */
	enter();
	set("npm", "~/.npmrc", "x", "1");
	shed_put(&shed, ".npmrc", original);
	int fd = open(shed_path(&shed, ".local/state/sekisho/doctor/journal"),
		O_WRONLY | O_APPEND);
	CHECK(write(fd, "{\"do\": \"beg", 11) == 11);
	close(fd);
	restart();
	CHECK(journal_at(&journal, 0));
	leave();
	shed_close(&shed);
}

static void
an_undo_that_was_cut_off_is_finished_or_begun_again(void)
{
	struct err err = {0};

	shed_open(&shed);
	shed_put(&shed, ".npmrc", original);
	enter();
	set("npm", "~/.npmrc", "x", "1");
	set("npm", "~/.npmrc", "y", "1");
	CHECK_OK(undo(0, false, &err), &err);
	forget_lines(1); /* "undone" is lost; the file is back */
	restart();
	CHECK(journal_at(&journal, 0) && !journal_at(&journal, 1));
	CHECK_OK(undo(0, false, &err), &err);
	check_file(".npmrc", original);
	check_file(".local", NULL);
	leave();
	shed_close(&shed);
}

static void
a_link_stays_a_link(void)
{
	struct err err = {0};
	struct stat st;
	char target[600];

	shed_open(&shed);
	shed_put(&shed, "dotfiles/npmrc", "a=1\n");
	text_format(target, sizeof target, "%s", shed_path(&shed, "dotfiles/npmrc"));
	CHECK_INT(symlink(target, shed_path(&shed, ".npmrc")), 0);
	enter();
	set("npm", "~/.npmrc", "x", "1");
	CHECK(lstat(shed_path(&shed, ".npmrc"), &st) == 0 && S_ISLNK(st.st_mode));
	check_file("dotfiles/npmrc", "a=1\nx=1\n");
	CHECK_OK(undo(0, false, &err), &err);
	check_file("dotfiles/npmrc", "a=1\n");
	leave();
	shed_close(&shed);
}

static void
two_doctors_do_not_write_at_once(void)
{
	struct journal other;
	struct err err = {0};

	shed_open(&shed);
	enter();
	CHECK(!journal_open(&other, &home, &err));
	CHECK_INT(err.code, ERR_DOCTOR_JOURNAL);
	leave();
	enter();
	leave();
	shed_close(&shed);
}

static void
a_broken_journal_stops_everything(void)
{
	struct err err = {0};

	shed_open(&shed);
	shed_put(
		&shed, ".local/state/sekisho/doctor/journal", "{}\n{\"do\":\"x\"}\n\n");
	CHECK_OK(home_open(&home, NULL, &err), &err);
	CHECK(!journal_open(&journal, &home, &err));
	CHECK_INT(err.code, ERR_DOCTOR_JOURNAL);
	home_close(&home);
	shed_close(&shed);
}

TESTS(a_change_is_taken_back_to_the_octet,
	files_and_directories_that_were_made_go_in_any_order,
	what_others_wrote_since_is_never_lost, a_change_between_two_of_ours_is_noticed,
	a_crash_in_the_middle_leaves_before_or_after,
	an_undo_that_was_cut_off_is_finished_or_begun_again, a_link_stays_a_link,
	a_broken_journal_stops_everything, two_doctors_do_not_write_at_once)

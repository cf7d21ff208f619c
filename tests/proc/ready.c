// SPDX-License-Identifier: Apache-2.0
#include "proc/ready.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "gate/settings.h"
#include "proc/sandbox_priv.h"
#include "tests/test.h"

static struct {
	char top[64];
	char data[80];
	struct settings settings;
	struct owner owner;
} t;

static void
begin(void)
{
	struct err err = {0};
	text_format(t.top, sizeof(t.top), "/tmp/sekisho-ready-XXXXXX");
	CHECK(mkdtemp(t.top));
	CHECK(chmod(t.top, 0755) == 0);
	text_format(t.data, sizeof(t.data), "%s/data", t.top);
	t.settings = (struct settings){
		.data = span_str(t.data),
		.user = SPAN("nobody"),
	};
	CHECK_OK(sandbox_find_owner(&t.settings, &t.owner, &err), &err);
}

static void
end(void)
{
	(void)rmdir(t.data);
	CHECK(rmdir(t.top) == 0);
}

static void
a_directory_that_is_not_there_is_made_for_the_user(void)
{
	struct err err = {0};
	struct stat st;
	begin();
	CHECK_OK(ready_check(&t.settings, &err), &err);
	CHECK(stat(t.data, &st) != 0); /* looked only */
	CHECK_OK(ready_make(&t.settings, &t.owner, &err), &err);
	CHECK(stat(t.data, &st) == 0);
	CHECK_INT(st.st_uid, t.owner.uid);
	CHECK_INT(st.st_mode & 07777, 0750);
	CHECK_OK(ready_check(&t.settings, &err), &err);
	end();
}

/* Root's, and open to all: not given away. Anybody's, and not to be written: the same
 * without root. */
static void
a_directory_that_cannot_be_written_is_told_before_the_start(void)
{
	struct err err = {0};
	begin();
	CHECK(mkdir(t.data, 0755) == 0);
	CHECK(chmod(t.data, t.owner.drops ? 0755 : 0555) == 0);
	CHECK(!ready_check(&t.settings, &err));
	CHECK_INT(err.code, ERR_PROC_DATA);
	err = (struct err){0};
	CHECK(!ready_make(&t.settings, &t.owner, &err));
	CHECK_INT(err.code, ERR_PROC_DATA);
	end();
}

/* 0711 is how `sekisho client init` makes what lies above its own. */
static void
root_gives_a_closed_directory_of_its_own_away(void)
{
	static const mode_t modes[] = {0700, 0750, 0711};
	for (size_t i = 0; i < COUNT_OF(modes); i++) {
		struct err err = {0};
		struct stat st;
		begin();
		CHECK(mkdir(t.data, 0700) == 0);
		CHECK(chmod(t.data, modes[i]) == 0);
		CHECK_OK(ready_check(&t.settings, &err), &err);
		CHECK_OK(ready_make(&t.settings, &t.owner, &err), &err);
		CHECK(stat(t.data, &st) == 0);
		CHECK_INT(st.st_uid, t.owner.uid);
		end();
	}
}

static void
a_user_that_does_not_exist_is_told_to_root(void)
{
	struct err err = {0};
	begin();
	t.settings.user = SPAN("no-such-user-here");
	CHECK(ready_check(&t.settings, &err) != t.owner.drops);
	CHECK_INT(err.code, t.owner.drops ? ERR_PROC_USER : ERR_NONE);
	end();
}

TESTS(a_directory_that_is_not_there_is_made_for_the_user,
	a_directory_that_cannot_be_written_is_told_before_the_start,
	root_gives_a_closed_directory_of_its_own_away,
	a_user_that_does_not_exist_is_told_to_root)

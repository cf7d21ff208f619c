// SPDX-License-Identifier: Apache-2.0
#include "proc/passphrase_priv.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "tests/test.h"

static char dir[64];
static char path[128];

static void
begin(unsigned mode)
{
	struct err err = {0};
	(void)text_format(dir, sizeof(dir), "/tmp/sekisho-pass-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	(void)text_format(path, sizeof(path), "%s/node", dir);
	CHECK_OK(file_replace(path, SPAN("correct horse\n"), mode, &err), &err);
}

static void
end(void)
{
	CHECK(unlink(path) == 0);
	CHECK(rmdir(dir) == 0);
	CHECK(unsetenv("CREDENTIALS_DIRECTORY") == 0);
}

static void
check_read(const char *named)
{
	struct err err = {0};
	struct span secret = {0};
	CHECK_OK(passphrase_read(span_str(named), &secret, &err), &err);
	CHECK_SPAN(secret, "correct horse\n");
	passphrase_forget(&secret);
	CHECK(secret.p == NULL && secret.n == 0);
}

static void
it_comes_from_a_file_a_descriptor_or_systemd(void)
{
	char named[32];
	begin(0400);
	check_read(path);
	CHECK(setenv("CREDENTIALS_DIRECTORY", dir, 1) == 0);
	check_read("credential:node");
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	(void)text_format(named, sizeof(named), "/dev/fd/%d", fd);
	check_read(named);
	CHECK(close(fd) == 0);
	end();
}

static void
nothing_named_is_nothing_read(void)
{
	struct err err = {0};
	struct span secret = SPAN("before");
	CHECK(passphrase_read(SPAN(""), &secret, &err));
	CHECK_INT(secret.n, 0);
	passphrase_forget(&secret);
}

static void
what_others_can_read_or_nobody_handed_over_is_refused(void)
{
	struct err err = {0};
	struct span secret = {0};
	begin(0444);
	CHECK(!passphrase_read(span_str(path), &secret, &err));
	CHECK_INT(err.code, ERR_FILE_NOT_PRIVATE);
	CHECK(!passphrase_read(SPAN("credential:node"), &secret, &err));
	CHECK_INT(err.code, ERR_PKI_PASSPHRASE);
	CHECK(setenv("CREDENTIALS_DIRECTORY", dir, 1) == 0);
	CHECK(!passphrase_read(SPAN("credential:other"), &secret, &err));
	CHECK_INT(err.code, ERR_FILE_READ);
	CHECK_INT(secret.n, 0);
	end();
}

TESTS(it_comes_from_a_file_a_descriptor_or_systemd, nothing_named_is_nothing_read,
	what_others_can_read_or_nobody_handed_over_is_refused)

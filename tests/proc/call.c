// SPDX-License-Identifier: Apache-2.0
#include "proc/call.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/listen.h"
#include "tests/test.h"

static char dir[] = "/tmp/sekisho-call-XXXXXX";
static char path[64];

/* Answers one caller with what it asked, or nothing, in a process of its own. */
static pid_t
start_echo(bool answers)
{
	struct err err = {0};
	int door = -1;
	char line[64];
	CHECK_OK(listen_open_unix(path, 0600, &door, &err), &err);
	pid_t pid = fork();
	if (pid != 0) {
		(void)close(door);
		return pid;
	}
	int fd = -1;
	while (fd < 0)
		fd = accept(door, NULL, NULL);
	size_t n = 0;
	while (n == 0 || line[n - 1] != '\n') {
		ssize_t got = read(fd, line + n, sizeof(line) - n);
		if (got <= 0)
			_exit(1);
		n += (size_t)got;
	}
	_exit(!answers || write(fd, line, n) == (ssize_t)n ? 0 : 2);
}

static void
reap(pid_t pid)
{
	int status = 0;
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	(void)unlink(path);
}

static void
the_answer_is_all_that_came(void)
{
	struct err err = {0};
	struct span answer = {0};
	CHECK(mkdtemp(dir) != NULL);
	text_format(path, sizeof(path), "%s/sock", dir);
	pid_t pid = start_echo(true);
	CHECK_OK(call_master(path, SPAN("status"), &answer, &err), &err);
	CHECK_SPAN(answer, "status\n");
	mem_free((void *)(uintptr_t)answer.p);
	reap(pid);
}

static void
no_answer_and_no_master_are_errors(void)
{
	struct err err = {0};
	struct span answer = {0};
	pid_t pid = start_echo(false);
	CHECK(!call_master(path, SPAN("drain"), &answer, &err));
	CHECK_INT(err.code, ERR_PROC_CONTROL);
	reap(pid);
	CHECK(!call_master(path, SPAN("drain"), &answer, &err));
	CHECK(err.code == ERR_PROC_CONTROL && strstr(err.text, path));
	(void)rmdir(dir);
}

TESTS(the_answer_is_all_that_came, no_answer_and_no_master_are_errors)

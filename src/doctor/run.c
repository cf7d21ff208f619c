// SPDX-License-Identifier: Apache-2.0
#include "doctor/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

extern char **environ;

static bool
start(const struct run_ask *ask, int out, pid_t *pid, struct err *err)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	int why = posix_spawn_file_actions_init(&fa);

	if (why != 0)
		return err_errno(err, ERR_DOCTOR_RUN, why, "%s", ask->argv[0]);
	posix_spawnattr_init(&attr);
	/* A group of its own: what it starts ends with it. */
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&fa, out, 1);
	posix_spawn_file_actions_adddup2(&fa, out, 2);
	posix_spawn_file_actions_addchdir_np(&fa, ask->dir ? ask->dir : "/");
	why = posix_spawn(pid, ask->argv[0], &fa, &attr,
		(char *const *)(uintptr_t)ask->argv,
		ask->env ? (char *const *)(uintptr_t)ask->env : environ);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&attr);
	return why == 0 || err_errno(err, ERR_DOCTOR_RUN, why, "%s", ask->argv[0]);
}

/* Keeps the beginning, swallows the rest. False when nothing more comes. */
static bool
take_output(int fd, struct run_answer *a)
{
	char spill[4096];
	bool full = a->n >= RUN_OUTPUT;
	ssize_t got = full ? read(fd, spill, sizeof spill)
			   : read(fd, a->output + a->n, RUN_OUTPUT - a->n);

	if (got > 0 && !full)
		a->n += (size_t)got;
	return got > 0 || (got < 0 && errno == EINTR);
}

static bool
wait_output(int fd, unsigned timeout_ms, struct run_answer *a)
{
	uint64_t end = clock_tick() + timeout_ms;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		uint64_t now = clock_tick();
		if (now >= end)
			return false;
		int left = (int)(end - now); /* timeout_ms is an unsigned of minutes */
		if (poll(&p, 1, left) > 0 && !take_output(fd, a))
			return true;
	}
}

static int
code_of(int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	return 128 + (WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

bool
run_program(const struct run_ask *ask, struct run_answer *out, struct err *err)
{
	int fds[2];
	pid_t pid = 0;
	int status = 0;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_errno(err, ERR_DOCTOR_RUN, errno, "%s", ask->argv[0]);
	bool ok = start(ask, fds[1], &pid, err);
	close(fds[1]);
	if (!ok) {
		close(fds[0]);
		return false;
	}
	*out = (struct run_answer){.output = mem_alloc(RUN_OUTPUT + 1)};
	bool ended = wait_output(fds[0], ask->timeout_ms, out);
	close(fds[0]);
	if (!ended)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	out->code = ended ? code_of(status) : -1;
	return true;
}

void
run_answer_fini(struct run_answer *a)
{
	mem_free(a->output);
	*a = (struct run_answer){0};
}

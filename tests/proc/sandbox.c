// SPDX-License-Identifier: Apache-2.0
/*
 * What a sandbox takes cannot be given back, so each test does its part in a child of
 * its own, whose exit code says which look failed (0: none).
 */
#include "proc/sandbox_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "gate/settings.h"
#include "tests/test.h"

static int
status_of(int (*part)(void))
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0)
		_exit(part());
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
	return status;
}

static void
check_part(int (*part)(void))
{
	int status = status_of(part);
	CHECK(WIFEXITED(status));
	CHECK_INT(WEXITSTATUS(status), 0);
}

static char kept_dir[] = "/tmp/sekisho-sandbox-XXXXXX";

static int
look_at_files(void)
{
	struct err err = {0};
	char path[64];
	const struct sandbox_path paths[] = {{kept_dir, true}, {"/nowhere", false}};
	if (!sandbox_become(&(struct owner){0}, &err) ||
		!sandbox_files(paths, COUNT_OF(paths), &err))
		return 1;
	if (open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0)
		return 2;
	if (errno != EACCES)
		return 3;
	text_format(path, sizeof(path), "%s/new", kept_dir);
	if (open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) < 0)
		return 4;
	return unlink(path) == 0 ? 0 : 5;
}

static void
only_the_paths_named_stay_in_reach(void)
{
	CHECK(mkdtemp(kept_dir) != NULL);
	check_part(look_at_files);
	(void)rmdir(kept_dir);
}

static int
look_at_calls(void)
{
	static const struct sandbox_calls none = {0};
	struct err err = {0};
	if (!sandbox_become(&(struct owner){0}, &err) || !sandbox_calls(&none, &err))
		return 1;
	if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM)
		return 2;
	if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || errno != EPERM)
		return 3;
	if (fork() >= 0 || errno != EPERM)
		return 4;
	if (unlink("/tmp/nothing") == 0 || errno != EPERM)
		return 5;
	return getpid() > 0 ? 0 : 6;
}

static void
a_process_without_connections_cannot_make_a_socket(void)
{
	check_part(look_at_calls);
}

static int
look_at_sockets(void)
{
	static const struct sandbox_calls connects = {.connects = true};
	struct err err = {0};
	if (!sandbox_become(&(struct owner){0}, &err) ||
		!sandbox_calls(&connects, &err))
		return 1;
	if (socket(AF_INET, SOCK_STREAM, 0) < 0)
		return 2;
	if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || errno != EPERM)
		return 3;
	return socket(AF_PACKET, SOCK_RAW, 0) < 0 && errno == EPERM ? 0 : 4;
}

static void
a_process_that_connects_has_internet_sockets_and_no_others(void)
{
	check_part(look_at_sockets);
}

static int
try_to_execute(void)
{
	static const struct sandbox_calls none = {0};
	struct err err = {0};
	char *const argv[] = {NULL};
	if (!sandbox_become(&(struct owner){0}, &err) || !sandbox_calls(&none, &err))
		return 1;
	(void)execve("/bin/true", argv, argv);
	return 2;
}

static void
executing_ends_the_process(void)
{
	int status = status_of(try_to_execute);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static int
become_nobody(void)
{
	struct err err = {0};
	struct owner owner;
	struct settings s = {.user = SPAN("nobody")};
	if (!sandbox_find_owner(&s, &owner, &err) || !sandbox_become(&owner, &err))
		return 1;
	if (owner.drops && (getuid() == 0 || geteuid() == 0 || setuid(0) == 0))
		return 2;
	return getuid() == owner.uid && getgid() == owner.gid ? 0 : 3;
}

static void
root_becomes_the_user_and_cannot_go_back(void)
{
	check_part(become_nobody);
}

static void
a_user_that_is_not_there_or_is_root_is_refused(void)
{
	struct err err = {0};
	struct owner owner;
	struct settings absent = {.user = SPAN("no-such-user-here")};
	struct settings root = {.user = SPAN("root")};
	if (geteuid() != 0)
		return; /* then nobody is looked for */
	CHECK(!sandbox_find_owner(&absent, &owner, &err));
	CHECK_INT(err.code, ERR_PROC_USER);
	CHECK(!sandbox_find_owner(&root, &owner, &err));
	CHECK_INT(err.code, ERR_PROC_USER);
}

TESTS(only_the_paths_named_stay_in_reach,
	a_process_without_connections_cannot_make_a_socket,
	a_process_that_connects_has_internet_sockets_and_no_others,
	executing_ends_the_process, root_becomes_the_user_and_cannot_go_back,
	a_user_that_is_not_there_or_is_root_is_refused)

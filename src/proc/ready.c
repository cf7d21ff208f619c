// SPDX-License-Identifier: Apache-2.0
#include "proc/ready.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "gate/settings.h"
#include "proc/sandbox_priv.h"

/* Asks the kernel, as that user: modes, access lists and read-only file systems all
 * have a say. A child does, because there is no way back. */
static bool
may_write(const char *path, const struct owner *owner)
{
	int status = 0;
	if (!owner->drops)
		return access(path, W_OK | X_OK) == 0;
	pid_t child = fork();
	if (child == 0) {
		struct err err = {0};
		_exit(sandbox_become(owner, &err) && access(path, W_OK | X_OK) == 0
				? 0
				: 1);
	}
	while (child > 0 && waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return false;
	}
	return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool
check_data(const char *path, const struct settings *s, const struct owner *owner,
	struct err *err)
{
	if (may_write(path, owner))
		return true;
	if (!owner->drops)
		return err_set(err, ERR_PROC_DATA, "%s", path);
	return err_set(err, ERR_PROC_DATA, "%s: not by %.*s", path, SPAN_ARG(s->user));
}

/* As root: the directory belongs to whom the children become. One that everybody may
 * look into (/var/lib, named by mistake) is not ours to give away. */
static bool
is_given(const struct stat *st, const struct owner *owner)
{
	return owner->drops && st->st_uid == 0 &&
		(st->st_mode & (S_IROTH | S_IWOTH)) == 0;
}

bool
ready_make(const struct settings *s, const struct owner *owner, struct err *err)
{
	struct stat st;
	char *path = mem_cstr(s->data);
	bool ok = file_mkdir(path, 0750, err);

	if (ok && stat(path, &st) == 0 && is_given(&st, owner) &&
		chown(path, owner->uid, owner->gid) != 0)
		ok = err_errno(err, ERR_PROC_USER, errno, "%s", path);
	ok = ok && check_data(path, s, owner, err);
	mem_free(path);
	return ok;
}

bool
ready_check(const struct settings *s, struct err *err)
{
	struct owner owner;
	struct stat st;

	if (!sandbox_find_owner(s, &owner, err))
		return false;
	char *path = mem_cstr(s->data);
	bool is_there = stat(path, &st) == 0;
	bool ok =
		!is_there || is_given(&st, &owner) || check_data(path, s, &owner, err);
	mem_free(path);
	return ok;
}

// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

enum { SECRET_MOST = 64 };

enum { READ_STEP = 64 * 1024 };

static bool
open_for_reading(const char *path, int *fd, struct err *err)
{
	if (strcmp(path, "-") == 0) {
		*fd = STDIN_FILENO;
		return true;
	}
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (*fd < 0)
		return err_errno(err, ERR_FILE_READ, errno, "%s", path);
	struct stat st;
	if (fstat(*fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		close(*fd);
		return err_set(err, ERR_FILE_READ, "%s: is a directory", path);
	}
	return true;
}

static bool
read_all(int fd, const char *path, size_t limit, struct span *out, struct err *err)
{
	uint8_t *p = NULL;
	size_t cap = 0;
	size_t n = 0;
	for (;;) {
		p = mem_grow(p, &cap, n + READ_STEP + 1, 1);
		ssize_t got = read(fd, p + n, READ_STEP);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			mem_free(p);
			return err_errno(err, ERR_FILE_READ, errno, "%s", path);
		}
		n += (size_t)got;
		if (n > limit) {
			mem_free(p);
			return err_set(err, ERR_FILE_TOO_LARGE,
				"%s: more than %zu bytes", path, limit);
		}
		if (got == 0)
			break;
	}
	p[n] = 0;
	*out = span_of(p, n);
	return true;
}

bool
file_read(const char *path, size_t limit, struct span *out, struct err *err)
{
	int fd = -1;
	if (!open_for_reading(path, &fd, err))
		return false;
	bool ok = read_all(fd, path, limit, out, err);
	if (fd != STDIN_FILENO)
		close(fd);
	return ok;
}

static bool
write_all(int fd, struct span data)
{
	while (data.n > 0) {
		ssize_t put = write(fd, data.p, data.n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		data = span_from(data, (size_t)put);
	}
	return true;
}

bool
file_replace(const char *path, struct span data, unsigned mode, struct err *err)
{
	char beside[4096];
	struct text t = text_to(beside, sizeof(beside));
	text_add(&t, "%s.sekisho-new", path); /* no name that anybody else uses */
	if (t.cut)
		return err_set(err, ERR_FILE_WRITE, "the path is too long");
	if (unlink(beside) != 0 && errno != ENOENT)
		return err_errno(err, ERR_FILE_WRITE, errno, "%s", beside);
	int fd = open(
		beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(err, ERR_FILE_WRITE, errno, "%s", beside);
	bool ok =
		write_all(fd, data) && fchmod(fd, (mode_t)mode) == 0 && fsync(fd) == 0;
	int why = errno;
	close(fd);
	if (ok && rename(beside, path) == 0)
		return true;
	if (ok)
		why = errno;
	unlink(beside);
	return err_errno(err, ERR_FILE_WRITE, why, "%s", path);
}

bool
file_mkdir(const char *path, unsigned mode, struct err *err)
{
	char part[4096];
	if (!span_copy(part, sizeof(part), span_str(path)) || part[0] == 0)
		return err_set(err, ERR_FILE_WRITE, "the path is empty or too long");
	for (char *at = part + 1;; at++) {
		char c = *at;
		if (c != '/' && c != 0)
			continue;
		*at = 0;
		if (mkdir(part, (mode_t)mode) != 0 && errno != EEXIST)
			return err_errno(err, ERR_FILE_WRITE, errno, "%s", part);
		*at = c;
		if (c == 0)
			return true;
	}
}

bool
file_is_private(const char *path, struct err *err)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return err_errno(err, ERR_FILE_READ, errno, "%s", path);
	if (st.st_mode & (S_IRWXG | S_IRWXO)) {
		return err_set(err, ERR_FILE_NOT_PRIVATE, "%s: mode is %04o", path,
			(unsigned)st.st_mode & 07777);
	}
	if (st.st_uid != geteuid() && st.st_uid != 0) {
		return err_set(err, ERR_FILE_NOT_PRIVATE, "%s: owned by user %u", path,
			(unsigned)st.st_uid);
	}
	return true;
}

bool
file_read_secret(const char *path, uint8_t *dst, size_t n, struct err *err)
{
	struct span text = {0};
	uint8_t secret[SECRET_MOST];
	size_t got = 0;

	if (!file_is_private(path, err) ||
		!file_read(path, (size_t)4 * SECRET_MOST, &text, err))
		return false;
	bool ok = n <= sizeof(secret) && text_unhex(span_trim(text), secret, n, &got) &&
		got == n;
	if (ok)
		memcpy(dst, secret, n); /* n was checked */
	secret_wipe(secret, sizeof(secret));
	secret_wipe((void *)(uintptr_t)text.p, text.n);
	mem_free((void *)(uintptr_t)text.p);
	return ok ||
		err_set(err, ERR_FILE_READ, "%s is not %zu hex digits", path, 2 * n);
}

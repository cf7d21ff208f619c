// SPDX-License-Identifier: Apache-2.0
#include "proc/call.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

enum { ANSWER_MOST = 256 * 1024 };

static bool
connect_to(const char *path, int *out, struct err *err)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	if (!span_copy(sa.sun_path, sizeof(sa.sun_path), span_str(path)))
		return err_set(err, ERR_PROC_CONTROL, "the path is too long: %s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0) {
		*out = fd;
		return true;
	}
	err_errno(err, ERR_PROC_CONTROL, errno, "%s", path);
	if (fd >= 0)
		(void)close(fd);
	return false;
}

static bool
send_all(int fd, struct span s)
{
	return send(fd, s.p, s.n, MSG_NOSIGNAL) == (ssize_t)s.n;
}

static size_t
read_all(int fd, uint8_t *dst, size_t cap)
{
	size_t n = 0;
	while (n < cap) {
		ssize_t got = read(fd, dst + n, cap - n);
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	return n;
}

bool
call_master(const char *path, struct span word, struct span *answer, struct err *err)
{
	int fd = -1;
	if (!connect_to(path, &fd, err))
		return false;
	uint8_t *bytes = mem_alloc(ANSWER_MOST);
	bool sent = send_all(fd, word) && send_all(fd, SPAN("\n"));
	size_t n = sent ? read_all(fd, bytes, ANSWER_MOST) : 0;
	(void)close(fd);
	if (n == 0) {
		mem_free(bytes);
		return err_set(
			err, ERR_PROC_CONTROL, "%s: it ended without an answer", path);
	}
	*answer = span_of(bytes, n);
	return true;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * sinks_file: JSON lines, to a file or to standard output.
 *
 * Lines are gathered and written once a second, or sooner when there are many. Before
 * each writing the path is looked at: when the file was renamed or removed (logrotate),
 * a new one is begun. A pipe whose reader has stopped is not waited for.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "event/sinks_priv.h"

enum {
	GATHERED_MAX = 1024 * 1024, /* beyond it lines are dropped and counted */
	WRITE_AT = 128 * 1024,
	/* PIPE_BUF: a pipe that polls writable takes it without blocking */
	PIECE = 4096,
	COMPLAIN_MS = 60000,
};

struct file_sink {
	struct sink sink;
	char *path; /* owned; NULL for standard output */
	int fd;     /* owned unless standard output; -1 while it cannot be opened */
	struct buf lines;
	uint64_t complained_ms; /* 0: never */
};

static void
complain(struct file_sink *f, int number)
{
	uint64_t now = clock_now() + 1; /* never 0 */
	if (f->complained_ms != 0 && now - f->complained_ms < COMPLAIN_MS)
		return;
	f->complained_ms = now;
	log_error("event.sink", "path=%s reason=\"%s\"", f->path ? f->path : "stdout",
		strerror(number));
}

static int
open_path(const char *path)
{
	return open(path,
		O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		0640);
}

/* Whether the path still leads to the open file. */
static bool
is_current(const struct file_sink *f)
{
	struct stat here;
	struct stat there;
	return f->fd >= 0 && fstat(f->fd, &here) == 0 && stat(f->path, &there) == 0 &&
		here.st_ino == there.st_ino && here.st_dev == there.st_dev;
}

static void
reopen(struct file_sink *f)
{
	if (!f->path || is_current(f))
		return;
	int fd = open_path(f->path);
	if (fd < 0) {
		complain(f, errno);
		return; /* better into the renamed file than nowhere */
	}
	if (f->fd >= 0)
		close(f->fd);
	f->fd = fd;
}

static bool
may_write(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	return fd >= 0 && poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) != 0;
}

/* Two writers may append to one file while a generation takes over from another: lines
 * are written whole, as far as they fit. */
static struct span
whole_lines(struct span s)
{
	size_t end = span_rchr(s, '\n');
	return end < s.n ? span_first(s, end + 1) : s;
}

static void
file_flush(struct sink *s)
{
	struct file_sink *f = CONTAINER_OF(s, struct file_sink, sink);

	reopen(f);
	while (!buf_empty(&f->lines) && may_write(f->fd)) {
		struct span piece = whole_lines(
			span_first(buf_peek(&f->lines), f->path ? WRITE_AT : PIECE));
		ssize_t n = write(f->fd, piece.p, piece.n);
		if (n <= 0) {
			if (n < 0 && errno != EAGAIN && errno != EINTR)
				complain(f, errno);
			return;
		}
		buf_drop(&f->lines, (size_t)n);
	}
}

static void
file_put(struct sink *s, const struct event_view *e, struct span json)
{
	struct file_sink *f = CONTAINER_OF(s, struct file_sink, sink);

	(void)e;
	if (buf_len(&f->lines) >= WRITE_AT)
		file_flush(s);
	if (buf_room(&f->lines) < json.n + 1) {
		stat_add(STAT_EVENTS_UNSENT, 1);
		return;
	}
	bool fits = buf_put(&f->lines, json) && buf_put(&f->lines, SPAN("\n"));
	(void)fits; /* there was room for both */
}

static void
file_close(struct sink *s)
{
	struct file_sink *f = CONTAINER_OF(s, struct file_sink, sink);
	if (f->path && f->fd >= 0)
		close(f->fd);
	buf_fini(&f->lines);
	mem_free(f->path);
	mem_free(f);
}

static struct sink *
make(const struct sink_kind *kind, char *path, int fd)
{
	struct file_sink *f = mem_alloc(sizeof(*f));
	f->sink.kind = kind;
	f->path = path;
	f->fd = fd;
	buf_init(&f->lines, GATHERED_MAX);
	return &f->sink;
}

static struct sink *
file_open(struct span target, struct err *err)
{
	char *path = mem_cstr(target);
	int fd = target.n > 0 ? open_path(path) : -1;
	if (fd >= 0)
		return make(&sink_file, path, fd);
	(void)err_errno(err, ERR_EVENT_SINK, target.n > 0 ? errno : ENOENT,
		"file \"%s\"", path);
	mem_free(path);
	return NULL;
}

static struct sink *
stdout_open(struct span target, struct err *err)
{
	if (target.n == 0)
		return make(&sink_stdout, NULL, STDOUT_FILENO);
	(void)err_set(err, ERR_EVENT_SINK, "stdout takes no path");
	return NULL;
}

const struct sink_kind sink_file = {
	.name = "file",
	.help = "JSON lines appended to the file; begun anew when it is renamed.",
	.open = file_open,
	.put = file_put,
	.flush = file_flush,
	.close = file_close,
};

const struct sink_kind sink_stdout = {
	.name = "stdout",
	.help = "JSON lines on standard output.",
	.open = stdout_open,
	.put = file_put,
	.flush = file_flush,
	.close = file_close,
};

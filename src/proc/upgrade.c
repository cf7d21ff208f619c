// SPDX-License-Identifier: Apache-2.0
#include "proc/upgrade_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

enum {
	LATE_MS = 60000,  /* for the new program to serve */
	SECRET_S = 10,    /* for its secret to come */
	TEXT_MOST = 16384 /* of the variable that says what is given */
};
#define VARIABLE "SEKISHO_TAKES"

char *
upgrade_program(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	return n > 0 ? mem_cstr(span_of(path, (size_t)n)) : NULL;
}

void
upgrade_init(struct upgrade *u)
{
	u->line.fd = -1;
}

bool
upgrade_runs(const struct upgrade *u)
{
	return u->line.fd >= 0;
}

void
upgrade_cancel(struct upgrade *u)
{
	if (!upgrade_runs(u))
		return;
	timer_stop(u->loop, &u->late);
	loop_close(u->loop, &u->line);
	u->line.fd = -1;
}

/* ---- the old program ---- */

static void
end_with(struct upgrade *u, const struct err *why)
{
	upgrade_cancel(u);
	u->ended(u, why);
}

static void
fail(struct upgrade *u, const char *what)
{
	struct err err = {0};

	(void)kill(u->pid, SIGKILL);
	(void)err_set(&err, ERR_PROC_UPGRADE, "%s", what);
	end_with(u, &err);
}

static void
tell_line(struct watch *w, unsigned events)
{
	struct upgrade *u = CONTAINER_OF(w, struct upgrade, line);
	const struct err none = {0};
	char text[16];
	ssize_t n = recv(w->fd, text, sizeof(text), MSG_DONTWAIT);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		fail(u, "it ended before it served; its log says why");
	} else {
		end_with(u, &none);
	}
}

static void
tell_late(struct timer *t)
{
	fail(CONTAINER_OF(t, struct upgrade, late), "it did not serve in time");
}

static void
give_fd(struct text *t, int fd)
{
	text_add(t, "%s%d", t->n > 0 ? "," : "", fd);
	(void)fcntl(fd, F_SETFD, 0); /* this process is the child */
}

/* Only descriptors: what they are is asked of the kernel. Unix sockets are found by
 * path and opened anew. */
static void
give_all(const struct upgrade_spec *spec, int line, struct text *t)
{
	give_fd(t, line);
	give_fd(t, spec->control_fd);
	LIST_EACH (l, &spec->ports->all) {
		const struct port *port = CONTAINER_OF(l, struct port, in);
		for (size_t i = 0; !port->is_path && i < port->n; i++)
			give_fd(t, port->fds[i]);
	}
}

static NORETURN void
become(const struct upgrade_spec *spec, int line)
{
	char *given = mem_alloc(TEXT_MOST);
	struct text t = text_to(given, TEXT_MOST);
	sigset_t none;
	char run[] = "run";
	char *program = mem_cstr(span_str(spec->program));
	char *config = mem_cstr(span_str(spec->config));
	char *argv[] = {program, run, config, NULL};

	give_all(spec, line, &t);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (!t.cut && setenv(VARIABLE, given, 1) == 0)
		(void)execv(program, argv);
	_exit(127);
}

bool
upgrade_start(struct upgrade *u, const struct upgrade_spec *spec, struct err *err)
{
	int line[2];

	if (!spec->program)
		return err_set(err, ERR_PROC_UPGRADE, "the program's path is unknown");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line) != 0)
		return err_errno(err, ERR_PROC_UPGRADE, errno, "socketpair");
	u->loop = spec->loop;
	u->pid = fork();
	if (u->pid == 0)
		become(spec, line[1]);
	int number = errno;
	(void)close(line[1]);
	if (u->pid < 0 ||
		send(line[0], spec->secret, UPGRADE_SECRET, MSG_NOSIGNAL) < 0) {
		(void)close(line[0]);
		return err_errno(err, ERR_PROC_UPGRADE, number, "fork");
	}
	u->line = (struct watch){.fd = line[0], .ready = tell_line};
	u->late.fired = tell_late;
	loop_watch(u->loop, &u->line, LOOP_READ);
	timer_set(u->loop, &u->late, clock_now() + LATE_MS);
	return true;
}

/* ---- the new program ---- */

static bool
take_fd(struct span *rest, int *fd)
{
	struct span word;
	uint64_t n = 0;

	if (!span_cut(rest, ',', &word) || !text_u64(word, INT_MAX, &n))
		return false;
	*fd = (int)n; /* at most INT_MAX */
	return fcntl(*fd, F_SETFD, FD_CLOEXEC) == 0;
}

static bool
take_secret(struct upgrade_given *given)
{
	const struct timeval most = {.tv_sec = SECRET_S};

	return setsockopt(given->line, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most)) ==
		0 &&
		recv(given->line, given->secret, sizeof(given->secret), 0) ==
		(ssize_t)sizeof(given->secret);
}

bool
upgrade_take(struct upgrade_given *out, struct ports *p, struct err *err)
{
	struct upgrade_given given = {.line = -1, .control_fd = -1};
	const char *text = getenv(VARIABLE);
	struct span rest = span_str(text);
	size_t n = 0;
	int fd = -1;

	*out = given;
	if (!text)
		return true;
	bool ok = take_fd(&rest, &given.line) && take_fd(&rest, &given.control_fd);
	for (; ok && rest.n > 0 && n < UPGRADE_FDS_MOST; n++) {
		ok = take_fd(&rest, &fd);
		if (ok)
			ports_adopt(p, fd);
	}
	ok = ok && take_secret(&given);
	(void)unsetenv(VARIABLE);
	if (!ok) {
		return err_set(err, ERR_PROC_UPGRADE,
			"what the old program gave cannot be used");
	}
	log_info("upgrade.takes", "sockets=%zu", n);
	*out = given;
	return true;
}

void
upgrade_ready(struct upgrade_given *given)
{
	if (given->line < 0)
		return;
	if (send(given->line, "ready", 5, MSG_NOSIGNAL) < 0)
		log_warn("upgrade.ready", "errno=%d", errno);
	(void)close(given->line);
	given->line = -1;
}

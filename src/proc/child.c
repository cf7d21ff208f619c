// SPDX-License-Identifier: Apache-2.0
#include "proc/child_priv.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/text.h"
#include "gate/settings.h"

static const struct {
	const char *name;
	int (*run)(const struct duty *duty);
} kinds[CHILD_KINDS] = {
	[CHILD_VAULT] = {"vault", vault_run},
	[CHILD_SCRIBE] = {"scribe", scribe_run},
	[CHILD_WORKER] = {"worker", work_run},
};

const char *
child_kind_name(enum child_kind kind)
{
	return kinds[kind].name;
}

static int
compare_ints(const void *a, const void *b)
{
	const int *x = a;
	const int *y = b;
	return (*x > *y) - (*x < *y);
}

/* Whatever else the master had open is none of this process's business. */
static void
close_all_but(const struct duty *duty)
{
	size_t n = duty->n_listen_fds;
	int *keep = mem_array(n + 4, sizeof(*keep));
	if (n > 0)
		memcpy(keep, duty->listen_fds, n * sizeof(*keep));
	keep[n++] = duty->leash_fd;
	keep[n++] = duty->vault_fd;
	keep[n++] = duty->event_fd;
	keep[n++] = duty->admin_fd;
	qsort(keep, n, sizeof(*keep), compare_ints);
	unsigned from = STDERR_FILENO + 1;
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < (int)from)
			continue;
		unsigned fd = (unsigned)keep[i]; /* not negative: above `from` */
		if (fd > from)
			(void)close_range(from, fd - 1, 0);
		from = fd + 1;
	}
	(void)close_range(from, ~0U, 0);
	mem_free(keep);
}

/* Signals are for the master: a terminal's Ctrl-C reaches the whole group, and only the
 * leash says what a process is to do. */
static void
set_signals(void)
{
	sigset_t none;
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static NORETURN void
live(const struct duty *duty)
{
	char who[24];
	set_signals();
	close_all_but(duty);
	if (duty->kind == CHILD_WORKER) {
		text_format(who, sizeof(who), "worker.%u", duty->number);
	} else {
		text_format(who, sizeof(who), "%s", child_kind_name(duty->kind));
	}
	log_setup((enum log_level)duty->settings->log_level, who);
	(void)prctl(PR_SET_NAME, who, 0, 0, 0);
	stats_bind(&duty->page->stats);
	buf_trim();
	pool_trim();
	/* Nothing registered with atexit() is this process's to run. */
	_exit(kinds[duty->kind].run(duty));
}

bool
child_start(struct child *c, struct loop *loop, struct duty *duty, struct err *err)
{
	int ends[2];
	struct page *page =
		pages_take(duty->pages, child_kind_name(duty->kind), duty->number);
	if (!page) {
		return err_set(err, ERR_PROC_BUSY,
			"%d processes, of generations that still drain", PAGES_MOST);
	}
	if (!leash_pair(ends, err)) {
		pages_give(duty->pages, page);
		return false;
	}
	duty->leash_fd = ends[1];
	duty->page = page;
	pid_t pid = fork();
	if (pid == 0)
		live(duty);
	int number = errno;
	(void)close(ends[1]);
	if (pid < 0) {
		(void)close(ends[0]);
		pages_give(duty->pages, page);
		return err_errno(err, ERR_SYSTEM, number, "fork");
	}
	c->kind = duty->kind;
	c->number = duty->number;
	c->pid = pid;
	c->ready = c->told = false;
	c->born_ms = clock_now();
	c->page = page;
	leash_open(&c->leash, loop, ends[0]);
	return true;
}

void
child_gone(struct child *c, struct pages *pages)
{
	leash_close(&c->leash);
	pages_give(pages, c->page);
	c->page = NULL;
	c->pid = 0;
	c->ready = false;
}

void
child_kill(const struct child *c)
{
	if (c->pid > 0)
		(void)kill(c->pid, SIGKILL);
}

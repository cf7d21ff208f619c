// SPDX-License-Identifier: Apache-2.0
#include "proc/generation_priv.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "gate/settings.h"

enum {
	START_MS = 30000,      /* for all processes to be ready */
	DRAIN_EXTRA_MS = 5000, /* after drain-timeout, before we stop asking nicely */
	STOP_MS = 3000,        /* the same after "now" */
	BACK_OFF_LEAST_MS = 100,
	BACK_OFF_MOST_MS = 10000,
	LIVED_WELL_MS = 10000, /* a worker that old dies of something new */
};

static const char *const state_names[] = {
	[GENERATION_VAULT] = "starting",
	[GENERATION_WORKERS] = "starting",
	[GENERATION_SERVES] = "serving",
	[GENERATION_DRAINS] = "draining",
	[GENERATION_FAILED] = "failed",
};

const char *
generation_state_name(enum generation_state state)
{
	return state_names[state];
}

/* ---- starting */

static struct duty
make_duty(struct generation *g, enum child_kind kind, unsigned number)
{
	return (struct duty){
		.kind = kind,
		.number = number,
		.generation = g->spec.number,
		.settings = g->spec.settings,
		.owner = &g->spec.owner,
		.pages = g->spec.pages,
		.leash_fd = -1,
		.vault_fd = -1,
		.event_fd = -1,
		.admin_fd = -1,
	};
}

static bool
start_vault(struct generation *g, struct err *err)
{
	struct duty duty = make_duty(g, CHILD_VAULT, 0);
	return child_start(&g->vault, g->spec.loop, &duty, err);
}

static size_t
count_listens(const struct settings *s)
{
	size_t n = 0;
	for (const struct conf_item *it = s->listens; it; it = it->next)
		n++;
	return n;
}

static void
fill_listen_fds(struct generation *g, size_t worker, int *fds)
{
	for (const struct conf_item *it = g->spec.settings->listens; it;
		it = it->next) {
		const struct listen_settings *l =
			(const struct listen_settings *)(const void *)it;
		*fds++ = ports_fd(g->spec.ports, &l->bind, worker);
	}
}

/* Two lines of its own: one end each for the worker, the others for vault and scribe.
 */
static bool
make_lines(int vault[2], int events[2], struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, vault) !=
		0)
		return err_errno(err, ERR_SYSTEM, errno, "socketpair");
	if (ipc_pair(events, err))
		return true;
	(void)close(vault[0]);
	(void)close(vault[1]);
	return false;
}

static void
close_pair(const int fds[2])
{
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static bool
start_worker(
	struct generation *g, struct generation_worker *w, unsigned i, struct err *err)
{
	int vault[2] = {-1, -1};
	int events[2] = {-1, -1};
	struct duty duty = make_duty(g, CHILD_WORKER, i);
	size_t n = count_listens(g->spec.settings);

	if (!make_lines(vault, events, err))
		return false;
	int *fds = mem_array(n, sizeof(*fds));
	fill_listen_fds(g, i, fds);
	duty.listen_fds = fds;
	duty.n_listen_fds = n;
	duty.vault_fd = vault[0];
	duty.event_fd = events[0];
	bool ok = child_start(&w->child, g->spec.loop, &duty, err);
	if (ok) {
		leash_say(&g->vault.leash, LEASH_PEER, vault[1]);
		post_add(g->spec.post, &w->events, events[1]);
	} else {
		(void)close(events[1]);
	}
	mem_free(fds);
	close_pair(vault);
	(void)close(events[0]);
	return ok;
}

static void
for_each_child(struct generation *g, void (*act)(struct child *c))
{
	act(&g->vault);
	for (size_t i = 0; i < g->spec.n_workers; i++)
		act(&g->workers[i].child);
}

static void
kill_child(struct child *c)
{
	child_kill(c);
}

static bool
is_starting(const struct generation *g)
{
	return g->state == GENERATION_VAULT || g->state == GENERATION_WORKERS;
}

static bool
is_gone(const struct generation *g)
{
	if (g->vault.pid != 0)
		return false;
	for (size_t i = 0; i < g->spec.n_workers; i++) {
		if (g->workers[i].child.pid != 0)
			return false;
	}
	return true;
}

/* Told from the loop, because generation_start() may not call back. */
static void
tell_settled(struct hook *h)
{
	struct generation *g = CONTAINER_OF(h, struct generation, settle);
	g->told = true;
	g->spec.settled(g);
	if (g->state == GENERATION_FAILED && is_gone(g))
		g->spec.gone(g);
}

static void
fail(struct generation *g, const struct err *err)
{
	if (!is_starting(g))
		return;
	g->state = GENERATION_FAILED;
	g->err = *err;
	timer_stop(g->spec.loop, &g->late);
	for_each_child(g, kill_child);
	loop_soon(g->spec.loop, &g->settle);
}

static void
start_workers(struct generation *g)
{
	struct err err = {0};
	g->state = GENERATION_WORKERS;
	for (size_t i = 0; i < g->spec.n_workers; i++) {
		/* The number of workers is at most 256 (settings). */
		if (!start_worker(g, &g->workers[i], (unsigned)i, &err)) {
			fail(g, &err);
			return;
		}
	}
}

static void
go_on(struct generation *g)
{
	if (g->state == GENERATION_VAULT && g->vault.ready)
		start_workers(g);
	if (g->state != GENERATION_WORKERS)
		return;
	for (size_t i = 0; i < g->spec.n_workers; i++) {
		if (!g->workers[i].child.ready)
			return;
	}
	g->state = GENERATION_SERVES;
	timer_stop(g->spec.loop, &g->late);
	loop_soon(g->spec.loop, &g->settle);
}

static void
take_word(struct generation *g, struct child *c, const struct leash_message *m)
{
	struct err err = m->err;
	if (m->fd >= 0)
		(void)close(m->fd);
	if (m->word == LEASH_READY) {
		c->ready = true;
		go_on(g);
	} else if (m->word == LEASH_FAILED) {
		log_error("process.failed",
			"process=%s number=%u code=%s reason=\"%s\"",
			child_kind_name(c->kind), c->number, err_id(err.code),
			err.text);
		err_within(&err, "%s", child_kind_name(c->kind));
		fail(g, &err);
	}
}

static void
tell_vault(struct leash *l, const struct leash_message *m)
{
	struct child *c = CONTAINER_OF(l, struct child, leash);
	take_word(CONTAINER_OF(c, struct generation, vault), c, m);
}

static void
tell_worker(struct leash *l, const struct leash_message *m)
{
	struct child *c = CONTAINER_OF(l, struct child, leash);
	take_word(CONTAINER_OF(c, struct generation_worker, child)->generation, c, m);
}

/* Its exit is told by waitpid(); the leash alone says nothing new. */
static void
ignore_end(struct leash *l)
{
	(void)l;
}

static void
set_leash(struct child *c, void (*came)(struct leash *, const struct leash_message *))
{
	c->leash.came = came;
	c->leash.ended = ignore_end;
}

static void
start_again(struct timer *t)
{
	struct generation_worker *w = CONTAINER_OF(t, struct generation_worker, again);
	struct generation *g = w->generation;
	struct err err = {0};
	if (g->state != GENERATION_SERVES)
		return;
	/* At most 256 workers. */
	if (start_worker(g, w, (unsigned)(w - g->workers), &err))
		return;
	log_error("process.start", "process=worker reason=\"%s\"", err.text);
	timer_set(g->spec.loop, t, clock_now() + BACK_OFF_MOST_MS);
}

static void
tell_late(struct timer *t)
{
	struct generation *g = CONTAINER_OF(t, struct generation, late);
	struct err err = {0};
	if (is_starting(g)) {
		err_set(&err, ERR_PROC_STARTUP, "not ready within %d s",
			START_MS / 1000);
		fail(g, &err);
		return;
	}
	log_warn("generation.killed",
		"generation=%u reason=\"its time to end is over\"", g->spec.number);
	for_each_child(g, kill_child);
}

struct generation *
generation_start(const struct generation_spec *spec)
{
	struct err err = {0};
	struct generation *g = mem_alloc(sizeof(*g));
	g->spec = *spec;
	g->drain_ms = spec->settings->drain_ms;
	g->settle.run = tell_settled;
	g->late.fired = tell_late;
	g->workers = mem_array(spec->n_workers, sizeof(*g->workers));
	for (size_t i = 0; i < spec->n_workers; i++) {
		g->workers[i].generation = g;
		g->workers[i].again.fired = start_again;
		g->workers[i].child.kind = CHILD_WORKER;
		g->workers[i].child.number = (unsigned)i; /* at most 256 */
		set_leash(&g->workers[i].child, tell_worker);
	}
	set_leash(&g->vault, tell_vault);
	timer_set(spec->loop, &g->late, clock_now() + START_MS);
	if (!start_vault(g, &err))
		fail(g, &err);
	return g;
}

void
generation_free(struct generation *g)
{
	timer_stop(g->spec.loop, &g->late);
	loop_unhook(&g->settle);
	for (size_t i = 0; i < g->spec.n_workers; i++) {
		timer_stop(g->spec.loop, &g->workers[i].again);
		post_drop(&g->workers[i].events);
	}
	mem_free(g->workers);
	mem_free(g);
}

/* ---- ending */

static void
say(struct child *c, enum leash_word word)
{
	c->told = true;
	leash_say(&c->leash, word, -1);
}

static void
drain_child(struct child *c)
{
	say(c, LEASH_DRAIN);
}

static void
stop_child(struct child *c)
{
	say(c, LEASH_STOP);
}

void
generation_drain(struct generation *g)
{
	if (g->state == GENERATION_DRAINS || g->state == GENERATION_FAILED)
		return;
	g->state = GENERATION_DRAINS;
	for_each_child(g, drain_child);
	timer_set(g->spec.loop, &g->late, clock_now() + g->drain_ms + DRAIN_EXTRA_MS);
}

void
generation_stop(struct generation *g)
{
	/* Its processes were killed, and some may be reaped already: who waits for them
	 * is told when it has settled. */
	if (g->state == GENERATION_FAILED)
		return;
	g->state = GENERATION_DRAINS;
	for_each_child(g, stop_child);
	timer_set(g->spec.loop, &g->late, clock_now() + STOP_MS);
}

static struct child *
find_child(struct generation *g, pid_t pid)
{
	if (g->vault.pid == pid)
		return &g->vault;
	for (size_t i = 0; i < g->spec.n_workers; i++) {
		if (g->workers[i].child.pid == pid)
			return &g->workers[i].child;
	}
	return NULL;
}

static void
replace_worker(struct generation *g, struct child *c, uint64_t lived_ms)
{
	struct generation_worker *w = CONTAINER_OF(c, struct generation_worker, child);
	if (lived_ms >= LIVED_WELL_MS)
		w->back_off_ms = 0;
	uint64_t wait_ms = w->back_off_ms;
	unsigned next = w->back_off_ms * 2;
	w->back_off_ms = next < BACK_OFF_LEAST_MS ? BACK_OFF_LEAST_MS
		: next > BACK_OFF_MOST_MS         ? BACK_OFF_MOST_MS
						  : next;
	timer_set(g->spec.loop, &w->again, clock_now() + wait_ms);
}

/* Nobody told it to end. */
static void
mourn(struct generation *g, struct child *c, int status)
{
	uint64_t lived_ms = clock_now() - c->born_ms;
	struct err err = {0};
	int signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	stat_add(STAT_CRASHES, 1);
	log_error("process.died",
		"process=%s number=%u signal=%d status=%d lived_ms=%llu",
		child_kind_name(c->kind), c->number, signal_number,
		WIFEXITED(status) ? WEXITSTATUS(status) : 0,
		(unsigned long long)lived_ms);
	if (is_starting(g)) {
		err_set(&err, ERR_PROC_STARTUP, "%s %u ended with signal %d",
			child_kind_name(c->kind), c->number, signal_number);
		fail(g, &err);
	} else if (c->kind == CHILD_WORKER) {
		replace_worker(g, c, lived_ms);
	} else {
		g->spec.broke(g);
	}
}

bool
generation_reaped(struct generation *g, pid_t pid, int status)
{
	struct child *c = find_child(g, pid);
	if (!c)
		return false;
	leash_look(&c->leash); /* its last words may not have been read */
	bool expected = c->told || g->state == GENERATION_FAILED ||
		g->state == GENERATION_DRAINS;
	child_gone(c, g->spec.pages);
	if (c->kind == CHILD_WORKER)
		post_drop(&CONTAINER_OF(c, struct generation_worker, child)->events);
	if (!expected)
		mourn(g, c, status);
	bool ending = g->state == GENERATION_DRAINS ||
		(g->state == GENERATION_FAILED && g->told);
	if (ending && is_gone(g))
		g->spec.gone(g);
	return true;
}

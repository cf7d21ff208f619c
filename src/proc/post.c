// SPDX-License-Identifier: Apache-2.0
#include "proc/post_priv.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stats.h"
#include "gate/settings.h"

enum {
	START_MS = 20000, /* a large store may have to be mended first */
	END_MS = 10000,   /* for the last transaction of a slow disk */
	BACK_OFF_LEAST_MS = 100,
	BACK_OFF_MOST_MS = 10000,
};

static void
start(struct post *p)
{
	struct err err = {0};
	struct duty duty = {
		.kind = CHILD_SCRIBE,
		.settings = p->orders.settings,
		.owner = &p->orders.owner,
		.pages = p->pages,
		.leash_fd = -1,
		.vault_fd = -1,
		.event_fd = -1,
		.admin_fd = -1,
	};
	if (p->orders.settings->admin.port != 0) {
		struct addr admin = ports_admin(p->orders.settings);
		duty.admin_fd = ports_fd(p->ports, &admin, 0);
	}
	p->failure = (struct err){0};
	p->state = POST_STARTING;
	timer_set(p->loop, &p->timer, clock_now() + START_MS);
	if (!child_start(&p->child, p->loop, &duty, &err)) {
		p->failure = err;
		loop_soon(p->loop, &p->tell);
		return;
	}
	LIST_EACH (l, &p->lines) {
		struct post_line *line = CONTAINER_OF(l, struct post_line, in);
		leash_say(&p->child.leash, LEASH_PEER, line->fd);
	}
}

static void
settle(struct post *p)
{
	bool ok = p->failure.code == ERR_NONE;
	timer_stop(p->loop, &p->timer);
	p->state = ok ? POST_SERVES : POST_NONE;
	p->settled(p, ok ? NULL : &p->failure);
}

static void
tell_failure(struct hook *h)
{
	settle(CONTAINER_OF(h, struct post, tell));
}

static void
tell_begin(struct hook *h)
{
	start(CONTAINER_OF(h, struct post, begin));
}

static void
tell_word(struct leash *l, const struct leash_message *m)
{
	struct child *c = CONTAINER_OF(l, struct child, leash);
	struct post *p = CONTAINER_OF(c, struct post, child);
	if (m->fd >= 0)
		(void)close(m->fd);
	if (m->word == LEASH_FAILED) {
		p->failure = m->err;
		log_error("process.failed", "process=scribe code=%s reason=\"%s\"",
			err_id(m->err.code), m->err.text);
		return; /* its end follows */
	}
	if (m->word != LEASH_READY)
		return;
	c->ready = true;
	if (p->state == POST_STARTING)
		settle(p);
}

static void
ignore_end(struct leash *l)
{
	(void)l;
}

static void
tell_timer(struct timer *t)
{
	struct post *p = CONTAINER_OF(t, struct post, timer);
	if (p->child.pid == 0 && p->state == POST_SERVES) {
		start(p);
		p->state = POST_SERVES; /* nobody waits to hear of it */
		return;
	}
	log_warn("process.killed", "process=scribe reason=\"it took too long\"");
	child_kill(&p->child);
}

void
post_init(struct post *p)
{
	list_init(&p->lines);
	p->timer.fired = tell_timer;
	p->begin.run = tell_begin;
	p->tell.run = tell_failure;
	p->child.kind = CHILD_SCRIBE;
	p->child.leash.came = tell_word;
	p->child.leash.ended = ignore_end;
}

void
post_change(struct post *p, const struct post_orders *orders)
{
	p->orders = *orders;
	if (p->child.pid == 0) {
		p->state = POST_STARTING;
		loop_soon(p->loop, &p->begin);
		return;
	}
	p->state = POST_ENDING;
	leash_say(&p->child.leash, LEASH_STOP, -1);
	timer_set(p->loop, &p->timer, clock_now() + END_MS);
}

void
post_add(struct post *p, struct post_line *line, int fd)
{
	line->fd = fd;
	list_push(&p->lines, &line->in);
	if (p->child.pid != 0)
		leash_say(&p->child.leash, LEASH_PEER, fd);
}

void
post_drop(struct post_line *line)
{
	if (!list_joined(&line->in))
		return;
	list_leave(&line->in);
	(void)close(line->fd);
	line->fd = -1;
}

void
post_end(struct post *p, bool now)
{
	p->state = POST_LEAVING;
	if (p->child.pid == 0) {
		p->ended(p);
		return;
	}
	leash_say(&p->child.leash, now ? LEASH_STOP : LEASH_DRAIN, -1);
	timer_set(p->loop, &p->timer, clock_now() + END_MS);
}

bool
post_serves(const struct post *p)
{
	return p->state == POST_SERVES;
}

void
post_insist(struct post *p)
{
	p->back_off_ms = p->back_off_ms * 2;
	if (p->back_off_ms < BACK_OFF_LEAST_MS)
		p->back_off_ms = BACK_OFF_LEAST_MS;
	if (p->back_off_ms > BACK_OFF_MOST_MS)
		p->back_off_ms = BACK_OFF_MOST_MS;
	p->state = POST_SERVES;
	timer_set(p->loop, &p->timer, clock_now() + p->back_off_ms);
}

/* Nobody told it to. The lines wait; a little later another one reads on. */
static void
mourn(struct post *p, int status)
{
	stat_add(STAT_CRASHES, 1);
	log_error("process.died", "process=scribe signal=%d status=%d",
		WIFSIGNALED(status) ? WTERMSIG(status) : 0,
		WIFEXITED(status) ? WEXITSTATUS(status) : 0);
	if (clock_now() - p->child.born_ms >= BACK_OFF_MOST_MS)
		p->back_off_ms = 0;
	post_insist(p);
}

bool
post_reaped(struct post *p, pid_t pid, int status)
{
	if (p->child.pid != pid)
		return false;
	leash_look(&p->child.leash); /* its last words may not have been read */
	child_gone(&p->child, p->pages);
	timer_stop(p->loop, &p->timer);
	switch (p->state) {
	case POST_ENDING:
		start(p);
		break;
	case POST_STARTING:
		if (p->failure.code == ERR_NONE) {
			err_set(&p->failure, ERR_PROC_STARTUP,
				"it ended with status %#x", (unsigned)status);
		}
		err_within(&p->failure, "scribe");
		settle(p);
		break;
	case POST_LEAVING:
		p->ended(p);
		break;
	case POST_NONE:
	case POST_SERVES:
		mourn(p, status);
		break;
	}
	return true;
}

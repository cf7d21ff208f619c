// SPDX-License-Identifier: Apache-2.0
/*
 * One generation serves; another may be starting, and any number are draining. A reload
 * makes the next one and, when that serves, drains the one before; when it does not
 * come up, its ports and processes are taken back and nothing has changed.
 */
#include "proc/master.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/text.h"
#include "gate/act_value.h"
#include "gate/commons.h"
#include "gate/settings.h"
#include "proc/control_priv.h"
#include "proc/generation_priv.h"
#include "proc/notify_priv.h"
#include "proc/purge.h"
#include "proc/ready.h"
#include "proc/renewal_priv.h"
#include "proc/reply_priv.h"
#include "proc/upgrade_priv.h"
#include "proc/warden_priv.h"
#include "rule/set.h"

enum {
	ANSWER_BYTES = 64 * 1024,
	SPARE_FDS = 512,   /* per worker, beyond two per connection */
	REBIRTH_MS = 1000, /* before a generation that broke is started again */
	LISTS_MS = 2000,   /* between looks at the files of lists */
};

struct master {
	struct loop loop;
	const char *path;
	struct settings *settings;      /* owned; of the generation that serves */
	struct settings *next_settings; /* owned; of the one that starts, or NULL */
	struct generation *serving;     /* or NULL */
	struct generation *starting;
	struct list generations; /* all of them */
	struct ports ports;
	struct post post;
	struct owner owner; /* of the generation that serves */
	struct pages *pages;
	struct page *page; /* our own counters */
	struct control control;
	struct control_call *caller;      /* waits for the reload under way, or NULL */
	struct control_call *next_caller; /* for the one after that */
	bool wants_reload;                /* asked for while one was under way */
	struct watch signals;
	struct hook reload_again;
	struct timer rebirth;
	struct timer watchdog;
	struct timer lists;
	uint64_t files_seen; /* stamp_of() the settings at the last look */
	uint64_t files_used; /* acted upon */
	uint64_t files_next; /* of next_settings when they were read */
	struct timer warden_due;
	struct warden warden;
	struct renewal renewal;
	uint64_t watchdog_ms;
	uint64_t began_ms;
	unsigned number;
	char *program; /* owned; path of our own, or NULL */
	struct upgrade upgrade;
	struct upgrade_given given; /* by the program before us */
	struct control_call *upgrader;
	bool ending;
	bool at_once;
	struct err failure; /* of the first generation */
};

/* The functions of a generation know it alone; there is one master, and its loop is the
 * generation's. */
static struct master *
master_of(struct generation *g)
{
	return CONTAINER_OF(g->spec.loop, struct master, loop);
}

static void
free_settings(struct settings **s)
{
	if (!*s)
		return;
	settings_fini(*s);
	mem_free(*s);
	*s = NULL;
}

static size_t
count_workers(const struct settings *s)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	if (s->workers != 0)
		return (size_t)s->workers;
	return cores < 1 ? 1 : cores > 256 ? 256 : (size_t)cores;
}

/* ---- answers to `sekisho ctl` */

static void
answer_purge(struct master *m, struct control_call *call)
{
	struct json_out json;
	struct err err = {0};
	json_init(&json, ANSWER_BYTES);
	json_object(&json, NULL);
	bool ok = purge_do(m->settings->cache_store, call->word, &json, &err);
	json_bool(&json, "ok", ok);
	if (!ok) {
		json_str(&json, "code", err_id(err.code));
		json_str(&json, "text", err.text);
	}
	json_end(&json);
	reply_json(&call, &json);
	json_fini(&json);
}

static void
answer_status(struct master *m, struct control_call *call)
{
	struct json_out json;
	json_init(&json, ANSWER_BYTES);
	json_object(&json, NULL);
	json_bool(&json, "ok", true);
	json_str(&json, "version", SEKISHO_VERSION);
	json_int(&json, "pid", getpid());
	json_str(&json, "config", m->path);
	json_uint(&json, "age_ms", clock_now() - m->began_ms);
	json_bool(&json, "ending", m->ending);
	json_uint(&json, "crashes", stat_get(STAT_CRASHES));
	json_array(&json, "shared");
	reply_child(&json, &m->post.child);
	json_end(&json);
	json_array(&json, "generations");
	LIST_EACH (l, &m->generations)
		reply_generation(&json, CONTAINER_OF(l, struct generation, in));
	json_end(&json);
	json_end(&json);
	reply_json(&call, &json);
	json_fini(&json);
}

/* ---- generations */

static void
say_status(const struct master *m, const char *state)
{
	char text[160];
	text_format(text, sizeof(text), "%s\nSTATUS=Generation %u, %zu workers.", state,
		m->number, m->serving ? m->serving->spec.n_workers : 0);
	notify_send(text);
}

static void
bury_generation(struct corpse *c)
{
	generation_free(CONTAINER_OF(c, struct generation, corpse));
}

static void
end_if_empty(struct master *m)
{
	if (m->ending && list_empty(&m->generations))
		post_end(&m->post, m->at_once);
}

static void
tell_post_ended(struct post *p)
{
	loop_stop(&CONTAINER_OF(p, struct master, post)->loop);
}

static void
tell_gone(struct generation *g)
{
	struct master *m = master_of(g);
	log_info("generation.gone", "generation=%u", g->spec.number);
	if (m->serving == g)
		m->serving = NULL;
	if (m->starting == g)
		m->starting = NULL;
	list_leave(&g->in);
	g->corpse.bury = bury_generation;
	loop_bury(&m->loop, &g->corpse);
	end_if_empty(m);
}

/* Somebody asked again while the last reload was under way. */
static void
reload_if_wanted(struct master *m)
{
	if (!m->wants_reload || m->ending)
		return;
	m->wants_reload = false;
	loop_soon(&m->loop, &m->reload_again);
}

/* The program before us may go: its sockets are served by us as well. */
static void
replace_program(struct master *m)
{
	if (m->given.line < 0)
		return;
	control_adopt(&m->control, &m->loop, m->settings->control, m->given.control_fd);
	upgrade_ready(&m->given);
}

/* The new one serves: it is the one, and the one before ends. */
static void
take_over(struct master *m, struct generation *g)
{
	struct generation *before = m->serving;
	m->serving = g;
	m->owner = g->spec.owner;
	if (m->next_settings) {
		free_settings(&m->settings);
		m->settings = m->next_settings;
		m->next_settings = NULL;
		m->files_used = m->files_next;
	}
	ports_keep(&m->ports);
	replace_program(m);
	log_setup((enum log_level)m->settings->log_level, "master");
	stat_set(STAT_GENERATION, g->spec.number);
	m->starting = NULL;
	if (before)
		generation_drain(before);
	if (g->spec.number > 1)
		stat_add(STAT_RELOADS, 1);
	log_info("generation.serves", "generation=%u workers=%zu", g->spec.number,
		g->spec.n_workers);
	say_status(m, "READY=1");
	reply_done(&m->caller);
	if (m->ending)
		generation_drain(g);
	reload_if_wanted(m);
}

static void
give_up(struct master *m, const struct err *err)
{
	log_error("generation.failed", "generation=%u code=%s reason=\"%s\"", m->number,
		err_id(err->code), err->text);
	ports_revert(&m->ports);
	free_settings(&m->next_settings);
	stat_add(STAT_RELOADS_FAILED, 1);
	reply_err(&m->caller, err);
	if (m->serving) {
		say_status(m, "READY=1");
		reload_if_wanted(m);
		return;
	}
	m->failure = *err;
	m->ending = true;
}

static void
undo(struct master *m, struct generation *g, const struct err *err)
{
	m->starting = NULL;
	generation_stop(g);
	give_up(m, err);
}

/* Its processes are ready; now the scribe, which at the very start was begun with them.
 */
static void
tell_settled(struct generation *g)
{
	struct master *m = master_of(g);
	const struct post_orders orders = {g->spec.settings, g->spec.owner};
	if (g != m->starting)
		return; /* undone meanwhile */
	if (g->state == GENERATION_FAILED) {
		m->starting = NULL;
		give_up(m, &g->err);
	} else if (m->serving) {
		post_change(&m->post, &orders);
	} else if (post_serves(&m->post)) {
		take_over(m, g);
	}
}

/* Without a generation that starts it is the scribe of before that came back, or one
 * that follows a dead one. Traffic is never touched by this. */
static void
tell_post_settled(struct post *p, const struct err *err)
{
	struct master *m = CONTAINER_OF(p, struct master, post);
	struct generation *g = m->starting;
	if (g && err) {
		const struct post_orders before = {m->settings, m->owner};
		if (m->serving)
			post_change(p, &before);
		undo(m, g, err);
	} else if (g && g->state == GENERATION_SERVES) {
		take_over(m, g);
	} else if (err) {
		post_insist(p);
	}
}

static void
tell_broke(struct generation *g)
{
	struct master *m = master_of(g);
	if (!timer_is_set(&m->rebirth))
		timer_set(&m->loop, &m->rebirth, clock_now() + REBIRTH_MS);
}

static void
raise_fd_limit(const struct settings *s)
{
	struct rlimit have;
	const rlim_t want = s->connections * 2 + SPARE_FDS;
	if (getrlimit(RLIMIT_NOFILE, &have) != 0 || have.rlim_cur >= want)
		return;
	struct rlimit wish = {want, have.rlim_max < want ? want : have.rlim_max};
	if (setrlimit(RLIMIT_NOFILE, &wish) == 0)
		return;
	wish = (struct rlimit){have.rlim_max, have.rlim_max};
	(void)setrlimit(RLIMIT_NOFILE, &wish);
	log_warn("process.descriptors", "want=%llu have=%llu", (unsigned long long)want,
		(unsigned long long)have.rlim_max);
}

static bool
start_generation(struct master *m, const struct settings *s, struct err *err)
{
	struct generation_spec spec = {
		.loop = &m->loop,
		.pages = m->pages,
		.ports = &m->ports,
		.post = &m->post,
		.settings = s,
		.number = m->number + 1,
		.n_workers = count_workers(s),
		.settled = tell_settled,
		.broke = tell_broke,
		.gone = tell_gone,
	};
	if (!sandbox_find_owner(s, &spec.owner, err) ||
		!ready_make(s, &spec.owner, err) ||
		!ports_prepare(&m->ports, s, spec.n_workers, err))
		return false;
	raise_fd_limit(s);
	m->number++;
	m->starting = generation_start(&spec);
	list_push(&m->generations, &m->starting->in);
	const struct post_orders orders = {s, spec.owner};
	if (!m->serving)
		post_change(&m->post, &orders);
	return true;
}

/* ---- reload */

/* Differs when a file that the settings were made from was replaced. */
static uint64_t
stamp_of(const struct settings *s)
{
	return lists_stamp(s->rule_lists) * 31 + site_stamp(s);
}

/* All complaints go to the log with file, line and column; the first becomes *err. */
static bool
load_settings(struct master *m, struct settings *s, struct err *err)
{
	struct conf_report *report = mem_alloc(sizeof(*report));
	conf_report_init(report);
	bool ok = settings_load(s, m->path, report);
	for (size_t i = 0; i < report->n; i++) {
		const struct conf_complaint *c = &report->list[i];
		const char *file = c->at.file ? c->at.file->path : m->path;
		if (c->is_warning) {
			log_warn("config.advice", "at=%s:%u:%u text=\"%s\"", file,
				c->at.line, c->at.column, c->text);
		} else {
			log_error("config.refused", "at=%s:%u:%u text=\"%s\"", file,
				c->at.line, c->at.column, c->text);
		}
	}
	if (!ok && conf_report_err(report, err))
		ok = err_set(err, ERR_CONF_SYNTAX, "%s", m->path);
	mem_free(report);
	return ok;
}

static bool
try_reload(struct master *m, struct err *err)
{
	uint64_t before = stamp_of(m->settings);

	m->next_settings = mem_alloc(sizeof(*m->next_settings));
	if (!load_settings(m, m->next_settings, err))
		return false;
	/* A file that changed meanwhile may have been read before: 0 is no stamp, so the
	 * next look has all of them read again. */
	m->files_next =
		before == stamp_of(m->settings) ? stamp_of(m->next_settings) : 0;
	if (!span_eq(m->next_settings->control, m->settings->control)) {
		log_warn("config.control",
			"reason=\"the control socket moves only at a start\"");
	}
	/* Sessions resume across a reload; that policy has changed is in their binding.
	 */
	if (m->next_settings->ticket_file.n == 0) {
		memcpy(m->next_settings->ticket_secret, m->settings->ticket_secret,
			sizeof(m->settings->ticket_secret));
	}
	if (!site_cache_open(m->next_settings, m->settings, err) ||
		!act_value_open(m->next_settings, m->settings, err) ||
		!commons_open(m->next_settings, m->settings, err))
		return false;
	return start_generation(m, m->next_settings, err);
}

static void
reload_now(struct master *m, struct control_call *call)
{
	struct err err = {0};
	log_info("config.reload", "path=%s", m->path);
	notify_reloading();
	if (try_reload(m, &err)) {
		m->caller = call;
		return;
	}
	log_error("config.kept", "reason=\"%s\"", err.text);
	stat_add(STAT_RELOADS_FAILED, 1);
	free_settings(&m->next_settings);
	say_status(m, "READY=1");
	reply_err(&call, &err);
}

static void
tell_reload_again(struct hook *h)
{
	struct master *m = CONTAINER_OF(h, struct master, reload_again);
	struct control_call *call = m->next_caller;
	m->next_caller = NULL;
	reload_now(m, call);
}

/* While one is under way the next waits; who asks a third time need not. */
static void
reload(struct master *m, struct control_call *call)
{
	struct err err = {0};
	if (!m->starting && !m->ending) {
		reload_now(m, call);
		return;
	}
	if (m->ending || (call && m->next_caller)) {
		err_set(&err, ERR_PROC_BUSY, "%s",
			m->ending ? "it is ending" : "others wait already");
		reply_err(&call, &err);
		return;
	}
	m->wants_reload = true;
	if (call)
		m->next_caller = call;
}

/* The vault died: everything anew, from the settings we have. */
static void
tell_rebirth(struct timer *t)
{
	struct master *m = CONTAINER_OF(t, struct master, rebirth);
	struct err err = {0};
	if (m->ending)
		return;
	if (!m->starting && start_generation(m, m->settings, &err))
		return;
	if (err.code != ERR_NONE)
		log_error("generation.failed", "reason=\"%s\"", err.text);
	timer_set(&m->loop, t, clock_now() + REBIRTH_MS);
}

/* ---- ending */

static void
end_all(struct master *m)
{
	bool again = m->ending;
	m->ending = true;
	m->at_once = again;
	log_info("master.ending", "how=%s", again ? "now" : "drain");
	notify_send("STOPPING=1");
	LIST_EACH (l, &m->generations) {
		struct generation *g = CONTAINER_OF(l, struct generation, in);
		if (again) {
			generation_stop(g);
		} else if (g->state == GENERATION_SERVES) {
			generation_drain(g);
		}
	}
	end_if_empty(m);
}

/* ---- what comes in */

static void
tell_reaped(struct master *m, pid_t pid, int status)
{
	bool known = post_reaped(&m->post, pid, status);
	LIST_EACH (l, &m->generations) {
		struct generation *g = CONTAINER_OF(l, struct generation, in);
		known = known || generation_reaped(g, pid, status);
	}
}

static void
reap(struct master *m)
{
	int status = 0;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		tell_reaped(m, pid, status);
}

static void
tell_signal(struct watch *w, unsigned events)
{
	struct master *m = CONTAINER_OF(w, struct master, signals);
	struct signalfd_siginfo info;
	(void)events;
	while (read(w->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD) {
			reap(m);
		} else if (info.ssi_signo == SIGHUP) {
			reload(m, NULL);
		} else {
			end_all(m);
		}
	}
}

/* ---- another program */

static void
tell_upgraded(struct upgrade *u, const struct err *why)
{
	struct master *m = CONTAINER_OF(u, struct master, upgrade);
	char text[64];
	if (why->code != ERR_NONE) {
		log_error("upgrade.failed", "reason=\"%s\"", why->text);
		reply_err(&m->upgrader, why);
		return;
	}
	log_info("upgrade.done", "pid=%d", (int)u->pid);
	text_format(text, sizeof(text), "MAINPID=%d", (int)u->pid);
	notify_send(text);
	reply_done(&m->upgrader);
	control_leave(&m->control);
	end_all(m);
}

static void
upgrade(struct master *m, struct control_call *call)
{
	const struct upgrade_spec spec = {
		.loop = &m->loop,
		.program = m->program,
		.config = m->path,
		.ports = &m->ports,
		.control_fd = m->control.listener.watch.fd,
		.secret = m->settings->ticket_secret,
	};
	struct err err = {0};
	bool free = !m->starting && !m->ending && !upgrade_runs(&m->upgrade);
	if (!free)
		err_set(&err, ERR_PROC_BUSY, "a reload, an upgrade or the end");
	if (!free || !upgrade_start(&m->upgrade, &spec, &err)) {
		reply_err(&call, &err);
		return;
	}
	m->upgrader = call;
	log_info(
		"upgrade.starts", "pid=%d program=%s", (int)m->upgrade.pid, m->program);
}

static void
tell_asked(struct control *c, struct control_call *call)
{
	struct master *m = CONTAINER_OF(c, struct master, control);
	struct err err = {0};
	if (span_eq(call->word, SPAN("status"))) {
		answer_status(m, call);
	} else if (span_eq(call->word, SPAN("reload"))) {
		reload(m, call);
	} else if (span_eq(call->word, SPAN("upgrade"))) {
		upgrade(m, call);
	} else if (purge_is_meant(call->word)) {
		answer_purge(m, call);
	} else if (span_eq(call->word, SPAN("drain"))) {
		reply_done(&call);
		end_all(m);
	} else {
		err_set(&err, ERR_PROC_CONTROL, "unknown request");
		reply_err(&call, &err);
	}
}

static void
tell_dropped(struct control *c, struct control_call *call)
{
	struct master *m = CONTAINER_OF(c, struct master, control);
	if (m->caller == call)
		m->caller = NULL;
	if (m->next_caller == call)
		m->next_caller = NULL;
	if (m->upgrader == call)
		m->upgrader = NULL;
}

static void
tell_watchdog(struct timer *t)
{
	struct master *m = CONTAINER_OF(t, struct master, watchdog);
	notify_send("WATCHDOG=1");
	timer_set(&m->loop, t, clock_now() + m->watchdog_ms);
}

/*
 * The file of a list or of a certificate has changed: that is a reload like any other,
 * so a broken line, or a key that does not fit, leaves the old in use and says why.
 * Only what looks the same twice is read, because a file may still be being written.
 */
static void
tell_lists(struct timer *t)
{
	struct master *m = CONTAINER_OF(t, struct master, lists);
	uint64_t began_us = clock_us();
	uint64_t now = stamp_of(m->settings);
	/* A hundred thousand sites have files enough to keep a core busy: looking is
	 * never more than a fiftieth of the time. */
	uint64_t rest_ms = (clock_us() - began_us) * 50 / 1000;
	timer_set(&m->loop, t, clock_now() + LISTS_MS + rest_ms);
	bool settled = now == m->files_seen;
	m->files_seen = now;
	if (!settled || now == m->files_used || m->starting || m->ending)
		return;
	m->files_used = now;
	log_info("files.changed", "path=%s", m->path);
	reload(m, NULL);
}

static void
tell_warden(struct timer *t)
{
	struct master *m = CONTAINER_OF(t, struct master, warden_due);
	timer_set(&m->loop, t, clock_now() + WARDEN_MS);
	bool renewed = !m->ending && renewal_look(&m->renewal, m->settings);
	if ((warden_look(&m->warden, m->settings) || renewed) && !m->ending)
		reload(m, NULL);
}

/* ---- life */

static bool
open_signals(struct master *m, struct err *err)
{
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return err_errno(err, ERR_SYSTEM, errno, "sigprocmask");
	int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		return err_errno(err, ERR_SYSTEM, errno, "signalfd");
	m->signals = (struct watch){.fd = fd, .ready = tell_signal};
	loop_watch(&m->loop, &m->signals, LOOP_READ);
	return true;
}

static bool
open_master(struct master *m, struct err *err)
{
	m->began_ms = clock_tick();
	m->signals.fd = -1;
	m->given.line = -1;
	m->program = upgrade_program();
	upgrade_init(&m->upgrade);
	m->upgrade.ended = tell_upgraded;
	m->pages = pages_map();
	m->page = pages_take(m->pages, "master", 0);
	stats_bind(&m->page->stats);
	list_init(&m->generations);
	ports_init(&m->ports);
	m->post.loop = &m->loop;
	m->post.pages = m->pages;
	m->post.ports = &m->ports;
	m->post.settled = tell_post_settled;
	m->post.ended = tell_post_ended;
	post_init(&m->post);
	m->control.asked = tell_asked;
	m->control.dropped = tell_dropped;
	m->rebirth.fired = tell_rebirth;
	m->reload_again.run = tell_reload_again;
	m->watchdog.fired = tell_watchdog;
	m->lists.fired = tell_lists;
	m->files_used = stamp_of(m->settings);
	m->warden_due.fired = tell_warden;
	m->watchdog_ms = notify_watchdog_ms();
	if (!loop_init(&m->loop, err) || !site_cache_open(m->settings, NULL, err) ||
		!act_value_open(m->settings, NULL, err) ||
		!commons_open(m->settings, NULL, err))
		return false;
	if (!open_signals(m, err) || !upgrade_take(&m->given, &m->ports, err))
		return false;
	if (m->given.line >= 0) {
		memcpy(m->settings->ticket_secret, m->given.secret, UPGRADE_SECRET);
		commons_follow(m->settings);
	} else if (!control_open(&m->control, &m->loop, m->settings->control, err)) {
		return false;
	}
	if (m->watchdog_ms != 0)
		timer_set(&m->loop, &m->watchdog, clock_now() + m->watchdog_ms);
	timer_set(&m->loop, &m->lists, clock_now() + LISTS_MS);
	timer_set(&m->loop, &m->warden_due, clock_now());
	return start_generation(m, m->settings, err);
}

static void
close_master(struct master *m)
{
	upgrade_cancel(&m->upgrade);
	control_close(&m->control);
	mem_free(m->program);
	if (m->signals.fd >= 0)
		loop_close(&m->loop, &m->signals);
	if (m->loop.batch)
		loop_fini(&m->loop);
	ports_fini(&m->ports);
	free_settings(&m->next_settings);
	free_settings(&m->settings);
}

bool
master_run(const char *path, struct settings *s, struct err *err)
{
	struct master m = {.path = path, .settings = s};

	log_setup((enum log_level)s->log_level, "master");
	bool ok = open_master(&m, err);
	if (ok)
		loop_run(&m.loop);
	if (ok && m.failure.code != ERR_NONE) {
		*err = m.failure;
		ok = false;
	}
	close_master(&m);
	return ok;
}

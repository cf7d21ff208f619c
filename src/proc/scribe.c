// SPDX-License-Identifier: Apache-2.0
/*
 * scribe: the duty of the process that writes down what happened.
 *
 * Workers' packets come in, rows and lines go out; the disk may be slow here without
 * anybody else noticing. It opens its files as the user it has become.
 */
#include <seccomp.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/text.h"
#include "event/sinks.h"
#include "event/store.h"
#include "gate/settings.h"
#include "proc/admin_priv.h"
#include "proc/child_priv.h"

enum {
	SINKS_MS = 1000,
	PATH_BYTES = 1024,
};

struct scribe {
	struct loop loop;
	struct leash leash;
	struct admin admin;
	struct store *store; /* owned */
	struct sinks sinks;
	struct timer store_due;
	struct timer sinks_due;
	struct list lines; /* of workers */
	bool ending;
};

struct scribe_line {
	struct ipc_in in;
	struct scribe *scribe;
	struct list of_scribe;
	struct corpse corpse;
};

/* ---- events */

static void
take_records(struct scribe *s, struct event_batch *batch)
{
	struct event_view view;
	struct err err = {0};
	while (batch->records.n > 0) {
		if (!event_read(&batch->records, &view, &err)) {
			stat_add(STAT_EVENTS_MALFORMED, 1);
			return;
		}
		store_add(s->store, &view);
		sinks_put(&s->sinks, &view);
	}
}

static void
tell_frame(struct ipc_in *in, struct span frame)
{
	struct scribe_line *line = CONTAINER_OF(in, struct scribe_line, in);
	struct event_batch batch;
	struct err err = {0};
	if (event_batch_read(frame, &batch, &err)) {
		take_records(line->scribe, &batch);
	} else {
		stat_add(STAT_EVENTS_MALFORMED, 1);
	}
}

static void
tell_store_due(struct timer *t)
{
	struct scribe *s = CONTAINER_OF(t, struct scribe, store_due);
	uint64_t wait_ms = store_tick(s->store, clock_now());
	timer_set(&s->loop, t, clock_now() + (wait_ms < SINKS_MS ? wait_ms : SINKS_MS));
}

static void
tell_sinks_due(struct timer *t)
{
	struct scribe *s = CONTAINER_OF(t, struct scribe, sinks_due);
	sinks_flush(&s->sinks);
	timer_set(&s->loop, t, clock_now() + SINKS_MS);
}

/* ---- lines */

static void
bury_line(struct corpse *c)
{
	mem_free(CONTAINER_OF(c, struct scribe_line, corpse));
}

static void
stop_if_done(struct scribe *s)
{
	if (s->ending && list_empty(&s->lines))
		loop_stop(&s->loop);
}

static void
drop_line(struct scribe_line *line)
{
	list_leave(&line->of_scribe);
	loop_bury(&line->scribe->loop, &line->corpse);
}

static void
tell_line_ended(struct ipc_in *in)
{
	struct scribe_line *line = CONTAINER_OF(in, struct scribe_line, in);
	drop_line(line);
	stop_if_done(line->scribe);
}

static void
open_line(struct scribe *s, int fd)
{
	struct scribe_line *line = mem_alloc(sizeof(*line));
	line->scribe = s;
	line->corpse.bury = bury_line;
	line->in.came = tell_frame;
	line->in.ended = tell_line_ended;
	list_push(&s->lines, &line->of_scribe);
	ipc_in_open(&line->in, &s->loop, fd);
}

/* ---- life */

/* The next generation's scribe has the admin address; ours goes with the last worker.
 */
static void
end_with_last_line(struct scribe *s)
{
	s->ending = true;
	admin_close(&s->admin);
	stop_if_done(s);
}

static void
tell_word(struct leash *l, const struct leash_message *m)
{
	struct scribe *s = CONTAINER_OF(l, struct scribe, leash);
	if (m->word == LEASH_PEER && m->fd >= 0) {
		open_line(s, m->fd);
	} else if (m->word == LEASH_DRAIN) {
		end_with_last_line(s);
	} else if (m->word == LEASH_STOP) {
		loop_stop(&s->loop);
	}
}

static void
tell_orphaned(struct leash *l)
{
	end_with_last_line(CONTAINER_OF(l, struct scribe, leash));
}

/* SQLite's and the sinks' files. */
static const int file_calls[] = {
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(ftruncate),
	SCMP_SYS(fallocate),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
	SCMP_SYS(rename),
	SCMP_SYS(mkdir),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(stat),
	SCMP_SYS(lstat),
	SCMP_SYS(statfs),
	SCMP_SYS(fstatfs),
	SCMP_SYS(getcwd),
	SCMP_SYS(fchmod),
	SCMP_SYS(fchown),
	SCMP_SYS(open),
	SCMP_SYS(getdents64),
	SCMP_SYS(umask),
	SCMP_SYS(utimensat),
	SCMP_SYS(accept4),
	SCMP_SYS(dup2),
	SCMP_SYS(dup3),
};

/* The directory a file lies in, cut off in place. */
static const char *
cut_to_directory(char *path)
{
	char *slash = strrchr(path, '/');
	if (!slash)
		return ".";
	slash[slash == path] = '\0';
	return path;
}

static void
copy_path(char dst[PATH_BYTES], struct span path)
{
	if (!span_copy(dst, PATH_BYTES, path))
		dst[0] = '\0'; /* it did not open either */
}

static bool
narrow(const struct settings *set, struct err *err)
{
	char data[PATH_BYTES];
	char store[PATH_BYTES];
	char json[PATH_BYTES];
	const struct sandbox_calls calls = {file_calls, COUNT_OF(file_calls), false};

	copy_path(data, set->data);
	copy_path(store, set->events.store);
	copy_path(json, set->events.json);
	const struct sandbox_path paths[] = {
		{data, true},
		{store[0] ? cut_to_directory(store) : data, true},
		{json[0] == '/' ? cut_to_directory(json) : data, true},
		{"/dev/null", true},
		{"/dev/urandom", false},
		{"/etc/localtime", false},
	};
	return sandbox_files(paths, COUNT_OF(paths), err) && sandbox_calls(&calls, err);
}

static bool
open_outlets(struct scribe *s, const struct settings *set, struct err *err)
{
	char path[PATH_BYTES];
	const struct event_settings *e = &set->events;
	if (e->store.n > 0) {
		copy_path(path, e->store);
	} else {
		text_format(path, sizeof(path), "%.*s/events.db", SPAN_ARG(set->data));
	}
	const struct store_options options = {
		.path = path, .max_ms = e->keep_ms, .max_size = e->keep_bytes};
	if (!store_open(&options, &s->store, err))
		return false;
	if (e->json.n == 0)
		return true;
	bool out = span_eq(e->json, SPAN("-"));
	return sinks_open(&s->sinks, out ? SPAN("stdout") : SPAN("file"),
		out ? SPAN("") : e->json, err);
}

static bool
open_scribe(struct scribe *s, const struct duty *duty, struct err *err)
{
	list_init(&s->lines);
	sinks_init(&s->sinks);
	s->store_due.fired = tell_store_due;
	s->sinks_due.fired = tell_sinks_due;
	if (!loop_init(&s->loop, err) || !sandbox_become(duty->owner, err) ||
		!open_outlets(s, duty->settings, err) || !narrow(duty->settings, err))
		return false;
	admin_open(&s->admin, &s->loop, duty->admin_fd, duty->pages);
	timer_set(&s->loop, &s->store_due, clock_now());
	timer_set(&s->loop, &s->sinks_due, clock_now() + SINKS_MS);
	return true;
}

static void
close_scribe(struct scribe *s)
{
	LIST_EACH (l, &s->lines) {
		struct scribe_line *line =
			CONTAINER_OF(l, struct scribe_line, of_scribe);
		ipc_in_close(&line->in);
		drop_line(line);
	}
	admin_close(&s->admin);
	leash_close(&s->leash);
	loop_fini(&s->loop);
	sinks_fini(&s->sinks);
	store_close(s->store);
}

int
scribe_run(const struct duty *duty)
{
	struct err err = {0};
	struct scribe s = {0};

	if (!open_scribe(&s, duty, &err)) {
		leash_confess(duty->leash_fd, &err);
		return 1;
	}
	s.leash.came = tell_word;
	s.leash.ended = tell_orphaned;
	leash_open(&s.leash, &s.loop, duty->leash_fd);
	leash_say(&s.leash, LEASH_READY, -1);
	loop_run(&s.loop);
	close_scribe(&s);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * work: the duty of a worker: gate/worker.h in a process of its own, narrowed.
 *
 * All files it needs were read by the master or are read by worker_open(); afterwards
 * it reaches revocation lists, and what was fetched for verifying, alone. Its system
 * calls are sockets and memory, and what that shelf takes.
 */
#include <seccomp.h>

#include "base/log.h"
#include "base/mem.h"
#include "gate/worker.h"
#include "proc/child_priv.h"

struct work {
	struct worker *worker; /* owned; large for the stack */
	struct leash leash;
};

/* Only one per process, and the drained() callback knows the worker alone. */
static void
stop_drained(struct worker *w)
{
	log_info("worker.drained", "sessions=0");
	worker_stop(w);
}

static void
tell_word(struct leash *l, const struct leash_message *m)
{
	struct work *work = CONTAINER_OF(l, struct work, leash);
	if (m->word == LEASH_DRAIN) {
		worker_drain(work->worker);
	} else if (m->word == LEASH_STOP) {
		worker_stop(work->worker);
	}
}

static void
tell_orphaned(struct leash *l)
{
	struct work *work = CONTAINER_OF(l, struct work, leash);
	log_warn("worker.orphaned", "reason=\"the master is gone\"");
	worker_drain(work->worker);
}

enum { LISTS_MOST = 64 }; /* of revocation, over all edges */

/* The directory of a path, as a C string for the caller to free. */
static char *
directory_of(struct span path)
{
	size_t slash = span_rchr(path, '/');

	if (slash == path.n)
		return mem_cstr(SPAN("."));
	return mem_cstr(slash == 0 ? SPAN("/") : span_first(path, slash));
}

static size_t
add_lists(const struct site_clients *c, struct sandbox_path *paths, size_t n)
{
	for (const struct conf_item *l = c->crls; l && n < LISTS_MOST; l = l->next) {
		const struct site_path *p = (const struct site_path *)(const void *)l;
		paths[n++].path = directory_of(p->path);
	}
	return n;
}

/* The directories of OCSP answers that somebody keeps fresh; usually it is one. */
static size_t
add_staples(const struct site *site, struct sandbox_path *paths, size_t n)
{
	for (const struct conf_item *it = site->certificates; it; it = it->next) {
		const struct site_certificate *c =
			(const struct site_certificate *)(const void *)it;
		if (c->staple.n == 0 || n == LISTS_MOST)
			continue;
		char *dir = directory_of(c->staple);
		if (n > 0 && span_eq(span_str(dir), span_str(paths[n - 1].path))) {
			mem_free(dir);
		} else {
			paths[n++].path = dir;
		}
	}
	return n;
}

/*
 * What a worker reads while it runs: revocation lists and OCSP answers, which are
 * replaced by renaming and so need their directories. Nothing else is in reach.
 */
static size_t
list_readable(const struct settings *s, struct sandbox_path *paths)
{
	size_t n = 0;

	for (const struct conf_item *it = s->edges; it; it = it->next) {
		const struct gateway *g = (const struct gateway *)(const void *)it;
		for (const struct conf_item *c = g->sites.clients; c; c = c->next) {
			n = add_lists(
				(const struct site_clients *)(const void *)c, paths, n);
		}
		for (const struct conf_item *c = g->sites.sites; c; c = c->next) {
			n = add_staples((const struct site *)(const void *)c, paths, n);
		}
	}
	return n;
}

/* Whether a key server is behind a Unix socket. */
static bool
asks_here(const struct settings *s)
{
	for (const struct conf_item *it = s->edges; it; it = it->next) {
		if (site_keys_are_here(
			    &((const struct gateway *)(const void *)it)->sites.keys))
			return true;
	}
	return site_keys_are_here(&s->tickets.keys);
}

/* What is fetched lies in one directory, as the user the worker has become. */
static size_t
open_shelf(struct work *work, const struct settings *s, struct sandbox_path *paths,
	size_t n)
{
	struct evidence *e = &work->worker->evidence;
	char *path = worker_shelf_path(s);

	if (!path)
		return n;
	evidence_open_shelf(e, path, worker_shelf_bytes(s));
	paths[n++] = (struct sandbox_path){.path = path, .writes = true};
	return n;
}

/* Of the shelf, beyond reading. */
static const int shelf_calls[] = {SCMP_SYS(renameat), SCMP_SYS(renameat2),
	SCMP_SYS(unlinkat), SCMP_SYS(getdents64)};

static bool
narrow(struct work *work, const struct duty *duty, struct err *err)
{
	const struct sandbox_calls calls = {.connects = true,
		.connects_here = asks_here(duty->settings),
		.calls = shelf_calls,
		.n = COUNT_OF(shelf_calls)};
	struct sandbox_path paths[LISTS_MOST + 1] = {0};
	size_t n = list_readable(duty->settings, paths);
	bool ok = sandbox_become(duty->owner, err);

	if (ok)
		n = open_shelf(work, duty->settings, paths, n);
	ok = ok && sandbox_files(paths, n, err) && sandbox_calls(&calls, err);

	for (size_t i = 0; i < n; i++) {
		mem_free((void *)(uintptr_t)paths[i]
				 .path); // NOLINT(performance-no-int-to-ptr)
	}
	return ok;
}

int
work_run(const struct duty *duty)
{
	struct err err = {0};
	struct work work = {.worker = mem_alloc(sizeof(*work.worker))};
	const struct worker_spec spec = {
		.settings = duty->settings,
		.index = duty->number,
		.listen_fds = duty->listen_fds,
		.n_listen_fds = duty->n_listen_fds,
		.vault_fd = duty->vault_fd,
		.event_fd = duty->event_fd,
		.key_metrics = duty->page ? &duty->page->keys : NULL,
	};
	if (!worker_open(work.worker, &spec, &err) || !narrow(&work, duty, &err)) {
		leash_confess(duty->leash_fd, &err);
		return 1;
	}
	work.worker->drained = stop_drained;
	work.leash.came = tell_word;
	work.leash.ended = tell_orphaned;
	leash_open(&work.leash, &work.worker->loop, duty->leash_fd);
	leash_say(&work.leash, LEASH_READY, -1);
	worker_run(work.worker);
	leash_close(&work.leash);
	worker_close(work.worker);
	mem_free(work.worker);
	return 0;
}

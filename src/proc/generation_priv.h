// SPDX-License-Identifier: Apache-2.0
/*
 * generation: the processes of one configuration: a vault and the workers. (The scribe
 * outlives them: post_priv.h.)
 *
 * It comes up in two steps (vault, then workers) and serves only when all of it is
 * ready; else it is taken back and nothing has happened. A worker that dies is
 * replaced. A vault that dies takes its lines to the workers with it, so the master
 * starts another generation of the same settings.
 */
#pragma once

#include "proc/child_priv.h"
#include "proc/ports_priv.h"
#include "proc/post_priv.h"

enum generation_state {
	GENERATION_VAULT,   /* the vault is starting */
	GENERATION_WORKERS, /* workers are starting */
	GENERATION_SERVES,
	GENERATION_DRAINS, /* told to end */
	GENERATION_FAILED, /* did not come up; its processes were killed */
};

struct generation;

/* A worker and when it is started again if it dies. */
struct generation_worker {
	struct child child;
	struct generation *generation;
	struct post_line events;
	struct timer again;
	unsigned back_off_ms;
};

/* What it needs from the master. All outlive it. */
struct generation_spec {
	struct loop *loop;
	struct pages *pages;
	const struct ports *ports;
	struct post *post;
	const struct settings *settings; /* until it drains */
	struct owner owner;
	unsigned number;
	size_t n_workers;
	/* It serves, or it failed with g->err. Called once. */
	void (*settled)(struct generation *g);
	/* The vault died while it served. */
	void (*broke)(struct generation *g);
	/* All its processes are gone; it may be freed. */
	void (*gone)(struct generation *g);
};

struct generation {
	struct list in; /* the master's */
	struct generation_spec spec;
	enum generation_state state;
	struct child vault;
	struct generation_worker *workers; /* owned, spec.n_workers */
	struct timer late;                 /* bounds starting, and draining */
	struct hook settle;
	bool told; /* settled() was called */
	struct corpse corpse;
	struct err err;
	uint64_t drain_ms; /* of its settings */
};

/* Starts the first processes; what comes of it is told by settled() and gone(). */
struct generation *generation_start(const struct generation_spec *spec);
void generation_free(struct generation *g);
/* No new work; processes end when theirs is done, and are killed after drain-timeout
 * and some. */
void generation_drain(struct generation *g);
/* Ends at once. */
void generation_stop(struct generation *g);
/* The process with this id has ended with this status; false when it is not ours. */
MUST_USE bool generation_reaped(struct generation *g, pid_t pid, int status);
const char *generation_state_name(enum generation_state state);

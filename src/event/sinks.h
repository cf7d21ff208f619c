// SPDX-License-Identifier: Apache-2.0
/*
 * sinks: where events go besides the store.
 *
 * To add one: event/sinks_x.c with a `const struct sink_kind`, and a line in sinks.c. A
 * sink must not block for long: it runs in the scribe, and what the scribe is late with
 * is lost and counted.
 */
#pragma once

#include "event/event.h"

struct sink;

struct sink_kind {
	const char *name; /* the word in the configuration */
	const char *help;
	/* target: what the configuration says behind the word; may be empty */
	struct sink *(*open)(struct span target, struct err *err);
	/* json: the event as one line without its LF; both live until the call returns
	 */
	void (*put)(struct sink *s, const struct event_view *e, struct span json);
	/* Once a second and at the end: hand on what is buffered. May be NULL. */
	void (*flush)(struct sink *s);
	void (*close)(struct sink *s);
};

/* Embedded in each sink's own struct. */
struct sink {
	const struct sink_kind *kind;
	struct sink *next;
};

struct sinks {
	struct sink *first;
	struct json_out *json; /* owned; made with the first sink */
};

void sinks_init(struct sinks *all);
/* Flushes and closes them. */
void sinks_fini(struct sinks *all);
/* Opens a sink by the configuration's words. */
MUST_USE bool sinks_open(
	struct sinks *all, struct span kind, struct span target, struct err *err);
/* Adds one that someone else made, e.g. the console's; closed with the others. */
void sinks_add(struct sinks *all, struct sink *s);
void sinks_put(struct sinks *all, const struct event_view *e);
void sinks_flush(struct sinks *all);

/* The table, for the manual and for checking: NULL past the last. */
const struct sink_kind *sinks_kind(size_t i);

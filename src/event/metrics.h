// SPDX-License-Identifier: Apache-2.0
/*
 * metrics: the counters of all processes as Prometheus text.
 */
#pragma once

#include "base/stats.h"
#include "base/text.h"

/* One process's page. */
struct metrics_page {
	const struct stats *stats;
	const char *process; /* "worker", "vault", "scribe", "master" */
	unsigned number;     /* of the worker; 0 elsewhere */
};

enum { METRICS_TEXT_MAX = 256 * 1024 };

/* Adds the text format 0.0.4: the processes there are, and each counter over all. */
void metrics_put(struct text *t, const struct metrics_page *pages, size_t n);

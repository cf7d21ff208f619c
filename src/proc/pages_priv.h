// SPDX-License-Identifier: Apache-2.0
/*
 * pages: the counters of all our processes, in memory they share.
 *
 * Mapped by the master before the first fork. Each process writes its own page and no
 * other; the master gives pages out and adds those of the dead to one of the past, so
 * that counters never go back.
 */
#pragma once

#include "base/stats.h"
#include "event/metrics.h"
#include "keyless/metrics.h"

enum { PAGES_MOST = 600 }; /* twice the most workers, and some */

struct page {
	struct stats stats;
	struct metrics keys; /* what a worker did for edges elsewhere */
	_Atomic bool used;
	unsigned number;
	char process[16];
};

struct pages {
	struct page page[PAGES_MOST];
	struct stats past;
	struct metrics past_keys;
};

/* For the life of the program. */
struct pages *pages_map(void);
/* A page of zeros for a process; NULL when all are taken. */
struct page *pages_take(struct pages *all, const char *process, unsigned number);
/* Its process is gone: counters go to the past, gauges vanish. NULL does nothing. */
void pages_give(struct pages *all, struct page *page);
/* Those in use, and the past, for metrics_put(). out has PAGES_MOST + 1 places. */
size_t pages_list(const struct pages *all, struct metrics_page *out);
/* What all key servers of all workers did, the dead ones included, for
 * metrics_write(). */
void pages_sum_keys(const struct pages *all, struct metrics *sum);

// SPDX-License-Identifier: Apache-2.0
/*
 * stats: counters that cost an add.
 *
 * Each process owns one page of counters in memory that the scribe can read; only the
 * owner writes. Names and meanings are in stats_list.h, from which /metrics and the
 * manual come.
 */
#pragma once

#include "base/attr.h"

enum stat_name {
#define STAT(name, id, kind, help) STAT_##name,
#include "base/stats_list.h"
#undef STAT
	STAT_COUNT
};

enum stat_kind { STAT_COUNTER, STAT_GAUGE };

struct stats {
	_Atomic uint64_t v[STAT_COUNT];
};

/* Counts go to this page from now on; before, and with NULL, into a page of the
 * process. */
void stats_bind(struct stats *page);
void stat_add(enum stat_name s, uint64_t n);
void stat_sub(enum stat_name s, uint64_t n);
void stat_set(enum stat_name s, uint64_t v);
/* This process's own value. */
uint64_t stat_get(enum stat_name s);

const char *stat_id(enum stat_name s);
const char *stat_help(enum stat_name s);
enum stat_kind stat_kind(enum stat_name s);

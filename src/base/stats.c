// SPDX-License-Identifier: Apache-2.0
#include "base/stats.h"

#include <stdatomic.h>

static struct stats own_page;
static struct stats *bound = &own_page;

static const struct {
	const char *id;
	enum stat_kind kind;
	const char *help;
} rows[STAT_COUNT] = {
#define STAT(name, id, kind, help) [STAT_##name] = {id, STAT_##kind, help},
#include "base/stats_list.h"
#undef STAT
};

void
stats_bind(struct stats *page)
{
	bound = page ? page : &own_page;
}

/* One writer per page: a plain load and store is enough, and costs no bus lock. */
static void
store(enum stat_name s, uint64_t v)
{
	atomic_store_explicit(&bound->v[s], v, memory_order_relaxed);
}

uint64_t
stat_get(enum stat_name s)
{
	return atomic_load_explicit(&bound->v[s], memory_order_relaxed);
}

void
stat_add(enum stat_name s, uint64_t n)
{
	store(s, stat_get(s) + n);
}

void
stat_sub(enum stat_name s, uint64_t n)
{
	store(s, stat_get(s) - n);
}

void
stat_set(enum stat_name s, uint64_t v)
{
	store(s, v);
}

const char *
stat_id(enum stat_name s)
{
	return rows[s].id;
}

const char *
stat_help(enum stat_name s)
{
	return rows[s].help;
}

enum stat_kind
stat_kind(enum stat_name s)
{
	return rows[s].kind;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * policy_pool: all patterns about one field answered in one pass.
 *
 * A hundred rules that match the path each against a pattern of its own would read the
 * path a hundred times. Patterns of rules that are always tried are built together, by
 * field; the first one asked in a decision answers for all.
 */
#include "base/mem.h"
#include "rule/policy_priv.h"
#include "rule/regex_priv.h"
#include "rule/tree_priv.h"

static bool
ask(struct eval_pools *asked, const struct test *t, struct span s)
{
	struct policy_pools *p = CONTAINER_OF(asked, struct policy_pools, ask);
	struct policy_pool *pool = &p->pools[t->pool - 1];
	if (pool->asked != p->turn) {
		regex_pool_scan(pool->patterns, s, pool->bits);
		pool->asked = p->turn;
	}
	return (pool->bits[t->pool_bit / 64] >> t->pool_bit % 64 & 1) != 0;
}

static size_t
pool_of(struct policy_pools *p, const struct field *f)
{
	for (size_t i = 0; i < p->n; i++) {
		if (p->pools[i].field == f)
			return i;
	}
	p->pools = mem_grow(p->pools, &p->cap, p->n + 1, sizeof(*p->pools));
	p->pools[p->n] = (struct policy_pool){.field = f, .patterns = regex_pool_new()};
	return p->n++;
}

void
policy_pools_add(struct policy_pools *p, struct rule_expr *e)
{
	p->ask.ask = ask;
	for (struct test *t = e->tests; t != NULL; t = t->previous) {
		if (t->op != TEST_MATCHES || t->path.field == NULL ||
			t->path.n_steps > 0)
			continue;
		size_t pool = pool_of(p, t->path.field);
		size_t bit = regex_pool_add(p->pools[pool].patterns, t->regex);
		if (bit == SIZE_MAX)
			continue;
		t->pool_bit = (unsigned)bit; /* at most a few thousand */
		t->pool = (unsigned)pool + 1;
	}
}

/* A pool that cannot be built is left: its bits are made by asking one by one. */
void
policy_pools_seal(struct policy_pools *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct policy_pool *pool = &p->pools[i];
		regex_pool_seal(pool->patterns);
		pool->bits = mem_array(
			regex_pool_words(pool->patterns) + 1, sizeof(uint64_t));
	}
}

void
policy_pools_free(struct policy_pools *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->n; i++) {
		regex_pool_free(p->pools[i].patterns);
		mem_free(p->pools[i].bits);
	}
	mem_free(p->pools);
	mem_free(p);
}

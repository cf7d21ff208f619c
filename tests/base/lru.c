// SPDX-License-Identifier: Apache-2.0
#include "base/lru.h"

#include "tests/test.h"

struct leaf {
	struct lru_item item;
	bool gone;
};

static void
mark_gone(struct lru_item *item)
{
	CONTAINER_OF(item, struct leaf, item)->gone = true;
}

static void
what_was_not_asked_for_longest_goes_first(void)
{
	struct lru l;
	struct leaf a = {0};
	struct leaf b = {0};
	struct leaf c = {0};
	lru_init(&l, 100, mark_gone);
	lru_add(&l, &a.item, SPAN("a"), 40);
	lru_add(&l, &b.item, SPAN("b"), 40);
	CHECK(lru_get(&l, SPAN("a")) == &a.item);
	lru_add(&l, &c.item, SPAN("c"), 40);
	CHECK(b.gone && !a.gone && !c.gone);
	CHECK(lru_get(&l, SPAN("b")) == NULL);
	CHECK_INT(l.used, 80);
	lru_fini(&l);
	CHECK(a.gone && c.gone);
}

static void
one_that_exceeds_the_budget_stands_alone(void)
{
	struct lru l;
	struct leaf a = {0};
	struct leaf b = {0};
	struct leaf c = {0};
	lru_init(&l, 100, mark_gone);
	lru_add(&l, &a.item, SPAN("a"), 60);
	lru_add(&l, &b.item, SPAN("b"), 1000);
	CHECK(a.gone && !b.gone);
	CHECK(lru_get(&l, SPAN("b")) == &b.item);
	lru_add(&l, &c.item, SPAN("c"), 1);
	CHECK(b.gone && !c.gone);
	lru_fini(&l);
}

static void
one_taken_out_is_not_called_evicted(void)
{
	struct lru l;
	struct leaf a = {0};
	lru_init(&l, 100, mark_gone);
	lru_add(&l, &a.item, SPAN("a"), 60);
	lru_remove(&l, &a.item);
	CHECK(!a.gone && lru_get(&l, SPAN("a")) == NULL && l.used == 0);
	lru_fini(&l);
	CHECK(!a.gone);
}

TESTS(what_was_not_asked_for_longest_goes_first,
	one_that_exceeds_the_budget_stands_alone, one_taken_out_is_not_called_evicted)

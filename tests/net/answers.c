// SPDX-License-Identifier: Apache-2.0
#include "net/answers_priv.h"

#include "base/clock.h"
#include "tests/test.h"

static const struct ip ips[2] = {
	{.family = IP_V4, .bytes = {192, 0, 2, 1}}, {.family = IP_V6, .bytes = {0x20}}};

static void
keep(struct answers *a, const char *name, size_t n, uint64_t expires_ms)
{
	const struct answer answer = {.ips = ips, .n = n, .expires_ms = expires_ms};
	answers_keep(a, span_str(name), &answer);
}

static void
an_answer_is_found_until_it_expires(void)
{
	struct answers a;
	struct answer got;
	clock_fake(1000, 0);
	answers_init(&a, 10000);
	keep(&a, "a.example", 2, 1010);
	CHECK(answers_find(&a, SPAN("a.example"), &got));
	CHECK(got.n == 2 && ip_eq(&got.ips[1], &ips[1]) && got.ips != ips);
	clock_fake(1010, 0);
	CHECK(!answers_find(&a, SPAN("a.example"), &got));
	CHECK_INT(a.lru.used, 0);
	answers_fini(&a);
	clock_real();
}

static void
a_new_answer_replaces_the_old(void)
{
	struct answers a;
	struct answer got;
	answers_init(&a, 10000);
	keep(&a, "a.example", 2, UINT64_MAX);
	size_t used = a.lru.used;
	keep(&a, "a.example", 0, UINT64_MAX);
	CHECK(answers_find(&a, SPAN("a.example"), &got) && got.n == 0);
	CHECK(a.lru.used < used);
	answers_fini(&a);
}

static void
the_budget_evicts_what_was_not_asked_for_longest(void)
{
	struct answers a;
	struct answer got;
	answers_init(&a, 500);
	keep(&a, "a", 1, UINT64_MAX);
	keep(&a, "b", 1, UINT64_MAX);
	CHECK(answers_find(&a, SPAN("a"), &got));
	for (char name[2] = "c"; a.lru.map.n == (size_t)(name[0] - 'a'); name[0]++)
		keep(&a, name, 1, UINT64_MAX);
	CHECK(a.lru.used <= 500);
	CHECK(answers_find(&a, SPAN("a"), &got) && !answers_find(&a, SPAN("b"), &got));
	answers_fini(&a);
}

static void
a_flush_forgets_all_and_goes_on(void)
{
	struct answers a;
	struct answer got;
	answers_init(&a, 1000);
	keep(&a, "a", 1, UINT64_MAX);
	answers_flush(&a);
	CHECK(!answers_find(&a, SPAN("a"), &got));
	keep(&a, "a", 1, UINT64_MAX);
	CHECK(answers_find(&a, SPAN("a"), &got));
	answers_fini(&a);
}

TESTS(an_answer_is_found_until_it_expires, a_new_answer_replaces_the_old,
	the_budget_evicts_what_was_not_asked_for_longest,
	a_flush_forgets_all_and_goes_on)

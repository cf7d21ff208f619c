// SPDX-License-Identifier: Apache-2.0
/*
 * Which origin gets a request: many choices over made-up origins, without a connection.
 */
#include "gate/edge_balance.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "gate/session.h"
#include "gate/worker.h"
#include "tests/test.h"

enum { MOST = 10, KEYS = 2000 };

static struct {
	struct worker w;
	struct settings settings;
	struct gateway g;
	struct worker_gateway wg;
	struct edge e;
	struct site site;
	struct site_origin origins[MOST];
	struct site_origin *at[MOST];
	char urls[MOST][32];
	struct session s;
} here;

/* So many origins, all of weight 1. */
static void
open_here(size_t n, enum site_balance_how how)
{
	struct err err = {0};

	memset(&here, 0, sizeof(here));
	clock_fake(1000000, 1000000);
	CHECK_OK(loop_init(&here.w.loop, &err), &err);
	here.w.settings = &here.settings;
	here.settings.n_origins = n;
	here.g.sites.sites = &here.site.item;
	here.e.w = &here.w;
	here.e.g = &here.g;
	here.wg.edge = &here.e;
	here.site.at = here.at;
	here.site.n_origins = n;
	here.site.balance = (struct site_balance){.how = (int)how,
		.fails = 3,
		.down_ms = 10000,
		.retries = 2,
		.budget = 20};
	for (size_t i = 0; i < n; i++) {
		text_format(
			here.urls[i], sizeof(here.urls[i]), "http://10.0.0.%zu:80", i);
		here.origins[i] = (struct site_origin){.url = span_str(here.urls[i]),
			.host = SPAN("10.0.0.0"),
			.port = 80,
			.weight = 1,
			.index = i};
		here.at[i] = &here.origins[i];
	}
	here.s.w = &here.w;
	here.s.g = &here.g;
	here.s.wg = &here.wg;
	here.s.x = &here.s.exchange;
	exchange_init(here.s.x, true);
	here.s.x->site = &here.site;
	edge_balance_open(&here.e);
}

static void
close_here(void)
{
	edge_unload(here.s.x);
	edge_balance_close(&here.e);
	arena_fini(&here.s.exchange.arena);
	loop_fini(&here.w.loop);
	clock_real();
}

/* The index of the chosen one, or -1. Another exchange would be asked next: what was
 * chosen stays busy when `stays`. */
static int
choose(bool stays)
{
	const struct site_origin *o = edge_choose(&here.s);

	if (stays)
		here.s.x->load = NULL;
	return o ? (int)o->index : -1;
}

static int
choose_for(int key)
{
	char path[32];

	text_format(path, sizeof(path), "/thing/%d", key);
	here.s.x->request.path = span_str(path);
	int i = choose(false);
	edge_unload(here.s.x);
	return i;
}

static uint32_t
busy(size_t i)
{
	return here.e.origins[i].busy;
}

static void
the_less_busy_of_two_keeps_all_equally_busy(void)
{
	open_here(MOST, BALANCE_LEAST);
	for (int i = 0; i < 1000; i++)
		CHECK(choose(true) >= 0);
	for (size_t i = 0; i < MOST; i++)
		CHECK(busy(i) >= 92 && busy(i) <= 108);
	close_here();
}

static void
who_is_much_busier_is_hardly_chosen(void)
{
	int chosen = 0;

	open_here(4, BALANCE_LEAST);
	here.e.origins[0].busy = 1000;
	for (int i = 0; i < 400; i++)
		chosen += choose(true) == 0;
	CHECK(chosen < 60); /* only when both picks are it: a sixteenth */
	close_here();
}

static void
weights_are_shares_of_what_goes_on_at_once(void)
{
	open_here(2, BALANCE_LEAST);
	here.origins[0].weight = 3;
	for (int i = 0; i < 1000; i++)
		CHECK(choose(true) >= 0);
	CHECK(busy(0) >= 730 && busy(0) <= 770);
	close_here();
}

static void
turns_are_spread_smoothly(void)
{
	static const int want[] = {0, 0, 1, 0, 2, 0, 0};

	open_here(3, BALANCE_TURNS);
	here.origins[0].weight = 5;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < COUNT_OF(want); i++)
			CHECK_INT(choose(false), want[i]);
	}
	close_here();
}

static void
a_url_moves_only_when_its_own_origin_goes(void)
{
	static int first[KEYS];
	int shares[5] = {0};
	int moved = 0;

	open_here(5, BALANCE_PATH);
	for (int k = 0; k < KEYS; k++)
		shares[first[k] = choose_for(k)]++;
	for (int i = 0; i < 5; i++)
		CHECK(shares[i] > 340 && shares[i] < 460); /* of 400 */
	here.e.origins[2].down_until_ms = clock_now() + 1000;
	for (int k = 0; k < KEYS; k++) {
		int now = choose_for(k);
		CHECK(now != 2 && (now == first[k] || first[k] == 2));
		moved += now != first[k];
	}
	CHECK_INT(moved, shares[2]);
	here.e.origins[2].down_until_ms = 0;
	for (int k = 0; k < KEYS; k++)
		CHECK_INT(choose_for(k), first[k]);
	close_here();
}

static void
a_new_origin_takes_its_share_and_moves_nothing_else(void)
{
	static int first[KEYS];
	int moved = 0;

	open_here(4, BALANCE_PATH);
	for (int k = 0; k < KEYS; k++)
		first[k] = choose_for(k);
	close_here();
	open_here(5, BALANCE_PATH);
	for (int k = 0; k < KEYS; k++) {
		int now = choose_for(k);
		CHECK(now == first[k] || now == 4);
		moved += now != first[k];
	}
	CHECK(moved > 340 && moved < 460); /* a fifth */
	close_here();
}

static void
weights_are_shares_of_urls(void)
{
	int heavy = 0;

	open_here(2, BALANCE_PATH);
	here.origins[1].weight = 3;
	for (int k = 0; k < KEYS; k++)
		heavy += choose_for(k) == 1;
	CHECK(heavy > 1420 && heavy < 1580); /* three of four */
	close_here();
}

static void
a_client_is_known_by_its_address_alone(void)
{
	int used[5] = {0};

	open_here(5, BALANCE_CLIENT);
	for (int i = 0; i < 250; i++) {
		here.s.facts.client = (struct addr){
			.ip = {.family = IP_V4, .bytes = {192, 0, 2, (uint8_t)i}}};
		here.s.facts.client.port = (uint16_t)i;
		int chosen = choose_for(i);
		here.s.facts.client.port = 4711;
		CHECK_INT(choose_for(i + 1), chosen);
		used[chosen]++;
	}
	for (int i = 0; i < 5; i++)
		CHECK(used[i] > 20);
	close_here();
}

static void
the_spare_one_is_last_and_the_ill_are_better_than_none(void)
{
	open_here(3, BALANCE_TURNS);
	here.origins[2].weight = 0;
	for (int i = 0; i < 20; i++)
		CHECK(choose(false) != 2);
	here.e.origins[0].sick = true;
	here.e.origins[1].down_until_ms = clock_now() + 1000;
	for (int i = 0; i < 20; i++)
		CHECK_INT(choose(false), 2);
	here.e.origins[2].sick = true;
	CHECK(choose(false) >= 0);
	clock_fake(1002000, 1002000);
	for (int i = 0; i < 20; i++)
		CHECK_INT(choose(false), 1);
	close_here();
}

static void
who_has_as_much_as_it_may_gets_no_more(void)
{
	open_here(2, BALANCE_LEAST);
	here.site.balance.limit = 3;
	for (int i = 0; i < 6; i++)
		CHECK(choose(true) >= 0);
	CHECK(busy(0) == 3 && busy(1) == 3);
	CHECK_INT(choose(true), -1);
	here.s.x->load = &here.e.origins[1];
	edge_unload(here.s.x);
	CHECK_INT(choose(true), 1);
	close_here();
}

static void
only_failures_in_a_row_take_an_origin_out(void)
{
	open_here(2, BALANCE_TURNS);
	struct edge_origin *o = &here.e.origins[0];
	here.s.x->load = o;
	edge_answered(&here.s, 503);
	edge_answered(&here.s, 502);
	edge_answered(&here.s, 500); /* it answers: that is the application's */
	edge_failed(&here.s);
	edge_failed(&here.s);
	CHECK(o->down_until_ms == 0);
	edge_answered(&here.s, 504);
	CHECK(o->down_until_ms == clock_now() + 10000);
	here.s.x->load = NULL;
	for (int i = 0; i < 10; i++)
		CHECK_INT(choose(false), 1);
	clock_fake(1010001, 1010001);
	bool back = false;
	for (int i = 0; i < 10; i++)
		back = choose(false) == 0 || back;
	CHECK(back);
	close_here();
}

static void
retries_are_paid_for_by_requests(void)
{
	int sent = 0;

	open_here(2, BALANCE_TURNS);
	CHECK(choose(false) >= 0);
	here.s.x->site_origin = here.at[0];
	for (bool more = true; more && sent < 1000; sent += more) {
		here.s.x->tried = 0;
		more = edge_retry(&here.s);
	}
	CHECK(sent < 1000); /* what was saved up is spent */
	for (int i = 0; i < 100; i++)
		edge_earn(&here.e, &here.site);
	sent = 0;
	for (bool more = true; more && sent < 1000; sent += more) {
		here.s.x->tried = 0;
		more = edge_retry(&here.s);
	}
	CHECK_INT(sent, 20); /* of a hundred, by a budget of 20 % */
	for (int i = 0; i < 100; i++)
		edge_earn(&here.e, &here.site);
	here.s.x->tried = 2;
	CHECK(!edge_retry(&here.s)); /* not this one again */
	close_here();
}

TESTS(the_less_busy_of_two_keeps_all_equally_busy, who_is_much_busier_is_hardly_chosen,
	weights_are_shares_of_what_goes_on_at_once, turns_are_spread_smoothly,
	a_url_moves_only_when_its_own_origin_goes,
	a_new_origin_takes_its_share_and_moves_nothing_else, weights_are_shares_of_urls,
	a_client_is_known_by_its_address_alone,
	the_spare_one_is_last_and_the_ill_are_better_than_none,
	who_has_as_much_as_it_may_gets_no_more,
	only_failures_in_a_row_take_an_origin_out, retries_are_paid_for_by_requests)

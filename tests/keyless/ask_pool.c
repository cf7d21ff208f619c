// SPDX-License-Identifier: Apache-2.0
#include "keyless/ask_pool.h"

#include "base/mem.h"
#include "tests/keyless/tunnel.h"

static struct host hosts[2];

static struct ask_pool *
pool_to_hosts(size_t n, uint32_t timeout_ms)
{
	struct ask_pool_server servers[2];

	for (size_t i = 0; i < n; i++)
		servers[i] = (struct ask_pool_server){.host = SPAN("127.0.0.1"),
			.port = hosts[i].at.port,
			.name = SPAN("keys.test")};
	return ask_pool_new(&(struct ask_pool_spec){.loop = &party.loop,
		.resolver = party.resolver,
		.profile = party.client_side,
		.identity = party.client_id,
		.trust = party.trust,
		.servers = servers,
		.n_servers = n,
		.timeout_ms = timeout_ms});
}

static void
open_both(void)
{
	party_open();
	for (size_t i = 0; i < 2; i++) {
		hosts[i] = (struct host){0};
		host_open(&hosts[i], NULL, 0);
	}
}

static void
close_both(struct ask_pool *p)
{
	ask_pool_free(p);
	host_close(&hosts[0]);
	host_close(&hosts[1]);
	party_close();
}

static void
wait_for(const struct ask_pool *p, size_t i, enum ask_server_state state)
{
	struct ask_server_view v;

	for (int turns = 0; turns < 4000; turns++) {
		ask_pool_look(p, i, &v);
		if (v.state == state)
			return;
		loop_turn(&party.loop, 5);
	}
	CHECK(false);
}

/* A server that takes requests and never answers them. */
static struct answer_call *kept[20000];
static size_t n_kept;

static void
keep_call(struct answer_call *c)
{
	kept[n_kept++] = c;
}

static void
refuse_kept(void)
{
	while (n_kept > 0)
		answer_refuse(kept[--n_kept], WIRE_INTERNAL);
}

static void
a_restart_under_load_fails_nobody_when_there_are_two(void)
{
	enum { N = 600 };
	static struct asker a[N];

	open_both();
	struct ask_pool *p = pool_to_hosts(2, 3000);
	wait_for(p, 0, ASK_SERVER_UP);
	wait_for(p, 1, ASK_SERVER_UP);
	for (size_t i = 0; i < N; i++) {
		ask_for(p, &a[i], "ec");
		if (i % 16 == 0)
			loop_turn(&party.loop, 0);
		if (i == N / 3)
			host_close(&hosts[0]);
		if (i == N / 2)
			host_open(&hosts[0], NULL, 0);
	}
	turn_until_all(a, N);
	for (size_t i = 0; i < N; i++) {
		if (!a[i].ask.ok)
			fail_msg("%zu: %s", i, a[i].ask.err.text);
		CHECK_INT(a[i].done, 1);
	}
	wait_for(p, 0, ASK_SERVER_UP); /* it came back */
	close_both(p);
}

static void
a_slow_server_is_overtaken_and_then_left_alone(void)
{
	enum { N = 60 };
	static struct asker a[N];
	struct ask_server_view v;

	open_both();
	struct ask_pool *p = pool_to_hosts(2, 3000);
	wait_for(p, 0, ASK_SERVER_UP);
	wait_for(p, 1, ASK_SERVER_UP);
	hosts[0].server.desk.door.pass_on = keep_call;
	uint64_t start = clock_now();
	for (size_t i = 0; i < N; i++) {
		a[i] = (struct asker){0};
		ask_for(p, &a[i], "ec");
		if (i % 6 == 5)
			turn_until_all(&a[i - 5], 6);
	}
	for (size_t i = 0; i < N; i++)
		CHECK(a[i].ask.ok);
	ask_pool_look(p, 1, &v);
	CHECK(v.hedges > 0);
	CHECK(clock_now() - start < 20000);
	refuse_kept();
	close_both(p);
}

static void
as_many_as_may_wait_on_a_silent_server_and_time_out(void)
{
	enum { N = 16384 }; /* as many as wait unless it is said otherwise */
	struct asker *a = mem_array(N, sizeof(*a));
	struct err err = {0};
	static struct asker more;

	open_both();
	struct ask_pool *p = pool_to_hosts(1, 60000);
	wait_for(p, 0, ASK_SERVER_UP);
	hosts[0].server.desk.door.pass_on = keep_call;
	for (size_t i = 0; i < N; i++)
		ask_for(p, &a[i], "ec");
	more.ask.want = a[0].ask.want;
	more.ask.done = count_done;
	CHECK(!ask_pool_send(p, &more.ask, &err));
	CHECK_INT(err.code, ERR_KEYLESS_BUSY);
	for (size_t i = 0; i < N; i += 2)
		ask_cancel(&a[i].ask);
	clock_fake(clock_now() + 60001, clock_wall_ms());
	for (int turns = 0; turns < 1000 && !a[N - 1].done; turns++)
		loop_turn(&party.loop, 0);
	clock_real();
	for (size_t i = 0; i < N; i++) {
		CHECK_INT(a[i].done, i % 2);
		if (i % 2)
			CHECK_INT(a[i].ask.err.code, ERR_KEYLESS_LATE);
	}
	refuse_kept();
	close_both(p);
	mem_free(a);
}

static void
without_any_server_asks_fail_with_the_reason(void)
{
	static struct asker a;
	struct err err = {0};

	open_both();
	host_close(&hosts[0]);
	struct ask_pool *p = pool_to_hosts(1, 60000);
	a = (struct asker){0};
	ask_for(p, &a, "ec"); /* hopes at first */
	turn_until_all(&a, 1);
	CHECK(!a.ask.ok);
	CHECK_INT(a.ask.err.code, ERR_KEYLESS_NO_SERVER);
	a = (struct asker){.ask = {.want = a.ask.want, .done = count_done}};
	CHECK(!ask_pool_send(p, &a.ask, &err)); /* then knows */
	CHECK_INT(err.code, ERR_KEYLESS_NO_SERVER);
	close_both(p);
}

static void
a_refusal_is_final_and_busy_is_tried_elsewhere(void)
{
	static struct asker a;

	open_both();
	struct ask_pool *p = pool_to_hosts(2, 2000);
	wait_for(p, 0, ASK_SERVER_UP);
	wait_for(p, 1, ASK_SERVER_UP);
	a = (struct asker){0};
	ask_for(p, &a, "none");
	turn_until_all(&a, 1);
	CHECK_INT(a.ask.refusal, WIRE_NO_KEY);
	hosts[0].server.desk.door.line_max = 0; /* always full */
	static struct asker many[20];
	for (size_t i = 0; i < COUNT_OF(many); i++)
		ask_for(p, &many[i], "ec");
	turn_until_all(many, COUNT_OF(many));
	for (size_t i = 0; i < COUNT_OF(many); i++)
		CHECK(many[i].ask.ok);
	CHECK(hosts[0].server.metrics->results[WIRE_KEY_EC][WIRE_INTERNAL] > 0);
	close_both(p);
}

TESTS(a_restart_under_load_fails_nobody_when_there_are_two,
	a_slow_server_is_overtaken_and_then_left_alone,
	as_many_as_may_wait_on_a_silent_server_and_time_out,
	without_any_server_asks_fail_with_the_reason,
	a_refusal_is_final_and_busy_is_tried_elsewhere)

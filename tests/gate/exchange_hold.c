// SPDX-License-Identifier: Apache-2.0
#include "gate/exchange_priv.h"
#include "gate/worker.h"
#include "tests/test.h"

static struct worker worker;
static struct site site = {.balance.held_bytes = 100};

/* A request of fifty octets, of which ten came; whether more are waited for. */
static bool
holds(struct session *s, struct exchange *x)
{
	*s = (struct session){.w = &worker, .x = x};
	exchange_init(x, false);
	x->site = &site;
	buf_init(&s->client.io.in, 4096);
	CHECK(buf_put(&s->client.io.in,
		SPAN("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n"
		     "0123456789")));
	CHECK_INT(exchange_read_head(s), H1_HEAD);
	x->state = EXCHANGE_REACHING;
	exchange_hold_begin(s);
	return x->holding && exchange_hold_waits(s);
}

static void
leave(struct session *s)
{
	exchange_fini(s->x);
	buf_fini(&s->client.io.in);
}

static void
what_is_held_counts_for_the_worker_until_its_exchange_ends(void)
{
	static struct session s[3];
	static struct exchange x[COUNT_OF(s)];

	for (size_t i = 0; i < COUNT_OF(s); i++) {
		CHECK(holds(&s[i], &x[i]));
		CHECK_INT(worker.held, 10 * (i + 1));
	}
	for (size_t i = 0; i < COUNT_OF(s); i++) {
		leave(&s[i]);
		CHECK_INT(worker.held, 10 * (COUNT_OF(s) - i - 1));
	}
}

/* Then bodies pass as they come, which costs nothing. */
static void
nothing_is_held_where_there_is_no_room(void)
{
	static struct session s;
	static struct exchange x;

	worker.held = EXCHANGE_HELD_MOST;
	CHECK(!holds(&s, &x));
	leave(&s);
	CHECK_INT(worker.held, EXCHANGE_HELD_MOST);
	worker.held = EXCHANGE_HELD_MOST - 10; /* just enough */
	CHECK(holds(&s, &x));
	CHECK_INT(worker.held, EXCHANGE_HELD_MOST);
	leave(&s);
	CHECK_INT(worker.held, EXCHANGE_HELD_MOST - 10);
	worker.held = 0;
}

TESTS(what_is_held_counts_for_the_worker_until_its_exchange_ends,
	nothing_is_held_where_there_is_no_room)

// SPDX-License-Identifier: Apache-2.0
#include <sys/mman.h>

#include "base/poison.h"
#include "tests/http/h2_pair.h"

static const struct http_body none;

static bool
is_there(void *page)
{
	unsigned char state = 0;

	CHECK_INT(mincore(page, 4096, &state), 0);
	return state & 1;
}

/* One request and its answer. */
static void
talk(struct h2_pair *p)
{
	struct h2_user user;
	struct http_head *head;
	struct span body;
	struct h2_stream *c = h2_pair_ask(p, &user, HTTP_GET, "/", none);

	h2_pair_run(p);
	struct h2_stream *s = h2_pair_meet(p);
	CHECK_INT(h2_pair_answer(p, s, 204, none), H2_WROTE);
	h2_release(s);
	h2_pair_run(p);
	CHECK(h2_ready(&p->client) == c);
	CHECK_INT(h2_pair_step(c, &head, &body), H2_HEAD);
	CHECK_INT(head->status, 204);
	h2_release(c);
	h2_pair_run(p);
}

static void
a_rested_connection_holds_no_pages_and_goes_on(void)
{
	struct h2_pair p;

	h2_pair_open(&p);
	talk(&p);
	CHECK(p.server.frame && is_there(p.server.frame));
	CHECK(p.server.table && is_there(p.server.table));
	h2_rest(&p.server);
	h2_rest(&p.client);
	CHECK(!is_there(p.server.frame) && !is_there(p.client.frame));
	CHECK(!is_there(p.server.table) && !is_there(p.client.table));
	talk(&p);
	h2_pair_close(&p);
}

static void
a_table_with_a_stream_in_it_stays(void)
{
	struct h2_pair p;
	struct h2_user user;

	h2_pair_open(&p);
	talk(&p);
	struct h2_stream *c = h2_pair_ask(&p, &user, HTTP_GET, "/waits", none);
	h2_pair_run(&p);
	h2_rest(&p.server);
	h2_rest(&p.client);
	CHECK(is_there(p.server.table) && is_there(p.client.table));
	struct h2_stream *s = h2_pair_meet(&p);
	CHECK_INT(h2_pair_answer(&p, s, 204, none), H2_WROTE);
	h2_release(s);
	h2_pair_run(&p);
	CHECK(h2_ready(&p.client) == c);
	h2_release(c);
	h2_pair_close(&p);
}

static void
a_table_that_grew_is_left_alone(void)
{
	enum { MANY = 400 };
	static struct h2_user users[MANY];
	struct h2_config client;
	struct h2_config server;
	struct h2_pair p;

	h2_config_init(&client, H2_CLIENT);
	h2_config_init(&server, H2_SERVER);
	client.streams = server.streams = MANY;
	h2_pair_open_with(&p, &client, &server);
	h2_pair_run(&p); /* the server's settings */
	for (size_t i = 0; i < MANY; i++)
		(void)h2_pair_ask(&p, &users[i], HTTP_GET, "/", none);
	h2_pair_run(&p);
	CHECK_INT(h2_open_streams(&p.server), MANY);
	h2_rest(&p.server);
	h2_rest(&p.client);
	for (size_t i = 0; i < MANY; i++)
		h2_release(users[i].stream);
	h2_pair_run(&p);
	CHECK_INT(h2_open_streams(&p.client), 0);
	h2_rest(&p.client);
	h2_pair_close(&p);
}

static void
places_are_used_again_and_blank(void)
{
	struct h2_pair p;

	for (int i = 0; i < 3; i++) {
		h2_pair_open(&p);
		talk(&p);
		h2_pair_close(&p);
	}
}

/* Nobody may touch a place that was given back, and the sanitizer knows it. */
static void
a_place_given_back_is_nobodys(void)
{
	struct h2_pair p;

	h2_pair_open(&p);
	talk(&p);
	const uint8_t *frame = p.server.frame;
	const uint8_t *table = p.server.table;
	CHECK(!is_poisoned(frame + 100) && !is_poisoned(table + 100));
	h2_pair_close(&p);
	CHECK_INT(is_poisoned(frame + 100), POISON_WORKS);
	CHECK_INT(is_poisoned(table + 4095), POISON_WORKS);
	h2_pair_open(&p);
	talk(&p);
	h2_pair_close(&p);
}

TESTS(a_place_given_back_is_nobodys, a_rested_connection_holds_no_pages_and_goes_on,
	a_table_with_a_stream_in_it_stays, a_table_that_grew_is_left_alone,
	places_are_used_again_and_blank)

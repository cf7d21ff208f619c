// SPDX-License-Identifier: Apache-2.0
/*
 * Who gets a share of a connection, and when: lanes of a session that only counts, real
 * connections of HTTP/2 on socket pairs.
 */
#include "gate/trunk.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gate/session.h"
#include "gate/worker.h"
#include "tests/test.h"

enum { LANES = 5, PEERS = 2 };

struct peer {
	struct side side;
	struct h2 h2;
};

static struct {
	struct worker w;
	struct gateway g;
	struct target to;
	struct session s;
	struct lane lanes[LANES];
	struct peer peers[PEERS];
	size_t n_peers;
	struct arena arena;
} here;

static void
open_here(void)
{
	struct err err = {0};
	memset(&here, 0, sizeof(here));
	CHECK_OK(loop_init(&here.w.loop, &err), &err);
	trunks_init(&here.w.trunks);
	versions_init(&here.w.versions);
	arena_init(&here.arena, 65536);
	here.g.upstream.reuse = true;
	here.g.upstream.idle_ms = 60000;
	here.to = (struct target){.g = &here.g,
		.host = SPAN("a.test"),
		.port = 80,
		.alpn = SPAN("\x02h2")};
	here.s.w = &here.w;
	here.s.over = true; /* wakes nobody: the test asks by itself */
	for (size_t i = 0; i < LANES; i++)
		lane_init(&here.lanes[i], &here.s);
}

static void
close_here(void)
{
	for (size_t i = 0; i < LANES; i++)
		lane_leave(&here.lanes[i]);
	trunks_fini(&here.w);
	versions_fini(&here.w.versions);
	for (size_t i = 0; i < here.n_peers; i++) {
		h2_fini(&here.peers[i].h2);
		side_close(&here.peers[i].side, false);
	}
	loop_turn(&here.w.loop, 0); /* buries */
	loop_fini(&here.w.loop);
	arena_fini(&here.arena);
}

static void
peer_moved(struct io *io)
{
	struct peer *p = CONTAINER_OF(io, struct peer, side.io);
	struct err err = {0};
	(void)!h2_read(&p->h2, side_in(&p->side), &err);
	h2_flush(&p->h2);
	side_push(&p->side);
}

static void
turn(void)
{
	for (int i = 0; i < 10; i++)
		loop_turn(&here.w.loop, 1);
}

static enum trunk_turn
join(size_t i)
{
	struct err err = {0};
	return trunk_join(&here.lanes[i], &here.to, &err);
}

/* The lane's connection is there; the origin at its other end takes so many streams. */
static struct peer *
arrive(size_t i, uint32_t streams)
{
	int fds[2];
	struct h2_config config;
	struct lane *lane = &here.lanes[i];
	struct peer *p = &here.peers[here.n_peers++];
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	side_open(&p->side, &here.w.loop, fds[1], peer_moved);
	h2_config_init(&config, H2_SERVER);
	config.streams = streams;
	h2_init(&p->h2, &config, side_out(&p->side));
	lane->up = upstream_new(&here.w, &here.to, fds[0]);
	upstream_begin(lane->up);
	trunk_arrived(lane, &here.to);
	return p;
}

static void
ask(size_t i)
{
	struct http_head head;
	struct err err = {0};
	struct lane *lane = &here.lanes[i];
	http_request_make(&head, &here.arena, HTTP_GET, SPAN("a.test"), SPAN("/"));
	CHECK_OK(h2_request(lane->up->h2, &head, &lane->user, &err) != NULL, &err);
	trunk_touch(lane->up->trunk);
}

/* The origin answers what it was asked next, and who asked is done. */
static void
answer(struct peer *p, size_t i)
{
	struct http_head head;
	struct http_head *got = NULL;
	struct span body;
	struct err err = {0};
	struct h2_stream *x = h2_ready(&p->h2);
	CHECK(x != NULL);
	CHECK_INT(h2_step(x, &got, &body, &err), H2_HEAD);
	http_response_make(&head, &here.arena, 204);
	CHECK_INT(h2_write_head(x, &head, &err), H2_WROTE);
	h2_release(x);
	h2_flush(&p->h2);
	side_push(&p->side);
	turn();
	lane_drop(&here.lanes[i]);
	turn();
}

/* RFC 9113 §5.1.2: more streams than the origin takes would be refused. */
static void
nobody_joins_before_the_origin_has_said_how_many(void)
{
	open_here();
	CHECK_INT(join(0), TRUNK_NONE);
	CHECK_INT(join(1), TRUNK_WAIT);
	(void)arrive(0, 100);
	ask(0);
	CHECK_INT(join(1), TRUNK_WAIT);
	CHECK_INT(join(2), TRUNK_WAIT);
	turn();
	CHECK_INT(join(2), TRUNK_JOINED);
	CHECK_INT(join(1), TRUNK_JOINED);
	close_here();
}

static void
a_full_connection_has_one_reach_for_another(void)
{
	open_here();
	CHECK_INT(join(0), TRUNK_NONE);
	(void)arrive(0, 1);
	ask(0);
	for (size_t i = 1; i < 4; i++)
		CHECK_INT(join(i), TRUNK_WAIT);
	turn();
	CHECK_INT(join(2), TRUNK_WAIT);
	CHECK_INT(join(1), TRUNK_NONE);
	CHECK_INT(join(3), TRUNK_WAIT);
	(void)arrive(1, 100);
	ask(1);
	turn();
	CHECK_INT(join(2), TRUNK_JOINED);
	CHECK_INT(join(3), TRUNK_JOINED);
	close_here();
}

/* Without that the others would sleep until the connection has news of another kind. */
static void
who_dies_when_its_turn_comes_passes_it_on(void)
{
	open_here();
	CHECK_INT(join(0), TRUNK_NONE);
	struct peer *p = arrive(0, 1);
	ask(0);
	turn();
	CHECK_INT(join(1), TRUNK_NONE); /* and never arrives */
	for (size_t i = 2; i < 5; i++)
		CHECK_INT(join(i), TRUNK_WAIT);
	answer(p, 0);
	trunk_quit(&here.lanes[2]);
	CHECK_INT(join(4), TRUNK_WAIT);
	CHECK_INT(join(3), TRUNK_JOINED);
	close_here();
}

static void
who_waits_comes_before_who_is_new(void)
{
	open_here();
	CHECK_INT(join(0), TRUNK_NONE);
	struct peer *p = arrive(0, 1);
	ask(0);
	turn();
	CHECK_INT(join(1), TRUNK_NONE);
	CHECK_INT(join(2), TRUNK_WAIT);
	answer(p, 0);
	CHECK_INT(join(3), TRUNK_WAIT); /* although there is room */
	CHECK_INT(join(2), TRUNK_JOINED);
	close_here();
}

static void
who_reaches_in_vain_fails_those_that_wait(void)
{
	struct err why;
	struct err err = {0};
	open_here();
	CHECK_INT(join(0), TRUNK_NONE);
	CHECK_INT(join(1), TRUNK_WAIT);
	(void)err_set(&why, ERR_GATE_ORIGIN_SLOW, "no answer");
	trunk_failed(&here.lanes[0], &why);
	CHECK_INT(trunk_join(&here.lanes[1], &here.to, &err), TRUNK_FAILED);
	CHECK_INT(err.code, ERR_GATE_ORIGIN_SLOW);
	CHECK_INT(join(2), TRUNK_NONE);
	close_here();
}

static void
who_leaves_while_it_reaches_leaves_that_to_another(void)
{
	open_here();
	CHECK_INT(join(0), TRUNK_NONE);
	CHECK_INT(join(1), TRUNK_WAIT);
	CHECK_INT(join(2), TRUNK_WAIT);
	trunk_quit(&here.lanes[0]);
	CHECK_INT(join(1), TRUNK_NONE);
	CHECK_INT(join(2), TRUNK_WAIT);
	close_here();
}

/* RFC 9113 §6.8: what is open ends there, what is new begins elsewhere. */
static void
a_goodbye_of_the_origin_ends_the_sharing(void)
{
	open_here();
	CHECK_INT(join(0), TRUNK_NONE);
	struct peer *p = arrive(0, 100);
	ask(0);
	turn();
	CHECK_INT(join(1), TRUNK_JOINED);
	h2_drain(&p->h2);
	h2_flush(&p->h2);
	side_push(&p->side);
	turn();
	CHECK(!here.lanes[0].up->trunk->group);
	CHECK_INT(join(2), TRUNK_NONE);
	answer(p, 0);
	close_here();
}

static void
where_the_origin_chose_http1_nobody_waits_again(void)
{
	int fds[2];
	open_here();
	here.to.tls = true;
	CHECK_INT(join(0), TRUNK_NONE);
	CHECK_INT(join(1), TRUNK_WAIT);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	here.lanes[0].up = upstream_new(&here.w, &here.to, fds[0]);
	trunk_arrived(&here.lanes[0], &here.to);
	CHECK_INT(join(1), TRUNK_NONE);
	CHECK_INT(join(2), TRUNK_NONE);
	close_here();
	close(fds[1]);
}

TESTS(nobody_joins_before_the_origin_has_said_how_many,
	a_full_connection_has_one_reach_for_another,
	who_dies_when_its_turn_comes_passes_it_on, who_waits_comes_before_who_is_new,
	who_reaches_in_vain_fails_those_that_wait,
	who_leaves_while_it_reaches_leaves_that_to_another,
	a_goodbye_of_the_origin_ends_the_sharing,
	where_the_origin_chose_http1_nobody_waits_again)

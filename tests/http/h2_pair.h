// SPDX-License-Identifier: Apache-2.0
/*
 * h2_pair: a client and a server of ours face to face in memory, two bufs for wires.
 */
#pragma once

#include "http/h2.h"
#include "tests/test.h"

enum { H2_PAIR_WIRE = 64 * 1024 };

struct h2_pair {
	struct h2 client;
	struct h2 server;
	struct buf up;   /* client to server */
	struct buf down; /* server to client */
	struct arena a;  /* of heads made by tests */
	struct err client_err;
	struct err server_err;
	bool client_over;
	bool server_over;
};

static inline void
h2_pair_open_with(struct h2_pair *p, const struct h2_config *client,
	const struct h2_config *server)
{
	*p = (struct h2_pair){0};
	buf_init(&p->up, H2_PAIR_WIRE);
	buf_init(&p->down, H2_PAIR_WIRE);
	arena_init(&p->a, 1024 * 1024);
	h2_init(&p->client, client, &p->up);
	h2_init(&p->server, server, &p->down);
}

static inline void
h2_pair_open(struct h2_pair *p)
{
	struct h2_config client;
	struct h2_config server;

	h2_config_init(&client, H2_CLIENT);
	h2_config_init(&server, H2_SERVER);
	server.connect_protocol = true;
	h2_pair_open_with(p, &client, &server);
}

static inline void
h2_pair_close(struct h2_pair *p)
{
	h2_fini(&p->client);
	h2_fini(&p->server);
	buf_fini(&p->up);
	buf_fini(&p->down);
	arena_fini(&p->a);
}

/* Carries octets both ways until nothing moves. */
static inline void
h2_pair_run(struct h2_pair *p)
{
	bool moved = true;

	while (moved) {
		h2_flush(&p->client);
		h2_flush(&p->server);
		moved = !buf_empty(&p->up) || !buf_empty(&p->down);
		if (!h2_read(&p->server, &p->up, &p->server_err))
			p->server_over = true;
		if (!h2_read(&p->client, &p->down, &p->client_err))
			p->client_over = true;
	}
}

/* A request of the client. */
static inline struct h2_stream *
h2_pair_ask(struct h2_pair *p, struct h2_user *user, enum http_method m,
	const char *path, struct http_body body)
{
	struct http_head head;
	struct err err = {0};

	http_request_make(&head, &p->a, m, SPAN("a.example"), span_str(path));
	head.scheme = SPAN("https");
	head.body = body;
	struct h2_stream *x = h2_request(&p->client, &head, user, &err);
	CHECK_OK(x != NULL, &err);
	return x;
}

/* The stream that the server has news about; its head was told. */
static inline struct h2_stream *
h2_pair_meet(struct h2_pair *p)
{
	struct h2_stream *x = h2_ready(&p->server);
	struct http_head *head;
	struct span body;
	struct err err = {0};

	CHECK(x != NULL);
	CHECK_INT(h2_step(x, &head, &body, &err), H2_HEAD);
	return x;
}

/* The next step of a stream; its head and body where asked. */
static inline enum h2_step
h2_pair_step(struct h2_stream *x, struct http_head **head, struct span *body)
{
	struct err err = {0};

	return h2_step(x, head, body, &err);
}

static inline enum h2_wrote
h2_pair_answer(
	struct h2_pair *p, struct h2_stream *x, unsigned status, struct http_body body)
{
	struct http_head head;
	struct err err = {0};

	http_response_make(&head, &p->a, status);
	head.body = body;
	return h2_write_head(x, &head, &err);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * world_h2: a world whose client and origin both speak HTTP/2.
 */
#pragma once

#include "tests/gate/world.h"

static struct h2 client;
static struct h2 origin;
static bool origin_open;
static bool origin_takes_connect;
static uint32_t origin_streams; /* 0: as many as usual */
static struct h2_user users[8];
static struct arena arena;

static void
greet_origin(struct side *side)
{
	struct h2_config config;
	h2_config_init(&config, H2_SERVER);
	if (origin_open)
		h2_fini(&origin);
	origin_open = true;
	config.connect_protocol = origin_takes_connect;
	if (origin_streams > 0)
		config.streams = origin_streams;
	h2_init(&origin, &config, side_out(side));
	world.origin.h2 = &origin;
}

/* A session to this name, shaken; the client's preface is on its way. */
UNUSED static void
open_h2(const char *lines, const char *host)
{
	struct h2_config config;
	h2_config_init(&config, H2_CLIENT);
	world_open(lines);
	arena_init(&arena, 1024 * 1024);
	world.alpn = SPAN("h2");
	world.greeted = greet_origin;
	world_ask(host);
	world_shake(host);
	CHECK_INT(tls_state(world.client.side.tls), TLS_OPEN);
	h2_init(&client, &config, side_out(&world.client.side));
	world.client.h2 = &client;
}

UNUSED static void
close_h2(void)
{
	world_close();
	h2_fini(&client);
	if (origin_open)
		h2_fini(&origin);
	origin_open = false;
	world.client.h2 = NULL;
	world.origin.h2 = NULL;
	arena_fini(&arena);
}

UNUSED static void
go_on(void)
{
	for (int i = 0; i < 30; i++) {
		world_hear(&world.client);
		if (world.origin.h2)
			world_hear(&world.origin);
		world_turn(1);
	}
}

UNUSED static struct h2_stream *
ask(size_t i, const char *authority, const char *path, enum body_kind body)
{
	struct http_head head;
	struct err err = {0};
	http_request_make(&head, &arena, body == BODY_NONE ? HTTP_GET : HTTP_POST,
		span_str(authority), span_str(path));
	head.body.kind = body;
	struct h2_stream *x = h2_request(&client, &head, &users[i], &err);
	CHECK_OK(x != NULL, &err);
	go_on();
	return x;
}

UNUSED static const char *
here(void)
{
	static char authority[32];
	text_format(
		authority, sizeof(authority), "good.test:%u", world.origin_addr.port);
	return authority;
}

/* The origin's next request; its path must be this. */
UNUSED static struct h2_stream *
meet(const char *path)
{
	struct http_head *head;
	struct span body;
	struct err err = {0};
	struct h2_stream *x = h2_ready(&origin);
	CHECK(x != NULL);
	CHECK_INT(h2_step(x, &head, &body, &err), H2_HEAD);
	CHECK(span_eq(head->path, span_str(path)));
	return x;
}

UNUSED static void
answer(struct h2_stream *x, unsigned status, const char *body)
{
	struct http_head head;
	struct err err = {0};
	http_response_make(&head, &arena, status);
	head.body.kind = BODY_CHUNKED;
	CHECK_INT(h2_write_head(x, &head, &err), H2_WROTE);
	CHECK_INT(h2_write_body(x, span_str(body)), strlen(body));
	CHECK_INT(h2_write_end(x, NULL, &err), H2_WROTE);
	h2_release(x);
	go_on();
}

/* What came back to the client, whole. */
UNUSED static unsigned
status_of(struct h2_stream *x)
{
	struct http_head *head;
	struct span body;
	struct err err = {0};
	unsigned status = 0;
	enum h2_step step = H2_MORE;
	while ((step = h2_step(x, &head, &body, &err)) != H2_MORE && step != H2_END &&
		step != H2_FAILED) {
		if (step == H2_HEAD)
			status = head->status;
		if (step == H2_BODY)
			h2_took(x, body.n);
	}
	CHECK_INT(step, H2_END);
	h2_release(x);
	return status;
}

UNUSED static void
check_reset(struct h2_stream *x, uint32_t code)
{
	struct http_head *head;
	struct span body;
	struct err err = {0};
	CHECK_INT(h2_step(x, &head, &body, &err), H2_FAILED);
	CHECK_INT(x->reset_code, code);
	h2_release(x);
}

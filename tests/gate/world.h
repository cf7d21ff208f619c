// SPDX-License-Identifier: Apache-2.0
/*
 * world: a whole worker on one loop, with a client, an origin and a vault around it.
 *
 *	client ── socketpair ── session ── loopback TCP ── origin
 *	                          └── socketpair ── vault (a real authority, a real
 *desk)
 *
 * Everything turns with the worker's own loop, so a test sets something up, calls
 * world_until() and looks. Events are caught instead of sent. The names good.test and
 * plain.test are this machine; the origin's certificate is for good.test.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "gate/session.h"
#include "gate/worker.h"
#include "http/h2.h"
#include "pki/authority.h"
#include "pki/leaf.h"
#include "tests/test.h"

struct world_peer {
	struct side side;
	struct profile *profile;
	char heard[65536]; /* plaintext so far, NUL behind it */
	size_t n_heard;
	struct h2 *h2; /* speaks HTTP/2; borrowed from the test */
};

static struct {
	const char *upstream_words; /* set before world_open(): further ones */
	char dir[64];
	struct settings settings;
	struct worker worker;

	struct authority *authority; /* of the gateway */
	struct leafkeys keys;
	struct answer_desk desk;
	struct answer_client vault_client;
	struct answer_line vault;
	unsigned mints;

	struct authority *root; /* of the origin */
	struct identity *origin_identity;
	EVP_PKEY *origin_key;
	struct listen_limit limit;
	struct listener origin_port;
	struct addr origin_addr;
	struct world_peer origin;
	unsigned origins; /* connections accepted */
	bool origin_is_tls;
	struct span alpn;        /* what both peers speak; empty: http/1.1 */
	struct span client_alpn; /* what the client offers instead, in wire form */
	void (*greeted)(struct side *side); /* the origin has a connection */
	const char *answer; /* written once a whole request head was heard */
	bool answer_ends;   /* and then the origin ends */

	struct world_peer client;
	char last_session[8192]; /* field=value lines of the last session event */
	char last_request[8192];
	unsigned session_events;
	unsigned request_events;
} world;

/* --- the vault --- */

static void
world_mint(struct answer_call *c)
{
	struct arena arena;
	struct leaf_facts facts;
	struct chain chain = {0};
	struct span der = {0};
	struct err err = {0};
	static uint8_t wire[32768];
	size_t n = 0;
	arena_init(&arena, 1 << 20);
	world.mints++;
	CHECK_OK(leaf_facts_read(c->req.payload, &arena, &facts, &err), &err);
	CHECK_OK(leaf_mint(world.authority, &facts,
			 leafkeys_get(&world.keys, facts.kind), &der, &err),
		&err);
	CHECK_OK(chain_add(&chain, der, &err), &err);
	CHECK_OK(chain_add_all(&chain, &world.authority->chain, &err), &err);
	CHECK(chain_write(&chain, wire, sizeof(wire), &n));
	chain_fini(&chain);
	mem_free((void *)(uintptr_t)der.p);
	arena_fini(&arena);
	answer_reply(c, span_of(wire, n));
}

static void
world_leafkeys(struct answer_call *c)
{
	uint8_t wire[LEAFKEYS_WIRE];
	struct err err = {0};
	size_t n = 0;
	CHECK_OK(leafkeys_write(&world.keys, wire, &n, &err), &err);
	answer_reply(c, span_of(wire, n));
}

static const struct answer_op world_ops[] = {
	{WIRE_MINT, false, 30000, world_mint},
	{WIRE_LEAFKEYS, false, LEAFKEYS_WIRE, world_leafkeys},
};

static void
world_vault_ended(struct answer_line *line)
{
	answer_line_close(line);
}

static void
world_open_vault(int fd)
{
	answer_desk_open(&world.desk, &world.worker.loop, NULL);
	world.desk.door.ops = world_ops;
	world.desk.door.n_ops = COUNT_OF(world_ops);
	world.vault_client = (struct answer_client){.name = "worker"};
	wire_mask_add(&world.vault_client.mask, WIRE_MINT);
	wire_mask_add(&world.vault_client.mask, WIRE_LEAFKEYS);
	answer_line_open(&world.vault, &world.desk, &world.vault_client, fd);
	world.vault.seat.link.reader.body_max = WIRE_BODY_MAX;
	world.vault.ended = world_vault_ended;
}

/* --- peers --- */

/* Plaintext as far as it came; the verdict on a gateway's leaf is the test's business.
 */
static void
world_hear(struct world_peer *p)
{
	struct buf *in = side_in(&p->side);
	side_pull(&p->side);
	if (p->side.tls && tls_state(p->side.tls) == TLS_WANTS_VERDICT) {
		tls_accept(p->side.tls);
		side_pull(&p->side);
	}
	if (p->h2) {
		struct err err;
		(void)!h2_read(p->h2, in, &err);
		h2_flush(p->h2);
		side_push(&p->side);
		return;
	}
	struct span s = buf_peek(in);
	CHECK(p->n_heard + s.n < sizeof(p->heard));
	memcpy(p->heard + p->n_heard, s.p ? s.p : (const uint8_t *)"", s.n);
	p->n_heard += s.n;
	p->heard[p->n_heard] = 0;
	buf_drop(in, s.n);
	side_push(&p->side);
}

static void
world_say(struct world_peer *p, const char *text)
{
	CHECK(buf_put(side_out(&p->side), span_str(text)));
	side_push(&p->side);
}

static void
world_client_moved(struct io *io)
{
	world_hear(CONTAINER_OF(io, struct world_peer, side.io));
}

static void
world_origin_moved(struct io *io)
{
	struct world_peer *p = CONTAINER_OF(io, struct world_peer, side.io);
	world_hear(p);
	while (world.answer && strstr(p->heard, "\r\n\r\n")) {
		char *rest = strstr(p->heard, "\r\n\r\n") + 4;
		p->n_heard -= (size_t)(rest - p->heard);
		memmove(p->heard, rest, p->n_heard + 1);
		world_say(p, world.answer);
		if (world.answer_ends)
			side_end(&p->side);
	}
}

static void
world_start_origin_tls(struct side *side)
{
	struct err err = {0};
	const struct tls_server_spec spec = {
		.profile = world.origin.profile,
		.identity = world.origin_identity,
		.alpn = world.alpn.n > 0 ? world.alpn : SPAN("http/1.1"),
		.wire_in = &side->io.in,
		.wire_out = &side->io.out,
	};
	side->tls = tls_server_new(&spec, &err);
	CHECK(side->tls != NULL);
}

/* One at a time: a new connection takes the place of the one before. */
static void
world_accepted(struct listener *l, int fd, const struct addr *peer)
{
	(void)l;
	(void)peer;
	world.origins++;
	side_close(&world.origin.side, false);
	world.origin.n_heard = 0;
	world.origin.heard[0] = 0;
	side_open(&world.origin.side, &world.worker.loop, fd, world_origin_moved);
	if (world.origin_is_tls)
		world_start_origin_tls(&world.origin.side);
	if (world.greeted)
		world.greeted(&world.origin.side);
}

static void
world_open_origin(void)
{
	struct err err = {0};
	int fd = -1;
	struct listen_fds fds = {&fd, 1};
	const struct listen_options options = {0};
	const struct profile_spec spec = {.role = PROFILE_SERVER};
	struct addr any = {.ip = ip_v4(0x7f000001)};
	CHECK_OK(listen_open(&any, &options, &world.origin_addr, &fds, &err), &err);
	listen_limit_init(&world.limit, 100);
	world.origin_port.accepted = world_accepted;
	listen_start(&world.origin_port, &world.worker.loop, fd, &world.limit);
	world.origin.profile = profile_new(&spec, &err);
	CHECK(world.origin.profile != NULL);
	world.origin_is_tls = true;
	world.answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
}

static void
world_make_origin_identity(void)
{
	struct err err = {0};
	struct chain chain = {0};
	struct span der = {0};
	const struct span name = SPAN_INIT("good.test");
	const struct leaf_facts facts = {
		.kind = KEY_P256, .names = &name, .n_names = 1};
	world.origin_key = key_new(KEY_P256, &err);
	CHECK_OK(leaf_mint(world.root, &facts, world.origin_key, &der, &err), &err);
	CHECK_OK(chain_add(&chain, der, &err), &err);
	CHECK_OK(chain_add_all(&chain, &world.root->chain, &err), &err);
	world.origin_identity = identity_new(&chain, world.origin_key, &err);
	CHECK(world.origin_identity != NULL);
	chain_fini(&chain);
	mem_free((void *)(uintptr_t)der.p);
}

/* --- events --- */

static void
world_note(const struct event_view *v)
{
	bool is_session = v->kind == EVENT_KIND_SESSION;
	struct text t = is_session
		? text_to(world.last_session, sizeof(world.last_session))
		: text_to(world.last_request, sizeof(world.last_request));
	for (enum event_field f = 0; f < EVENT_FIELDS; f++) {
		if (!v->v[f].set)
			continue;
		text_add(&t, "%s=", event_field_name(f));
		if (event_field_type(f) == EVENT_TYPE_STR)
			text_put(&t, v->v[f].s);
		else
			text_add(&t, "%lld", (long long)v->v[f].i);
		text_put(&t, SPAN("\n"));
	}
	world.session_events += is_session;
	world.request_events += !is_session;
}

static bool
world_catch(struct event_link *link, struct span message)
{
	struct event_batch batch;
	struct event_view view;
	struct err err = {0};
	(void)link;
	CHECK_OK(event_batch_read(message, &batch, &err), &err);
	while (batch.records.n > 0) {
		CHECK_OK(event_read(&batch.records, &view, &err), &err);
		world_note(&view);
	}
	return true;
}

/* --- the whole --- */

static void
world_write(const char *name, struct span text)
{
	char path[128];
	struct err err = {0};
	text_format(path, sizeof(path), "%s/%s", world.dir, name);
	CHECK_OK(file_replace(path, text, 0600, &err), &err);
}

static void
world_load_settings(const char *lines)
{
	static struct conf_report report;
	static char text[8192];
	static char shown[CONF_COMPLAINT_TEXT];
	conf_report_init(&report);
	text_format(text, sizeof(text),
		"listen 127.0.0.1:1 as proxy use g\nresolver { hosts %s/hosts }\n"
		"gateway g {\nauthority %s/ca\nupstream { trust %s/root.pem; %s }\n"
		"reach { ports any; allow 127.0.0.0/8 }\n%s\n}\n",
		world.dir, world.dir, world.dir, world.upstream_words, lines);
	if (settings_parse(&world.settings, "world", span_str(text), &report))
		return;
	for (size_t i = 0; i < report.n; i++)
		print_error("%s\n", conf_complaint_text(shown, &report.list[i], false));
	fail();
}

static void
world_make_authorities(void)
{
	struct err err = {0};
	char path[128];
	struct span pem = {0};
	const struct authority_wish wish = {.name = "Test"};
	text_format(path, sizeof(path), "%s/ca", world.dir);
	CHECK_OK(authority_init(path, &wish, &err), &err);
	world.authority = authority_load(path, true, (struct span){0}, &err);
	CHECK(world.authority != NULL);
	CHECK_OK(leafkeys_make(&world.keys, 1, &err), &err);
	world.root = authority_ephemeral(&wish, &err);
	CHECK(world.root != NULL);
	CHECK_OK(authority_root_pem(world.root, &pem, &err), &err);
	world_write("root.pem", pem);
	mem_free((void *)(uintptr_t)pem.p);
	world_write("hosts", SPAN("127.0.0.1 good.test other.test plain.test\n"));
	world_make_origin_identity();
}

/* `lines` go into the gateway's block. */
static void
world_open(const char *lines)
{
	int vault[2];
	struct err err = {0};
	const char *words = world.upstream_words ? world.upstream_words : "";
	memset(&world, 0, sizeof(world));
	world.upstream_words = words;
	text_format(world.dir, sizeof(world.dir), "/tmp/sekisho-test-XXXXXX");
	CHECK(mkdtemp(world.dir) != NULL);
	world_make_authorities();
	world_load_settings(lines);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, vault) == 0);
	const struct worker_spec spec = {
		.settings = &world.settings, .vault_fd = vault[0], .event_fd = -1};
	CHECK_OK(worker_open(&world.worker, &spec, &err), &err);
	world.worker.events.send = world_catch;
	mem_free(world.worker.listeners);
	world.worker.listeners = mem_alloc(sizeof(*world.worker.listeners));
	world.worker.listeners->w = &world.worker;
	world.worker.listeners->settings =
		(const struct listen_settings *)world.settings.listens;
	world_open_vault(vault[1]);
	world_open_origin();
}

static void
world_remove_files(void)
{
	static const char *const files[] = {"ca/root.crt", "ca/root.key", "ca/node.crt",
		"ca/node.key", "root.pem", "hosts", "ca", ""};
	char path[128];
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		text_format(path, sizeof(path), "%s/%s", world.dir, files[i]);
		CHECK(remove(path) == 0);
	}
}

static void
world_close(void)
{
	side_close(&world.client.side, false);
	side_close(&world.origin.side, false);
	listen_stop(&world.origin_port);
	answer_line_close(&world.vault);
	answer_desk_close(&world.desk);
	worker_close(&world.worker);
	profile_put(world.client.profile);
	profile_put(world.origin.profile);
	identity_put(world.origin_identity);
	EVP_PKEY_free(world.origin_key);
	authority_free(world.authority);
	authority_free(world.root);
	leafkeys_fini(&world.keys);
	settings_fini(&world.settings);
	world_remove_files();
	world.upstream_words = NULL;
}

/* A new client, connected to the gateway's port. */
static void
world_connect(void)
{
	int fds[2];
	const struct addr from = {.ip = ip_v4(0xc0000201), .port = 4711};
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	side_close(&world.client.side, false);
	world.client.n_heard = 0;
	world.client.heard[0] = 0;
	side_open(&world.client.side, &world.worker.loop, fds[0], world_client_moved);
	world.worker.limit.open++; /* as the listener would */
	session_open(&world.worker, world.worker.listeners, fds[1], &from);
}

static void
world_turn(int turns)
{
	for (int i = 0; i < turns; i++)
		loop_turn(&world.worker.loop, 5);
}

/* Turns until the client has heard this; fails when it never does. */
static void
world_until(const char *text)
{
	for (int i = 0; i < 400 && !strstr(world.client.heard, text); i++)
		loop_turn(&world.worker.loop, 5);
	if (!strstr(world.client.heard, text))
		print_error("heard only: %s\n", world.client.heard);
	CHECK(strstr(world.client.heard, text) != NULL);
}

/* Turns until the gateway has closed the client's connection. */
UNUSED static void
world_until_closed(void)
{
	for (int i = 0; i < 400 && !side_eof(&world.client.side); i++)
		loop_turn(&world.worker.loop, 5);
	CHECK(side_eof(&world.client.side));
	side_end(&world.client.side);
	for (int i = 0; i < 100 && world.session_events == 0; i++)
		loop_turn(&world.worker.loop, 5);
}

/* CONNECT to the origin under this name, without TLS yet. */
static void
world_ask(const char *host)
{
	char line[256];
	text_format(line, sizeof(line), "CONNECT %s:%u HTTP/1.1\r\nHost: %s\r\n\r\n",
		host, world.origin_addr.port, host);
	world_connect();
	world_say(&world.client, line);
	world_until("HTTP/1.1 200 ");
	world.client.n_heard = 0;
	world.client.heard[0] = 0;
}

/* The client's TLS over what CONNECT opened. */
static void
world_shake(const char *sni)
{
	struct err err = {0};
	const struct profile_spec spec = {.role = PROFILE_CLIENT};
	if (!world.client.profile)
		world.client.profile = profile_new(&spec, &err);
	const struct tls_client_spec tls = {
		.profile = world.client.profile,
		.host = span_str(sni),
		.alpn = world.client_alpn.n > 0 ? world.client_alpn
			: world.alpn.n > 0      ? SPAN("\x02h2")
						: SPAN("\x08http/1.1"),
		.wire_in = &world.client.side.io.in,
		.wire_out = &world.client.side.io.out,
	};
	world.client.side.tls = tls_client_new(&tls, &err);
	CHECK(world.client.side.tls != NULL);
	world_hear(&world.client);
	for (int i = 0; i < 400 && tls_state(world.client.side.tls) != TLS_OPEN &&
		!side_eof(&world.client.side);
		i++)
		loop_turn(&world.worker.loop, 5);
}

/* Who issued the certificate the client was shown. */
UNUSED static void
world_issuer(char *dst, size_t cap)
{
	struct chain chain = {0};
	struct err err = {0};
	struct text t = text_to(dst, cap);
	CHECK_OK(tls_peer_chain(world.client.side.tls, &chain, &err), &err);
	struct cert *leaf = cert_parse(chain.der[0], &err);
	CHECK(leaf != NULL);
	cert_name_text(leaf->issuer, &t);
	cert_put(leaf);
	chain_fini(&chain);
}

// SPDX-License-Identifier: Apache-2.0
/* tunnel: key servers and a pool over mutual TLS on loopback, in one loop. */
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "keyless/ask_pool.h"
#include "keyless/server.h"
#include "net/resolve.h"
#include "pki/identity.h"
#include "pki/trust.h"
#include "pki/tunnel.h"
#include "tests/test.h"
#include "tls/profile.h"

struct party {
	char dir[64];
	char path[3][128];
	struct loop loop;
	struct keys keys;
	struct resolver *resolver;
	struct profile *server_side;
	struct profile *client_side;
	struct identity *server_id;
	struct identity *client_id;
	struct trust *trust;
};

struct host {
	struct server server;
	struct listener listener;
	struct addr at;
	int fd;
	bool up;
};

static struct party party;

static inline const char *
file_in(size_t i, const char *name)
{
	text_format(party.path[i], sizeof(party.path[i]), "%s/%s", party.dir, name);
	return party.path[i];
}

static inline void
party_open(void)
{
	static const char *const names[] = {"keys.test", "127.0.0.1"};
	struct err err = {0};

	party = (struct party){0};
	text_format(party.dir, sizeof(party.dir), "/tmp/sekisho-tunnel-XXXXXX");
	CHECK(mkdtemp(party.dir) != NULL);
	CHECK_OK(tunnel_make(party.dir, &err), &err);
	CHECK_OK(tunnel_issue(party.dir,
			 &(struct tunnel_wish){.file = "server",
				 .end = TUNNEL_SERVER,
				 .names = names,
				 .n_names = 2},
			 &err),
		&err);
	CHECK_OK(tunnel_issue(party.dir,
			 &(struct tunnel_wish){.file = "edge", .end = TUNNEL_CLIENT},
			 &err),
		&err);
	CHECK_OK(loop_init(&party.loop, &err), &err);
	keys_init(&party.keys);
	CHECK_OK(keys_add(&party.keys, key_wrap(key_new(KEY_P256, &err)), "ec", "t",
			 &err),
		&err);
	CHECK_OK(keys_add(&party.keys, key_wrap(key_new(KEY_RSA2048, &err)), "rsa", "t",
			 &err),
		&err);
	party.resolver = resolve_open(
		&party.loop, &(struct resolve_options){.hosts_path = ""}, &err);
	party.server_side = server_profile(&err);
	party.client_side = ask_pool_profile(&err);
	party.server_id = identity_load(file_in(0, "server.crt"),
		file_in(1, "server.key"), (struct span){0}, &err);
	party.client_id = identity_load(
		file_in(0, "edge.crt"), file_in(1, "edge.key"), (struct span){0}, &err);
	CHECK_OK(party.server_id && party.client_id, &err);
	party.trust = trust_new(
		false, (const char *const[]){file_in(0, "ca.crt"), NULL}, &err);
	CHECK_OK(
		party.trust && party.resolver && party.server_side && party.client_side,
		&err);
}

static inline void
party_close(void)
{
	static const char *const files[] = {"ca.crt", "ca.key", "server.crt",
		"server.key", "edge.crt", "edge.key", "other.crt", "other.key"};

	for (size_t i = 0; i < COUNT_OF(files); i++)
		(void)unlink(file_in(0, files[i]));
	CHECK(rmdir(party.dir) == 0);
	resolve_close(party.resolver);
	identity_put(party.server_id);
	identity_put(party.client_id);
	profile_put(party.server_side);
	profile_put(party.client_side);
	trust_free(party.trust);
	keys_fini(&party.keys);
	loop_fini(&party.loop);
}

static inline void
host_accepted(struct listener *l, int fd, const struct addr *peer)
{
	server_accept(&CONTAINER_OF(l, struct host, listener)->server, fd, peer);
}

/* On its old port if it had one. */
static inline void
host_open(struct host *h, struct server_policy *policies, size_t n)
{
	struct err err = {0};
	struct server_spec spec = {.loop = &party.loop,
		.keys = &party.keys,
		.profile = party.server_side,
		.identity = party.server_id,
		.trust = party.trust,
		.policies = policies,
		.n_policies = n};

	if (h->at.port == 0)
		h->at.ip = ip_v4(0x7f000001);
	CHECK_OK(listen_open(&h->at, &(struct listen_options){0}, &h->at,
			 &(struct listen_fds){&h->fd, 1}, &err),
		&err);
	server_open(&h->server, &spec);
	h->listener = (struct listener){.accepted = host_accepted};
	listen_start(&h->listener, &party.loop, h->fd, &h->server.limit);
	h->up = true;
}

static inline void
host_close(struct host *h)
{
	if (!h->up)
		return;
	listen_stop(&h->listener);
	server_close(&h->server);
	h->up = false;
}

struct asker {
	struct ask ask;
	int done;
};

static inline void
count_done(struct ask *a)
{
	CONTAINER_OF(a, struct asker, ask)->done++;
}

static const uint8_t hash32[32] = "0123456789abcdef0123456789abcde";

static inline void
ask_for(struct ask_pool *p, struct asker *a, const char *key)
{
	struct err err = {0};
	bool rsa = key[0] == 'r';

	a->ask.want = (struct wire_msg){.op = rsa ? WIRE_PSS_SHA256 : WIRE_ECDSA_SHA256,
		.cert_id = span_str(key),
		.payload = span_of(hash32, 32)};
	a->ask.done = count_done;
	CHECK_OK(ask_pool_send(p, &a->ask, &err), &err);
}

static inline void
turn_until_all(struct asker *a, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (int turns = 0; turns < 4000 && !a[i].done; turns++)
			loop_turn(&party.loop, 5);
		CHECK(a[i].done);
	}
}

// SPDX-License-Identifier: Apache-2.0
/*
 * key_edge_priv: one visitor of the stand-alone edge; between key_edge.c (the command)
 * and key_visit.c (a connection).
 */
#pragma once

#include "keyless/ask_pool.h"
#include "keyless/elsewhere.h"
#include "net/dial.h"
#include "net/io.h"
#include "net/listen.h"

struct profile;
struct tls;

struct edge {
	struct loop loop;
	struct ask_pool *pool;
	struct elsewhere_key key;
	struct identity *identity;
	struct profile *profile;
	struct addr origin;
	struct listener listener;
	struct listen_limit limit;
	struct list visits;
	uint32_t handshake_ms;
	uint64_t n_open; /* handshakes that completed */
	uint64_t n_failed;
	uint64_t n_resumed;
	uint64_t n_parked; /* wait for a signature now */
};

struct visit {
	struct edge *edge; /* borrowed */
	struct list all;
	struct io client;
	struct io origin;
	struct dial dial;
	struct tls *tls; /* owned */
	struct elsewhere elsewhere;
	struct timer late;
	struct corpse corpse;
	bool parked;
	bool open;
	bool origin_open;
	bool dead;
};

/* Takes fd. */
void key_visit_open(struct edge *e, int fd, const struct addr *peer);
void key_visit_close(struct visit *v);

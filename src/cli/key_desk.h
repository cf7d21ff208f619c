// SPDX-License-Identifier: Apache-2.0
/*
 * key_desk: connections to key servers as a command's options name them: the operands,
 * --name, --ca, --cert, --cert-key.
 */
#pragma once

#include "cli/cli.h"
#include "keyless/ask_pool.h"

struct key_desk {
	struct loop loop;
	bool has_loop;
	struct resolver *resolver;
	struct profile *profile;
	struct identity *identity;
	struct trust *trust;
	struct ask_pool *pool;
	struct ask_pool_server servers[ASK_POOL_SERVERS];
	size_t n_servers;
};

/* Each server `connections` times. In any case key_desk_close(). */
MUST_USE bool key_desk_open(struct key_desk *d, const struct cli_call *call,
	uint64_t connections, struct err *err);
void key_desk_close(struct key_desk *d);

/* Asks once and waits; *answer is the caller's to mem_free(). */
MUST_USE bool key_desk_ask(struct key_desk *d, const struct wire_msg *want,
	struct span *answer, struct err *err);

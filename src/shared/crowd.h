// SPDX-License-Identifier: Apache-2.0
/*
 * crowd: how many connections one client has open.
 *
 * A client is an IPv4 address, or an IPv6 /64: who has one has all of it. Counted per
 * worker, as `connections` is, once it is known who the client is.
 */
#pragma once

#include "base/ip.h"
#include "base/map.h"

struct crowd_client;

struct crowd {
	struct map by_client;
	uint64_t most; /* of one client; 0: any number */
};

void crowd_init(struct crowd *c, uint64_t most);
/* Members still in are forgotten. */
void crowd_fini(struct crowd *c);
/* One more of this client: the place it takes, for crowd_leave(). False: it has as many
 * as it may. Without a limit, or without an address, *place is NULL. */
MUST_USE bool crowd_enter(
	struct crowd *c, const struct ip *client, struct crowd_client **place);
/* NULL does nothing. */
void crowd_leave(struct crowd *c, struct crowd_client *place);

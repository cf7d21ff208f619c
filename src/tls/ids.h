// SPDX-License-Identifier: Apache-2.0
/*
 * ids: TLS 1.2 sessions of clients that take no tickets, known to all workers.
 *
 * Such a client only names its session; who is to resume it must have kept it. One
 * table of bounded size, in memory that the master maps before it forks: every worker
 * and every generation after a reload finds the others' sessions. What lies there is
 * sealed with keys derived as those of tickets are, so that a session is to be had by
 * its id alone, and a torn copy does not open. When a place is needed, the session not
 * asked for longest goes.
 */
#pragma once

#include "base/err.h"
#include "base/span.h"

struct ids;
struct tickets;

enum {
	IDS_SLOTS = 4096,
	IDS_SESSION_MAX = 4000, /* octets of a session; a larger one is not kept */
};

/* slots is a power of two, at least 8. NULL: no memory. */
struct ids *ids_new(size_t slots, struct err *err);
/* Another holder in this process. */
struct ids *ids_get(struct ids *ids);
void ids_put(struct ids *ids); /* NULL does nothing */

/* Keeps a session under its id, instead of what was under it. False: it is not kept,
 * because it is too large or another worker is at its place. */
bool ids_keep(struct ids *ids, struct tickets *t, struct span id, struct span session);
/* Its octets in dst[IDS_SESSION_MAX], or empty: not here, sealed by others, or older
 * than tickets live. */
struct span ids_recall(
	struct ids *ids, struct tickets *t, struct span id, uint8_t *dst);
void ids_forget(struct ids *ids, struct span id);

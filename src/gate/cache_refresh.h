// SPDX-License-Identifier: Apache-2.0
/*
 * cache_refresh: asking an origin about a stored response behind the client's back
 * (stale-while-revalidate, RFC 5861 §3): the client has had its answer, and the next
 * one gets what comes of this.
 */
#pragma once

#include "base/attr.h"

struct edge;
struct session;

/* Begins for the request of s->x, whose stored response is pinned. False: it cannot be
 * done so, because too many are under way, or the origin speaks TLS or HTTP/2, which
 * fetching does not. */
MUST_USE bool cache_refresh_start(struct session *s);
/* Drops all that are under way. */
void cache_refresh_close(struct edge *e);

// SPDX-License-Identifier: Apache-2.0
/*
 * edge_balance: which origin of a site gets a request, and how each of them is doing,
 * as one worker knows it.
 */
#pragma once

#include "gate/origin_ask.h"
#include "gate/site.h"

struct edge;
struct exchange;
struct session;

/* How an origin is doing. */
struct edge_origin {
	const struct site_origin *settings; /* borrowed; NULL: of another edge */
	const struct site *site;
	struct edge *e;
	uint64_t down_until_ms; /* it failed: others are asked until then */
	bool sick;              /* its last health check failed */
	uint32_t busy;          /* requests it has now */
	uint32_t failures;      /* in a row */
	int64_t turn;           /* of BALANCE_TURNS */
	struct timer check_at;
	struct origin_ask check;
};

void edge_balance_open(struct edge *e);
void edge_balance_close(struct edge *e);

/* The origin for a request of s->x, which then counts as busy with it. NULL: all that
 * are well have as much to do as they may. */
const struct site_origin *edge_choose(struct session *s);
/* A request came: it earns a part of a retry. */
void edge_earn(struct edge *e, const struct site *site);
/* The exchange has nothing to do with its origin any more. */
void edge_unload(struct exchange *x);
/* Whether a body is longer than the site takes, by what was said and what came so far.
 */
MUST_USE bool edge_is_too_long(const struct exchange *x, bool response);
/* How it went: a connection that failed, an answer that never came, or a status. */
void edge_unreachable(struct session *s);
void edge_failed(struct session *s);
void edge_answered(struct session *s, unsigned status);
/* Whether one more request may be sent again, and to which origin: then the exchange is
 * aimed there. */
MUST_USE bool edge_retry(struct session *s);

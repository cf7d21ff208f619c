// SPDX-License-Identifier: Apache-2.0
/*
 * exchange_cache: an exchange of a site that has a cache.
 *
 *	a request is ready for its origin   exchange_cache_begin(): answered from the
 *	                                    store, or it waits for another's answer, or
 *	                                    it goes on, perhaps with a condition
 *	a response head came                exchange_cache_response(): it is stored
 *	                                    while it passes, or a stored one takes its
 *	                                    place
 *	the origin failed                   exchange_cache_rescue(): better stale than
 *	                                    none
 *
 * Nothing here knows a version of HTTP; the exchange asks at these points and moves the
 * octets. All of it does nothing where x->cache is NULL.
 */
#pragma once

#include "base/list.h"
#include "gate/site_cache.h"
#include "shared/cache_store.h"

struct exchange;
struct lane;
struct session;

/* Why the origin was asked (RFC 9211 §2.2). */
enum exchange_fwd {
	FWD_NOT, /* it was not: a hit */
	FWD_METHOD,
	FWD_URI_MISS,
	FWD_VARY_MISS,
	FWD_STALE,
	FWD_REQUEST, /* the client wants it so */
};

/* What is known of parts of the response (exchange_part.c). */
struct exchange_part {
	struct cache_key key; /* which they are stored under */
	struct cache_hit hit; /* of the one that is stored, while pinned */
	struct http_head stored;
	struct cache_place at;
	bool pinned;
	struct cache_place all; /* what is being stored; n 0: no part */
	uint64_t tail_from;     /* of the old one's octets, what goes behind */
};

struct exchange_cache {
	struct exchange_part part;
	struct cache_store *store; /* borrowed */
	struct lane *lane;         /* the exchange's, to be woken */
	struct list waiting;       /* in the edge's, while another one asks */
	struct cache_policy policy;
	struct cache_control asks;
	struct http_head request; /* as it came, before it was made conditional */
	struct cache_texts texts; /* key, url; the rest once it is stored */
	enum exchange_fwd fwd;
	int64_t asked_ms;
	uint64_t most;       /* octets of a body that is stored */
	bool shows_status;   /* in Cache-Status */
	uint64_t wait_until; /* clock_now() from which nobody is waited for */
	bool waits;
	bool waited;
	bool claimed;
	bool conditional; /* the condition in the request is ours */
	bool pinned;
	struct cache_hit hit;     /* while pinned */
	struct http_head stored;  /* its head */
	bool stands_in;           /* its body goes out instead of the origin's */
	struct cache_cursor rest; /* of that body */
	struct cache_fill fill;
	bool storing;
	unsigned origin_status; /* what the origin said, for Cache-Status; 0: nothing */
};

/* True: nothing needs to go to an origin now; the exchange's state says what happens.
 */
MUST_USE bool exchange_cache_begin(struct session *s);
/* In EXCHANGE_REACHING. True: it waits for another's answer, or has just been answered:
 * x->state tells. */
MUST_USE bool exchange_cache_waits(struct session *s);
/* x->response is what the origin says; afterwards it is what the client gets. False:
 * the origin is asked once more, since what it said answers nobody's question. */
MUST_USE bool exchange_cache_response(struct session *s);
/* These octets of the origin's body have been passed on. */
void exchange_cache_body(struct session *s, struct span octets);
/* Whether the origin's body is not to be passed on. */
MUST_USE bool exchange_cache_stands_in(const struct exchange *x);
/* The origin's body is whole. */
void exchange_cache_whole(struct session *s);
/* The next octets of a stored body that goes out; empty at its end. */
struct span exchange_cache_next(struct exchange *x);
/* The origin gave no answer: a stored one is readied, if that is allowed. */
MUST_USE bool exchange_cache_rescue(struct session *s);
/* The exchange is over, or will be. */
void exchange_cache_end(struct exchange *x);

/* What is stored beside a body with this head, into c->texts. */
MUST_USE bool exchange_cache_describe(struct session *s, const struct http_head *head);

/* exchange_part.c: names where parts are, once c->texts.key is there. */
void exchange_part_name(struct exchange_cache *c);
/* The request asks for a range: answered from a part, if that has it. */
MUST_USE bool exchange_part_use(struct session *s);
/* A 206 came: it is stored, joined to what there is. c->fill has begun when it was
 * described; false: it is not stored. */
MUST_USE bool exchange_part_begin(
	struct session *s, const struct cache_answer_times *times);
/* The last octets. False: they are not there. */
MUST_USE bool exchange_part_finish(struct exchange_cache *c);
void exchange_part_end(struct exchange_cache *c);

/* exchange_stored.c: x->response becomes the pinned response as this request gets it.
 */
MUST_USE bool exchange_stored_present(struct session *s, struct err *err);
/* Adds to Cache-Status what the cache did. */
void exchange_stored_status(struct session *s);

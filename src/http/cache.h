// SPDX-License-Identifier: Apache-2.0
/*
 * cache: the rules of a shared HTTP cache (RFC 9111, RFC 5861, RFC 9213), as answers to
 * questions about heads and times. It stores nothing and knows no clock.
 *
 *	a response came     cache_learn(): may it be stored, and how long is it fresh?
 *	a request came      cache_judge(): may this stored response answer it, unasked?
 *	it may              cache_select(): the whole of it, a part, or 304?
 *	it may not          cache_ask(): the request becomes conditional
 *	304 came            cache_freshen(): the stored fields are brought up to date
 *	the origin failed   cache_bears_error(): is a stale answer better than none?
 */
#pragma once

#include "http/cache_control.h"

/* What a site says about its cache, beside what its origin says. */
struct cache_policy {
	int64_t default_s;  /* freshness of what says nothing of its own; 0: none */
	int64_t if_error_s; /* as if the origin had said stale-if-error */
	bool takes_cookies; /* also store what sets cookies, or was asked with some */
	bool obeys_clients; /* Cache-Control of requests counts */
};

/* Flags of cache_facts. */
enum {
	CACHE_NO_CACHE = 1,    /* never without asking the origin */
	CACHE_NEVER_STALE = 2, /* must-revalidate, proxy-revalidate, s-maxage */
	CACHE_HEURISTIC = 4,   /* its lifetime is our guess */
};

/* What decides about a stored response, besides its fields. Plain, to be kept. */
struct cache_facts {
	int64_t came_ms; /* wall time of the response */
	int64_t age_ms;  /* corrected_initial_age then (RFC 9111 §4.2.3) */
	int64_t lifetime_s;
	int64_t while_revalidate_s; /* 0: no */
	int64_t if_error_s;         /* 0: no */
	uint32_t flags;
	uint32_t status;
};

struct cache_answer_times {
	int64_t asked_ms; /* wall time of the request */
	int64_t came_ms;  /* and of the response's head */
};

/*
 * Whether the response may be stored (RFC 9111 §3), and its facts. request is what the
 * origin was sent. Also false when storing would be of no use: it could neither be used
 * nor asked about. cache_freshen() comes before, when it answers a condition.
 */
MUST_USE bool cache_learn(const struct http_head *request,
	const struct http_head *response, const struct cache_policy *policy,
	const struct cache_answer_times *times, struct cache_facts *out);

enum cache_verdict {
	CACHE_USE,       /* as it is */
	CACHE_USE_STALE, /* the client takes it stale */
	/* stale, while the origin is asked (stale-while-revalidate) */
	CACHE_USE_BEHIND,
	CACHE_ASK, /* not without asking the origin */
};
/* asks is what the request's Cache-Control says. */
enum cache_verdict cache_judge(const struct cache_facts *stored,
	const struct cache_control *asks, const struct cache_policy *policy,
	int64_t now_ms);
/* Age now, in seconds (RFC 9111 §4.2.3). */
int64_t cache_age(const struct cache_facts *stored, int64_t now_ms);
/* Seconds of freshness left; negative: stale for so long. */
int64_t cache_left(const struct cache_facts *stored, int64_t now_ms);
/* RFC 5861 §4, RFC 9111 §4.2.4. */
MUST_USE bool cache_bears_error(const struct cache_facts *stored,
	const struct cache_control *asks, const struct cache_policy *policy,
	int64_t now_ms);
/* Whether a response is the kind of error that a stale answer stands in for. */
MUST_USE bool cache_is_error(unsigned status);
/* Whether the method changes things at the origin, so that what is stored of its target
 * is not to be used again (RFC 9111 §4.4). */
MUST_USE bool cache_method_changes(const struct http_head *request);

/* ---- a stored response answers a request ---- */

enum cache_part {
	CACHE_WHOLE,
	CACHE_PART,         /* 206 with [from, from + n) */
	CACHE_UNCHANGED,    /* 304 */
	CACHE_OUT_OF_RANGE, /* 416 */
};
struct cache_selection {
	enum cache_part part;
	uint64_t from;
	uint64_t n;
};
/*
 * Which part of a stored response of `length` octets a GET or HEAD with these fields
 * gets (RFC 9110 §13.2.2, §14.2): If-None-Match before If-Modified-Since, then Range
 * under If-Range. Several ranges, and ranges that are not well formed, give the whole.
 */
struct cache_selection cache_select(const struct http_fields *request,
	const struct http_head *stored, const struct cache_facts *facts,
	uint64_t length);

/* Where the octets of a 206 are: [from, from + n) of total. */
struct cache_place {
	uint64_t from;
	uint64_t n;
	uint64_t total;
};
/* By its Content-Range (RFC 9110 §14.4). False when it is none, or leaves open how long
 * the whole is. */
MUST_USE bool cache_part_read(
	const struct http_head *response, struct cache_place *out);

/* Turns the head of a stored response into the head of such an answer: status, Age,
 * Content-Range, framing. False when the arena has no room. */
MUST_USE bool cache_present(struct http_head *head, const struct cache_selection *sel,
	int64_t age_s, uint64_t length, struct err *err);

/* ---- asking the origin about a stored response ---- */

/* Makes the request conditional on what is stored, in place of the client's conditions
 * and ranges. False when what is stored has no validator: nothing was changed then. */
MUST_USE bool cache_ask(struct http_head *request, const struct http_head *stored,
	bool *asked, struct err *err);
/* Whether this 304, or this 200 to a HEAD, speaks of what is stored (RFC 9111 §4.3.4).
 */
MUST_USE bool cache_speaks_of(
	const struct http_head *response, const struct http_head *stored);
/* Brings stored fields up to date with those of a 304 or of a HEAD's answer
 * (RFC 9111 §3.2). */
MUST_USE bool cache_freshen(
	struct http_head *stored, const struct http_head *news, struct err *err);

/* ---- Vary ---- */

enum { CACHE_VARY_MOST = 1024 };
/*
 * What of the request the response depends on (RFC 9111 §4.1), as octets for
 * cache_vary_matches(); in the arena, empty without Vary. False for "*", and when it
 * would be too long.
 */
MUST_USE bool cache_vary_make(const struct http_fields *response,
	const struct http_fields *request, struct arena *a, struct span *out);
MUST_USE bool cache_vary_matches(struct span vary, const struct http_fields *request);

/* ---- heads as octets ---- */

/* A head to be kept, without what belongs to one connection or one client. In the
 * arena. Call header_strip() before. False when it is too long to be worth it. */
MUST_USE bool cache_head_write(
	const struct http_head *head, struct arena *a, struct span *out);
/* Back into a head whose fields point into s. The status is the facts' to say. False
 * when s is not what cache_head_write() made. */
MUST_USE bool cache_head_read(struct span s, struct http_head *head, struct arena *a);

// SPDX-License-Identifier: Apache-2.0
/*
 * exchange: one request and its response.
 *
 *	client ── request reader ── policy ── request writer ──▶ origin
 *	client ◀── response writer ── policy ── response reader ── origin
 *
 * Both directions go on at the same time and each stops only where a buf is full or
 * bytes are missing. Heads go through the one message model; bodies pass in pieces. A
 * request that policy or a failure keeps from an origin is answered here, with a page.
 */
#pragma once

#include "fact/facts.h"
#include "gate/target.h"
#include "http/h1_read.h"
#include "http/h1_write.h"
#include "rule/policy.h"

struct session;
struct gateway;
struct edge_origin;
struct exchange_cache;
struct site;
struct site_origin;
struct h2_stream;

enum exchange_state {
	EXCHANGE_IDLE,      /* no octet of a request yet */
	EXCHANGE_HEAD,      /* a request head is coming */
	EXCHANGE_REACHING,  /* a connection to the origin is wanted */
	EXCHANGE_SENDING,   /* the request goes out, the response comes in */
	EXCHANGE_ANSWERING, /* a page of ours goes out */
	EXCHANGE_UPGRADED,  /* bytes that are not HTTP, both ways */
	EXCHANGE_CLOSING,   /* the last response was given: the connection ends */
};

struct exchange {
	enum exchange_state state;
	bool tls; /* the client speaks TLS: targets are fixed, CONNECT is refused */
	struct arena arena;
	struct h1_reader requests;
	struct h1_reader responses;
	struct h1_writer to_origin;
	struct h1_writer to_client;
	/* Where a side speaks HTTP/2 these stand for reader and writer; owned while
	 * set.
	 */
	struct h2_stream *client;
	struct h2_stream *origin;
	uint32_t reset_code; /* HTTP/2: what the client is told instead of an answer */
	struct http_head request;
	struct http_head response;
	struct facts facts;
	struct verdict_record verdicts;
	struct target target;
	const struct site *site;               /* of an edge; else NULL */
	const struct site_origin *site_origin; /* where it goes */
	struct edge_origin *load; /* counts this one; of the edge, or NULL */
	unsigned tried;           /* origins of the site, before this */

	/* of a site that has one, in the arena; else NULL */
	struct exchange_cache *cache;

	struct buf held;    /* of the request's body, read before the origin is asked */
	size_t *held_all;   /* octets that all of the worker hold; NULL: none here */
	size_t held_share;  /* of those */
	bool holding;       /* more of it comes first */
	bool held_end;      /* that was all of it */
	bool head_ready;    /* the request's head is whole and was not looked at yet */
	bool early;         /* read before the client's handshake was over */
	bool too_early;     /* the origin will have it only once that is over */
	bool readied;       /* its fields are those that the origin gets */
	bool head_sent;     /* it went to the origin */
	bool request_sent;  /* to its end */
	bool closes;        /* the client's connection ends after this */
	bool origin_closes; /* the origin's does */
	bool retried;       /* on a second connection, after a pooled one failed */
	bool wants_h1; /* the origin asked for HTTP/1, or it cannot be said in HTTP/2 */
	bool crosses;  /* a WebSocket between two versions: exchange_upgrade.c */
	bool head_waits;       /* a response head waits for room towards the client */
	bool answered;         /* the final response's head went to the client */
	bool response_read;    /* from the origin, to its end */
	bool response_over;    /* to the client, to its end */
	struct span page;      /* body of an answer of ours still to be written */
	struct span rule;      /* that decided, for the event */
	struct span why;       /* what was seen when we answered ourselves */
	struct span reason;    /* what the rule that decided says to people */
	struct span location;  /* of a redirect of ours */
	struct span key;       /* of such a WebSocket: the client's, or ours */
	struct span consented; /* what the client was warned of and goes on with */
	const char *action;
	enum err_code page_code; /* of an answer of ours, or ERR_NONE */
	struct err err;

	uint64_t id; /* 0: no request yet */
	int64_t wall_ms;
	uint64_t began_us;
	uint64_t sent_us;     /* the request's end went out */
	uint64_t answered_us; /* the response's head came */
	uint64_t moved_ms;    /* clock_now() when an octet of a body went on */
	uint64_t bytes_request;
	uint64_t bytes_response;
	bool reused; /* went over a connection used before */
	bool told;   /* its event was emitted */
};

void exchange_init(struct exchange *x, bool tls);
void exchange_fini(struct exchange *x);

enum exchange_turn {
	EXCHANGE_WAITS,
	EXCHANGE_CONNECTS, /* a CONNECT was read: the session takes over */
	EXCHANGE_ENDS,     /* the client's connection is to be ended politely */
	EXCHANGE_BREAKS,   /* it must be cut: x->err says why */
	EXCHANGE_GOES_ON,  /* between its own files only: another state was set */
};

/* Goes as far as the bytes allow, over any number of requests. */
enum exchange_turn exchange_advance(struct session *s);
/* Reads the next request's head; for a stage that wants to see it first. H1_HEAD stays
 * ready for exchange_advance(). */
enum h1_step exchange_read_head(struct session *s);
/* The request cannot be carried out: answers with this status, or cuts what has begun.
 */
void exchange_fail(struct session *s, const struct err *why, unsigned status);
/* Emits the event of the request, once. */
void exchange_tell(struct session *s);
/* How long its origin may take: to be reached, and to begin its answer. */
uint64_t exchange_reach_ms(const struct exchange *x, const struct gateway *g);
uint64_t exchange_answer_ms(const struct exchange *x, const struct gateway *g);
/* Nothing of a request is under way. */
MUST_USE bool exchange_idle(const struct exchange *x);

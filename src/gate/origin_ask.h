// SPDX-License-Identifier: Apache-2.0
/*
 * origin_ask: one small request that a worker itself has for an origin of a site: is it
 * well, and is what the cache has still good?
 *
 * The origin is met as requests of clients meet it: over TLS, judged by the edge's
 * settings and shown the site's certificate; in the version of HTTP that it chooses;
 * with a PROXY header that speaks of no client. Always on a connection of its own, with
 * one deadline for all of it, and no more octets than asked for. What rules say about
 * certificates is about clients: it does not count here.
 */
#pragma once

#include "gate/evidence.h"
#include "gate/side.h"
#include "gate/site.h"
#include "gate/target.h"
#include "http/h1_read.h"
#include "http/h2.h"
#include "net/dial.h"
#include "net/resolve.h"
#include "pki/trust.h"

struct worker;

/* What is asked. All of it is copied, or the settings'. */
struct origin_ask_for {
	const struct gateway *g;
	const struct site *site;
	const struct site_origin *origin;
	const struct http_head *request; /* GET or HEAD, without a body */
	size_t limit;                    /* octets of the answer */
	uint64_t deadline_ms;            /* clock_now() by which it is over */
};

/* Zero but for done. */
struct origin_ask {
	void (*done)(struct origin_ask *a); /* from the loop, never from start */

	/* The result: ok, the head of an answer of any status, and its octets in body;
	 * or err. */
	bool ok;
	struct http_head response;
	struct buf body;
	struct err err;

	/* Private. */
	enum {
		ORIGIN_ASK_IDLE,
		ORIGIN_ASK_RESOLVING,
		ORIGIN_ASK_DIALLING,
		ORIGIN_ASK_SHAKING,
		ORIGIN_ASK_GATHERING, /* what the verdict needs is being fetched */
		ORIGIN_ASK_TALKING,
	} state;
	struct worker *w; /* NULL: nothing is held */
	struct arena arena;
	struct target to;
	struct resolve resolve;
	struct dial dial;
	struct side side;
	struct verdict verdict;
	struct evidence_wait evidence;
	unsigned judged; /* times, with more known each */
	struct h1_reader reader;
	struct h2 *h2; /* owned; NULL unless HTTP/2 was chosen */
	struct h2_user user;
	struct http_head request;
	struct timer timer;
	struct hook finished;
	uint64_t deadline_ms;
};

/* done() comes in any case, unless origin_ask_cancel() comes first. */
void origin_ask_start(
	struct origin_ask *a, struct worker *w, const struct origin_ask_for *what);
/* Ends it where it is, and frees what it holds, the answer included. Harmless when
 * idle; after done() it must be called. */
void origin_ask_cancel(struct origin_ask *a);

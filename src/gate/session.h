// SPDX-License-Identifier: Apache-2.0
/*
 * session: one client connection and its other half, from accept to farewell.
 *
 * Everything that happens to a session ends in session_advance(): bytes moved, a timer
 * fired, a name resolved, the vault answered. The cause is forgotten; the stage looks
 * at what is now true and goes on or waits. The stages and their order are in stages.c.
 */
#pragma once

#include "fact/facts.h"
#include "gate/edge.h"
#include "gate/exchange.h"
#include "gate/lane.h"
#include "gate/mint.h"
#include "gate/settings.h"
#include "gate/side.h"
#include "net/splice.h"

struct page_cert;
struct worker;
struct worker_gateway;
struct worker_listener;
struct relay_h2;

/* In the order of a connection's life; some are skipped. */
enum stage {
	STAGE_ASK,      /* the client says where it wants to go */
	STAGE_HELLO,    /* its ClientHello is read, policy chooses */
	STAGE_REACH,    /* the origin is reached and judged */
	STAGE_PRESENT,  /* the client is shown a certificate */
	STAGE_RELAY,    /* requests and responses */
	STAGE_TUNNEL,   /* bytes pass through unseen */
	STAGE_FAREWELL, /* what is queued is sent, then both ends close */
	STAGE_COUNT
};

/* What a stage says: the next stage, TURN_WAIT, or TURN_OVER to end at once. */
enum { TURN_WAIT = -1, TURN_OVER = -2 };

/* Who ended it, for the event. */
enum ender { ENDER_NONE, ENDER_CLIENT, ENDER_ORIGIN, ENDER_GATEWAY };

/* Why every request of a session is answered with a page instead of an origin's answer.
 */
struct refusal {
	enum err_code code;            /* ERR_NONE: there is none */
	struct span text;              /* what was seen; in the session's arena */
	struct span rule;              /* name of the rule that decided, or empty */
	struct span reason;            /* what the rule says to people, or empty */
	unsigned status;               /* of the page */
	struct span continue_to;       /* of a prompt: the path that goes on */
	struct span verdict;           /* id of the origin's verdict, or empty */
	const struct page_cert *chain; /* the origin's, in the session's arena */
	size_t n_chain;
};

/* What people are warned of before a request goes on; in the session's arena. */
struct caution {
	struct refusal page;
	struct span about; /* what a consent must be about */
};

struct session {
	struct crowd_client *crowd; /* its place among its client's connections */
	struct list in_worker;
	struct corpse corpse;
	struct worker *w;
	const struct worker_listener *listener;
	const struct gateway *g;
	const struct worker_gateway *wg;
	enum stage stage;
	bool advancing; /* a cause inside a turn asks for another round */
	bool again;
	bool expired; /* the stage's deadline has passed */
	bool over;    /* buried at the end of the turn */
	bool draining;
	bool introduced; /* a PROXY header said who the client is */
	bool accepted;   /* the first phase was decided */
	bool tunnelling;
	struct hook goes_on; /* there is more to do than one turn allows */
	struct timer deadline;
	struct arena arena; /* what was learned before the first request */

	struct side client;
	struct lane own; /* to the origin */
	/* the one that is looked at: it, or a stream's; never NULL */
	struct lane *lane;
	struct target target; /* where the connection as a whole goes */
	struct hello_peek peek;
	struct hello hello;
	struct facts facts;
	struct verdict_record verdicts;
	struct refusal refusal;
	struct caution *caution; /* NULL: nothing to be warned of */
	struct span mirrored;    /* the fault the client was shown, or empty */
	struct mint_wait mint;
	struct exchange exchange; /* HTTP/1: the one under way */
	struct exchange *x;       /* the one that is looked at: it, or a stream's */
	struct relay_h2 *h2;      /* owned; NULL unless the client speaks HTTP/2 */
	struct splice tunnel;
	struct edge_visit *visit;    /* of an edge, in the arena; else NULL */
	struct session_story *story; /* owned; what the event will tell */
};

/* Takes fd. */
void session_open(
	struct worker *w, struct worker_listener *l, int fd, const struct addr *peer);
/* Goes as far as what is true now allows. */
void session_advance(struct session *s);
/* Ends it in this turn, whatever it was doing: closes, records the event, buries. */
void session_end(struct session *s, enum ender who, const struct err *why);
/* A draining worker asks: ends if nothing is under way, or after what is. */
void session_drain(struct session *s);
/* The stage waits no longer than this, from now. */
void session_deadline(struct session *s, uint64_t ms);

/* Every request will be answered with a page that says this. Texts are copied. */
void session_refuse(struct session *s, const struct refusal *refusal);

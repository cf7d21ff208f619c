// SPDX-License-Identifier: Apache-2.0
/*
 * edge: the terminating half: sites by name, client certificates, origins of our own
 * choosing. The pipeline is the gateway's; these are the places where an edge differs.
 *
 *	ask ──▶ hello ─ edge_take_hello: name → site; what is asked of the client
 *	      present ─ edge_start_tls, edge_opened: certificate shown, client's judged
 *	        relay ─ edge_aim, edge_tell_origin: Host → site → origin
 */
#pragma once

#include "gate/edge_balance.h"
#include "gate/exchange.h"
#include "gate/site.h"
#include "keyless/ask.h"
#include "net/timer.h"
#include "pki/client_cert.h"

struct revoke;
struct session;
struct worker;
struct worker_gateway;

/* What one worker has for one `clients` block. */
struct edge_clients {
	const struct site_clients *settings; /* borrowed */
	struct edge *edge;
	struct profile *profile;    /* one reference */
	struct revoke *revoke;      /* owned; NULL without CRLs */
	uint64_t epoch;             /* rises when a CRL was read anew */
	uint64_t seen;              /* digest of the CRL files' states */
	struct edge_list_url *urls; /* owned; lists that are fetched */
	uint64_t warned_ms;         /* of a list that ends soon */
	int64_t ends;               /* first nextUpdate of all; 0: no list */
	int64_t warn_at;            /* when that is to be told */
};

/* What one worker has for one edge. */
struct edge {
	struct worker *w;
	const struct gateway *g;
	struct edge_clients *clients; /* owned; by settings->index */
	struct edge_origin *origins;  /* owned; by site_origin.index */
	uint32_t tokens;              /* saved for retries */
	struct timer watch;
	struct list refreshes; /* of cache_refresh.c */
	unsigned n_refreshes;
	struct list waiting;   /* exchange_cache.waiting: for what others asked for */
	struct timer look;     /* whether it has come; other workers do not tell */
	struct ask_pool *keys; /* owned; NULL: all keys are here */
	struct profile *keys_profile;
};

/* What a session of an edge knows besides; in its arena. */
struct edge_visit {
	struct session *s;
	const struct site_name *name;
	struct client_cert cert;
	uint64_t epoch; /* of the verdict in cert */
	uint64_t judged_ms;
	struct remote_owner owner;
	struct remote_ask *signature; /* wanted, or NULL */
	struct edge_signing *signing; /* in the same arena; NULL unless a key is
				       * elsewhere */
};

/* What a handshake whose key is elsewhere knows besides. */
struct edge_signing {
	struct edge_visit *visit;
	struct ask ask;
	char context[64];  /* of the ask: whose it is, for the key server's records */
	uint64_t asked_us; /* for the signature */
	struct err err;    /* why there was none */
};

/* Profiles and revocation lists of an edge. False: *err says why. */
MUST_USE bool edge_open(struct worker *w, struct worker_gateway *wg, struct err *err);
/* NULL edge: nothing. Not from inside a callback of the loop. */
void edge_close(struct worker_gateway *wg);

void edge_wait_init(struct edge *e);
/* An exchange waits for what another one asked for; it leaves the list by itself. */
void edge_wait(struct edge *e, struct list *waiting);
/* Something came: who waits looks again, in the next turn. */
void edge_wake(struct edge *e);

/* A handshake with a client is over: for the metrics. */
void edge_count(const struct session *s);

/* The verdict on what the client showed, under the lists as they are now. */
void edge_judge(struct session *s);
/* The same when the verdict at hand is older than the lists, or a minute old: a
 * certificate may end while its connection lives. For every request. */
void edge_judge_again(struct session *s);

/* ---- edge_lists.c: what issuers have taken back ---- */

/* Reads the files, begins to fetch the others. False when a file cannot be read: half
 * of the lists would let somebody in. */
MUST_USE bool edge_lists_open(struct edge *e, struct edge_clients *c, struct err *err);
/* Reads what was replaced; what cannot be read leaves the old in force. */
void edge_lists_look(struct edge_clients *c);
void edge_lists_close(struct edge_clients *c);

/* ---- stages ---- */

/* Facts of the ClientHello are known. The next stage, or TURN_OVER. */
int edge_take_hello(struct session *s);
/* Plain HTTP where TLS was expected, or nothing we know. */
int edge_take_non_tls(struct session *s);
MUST_USE bool edge_start_tls(struct session *s, struct err *err);
/* A signature is wanted: asks the key servers for it. True when it is refused already:
 * the handshake has to go on and fail. */
MUST_USE bool edge_sign(struct session *s);
/* The client's handshake is over. The next stage, or TURN_OVER. */
int edge_opened(struct session *s);
/* The session ends: nobody is to be told of a signature any more. */
void edge_end(struct session *s);

/* ---- requests ---- */

/* Which origin the request goes to: sets the exchange's target, or answers. */
enum exchange_turn edge_aim(struct session *s);
/* Where this origin of the site is, and how it is met. */
struct target edge_target(const struct gateway *g, const struct site *site,
	const struct site_origin *o, bool wants_h1);
/* Aims at an origin of the site once more, perhaps the same. False: there is none. */
MUST_USE bool edge_aim_again(struct session *s);
/* What is sent is for the origin by its own name, where the site says so. */
void edge_name_origin(struct session *s);
/* The origin could not be reached: aims at the next one. False when all were tried. */
MUST_USE bool edge_aim_next(struct session *s);
/* What the origin is told, after all that clients may have made up was removed. */
MUST_USE bool edge_tell_origin(struct session *s, struct err *err);
/* What responses say besides. */
void edge_tell_client(struct session *s, struct http_head *response);
/* Where a request in plain HTTP is sent on to. */
enum exchange_turn edge_redirect(struct session *s);

/* Removes every field by which some gateway tells of a client's certificate: from the
 * head of a request and from its trailers, on every listener. */
void edge_strip(struct http_fields *fields);

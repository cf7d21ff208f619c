// SPDX-License-Identifier: Apache-2.0
/*
 * answer: the serving half of the key protocol.
 *
 * A `struct answer_door` says what is served: keys, further operations, limits, whom to
 * tell. Each peer is an `answer_link`: bytes in, requests, bytes out; no socket here.
 * Requests wait in two bounded lines, cheap (elliptic curves, ping) and dear (RSA); a
 * turn serves mostly cheap ones, so that a flood of RSA delays an ECDSA signature by
 * one RSA operation, not by a queue. Too many waiting: an early error 8.
 *
 * Answers go out as they are ready. An operation may keep its call and answer later
 * (the key is elsewhere still); a link that closes meanwhile orphans it.
 */
#pragma once

#include "base/list.h"
#include "keyless/keys.h"
#include "keyless/wire.h"

struct answer_door;
struct answer_link;

/* One request on its way. Owned by the door's lines, then by the operation until it is
 * answered. */
struct answer_call {
	struct list queued;       /* in a line of the door */
	struct list of_link;      /* in link->calls */
	struct answer_link *link; /* NULL once the peer is gone */
	struct answer_door *door;
	struct wire_msg req;        /* spans into bytes[] */
	struct keys_entry *entry;   /* the key it means; set while it is performed */
	const struct answer_op *op; /* NULL: an operation on a key */
	uint64_t since_us;          /* clock_us() when its last octet was here */
	uint64_t began_us;          /* when work on it began */
	size_t room;                /* of the link's out, kept for the answer */
	size_t n;
	uint8_t bytes[]; /* what the spans of req point to */
};

/* An operation beyond those on keys: ping is built in, MINT is proc/vault.c's. */
struct answer_op {
	uint8_t op;
	bool dear;           /* waits with the RSA operations */
	uint16_t answer_max; /* payload of its largest answer; 0: 1000 */
	/* Ends in answer_reply() or answer_refuse(), now or later. */
	void (*run)(struct answer_call *c);
};

/* What happened, for events and metrics: once per answered request. */
struct answer_audit {
	const struct answer_call *call;
	enum wire_error result;
	/* from the last octet of the request to the start of work */
	uint64_t waited_us;
	uint64_t took_us; /* from the last octet of the request to the answer */
};

struct answer_door {
	struct keys *keys;           /* borrowed; NULL: no key operations */
	const struct answer_op *ops; /* borrowed */
	size_t n_ops;
	size_t line_max; /* calls waiting in each line; beyond it error 8 */
	size_t link_max; /* calls of one link before it is no longer read */
	/* a call that waited longer is answered error 8; 0: none */
	uint64_t deadline_us;
	bool padded; /* answers are padded; off for the vault's link */
	/* May be NULL. Called for every request that was answered or refused. */
	void (*audited)(struct answer_door *d, const struct answer_audit *a);
	/* May be NULL: instead of keys->…, performs a key operation itself (passes it
	 * on to the vault). c->entry is NULL then. */
	void (*pass_on)(struct answer_call *c);
	/* May be NULL: which store a request means, instead of keys. */
	struct keys *(*store)(struct answer_door *d, const struct wire_msg *req);

	struct answer_queue {
		struct list calls;
		size_t n;
	} cheap, dear;
	unsigned run; /* cheap ones served since the last dear one */
};

/* Who the peer is and what it may: one per client certificate, or one for the vault. */
struct answer_client {
	const char *name;      /* for audit; borrowed */
	struct wire_mask mask; /* operations it may ask for */
	/* Keys it may use, 20 octets each in one piece, sorted; none means all. */
	const uint8_t *skis;
	size_t n_skis;
	/* Server names it may give: exact, or ".example" for all below; none means any.
	 */
	const char *const *names;
	size_t n_names;
	uint32_t per_second;   /* operations on keys; 0: no limit */
	uint64_t tokens_milli; /* of the rate, shared by the client's connections */
	uint64_t tokens_at_ms;
};

struct answer_link {
	struct answer_door *door;     /* borrowed */
	struct answer_client *client; /* borrowed */
	struct buf *in;               /* borrowed: octets from the peer */
	struct buf *out;              /* borrowed: octets to it */
	struct wire_reader reader;
	struct list calls; /* all of this peer, queued or kept by operations */
	size_t n_calls;
	size_t reserved; /* octets of out kept for answers to come */
	bool ending;     /* broke the protocol: close once out is written */
	/* Octets were added to out outside answer_link_advance(). May be NULL. */
	void (*wrote)(struct answer_link *l);
	uint64_t requests;
};

void answer_door_init(struct answer_door *d, struct keys *keys);
/* All links are gone before. */
void answer_door_fini(struct answer_door *d);

/* out's limit bounds the answers under way: requests are not read while it lacks room
 * for theirs. in's limit must hold one message of WIRE_HEAD + body_max (default 4096;
 * set l->reader.body_max afterwards). */
void answer_link_init(struct answer_link *l, struct answer_door *d,
	struct answer_client *client, struct buf *in, struct buf *out);
/* Orphans its calls. */
void answer_link_fini(struct answer_link *l);

/* Takes requests from `in` into the door's lines while there is room; answers what can
 * be answered at once. False when the peer broke the protocol and is to be closed after
 * `out` is written. */
MUST_USE bool answer_link_advance(struct answer_link *l);

/* Serves calls from the lines for about budget_us. True while some are left: come again
 * next turn. */
bool answer_door_serve(struct answer_door *d, uint64_t budget_us);

/* Ends the call; c is gone. */
void answer_reply(struct answer_call *c, struct span payload);
void answer_refuse(struct answer_call *c, enum wire_error code);

// SPDX-License-Identifier: Apache-2.0
/*
 * ask: wanting something from a key that is elsewhere.
 *
 * A requester embeds a `struct ask`, fills in `want`, sends it, and is told once by
 * done(). Any number wait at a time; answers come in any order and are matched by
 * identifier. A deadline, a broken link and an error answer all end the same way:
 * done() with ok false and err set. After ask_cancel() nothing comes, and a late answer
 * finds nothing.
 *
 *	a->want = (struct wire_msg){
 *		.op = WIRE_ECDSA_SHA256, .ski = ski, .payload = hash};
 *	a->done = signature_came;
 *	if (!ask_send(link, a, &err)) …
 *
 * `struct ask_link` is the engine: bytes of one peer, no socket. ask_line.h puts it on
 * a plain socket (the vault), ask_pool.h on TLS to several key servers.
 */
#pragma once

#include "base/list.h"
#include "keyless/wire.h"

struct ask_job;
struct ask_link;

struct ask {
	/* The requester's. Spans in want live until done() or ask_cancel(). */
	struct wire_msg want; /* id is ours */
	void (*done)(struct ask *a);

	/* The outcome, for done(). a is the requester's again: it may be freed or sent
	 * anew from inside done(). */
	bool ok;
	uint8_t refusal;    /* enum wire_error when the peer answered one, else 0 */
	struct span answer; /* payload of the answer; dies when done() returns */
	struct err err;     /* ERR_KEYLESS_*, when not ok */
	const char *server; /* of a pool: host of who answered last; the pool's */

	/* The link's. */
	struct ask_link *link; /* where it waits, or NULL */
	struct list by_age;    /* in the link's waiting or sent */
	uint64_t sent_us;
	uint64_t due_ms;
	uint32_t slot;

	/* The pool's, while it has the ask; see ask_pool.h. */
	struct ask_job *job;
	void (*cancelled)(struct ask *a); /* when job is set */
};

enum { ASK_SLOTS_MAX = 1u << 16 };

struct ask_slot {
	struct ask *ask;     /* borrowed; NULL when free */
	uint32_t next_free;  /* while free: the next, or ASK_SLOTS_MAX */
	uint16_t generation; /* upper half of the identifier */
};

struct ask_link {
	struct buf *in;  /* borrowed: octets from the peer */
	struct buf *out; /* borrowed: octets to it */
	struct wire_reader reader;
	struct ask_slot *slots; /* owned */
	size_t n_slots;         /* allocated */
	size_t max;             /* asks at a time */
	size_t n;               /* asks now */
	uint32_t free_slot;     /* head of the free list, or ASK_SLOTS_MAX */
	struct list waiting;    /* not yet written for want of room in out */
	struct list sent;       /* written, oldest (first due) first */
	uint32_t timeout_ms;    /* from ask_send() to done(), at most */
	bool padded;            /* requests are padded to WIRE_PAD_TO */
	bool advancing;         /* inside ask_link_advance() */
	bool broken;
	/* Called when octets were added to out outside ask_link_advance(): arrange for
	 * them to be written at the end of the turn. May be NULL. */
	void (*wrote)(struct ask_link *l);
	/* Called for each answer with the time it took; for a pool's measurements. May
	 * be NULL. */
	void (*measured)(struct ask_link *l, uint64_t took_us);
	uint64_t answers;
	uint64_t strays; /* answers to nobody: late, cancelled or invented */
};

/* max asks at a time (at most ASK_SLOTS_MAX); bufs borrowed for the link's life. */
void ask_link_init(struct ask_link *l, struct buf *in, struct buf *out, size_t max);
/* Every ask still there is answered with ERR_KEYLESS_BROKEN first. */
void ask_link_fini(struct ask_link *l);

/* Sends, or queues while out is full. On false done() will not come: the link is
 * broken, has max asks, or the message cannot be expressed. */
MUST_USE bool ask_send(struct ask_link *l, struct ask *a, struct err *err);
/* Forgets an ask wherever it waits; harmless when it does not wait. done() will not
 * come. */
void ask_cancel(struct ask *a);

/* Reads the answers that are in `in`, calls done() for each, writes what waited. False
 * when the peer broke the protocol: all asks have been answered with an err, and the
 * holder closes. */
MUST_USE bool ask_link_advance(struct ask_link *l, struct err *err);
/* Answers every ask with this error; later sends fail. */
void ask_link_break(struct ask_link *l, const struct err *why);
/* Answers the asks whose time is over. Returns when the next is due (clock_now()
 * units), or UINT64_MAX. */
uint64_t ask_link_expire(struct ask_link *l, uint64_t now_ms);

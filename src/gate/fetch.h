// SPDX-License-Identifier: Apache-2.0
/*
 * fetch: one small thing from a plain http address, on the loop and bounded.
 *
 * For what verifying needs and a handshake did not bring: intermediates, OCSP answers,
 * CRLs. The address comes from a certificate, so from a stranger: only http, only
 * addresses that the caller allows (asked again for every attempt), no redirects, no
 * credentials, one deadline for all of it, and no more octets than asked for.
 */
#pragma once

#include "base/arena.h"
#include "http/h1_read.h"
#include "http/h1_write.h"
#include "net/dial.h"
#include "net/io.h"
#include "net/resolve.h"

enum {
	FETCH_URL = 1024,      /* octets of an address */
	FETCH_REQUEST = 16384, /* octets of what is posted */
};

/* What is asked. Everything is copied but `allowed`'s owner. */
struct fetch_ask {
	struct span url;
	struct span post;     /* octets to post; empty: GET */
	const char *type;     /* their media type; a constant */
	const char *accept;   /* media type of the answer; a constant */
	size_t limit;         /* octets of the answer */
	uint64_t deadline_ms; /* clock_now() by which it is over */
};

/* Zero but for what the caller sets. */
struct fetch {
	/* Set by the caller. */
	void (*done)(struct fetch *f); /* from the loop, never from fetch_start() */
	bool (*allowed)(struct fetch *f, const struct addr *to, struct err *err);

	/* The result: ok, and the octets in body; or err (ERR_GATE_FETCH and others).
	 */
	bool ok;
	bool reached; /* a connection stood, whatever came of it */
	struct buf body;
	struct err err;

	/* Private. */
	enum { FETCH_IDLE, FETCH_RESOLVING, FETCH_DIALLING, FETCH_TALKING } state;
	struct loop *loop;
	struct arena arena;
	struct resolve resolve;
	struct dial dial;
	struct io io;
	struct timer timer;
	struct hook finished;
	struct h1_reader reader;
	struct http_head request;
	struct http_head response;
	struct span post;
	struct span host;
	uint16_t port;
	uint64_t deadline_ms;
};

/* Where things are resolved and dialled; borrowed. */
struct fetch_place {
	struct loop *loop;
	struct resolver *resolver;
};

/* done() comes in any case, unless fetch_cancel() comes first. */
void fetch_start(
	struct fetch *f, const struct fetch_place *at, const struct fetch_ask *ask);
/* Ends it where it is, and frees what it holds, body included. Harmless when idle;
 * after done() it must be called to free the body. */
void fetch_cancel(struct fetch *f);

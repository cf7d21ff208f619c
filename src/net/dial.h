// SPDX-License-Identifier: Apache-2.0
/*
 * dial: a TCP connection to the first address that answers (RFC 8305 §5).
 *
 * Addresses are tried in the order given, the next one when the one before has failed
 * or 250 ms have passed; the first to connect wins and the others are closed. Before
 * every single attempt the caller is asked whether this very address may be used: the
 * decision is made on what is dialled, not on what was once resolved.
 */
#pragma once

#include "base/err.h"
#include "net/addr.h"
#include "net/loop.h"

enum {
	DIAL_MOST = 16,        /* addresses looked at */
	DIAL_STAGGER_MS = 250, /* "Connection Attempt Delay", RFC 8305 §8 */
};

struct dial_race;

/* Zero but for what the caller sets. */
struct dial {
	/* Set by the caller. */
	void (*done)(struct dial *d); /* from the loop, never from dial_start() */
	/* May this address be dialled? Says why not in *err. NULL allows all. */
	bool (*allowed)(struct dial *d, const struct addr *to, struct err *err);
	const struct addr *source; /* NULL: the kernel's choice. Port 0 is usual. */
	bool transparent;          /* source is not ours (IP_TRANSPARENT) */
	uint32_t mark;             /* SO_MARK; 0 none */

	/* The result. */
	int fd;           /* connected, the callee's from done() on; -1: failed */
	struct addr peer; /* where it went */
	/* When it failed: what each address said, in order. The code is allowed()'s own
	 * when that refused all of them. */
	struct err err;
	unsigned n_tried;

	/* Private. */
	struct loop *loop;
	struct timer timer;
	struct hook finished;
	struct dial_race *race; /* owned, while dialling */
};

/* Where to. */
struct dial_to {
	const struct ip *ips; /* copied; at most DIAL_MOST are used */
	size_t n;
	uint16_t port;
};

/* done() comes in any case, unless dial_cancel() comes first. */
void dial_start(struct dial *d, struct loop *loop, const struct dial_to *to,
	uint64_t deadline_ms);
/* A Unix socket: connected, or refused, at once. Non-blocking, close-on-exec. */
MUST_USE bool dial_unix(struct span path, int *fd, struct err *err);
/* Closes every attempt; done() will not be called. Harmless when not dialling. After
 * done() the fd is not touched. */
void dial_cancel(struct dial *d);

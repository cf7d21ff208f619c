// SPDX-License-Identifier: Apache-2.0
/*
 * crl: the authority's own revocation list, for clients that insist on seeing one.
 *
 * SChannel refuses certificates whose revocation it cannot look up. So leafs name an
 * address, and what lies there is served: a list that the vault signs, which revokes
 * nothing, asked for at start and anew long before it ends.
 */
#pragma once

#include "keyless/ask.h"
#include "net/timer.h"

struct gateway;
struct loop;

struct crl {
	const struct gateway *g; /* borrowed */
	struct ask_link *vault;  /* borrowed */
	struct loop *loop;
	struct span der; /* owned; empty: none yet */
	struct ask ask;
	struct timer timer;
	uint64_t retry_ms; /* after the next failure */
};

/* Asks; nothing waits for it. Does nothing where leafs name no list of ours. */
void crl_open(struct crl *c, const struct gateway *g, struct ask_link *vault,
	struct loop *loop);
/* Harmless for one that was not opened. */
void crl_close(struct crl *c);

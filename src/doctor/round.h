// SPDX-License-Identifier: Apache-2.0
/*
 * round: hosts asked and judged together, once through the proxy and once around it.
 */
#pragma once

#include "doctor/look.h"

/* Made by round_new(); add hosts, read lists, ask, read `hosts`. */
struct round {
	struct probe *probes[PROBES];   /* owned */
	struct look_host hosts[PROBES]; /* as added */
	size_t n;
	struct probe *direct_probes[PROBES]; /* owned */
	struct look_host direct[PROBES];     /* the same hosts around the proxy */
	size_t n_direct;                     /* 0 or n */
	struct look_lists lists;
	struct chain public_roots; /* owned */
	uint64_t within_ms;        /* for all hosts together; set by the caller */
};

/* Heap: it is large. */
struct round *round_new(void);
void round_free(struct round *r); /* NULL does nothing */

/* "host", "host:port" or "https://host:port/…"; ERR_USAGE for anything else, and for a
 * proxy in the environment that we cannot use. bad: broken on purpose, says the user.
 */
MUST_USE bool round_add(struct round *r, const char *host, bool bad, struct err *err);
/* What is trusted and what is public; NULL: this machine's store, the carried list. */
MUST_USE bool round_lists(struct round *r, const char *store_file,
	const char *public_file, struct err *err);
/* Asks and judges all. */
MUST_USE bool round_ask(struct round *r, bool direct_too, struct err *err);

/* The class of classes.tsv that a host's answer shows, or NULL when it is good. */
const char *round_class(const struct look_host *h);

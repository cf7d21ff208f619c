// SPDX-License-Identifier: Apache-2.0
/*
 * untrusted: what is done about an origin whose certificate is not good.
 *
 * Each class of fault has its action. A chain with several faults gets the strictest of
 * theirs, so that allowing what has expired allows no expired forgery. Two classes have
 * no action: a key known to be in wrong hands and a certificate of our own authority
 * are refused whatever is written.
 */
#pragma once

#include "conf/schema.h"
#include "pki/trust.h"

/* From the strictest to the mildest, but for the last two; zero is the safe one. */
enum untrusted_action {
	UNTRUSTED_BLOCK,      /* a page says what is wrong */
	UNTRUSTED_PROMPT,     /* people are warned by a page, and decide */
	UNTRUSTED_MIRROR,     /* the client is shown the fault, and decides */
	UNTRUSTED_ALLOW,      /* goes on, and is logged */
	UNTRUSTED_BYPASS,     /* of a rule: the client is left alone with the origin */
	UNTRUSTED_AS_DEFAULT, /* of a class: what the block's own line says */
};

struct untrusted {
	int action;            /* of every class without one of its own */
	int of[VERDICT_COUNT]; /* enum untrusted_action; by class */
	uint64_t consent_ms;   /* whoever was warned may go on for so long */
};

/* The block `untrusted`, for settings.c. */
extern const struct conf_table untrusted_block;

/* "allow", "mirror", …: as configurations and events have it. */
const char *untrusted_word(enum untrusted_action action);
/* The action of that word for a rule, or UNTRUSTED_AS_DEFAULT. */
enum untrusted_action untrusted_find(struct span word);

/* What the settings say about a verdict that is not good. */
enum untrusted_action untrusted_choose(
	const struct untrusted *u, const struct verdict *v);
/* Whether nothing that is written may let it pass. */
MUST_USE bool untrusted_is_hopeless(const struct verdict *v);
/* What is written for one class alone. */
enum untrusted_action untrusted_of(const struct untrusted *u, enum verdict_class class);

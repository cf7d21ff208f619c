// SPDX-License-Identifier: Apache-2.0
/*
 * acts: what a rule can do.
 *
 * To add an action: a row in acts.c (name, phases, how its arguments are read) and the
 * place that takes it. Deciding ones end the phase; noting ones add up.
 */
#pragma once

#include "conf/tree.h"
#include "event/event.h"
#include "gate/manner.h"
#include "rule/policy.h"
#include "shared/rate.h"

enum act_kind {
	ACT_BYPASS,
	ACT_ALLOW,
	ACT_BLOCK,
	ACT_PROMPT,
	ACT_REDIRECT,
	ACT_LOG,
	ACT_REQUEST_HEADER,
	ACT_RESPONSE_HEADER,
	ACT_OVERRIDE,
	ACT_REDACT,
	ACT_UNTRUSTED,
	ACT_TLS,
	ACT_RATE,
	ACT_REWRITE,
	ACT_SCAN,
	ACT_NOSCAN,
	ACT_COUNT
};

enum act_header { ACT_HEADER_SET, ACT_HEADER_ADD, ACT_HEADER_REMOVE };

/* One rule's action with its arguments. Spans lie in the configuration's arena. */
struct act {
	enum act_kind kind;
	const struct policy_action *row;
	struct span text; /* block, prompt: the reason shown; log: the label */
	bool reset;       /* block: close instead of a page */
	uint64_t for_ms;  /* prompt: who insists may go on so long */

	/* redirect */
	struct span url;
	unsigned status;
	bool keep_path;
	bool keep_query;

	/* request-header, response-header */
	enum act_header header;
	struct span name;
	struct span value;

	/* override; what is absent stays as it was */
	struct span host;
	struct span sni;
	uint16_t port;

	uint8_t redacted[(EVENT_FIELDS + 7) / 8]; /* redact: bit per event field */
	int untrusted;                            /* enum untrusted_action */

	/* tls; what is absent is as the gateway says */
	struct manner client;
	struct manner origin;
	bool has_revocation;
	int revocation;          /* enum trust_revocation */
	struct span certificate; /* files as written; shown to the origin */
	struct span key;
	struct identity *identity; /* what they hold; owned by the settings */

	/* rate, rewrite */
	struct rate_limit rate;
	struct span expr;             /* as written; empty: the client's network */
	struct rule_expr *value_expr; /* owned by the settings */
};

/*
 * Reads `do ACTION [ARGUMENT …]` of a rule: words from first on. False when something
 * was complained about.
 */
MUST_USE bool act_read(const struct conf_node *rule, size_t first, struct act *out,
	struct conf_report *report);

/* The action of this name or alias, or NULL. */
const struct policy_action *act_find(struct span name);

/* Markdown table of all actions, for the manual. */
struct text;
void act_put_manual(struct text *t);

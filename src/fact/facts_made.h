// SPDX-License-Identifier: Apache-2.0
/*
 * facts_made: facts that are made of others, each only when some rule asks for it.
 *
 * To add one: an enumerator, its maker and a row in facts_made.c, and a row in vocab.c
 * whose getter is get_made() and whose arg is the enumerator.
 */
#pragma once

#include "base/arena.h"
#include "rule/field.h"

enum made {
	/* of the ClientHello */
	MADE_CIPHERS_SHA1,
	MADE_EXTENSIONS_SHA1,
	MADE_EXTENSIONS_SHA1_LE,
	MADE_HELLO_RANDOM,
	/* of the request */
	MADE_SEED,
	MADE_RAY_ID,
	MADE_FULL_URI,
	MADE_HEADERS,
	MADE_HEADER_NAMES,
	MADE_HEADER_VALUES,
	MADE_COOKIE,
	MADE_COOKIES,
	MADE_FORWARDED_FOR,
	MADE_LANGUAGES,
	MADE_ARGS,
	MADE_ARG_NAMES,
	MADE_ARG_VALUES,
	MADE_EXTENSION,
	/* of the response */
	MADE_RESPONSE_HEADERS,
	MADE_RESPONSE_NAMES,
	MADE_RESPONSE_VALUES,
	MADE_MEDIA_TYPE,
	MADE_COUNT
};

enum { MADE_PIECES_MAX = 1000 }; /* arguments or cookies that are told */

struct facts;
struct policy;
struct rule_expr;

/* Bit per enum made that a rule of the policy reads. */
uint32_t facts_made_wanted(const struct policy *p);
/* The same of one expression. */
uint32_t facts_made_by(const struct rule_expr *e);
/* Makes those of one phase: hello, request or response. They lie in the arena. */
void facts_make(struct facts *f, enum phase phase, uint32_t wanted, struct arena *a);

// SPDX-License-Identifier: Apache-2.0
/*
 * field: what rules can ask about, and when it can be known.
 *
 * A scheme is a table of fields with the lists that rules may name. The rule room knows
 * no HTTP and no session: it calls a row's getter, and the getter belongs to whoever
 * wrote the table. To serve a field: one row. Names, types, phases and help texts of
 * the manual, of `explain` and of error hints come from the same row.
 */
#pragma once

#include "rule/value.h"

/* When a field first exists, in the order of a connection's life; DNS has its own two.
 */
enum phase {
	PHASE_ACCEPT,       /* connection accepted, addresses known */
	PHASE_HELLO,        /* ClientHello read */
	PHASE_PEER,         /* origin reached, its certificate judged */
	PHASE_HANDSHAKE,    /* client's handshake done */
	PHASE_REQUEST,      /* request head */
	PHASE_REQUEST_BODY, /* as much of the body as is looked at */
	PHASE_RESPONSE,     /* response head */
	PHASE_RESPONSE_BODY,
	PHASE_DNS_QUERY,
	PHASE_DNS_ANSWER,
	PHASE_COUNT
};

/* "accept", "hello", "peer", "handshake", "request", "request-body", … */
const char *phase_name(enum phase p);
MUST_USE bool phase_find(struct span name, enum phase *out);

/*
 * What getters read. Its owner defines it (fact/facts.h) and begins it with a
 * struct facts_base; the rule room only passes it on.
 */
struct facts;

struct facts_base {
	enum phase reached; /* fields of later phases are missing */
};

/* The base that every struct facts begins with. */
const struct facts_base *rule_facts_base(const struct facts *f);

enum {
	FIELD_UNFILLED =
		1 << 0, /* known by name, not filled yet: a rule using it says so */
	FIELD_HOST = 1 << 1,     /* names a destination: worth indexing rules by */
	FIELD_CONSTANT = 1 << 2, /* always the same (e.g. a score that is always 0) */
	FIELD_GATEWAY = 1 << 3,  /* Gateway selectors; an Array compares bare there */
};

struct field {
	const char *name;
	enum type type;
	enum phase phase;
	/* Missing when not known. What it returns lives as long as the facts. It may be
	 * called many times; it must not allocate. */
	struct value (*get)(const struct facts *f, const struct field *row);
	const char *help;
	unsigned flags;
	uint16_t arg;   /* the getter's own: lets one getter serve many rows */
	uint16_t again; /* bit per phase in which the value may change: 1 << PHASE_… */
	const char *same; /* not NULL: an older or other name of that field */
};

struct lists;
struct scratch;

struct scheme {
	const struct field *fields; /* borrowed; any order */
	size_t n_fields;
	const struct field **sorted; /* owned, by name */
	size_t n_sorted;
	const struct lists *lists; /* borrowed; NULL: there are none */
	struct scratch *scratch;   /* owned; the results of functions, per process */
};

/* fields outlives the scheme. Of two rows of one name the one that is filled counts;
 * two filled ones abort. lists may be NULL. */
void scheme_init(struct scheme *s, const struct field *fields, size_t n,
	const struct lists *lists);
void scheme_fini(struct scheme *s);
/* The row, or NULL. */
const struct field *scheme_field(const struct scheme *s, struct span name);
/* The nearest known field name within reason, or NULL. */
const char *scheme_nearest(const struct scheme *s, struct span name);

// SPDX-License-Identifier: Apache-2.0
/*
 * regex: patterns of the rules language: the Rust dialect on octets, in linear time.
 *
 * A pattern is read by our own parser, which knows the dialect and gives the reasons
 * for refusing; it is then rewritten in the few forms that Vectorscan and we understand
 * alike. What Vectorscan cannot take (an anchor in the middle, captures for a
 * replacement) runs on our own automaton, also linear.
 */
#pragma once

#include "base/span.h"

struct regex;
struct regex_room;

enum { REGEX_GROUPS_MAX = 9, REGEX_REASON = 120 };

struct regex_fault {
	size_t at;                 /* octet of the pattern */
	char reason[REGEX_REASON]; /* what is not understood or not allowed */
};

/* Where compiled patterns live: equal ones are built once. */
struct regex_room *regex_room_new(void);
void regex_room_free(struct regex_room *r);

/* The compiled pattern, owned by the room; NULL and *fault when it is refused. */
const struct regex *regex_get(
	struct regex_room *r, struct span pattern, struct regex_fault *fault);

/* Whether it occurs in s. Allocates nothing. */
MUST_USE bool regex_matches(const struct regex *re, struct span s);

struct regex_spans {
	size_t from[REGEX_GROUPS_MAX]; /* SIZE_MAX: the group took no part */
	size_t to[REGEX_GROUPS_MAX];
};

/* The same by our own automaton: what Vectorscan's answer is tested against. */
MUST_USE bool regex_matches_slowly(const struct regex *re, struct span s);

/* Takes the memory that regex_find() needs; when a rule is compiled. */
void regex_prepare_find(const struct regex *re);
/* The first occurrence (leftmost, alternatives in order) and its groups; 0 is the
 * whole. */
MUST_USE bool regex_find(
	const struct regex *re, struct span s, struct regex_spans *out);

struct span regex_pattern(const struct regex *re);
/* Whether Vectorscan runs it (else our own automaton). */
MUST_USE bool regex_is_fast(const struct regex *re);

/*
 * Many patterns asked about one text: one pass answers all. Patterns that cannot join
 * are refused by regex_pool_add() and are run one by one.
 */
struct regex_pool;
struct regex_pool *regex_pool_new(void);
void regex_pool_free(struct regex_pool *p);
/* Its bit, the same for an equal pattern; SIZE_MAX when it cannot join. */
size_t regex_pool_add(struct regex_pool *p, const struct regex *re);
/* After the last add. What cannot be built as one is asked one by one. */
void regex_pool_seal(struct regex_pool *p);
/* Sets the bits of those that occur in s; bits has regex_pool_words() words. */
void regex_pool_scan(const struct regex_pool *p, struct span s, uint64_t *bits);
size_t regex_pool_words(const struct regex_pool *p);

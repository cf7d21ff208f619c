// SPDX-License-Identifier: Apache-2.0
/*
 * scratch: where functions of rules leave their results.
 *
 * Evaluating allocates nothing: results such as lower(http.host) lie in one block that
 * is made with the scheme and starts over with each evaluation. A result that finds no
 * room is missing, and counted. Compiled patterns live here too, so that the same one
 * written in many rules is built once. After fork each process has its own.
 */
#pragma once

#include "base/map.h"
#include "rule/value.h"

enum { SCRATCH_SIZE = 1 << 20 };

struct regex_room;

struct scratch {
	uint8_t *mem; /* owned; pages are touched only when used */
	size_t used;
	uint64_t overflows;
	struct regex_room *patterns; /* owned */
};

struct scratch *scratch_new(void);
void scratch_free(struct scratch *s);
/* n bytes aligned for any value, or NULL when there is no room. */
void *scratch_take(struct scratch *s, size_t n);
/* Gives back what was taken since used was `mark`. */
void scratch_back(struct scratch *s, size_t mark);

// SPDX-License-Identifier: Apache-2.0
#include "rule/scratch_priv.h"

#include "tests/test.h"

static void
room_is_given_back_and_never_exceeded(void)
{
	struct scratch *s = scratch_new();
	uint8_t *first = scratch_take(s, 100);
	CHECK(first != NULL && (uintptr_t)first % 16 == 0);
	size_t mark = s->used;
	CHECK(scratch_take(s, 1) != NULL);
	scratch_back(s, mark);
	CHECK(scratch_take(s, SCRATCH_SIZE) == NULL);
	CHECK(scratch_take(s, SIZE_MAX) == NULL);
	CHECK_INT(s->overflows, 2);
	scratch_back(s, 0);
	CHECK(scratch_take(s, SCRATCH_SIZE) == first);
	scratch_free(s);
	scratch_free(NULL);
}

TESTS(room_is_given_back_and_never_exceeded)

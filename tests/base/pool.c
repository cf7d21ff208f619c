// SPDX-License-Identifier: Apache-2.0
#include "base/pool.h"

#include <stdalign.h>
#include <string.h>

#include "tests/test.h"

static void
blocks_of_every_size_are_whole_and_aligned(void)
{
	for (size_t n = 0; n < 3 * POOL_MOST; n += 61) {
		uint8_t *p = pool_take(n);
		CHECK_INT((uintptr_t)p % alignof(max_align_t), 0);
		memset(p, 0xa5, n);
		pool_give(p, n);
	}
	pool_trim();
}

static void
two_that_are_out_at_once_are_not_the_same(void)
{
	uint8_t *all[300];
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < COUNT_OF(all); i++) {
			all[i] = pool_take(200);
			memset(all[i], (int)(i & 0x7f), 200);
		}
		for (size_t i = 0; i < COUNT_OF(all); i++) {
			CHECK_INT(all[i][0], i & 0x7f);
			CHECK_INT(all[i][199], i & 0x7f);
			pool_give(all[i], 200);
		}
	}
	pool_trim();
}

static void
a_zeroed_block_is_zeroed_after_another_used_it(void)
{
	uint8_t *p = pool_take(500);
	memset(p, 0xff, 500);
	pool_give(p, 500);
	p = pool_take_zeroed(500);
	for (size_t i = 0; i < 500; i++)
		CHECK_INT(p[i], 0);
	pool_give(p, 500);
	pool_give(NULL, 500);
	pool_trim();
	pool_trim();
}

TESTS(blocks_of_every_size_are_whole_and_aligned,
	two_that_are_out_at_once_are_not_the_same,
	a_zeroed_block_is_zeroed_after_another_used_it)

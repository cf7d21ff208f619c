// SPDX-License-Identifier: Apache-2.0
/*
 * pool: small blocks that are taken and given back all day.
 *
 * A request needs the same few sizes as the one before it, so a block that is given
 * back waits in a list of its size for the next taker, warm and without the allocator.
 * What waits is bounded; what is larger than POOL_MOST comes from the allocator as it
 * is. Under a sanitizer all of it does, so that a use after giving back is found.
 */
#pragma once

#include "base/attr.h"

enum { POOL_MOST = 4096 };

/* n bytes, aligned for any type and not zeroed. Never NULL. */
void *pool_take(size_t n);
/* The same n zeroed. */
void *pool_take_zeroed(size_t n);
/* p was taken with this n; NULL does nothing. */
void pool_give(void *p, size_t n);
/* Gives back what waits; at worker exit and when memory is short. */
void pool_trim(void);

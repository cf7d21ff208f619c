// SPDX-License-Identifier: Apache-2.0
/*
 * poison: tells AddressSanitizer that memory in a list of our own is nobody's, so that
 * a use after giving back is found there as it is in the heap. Without it nothing
 * happens.
 */
#pragma once

#include "base/attr.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISON_WORKS 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(POISON_WORKS)
#define POISON_WORKS 1
#endif

#ifdef POISON_WORKS
#include <sanitizer/asan_interface.h>

static inline void
poison(const void *p, size_t n)
{
	__asan_poison_memory_region(p, n);
}

static inline void
unpoison(const void *p, size_t n)
{
	__asan_unpoison_memory_region(p, n);
}

static inline bool
is_poisoned(const void *p)
{
	return __asan_address_is_poisoned(p);
}
#else
#define POISON_WORKS 0

static inline void
poison(const void *p, size_t n)
{
	(void)p, (void)n;
}

static inline void
unpoison(const void *p, size_t n)
{
	(void)p, (void)n;
}

static inline bool
is_poisoned(const void *p)
{
	(void)p;
	return false;
}
#endif

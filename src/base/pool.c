// SPDX-License-Identifier: Apache-2.0
#include "base/pool.h"

#include <string.h>

#include "base/mem.h"

enum {
	STEP = 32,
	CLASSES = POOL_MOST / STEP,
	KEPT_BYTES = 512 * 1024, /* per class */
};

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(SANITIZED)
static const bool keeps = false;
#else
static const bool keeps = true;
#endif

struct pooled {
	struct pooled *next;
};

/* A process has one. */
static struct {
	struct pooled *first;
	size_t bytes;
} kept[CLASSES + 1];

static size_t
class_of(size_t n)
{
	return n > 0 ? (n + STEP - 1) / STEP : 1;
}

void *
pool_take(size_t n)
{
	size_t class = class_of(n);

	if (class > CLASSES)
		return mem_resize(NULL, n);
	struct pooled *p = kept[class].first;
	if (!p)
		return mem_resize(NULL, keeps ? class * STEP : n);
	kept[class].first = p->next;
	kept[class].bytes -= class * STEP;
	return p;
}

void *
pool_take_zeroed(size_t n)
{
	return memset(pool_take(n), 0, n);
}

void
pool_give(void *p, size_t n)
{
	size_t class = class_of(n);
	struct pooled *back = p;

	if (!p)
		return;
	if (!keeps || class > CLASSES ||
		kept[class].bytes + class * STEP > KEPT_BYTES) {
		mem_free(p);
		return;
	}
	back->next = kept[class].first;
	kept[class].first = back;
	kept[class].bytes += class * STEP;
}

void
pool_trim(void)
{
	for (size_t i = 1; i <= CLASSES; i++) {
		while (kept[i].first) {
			struct pooled *p = kept[i].first;
			kept[i].first = p->next;
			mem_free(p);
		}
		kept[i].bytes = 0;
	}
}

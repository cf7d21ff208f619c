// SPDX-License-Identifier: Apache-2.0
/*
 * arena: memory that is freed all at once.
 *
 * A session and each exchange have one; what they learn from strangers lies in it and
 * goes with it. An arena has a hard limit: arena_room() is asked before foreign sizes
 * are taken in; to exceed the limit is our mistake and aborts.
 */
#pragma once

#include "base/span.h"

struct arena_block;

struct arena {
	struct arena_block *blocks; /* owned, newest first */
	size_t used;                /* bytes handed out */
	size_t limit;
};

/* Nothing is allocated yet. */
void arena_init(struct arena *a, size_t limit);
/* Frees everything; a may be used again. */
void arena_fini(struct arena *a);
/* As arena_fini(), but keeps one block for the next use. */
void arena_reset(struct arena *a);

/* Bytes that may still be taken. */
MUST_USE size_t arena_room(const struct arena *a);
/* n zeroed bytes, aligned for any type. */
void *arena_alloc(struct arena *a, size_t n);
/* A copy of s that lives as long as the arena. */
struct span arena_copy(struct arena *a, struct span s);
/* The same with a closing NUL. */
char *arena_cstr(struct arena *a, struct span s);
/* Formats into the arena, at most 4,095 octets of it; the span excludes the closing
 * NUL, which is there. */
struct span arena_format(struct arena *a, const char *fmt, ...) PRINTF(2, 3);

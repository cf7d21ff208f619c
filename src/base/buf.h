// SPDX-License-Identifier: Apache-2.0
/*
 * buf: a bounded queue of bytes in flight.
 *
 * Full means *stop reading the other side*, never *grow*. The bytes lie in one piece,
 * so parsers see a span and no copy is made to join halves; room grows by powers of two
 * up to the limit, and an empty buf owns no memory at all: an idle connection costs its
 * struct. Blocks of common sizes are kept in a small free list of the process.
 *
 *      mem            head              tail            cap       limit
 *       |--- dropped --|---- readable ---|---- free -----|  ......  |
 */
#pragma once

#include "base/span.h"

struct buf {
	uint8_t *mem;  /* owned; NULL while empty */
	uint32_t head; /* first readable byte */
	uint32_t tail; /* one past the last */
	uint32_t cap;
	uint32_t limit; /* readable bytes never exceed this */
};

/* Nothing is allocated. limit at most 1 GiB. */
void buf_init(struct buf *b, size_t limit);
/* Frees the memory; b may be used again. */
void buf_fini(struct buf *b);
/* Also wipes the bytes first: for plaintext and keys. */
void buf_wipe(struct buf *b);

MUST_USE size_t buf_len(const struct buf *b);
/* How many bytes may still be added. */
MUST_USE size_t buf_room(const struct buf *b);
MUST_USE bool buf_full(const struct buf *b);
MUST_USE bool buf_empty(const struct buf *b);

/* All readable bytes. Valid until the next call that adds or drops. */
struct span buf_peek(const struct buf *b);
/* Forgets the first n readable bytes; n is at most buf_len(). The last one gives the
 * memory back. */
void buf_drop(struct buf *b, size_t n);

/*
 * Room to write into: at least min(want, buf_room()) bytes in one piece, at *n how
 * many. NULL with *n = 0 when full. What was written is announced with buf_added().
 */
uint8_t *buf_space(struct buf *b, size_t want, size_t *n);
void buf_added(struct buf *b, size_t n);

/* Adds all of s or nothing; false when it does not fit. */
MUST_USE bool buf_put(struct buf *b, struct span s);
/* Moves up to max bytes; returns how many. An empty dst with the same limit just takes
 * src's block, without a copy. */
size_t buf_move(struct buf *dst, struct buf *src, size_t max);

/* Gives back blocks kept for reuse; at worker exit and when memory is short. */
void buf_trim(void);

// SPDX-License-Identifier: Apache-2.0
/*
 * shelf: a directory of octets by key, bounded, shared by processes: a cache on disk.
 *
 * Every item says until when it is worth something. Whoever finds one also finds that
 * it is whole (SHA-256), so nothing is synced and a crash costs a cache miss. Nothing
 * on a shelf is believed for lying there: it is judged as if it had just been fetched.
 *
 *	"SKSHELF1" · until 8 · SHA-256 of the octets 32 · octets
 *
 * Files are named by the digest of their key, so that keys from strangers are no paths.
 */
#pragma once

#include "base/err.h"
#include "base/sha256.h"

enum { SHELF_FILES = 4096 }; /* on one shelf, at most */

struct shelf {
	int dir; /* owned; -1: closed, everything is a miss */
	uint64_t budget;
	uint64_t added;   /* octets put since the last sweep */
	unsigned writers; /* so far; each has a file of its own */
};

/* Opens, making the directory (0700) when its parent is there; sweeps once.
 * ERR_FILE_WRITE. */
MUST_USE bool shelf_open(
	struct shelf *s, const char *path, uint64_t budget, struct err *err);
/* A shelf that is zero or closed may be given to all but shelf_open(). */
void shelf_init(struct shelf *s);
void shelf_close(struct shelf *s);

/*
 * The octets put under this key, when they are whole, no larger than limit and wanted
 * at wall second `now`. *out is the caller's to mem_free().
 */
MUST_USE bool shelf_get(
	const struct shelf *s, struct span key, size_t limit, struct span *out);
/* Keeps them until wall second `until`; in the place of older ones. Failure costs only
 * the next look-up. The oldest go when there are more than budget octets. */
void shelf_put(struct shelf *s, struct span key, struct span octets, int64_t until);

/*
 * The same a little at a time, for items of megabytes and those who have more to do
 * than to wait for them. A reader or writer that is over, or was only initialised, may
 * be ended at any time.
 */
enum shelf_turn { SHELF_MORE, SHELF_DONE, SHELF_FAILED };

struct shelf_reader {
	int fd;     /* owned; -1: over */
	uint8_t *p; /* owned */
	size_t n;
	size_t have;
	uint8_t digest[SHA256_SIZE]; /* as it should be */
	struct sha256 hash;
};

void shelf_reader_init(struct shelf_reader *r);
/* False when there is nothing that could be of use. */
MUST_USE bool shelf_read_begin(
	struct shelf_reader *r, const struct shelf *s, struct span key, size_t limit);
/* At most `step` octets more. SHELF_DONE: *out is the caller's to mem_free(). */
enum shelf_turn shelf_read_some(struct shelf_reader *r, size_t step, struct span *out);
void shelf_read_end(struct shelf_reader *r);

struct shelf_writer {
	struct shelf *s;
	int fd;           /* owned; -1: over */
	struct span left; /* borrowed */
	size_t n;
	int64_t until;
	struct sha256 hash;
	char name[2 * SHA256_SIZE + 1];
	char beside[2 * SHA256_SIZE + 17];
};

void shelf_writer_init(struct shelf_writer *w);
/* The octets outlive the writing. False when they cannot be put there. */
MUST_USE bool shelf_write_begin(struct shelf_writer *w, struct shelf *s,
	struct span key, struct span octets, int64_t until);
enum shelf_turn shelf_write_some(struct shelf_writer *w, size_t step);
void shelf_write_end(struct shelf_writer *w);

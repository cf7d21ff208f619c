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

enum { SHELF_FILES = 4096 }; /* on one shelf, at most */

struct shelf {
	int dir; /* owned; -1: closed, everything is a miss */
	uint64_t budget;
	uint64_t added; /* octets put since the last sweep */
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

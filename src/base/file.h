// SPDX-License-Identifier: Apache-2.0
/*
 * file: whole small files, read with a bound and replaced atomically.
 */
#pragma once

#include "base/err.h"

/* Reads all of a regular file (or "-" for standard input), at most limit bytes. *out
 * points to memory that the caller frees with mem_free((void *)out->p); it has a NUL
 * behind it. */
MUST_USE bool file_read(
	const char *path, size_t limit, struct span *out, struct err *err);

/* Writes beside it, syncs, renames over it; mode is the new file's. Old or new, never
 * half. */
MUST_USE bool file_replace(
	const char *path, struct span data, unsigned mode, struct err *err);

/* Creates a directory and its parents with this mode; existing ones are left as they
 * are. */
MUST_USE bool file_mkdir(const char *path, unsigned mode, struct err *err);

/* Refuses a file that group or others can read, or that another user owns: for keys. */
MUST_USE bool file_is_private(const char *path, struct err *err);

/* A secret of n octets, written as hex digits in a private file; dst is untouched
 * unless it is whole. ERR_FILE_READ, ERR_FILE_NOT_PRIVATE. */
MUST_USE bool file_read_secret(
	const char *path, uint8_t *dst, size_t n, struct err *err);

// SPDX-License-Identifier: Apache-2.0
/*
 * read, write: cursors that cannot leave their bytes.
 *
 * A failed read sticks: later reads give zeros and empty spans, and read_done() says
 * no. So a parser reads straight down and asks once, at the end. Writing is the mirror
 * image. Integers are big-endian unless the name says otherwise.
 */
#pragma once

#include "base/span.h"

struct read {
	struct span left; /* borrowed from whoever gave it */
	bool bad;
};

struct read read_from(struct span s);
/* The next n bytes. */
struct span read_bytes(struct read *r, size_t n);
/* An unsigned integer of 1 to 4 bytes. */
uint32_t read_be(struct read *r, size_t bytes);
uint64_t read_be64(struct read *r);
/* A vector behind a length of `bytes` bytes (RFC 8446 §3.4). A bad one is empty and bad
 * itself, so reading on from it also fails. */
struct read read_vec(struct read *r, size_t bytes);
/* Whether something is left to read and nothing failed. */
MUST_USE bool read_more(const struct read *r);
/* Whether all was read and nothing failed. */
MUST_USE bool read_done(const struct read *r);

struct write {
	uint8_t *p; /* borrowed */
	size_t n;   /* bytes written */
	size_t cap;
	bool bad; /* something did not fit */
};

struct write write_to(void *p, size_t cap);
void write_be(struct write *w, uint32_t v, size_t bytes);
void write_be64(struct write *w, uint64_t v);
void write_span(struct write *w, struct span s);
/* Opens a vector: leaves room for its length; give the result to write_close(). */
MUST_USE size_t write_open(struct write *w, size_t bytes);
/* Fills the length in. A body that its length cannot express makes w bad. */
void write_close(struct write *w, size_t mark, size_t bytes);
/* What was written, empty when something did not fit. */
struct span write_done(const struct write *w);

// SPDX-License-Identifier: Apache-2.0
/*
 * mem: memory that is there, or the process is not.
 *
 * What a stranger can make large is bounded before it is allocated; the rest is ours,
 * and a worker that cannot get it is better replaced. So nothing here returns NULL.
 */
#pragma once

#include "base/span.h"

/* n zeroed bytes, or abort. n may be 0. Released with mem_free(). */
ALLOC_SIZE(1) void *mem_alloc(size_t n);

/* Room for count things of n bytes, zeroed; a product that overflows aborts. */
void *mem_array(size_t count, size_t n);

/* As realloc(); new bytes are not zeroed. p may be NULL. */
void *mem_resize(void *p, size_t n);

/* A NUL-terminated copy of s. */
char *mem_cstr(struct span s);

/* Does nothing for NULL. */
void mem_free(void *p);

/* Grows *cap (in things of n bytes) of array p until `want` fit; returns the array.
 * Doubles, so that appending is amortised. */
void *mem_grow(void *p, size_t *cap, size_t want, size_t n);

/* Overwrites secrets in a way the compiler keeps. */
void secret_wipe(void *p, size_t n);

/* Fills p with octets from the kernel's generator; aborts if it cannot. */
void secret_random(void *p, size_t n);

/* Compares without telling by its timing where they differ. */
MUST_USE bool secret_eq(const void *a, const void *b, size_t n);

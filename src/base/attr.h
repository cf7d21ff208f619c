// SPDX-License-Identifier: Apache-2.0
/*
 * attr: the compiler attributes we use, each under one name.
 *
 * Nothing else in the tree writes __attribute__, so a compiler that spells one
 * differently is a change to this file alone.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The caller must look at the result. */
#define MUST_USE      __attribute__((warn_unused_result))
/* Arguments are checked as for printf: format at position f, values from v on. */
#define PRINTF(f, v)  __attribute__((format(printf, f, v)))
#define NORETURN      __attribute__((noreturn))
#define COLD          __attribute__((cold))
#define UNUSED        __attribute__((unused))
/* The result is fresh memory of the size in parameter n. */
#define ALLOC_SIZE(n) __attribute__((malloc, alloc_size(n), returns_nonnull))
/* Others read the function's locals while the fibre it runs on is paused.
 * AddressSanitizer keeps locals on a stack of its own, and clears that when it meets
 * another fibre's. */
#define LOCALS_STAY   __attribute__((no_sanitize("address")))
/* Bytes without a terminating NUL, on purpose. */
#define NONSTRING     __attribute__((nonstring))
#define FALLTHROUGH   __attribute__((fallthrough))

/* f(&variable) runs when the variable's scope ends. */
#define CLEANUP(f) __attribute__((cleanup(f)))

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The struct of type T whose field f is at p. */
#define CONTAINER_OF(p, T, f) ((T *)(void *)((uint8_t *)(void *)(p)-offsetof(T, f)))

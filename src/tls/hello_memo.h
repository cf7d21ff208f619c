// SPDX-License-Identifier: Apache-2.0
/*
 * hello_memo: fingerprints of the ClientHellos that come again and again.
 *
 * Each connection is recorded with JA3 and JA4, and most clients of a busy edge are few
 * programs, whose fingerprints are the same each time. What fingerprints are made of is
 * compared octet by octet, so what is recalled is what would have been computed.
 */
#pragma once

#include "tls/hello.h"

struct hello_prints {
	char ja3[HELLO_JA3];
	char ja4[HELLO_JA4];
};

struct hello_memo;

struct hello_memo *hello_memo_new(void);
void hello_memo_free(struct hello_memo *m); /* NULL is fine */
void hello_memo_prints(
	struct hello_memo *m, const struct hello *h, struct hello_prints *out);

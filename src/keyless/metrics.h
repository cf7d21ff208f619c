// SPDX-License-Identifier: Apache-2.0
/*
 * metrics: what a key server did, by operation, result and time, as Prometheus text.
 */
#pragma once

#include <stdatomic.h>

#include "base/text.h"
#include "keyless/answer.h"

enum {
	METRICS_BUCKETS = 16, /* 100 µs doubling, and the rest */
	METRICS_TYPES = 4,    /* enum wire_key; NONE is everything without a key */
	METRICS_RESULTS = 12, /* enum wire_error */
	METRICS_KEYS = 64,    /* pairs of key and operation; the last row is the rest */
	METRICS_TEXT = 224 * 1024,
};

/* What one operation did with one key. */
struct metrics_key {
	_Atomic bool used;
	uint8_t op;
	uint8_t ski[WIRE_SKI];
	uint64_t results[METRICS_RESULTS];
	uint64_t took[METRICS_BUCKETS];
	uint64_t took_us;
};

struct metrics {
	uint64_t requests[256];
	uint64_t results[METRICS_TYPES][METRICS_RESULTS];
	uint64_t took[METRICS_TYPES][METRICS_BUCKETS];
	uint64_t took_us[METRICS_TYPES];
	struct metrics_key keys[METRICS_KEYS];
	uint64_t connections;
	uint64_t refused_connections; /* handshake failed, or the certificate is not
					 good */
};

void metrics_count(struct metrics *m, const struct answer_audit *a);
/* Adds what another process counted. */
void metrics_add(struct metrics *sum, const struct metrics *m);
/* Adds the text; keys may be NULL, else each key's counts are shown by SKI. */
void metrics_write(const struct metrics *m, const struct keys *keys, struct text *t);

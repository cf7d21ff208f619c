// SPDX-License-Identifier: Apache-2.0
/* metrics_priv: between metrics.c, which counts by type of key, and metrics_keys.c. */
#pragma once

#include "keyless/metrics.h"

size_t metrics_bucket(uint64_t us);
void metrics_sum(uint64_t *sum, const uint64_t *v, size_t n);

struct metrics_histogram {
	const char *name;
	const char *labels;   /* as they stand in the braces */
	const uint64_t *took; /* METRICS_BUCKETS */
	uint64_t took_us;
};
void metrics_write_histogram(struct text *t, const struct metrics_histogram *h);

/* result is below METRICS_RESULTS. */
void metrics_count_key(struct metrics *m, const struct answer_audit *a, size_t result);
void metrics_add_keys(struct metrics *sum, const struct metrics *m);
void metrics_write_keys(const struct metrics *m, struct text *t);

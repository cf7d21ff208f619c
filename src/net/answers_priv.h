// SPDX-License-Identifier: Apache-2.0
/*
 * answers: what names resolved to, for as long as that holds; bounded in bytes.
 */
#pragma once

#include "base/err.h"
#include "base/ip.h"
#include "base/lru.h"

/* What is known about a name. */
struct answer {
	const struct ip *ips; /* whose they are, the holder says */
	size_t n;
	enum err_code code;
	const char *why; /* static */
	uint64_t expires_ms;
};

struct answers {
	struct lru lru;
};

void answers_init(struct answers *a, size_t budget);
void answers_fini(struct answers *a);
/* The answer for a name in lower case that has not expired; its ips are the cache's,
 * until the next call. */
MUST_USE bool answers_find(struct answers *a, struct span name, struct answer *out);
/* Copies; replaces what was there. */
void answers_keep(struct answers *a, struct span name, const struct answer *answer);
void answers_flush(struct answers *a);

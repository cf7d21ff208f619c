// SPDX-License-Identifier: Apache-2.0
/*
 * versions: which origins were found to speak no HTTP/2, so that each is asked once.
 *
 * A worker's own, bounded in number and in time: an origin may learn.
 */
#pragma once

#include "base/lru.h"
#include "gate/target.h"

enum version_known {
	VERSION_UNKNOWN,
	VERSION_CHOSE_H1, /* although HTTP/2 was offered to it */
	VERSION_NEEDS_H1, /* it said HTTP_1_1_REQUIRED, and HTTP/1 helped */
};

enum {
	VERSIONS_MOST = 2048, /* origins remembered */
	VERSIONS_LIFE_MS = 3600 * 1000,
};

struct versions {
	struct lru lru;
};

void versions_init(struct versions *v);
void versions_fini(struct versions *v);
enum version_known versions_find(struct versions *v, const struct target *to);
/* VERSION_UNKNOWN forgets. */
void versions_learn(
	struct versions *v, const struct target *to, enum version_known known);

// SPDX-License-Identifier: Apache-2.0
/*
 * purge: what `sekisho ctl cache` asks about the store of responses.
 *
 *	cache status
 *	cache purge all | url URL | prefix TEXT | tag TAG
 */
#pragma once

#include "base/json.h"

struct cache_store;

/* Whether the line is about the cache at all. */
MUST_USE bool purge_is_meant(struct span line);
/* Does it and says into the open object what came of it. s may be NULL: there is none.
 */
MUST_USE bool purge_do(struct cache_store *s, struct span line, struct json_out *answer,
	struct err *err);

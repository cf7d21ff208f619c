// SPDX-License-Identifier: Apache-2.0
/*
 * site_cache: what a configuration says about caching: how much memory there is for
 * all, and which site stores what.
 */
#pragma once

#include "conf/schema.h"
#include "http/cache.h"

struct cache_store;
struct settings;

/* The block `cache` of the whole configuration. */
struct cache_settings {
	uint64_t bytes;
	uint64_t largest; /* body that is stored */
	struct span file; /* empty: in memory only */
};

/* The block `cache` of a site. */
struct site_cache {
	bool on;
	uint64_t default_ms;
	uint64_t if_error_ms;
	bool cookies;
	bool client_certificates; /* also of names that ask clients for one */
	bool obey_clients;
	bool status; /* Cache-Status on responses */
};

extern const struct conf_table cache_settings_block;
extern const struct conf_table site_cache_block;

struct cache_policy site_cache_policy(const struct site_cache *c);

/*
 * Gives the settings the store that their sites need: that of `before` (or NULL) if it
 * is of the same size, else a new one. True also when no site needs one.
 */
MUST_USE bool site_cache_open(
	struct settings *s, const struct settings *before, struct err *err);

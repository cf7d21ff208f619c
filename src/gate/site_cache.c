// SPDX-License-Identifier: Apache-2.0
#include "gate/site_cache.h"

#include "gate/settings.h"
#include "shared/cache_store.h"

#define CACHE(field) CONF_AT(struct cache_settings, field)
static const struct conf_row cache_words[] = {
	{"memory", CONF_SIZE, CACHE(bytes), .preset = "64m", .min = 1048576,
		.max = UINT64_C(1) << 38,
		.help = "For stored responses, of all sites and all workers "
			"together. Taken "
			"as it fills; only if a site has a cache."},
	{"largest", CONF_SIZE, CACHE(largest), .preset = "8m", .min = 1,
		.max = UINT64_C(1) << 36,
		.help = "A response with a longer body is not stored."},
	{"file", CONF_PATH, CACHE(file),
		.help = "The memory lies in this file, so that it may be larger than "
			"what there is of real memory, and outlives a restart. All of "
			"its room is taken from the disk at once."},
};
const struct conf_table cache_settings_block = {
	.help = "Room for the caches of sites.",
	.size = sizeof(struct cache_settings),
	CONF_WORDS_OF(cache_words),
};

#define SITE(field) CONF_AT(struct site_cache, field)
static const struct conf_row site_args[] = {
	{"on", CONF_FLAG, SITE(on), .preset = "off",
		.help = "Responses of this site are stored and used again (RFC 9111)."},
};
static const struct conf_row site_words[] = {
	{"default-time", CONF_DURATION, SITE(default_ms), .preset = "0",
		.help = "How long a response is fresh that says nothing about it."},
	{"stale-if-error", CONF_DURATION, SITE(if_error_ms), .preset = "0",
		.help = "A stale response is used for so long when the origin fails, "
			"as if it "
			"had said stale-if-error itself."},
	{"cookies", CONF_FLAG, SITE(cookies), .preset = "off",
		.help = "Also store responses that set cookies although they do not "
			"say that "
			"they are public."},
	{"client-certificates", CONF_FLAG, SITE(client_certificates), .preset = "off",
		.help = "Also for names that ask clients for a certificate: whoever is "
			"let in "
			"by the rules is served what is stored."},
	{"obey-clients", CONF_FLAG, SITE(obey_clients), .preset = "on",
		.help = "Cache-Control of requests counts: no-cache, max-age, "
			"max-stale and the "
			"others."},
	{"status", CONF_FLAG, SITE(status), .preset = "on",
		.help = "Responses say in Cache-Status (RFC 9211) what the cache did."},
};
const struct conf_table site_cache_block = {
	.help = "Whether and how responses of the site are stored.",
	.size = sizeof(struct site_cache),
	CONF_ARGS_OF(site_args),
	CONF_WORDS_OF(site_words),
};

static int64_t
seconds(uint64_t ms)
{
	return ms / 1000 < CACHE_SECONDS_MOST ? (int64_t)(ms / 1000)
					      : CACHE_SECONDS_MOST;
}

struct cache_policy
site_cache_policy(const struct site_cache *c)
{
	return (struct cache_policy){
		.default_s = seconds(c->default_ms),
		.if_error_s = seconds(c->if_error_ms),
		.takes_cookies = c->cookies,
		.obeys_clients = c->obey_clients,
	};
}

static bool
edge_caches(const struct gateway *g)
{
	for (const struct conf_item *it = g->sites.sites; it; it = it->next) {
		if (((const struct site *)(const void *)it)->cache.on)
			return true;
	}
	return false;
}

static bool
any_caches(const struct settings *s)
{
	for (const struct conf_item *it = s->edges; it; it = it->next) {
		if (edge_caches((const struct gateway *)(const void *)it))
			return true;
	}
	return false;
}

bool
site_cache_open(struct settings *s, const struct settings *before, struct err *err)
{
	const char *path = s->cache.file.n > 0 ? (const char *)s->cache.file.p : NULL;

	if (!any_caches(s))
		return true;
	if (before && before->cache_store &&
		cache_store_bytes(before->cache_store) == s->cache.bytes &&
		span_eq(before->cache.file, s->cache.file)) {
		s->cache_store = cache_store_get(before->cache_store);
	} else {
		s->cache_store = cache_store_new((size_t)s->cache.bytes, path, err);
	}
	return s->cache_store != NULL;
}

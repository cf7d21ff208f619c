// SPDX-License-Identifier: Apache-2.0
#include "gate/site.h"
#include "keyless/ask_pool.h"

struct ask_pool *
site_open_pool(const struct site_keys *k, const struct site_pool_place *at)
{
	struct ask_pool_server servers[ASK_POOL_SERVERS];
	size_t n = 0;

	for (const struct conf_item *it = k->servers; it && n < ASK_POOL_SERVERS;
		it = it->next) {
		const struct site_key_server *ks =
			(const struct site_key_server *)(const void *)it;

		servers[n++] = (struct ask_pool_server){.host = ks->address.host,
			.port = ks->address.port,
			.name = ks->name,
			.bare = !ks->padded,
			.legacy_c = ks->legacy_c,
			.plain_items = !ks->request_ids};
	}
	return ask_pool_new(&(struct ask_pool_spec){.loop = at->loop,
		.resolver = at->resolver,
		.profile = at->profile,
		.identity = k->id,
		.trust = k->trust,
		.servers = servers,
		.n_servers = n,
		.timeout_ms = (uint32_t)k->timeout_ms}); /* at most ten minutes */
}

bool
site_keys_are_here(const struct site_keys *k)
{
	for (const struct conf_item *it = k->servers; it; it = it->next) {
		const struct site_key_server *ks =
			(const struct site_key_server *)(const void *)it;

		if (span_starts(ks->address.host, SPAN("/")))
			return true;
	}
	return false;
}

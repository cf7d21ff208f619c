// SPDX-License-Identifier: Apache-2.0
/*
 * site_stamp: whether the files that sites were made from are still those.
 */
#include <sys/stat.h>

#include "base/map.h"
#include "gate/settings.h"
#include "pki/trust.h"

static uint64_t
mix(uint64_t sum, struct span path)
{
	struct stat st;

	/* A text of the tree ends in NUL; a key in a token is no file. */
	if (path.n == 0 || stat((const char *)path.p, &st) != 0)
		return sum * 31 + 1;
	const uint64_t state[] = {(uint64_t)st.st_mtim.tv_sec,
		(uint64_t)st.st_mtim.tv_nsec, (uint64_t)st.st_size,
		(uint64_t)st.st_ino};
	return sum * 31 + map_hash(span_of(state, sizeof(state)));
}

static uint64_t
mix_certificates(uint64_t sum, const struct conf_item *it)
{
	for (; it; it = it->next) {
		const struct site_certificate *c =
			(const struct site_certificate *)(const void *)it;
		sum = mix(mix(sum, c->path), c->key);
	}
	return sum;
}

static uint64_t
mix_clients(uint64_t sum, const struct site_clients *c)
{
	for (const struct conf_item *it = c->authorities; it; it = it->next)
		sum = mix(sum, ((const struct site_path *)(const void *)it)->path);
	return mix(sum, c->responder);
}

static uint64_t
mix_table(uint64_t sum, const struct site_table *t)
{
	for (const struct conf_item *it = t->sites; it; it = it->next) {
		const struct site *site = (const struct site *)(const void *)it;
		sum = mix_certificates(sum, site->certificates);
		sum = mix_certificates(sum, site->keyless);
		sum = mix(mix(sum, site->balance.certificate), site->balance.key);
		if (site->balance.trust)
			sum = sum * 31 + trust_stamp(site->balance.trust);
	}
	for (const struct conf_item *it = t->clients; it; it = it->next)
		sum = mix_clients(sum, (const struct site_clients *)(const void *)it);
	return mix(mix(sum, t->keys.certificate), t->keys.key);
}

uint64_t
site_stamp(const struct settings *s)
{
	uint64_t sum = 0;

	for (const struct conf_item *it = s->edges; it; it = it->next) {
		sum = mix_table(
			sum, &((const struct gateway *)(const void *)it)->sites);
	}
	return sum;
}

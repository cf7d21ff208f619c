// SPDX-License-Identifier: Apache-2.0
#include "shared/crowd.h"

#include "base/mem.h"

enum { V6_CLIENT = 8, KEY = 1 + 8 };

struct crowd_client {
	struct map_item item;
	uint64_t n;
	uint8_t key[KEY];
};

void
crowd_init(struct crowd *c, uint64_t most)
{
	*c = (struct crowd){.most = most};
	map_init(&c->by_client);
}

void
crowd_fini(struct crowd *c)
{
	struct map_item *item;
	while ((item = map_next(&c->by_client, NULL)) != NULL) {
		map_remove(&c->by_client, item);
		mem_free(CONTAINER_OF(item, struct crowd_client, item));
	}
	map_fini(&c->by_client);
}

/* The family, and what of the address is the client's; the rest is zero. */
static struct span
client_key(const struct ip *ip, uint8_t key[KEY])
{
	size_t n = ip->family == IP_V4 ? ip_size(ip) : V6_CLIENT;
	key[0] = (uint8_t)ip->family; /* a small enumerator */
	for (size_t i = 0; i < KEY - 1; i++)
		key[1 + i] = i < n ? ip->bytes[i] : 0;
	return span_of(key, KEY);
}

bool
crowd_enter(struct crowd *c, const struct ip *client, struct crowd_client **place)
{
	uint8_t key[KEY];
	*place = NULL;
	if (c->most == 0 || client->family == IP_NONE)
		return true;
	struct span wanted = client_key(client, key);
	struct map_item *item = map_get(&c->by_client, wanted);
	struct crowd_client *one = NULL;
	if (item != NULL) {
		one = CONTAINER_OF(item, struct crowd_client, item);
	} else {
		one = mem_alloc(sizeof(*one));
		(void)client_key(client, one->key);
		map_add(&c->by_client, &one->item, span_of(one->key, KEY));
	}
	if (one->n >= c->most)
		return false;
	one->n++;
	*place = one;
	return true;
}

void
crowd_leave(struct crowd *c, struct crowd_client *place)
{
	if (place == NULL || --place->n > 0)
		return;
	map_remove(&c->by_client, &place->item);
	mem_free(place);
}

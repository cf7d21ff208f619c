// SPDX-License-Identifier: Apache-2.0
#include "shared/rate.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "base/mem.h"

enum {
	WAYS = 8,      /* slots that a key may be in */
	TRIES_MOST = 8 /* against other workers that change the same slot */
};

struct slot {
	_Atomic uint64_t key; /* 0: free */
	_Atomic uint64_t paid_us;
};

struct rate_table {
	unsigned holders;
	size_t n;
	struct slot *slots; /* shared */
};

struct rate_table *
rate_table_new(size_t slots, struct err *err)
{
	void *p = mmap(NULL, slots * sizeof(struct slot), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		(void)err_errno(err, ERR_SYSTEM, errno, "memory for rates");
		return NULL;
	}
	struct rate_table *t = mem_alloc(sizeof(*t));
	*t = (struct rate_table){1, slots, p};
	return t;
}

struct rate_table *
rate_table_get(struct rate_table *t)
{
	t->holders++;
	return t;
}

void
rate_table_put(struct rate_table *t)
{
	if (!t || --t->holders > 0)
		return;
	(void)munmap(t->slots, t->n * sizeof(struct slot));
	mem_free(t);
}

/* The slot of the key; else one that owes nothing, or least. */
static struct slot *
slot_of(struct rate_table *t, uint64_t key)
{
	struct slot *set = &t->slots[key & (t->n - 1) & ~(size_t)(WAYS - 1)];
	struct slot *best = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (atomic_load(&set[i].key) == key)
			return &set[i];
		if (atomic_load(&set[i].paid_us) < atomic_load(&best->paid_us))
			best = &set[i];
	}
	/* Two workers may take it for two keys at once: one of them counts anew. */
	atomic_store(&best->key, key);
	atomic_store(&best->paid_us, 0);
	return best;
}

static struct rate_answer
answer_for(uint64_t paid_us, uint64_t now_us, uint64_t each_us, uint64_t most_us)
{
	uint64_t owed = paid_us > now_us ? paid_us - now_us : 0;

	return (struct rate_answer){
		.left = owed < most_us ? (most_us - owed) / each_us : 0,
		.again_us = owed + each_us > most_us ? owed + each_us - most_us : 0,
		.whole_us = owed,
	};
}

struct rate_answer
rate_take(struct rate_table *t, uint64_t key, const struct rate_limit *limit,
	uint64_t now_us)
{
	uint64_t each_us = limit->per_us / limit->count;
	each_us = each_us > 0 ? each_us : 1;
	uint64_t most_us = each_us * limit->burst;
	struct slot *slot = slot_of(t, key ? key : 1);
	uint64_t paid = atomic_load(&slot->paid_us);

	for (int i = 0; i < TRIES_MOST; i++) {
		uint64_t next = (paid > now_us ? paid : now_us) + each_us;
		struct rate_answer a = answer_for(next, now_us, each_us, most_us);
		if (next - now_us > most_us)
			return answer_for(paid, now_us, each_us, most_us);
		a.allowed = true;
		if (atomic_compare_exchange_strong(&slot->paid_us, &paid, next))
			return a;
	}
	return answer_for(paid, now_us, each_us, most_us);
}

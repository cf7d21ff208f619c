// SPDX-License-Identifier: Apache-2.0
#include "tls/once.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "base/must.h"

enum {
	WAYS = 8,
	TIME_BITS = 20, /* seconds, twelve days: a slot is looked at as a difference */
	TRIES_MOST = 8,
};
#define TIME_MASK ((UINT64_C(1) << TIME_BITS) - 1)

struct once {
	unsigned holders;
	size_t n;
	uint64_t until_s; /* nothing is taken before */
	void *memory;
	_Atomic uint64_t *slots; /* in memory, shared; 44 bits of a name, 20 of when */
};

struct once *
once_new(size_t slots, struct err *err)
{
	void *p = mmap(NULL, slots * sizeof(uint64_t), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		(void)err_errno(err, ERR_SYSTEM, errno, "memory for early data");
		return NULL;
	}
	struct once *o = mem_alloc(sizeof(*o));
	*o = (struct once){.holders = 1, .n = slots, .memory = p, .slots = p};
	return o;
}

void
once_follow(struct once *o, uint64_t now_s)
{
	o->until_s = now_s + ONCE_WINDOW_S + 1;
}

struct once *
once_get(struct once *o)
{
	o->holders++;
	return o;
}

void
once_put(struct once *o)
{
	if (!o || --o->holders > 0)
		return;
	(void)munmap(o->memory, o->n * sizeof(uint64_t));
	mem_free(o);
}

/* Who wrote it may be ahead of us: a worker looks at the clock once a turn. */
static bool
is_free(uint64_t slot, uint64_t now_s)
{
	uint64_t age = (now_s - slot) & TIME_MASK;
	uint64_t ahead = (slot - now_s) & TIME_MASK;

	return slot == 0 || (age > ONCE_WINDOW_S && ahead > ONCE_WINDOW_S);
}

static bool
is_named(uint64_t slot, uint64_t name)
{
	return slot != 0 && slot >> TIME_BITS == name >> TIME_BITS;
}

/* How many slots of the set have the name and are not over; *free is one that is, or
 * WAYS. */
static unsigned
look(_Atomic uint64_t *set, uint64_t name, uint64_t now_s, size_t *free)
{
	unsigned n = 0;

	*free = WAYS;
	for (size_t i = 0; i < WAYS; i++) {
		uint64_t slot = atomic_load(&set[i]);
		if (is_free(slot, now_s)) {
			*free = *free == WAYS ? i : *free;
		} else if (is_named(slot, name)) {
			n++;
		}
	}
	return n;
}

bool
once_take(struct once *o, struct span what, uint64_t now_s)
{
	uint64_t where = 0;
	uint64_t name = 0;

	must(what.n >= 2 * sizeof(uint64_t));
	memcpy(&where, what.p, sizeof(where)); /* checked above, both */
	memcpy(&name, what.p + sizeof(where), sizeof(name));
	if (now_s < o->until_s)
		return false;
	_Atomic uint64_t *set = &o->slots[where & (o->n - 1) & ~(size_t)(WAYS - 1)];
	name = (name & ~TIME_MASK) | (now_s & TIME_MASK);
	name = name == 0 ? 1 : name;
	for (int i = 0; i < TRIES_MOST; i++) {
		size_t free;
		if (look(set, name, now_s, &free) > 0 || free == WAYS)
			return false;
		uint64_t old = atomic_load(&set[free]);
		if (is_free(old, now_s) &&
			atomic_compare_exchange_strong(&set[free], &old, name)) {
			/* Two at once may have taken two slots: then neither. */
			return look(set, name, now_s, &free) == 1;
		}
	}
	return false;
}

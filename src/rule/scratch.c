// SPDX-License-Identifier: Apache-2.0
#include "rule/scratch_priv.h"

#include "base/mem.h"
#include "base/must.h"
#include "rule/regex_priv.h"

enum { ALIGNMENT = 16 };

struct scratch *
scratch_new(void)
{
	struct scratch *s = mem_alloc(sizeof(*s));
	s->mem = mem_alloc(SCRATCH_SIZE);
	s->patterns = regex_room_new();
	return s;
}

void
scratch_free(struct scratch *s)
{
	if (s == NULL)
		return;
	regex_room_free(s->patterns);
	mem_free(s->mem);
	mem_free(s);
}

void *
scratch_take(struct scratch *s, size_t n)
{
	size_t start = (s->used + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (start > SCRATCH_SIZE || n > SCRATCH_SIZE - start) {
		s->overflows++;
		return NULL;
	}
	s->used = start + n;
	return s->mem + start;
}

void
scratch_back(struct scratch *s, size_t mark)
{
	must(mark <= s->used);
	s->used = mark;
}

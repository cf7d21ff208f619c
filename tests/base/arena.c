// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <stdalign.h>
#include <string.h>

#include "tests/test.h"

static void
memory_is_zeroed_and_aligned(void)
{
	struct arena a;
	arena_init(&a, 1 << 20);
	for (size_t n = 1; n < 3000; n += 37) {
		uint8_t *p = arena_alloc(&a, n);
		CHECK_INT((uintptr_t)p % alignof(max_align_t), 0);
		for (size_t i = 0; i < n; i++)
			CHECK_INT(p[i], 0);
		memset(p, 0xff, n);
	}
	arena_fini(&a);
}

static void
copies_outlive_what_they_were_made_from(void)
{
	struct arena a;
	char text[] = "before";
	arena_init(&a, 4096);
	struct span copy = arena_copy(&a, span_str(text));
	char *cstr = arena_cstr(&a, span_str(text));
	struct span made = arena_format(&a, "%s-%d", text, 7);
	memset(text, 'x', sizeof(text) - 1);
	CHECK_SPAN(copy, "before");
	CHECK_STR(cstr, "before");
	CHECK_SPAN(made, "before-7");
	CHECK_INT(made.p[made.n], 0);
	arena_fini(&a);
}

static void
room_shrinks_and_comes_back(void)
{
	struct arena a;
	arena_init(&a, 1000);
	CHECK_INT(arena_room(&a), 1000);
	(void)arena_alloc(&a, 400);
	CHECK(arena_room(&a) <= 600);
	arena_reset(&a);
	CHECK_INT(arena_room(&a), 1000);
	(void)arena_alloc(&a, 900);
	arena_fini(&a);
	CHECK_INT(arena_room(&a), 1000);
}

static void
a_long_text_is_cut_where_the_header_says(void)
{
	struct arena a;
	char many[5001];
	memset(many, 'a', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	arena_init(&a, 1 << 20);
	CHECK_INT(arena_format(&a, "%s", many).n, 4095);
	arena_fini(&a);
}

TESTS(memory_is_zeroed_and_aligned, copies_outlive_what_they_were_made_from,
	room_shrinks_and_comes_back, a_long_text_is_cut_where_the_header_says)

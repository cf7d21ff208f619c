// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"

#include <string.h>

#include "tests/test.h"

static void
memory_is_zeroed_even_when_there_is_none(void)
{
	uint8_t *p = mem_alloc(100);
	for (size_t i = 0; i < 100; i++)
		CHECK_INT(p[i], 0);
	mem_free(p);
	volatile size_t none = 0; /* GCC 14 would warn of a written 0 */
	p = mem_alloc(none);
	CHECK(p != NULL);
	mem_free(p);
	mem_free(NULL);
}

static void
growing_keeps_what_is_there_and_doubles(void)
{
	int *list = NULL;
	size_t cap = 0;
	size_t moves = 0;
	for (size_t i = 0; i < 1000; i++) {
		size_t before = cap;
		list = mem_grow(list, &cap, i + 1, sizeof(*list));
		CHECK(cap > i);
		moves += cap != before;
		list[i] = (int)i;
	}
	for (size_t i = 0; i < 1000; i++)
		CHECK_INT(list[i], i);
	CHECK(moves < 20);
	mem_free(list);
}

static void
a_c_string_ends_where_its_span_does(void)
{
	char *s = mem_cstr(span_first(SPAN("abcdef"), 3));
	CHECK_STR(s, "abc");
	mem_free(s);
}

static void
wiped_secrets_are_gone(void)
{
	uint8_t key[32];
	uint8_t zero[32] = {0};
	secret_random(key, sizeof(key));
	CHECK(memcmp(key, zero, sizeof(key)) != 0);
	secret_wipe(key, sizeof(key));
	CHECK(memcmp(key, zero, sizeof(key)) == 0);
}

static void
secrets_compare_whole(void)
{
	CHECK(secret_eq("abcd", "abcd", 4));
	CHECK(!secret_eq("abcd", "abce", 4));
	CHECK(!secret_eq("xbcd", "abcd", 4));
	CHECK(secret_eq("a", "b", 0));
}

TESTS(memory_is_zeroed_even_when_there_is_none, growing_keeps_what_is_there_and_doubles,
	a_c_string_ends_where_its_span_does, wiped_secrets_are_gone,
	secrets_compare_whole)

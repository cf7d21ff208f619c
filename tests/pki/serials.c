// SPDX-License-Identifier: Apache-2.0
#include "pki/serials.h"

#include "base/read.h"
#include "tests/test.h"

enum { MANY = 5000, AGAIN = 1000 * 1000 };

static struct span
number(uint8_t dst[4], uint32_t n)
{
	struct write w = write_to(dst, 4);

	write_be(&w, n, 4);
	return write_done(&w);
}

static void
all_that_were_put_in_are_there_and_nobody_else(void)
{
	struct serials s = {0};
	uint8_t octets[4];
	size_t steps = 1;

	for (uint32_t i = 0; i < MANY; i++)
		serials_add(&s, number(octets, i * 7));
	while (!serials_place(&s, 100))
		steps++;
	CHECK_INT(steps, MANY / 100);
	for (uint32_t i = 0; i < MANY; i++) {
		CHECK(serials_has(&s, number(octets, i * 7)));
		CHECK(!serials_has(&s, number(octets, i * 7 + 1)));
	}
	CHECK(serials_cost(&s) < (size_t)MANY * (1 + 4 + 4 * 4));
	serials_fini(&s);
}

static void
the_length_belongs_to_the_number(void)
{
	struct serials s = {0};

	serials_add(&s, SPAN("\x01\x02"));
	serials_add(&s, SPAN("\x01\x02")); /* twice is once */
	CHECK(serials_place(&s, 10));
	CHECK(serials_has(&s, SPAN("\x01\x02")));
	CHECK(!serials_has(&s, SPAN("\x01")));
	CHECK(!serials_has(&s, SPAN("\x00\x01\x02")));
	CHECK(!serials_has(&s, SPAN("")));
	serials_fini(&s);
}

/* Slot by slot this would be a million times a million. */
static void
one_number_a_million_times_is_placed_as_fast_as_others(void)
{
	struct serials s = {0};
	size_t used = 0;

	for (uint32_t i = 0; i < AGAIN; i++)
		serials_add(&s, SPAN("\x01\x02"));
	CHECK(serials_place(&s, AGAIN));
	for (size_t i = 0; i < s.n_slots; i++)
		used += s.slots[i] != 0;
	CHECK_INT(used, 1);
	CHECK(serials_has(&s, SPAN("\x01\x02")));
	CHECK(!serials_has(&s, SPAN("\x01\x03")));
	serials_fini(&s);
}

static void
an_empty_set_has_nobody(void)
{
	struct serials s = {0};

	CHECK(serials_place(&s, 0));
	CHECK(!serials_has(&s, SPAN("\x01")));
	serials_fini(&s);
}

TESTS(all_that_were_put_in_are_there_and_nobody_else, the_length_belongs_to_the_number,
	one_number_a_million_times_is_placed_as_fast_as_others, an_empty_set_has_nobody)

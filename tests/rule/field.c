// SPDX-License-Identifier: Apache-2.0
#include "rule/field.h"

#include "tests/rule/scheme.h"
#include "tests/test.h"

static void
names_are_found_and_near_ones_proposed(void)
{
	struct scheme s;
	scheme_init(&s, test_fields, COUNT_OF(test_fields), NULL);
	CHECK_STR(scheme_field(&s, SPAN("http.host"))->name, "http.host");
	CHECK(scheme_field(&s, SPAN("http.hos")) == NULL);
	CHECK(scheme_field(&s, SPAN("http.hostx")) == NULL);
	CHECK_STR(scheme_nearest(&s, SPAN("http.hots")), "http.host");
	CHECK(scheme_nearest(&s, SPAN("zzzzzz")) == NULL);
	scheme_fini(&s);
}

static void
of_two_rows_the_filled_one_counts(void)
{
	static const struct field rows[] = {
		{.name = "a",
			.type = TYPE_INT,
			.get = get_missing,
			.flags = FIELD_UNFILLED},
		{.name = "a", .type = TYPE_INT, .get = get_port},
		{.name = "b", .type = TYPE_INT, .get = get_port},
		{.name = "b",
			.type = TYPE_INT,
			.get = get_missing,
			.flags = FIELD_UNFILLED},
	};
	struct scheme s;
	scheme_init(&s, rows, COUNT_OF(rows), NULL);
	CHECK(scheme_field(&s, SPAN("a")) == &rows[1]);
	CHECK(scheme_field(&s, SPAN("b")) == &rows[2]);
	scheme_fini(&s);
}

static void
phases_have_names(void)
{
	for (unsigned p = 0; p < PHASE_COUNT; p++) {
		enum phase found;
		CHECK(phase_find(span_str(phase_name((enum phase)p)), &found) &&
			found == p);
	}
	enum phase none;
	CHECK(!phase_find(SPAN("later"), &none));
}

TESTS(names_are_found_and_near_ones_proposed, of_two_rows_the_filled_one_counts,
	phases_have_names)

// SPDX-License-Identifier: Apache-2.0
#include "fact/catalogue.h"

#include "tests/test.h"

static bool
has(const struct value *v, int64_t n)
{
	for (size_t i = 0; i < value_len(v); i++) {
		if (value_at(v, i).i == n)
			return true;
	}
	return false;
}

static struct catalogue *
small(void)
{
	struct err err = {0};
	struct catalogue *c = catalogue_new(
		SPAN("# comment\n"
		     "type\t16\tDo not inspect\n"
		     "type\t300\tMessaging\n"
		     "app\t1\tOne\tMessaging\t.one.example\toff\tyes\ts\n"
		     "app\t2\tTwo\tMessaging\tx.one.example\ton\tno\ts\n"
		     "app\t3\tWide\tMessaging\t.wide.example\tbroad\tyes\ts\n"
		     "app\t4\tBelow\tMessaging\t*.b.example\toff\tyes\ts\n"),
		&err);
	CHECK_OK(c != NULL, &err);
	return c;
}

static void
a_host_has_the_applications_of_its_own_and_of_suffixes_above(void)
{
	struct catalogue *c = small();
	struct catalogue_hit hit = catalogue_find(c, SPAN("x.one.example"));
	CHECK(has(&hit.ids, 1) && has(&hit.ids, 2) && has(&hit.types, 16));
	hit = catalogue_find(c, SPAN("y.x.one.example"));
	CHECK(has(&hit.ids, 1) && !has(&hit.ids, 2));
	hit = catalogue_find(c, SPAN("one.example"));
	CHECK(has(&hit.ids, 1));
	hit = catalogue_find(c, SPAN("b.example"));
	CHECK_INT(hit.ids.kind, VALUE_MISSING);
	hit = catalogue_find(c, SPAN("a.b.example"));
	CHECK(has(&hit.ids, 4));
	hit = catalogue_find(c, SPAN("other.example"));
	CHECK_INT(hit.ids.kind, VALUE_MISSING);
	catalogue_free(c);
}

static void
a_suffix_that_is_too_wide_is_known_and_still_inspected(void)
{
	struct catalogue *c = small();
	struct catalogue_hit hit = catalogue_find(c, SPAN("a.wide.example"));
	CHECK(has(&hit.ids, 3) && !has(&hit.types, 16));
	catalogue_free(c);
}

static void
a_line_of_another_form_is_refused_with_its_number(void)
{
	struct err err = {0};
	CHECK(catalogue_new(SPAN("# x\napp\tone\n"), &err) == NULL);
	CHECK_INT(err.code, ERR_RULE_LIST);
	CHECK(span_find(span_str(err.text), SPAN("line 2")) < span_str(err.text).n);
}

static void
what_the_program_carries_is_whole(void)
{
	struct catalogue *c = catalogue_built_in();
	size_t n = 0;
	const struct catalogue_row *r;
	for (; (r = catalogue_row(c, n)) != NULL; n++)
		CHECK(r->source.n > 0 && catalogue_type_of(c, r->category) != 0);
	CHECK(n > 1200);
	struct catalogue_hit hit = catalogue_find(c, SPAN("chat.signal.org"));
	CHECK(has(&hit.types, 16));
	hit = catalogue_find(c, SPAN("docs.google.com"));
	CHECK(!has(&hit.types, 16));
	catalogue_free(c);
}

TESTS(a_host_has_the_applications_of_its_own_and_of_suffixes_above,
	a_suffix_that_is_too_wide_is_known_and_still_inspected,
	a_line_of_another_form_is_refused_with_its_number,
	what_the_program_carries_is_whole)

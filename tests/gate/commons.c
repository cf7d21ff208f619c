// SPDX-License-Identifier: Apache-2.0
#include "gate/commons.h"

#include "base/mem.h"
#include "gate/settings.h"
#include "tests/test.h"

/* A reload: the next settings remember what the ones before did, and outlive them. */
static void
a_reload_goes_on_with_what_was_there(void)
{
	struct settings *before = mem_alloc(sizeof(*before));
	struct settings *next = mem_alloc(sizeof(*next));
	struct settings *fresh = mem_alloc(sizeof(*fresh));
	struct err err = {0};

	CHECK_OK(commons_open(before, NULL, &err), &err);
	CHECK_OK(commons_open(next, before, &err), &err);
	CHECK_OK(commons_open(fresh, NULL, &err), &err);
	CHECK(next->ids == before->ids && next->once == before->once);
	CHECK(fresh->ids != before->ids && fresh->once != before->once);
	struct settings *all[] = {before, next, fresh};
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		settings_fini(all[i]);
		mem_free(all[i]);
	}
}

TESTS(a_reload_goes_on_with_what_was_there)

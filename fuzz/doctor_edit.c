// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz doctor_edit: other programs' files. The first octet is the form. What was set is
 * found with its value; what was removed is gone; nothing outside the change moves.
 */
#include "base/mem.h"
#include "base/must.h"
#include "doctor/edit.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
check_found(enum edit_form form, struct span text, const char *const setting[2])
{
	struct edit_hit hit;
	char value[EDIT_VALUE_MAX];

	must(edit_find(form, text, setting[0], &hit));
	must(hit.from <= hit.to && hit.to <= text.n);
	must(hit.whole_from <= hit.from && hit.to <= hit.whole_to);
	must(hit.whole_to <= text.n);
	edit_value(form, text, &hit, value);
	must(form == EDIT_BLOCK || strcmp(value, setting[1]) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const char *set[2] = {"http>ca", "/a b/c'.pem"};
	const char *unset[2] = {"http>ca", NULL};
	struct span there = {0};
	struct span back = {0};
	struct edit_hit hit;
	struct err err;

	if (n < 1)
		return 0;
	enum edit_form form = (enum edit_form)(p[0] % EDIT_FORMS);
	struct span text = span_of(p + 1, n - 1);

	must(edit_set(form, text, unset, &back, &err));
	must(back.n <= text.n && !edit_find(form, back, unset[0], &hit));
	mem_free((void *)(uintptr_t)back.p);
	if (!edit_set(form, text, set, &there, &err))
		return 0;
	check_found(form, there, set);
	must(edit_set(form, there, unset, &back, &err));
	must(!edit_find(form, back, unset[0], &hit));
	mem_free((void *)(uintptr_t)there.p);
	mem_free((void *)(uintptr_t)back.p);
	return 0;
}

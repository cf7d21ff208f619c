// SPDX-License-Identifier: Apache-2.0
#include "rule/selftest.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "tests/test.h"

static struct span
read_examples(const char *name)
{
	char path[4096];
	struct err err = {0};
	struct span s = {0};
	text_format(
		path, sizeof(path), "%s/tests/data/%s", getenv("SEKISHO_SOURCE"), name);
	CHECK_OK(file_read(path, 1 << 24, &s, &err), &err);
	return s;
}

static void
all_pass(const char *name, size_t n)
{
	struct err err = {0};
	struct selftest count;
	struct span json = read_examples(name);
	CHECK_OK(selftest_run(json, &count, &err), &err);
	CHECK(text_flush());
	CHECK_INT(count.failed, 0);
	CHECK_INT(count.passed, n);
	mem_free((void *)(uintptr_t)json.p);
}

static void
every_example_of_the_specification_passes(void)
{
	all_pass("rules-language-examples.json", 254 + 54);
}

static void
every_further_case_of_ours_passes(void)
{
	all_pass("rules-language-more.json", 435 + 84);
}

TESTS(every_example_of_the_specification_passes, every_further_case_of_ours_passes)

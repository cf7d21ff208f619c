// SPDX-License-Identifier: Apache-2.0
#include "rule/selftest.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "tests/test.h"

static struct span
read_examples(void)
{
	char path[4096];
	struct err err = {0};
	struct span s = {0};
	text_format(path, sizeof(path), "%s/tests/data/rules-language-examples.json",
		getenv("SEKISHO_SOURCE"));
	CHECK_OK(file_read(path, 1 << 24, &s, &err), &err);
	return s;
}

static void
every_example_of_the_specification_passes(void)
{
	struct err err = {0};
	struct selftest count;
	struct span json = read_examples();
	CHECK_OK(selftest_run(json, &count, &err), &err);
	CHECK(text_flush());
	CHECK_INT(count.failed, 0);
	CHECK_INT(count.passed, 254 + 54);
	mem_free((void *)(uintptr_t)json.p);
}

TESTS(every_example_of_the_specification_passes)

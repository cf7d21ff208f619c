// SPDX-License-Identifier: Apache-2.0
/*
 * rules: the rule language itself: its tests, its fields, its functions.
 */
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/commands.h"
#include "rule/selftest.h"

enum { FILE_LIMIT = 64 << 20 };

static enum cli_exit
run_selftest(const struct cli_call *call)
{
	struct err err = {0};
	struct span json;
	struct selftest count;
	const char *path = cli_operand(call, 0);

	if (!file_read(path, FILE_LIMIT, &json, &err))
		return cli_fail(&err);
	bool ok = selftest_run(json, &count, &err) || err_within(&err, "%s", path);
	mem_free((void *)(uintptr_t)json.p);
	if (!ok)
		return cli_fail(&err);
	text_out("%zu passed, %zu failed\n", count.passed, count.failed);
	return count.failed == 0 ? CLI_GOOD : CLI_FAILED;
}

const struct command command_rules_selftest = {
	.name = "rules selftest",
	.operands = "FILE",
	.summary = "run a file of expressions and verdicts against the rule language",
	.help = "The file is JSON and brings its own scheme (field to type), lists, "
		"contexts\n"
		"(named sets of field values), cases (an expression, a context, and "
		"true,\n"
		"false or \"error\" with line and column) and function_cases (a call, "
		"the\n"
		"fields given, its result). Where a case has \"ours\", that is the "
		"verdict\n"
		"wanted. Each difference is printed, and last how many passed and "
		"failed.",
	.examples = "sekisho rules selftest tests/data/rules-language-examples.json\n",
	.least = 1,
	.most = 1,
	.run = run_selftest,
};

// SPDX-License-Identifier: Apache-2.0
/*
 * test: an administrator's expectations against a policy, before it goes out.
 */
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "rule/cases.h"

enum { FILE_LIMIT = 16 << 20 };

static const struct cli_option options[] = {
	{"gateway", 'g', "NAME",
		"the gateway or edge whose rules are meant [the first one]", false},
	{0},
};

static bool
run(const struct gateway *g, const char *path, struct selftest *count, struct err *err)
{
	struct span json;
	if (!file_read(path, FILE_LIMIT, &json, err))
		return false;
	bool ok = cases_run(g->policy, json, count, err) || err_within(err, "%s", path);
	mem_free((void *)(uintptr_t)json.p);
	return ok;
}

static enum cli_exit
run_test(const struct cli_call *call)
{
	struct err err = {0};
	struct selftest count = {0};
	struct settings *s = config_load(cli_operand(call, 0));
	if (s == NULL)
		return CLI_FAILED;
	const struct gateway *g = config_gateway(s, cli_get(call, "gateway"), &err);
	bool ok = g != NULL && run(g, cli_operand(call, 1), &count, &err);
	config_close(s);
	if (!ok)
		return cli_fail(&err);
	text_out("%zu passed, %zu failed\n", count.passed, count.failed);
	return count.failed == 0 ? CLI_GOOD : CLI_FAILED;
}

const struct command command_test = {
	.name = "test",
	.operands = "POLICY CASES",
	.summary = "run a file of expected verdicts against a configuration's rules",
	.help = "POLICY is a configuration, CASES a JSON file kept beside it:\n"
		"\n"
		"    {\"cases\": [{\"name\": \"banks stay closed\",\n"
		"       \"facts\": {\"http.request.host\": \"www.bank.example\"},\n"
		"       \"expect\": \"bypass\", \"rule\": \"banks\"}]}\n"
		"\n"
		"A fact is any field by its name. From http.request.host the other "
		"names of the\n"
		"host and all parents follow. \"expect\" is the action that decides, "
		"or \"none\";\n"
		"\"rule\" (the rule that decides) and \"noted\" (rules that only note) "
		"may be left\n"
		"out. Each difference is printed; exit code 0 means there was none.",
	.examples = "sekisho test new.conf cases.json && sekisho ctl reload\n",
	.options = options,
	.least = 2,
	.most = 2,
	.run = run_test,
};

// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include <string.h>

#include "tests/test.h"

static enum cli_exit
run_nothing(const struct cli_call *call)
{
	(void)call;
	return CLI_GOOD;
}

static const struct cli_option log_options[] = {
	{"follow", 'f', NULL, "wait for more", false},
	{"json", 'j', NULL, "as JSON", false},
	{"config", 'c', "FILE", "configuration", false},
	{"where", 'w', "EXPRESSION", "filter", true},
	{0},
};
static const struct command command_log = {
	.name = "log",
	.operands = "[HOST]",
	.summary = "what happened",
	.help = "",
	.examples = "",
	.options = log_options,
	.most = 1,
	.run = run_nothing,
};
static const struct command command_ca_init = {
	.name = "ca init",
	.operands = "NAME",
	.summary = "make an authority",
	.help = "",
	.examples = "",
	.least = 1,
	.most = 1,
	.run = run_nothing,
};
static const struct command *const table[] = {&command_log, &command_ca_init, NULL};

enum { MOST_WORDS = 10 };

/* Parses "log -f x" as if typed after the program's name. */
static bool
parse(const char *line, struct cli_call *call, struct err *err)
{
	static char text[256];
	char *argv[MOST_WORDS + 2] = {text};
	int argc = 1;

	CHECK(strlen(line) < sizeof(text) - 1);
	text[0] = '\0';
	strncpy(text + 1, line, sizeof(text) - 2);
	for (char *p = strchr(text + 1, '\0') == text + 1 ? NULL : text + 1; p;) {
		argv[argc++] = p;
		p = strchr(p, ' ');
		if (p)
			*p++ = '\0';
	}
	argv[argc] = NULL;
	return cli_parse(table, argc, argv, call, err);
}

static void
options_have_long_and_short_forms(void)
{
	static const char *const lines[] = {
		"log --follow --config a.conf",
		"log --config=a.conf -f",
		"log -fca.conf",
		"log -c a.conf -f",
	};
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		struct err err = {0};
		struct cli_call call = {0};
		CHECK_OK(parse(lines[i], &call, &err), &err);
		CHECK(call.command == &command_log);
		CHECK(cli_has(&call, "follow") && !cli_has(&call, "json"));
		CHECK_STR(cli_get(&call, "config"), "a.conf");
		CHECK(cli_get(&call, "where") == NULL);
	}
}

static void
a_repeated_option_keeps_its_order(void)
{
	struct err err = {0};
	struct cli_call call = {0};

	CHECK_OK(parse("log -w one --where two", &call, &err), &err);
	CHECK_STR(cli_get_nth(&call, "where", 0), "one");
	CHECK_STR(cli_get_nth(&call, "where", 1), "two");
	CHECK(cli_get_nth(&call, "where", 2) == NULL);
	CHECK_STR(cli_get(&call, "where"), "two");
}

static void
two_words_can_name_a_command(void)
{
	struct err err = {0};
	struct cli_call call = {0};

	CHECK_OK(parse("ca init office", &call, &err), &err);
	CHECK(call.command == &command_ca_init);
	CHECK_STR(cli_operand(&call, 0), "office");
	CHECK(cli_operand(&call, 1) == NULL);
}

static void
after_two_dashes_everything_is_an_operand(void)
{
	struct err err = {0};
	struct cli_call call = {0};

	CHECK_OK(parse("log -- --follow", &call, &err), &err);
	CHECK(!cli_has(&call, "follow"));
	CHECK_STR(cli_operand(&call, 0), "--follow");
}

static void
what_is_not_understood_is_named_with_the_nearest(void)
{
	static const struct {
		const char *line;
		const char *said;
	} rows[] = {
		{"lgo", "unknown command \"lgo\"; did you mean \"log\"?"},
		{"ca inti", "ca: unknown command \"inti\"; did you mean \"init\"?"},
		{"log --confg x",
			"log: unknown option \"confg\"; did you mean \"config\"?"},
		{"log --zzzzzzzz", "log: unknown option \"zzzzzzzz\""},
		{"log -z", "log: unknown option \"-z\""},
		{"log --config", "log: option --config needs a value: FILE"},
		{"log --json=1", "log: option --json takes no value"},
		{"log -c a -c b", "log: option --config is given twice"},
		{"log a b", "\"log\" does not understand \"b\""},
		{"ca init", "\"ca init\" needs NAME"},
		{"", "no command"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct err err = {0};
		struct cli_call call = {0};
		CHECK(!parse(rows[i].line, &call, &err));
		CHECK_INT(err.code, ERR_USAGE);
		CHECK_STR(err.text, rows[i].said);
	}
}

static void
help_is_understood_even_where_operands_are_missing(void)
{
	struct err err = {0};
	struct cli_call call = {0};

	CHECK_OK(parse("ca init --help", &call, &err), &err);
	CHECK(call.wants_help);
	CHECK_OK(parse("log -h", &call, &err), &err);
	CHECK(call.wants_help);
}

static void
numbers_are_whole_and_bounded(void)
{
	struct err err = {0};
	struct cli_call call = {0};
	uint64_t n = 7;

	CHECK_OK(parse("log", &call, &err), &err);
	CHECK_OK(cli_number(&call, "config", 100, &n, &err), &err);
	CHECK_INT(n, 7);
	CHECK_OK(parse("log -c 100", &call, &err), &err);
	CHECK_OK(cli_number(&call, "config", 100, &n, &err), &err);
	CHECK_INT(n, 100);
	CHECK(!cli_number(&call, "config", 99, &n, &err));
	CHECK_OK(parse("log -c -1", &call, &err), &err);
	CHECK(!cli_number(&call, "config", 99, &n, &err));
	CHECK_INT(err.code, ERR_USAGE);
}

TESTS(options_have_long_and_short_forms, a_repeated_option_keeps_its_order,
	two_words_can_name_a_command, after_two_dashes_everything_is_an_operand,
	what_is_not_understood_is_named_with_the_nearest,
	help_is_understood_even_where_operands_are_missing,
	numbers_are_whole_and_bounded)

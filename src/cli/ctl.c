// SPDX-License-Identifier: Apache-2.0
/*
 * ctl: asking the running master for something, over its control socket.
 */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "proc/call.h"

enum { TREE_MOST = 4 << 20 };

#define CONTROL_PATH "/run/sekisho/control.sock"

static const struct cli_option options[] = {
	{"socket", 's', "PATH", "the control socket [" CONTROL_PATH "]", false},
	{"json", 0, NULL, "print the answer as it came", false},
	{0},
};

static int64_t
number_of(const struct json *j, const char *key)
{
	int64_t v = 0;
	return json_integer(json_get(j, key), &v) ? v : 0;
}

static void
print_process(const struct json *p)
{
	char age[24];
	char name[32];
	struct span kind = json_string(json_get(p, "process"));
	bool worker = span_eq(kind, SPAN("worker"));
	if (worker) {
		text_format(name, sizeof(name), "worker.%lld",
			(long long)number_of(p, "number"));
	} else {
		text_format(name, sizeof(name), "%.*s", SPAN_ARG(kind));
	}
	if (number_of(p, "pid") == 0) {
		text_out("  %-10s  %s\n", name, "not running");
		return;
	}
	/* Ages are not negative: the master counts them. */
	text_out("  %-10s  pid %-7lld  up %-12s", name, (long long)number_of(p, "pid"),
		text_duration(age, (uint64_t)number_of(p, "age_ms")));
	if (worker) {
		text_out("  %lld open, %lld so far",
			(long long)number_of(p, "sessions_open"),
			(long long)number_of(p, "sessions_opened"));
	}
	text_out("%s\n", json_truth(json_get(p, "ready")) ? "" : "  starting");
}

static void
print_status(const struct json *top)
{
	char age[24];
	const struct json *generations = json_get(top, "generations");
	struct span version = json_string(json_get(top, "version"));
	struct span config = json_string(json_get(top, "config"));

	text_out("sekisho %.*s, pid %lld, up %s, %lld crashes\n%.*s\n",
		SPAN_ARG(version), (long long)number_of(top, "pid"),
		text_duration(age, (uint64_t)number_of(top, "age_ms")),
		(long long)number_of(top, "crashes"), SPAN_ARG(config));
	const struct json *shared = json_get(top, "shared");
	if (shared && shared->first)
		print_process(shared->first);
	for (const struct json *g = generations ? generations->first : NULL; g;
		g = g->next) {
		const struct json *processes = json_get(g, "processes");
		struct span state = json_string(json_get(g, "state"));
		text_out("generation %lld %.*s\n", (long long)number_of(g, "number"),
			SPAN_ARG(state));
		for (const struct json *p = processes ? processes->first : NULL; p;
			p = p->next)
			print_process(p);
	}
}

/* What went wrong over there, told as if it had here. */
static bool
is_good(const struct json *top, struct err *err)
{
	if (json_truth(json_get(top, "ok")))
		return true;
	struct span text = json_string(json_get(top, "text"));
	enum err_code code = err_find(json_string(json_get(top, "code")));
	return err_set(err, code == ERR_NONE ? ERR_PROC_CONTROL : code, "%.*s",
		SPAN_ARG(text));
}

static bool
read_answer(const struct cli_call *call, const char *word, struct span answer,
	struct err *err)
{
	struct arena arena;
	struct json *top = NULL;
	arena_init(&arena, TREE_MOST);
	bool ok = json_parse(answer, &arena, &top, err) && is_good(top, err);
	if (cli_has(call, "json")) {
		text_out_span(answer);
	} else if (ok && span_eq(span_str(word), SPAN("status"))) {
		print_status(top);
	}
	arena_fini(&arena);
	return ok;
}

static enum cli_exit
run_word(const struct cli_call *call, const char *word)
{
	struct err err = {0};
	struct span answer = {0};
	const char *path = cli_get(call, "socket");
	if (!call_master(path ? path : CONTROL_PATH, span_str(word), &answer, &err))
		return cli_fail(&err);
	bool ok = read_answer(call, word, answer, &err);
	mem_free((void *)(uintptr_t)answer.p);
	return ok ? CLI_GOOD : cli_fail(&err);
}

static enum cli_exit
run_status(const struct cli_call *call)
{
	return run_word(call, "status");
}

static enum cli_exit
run_reload(const struct cli_call *call)
{
	return run_word(call, "reload");
}

static enum cli_exit
run_drain(const struct cli_call *call)
{
	return run_word(call, "drain");
}

const struct command command_ctl_status = {
	.name = "ctl status",
	.operands = "",
	.summary = "show the processes of a running gateway",
	.help = "Generations, their processes, and how many connections each worker "
		"has.",
	.examples = "sekisho ctl status\n",
	.options = options,
	.run = run_status,
};

const struct command command_ctl_reload = {
	.name = "ctl reload",
	.operands = "",
	.summary = "make a running gateway read its configuration again",
	.help = "Returns when the new generation serves, or says why it does not; then "
		"the\n"
		"old one goes on as if nothing had been asked.",
	.examples = "sekisho ctl reload\n",
	.options = options,
	.run = run_reload,
};

const struct command command_ctl_drain = {
	.name = "ctl drain",
	.operands = "",
	.summary = "let a running gateway finish and end",
	.help = "No new connections; those open may finish within `drain-timeout`.",
	.examples = "sekisho ctl drain\n",
	.options = options,
	.run = run_drain,
};

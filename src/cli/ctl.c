// SPDX-License-Identifier: Apache-2.0
/*
 * ctl: asking the running master for something, over its control socket.
 */
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "proc/call.h"

enum { TREE_MOST = 4 << 20 };

#define CONTROL_PATH "/run/sekisho/control.sock"

static const struct cli_option options[] = {
	{"socket", 's', "PATH", "the control socket [" CONTROL_PATH "]", false},
	{"config", 'c', "FILE", "the configuration that says where it is", false},
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

static void
print_cache(const struct json *top)
{
	char used[24];
	char room[24];
	if (json_get(top, "purged")) {
		text_out("%lld responses forgotten\n",
			(long long)number_of(top, "purged"));
		return;
	}
	/* Sizes are not negative: the master counts them. */
	text_out("%lld responses, %s of %s\n", (long long)number_of(top, "responses"),
		text_size(used, (uint64_t)number_of(top, "bytes")),
		text_size(room, (uint64_t)number_of(top, "room")));
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
	} else if (ok && span_starts(span_str(word), SPAN("cache "))) {
		print_cache(top);
	}
	arena_fini(&arena);
	return ok;
}

/* What a configuration says, without reading the files that it names. NULL: said why.
 */
static char *
configured_path(const char *file)
{
	struct conf_report *report = mem_alloc(sizeof(*report));
	struct settings *s = mem_alloc(sizeof(*s));
	struct conf_tree tree;
	char *path = NULL;

	conf_report_init(report);
	conf_tree_init(&tree);
	if (conf_tree_read(&tree, file, report) &&
		conf_fill(&tree, &settings_table, s, report)) {
		path = mem_cstr(s->control);
	} else {
		config_complain(report);
	}
	conf_tree_fini(&tree);
	mem_free(s);
	mem_free(report);
	return path;
}

static char *
socket_path(const struct cli_call *call)
{
	const char *path = cli_get(call, "socket");
	const char *file = cli_get(call, "config");

	if (path || !file)
		return mem_cstr(span_str(path ? path : CONTROL_PATH));
	return configured_path(file);
}

static enum cli_exit
run_word(const struct cli_call *call, const char *word)
{
	struct err err = {0};
	struct span answer = {0};
	char *path = socket_path(call);
	if (!path)
		return CLI_FAILED;
	bool called = call_master(path, span_str(word), &answer, &err);
	mem_free(path);
	if (!called)
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
run_upgrade(const struct cli_call *call)
{
	return run_word(call, "upgrade");
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

const struct command command_ctl_upgrade = {
	.name = "ctl upgrade",
	.operands = "",
	.summary = "let the program that is installed now take over",
	.help = "Starts the program at the path that the running one was started from, "
		"with the\n"
		"same configuration. It gets the listening sockets; when it serves, "
		"the "
		"old one\n"
		"drains and ends. If it does not come up within a minute, the old one "
		"goes on.",
	.examples = "sekisho ctl upgrade\n",
	.options = options,
	.run = run_upgrade,
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

static const struct cli_option cache_options[] = {
	{"socket", 's', "PATH", "the control socket [" CONTROL_PATH "]", false},
	{"config", 'c', "FILE", "the configuration that says where it is", false},
	{"prefix", 0, "TEXT", "purge: every URL that begins so", false},
	{"tag", 0, "TAG", "purge: what its origin gave this Cache-Tag or Surrogate-Key",
		false},
	{"all", 0, NULL, "purge: everything", false},
	{"json", 0, NULL, "print the answer as it came", false},
	{0},
};

/* What is to be purged: exactly one of the four. */
static bool
purge_line(const struct cli_call *call, char *line, size_t cap, struct err *err)
{
	const char *url = cli_operand(call, 1);
	const char *prefix = cli_get(call, "prefix");
	const char *tag = cli_get(call, "tag");
	bool all = cli_has(call, "all");
	const char *text = url ? url : prefix ? prefix : tag;

	if ((url != NULL) + (prefix != NULL) + (tag != NULL) + all != 1)
		return err_set(err, ERR_USAGE, "one of URL, --prefix, --tag, --all");
	if (all) {
		text_format(line, cap, "cache purge all");
		return true;
	}
	size_t n = text_format(line, cap, "cache purge %s %s",
		url              ? "url"
			: prefix ? "prefix"
				 : "tag",
		text);
	return n + 1 < cap || err_set(err, ERR_USAGE, "that is too long");
}

static enum cli_exit
run_cache(const struct cli_call *call)
{
	char line[4200] = "cache status";
	struct err err = {0};
	const char *what = cli_operand(call, 0);

	if (span_eq(span_str(what), SPAN("purge"))) {
		if (!purge_line(call, line, sizeof(line), &err))
			return cli_fail(&err);
	} else if (!span_eq(span_str(what), SPAN("status"))) {
		(void)err_set(&err, ERR_USAGE, "status or purge, not %s", what);
		return cli_fail(&err);
	}
	return run_word(call, line);
}

const struct command command_ctl_cache = {
	.name = "ctl cache",
	.operands = "status | purge [URL]",
	.summary = "look at the cache of a running edge, or make it forget",
	.help = "URLs are https://HOST/PATH?QUERY, with :PORT after the host unless it "
		"is 443.\n"
		"What is purged is forgotten by all workers at once.",
	.examples = "sekisho ctl cache purge https://shop.example/news\n"
		    "sekisho ctl cache purge --prefix https://shop.example/img/\n"
		    "sekisho ctl cache purge --tag product-17\n",
	.options = cache_options,
	.least = 1,
	.most = 2,
	.run = run_cache,
};

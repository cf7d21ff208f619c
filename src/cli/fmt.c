// SPDX-License-Identifier: Apache-2.0
/*
 * fmt: a configuration in its one layout.
 */
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "conf/format.h"
#include "fact/vocab.h"
#include "gate/lets.h"

enum { FILE_LIMIT = 8 * 1024 * 1024, EXPR_ROOM = 64 * 1024 };

static const struct cli_option options[] = {
	{"write", 'w', NULL, "write the file anew instead of printing it", false},
	{"check", 0, NULL, "only tell by the exit code whether it would change", false},
	{0},
};

/* Knows the rule language, with the lists of the file where they can be read. */
struct rule_format {
	struct conf_format format;
	const struct scheme *scheme;
	const struct rule_let *lets;
};

/* What the language cannot read stays: `check` tells why. */
static bool
put_expr(struct conf_format *f, struct span expr, struct text *t)
{
	const struct rule_format *r = CONTAINER_OF(f, struct rule_format, format);
	struct rule_error error;
	struct rule_expr *compiled = NULL;

	const struct rule_options how = {.dialect = RULE_GATEWAY, .lets = r->lets};
	if (!rule_compile(r->scheme, expr, how, &compiled, &error))
		return false;
	rule_put(t, compiled);
	rule_free(compiled);
	return true;
}

static bool
lay_out(const struct conf_file *file, struct rule_format f, struct text *t)
{
	struct conf_report *report = mem_alloc(sizeof(*report));

	conf_report_init(report);
	bool ok = conf_format(&f.format, file, t, report);
	config_complain(report);
	mem_free(report);
	return ok;
}

/* The scheme of the whole configuration, or, when it does not load, one without lists:
 * rules that name a list then stay as they are. */
static bool
lay_out_by_settings(const struct conf_file *file, struct text *t)
{
	struct conf_report *report = mem_alloc(sizeof(*report));
	struct settings *s = mem_alloc(sizeof(*s));
	struct scheme bare;

	conf_report_init(report);
	bool loaded = settings_load(s, file->path, report);
	scheme_init(&bare, vocab_fields, vocab_count, NULL);
	const struct rule_format f = {
		.format.put_expr = put_expr,
		.scheme = loaded ? &s->scheme : &bare,
		.lets = lets_all(s),
	};
	bool ok = lay_out(file, f, t);
	scheme_fini(&bare);
	settings_fini(s);
	mem_free(s);
	mem_free(report);
	return ok;
}

/* Prints, writes or compares; what the exit code is to be. */
static enum cli_exit
deliver(const struct cli_call *call, const struct conf_file *file, struct span text)
{
	struct err err = {0};
	bool same = span_eq(text, file->text);

	if (cli_has(call, "check"))
		return same ? CLI_GOOD : CLI_FAILED;
	if (!cli_has(call, "write")) {
		text_out_span(text);
		return CLI_GOOD;
	}
	struct stat now;
	unsigned mode = stat(file->path, &now) == 0 ? now.st_mode & 0777 : 0600;
	if (!same && !file_replace(file->path, text, mode, &err))
		return cli_fail(&err);
	return CLI_GOOD;
}

static enum cli_exit
run_fmt(const struct cli_call *call)
{
	struct err err = {0};
	struct conf_file file = {.path = cli_operand(call, 0)};

	if (!file.path)
		file.path = CLI_CONFIG;
	if (!file_read(file.path, FILE_LIMIT, &file.text, &err))
		return cli_fail(&err);
	size_t room = file.text.n * 8 + EXPR_ROOM;
	char *p = mem_alloc(room);
	struct text t = text_to(p, room);
	bool ok = lay_out_by_settings(&file, &t);
	enum cli_exit exit = CLI_FAILED;

	if (ok && t.cut) {
		text_err("%s: too deep to be laid out\n", file.path);
	} else if (ok) {
		exit = deliver(call, &file, text_span(&t));
	}
	mem_free(p);
	mem_free((void *)(uintptr_t)file.text.p);
	return exit;
}

const struct command command_fmt = {
	.name = "fmt",
	.operands = "[FILE]",
	.summary = "print a configuration in its one layout",
	.help = "A statement a line, a tab a level; conditions as the rule language "
		"prints them.\n"
		"Comments stay. The meaning does not change: texts that differ only in "
		"layout\n"
		"become equal, so that reviews and tools see real differences only.",
	.examples = "sekisho fmt office.conf\nsekisho fmt -w office.conf\n"
		    "sekisho fmt --check office.conf || echo \"run sekisho fmt -w\"\n",
	.options = options,
	.most = 1,
	.run = run_fmt,
};

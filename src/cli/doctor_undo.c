// SPDX-License-Identifier: Apache-2.0
/*
 * doctor_undo: takes back what `doctor apply` did.
 */
#include <string.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/doctor_priv.h"
#include "cli/doctor_tools.h"
#include "doctor/change.h"
#include "doctor/say.h"

static bool
is_asked(const struct cli_call *call, const struct journal_change *c)
{
	if (cli_has(call, "all"))
		return true;
	for (size_t i = 0; i < call->n_operands; i++) {
		if (strcmp(cli_operand(call, i), c->tool) == 0)
			return true;
	}
	return false;
}

/* The newest that stands, was asked for and has not failed. */
static struct journal_change *
next_change(const struct cli_call *call, struct journal *j, size_t skip)
{
	for (size_t i = j->n; i > 0; i--) {
		struct journal_change *c = &j->all[i - 1];
		if (journal_stands(c) && is_asked(call, c) && skip-- == 0)
			return c;
	}
	return NULL;
}

static void
tell(struct json_out *j, struct home *h, const struct journal_change *c,
	const char *why)
{
	const char *what = c->kind != JOURNAL_EDIT ? "file"
		: c->key[0]                        ? c->key
						   : "the lines that read it";

	if (!j) {
		text_out("%s  %s: %s %s\n", say(h, why ? "kept  " : "undone"), c->tool,
			home_short(h, c->path), why ? why : what);
		return;
	}
	json_object(j, NULL);
	json_str(j, "tool", c->tool);
	json_str(j, "file", c->path);
	json_str(j, "key", c->key);
	json_str(j, "since", c->since);
	json_bool(j, "undone", why == NULL);
	json_str(j, "why", why);
	json_end(j);
}

static enum cli_exit
list_changes(const struct cli_call *call, struct journal *j, struct json_out *out)
{
	struct journal_change *c;

	for (size_t i = 0; (c = journal_at(j, i)); i++) {
		if (call->n_operands > 0 && !is_asked(call, c))
			continue;
		if (out) {
			tell(out, j->h, c, "listed");
		} else {
			text_out("%.19s  %-10s %s %s\n", c->since, c->tool,
				home_short(j->h, c->path), c->key);
		}
	}
	return CLI_GOOD;
}

static enum cli_exit
undo_changes(const struct cli_call *call, struct journal *j, struct json_out *out)
{
	struct journal_change *c;
	size_t failed = 0;
	size_t n = 0;

	while ((c = next_change(call, j, failed))) {
		struct err err = {0};
		if (change_undo(j, c, cli_has(call, "merge"), &err)) {
			tell(out, j->h, c, NULL);
			n++;
			continue;
		}
		failed++;
		tell(out, j->h, c, err.text);
		if (!out && err.code == ERR_DOCTOR_CHANGED && !cli_has(call, "merge")) {
			text_out("        --merge takes out %s only and leaves the "
				 "rest\n",
				c->key[0] ? c->key : "our lines");
		}
	}
	journal_tidy(j);
	if (n + failed == 0 && !out)
		text_out("%s\n", say(j->h, "Nothing to take back."));
	return failed > 0 ? CLI_FAILED : CLI_GOOD;
}

static enum cli_exit
run_undo(const struct cli_call *call)
{
	struct home h;
	struct journal j;
	struct json_out out;
	struct err err = {0};
	bool as_json = cli_has(call, "json");
	bool list = cli_has(call, "list");

	if (call->n_operands == 0 && !cli_has(call, "all") && !list) {
		err_set(&err, ERR_USAGE, "name tools, or give --all or --list");
		return cli_fail(&err);
	}
	if (!doctor_home_open(call, &h, &err))
		return cli_fail(&err);
	if (!journal_open(&j, &h, &err)) {
		home_close(&h);
		return cli_fail(&err);
	}
	if (as_json) {
		json_init(&out, DOCTOR_JSON);
		out.pretty = true;
		json_array(&out, NULL);
	}
	struct json_out *to = as_json ? &out : NULL;
	enum cli_exit end =
		list ? list_changes(call, &j, to) : undo_changes(call, &j, to);
	if (as_json) {
		json_end(&out);
		cli_print_json(&out);
	}
	journal_close(&j);
	home_close(&h);
	return end;
}

static const struct cli_option options[] = {
	{"all", 'a', NULL, "of every tool", false},
	{"list", 'l', NULL, "show what stands, take nothing back", false},
	{"merge", 0, NULL,
		"where others changed a file since, take out our setting only", false},
	DOCTOR_OPTIONS,
	{0},
};

const struct command command_doctor_undo = {
	.name = "doctor undo",
	.operands = "[TOOL ...]",
	.summary = "take back what `doctor apply` did, to the octet",
	.help = "Files that apply changed become what they were; files and directories "
		"that it\n"
		"made go. A file that somebody changed since is left alone and named, "
		"unless\n"
		"--merge is given: then only our own setting goes.",
	.examples = "sekisho doctor undo npm\nsekisho doctor undo --all\n"
		    "sekisho doctor undo --list\n",
	.options = options,
	.least = 0,
	.most = CLI_MAX_OPERANDS,
	.run = run_undo,
};

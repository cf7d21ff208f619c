// SPDX-License-Identifier: Apache-2.0
/*
 * doctor_apply: makes tools trust the organisation's CA: shows what it would do, asks,
 * does it by way of the journal.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/doctor_priv.h"
#include "cli/doctor_tools.h"
#include "doctor/plan.h"
#include "doctor/say.h"
#include "doctor/snippet.h"

/* One call: what is shown, and what is done with it. */
struct work {
	struct doctor_scene scene;
	struct journal journal;
	struct plan plans[DOCTOR_TOOLS];
	const char *refused[DOCTOR_TOOLS]; /* why there is no plan */
	size_t n;
	size_t steps; /* that are not in force yet */
	size_t failed;
};

static bool
is_new(struct work *w, const struct plan_step *s)
{
	return !change_stands(&w->journal, &s->ask, &w->scene.home);
}

/* Several tools share files of ours: a step that another tool shows is not shown again.
 */
static bool
is_shown(const struct work *w, const struct plan *until, const struct plan_step *s)
{
	for (size_t i = 0; i < w->n && &w->plans[i] != until; i++) {
		for (size_t k = 0; k < w->plans[i].n; k++) {
			const struct plan_step *o = &w->plans[i].steps[k];
			if (strcmp(o->what, s->what) == 0 &&
				strcmp(o->lines, s->lines) == 0)
				return true;
		}
	}
	return false;
}

static void
print_lines(const char *lines)
{
	struct span rest = span_str(lines);
	struct span line;

	while (span_cut(&rest, '\n', &line)) {
		const char *colour = span_starts(line, SPAN("-"))
			? cli_colour(CLI_RED)
			: cli_colour(CLI_GREEN);
		text_out("      %s%.*s%s\n", colour, SPAN_ARG(line),
			cli_colour(CLI_PLAIN));
	}
}

static void
print_plan(struct work *w, const struct plan *p, const char *refused)
{
	text_out("%s%s%s", cli_colour(CLI_BOLD), p->tool->name, cli_colour(CLI_PLAIN));
	if (refused) {
		text_out("  %s\n", refused);
		if (p->by_hand[0])
			print_lines(p->by_hand);
		return;
	}
	text_out("  %s\n", p->why);
	for (size_t i = 0; i < p->n; i++) {
		if (is_shown(w, p, &p->steps[i]))
			continue;
		text_out("    %s%s\n", p->steps[i].what,
			is_new(w, &p->steps[i])
				? ""
				: say(&w->scene.home, " (done already)"));
		print_lines(p->steps[i].lines);
	}
	if (p->reach[0])
		text_out("    %s\n", p->reach);
}

static void
put_plan(struct json_out *j, struct work *w, const struct plan *p, const char *refused)
{
	json_object(j, NULL);
	json_str(j, "tool", p->tool->name);
	json_str(j, "why", refused ? refused : p->why);
	json_bool(j, "possible", refused == NULL);
	json_array(j, "changes");
	for (size_t i = 0; !refused && i < p->n; i++) {
		const struct change_ask *a = &p->steps[i].ask;
		json_object(j, NULL);
		json_str(j, "file", a->path);
		json_str(j, "form",
			a->kind == JOURNAL_EDIT ? edit_form_name(a->form) : "file");
		if (a->kind == JOURNAL_EDIT) {
			json_str(j, "key", a->key);
			json_str(j, "value", a->value);
		}
		json_bool(j, "done", !is_new(w, &p->steps[i]));
		json_end(j);
	}
	json_end(j);
	json_end(j);
}

static void
make_plans(struct work *w)
{
	struct doctor_scene *s = &w->scene;

	for (size_t i = 0; i < s->n_tools; i++) {
		struct tool_view v;
		struct err err = {0};
		/* To name a CA makes such programs check where they did not: only on
		 * demand. */
		if (!s->named && strcmp(s->tools[i]->roots, "none") == 0)
			continue;
		tool_look(&s->home, &s->bundle, s->tools[i], &v);
		if (!plan_make(&s->home, &s->bundle, &v, &w->plans[w->n], &err)) {
			w->refused[w->n] = home_text(&s->home, "%s", err.text);
			/* Of all tools some are an administrator's matter. */
			w->failed += s->named || !w->plans[w->n].by_hand[0];
		}
		for (size_t k = 0; !w->refused[w->n] && k < w->plans[w->n].n; k++)
			w->steps += is_new(w, &w->plans[w->n].steps[k]);
		w->n++;
	}
}

static void
show_plans(struct work *w, bool as_json)
{
	struct json_out j;

	if (!as_json) {
		for (size_t i = 0; i < w->n; i++)
			print_plan(w, &w->plans[i], w->refused[i]);
		return;
	}
	json_init(&j, DOCTOR_JSON);
	j.pretty = true;
	json_array(&j, NULL);
	for (size_t i = 0; i < w->n; i++)
		put_plan(&j, w, &w->plans[i], w->refused[i]);
	json_end(&j);
	cli_print_json(&j);
}

bool
doctor_agrees(const struct cli_call *call, struct err *err)
{
	char answer[8] = "";

	if (cli_has(call, "yes"))
		return true;
	if (!isatty(0)) {
		return err_set(
			err, ERR_USAGE, "nobody is here to be asked: give --yes");
	}
	text_out("Go on? [y/N] ");
	if (!text_flush())
		return err_set(err, ERR_FILE_WRITE, "standard output");
	ssize_t n = read(0, answer, sizeof answer - 1);
	return (n > 0 && (answer[0] == 'y' || answer[0] == 'Y')) ||
		err_set(err, ERR_USAGE, "nothing was changed");
}

static bool
do_plan(struct work *w, const struct plan *p, struct err *err)
{
	for (size_t i = 0; i < p->n; i++) {
		if (is_new(w, &p->steps[i]) &&
			!change_do(&w->journal, &p->steps[i].ask, err))
			return err_within(err, "%s", p->tool->name);
	}
	return true;
}

static enum cli_exit
do_plans(struct work *w, bool quiet)
{
	enum cli_exit end = w->failed > 0 ? CLI_FAILED : CLI_GOOD;

	for (size_t i = 0; i < w->n; i++) {
		struct err err = {0};
		if (!w->refused[i] && !do_plan(w, &w->plans[i], &err))
			end = cli_fail(&err);
	}
	if (quiet)
		return end;
	text_out("%s\n%s\n",
		say(&w->scene.home,
			"Done. `sekisho doctor verify` tries the real programs; "
			"`sekisho "
			"doctor undo --all` takes everything back."),
		say(&w->scene.home,
			"These settings belong to this machine in this network: do not "
			"carry them to production, images or customers."));
	return end;
}

static enum cli_exit
run_work(const struct cli_call *call, struct work *w)
{
	struct err err = {0};
	bool as_json = cli_has(call, "json");

	if (!journal_open(&w->journal, &w->scene.home, &err))
		return cli_fail(&err);
	make_plans(w);
	show_plans(w, as_json);
	enum cli_exit end = w->failed > 0 ? CLI_FAILED : CLI_GOOD;
	if (w->steps == 0 || cli_has(call, "dry-run")) {
		if (w->steps == 0 && !as_json)
			text_out("%s\n", say(&w->scene.home, "Nothing to change."));
	} else if (!doctor_agrees(call, &err)) {
		end = cli_fail(&err);
	} else {
		end = do_plans(w, as_json);
	}
	for (size_t i = 0; i < w->n; i++)
		plan_fini(&w->plans[i]);
	journal_close(&w->journal);
	return end;
}

/* Nothing is escalated: the lines are for somebody who may. */
static enum cli_exit
print_machine(struct work *w)
{
	struct home *h = &w->scene.home;

	text_out("# For all users and for about half of the tools: the system's list. "
		 "The "
		 "file must be there:\n"
		 "#   sekisho doctor ca export --ca FILE --out %s\n%s",
		bundle_org_path(h), plan_machine(h));
	for (size_t i = 0; i < w->scene.n_tools; i++) {
		const char *lines = w->scene.tools[i]->machine;
		struct span rest = span_str(lines);
		struct span line;
		while (span_cut(&rest, '|', &line))
			text_out("%.*s\n", SPAN_ARG(span_trim(line)));
	}
	return CLI_GOOD;
}

static enum cli_exit
run_apply(const struct cli_call *call)
{
	const char *print = cli_get(call, "print");
	struct err err = {0};

	if (print) {
		const char *text = snippet_find(print);
		if (text) {
			text_out("%s", text);
			return CLI_GOOD;
		}
		err_set(&err, ERR_USAGE, "--print %s is none of %s", print,
			snippet_names());
		return cli_fail(&err);
	}
	if (call->n_operands == 0 && !cli_has(call, "all") &&
		!cli_has(call, "machine")) {
		err_set(&err, ERR_USAGE, "name tools, or give --all");
		return cli_fail(&err);
	}
	struct work *w = mem_alloc(sizeof *w);
	if (!doctor_scene_open(call, &w->scene, &err)) {
		mem_free(w);
		return cli_fail(&err);
	}
	enum cli_exit end;
	if (cli_has(call, "machine")) {
		end = print_machine(w);
	} else if (w->scene.bundle.org.n == 0) {
		err_set(&err, ERR_DOCTOR_CA, "none is known: name it with --ca FILE");
		cli_fail(&err);
		end = CLI_UNKNOWN;
	} else {
		end = run_work(call, w);
	}
	doctor_scene_close(&w->scene);
	mem_free(w);
	return end;
}

static const struct cli_option options[] = {
	{"ca", 'c', "FILE", "the organisation's CA [the one taken before]", false},
	{"all", 'a', NULL, "every tool that is here", false},
	{"user", 0, NULL, "settings of this user (the default)", false},
	{"machine", 0, NULL, "print what an administrator would run instead", false},
	{"dry-run", 'n', NULL, "show the changes, make none", false},
	{"yes", 'y', NULL, "do not ask", false},
	{"print", 0, "WHAT", "a snippet: docker, ci-github, ci-gitlab", false},
	{"root", 0, "DIR", "look for the system's files below DIR (an image, a chroot)",
		false},
	DOCTOR_OPTIONS,
	{0},
};

const struct command command_doctor_apply = {
	.name = "doctor apply",
	.operands = "[TOOL ...]",
	.summary = "make tools trust the organisation's CA, least invasive way first",
	.help = "First the tool's own switch to the system's list, where that has the "
		"CA;\n"
		"then a setting that adds; then, where settings replace the list, a "
		"combined\n"
		"bundle of public roots and CA, kept below $XDG_DATA_HOME/sekisho/ca "
		"and "
		"made\n"
		"anew by the next apply when the system's list changed. Shows every "
		"change, asks,\n"
		"and keeps a journal for `doctor undo`. Takes out settings that "
		"switch\n"
		"verification off, or that silence what it sets. Never escalates.",
	.examples = "sekisho doctor apply npm pip --ca corp.pem\n"
		    "sekisho doctor apply --all --dry-run\n"
		    "sekisho doctor apply --print docker\n",
	.options = options,
	.least = 0,
	.most = CLI_MAX_OPERANDS,
	.run = run_apply,
};

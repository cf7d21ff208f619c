// SPDX-License-Identifier: Apache-2.0
/*
 * doctor_verify: the real programs against an inspected and a bypassed host.
 */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/doctor_priv.h"
#include "cli/doctor_tools.h"
#include "doctor/verify.h"

/* What was asked, and how it went. */
struct round {
	const struct cli_call *call;
	struct doctor_scene scene;
	struct json_out *json; /* or NULL */
	enum language language;
	size_t works;
	size_t fails;
	size_t unsure;
};

/* The last line that says something. */
static struct span
last_line(const char *output)
{
	struct span s = span_trim(span_str(output ? output : ""));
	size_t cut = span_rchr(s, '\n');

	return span_first(span_trim(cut < s.n ? span_from(s, cut + 1) : s), 200);
}

static void
count(struct round *r, enum verify_result result)
{
	r->works += result == VERIFY_WORKS;
	r->fails += result == VERIFY_FAILS;
	r->unsure += result == VERIFY_UNSURE || result == VERIFY_LATE;
}

static void
print_answer(struct round *r, const struct tool_row *row, const char *kind,
	const struct verify_answer *a)
{
	static const enum cli_colour colours[] = {[VERIFY_WORKS] = CLI_GREEN,
		[VERIFY_FAILS] = CLI_RED,
		[VERIFY_UNSURE] = CLI_YELLOW,
		[VERIFY_ABSENT] = CLI_DIM,
		[VERIFY_LATE] = CLI_YELLOW};

	text_out("%-12s %-10s %s%s%s", row->name, kind, cli_colour(colours[a->result]),
		verify_word(a->result), cli_colour(CLI_PLAIN));
	if (a->result == VERIFY_FAILS) {
		text_out("  %s: %s", a->why.class->class,
			words_say(a->why.class, r->language));
	} else if (a->result == VERIFY_ABSENT) {
		text_out("  not verified: %s",
			row->verify[0] ? "not installed" : "no program to try it with");
	} else if (a->result != VERIFY_WORKS) {
		char line[512] = "";
		struct text t = text_to(line, sizeof line);
		text_put_safe(&t, last_line(a->output));
		text_out("  %s", line);
	}
	text_out("\n");
}

static void
put_answer(struct json_out *j, const struct tool_row *row, const char *const where[2],
	const struct verify_answer *a)
{
	json_object(j, NULL);
	json_str(j, "tool", row->name);
	json_str(j, "host", where[0]);
	json_str(j, "url", where[1]);
	json_str(j, "result", verify_word(a->result));
	if (a->result == VERIFY_FAILS) {
		json_str(j, "class", a->why.class->class);
		json_bool(j, "hidden", a->why.hidden);
	}
	if (a->output)
		json_span(j, "output", last_line(a->output));
	json_end(j);
}

/* One tool, one host. False when the program could not be run at all. */
static bool
try_host(struct round *r, const struct tool_row *row, const char *kind, struct err *err)
{
	const char *url = cli_get(r->call, kind);
	struct verify_answer a = {0};
	const char *where[2] = {kind, url};

	if (!url)
		return true;
	if (!verify_tool(&r->scene.home, row, url, &a, err))
		return false;
	/* Nobody asked for a tool that is not here. */
	if (a.result == VERIFY_ABSENT && !r->scene.named)
		return true;
	count(r, a.result);
	if (r->json) {
		put_answer(r->json, row, where, &a);
	} else {
		print_answer(r, row, kind, &a);
	}
	verify_answer_fini(&a);
	return true;
}

static enum cli_exit
verify_all(struct round *r)
{
	for (size_t i = 0; i < r->scene.n_tools; i++) {
		const struct tool_row *row = r->scene.tools[i];
		struct err err = {0};
		if (!try_host(r, row, "inspected", &err) ||
			!try_host(r, row, "bypassed", &err))
			return cli_fail(&err);
	}
	if (r->fails > 0)
		return CLI_FAILED;
	return r->unsure > 0 || r->works == 0 ? CLI_UNKNOWN : CLI_GOOD;
}

static enum cli_exit
run_verify(const struct cli_call *call)
{
	struct round r = {.call = call};
	struct json_out j;
	struct err err = {0};

	if (!doctor_language(call, &r.language, &err))
		return cli_fail(&err);
	if (!cli_has(call, "inspected") && !cli_has(call, "bypassed")) {
		err_set(&err, ERR_USAGE,
			"no host is asked behind your back: name one with --inspected "
			"URL, and one that is not inspected with --bypassed URL");
		return cli_fail(&err);
	}
	if (!doctor_scene_open(call, &r.scene, &err))
		return cli_fail(&err);
	if (cli_has(call, "json")) {
		json_init(&j, DOCTOR_JSON);
		j.pretty = true;
		json_array(&j, NULL);
		r.json = &j;
	}
	enum cli_exit end = verify_all(&r);
	if (r.json) {
		json_end(&j);
		cli_print_json(&j);
	}
	doctor_scene_close(&r.scene);
	return end;
}

static const struct cli_option options[] = {
	{"inspected", 'i', "URL", "an https URL that the gateway looks into", false},
	{"bypassed", 'b', "URL", "an https URL that it leaves alone", false},
	DOCTOR_OPTIONS,
	{0},
};

const struct command command_doctor_verify = {
	.name = "doctor verify",
	.operands = "[TOOL ...]",
	.summary = "try the real programs against an inspected and a bypassed host",
	.help = "Runs each program in the environment that new shells get, and says "
		"whether it\n"
		"accepts the host's certificate, and if not, why. The second host "
		"catches "
		"settings\n"
		"that replaced the public list with one certificate. Exit code 1 when "
		"a "
		"program\n"
		"does not accept one, 3 when its words do not tell.",
	.examples =
		"sekisho doctor verify npm pip --inspected https://www.example.org/\n",
	.options = options,
	.least = 0,
	.most = CLI_MAX_OPERANDS,
	.run = run_verify,
};

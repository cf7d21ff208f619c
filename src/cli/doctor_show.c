// SPDX-License-Identifier: Apache-2.0
/*
 * doctor_show: what each tool trusts, and what is wrong with that.
 */
#include <string.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/doctor_priv.h"
#include "cli/doctor_tools.h"
#include "doctor/say.h"

static const char *
effect_text(const struct home *h, const struct tool_set *s)
{
	static const char *const words[] = {
		[TOOL_OS] = "uses the system's list too",
		[TOOL_ADDS] = "adds",
		[TOOL_REPLACES] = "replaces the list",
		[TOOL_SELECTS] = "selects",
	};

	return say(h, s->silenced ? "IGNORED: another setting wins" : words[s->effect]);
}

static void
print_set(struct home *h, const struct tool_set *s)
{
	const char *value = home_short(h, s->found.value);

	const char *words[] = {effect_text(h, s), setting_where(h, &s->found)};
	const char *n[] = {home_text(h, "%zu", s->certs)};

	doctor_print_label(h, "set", CLI_DIM);
	text_out("%s = %s\n            %s", s->row->key, value,
		say_with(h, "{0}, in {1}", words, 2));
	if (s->certs > 0) {
		text_out("; %s%s", say_with(h, "{0} certificates", n, 1),
			s->has_org ? say(h, ", the organisation's among them") : "");
	}
	text_out("\n");
}

static void
print_finding(struct home *h, const struct tool_finding *f)
{
	bool red = f->fault == TOOL_UNSAFE || f->fault == TOOL_DANGER;
	const char *words[] = {f->where, f->since};

	doctor_print_label(h, tool_fault_word(f->fault), red ? CLI_RED : CLI_YELLOW);
	text_out("%s\n", f->text);
	if (f->fault == TOOL_UNSAFE) {
		text_out("            %s\n",
			say_with(h,
				f->since[0] ? "in {0}, a file last changed {1}"
					    : "in {0}",
				words, 2));
	}
	if (f->exposes[0])
		text_out("            %s\n", f->exposes);
	if (f->instead && f->instead[0])
		text_out("            %s%s\n", say(h, "instead: "), f->instead);
}

static void
print_tool(struct doctor_scene *s, const struct tool_view *v)
{
	struct span runtime = span_str(v->row->version);
	runtime = span_first(runtime, span_chr(runtime, ' '));
	bool own = span_eq(runtime, span_str(v->row->name));

	text_out("%s%s%s", cli_colour(CLI_BOLD), v->row->name, cli_colour(CLI_PLAIN));
	if (v->version[0] && own) {
		text_out(" %s", v->version);
	} else if (v->version[0]) {
		text_out(" (%.*s %s)", SPAN_ARG(runtime), v->version);
	}
	text_out("  %s\n",
		v->program        ? v->program
			: v->here ? v->row->title
				  : "(not installed)");
	struct home *h = &s->home;
	doctor_print_label(h, "trusts", CLI_PLAIN);
	text_out("%s\n", say(h, tool_roots_text(v)));
	for (size_t i = 0; i < v->n_sets; i++)
		print_set(&s->home, &v->sets[i]);
	if (s->bundle.org.n > 0) {
		doctor_print_label(h, "your CA", CLI_PLAIN);
		text_out("%s\n",
			say(h, v->trusts_org ? "is trusted" : "is not trusted"));
	}
	for (size_t i = 0; i < v->n_findings; i++)
		print_finding(h, &v->findings[i]);
	if (s->named && v->row->note[0]) {
		doctor_print_label(h, "note", CLI_PLAIN);
		text_out("%s\n", v->row->note);
	}
}

static void
put_place(struct json_out *j, struct home *h, const struct setting_found *f)
{
	json_str(j, "file", f->path ? home_short(h, f->path) : NULL);
	if (f->path)
		json_uint(j, "line", f->line);
}

static void
put_set(struct json_out *j, struct home *h, const struct tool_set *s)
{
	json_object(j, NULL);
	json_str(j, "key", s->row->key);
	json_str(j, "value", s->found.value);
	json_str(j, "kind", s->row->kind);
	json_str(j, "effect", s->row->effect);
	put_place(j, h, &s->found);
	json_bool(j, "ignored", s->silenced);
	if (s->file) {
		json_uint(j, "certificates", s->certs);
		json_bool(j, "has_organisation_ca", s->has_org);
	}
	json_end(j);
}

static void
put_finding(struct json_out *j, struct home *h, const struct tool_finding *f)
{
	json_object(j, NULL);
	json_str(j, "kind", tool_fault_word(f->fault));
	json_str(j, "text", f->text);
	put_place(j, h, &f->found);
	json_str(j, "since", f->since[0] ? f->since : NULL);
	json_str(j, "exposes", f->exposes[0] ? f->exposes : NULL);
	json_str(j, "instead", f->instead && f->instead[0] ? f->instead : NULL);
	json_end(j);
}

static void
put_tool(struct json_out *j, struct doctor_scene *s, const struct tool_view *v)
{
	json_object(j, NULL);
	json_str(j, "tool", v->row->name);
	json_str(j, "title", v->row->title);
	json_bool(j, "installed", v->here);
	json_str(j, "program", v->program);
	json_str(j, "version", v->version[0] ? v->version : NULL);
	json_str(j, "trusts", tool_roots_text(v));
	if (s->bundle.org.n > 0)
		json_bool(j, "trusts_organisation_ca", v->trusts_org);
	json_array(j, "settings");
	for (size_t i = 0; i < v->n_sets; i++)
		put_set(j, &s->home, &v->sets[i]);
	json_end(j);
	json_array(j, "findings");
	for (size_t i = 0; i < v->n_findings; i++)
		put_finding(j, &s->home, &v->findings[i]);
	json_end(j);
	json_end(j);
}

static const char *const folklore[] = {"WGET_CA_BUNDLE", "HOMEBREW_SSL_CERT_FILE",
	"CURL_CA_INFO", "PYTHON_CA_BUNDLE", "CERT_PATH"};

/* Variables that public scripts set and no program reads. */
static size_t
print_folklore(struct doctor_scene *s, struct json_out *j)
{
	size_t n = 0;

	for (size_t i = 0; i < COUNT_OF(folklore); i++) {
		struct setting_found f[1];
		struct setting_ask ask = {"env", "", folklore[i]};
		if (setting_find(&s->home, &ask, f, 1) == 0)
			continue;
		n++;
		if (j) {
			json_str(j, NULL, folklore[i]);
		} else {
			const char *words[] = {
				folklore[i], setting_where(&s->home, &f[0])};
			text_out("%s\n",
				say_with(&s->home, "{0} in {1} is read by no program",
					words, 2));
		}
	}
	return n;
}

static size_t
show_all(struct doctor_scene *s, struct json_out *j)
{
	size_t findings = 0;

	for (size_t i = 0; i < s->n_tools; i++) {
		struct tool_view v;
		tool_look(&s->home, &s->bundle, s->tools[i], &v);
		if (j) {
			put_tool(j, s, &v);
		} else {
			print_tool(s, &v);
		}
		findings += v.n_findings;
		findings += s->bundle.org.n > 0 && v.here && !v.trusts_org;
	}
	return findings;
}

static void
print_head(const struct doctor_scene *s)
{
	const char *text = "The system's list does not have your organisation's CA.";

	if (s->bundle.org.n == 0) {
		text = "No CA of your organisation is known here: name it with --ca "
		       "FILE, "
		       "see `sekisho doctor ca list`.";
	} else if (s->bundle.os_has_org) {
		text = "The system's list has your organisation's CA.";
	}
	text_out("%s\n", say(&s->home, text));
}

static enum cli_exit
run_show(const struct cli_call *call)
{
	struct doctor_scene s;
	struct json_out j;
	struct err err = {0};
	size_t findings = 0;

	if (!doctor_scene_open(call, &s, &err))
		return cli_fail(&err);
	if (cli_has(call, "json")) {
		json_init(&j, DOCTOR_JSON);
		j.pretty = true;
		json_object(&j, NULL);
		if (s.bundle.org.n > 0) {
			json_bool(
				&j, "system_has_organisation_ca", s.bundle.os_has_org);
		}
		json_array(&j, "tools");
		findings = show_all(&s, &j);
		json_end(&j);
		json_array(&j, "read_by_nobody");
		findings += print_folklore(&s, &j);
		json_end(&j);
		json_end(&j);
		cli_print_json(&j);
	} else {
		print_head(&s);
		findings = show_all(&s, NULL);
		findings += print_folklore(&s, NULL);
	}
	doctor_scene_close(&s);
	return findings > 0 ? CLI_FAILED : CLI_GOOD;
}

static const struct cli_option options[] = {
	{"ca", 'c', "FILE", "the organisation's CA [what `doctor apply` took before]",
		false},
	{"every", 0, NULL, "also tools that are not installed", false},
	{"root", 0, "DIR", "look for the system's files below DIR (an image, a chroot)",
		false},
	DOCTOR_OPTIONS,
	{0},
};

const struct command command_doctor_show = {
	.name = "doctor show",
	.operands = "[TOOL ...]",
	.summary = "show what each tool trusts, which setting wins, and what is unsafe",
	.help = "Looks at the environment, shells' start-up files and the tools' own "
		"files;\n"
		"changes nothing and needs no network. Finds settings that silence "
		"each "
		"other,\n"
		"files that are gone or in bad form, one CA where it replaces the "
		"public "
		"list,\n"
		"and every setting that switches verification off, with its place and "
		"what\n"
		"follows from it. Exit code 1 when there is something to act on.",
	.examples = "sekisho doctor show\nsekisho doctor show npm pip --ca corp.pem\n",
	.options = options,
	.least = 0,
	.most = CLI_MAX_OPERANDS,
	.run = run_show,
};

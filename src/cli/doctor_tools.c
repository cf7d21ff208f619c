// SPDX-License-Identifier: Apache-2.0
/*
 * doctor_tools: whose tools, and which.
 */
#include "cli/doctor_tools.h"

#include "base/text.h"
#include "doctor/say.h"

static bool
refuse_tool(const char *name, struct err *err)
{
	const char *near = tool_nearest(name);

	return err_set(err, ERR_DOCTOR_TOOL, "\"%s\"%s%s%s", name,
		near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

/* What the user names must be known; without names, all that are here. */
static bool
pick_tools(
	const struct cli_call *call, struct doctor_scene *s, bool all, struct err *err)
{
	for (size_t i = 0; i < call->n_operands; i++) {
		const struct tool_row *row = tool_find(cli_operand(call, i));
		if (!row)
			return refuse_tool(cli_operand(call, i), err);
		s->tools[s->n_tools++] = row;
		s->named = true;
	}
	if (s->named)
		return true;
	for (const struct tool_row *r = tool_rows; r->name; r++) {
		if (s->n_tools < DOCTOR_TOOLS && (all || tool_is_here(&s->home, r)))
			s->tools[s->n_tools++] = r;
	}
	return true;
}

/* Options that a command does not have are not asked for. */
static const char *
option_of(const struct cli_call *call, const char *name)
{
	const struct cli_option *o = call->command->options;

	for (; o && o->name; o++) {
		if (span_eq(span_str(o->name), span_str(name)))
			return cli_get(call, name);
	}
	return NULL;
}

bool
doctor_home_open(const struct cli_call *call, struct home *h, struct err *err)
{
	enum language language = ENGLISH;
	const char *asked = option_of(call, "lang");

	if (!words_language(asked, &language))
		return err_set(err, ERR_USAGE, "--lang %s: en or ja", asked);
	if (!home_open(h, option_of(call, "root"), err))
		return false;
	h->language = language;
	return true;
}

bool
doctor_scene_open(const struct cli_call *call, struct doctor_scene *s, struct err *err)
{
	const char *ca = option_of(call, "ca");

	*s = (struct doctor_scene){0};
	if (!doctor_home_open(call, &s->home, err))
		return false;
	bundle_open(&s->bundle, &s->home);
	bool ok = pick_tools(call, s, option_of(call, "every") != NULL, err);
	if (ok && ca) {
		ok = bundle_take(&s->bundle, &s->home, ca, err);
	} else if (ok) {
		bundle_take_kept(&s->bundle, &s->home);
	}
	if (!ok)
		doctor_scene_close(s);
	return ok;
}

void
doctor_scene_close(struct doctor_scene *s)
{
	bundle_close(&s->bundle);
	home_close(&s->home);
}

/* Columns of a terminal: a character of Japanese takes two. */
static size_t
width_of(const char *s)
{
	size_t width = 0;

	for (; *s; s++) {
		uint8_t c = (uint8_t)*s;
		width += c < 0x80 ? 1 : c >= 0xc0 ? 2 : 0;
	}
	return width;
}

void
doctor_print_label(const struct home *h, const char *label, enum cli_colour colour)
{
	const char *text = say(h, label);
	size_t width = width_of(text);

	text_out("  %s%s%s%*s", cli_colour(colour), text, cli_colour(CLI_PLAIN),
		(int)(width < 9 ? 10 - width : 1), "");
}

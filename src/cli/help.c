// SPDX-License-Identifier: Apache-2.0
/*
 * help: the texts made from the command tables: --help, the overview, sekisho(1).
 */
#include "base/span.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/cli_priv.h"

enum { USAGE_TEXT = 200 };

void
cli_usage_line(const struct command *c, char *dst, size_t cap)
{
	struct text t = text_to(dst, cap);

	text_add(&t, "sekisho %s", c->name);
	if (c->options)
		text_add(&t, " [options]");
	if (c->operands[0])
		text_add(&t, " %s", c->operands);
}

/* "-c, --config FILE" */
static void
option_text(const struct cli_option *o, struct text *t)
{
	if (o->letter) {
		text_add(t, "-%c, ", o->letter);
	} else {
		text_add(t, "    ");
	}
	text_add(t, "--%s", o->name);
	if (o->value)
		text_add(t, " %s", o->value);
}

static void
print_option(const struct cli_option *o)
{
	char left[64];
	struct text t = text_to(left, sizeof(left));

	option_text(o, &t);
	text_out("  %-28s %s%s\n", left, o->help, o->many ? " (may be repeated)" : "");
}

static void
print_indented(const char *lines)
{
	struct span rest = span_str(lines);
	struct span line = {0};

	while (span_cut(&rest, '\n', &line))
		text_out("  %.*s\n", SPAN_ARG(line));
}

void
cli_print_help(const struct command *c)
{
	char usage[USAGE_TEXT];

	cli_usage_line(c, usage, sizeof(usage));
	text_out("%s%s%s\n\n%s: %s\n", cli_colour(CLI_BOLD), usage,
		cli_colour(CLI_PLAIN), c->name, c->summary);
	if (c->help[0])
		text_out("\n%s\n", c->help);
	text_out("\n%sOptions%s\n", cli_colour(CLI_BOLD), cli_colour(CLI_PLAIN));
	for (const struct cli_option *o = c->options; o && o->name; o++)
		print_option(o);
	print_option(&(struct cli_option){"help", 'h', NULL, "show this", false});
	if (c->examples[0]) {
		text_out("\n%sExamples%s\n", cli_colour(CLI_BOLD),
			cli_colour(CLI_PLAIN));
		print_indented(c->examples);
	}
}

void
cli_print_overview(const struct command *const *all, struct span group)
{
	text_out("%ssekisho%s: a checkpoint on the road of TLS\n\n"
		 "Usage: sekisho COMMAND [options]\n\n",
		cli_colour(CLI_BOLD), cli_colour(CLI_PLAIN));
	for (; *all; all++) {
		if ((*all)->hidden || (group.n > 0 && !cli_in_group(*all, group)))
			continue;
		text_out("  %-18s %s\n", (*all)->name, (*all)->summary);
	}
	text_out("\n\"sekisho COMMAND --help\" tells more. Exit codes: 0 good, 1 "
		 "findings or\n"
		 "failure, 2 command line not understood, 3 could not tell.\n");
}

/* roff takes "\" as an escape, "-" as a hyphen, and "." or "'" in front as a request.
 */
static void
print_roff(struct span s)
{
	if (s.n > 0 && (s.p[0] == '.' || s.p[0] == '\''))
		text_out("\\&");
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\') {
			text_out("\\e");
		} else if (s.p[i] == '-') {
			text_out("\\-");
		} else {
			text_out_span((struct span){s.p + i, 1});
		}
	}
}

/* Text with "\n" between lines; an empty line begins a paragraph. */
static void
print_roff_lines(const char *lines)
{
	struct span rest = span_str(lines);
	struct span line = {0};

	while (span_cut(&rest, '\n', &line)) {
		if (line.n == 0) {
			text_out(".PP");
		} else {
			print_roff(line);
		}
		text_out("\n");
	}
}

static void
print_roff_option(const struct cli_option *o)
{
	char left[64];
	struct text t = text_to(left, sizeof(left));

	option_text(o, &t);
	text_out(".TP\n.B ");
	print_roff(span_trim(text_span(&t)));
	text_out("\n");
	print_roff(span_str(o->help));
	text_out(".\n");
}

static void
print_roff_command(const struct command *c)
{
	char usage[USAGE_TEXT];

	cli_usage_line(c, usage, sizeof(usage));
	text_out(".SS ");
	print_roff(span_str(usage));
	text_out("\n");
	print_roff(span_str(c->summary));
	text_out(".\n");
	if (c->help[0]) {
		text_out(".PP\n");
		print_roff_lines(c->help);
	}
	for (const struct cli_option *o = c->options; o && o->name; o++)
		print_roff_option(o);
	if (c->examples[0]) {
		text_out(".PP\nExamples:\n.PP\n.nf\n");
		print_roff_lines(c->examples);
		text_out(".fi\n");
	}
}

static const char manual_head[] =
	".TH SEKISHO 1 \"\" \"sekisho " SEKISHO_VERSION "\" \"User Commands\"\n"
	".SH NAME\nsekisho \\- a checkpoint on the road of TLS\n"
	".SH SYNOPSIS\n.B sekisho\n.I COMMAND\n[options] [operands]\n"
	".SH DESCRIPTION\n"
	"An inspecting TLS proxy, a TLS edge with client certificates, a key server, "
	"and a\n"
	"doctor for people who live behind inspection, in one program.\n"
	"Every command understands\n.B \\-\\-help\\fR.\n"
	".SH COMMANDS\n";

static const char manual_tail[] =
	".SH EXIT STATUS\n"
	".TP\n.B 0\nGood.\n"
	".TP\n.B 1\nFindings, or it did not work.\n"
	".TP\n.B 2\nThe command line was not understood.\n"
	".TP\n.B 3\nCould not tell: what is needed to judge was out of reach.\n"
	".SH ENVIRONMENT\n"
	".TP\n.B NO_COLOR\nWhen set, no colours, not even on a terminal.\n"
	".SH FILES\n"
	".TP\n.I /etc/sekisho/sekisho.conf\nThe configuration.\n";

void
cli_print_manual(const struct command *const *all)
{
	text_out("%s", manual_head);
	for (; *all; all++) {
		if (!(*all)->hidden)
			print_roff_command(*all);
	}
	text_out("%s", manual_tail);
}

// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include <string.h>

#include "base/must.h"
#include "base/span.h"
#include "base/text.h"
#include "cli/cli_priv.h"

enum { MOST_NAMES = 64 }; /* candidates for "did you mean" */

static const struct cli_option option_help = {"help", 'h', NULL, "show this", false};

/* Appends "; did you mean PREFIX NAME?" when one of the names is near. */
static bool
refuse(struct err *err, const char *what, struct span got, const char *const *names,
	size_t n_names)
{
	size_t near = text_nearest(got, names, n_names);
	if (near < n_names) {
		return err_set(err, ERR_USAGE,
			"unknown %s \"%.*s\"; did you mean \"%s\"?", what,
			SPAN_ARG(got), names[near]);
	}
	return err_set(err, ERR_USAGE, "unknown %s \"%.*s\"", what, SPAN_ARG(got));
}

static const struct cli_option *
find_long(const struct command *c, struct span name)
{
	if (span_eq(name, SPAN("help")))
		return &option_help;
	for (const struct cli_option *o = c->options; o && o->name; o++) {
		if (span_eq(name, span_str(o->name)))
			return o;
	}
	return NULL;
}

static const struct cli_option *
find_letter(const struct command *c, char letter)
{
	for (const struct cli_option *o = c->options; o && o->name; o++) {
		if (o->letter == letter)
			return o;
	}
	return letter == 'h' ? &option_help : NULL;
}

static bool
refuse_option(const struct command *c, struct span name, struct err *err)
{
	const char *names[CLI_MAX_OPTIONS + 1];
	size_t n = 0;

	names[n++] = option_help.name;
	for (const struct cli_option *o = c->options;
		o && o->name && n < COUNT_OF(names); o++)
		names[n++] = o->name;
	return refuse(err, "option", name, names, n);
}

/* What is left of the command line while it is read. */
struct words {
	char *const *next; /* ends with NULL, as argv does */
	bool only_operands;
};

static bool
keep_value(struct cli_call *call, const struct cli_option *o, const char *text,
	struct err *err)
{
	if (o == &option_help) {
		call->wants_help = true;
		return true;
	}
	if (!o->many && cli_has(call, o->name) && o->value)
		return err_set(err, ERR_USAGE, "option --%s is given twice", o->name);
	if (call->n_values == COUNT_OF(call->values))
		return err_set(err, ERR_USAGE, "more than %zu options", call->n_values);
	call->values[call->n_values++] = (struct cli_value){o, text};
	return true;
}

/* The value is in the word itself, or the next word. */
static bool
take_value(struct cli_call *call, struct words *w, const struct cli_option *o,
	const char *inside, struct err *err)
{
	if (!o->value) {
		if (inside) {
			return err_set(
				err, ERR_USAGE, "option --%s takes no value", o->name);
		}
		return keep_value(call, o, "", err);
	}
	if (!inside && !*w->next) {
		return err_set(err, ERR_USAGE, "option --%s needs a value: %s", o->name,
			o->value);
	}
	return keep_value(call, o, inside ? inside : *w->next++, err);
}

/* --name, --name=value */
static bool
take_long(struct cli_call *call, struct words *w, const char *word, struct err *err)
{
	struct span rest = span_str(word);
	struct span name = span_first(rest, span_chr(rest, '='));
	const struct cli_option *o = find_long(call->command, name);

	if (!o)
		return refuse_option(call->command, name, err);
	return take_value(call, w, o, name.n < rest.n ? word + name.n + 1 : NULL, err);
}

/* -f, -fj, -c value, -cvalue */
static bool
take_letters(struct cli_call *call, struct words *w, const char *word, struct err *err)
{
	for (const char *p = word; *p; p++) {
		const struct cli_option *o = find_letter(call->command, *p);
		if (!o)
			return err_set(err, ERR_USAGE, "unknown option \"-%c\"", *p);
		if (o->value)
			return take_value(call, w, o, p[1] ? p + 1 : NULL, err);
		if (!keep_value(call, o, "", err))
			return false;
	}
	return true;
}

static bool
take_word(struct cli_call *call, struct words *w, const char *word, struct err *err)
{
	if (!w->only_operands && strcmp(word, "--") == 0) {
		w->only_operands = true;
		return true;
	}
	if (!w->only_operands && word[0] == '-' && word[1] == '-')
		return take_long(call, w, word + 2, err);
	if (!w->only_operands && word[0] == '-' && word[1])
		return take_letters(call, w, word + 1, err);
	if (call->n_operands == COUNT_OF(call->operands)) {
		return err_set(
			err, ERR_USAGE, "more than %zu operands", call->n_operands);
	}
	call->operands[call->n_operands++] = word;
	return true;
}

static bool
check_operands(const struct cli_call *call, struct err *err)
{
	const struct command *c = call->command;

	if (call->wants_help)
		return true;
	if (call->n_operands < c->least)
		return err_set(err, ERR_USAGE, "\"%s\" needs %s", c->name, c->operands);
	if (call->n_operands > c->most) {
		return err_set(err, ERR_USAGE, "\"%s\" does not understand \"%s\"",
			c->name, call->operands[c->most]);
	}
	return true;
}

/* How many words of argv name this command: 0 if it is another. */
static size_t
words_named(const struct command *c, int argc, char *const argv[])
{
	struct span rest = span_str(c->name);
	struct span word = {0};
	size_t n = 0;

	while (span_cut(&rest, ' ', &word)) {
		n++;
		if ((size_t)argc <= n || !span_eq(word, span_str(argv[n])))
			return 0;
	}
	return n;
}

static const struct command *
find_command(
	const struct command *const *all, int argc, char *const argv[], size_t *words)
{
	const struct command *best = NULL;

	*words = 0;
	for (; *all; all++) {
		size_t n = words_named(*all, argc, argv);
		if (n > *words) {
			*words = n;
			best = *all;
		}
	}
	return best;
}

bool
cli_in_group(const struct command *c, struct span group)
{
	struct span name = span_str(c->name);
	return span_starts(name, group) && name.n > group.n && name.p[group.n] == ' ';
}

static bool
is_group(const struct command *const *all, struct span word)
{
	for (; *all; all++) {
		if (cli_in_group(*all, word))
			return true;
	}
	return false;
}

/* Names to suggest: whole ones, or, inside a group, their second words. */
static bool
refuse_command(
	const struct command *const *all, int argc, char *const argv[], struct err *err)
{
	const char *names[MOST_NAMES];
	size_t n = 0;
	struct span group = span_str(argv[1]);
	bool inside = argc > 2 && is_group(all, group);

	for (; *all && n < COUNT_OF(names); all++) {
		if (inside && cli_in_group(*all, group))
			names[n++] = (*all)->name + group.n + 1;
		if (!inside && !(*all)->hidden)
			names[n++] = (*all)->name;
	}
	if (inside) {
		return refuse(err, "command", span_str(argv[2]), names, n) ||
			err_within(err, "%s", argv[1]);
	}
	return refuse(err, "command", group, names, n);
}

bool
cli_parse(const struct command *const *all, int argc, char *const argv[],
	struct cli_call *out, struct err *err)
{
	size_t words = 0;
	struct cli_call call = {.all = all};

	if (argc < 2)
		return err_set(err, ERR_USAGE, "no command");
	call.command = find_command(all, argc, argv, &words);
	if (!call.command)
		return refuse_command(all, argc, argv, err);

	struct words w = {.next = argv + 1 + words};
	while (*w.next) {
		const char *word = *w.next++;
		if (!take_word(&call, &w, word, err))
			return err_within(err, "%s", call.command->name);
	}
	if (!check_operands(&call, err))
		return false;
	*out = call;
	return true;
}

const char *
cli_get_nth(const struct cli_call *call, const char *name, size_t i)
{
	must(find_long(
		call->command, span_str(name))); /* callers name their own table */
	for (size_t k = 0; k < call->n_values; k++) {
		if (strcmp(call->values[k].option->name, name) == 0 && i-- == 0)
			return call->values[k].text;
	}
	return NULL;
}

const char *
cli_get(const struct cli_call *call, const char *name)
{
	const char *last = NULL;
	const char *text = NULL;

	for (size_t i = 0; (text = cli_get_nth(call, name, i)) != NULL; i++)
		last = text;
	return last;
}

bool
cli_has(const struct cli_call *call, const char *name)
{
	return cli_get_nth(call, name, 0) != NULL;
}

bool
cli_number(const struct cli_call *call, const char *name, uint64_t max, uint64_t *inout,
	struct err *err)
{
	const char *text = cli_get(call, name);

	if (text && !text_u64(span_str(text), max, inout)) {
		return err_set(err, ERR_USAGE,
			"--%s wants a whole number up to %llu, not \"%s\"", name,
			(unsigned long long)max, text);
	}
	return true;
}

const char *
cli_operand(const struct cli_call *call, size_t i)
{
	return i < call->n_operands ? call->operands[i] : NULL;
}

enum cli_exit
cli_fail(const struct err *err)
{
	text_err("sekisho: %s\n", err->text[0] ? err->text : err_sentence(err->code));
	if (err->text[0] && err->code != ERR_USAGE)
		text_err("  %s [%s]\n", err_sentence(err->code), err_id(err->code));
	if (err_hint(err->code)[0])
		text_err("  %s\n", err_hint(err->code));
	return err->code == ERR_USAGE ? CLI_USAGE : CLI_FAILED;
}

void
cli_print_json(struct json_out *j)
{
	text_out_span(json_text(j));
	text_out("\n");
	json_fini(j);
}

static bool
asks_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* `sekisho`, `sekisho ca`, each with or without --help: lists, not commands. */
static bool
print_list(const struct command *const *all, int argc, char *const argv[], int *code)
{
	bool asked = argc > 1 && asks_help(argv[argc - 1]);
	int words = asked ? argc - 1 : argc;
	struct span group = words == 2 ? span_str(argv[1]) : (struct span){0};
	size_t named = 0;

	if (words > 2 || (words == 2 && !is_group(all, group)))
		return false;
	if (find_command(all, words, argv, &named))
		return false; /* "ca" may be a command as well as a group */
	cli_print_overview(all, group);
	*code = asked ? CLI_GOOD : CLI_USAGE;
	return true;
}

static int
run_call(const struct cli_call *call)
{
	must(call->command); /* cli_parse() found one */
	if (call->wants_help) {
		cli_print_help(call->command);
		return CLI_GOOD;
	}
	return (int)call->command->run(call);
}

int
cli_main(const struct command *const *all, int argc, char *const argv[])
{
	struct err err = {0};
	struct cli_call call = {0};
	int code = CLI_GOOD;

	if (!print_list(all, argc, argv, &code)) {
		if (cli_parse(all, argc, argv, &call, &err)) {
			code = run_call(&call);
		} else {
			code = (int)cli_fail(&err);
		}
	}
	if (!text_flush() && code == CLI_GOOD)
		code = CLI_FAILED; /* what was asked for did not arrive */
	return code;
}

const char *
cli_colour(enum cli_colour c)
{
	static const char *const codes[] = {
		[CLI_PLAIN] = "\033[0m",
		[CLI_BOLD] = "\033[1m",
		[CLI_DIM] = "\033[2m",
		[CLI_RED] = "\033[31m",
		[CLI_GREEN] = "\033[32m",
		[CLI_YELLOW] = "\033[33m",
	};
	return text_colours() ? codes[c] : "";
}

// SPDX-License-Identifier: Apache-2.0
/*
 * apps: which applications the catalogue knows, and which one a host belongs to.
 */
#include "base/mem.h"
#include "base/text.h"
#include "cli/commands.h"
#include "fact/catalogue.h"

static const struct cli_option options[] = {
	{"types", 't', NULL,
		"list the types instead, with their numbers for app.type.ids", false},
	{"hosts", 'H', NULL, "show every host of each application, with its source",
		false},
	{0},
};

static bool
contains_nocase(struct span s, struct span part)
{
	for (size_t i = 0; i + part.n <= s.n; i++) {
		if (span_eq_nocase(span_slice(s, i, i + part.n), part))
			return true;
	}
	return false;
}

static void
print_types(const struct catalogue *c)
{
	const struct catalogue_type *t;
	for (size_t i = 0; (t = catalogue_type(c, i)) != NULL; i++)
		text_out("%5u  %.*s\n", t->id, SPAN_ARG(t->name));
}

static const char *
meaning_of(const struct catalogue_row *r)
{
	static const struct {
		const char *word;
		const char *meaning;
	} words[] = {
		{"on", "inspected"},
		{"off", "not inspected (type 16)"},
		{"broad", "inspected: the suffix serves more than this application"},
		{"app", "inspected: the evidence is about one client process only"},
		{"owner", "inspected: the row only says who owns the name"},
	};
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (span_eq(r->inspect, span_str(words[i].word)))
			return words[i].meaning;
	}
	return "";
}

static void
print_row(const struct catalogue_row *r)
{
	text_out("        %-32.*s pinned: %-6.*s  %s\n", SPAN_ARG(r->host),
		SPAN_ARG(r->pinned), meaning_of(r));
	text_out("          %s%.*s%s\n", cli_colour(CLI_DIM), SPAN_ARG(r->source),
		cli_colour(CLI_PLAIN));
}

static void
print_app(const struct catalogue *c, const struct catalogue_row *r)
{
	text_out("%5u  %s%.*s%s  (%.*s, type %u)\n", r->id, cli_colour(CLI_BOLD),
		SPAN_ARG(r->name), cli_colour(CLI_PLAIN), SPAN_ARG(r->category),
		catalogue_type_of(c, r->category));
}

static bool
is_first_of_app(const struct catalogue *c, size_t i)
{
	const struct catalogue_row *r = catalogue_row(c, i);
	for (size_t k = 0; k < i; k++) {
		if (catalogue_row(c, k)->id == r->id)
			return false;
	}
	return true;
}

static bool
app_matches(const struct catalogue *c, uint32_t id, struct span wanted)
{
	const struct catalogue_row *r;
	for (size_t i = 0; (r = catalogue_row(c, i)) != NULL; i++) {
		if (r->id == id &&
			(contains_nocase(r->name, wanted) ||
				contains_nocase(r->category, wanted) ||
				contains_nocase(r->host, wanted)))
			return true;
	}
	return false;
}

static void
print_hosts(const struct catalogue *c, uint32_t id)
{
	const struct catalogue_row *r;
	for (size_t i = 0; (r = catalogue_row(c, i)) != NULL; i++) {
		if (r->id == id)
			print_row(r);
	}
}

static size_t
print_apps(const struct catalogue *c, struct span wanted, bool hosts)
{
	size_t n = 0;
	const struct catalogue_row *r;
	for (size_t i = 0; (r = catalogue_row(c, i)) != NULL; i++) {
		if (!is_first_of_app(c, i) || !app_matches(c, r->id, wanted))
			continue;
		print_app(c, r);
		if (hosts)
			print_hosts(c, r->id);
		n++;
	}
	return n;
}

/* Rows that speak of the host, and what rules will see. */
static size_t
print_host(const struct catalogue *c, struct span host)
{
	size_t n = 0;
	const struct catalogue_row *r;
	for (size_t i = 0; (r = catalogue_row(c, i)) != NULL; i++) {
		if (!catalogue_row_covers(r, host))
			continue;
		print_app(c, r);
		print_row(r);
		n++;
	}
	char line[1000];
	struct text t = text_to(line, sizeof(line));
	struct catalogue_hit hit = catalogue_find(c, host);
	if (n > 0) {
		value_put(&t, &hit.ids);
		text_add(&t, ", app.type.ids ");
		value_put(&t, &hit.types);
		text_out("rules see: app.ids %s\n", line);
	}
	return n;
}

static enum cli_exit
run_apps(const struct cli_call *call)
{
	struct catalogue *c = catalogue_built_in();
	struct span wanted = span_str(cli_operand(call, 0));
	size_t n = 1;
	if (cli_has(call, "types")) {
		print_types(c);
	} else if (span_chr(wanted, '.') < wanted.n && print_host(c, wanted) > 0) {
		n = 1;
	} else {
		n = print_apps(c, wanted, cli_has(call, "hosts"));
	}
	catalogue_free(c);
	if (n == 0)
		text_err("no application of the catalogue fits\n");
	return n > 0 ? CLI_GOOD : CLI_FAILED;
}

const struct command command_apps = {
	.name = "apps",
	.operands = "[HOST or TEXT]",
	.summary = "list and search applications; tell which one a host belongs to",
	.help = "Without an operand lists all applications of the catalogue. A host "
		"name shows\n"
		"the application it belongs to, whether its traffic is inspected by a "
		"rule on\n"
		"type 16, and where each fact comes from. Any other text is searched "
		"for in\n"
		"names, categories and hosts.",
	.examples =
		"sekisho apps\nsekisho apps signal --hosts\nsekisho apps api.line.me\n"
		"sekisho apps --types\n",
	.options = options,
	.most = 1,
	.run = run_apps,
};

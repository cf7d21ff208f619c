// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/import_priv.h"
#include "fact/vocab.h"
#include "gate/acts.h"

enum {
	ARENA_LIMIT = 256 << 20,
	FILE_LIMIT = 64 << 20,
	EXPRESSION_MAX = 256 << 10,
	PATH_ROOM = 1024
};

struct span
import_format(struct import *im, const char *fmt, ...)
{
	char *room = mem_alloc(EXPRESSION_MAX);
	struct text t = text_to(room, EXPRESSION_MAX);
	va_list ap;
	va_start(ap, fmt);
	text_addv(&t, fmt, ap);
	va_end(ap);
	struct span out = arena_copy(&im->arena, text_span(&t));
	mem_free(room);
	return out;
}

void
import_init(struct import *im)
{
	*im = (struct import){.lists = lists_new()};
	arena_init(&im->arena, ARENA_LIMIT);
	scheme_init(&im->scheme, vocab_fields, vocab_count, im->lists);
	im->last_file = &im->files;
	im->last_done = &im->done;
	im->last_note = &im->notes;
}

void
import_fini(struct import *im)
{
	scheme_fini(&im->scheme);
	lists_free(im->lists);
	arena_fini(&im->arena);
}

void
import_note(struct import *im, struct span text)
{
	struct import_note *note = arena_alloc(&im->arena, sizeof(*note));
	note->text = text;
	*im->last_note = note;
	im->last_note = &note->next;
}

void
import_list(struct import *im, struct span name, struct span path)
{
	struct err err = {0};
	if (lists_find(im->lists, name) != NULL)
		return;
	if (!lists_add(im->lists, &(struct list_source){.name = name}, NULL, 0, &err))
		return;
	struct import_file *f = arena_alloc(&im->arena, sizeof(*f));
	*f = (struct import_file){.name = name, .path = path};
	*im->last_file = f;
	im->last_file = &f->next;
}

/* Small letters, digits and single hyphens. */
static struct span
plain_name(struct import *im, struct span s)
{
	char name[64];
	struct text t = text_to(name, sizeof(name));
	for (size_t i = 0; i < s.n && t.n + 2 < sizeof(name); i++) {
		uint8_t c = ascii_lower(s.p[i]);
		bool plain = ascii_is_alpha(c) || ascii_is_digit(c);
		if (plain) {
			text_put(&t, span_of(&c, 1));
		} else if (t.n > 0 && name[t.n - 1] != '-') {
			text_put(&t, SPAN("-"));
		}
	}
	struct span out = text_span(&t);
	while (out.n > 0 && out.p[out.n - 1] == '-')
		out.n--;
	bool starts_well = out.n > 0 && ascii_is_alpha(out.p[0]);
	return import_format(
		im, "%s%.*s-%zu", starts_well ? "" : "rule-", SPAN_ARG(out), ++im->n);
}

static const struct policy_action *
find_action(struct span action)
{
	return act_find(span_first(action, span_chr(action, ' ')));
}

/* The first field that nothing fills yet, or NULL. */
static const struct field *
unfilled_field(const struct rule_expr *e)
{
	const struct field *f;
	for (size_t i = 0; (f = rule_field(e, i)) != NULL; i++) {
		if (f->flags & FIELD_UNFILLED)
			return f;
	}
	return NULL;
}

/* Why the rule cannot work here although it is understood, or empty. */
static struct span
find_obstacle(struct import *im, const struct import_rule *r, const struct rule_expr *e)
{
	const struct policy_action *a = find_action(r->action);
	const struct field *f = unfilled_field(e);
	if (a == NULL) {
		return import_format(
			im, "there is no action %.*s here", SPAN_ARG(r->action));
	}
	if (f != NULL) {
		return import_format(
			im, "%s is not filled here: it is always missing", f->name);
	}
	if (rule_phase(e) > a->latest) {
		return import_format(im,
			"%s must be decided in phase %s, the rule is in %s", a->name,
			phase_name(a->latest), phase_name(rule_phase(e)));
	}
	return (struct span){0};
}

static size_t
count_characters(struct span s)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		n += (s.p[i] & 0xc0) != 0x80;
	return n;
}

/* In its one canonical text; false when that is longer than a rule may be. */
static bool
print_rule(struct import *im, const struct rule_expr *e, struct span *out)
{
	char *room = mem_alloc(EXPRESSION_MAX);
	struct text t = text_to(room, EXPRESSION_MAX);
	rule_put(&t, e);
	bool ok = !t.cut && count_characters(text_span(&t)) <= RULE_TEXT_MAX;
	*out = ok ? arena_copy(&im->arena, text_span(&t)) : (struct span){0};
	mem_free(room);
	return ok;
}

/* What stands in its way, or empty; *d then has all there is to write. */
static struct span
examine(struct import *im, const struct import_rule *r, struct import_done *d)
{
	struct rule_expr *e = NULL;
	struct rule_error error;
	struct rule_options options = {.dialect = RULE_GATEWAY, .any_length = true};
	if (r->refuse.n > 0)
		return r->refuse;
	if (!rule_compile(&im->scheme, r->text, options, &e, &error)) {
		return import_format(
			im, "%u:%u: %s", error.line, error.col, error.message);
	}
	struct span why = find_obstacle(im, r, e);
	if (why.n == 0 && !print_rule(im, e, &d->text)) {
		why = import_format(im,
			"its condition has more than %d characters: move its sets into "
			"lists",
			RULE_TEXT_MAX);
	}
	d->action = find_action(r->action);
	d->phase = rule_phase(e);
	if (d->action && d->action->earliest > d->phase)
		d->phase = d->action->earliest;
	rule_free(e);
	return why;
}

void
import_write(struct import *im, const struct import_rule *r)
{
	struct import_done *d = arena_alloc(&im->arena, sizeof(*d));
	*d = (struct import_done){.given = *r};
	d->why = examine(im, r, d);
	d->fate = d->why.n > 0    ? IMPORT_REFUSED
		: r->change.n > 0 ? IMPORT_CHANGED
				  : IMPORT_CARRIED;
	if (d->fate != IMPORT_REFUSED)
		d->name = plain_name(im, r->name);
	*im->last_done = d;
	im->last_done = &d->next;
}

static bool
decides(const struct import_done *d)
{
	return d->fate != IMPORT_REFUSED && !d->given.disabled && d->action->deciding;
}

static bool
is_allow(const struct import_done *d)
{
	return span_eq(span_str(d->action->name), SPAN("allow"));
}

/*
 * There rules are asked in one order; here each phase in its turn, and who is let pass
 * in one is asked again in the next. Bypassing comes first on both sides. NULL: the
 * order of these two makes no difference.
 */
static const char *
difference(const struct import_done *first, const struct import_done *second)
{
	if (first->action == second->action || second->action->latest <= PHASE_HELLO)
		return NULL;
	if (second->phase < first->phase && !is_allow(second))
		return "is decided before it";
	return is_allow(first) && second->phase > first->phase
		? "is decided although this one lets pass"
		: NULL;
}

static void
settle_one(struct import *im, struct import_done *d)
{
	for (const struct import_done *o = d->next; decides(d) && o; o = o->next) {
		const char *what = decides(o) ? difference(d, o) : NULL;
		if (what == NULL)
			continue;
		d->given.change = import_format(im, "%.*s%s%.*s %s, in phase %s",
			SPAN_ARG(d->given.change), d->given.change.n > 0 ? "; " : "",
			SPAN_ARG(o->name), what, phase_name(o->phase));
		d->fate = IMPORT_CHANGED;
		return;
	}
}

void
import_settle(struct import *im)
{
	for (struct import_done *d = im->done; d; d = d->next) {
		settle_one(im, d);
		if (!d->given.beside)
			im->fates[d->fate]++;
	}
}

static void
print_refused(struct import *im, const struct import_done *d)
{
	struct span line;
	struct span text = import_format(im, "when %.*s do %.*s",
		SPAN_ARG(d->given.text), SPAN_ARG(d->given.action));
	text_out("\t# NOT CARRIED OVER: %.*s: %.*s\n", SPAN_ARG(d->given.name),
		SPAN_ARG(d->why));
	while (span_cut(&text, '\n', &line))
		text_out("\t#   %.*s\n", SPAN_ARG(line));
}

static void
print_one(struct import *im, const struct import_done *d)
{
	if (d->fate == IMPORT_REFUSED) {
		print_refused(im, d);
		return;
	}
	if (d->given.change.n > 0)
		text_out("\t# changed: %.*s\n", SPAN_ARG(d->given.change));
	text_out("\t%srule %.*s when ", d->given.disabled ? "# disabled: " : "",
		SPAN_ARG(d->name));
	text_out_span(d->text);
	text_out(" do %.*s\n", SPAN_ARG(d->given.action));
}

static void
report_one(const struct import_done *d)
{
	static const char *const words[] = {[IMPORT_CARRIED] = "carried",
		[IMPORT_CHANGED] = "changed",
		[IMPORT_REFUSED] = "refused"};
	struct span why = d->fate == IMPORT_REFUSED ? d->why : d->given.change;
	if (d->given.beside && d->fate == IMPORT_CARRIED)
		return;
	text_err("%-8s %.*s%s%s%.*s\n", words[d->fate], SPAN_ARG(d->given.name),
		d->given.disabled ? " (disabled)" : "", why.n > 0 ? ": " : "",
		SPAN_ARG(why));
}

void
import_print(struct import *im, const char *authority)
{
	for (const struct import_file *f = im->files; f; f = f->next) {
		text_out("list %.*s from %.*s\n", SPAN_ARG(f->name), SPAN_ARG(f->path));
	}
	text_out("%sgateway imported {\n\tauthority %s\n\n", im->files ? "\n" : "",
		authority);
	for (const struct import_done *d = im->done; d; d = d->next) {
		print_one(im, d);
		report_one(d);
	}
	text_out("}\n");
	for (const struct import_note *n = im->notes; n; n = n->next)
		text_err("%.*s\n", SPAN_ARG(n->text));
	for (const struct import_file *f = im->files; f; f = f->next) {
		text_err(
			"to fill  $%.*s: %.*s\n", SPAN_ARG(f->name), SPAN_ARG(f->path));
	}
	text_err("%zu carried over, %zu changed, %zu cannot work\n",
		im->fates[IMPORT_CARRIED], im->fates[IMPORT_CHANGED],
		im->fates[IMPORT_REFUSED]);
}

/* Files of lists that are not there yet are made, so that the policy loads. */
static bool
make_lists(const struct import *im, struct err *err)
{
	char path[PATH_ROOM];
	bool ok = true;
	for (const struct import_file *f = im->files; ok && f; f = f->next) {
		text_format(path, sizeof(path), "%.*s", SPAN_ARG(f->path));
		if (access(path, F_OK) == 0)
			continue;
		ok = file_replace(path, SPAN("# to be filled\n"), 0644, err);
	}
	return ok;
}

static const struct {
	const char *product;
	bool (*read)(struct import *im, struct span text, struct err *err);
} readers[] = {
	{"cloudflare-gateway", import_gateway},
	{"terraform", import_terraform},
	{"squid", import_squid},
};

static bool
import_text(struct import *im, const char *product, struct span text, struct err *err)
{
	for (size_t i = 0; i < COUNT_OF(readers); i++) {
		if (span_eq(span_str(product), span_str(readers[i].product)))
			return readers[i].read(im, text, err);
	}
	return err_set(err, ERR_USAGE,
		"%s: the products are cloudflare-gateway, terraform and squid",
		product);
}

static const struct cli_option options[] = {
	{"authority", 0, "DIR", "what the gateway's block names [/var/lib/sekisho/ca]",
		false},
	{"make-lists", 0, NULL, "make the files of lists, empty, where there are none",
		false},
	{0},
};

static enum cli_exit
run_import(const struct cli_call *call)
{
	struct import im;
	struct err err = {0};
	struct span text;
	const char *authority = cli_get(call, "authority");
	if (!file_read(cli_operand(call, 1), FILE_LIMIT, &text, &err))
		return cli_fail(&err);
	import_init(&im);
	bool ok = import_text(&im, cli_operand(call, 0), text, &err);
	if (ok) {
		import_settle(&im);
		import_print(&im, authority ? authority : "/var/lib/sekisho/ca");
		ok = !cli_has(call, "make-lists") || make_lists(&im, &err);
	}
	import_fini(&im);
	mem_free((void *)(uintptr_t)text.p);
	return ok ? CLI_GOOD : cli_fail(&err);
}

const struct command command_import = {
	.name = "import",
	.operands = "PRODUCT FILE",
	.summary = "write another product's rules as ours, and say what became of each",
	.help = "PRODUCT is one of\n"
		"\n"
		"  cloudflare-gateway  the API's list of Gateway rules, JSON\n"
		"  terraform           Terraform state with the same rules, JSON\n"
		"  squid               squid.conf: ssl_bump with dstdomain and "
		"ssl::server_name\n"
		"\n"
		"The policy goes to standard output: lists, then the block of a "
		"gateway.\n"
		"Standard error has one line for each rule: carried over, changed (and "
		"how), or\n"
		"refused (and why); a refused one stands in the policy as a comment. "
		"Lists are\n"
		"named, not filled: put their items into the files.",
	.examples = "sekisho import cloudflare-gateway rules.json > office-rules.conf\n"
		    "sekisho import squid /etc/squid/squid.conf > squid-rules.conf\n",
	.options = options,
	.least = 2,
	.most = 2,
	.run = run_import,
};

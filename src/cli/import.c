// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/import_priv.h"
#include "gate/acts.h"
#include "gate/vocab.h"

enum { ARENA_LIMIT = 256 << 20, FILE_LIMIT = 64 << 20, EXPRESSION_MAX = 256 << 10 };

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
import_list(struct import *im, struct span name, struct span path)
{
	struct err err = {0};
	if (lists_find(im->lists, name) != NULL)
		return;
	if (!lists_add(im->lists, &(struct list_source){.name = name}, NULL, 0, &err))
		return;
	text_out("list %.*s from %.*s\n", SPAN_ARG(name), SPAN_ARG(path));
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

static void
put_lines_as_comment(struct span text)
{
	struct span line;
	while (span_cut(&text, '\n', &line))
		text_out("    #   %.*s\n", SPAN_ARG(line));
}

static void
write_refused(struct import *im, const struct import_rule *r, struct span why)
{
	im->fates[IMPORT_REFUSED]++;
	text_out("    # NOT CARRIED OVER: %.*s: %.*s\n", SPAN_ARG(r->name),
		SPAN_ARG(why));
	put_lines_as_comment(import_format(
		im, "when %.*s do %.*s", SPAN_ARG(r->text), SPAN_ARG(r->action)));
	text_err("refused  %.*s: %.*s\n", SPAN_ARG(r->name), SPAN_ARG(why));
}

static void
write_carried(struct import *im, const struct import_rule *r, const struct rule_expr *e)
{
	char *room = mem_alloc(EXPRESSION_MAX);
	struct text t = text_to(room, EXPRESSION_MAX);
	struct span name = plain_name(im, r->name);
	bool changed = r->change.n > 0;
	rule_put(&t, e);
	im->fates[changed ? IMPORT_CHANGED : IMPORT_CARRIED]++;
	if (changed)
		text_out("    # changed: %.*s\n", SPAN_ARG(r->change));
	text_out("    %srule %.*s when ", r->disabled ? "# disabled: " : "",
		SPAN_ARG(name));
	text_out_span(text_span(&t));
	text_out(" do %.*s\n", SPAN_ARG(r->action));
	if (changed) {
		text_err("changed  %.*s: %.*s\n", SPAN_ARG(r->name),
			SPAN_ARG(r->change));
	} else {
		text_err("carried  %.*s\n", SPAN_ARG(r->name));
	}
	mem_free(room);
}

void
import_write(struct import *im, const struct import_rule *r)
{
	struct rule_expr *e = NULL;
	struct rule_error error;
	struct rule_options options = {.dialect = RULE_GATEWAY, .any_length = true};
	struct span why = r->refuse;
	if (why.n == 0 && !rule_compile(&im->scheme, r->text, options, &e, &error)) {
		why = import_format(
			im, "%u:%u: %s", error.line, error.col, error.message);
	}
	if (why.n == 0)
		why = find_obstacle(im, r, e);
	if (why.n > 0) {
		write_refused(im, r, why);
	} else {
		write_carried(im, r, e);
	}
	rule_free(e);
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

static enum cli_exit
run_import(const struct cli_call *call)
{
	struct import im = {.lists = lists_new()};
	struct err err = {0};
	struct span text;
	if (!file_read(cli_operand(call, 1), FILE_LIMIT, &text, &err)) {
		lists_free(im.lists);
		return cli_fail(&err);
	}
	arena_init(&im.arena, ARENA_LIMIT);
	scheme_init(&im.scheme, vocab_fields, vocab_count, im.lists);
	bool ok = import_text(&im, cli_operand(call, 0), text, &err);
	if (ok) {
		text_err("%zu carried over, %zu changed, %zu cannot work\n",
			im.fates[IMPORT_CARRIED], im.fates[IMPORT_CHANGED],
			im.fates[IMPORT_REFUSED]);
	}
	scheme_fini(&im.scheme);
	lists_free(im.lists);
	arena_fini(&im.arena);
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
		"The policy goes to standard output: lists, then rules for a gateway's "
		"block.\n"
		"Standard error has one line for each rule: carried over, changed (and "
		"how), or\n"
		"refused (and why); a refused one stands in the policy as a comment. "
		"Lists are\n"
		"named, not filled: put their items into the files.",
	.examples = "sekisho import cloudflare-gateway rules.json > office-rules.conf\n"
		    "sekisho import squid /etc/squid/squid.conf > squid-rules.conf\n",
	.least = 2,
	.most = 2,
	.run = run_import,
};

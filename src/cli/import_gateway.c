// SPDX-License-Identifier: Apache-2.0
/*
 * import_gateway: Cloudflare Gateway rules, from the API's list or Terraform's state.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/import_priv.h"

/* Lists are named in expressions only; each name becomes a file to fill. */
static void
find_lists(struct import *im, struct span text)
{
	for (size_t at = 0; at < text.n; at++) {
		size_t end = at + 1;
		if (text.p[at] != '$')
			continue;
		while (end < text.n &&
			(ascii_is_alpha(text.p[end]) || ascii_is_digit(text.p[end]) ||
				span_chr(SPAN("-_."), text.p[end]) < 3))
			end++;
		struct span name = span_slice(text, at + 1, end);
		if (name.n > 0) {
			import_list(im, name,
				import_format(im, "lists/%.*s.txt", SPAN_ARG(name)));
		}
		at = end - 1;
	}
}

static void
add_part(struct import *im, struct span *all, struct span part)
{
	part = span_trim(part);
	if (part.n == 0)
		return;
	find_lists(im, part);
	*all = all->n == 0 ? part
			   : import_format(im, "(%.*s) and (%.*s)", SPAN_ARG(*all),
				     SPAN_ARG(part));
}

/* Terraform keeps a block as a list of one. */
static const struct json *
settings_of(const struct json *rule)
{
	const struct json *s = json_get(rule, "rule_settings");
	return s != NULL && s->type == JSON_ARRAY ? s->first : s;
}

static struct span
quoted(struct import *im, struct span s)
{
	char *room = arena_alloc(&im->arena, s.n * 4 + 3);
	struct text t = text_to(room, s.n * 4 + 3);
	text_add(&t, "\"");
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		if (c == '"' || c == '\\') {
			text_add(&t, "\\%c", c);
		} else {
			text_put(&t, c < 0x20 ? SPAN(" ") : span_slice(s, i, i + 1));
		}
	}
	text_add(&t, "\"");
	return text_span(&t);
}

static const struct {
	const char *theirs;
	const char *ours;
	const char *refuse;
} actions[] = {
	{"off", "bypass", NULL}, {"allow", "allow", NULL}, {"block", "block", NULL},
	{"scan", "scan", NULL}, {"noscan", "noscan", NULL},
	{"redirect", "redirect", NULL}, {"on", "allow", NULL},
	{"isolate", "isolate", "there is no browser isolation here"},
	{"noisolate", "noisolate", "there is no browser isolation here"},
	{"quarantine", "quarantine", "there is no sandbox for files here"},
	{"audit_ssh", "audit_ssh", "SSH is not inspected here"},
	{"egress", "egress", "egress addresses are not chosen by rules here"},
	{"resolve", "resolve", "resolvers are not chosen by rules here"},
	{"safesearch", "safesearch", "safe search is not forced here"},
	{"ytrestricted", "ytrestricted", "restricted mode is not forced here"},
	{"l4_override", "override", NULL},
	{"override", "override", NULL}, /* of DNS too: refused by its fields */
};

static void
map_redirect(struct import *im, const struct json *s, struct import_rule *r)
{
	const struct json *to = json_get(s, "redirect");
	if (to != NULL && to->type == JSON_ARRAY)
		to = to->first;
	bool keep = json_truth(json_get(to, "preserve_path_and_query"));
	struct span url = json_string(json_get(to, "target_uri"));
	if (url.n == 0)
		r->refuse = SPAN("it has no target_uri");
	r->action = import_format(im, "redirect %.*s%s", SPAN_ARG(quoted(im, url)),
		keep ? " keep-path keep-query" : "");
}

static void
map_override(struct import *im, const struct json *s, struct import_rule *r)
{
	const struct json *l4 = json_get(s, "l4override");
	if (l4 != NULL && l4->type == JSON_ARRAY)
		l4 = l4->first;
	struct span host = json_string(json_get(l4, "ip"));
	int64_t port = 0;
	if (host.n == 0)
		host = json_string(json_get(s, "override_host"));
	if (host.n == 0)
		r->refuse = SPAN("only an address or host can be overridden here");
	r->action = import_format(im, "override host %.*s", SPAN_ARG(host));
	if (json_integer(json_get(l4, "port"), &port)) {
		r->action = import_format(
			im, "%.*s port %lld", SPAN_ARG(r->action), (long long)port);
	}
}

/* Where a rule's own block page is, or empty. */
static struct span
block_page(const struct json *s)
{
	const struct json *page = json_get(s, "block_page");
	if (page != NULL && page->type == JSON_ARRAY)
		page = page->first;
	return json_string(json_get(page, "target_uri"));
}

static void
map_action(struct import *im, const struct json *rule, struct import_rule *r)
{
	struct span action = json_string(json_get(rule, "action"));
	const struct json *s = settings_of(rule);
	struct span reason = json_string(json_get(s, "block_reason"));
	r->action = action;
	for (size_t i = 0; i < COUNT_OF(actions); i++) {
		if (!span_eq(action, span_str(actions[i].theirs)))
			continue;
		r->action = span_str(actions[i].ours);
		r->refuse = span_str(actions[i].refuse);
	}
	if (span_eq(r->action, SPAN("block")) && block_page(s).n > 0) {
		r->action = import_format(
			im, "redirect %.*s", SPAN_ARG(quoted(im, block_page(s))));
		r->change = SPAN("its block page is elsewhere: a redirect");
	} else if (span_eq(r->action, SPAN("block")) && reason.n > 0) {
		r->action =
			import_format(im, "block %.*s", SPAN_ARG(quoted(im, reason)));
	} else if (span_eq(r->action, SPAN("redirect"))) {
		map_redirect(im, s, r);
	} else if (span_eq(r->action, SPAN("override"))) {
		map_override(im, s, r);
	}
}

static bool
is_set(const struct json *j)
{
	if (j == NULL || j->type == JSON_NULL || j->type == JSON_FALSE)
		return false;
	bool list = j->type == JSON_ARRAY || j->type == JSON_OBJECT;
	return list ? j->n > 0 : j->type != JSON_STRING || j->text.n > 0;
}

static void
add_change(struct import *im, struct import_rule *r, const char *what)
{
	r->change = import_format(
		im, "%.*s%s%s", SPAN_ARG(r->change), r->change.n > 0 ? "; " : "", what);
}

/* What a rule says beside its action that has no like here. */
static void
note_changes(struct import *im, const struct json *rule, struct import_rule *r)
{
	static const char *const lost[] = {"check_session", "payload_log",
		"notification_settings", "biso_admin_controls", "override_ips",
		"forensic_copy", "ignore_cname_category_matches",
		"insecure_disable_dnssec_validation", "allow_child_bypass",
		"bypass_parent_rule"};
	const struct json *s = settings_of(rule);
	for (size_t i = 0; i < COUNT_OF(lost); i++) {
		if (!is_set(json_get(s, lost[i])))
			continue;
		r->change = r->change.n == 0
			? import_format(im, "without %s", lost[i])
			: import_format(im, "%.*s, %s", SPAN_ARG(r->change), lost[i]);
	}
	if (is_set(json_get(rule, "schedule")))
		add_change(im, r, "at all times: its schedule is left out");
	if (is_set(json_get(rule, "expiration")))
		add_change(im, r, "for good: when it expires is left out");
}

/* One more rule of the same condition, for what there is part of an action. */
static void
write_beside(struct import *im, const struct import_rule *r, struct span action)
{
	struct import_rule more = *r;
	more.action = action;
	more.change = more.refuse = (struct span){0};
	more.beside = true;
	import_write(im, &more);
}

static void
write_settings(struct import *im, const struct json *rule, const struct import_rule *r)
{
	const struct json *s = settings_of(rule);
	const struct json *headers = json_get(s, "add_headers");
	const struct json *untrusted = json_get(s, "untrusted_cert");
	if (untrusted != NULL && untrusted->type == JSON_ARRAY)
		untrusted = untrusted->first;
	struct span action = json_string(json_get(untrusted, "action"));
	if (action.n > 0) {
		write_beside(im, r,
			span_eq(action, SPAN("pass_through"))
				? SPAN("untrusted allow")
				: SPAN("untrusted block"));
	}
	for (const struct json *h = headers == NULL ? NULL : headers->first; h;
		h = h->next) {
		struct span value = h->type == JSON_ARRAY && h->first != NULL
			? h->first->text
			: h->text;
		write_beside(im, r,
			import_format(im, "request-header set %.*s %.*s",
				SPAN_ARG(h->key), SPAN_ARG(quoted(im, value))));
	}
}

static void
import_one(struct import *im, const struct json *rule)
{
	struct import_rule r = {.name = json_string(json_get(rule, "name"))};
	const struct json *enabled = json_get(rule, "enabled");
	if (is_set(json_get(rule, "deleted_at")))
		return;
	if (r.name.n == 0)
		r.name = json_string(json_get(rule, "id"));
	r.disabled = enabled != NULL && enabled->type == JSON_FALSE;
	add_part(im, &r.text, json_string(json_get(rule, "traffic")));
	add_part(im, &r.text, json_string(json_get(rule, "identity")));
	add_part(im, &r.text, json_string(json_get(rule, "device_posture")));
	if (r.text.n == 0)
		r.text = SPAN("true");
	map_action(im, rule, &r);
	note_changes(im, rule, &r);
	import_write(im, &r);
	write_settings(im, rule, &r);
}

struct ordered {
	int64_t precedence;
	size_t index; /* ties keep the file's order */
	const struct json *rule;
};

static int
by_precedence(const void *a, const void *b)
{
	const struct ordered *x = a;
	const struct ordered *y = b;
	if (x->precedence != y->precedence)
		return x->precedence < y->precedence ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static void
import_ordered(struct import *im, struct ordered *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		list[i].index = i;
		if (!json_integer(
			    json_get(list[i].rule, "precedence"), &list[i].precedence))
			list[i].precedence = INT64_MAX;
	}
	qsort(list, n, sizeof(*list), by_precedence);
	for (size_t i = 0; i < n; i++)
		import_one(im, list[i].rule);
}

bool
import_gateway(struct import *im, struct span text, struct err *err)
{
	struct json *root;
	if (!json_parse(text, &im->arena, &root, err))
		return false;
	const struct json *rules =
		root->type == JSON_ARRAY ? root : json_get(root, "result");
	if (rules == NULL || rules->type != JSON_ARRAY) {
		return err_set(
			err, ERR_RULE_IMPORT, "there is no list of rules (\"result\")");
	}
	struct ordered *list = arena_alloc(&im->arena, rules->n * sizeof(*list) + 1);
	size_t n = 0;
	for (const struct json *r = rules->first; r != NULL; r = r->next)
		list[n++].rule = r;
	import_ordered(im, list, n);
	return true;
}

static bool
is_rule_resource(const struct json *resource)
{
	struct span type = json_string(json_get(resource, "type"));
	return span_eq(type, SPAN("cloudflare_teams_rule")) ||
		span_eq(type, SPAN("cloudflare_zero_trust_gateway_policy"));
}

/* Adds the instances' attributes; list may be NULL to count. */
static size_t
collect(const struct json *resources, struct ordered *list)
{
	size_t n = 0;
	for (const struct json *r = resources->first; r != NULL; r = r->next) {
		const struct json *instances = json_get(r, "instances");
		const struct json *i = instances == NULL ? NULL : instances->first;
		for (; i != NULL && is_rule_resource(r); i = i->next) {
			if (list != NULL)
				list[n].rule = json_get(i, "attributes");
			n++;
		}
	}
	return n;
}

bool
import_terraform(struct import *im, struct span text, struct err *err)
{
	struct json *root;
	if (!json_parse(text, &im->arena, &root, err))
		return false;
	const struct json *resources = json_get(root, "resources");
	if (resources == NULL || resources->type != JSON_ARRAY) {
		return err_set(err, ERR_RULE_IMPORT,
			"there are no \"resources\": is it a state?");
	}
	size_t n = collect(resources, NULL);
	struct ordered *list = arena_alloc(&im->arena, n * sizeof(*list) + 1);
	(void)!collect(resources, list);
	import_ordered(im, list, n);
	return true;
}

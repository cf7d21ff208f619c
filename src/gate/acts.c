// SPDX-License-Identifier: Apache-2.0
#include "gate/acts.h"

#include "base/text.h"
#include "conf/value.h"
#include "gate/settings.h"
#include "http/msg.h"
#include "http/url.h"
#include "page/consent.h"
#include "pki/trust.h"
#include "tls/profile.h"

/* The words behind an action, read one by one. */
struct args {
	const struct conf_node *rule;
	size_t next;
	struct conf_report *report;
};

struct row {
	struct policy_action policy;
	bool (*read)(struct args *args, struct act *out);
	const char *form;
	const char *help;
};

static bool
args_more(const struct args *args)
{
	return args->next < args->rule->n;
}

static const struct conf_word *
args_take(struct args *args)
{
	return &args->rule->words[args->next++];
}

/* Takes the next word if it is this bare one. */
static bool
args_word(struct args *args, struct span word)
{
	if (!args_more(args) || args->rule->words[args->next].quoted ||
		!span_eq(args->rule->words[args->next].text, word))
		return false;
	args->next++;
	return true;
}

static bool
complain(const struct args *args, const char *what)
{
	size_t at = args_more(args) ? args->next : args->rule->n - 1;
	return conf_complain(
		args->report, args->rule->words[at].at, ERR_POLICY_ACTION, "%s", what);
}

static bool
take_value(struct args *args, struct span *out, const char *what)
{
	if (!args_more(args))
		return complain(args, what);
	*out = args_take(args)->text;
	return true;
}

static bool
read_nothing(struct args *args, struct act *out)
{
	(void)args;
	(void)out;
	return true;
}

static bool
read_block(struct args *args, struct act *out)
{
	if (args_more(args) && args->rule->words[args->next].quoted)
		out->text = args_take(args)->text;
	out->reset = args_word(args, SPAN("reset"));
	return true;
}

enum { RATE_MOST = 1000000000 };
enum { PROMPT_MS = 3600000 };
#define PROMPT_MOST_MS (CONSENT_MOST_S * UINT64_C(1000))

static bool
read_prompt(struct args *args, struct act *out)
{
	struct span word = {0};
	out->for_ms = PROMPT_MS;
	if (args_more(args) && args->rule->words[args->next].quoted)
		out->text = args_take(args)->text;
	if (!args_word(args, SPAN("for")))
		return true;
	if (!take_value(args, &word, "how long is consent good for?"))
		return false;
	return (conf_read_duration(word, &out->for_ms) && out->for_ms >= 1000 &&
		       out->for_ms <= PROMPT_MOST_MS) ||
		complain(args, "a duration such as 30min, at most 30d");
}

static bool
read_redirect(struct args *args, struct act *out)
{
	struct url_target target;
	struct err err = {0};
	uint64_t status = 0;
	if (!take_value(args, &out->url, "where does it lead?"))
		return false;
	if (!url_target_parse(out->url, HTTP_GET, &target, &err) ||
		target.form != URL_ABSOLUTE) {
		return complain(
			args, "a redirect leads to an absolute http or https URL");
	}
	while (args_more(args)) {
		if (args_word(args, SPAN("keep-path"))) {
			out->keep_path = true;
		} else if (args_word(args, SPAN("keep-query"))) {
			out->keep_query = true;
		} else if (text_u64(args->rule->words[args->next].text, 308, &status) &&
			(status == 301 || status == 302 || status == 303 ||
				status == 307 || status == 308)) {
			args->next++;
		} else {
			return complain(args,
				"keep-path, keep-query, or 301, 302, 303, 307, 308");
		}
	}
	out->status = status ? (unsigned)status : 302; /* one of the five above */
	return true;
}

static bool
read_label(struct args *args, struct act *out)
{
	if (args_more(args))
		out->text = args_take(args)->text;
	return true;
}

static bool
read_header(struct args *args, struct act *out)
{
	if (args_word(args, SPAN("set"))) {
		out->header = ACT_HEADER_SET;
	} else if (args_word(args, SPAN("add"))) {
		out->header = ACT_HEADER_ADD;
	} else if (args_word(args, SPAN("remove"))) {
		out->header = ACT_HEADER_REMOVE;
	} else {
		return complain(
			args, "set NAME \"VALUE\", add NAME \"VALUE\", or remove NAME");
	}
	if (!take_value(args, &out->name, "which field?"))
		return false;
	if (!http_is_token(out->name) ||
		http_name_flags(http_name_find(out->name)) & HTTP_HOP ||
		http_name_find(out->name) == HTTP_NAME_CONTENT_LENGTH ||
		http_name_find(out->name) == HTTP_NAME_HOST)
		return complain(args, "this field is not a rule's to change");
	if (out->header == ACT_HEADER_REMOVE)
		return true;
	return take_value(args, &out->value, "which value?") &&
		(http_is_value(out->value) ||
			complain(args, "a value has no control characters"));
}

static bool
read_port(struct args *args, uint16_t *out)
{
	uint64_t port = 0;
	struct span word = {0};
	if (!take_value(args, &word, "which port?"))
		return false;
	if (!text_u64(word, 65535, &port) || port == 0)
		return complain(args, "a port is 1 to 65535");
	*out = (uint16_t)port;
	return true;
}

static bool
read_override(struct args *args, struct act *out)
{
	bool good = true;
	while (good && args_more(args)) {
		if (args_word(args, SPAN("host"))) {
			good = take_value(args, &out->host, "which host or address?");
		} else if (args_word(args, SPAN("sni"))) {
			good = take_value(args, &out->sni, "which name?");
		} else if (args_word(args, SPAN("port"))) {
			good = read_port(args, &out->port);
		} else {
			break;
		}
	}
	bool any = out->host.n + out->sni.n + out->port > 0;
	return good &&
		((any && !args_more(args)) ||
			complain(args, "host HOST, port PORT, sni NAME"));
}

static void
redact_field(struct act *out, enum event_field f)
{
	out->redacted[f / 8] |= (uint8_t)(1u << f % 8);
}

static bool
read_redact(struct args *args, struct act *out)
{
	static const enum event_field of_url[] = {
		EVENT_PATH, EVENT_QUERY, EVENT_REFERER, EVENT_LOCATION};
	if (!args_more(args))
		return complain(args, "url, or names of event fields");
	while (args_more(args)) {
		if (args_word(args, SPAN("url"))) {
			for (size_t i = 0; i < COUNT_OF(of_url); i++)
				redact_field(out, of_url[i]);
			continue;
		}
		enum event_field f =
			event_field_find(args->rule->words[args->next].text);
		if (f == EVENT_FIELDS) {
			return complain(args,
				"there is no such field; docs/events.md lists them");
		}
		redact_field(out, f);
		args->next++;
	}
	return true;
}

static bool
read_untrusted(struct args *args, struct act *out)
{
	struct span word = {0};
	if (!take_value(args, &word, "allow, mirror, prompt, block or bypass"))
		return false;
	out->untrusted = (int)untrusted_find(word);
	if (out->untrusted != UNTRUSTED_AS_DEFAULT)
		return true;
	args->next--;
	return complain(args, "allow, mirror, prompt, block or bypass");
}

static bool
read_version(struct args *args, uint16_t *out)
{
	*out = TLS_1_3;
	if (args_word(args, SPAN("1.3")))
		return true;
	*out = TLS_1_2;
	return args_word(args, SPAN("1.2")) || complain(args, "1.2 or 1.3");
}

/* The same words as those of the blocks `client` and `upstream`. */
static bool
read_profile(struct args *args, struct manner *out)
{
	for (size_t i = 0; settings_tls_profiles[i].name; i++) {
		if (args_word(args, span_str(settings_tls_profiles[i].name))) {
			out->level = (uint8_t)(1 + settings_tls_profiles[i].value);
			return true;
		}
	}
	return complain(args, "modern, intermediate or compat, with -2026 or without");
}

static bool
read_revocation(struct args *args, struct act *out)
{
	out->has_revocation = true;
	if (args_word(args, SPAN("off"))) {
		out->revocation = TRUST_REVOCATION_OFF;
	} else if (args_word(args, SPAN("soft"))) {
		out->revocation = TRUST_REVOCATION_SOFT;
	} else if (args_word(args, SPAN("hard"))) {
		out->revocation = TRUST_REVOCATION_HARD;
	} else {
		return complain(args, "off, soft or hard");
	}
	return true;
}

static bool
read_certificate(struct args *args, struct act *out)
{
	if (!take_value(args, &out->certificate, "which file of certificates?"))
		return false;
	out->key = out->certificate; /* one file may hold both */
	return !args_word(args, SPAN("key")) ||
		take_value(args, &out->key, "which file has the key?");
}

static bool
read_tls(struct args *args, struct act *out)
{
	bool ok = args_more(args) ||
		complain(args,
			"client-min 1.2|1.3, origin-min 1.2|1.3, client-profile or "
			"origin-profile modern|intermediate|compat, revocation "
			"off|soft|hard, certificate FILE [key FILE]");
	while (ok && args_more(args)) {
		if (args_word(args, SPAN("client-min"))) {
			ok = read_version(args, &out->client.min_version);
		} else if (args_word(args, SPAN("origin-min"))) {
			ok = read_version(args, &out->origin.min_version);
		} else if (args_word(args, SPAN("client-profile"))) {
			ok = read_profile(args, &out->client);
		} else if (args_word(args, SPAN("origin-profile"))) {
			ok = read_profile(args, &out->origin);
		} else if (args_word(args, SPAN("revocation"))) {
			ok = read_revocation(args, out);
		} else if (args_word(args, SPAN("certificate"))) {
			ok = read_certificate(args, out);
		} else {
			ok = complain(args,
				"client-min, origin-min, client-profile, "
				"origin-profile, revocation or certificate");
		}
	}
	return ok;
}

static bool
read_count(struct args *args, uint64_t *out, const char *what)
{
	struct span word = {0};
	return take_value(args, &word, what) &&
		((text_u64(word, RATE_MOST, out) && *out > 0) ||
			complain(args, "a number from 1 to 1000000000"));
}

static bool
read_rate(struct args *args, struct act *out)
{
	struct span word = {0};
	uint64_t ms = 0;
	if (!read_count(args, &out->rate.count, "how many?"))
		return false;
	if (!args_word(args, SPAN("per")) ||
		!take_value(args, &word, "per which time?") ||
		!conf_read_duration(word, &ms) || ms == 0 || ms > 86400000)
		return complain(args, "per and a duration such as 1s, at most 1d");
	out->rate.per_us = ms * 1000;
	out->rate.burst = out->rate.count;
	if (args_word(args, SPAN("burst")) &&
		!read_count(args, &out->rate.burst, "how many at once?"))
		return false;
	if (args_word(args, SPAN("by")) &&
		!take_value(args, &out->expr, "by which expression?"))
		return false;
	if (args_more(args) && args->rule->words[args->next].quoted)
		out->text = args_take(args)->text;
	return true;
}

static bool
read_rewrite(struct args *args, struct act *out)
{
	if (!args_word(args, SPAN("path")))
		return complain(args, "path \"EXPRESSION\"");
	if (!take_value(args, &out->expr, "an expression for the new path"))
		return false;
	out->keep_query = !args_word(args, SPAN("drop-query"));
	return true;
}

/* In the order of enum act_kind. */
static const struct row rows[ACT_COUNT] = {
	[ACT_BYPASS] = {{.name = "bypass", .latest = PHASE_HELLO, .deciding = true},
		read_nothing, "bypass",
		"Do not inspect: the bytes pass through unseen. Also `off`."},
	[ACT_ALLOW] = {{.name = "allow",
			       .latest = PHASE_RESPONSE_BODY,
			       .deciding = true},
		read_nothing, "allow",
		"Go on; later rules of this phase are not asked."},
	[ACT_BLOCK] = {{.name = "block", .latest = PHASE_RESPONSE, .deciding = true},
		read_block, "block [\"reason\"] [reset]",
		"Answer with a page, or with `reset` just close."},
	[ACT_PROMPT] = {{.name = "prompt", .latest = PHASE_REQUEST, .deciding = true},
		read_prompt, "prompt [\"reason\"] [for 1h]",
		"Answer with a warning; whoever insists may go on for a while."},
	[ACT_REDIRECT] = {{.name = "redirect",
				  .latest = PHASE_REQUEST,
				  .earliest = PHASE_REQUEST,
				  .deciding = true},
		read_redirect, "redirect \"URL\" [keep-path] [keep-query] [302]",
		"Answer with a redirect."},
	[ACT_LOG] = {{.name = "log", .latest = PHASE_RESPONSE_BODY}, read_label,
		"log [\"label\"]", "Put a label on the event."},
	[ACT_REQUEST_HEADER] = {{.name = "request-header", .latest = PHASE_REQUEST},
		read_header, "request-header set|add|remove NAME [\"VALUE\"]",
		"Change a field of the request on its way to the origin."},
	[ACT_RESPONSE_HEADER] = {{.name = "response-header", .latest = PHASE_RESPONSE},
		read_header, "response-header set|add|remove NAME [\"VALUE\"]",
		"Change a field of the response on its way to the client."},
	[ACT_OVERRIDE] = {{.name = "override", .latest = PHASE_HELLO}, read_override,
		"override [host HOST] [port PORT] [sni NAME]",
		"Go somewhere else than the client asked for; the certificate is "
		"verified for "
		"the SNI that is sent."},
	[ACT_REDACT] = {{.name = "redact", .latest = PHASE_RESPONSE}, read_redact,
		"redact url | FIELD …", "These fields of events reach no sink."},
	[ACT_UNTRUSTED] = {{.name = "untrusted", .latest = PHASE_PEER}, read_untrusted,
		"untrusted allow|mirror|prompt|block|bypass",
		"What is done if the origin's certificate is not good; `bypass` leaves "
		"the client alone with it."},
	[ACT_TLS] = {{.name = "tls", .latest = PHASE_HELLO}, read_tls,
		"tls [client-min 1.3] [origin-min 1.3] [client-profile modern] "
		"[origin-profile compat] [revocation hard] [certificate "
		"FILE [key FILE]]",
		"How TLS is spoken on either side; the certificate is shown to an "
		"origin that asks for one."},
	[ACT_RATE] = {{.name = "rate",
			      .latest = PHASE_REQUEST,
			      .earliest = PHASE_REQUEST},
		read_rate, "rate N per 1min [burst N] [by \"EXPRESSION\"] [\"reason\"]",
		"Answer with 429 what comes more often, counted by the value of an "
		"expression, or by client address (of IPv6 its /64). Counted whatever "
		"else is decided, unless it is refused."},
	[ACT_REWRITE] = {{.name = "rewrite",
				 .latest = PHASE_REQUEST,
				 .earliest = PHASE_REQUEST},
		read_rewrite, "rewrite path \"EXPRESSION\" [drop-query]",
		"The origin is asked for another path; the query stays, unless "
		"dropped."},
	[ACT_SCAN] = {{.name = "scan", .latest = PHASE_RESPONSE}, read_nothing, "scan",
		"Bodies are to be scanned. Recorded; there is no scanner yet."},
	[ACT_NOSCAN] = {{.name = "noscan", .latest = PHASE_RESPONSE}, read_nothing,
		"noscan",
		"Bodies are not to be scanned. Recorded; there is no scanner yet."},
};

static const struct {
	const char *name;
	enum act_kind kind;
} aliases[] = {
	{"off", ACT_BYPASS}, /* as published Gateway rules call it */
};

/* Actions of clouds that need their own browsers or networks. */
static const char *const foreign[] = {
	"isolate", "noisolate", "egress", "quarantine", "l4_override", "resolve"};

static bool
find_action(struct span name, enum act_kind *kind)
{
	for (size_t i = 0; i < ACT_COUNT; i++) {
		if (span_eq(name, span_str(rows[i].policy.name))) {
			*kind = (enum act_kind)i;
			return true;
		}
	}
	for (size_t i = 0; i < COUNT_OF(aliases); i++) {
		if (span_eq(name, span_str(aliases[i].name))) {
			*kind = aliases[i].kind;
			return true;
		}
	}
	return false;
}

static bool
complain_unknown(const struct conf_word *word, struct conf_report *report)
{
	const char *known[ACT_COUNT];
	char shown[80];
	struct text t = text_to(shown, sizeof(shown));
	text_put_safe(&t, word->text);
	for (size_t i = 0; i < COUNT_OF(foreign); i++) {
		if (span_eq(word->text, span_str(foreign[i]))) {
			return conf_complain(report, word->at, ERR_POLICY_ACTION,
				"%s needs a service that sekisho is not", foreign[i]);
		}
	}
	for (size_t i = 0; i < ACT_COUNT; i++)
		known[i] = rows[i].policy.name;
	(void)conf_complain(report, word->at, ERR_POLICY_ACTION,
		"there is no action \"%s\"", shown);
	size_t nearest = text_nearest(word->text, known, ACT_COUNT);
	if (nearest < ACT_COUNT)
		conf_hint(report, "Did you mean %s?", known[nearest]);
	return false;
}

bool
act_read(const struct conf_node *rule, size_t first, struct act *out,
	struct conf_report *report)
{
	struct act act = {0};
	struct args args = {rule, first, report};
	if (!args_more(&args))
		return complain(&args, "the rule does not say what to do");
	const struct conf_word *word = args_take(&args);
	if (!find_action(word->text, &act.kind))
		return complain_unknown(word, report);
	act.row = &rows[act.kind].policy;
	if (!rows[act.kind].read(&args, &act))
		return false;
	if (args_more(&args)) {
		return conf_complain(report, rule->words[args.next].at,
			ERR_POLICY_ACTION, "%s is written: %s", act.row->name,
			rows[act.kind].form);
	}
	*out = act;
	return true;
}

const struct policy_action *
act_find(struct span name)
{
	enum act_kind kind;
	return find_action(name, &kind) ? &rows[kind].policy : NULL;
}

void
act_put_manual(struct text *t)
{
	text_add(t, "| action | latest phase | what it does |\n| --- | --- | --- |\n");
	for (size_t i = 0; i < ACT_COUNT; i++) {
		text_add(t, "| `%s` | %s | %s |\n", rows[i].form,
			phase_name(rows[i].policy.latest), rows[i].help);
	}
}

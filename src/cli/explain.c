// SPDX-License-Identifier: Apache-2.0
/*
 * explain: what policy would do with a visit, and why: every rule, the truth of its
 * parts, what is missing, and the verdict of each phase. No connection is made.
 */
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/config.h"
#include "cli/explain_priv.h"
#include "http/url.h"

static const struct cli_option options[] = {
	{"config", 'c', "FILE", "the configuration [" CLI_CONFIG "]", false},
	{"gateway", 'g', "NAME", "which gateway [the first]", false},
	{"client", 0, "IP", "address of the client [127.0.0.1]", false},
	{"method", 'X', "METHOD", "request method [GET]", false},
	{"header", 'H', "NAME: VALUE", "a field of the request", true},
	{"session", 's', "ID", "a session of the past, from the event store", false},
	{0},
};

enum { EXPLAIN_TEXT = 256 * 1024 };

/* A made-up visit. */
struct visit {
	struct arena arena;
	struct facts facts;
	struct http_head request;
	bool tls;
	struct span authority;
	struct span path;
};

/* HOST, HOST:PORT, or a URL. */
static bool
read_operand(struct visit *v, const char *operand, struct err *err)
{
	struct span rest = span_str(operand);
	struct url_host host;
	v->tls = !span_starts(rest, SPAN("http://"));
	if (!v->tls) {
		rest = span_from(rest, 7);
	} else if (span_starts(rest, SPAN("https://"))) {
		rest = span_from(rest, 8);
	}
	size_t slash = span_chr(rest, '/');
	v->authority = span_first(rest, slash);
	v->path = slash < rest.n ? span_from(rest, slash) : SPAN("/");
	if (!url_host_parse(v->authority, v->tls ? 443 : 80, &v->arena, &host, err))
		return false;
	v->facts.tls = v->tls;
	v->facts.connect_host = v->facts.host = host.name;
	v->facts.port = host.port;
	if (v->tls && host.ip.family == IP_NONE)
		v->facts.sni = host.name;
	return true;
}

static bool
add_header(struct visit *v, const char *line, struct err *err)
{
	struct span s = span_str(line);
	size_t colon = span_chr(s, ':');
	if (colon == s.n)
		return err_set(err, ERR_USAGE, "a header is written NAME: VALUE");
	return http_add(&v->request.fields, span_first(s, colon),
		span_trim(span_from(s, colon + 1)), err);
}

static bool
make_request(struct visit *v, const struct cli_call *call, struct err *err)
{
	const char *method = cli_get(call, "method");
	enum http_method m = http_method_find(span_str(method ? method : "GET"));
	http_request_make(&v->request, &v->arena, m, v->authority, v->path);
	v->request.method_name = span_str(method ? method : "GET");
	v->request.version = HTTP_1_1;
	for (size_t i = 0; cli_get_nth(call, "header", i); i++) {
		if (!add_header(v, cli_get_nth(call, "header", i), err))
			return false;
	}
	return true;
}

static bool
make_visit(struct visit *v, const struct cli_call *call, const struct gateway *g,
	struct err *err)
{
	const struct facts_wanted wanted = facts_wanted(g->policy);
	const char *client = cli_get(call, "client");
	v->facts.apps = g->apps;
	v->facts.geo = g->geo;
	v->facts.categories = g->categories;
	v->facts.client.ip = ip_v4(0x7f000001);
	if (client && !ip_parse(span_str(client), &v->facts.client.ip))
		return err_set(err, ERR_USAGE, "%s is no address", client);
	if (!read_operand(v, cli_operand(call, 0), err) || !make_request(v, call, err))
		return false;
	facts_take_request(&v->facts, &v->request, &wanted, &v->arena);
	v->facts.base.reached = PHASE_REQUEST;
	return true;
}

/* Verdicts up to the phase that the facts have reached, which stays as it was. */
static void
decide(const struct gateway *g, struct facts *f, struct verdict_record *v)
{
	enum phase last = f->base.reached;
	verdict_init(v);
	for (enum phase p = PHASE_ACCEPT; p <= last; p++) {
		f->base.reached = p;
		(void)!policy_decide(g->policy, p, f, v);
	}
	f->base.reached = last;
}

static const char *
outcome(const struct gateway *g, const struct verdict_record *v, const struct facts *f)
{
	enum phase last = PHASE_COUNT;
	for (enum phase p = 0; p <= f->base.reached; p++) {
		if (v->decided[p] == RULE_NONE)
			continue;
		last = p;
		if (policy_rule(g->policy, v->decided[p]).action->latest <= PHASE_HELLO)
			break; /* bypass: nothing later is asked */
	}
	if (last != PHASE_COUNT)
		return policy_rule(g->policy, v->decided[last]).action->name;
	return f->tls ? "inspect" : "forward";
}

const char *
explain_outcome(const struct gateway *g, struct facts *f)
{
	struct verdict_record v;
	decide(g, f, &v);
	return outcome(g, &v, f);
}

static void
print_verdict(const struct gateway *g, struct visit *visit)
{
	struct verdict_record v;
	struct facts *f = &visit->facts;
	decide(g, f, &v);
	const char *what = outcome(g, &v, f);
	text_out("%s%.*s%s: %s%s%s\n\n", cli_colour(CLI_BOLD),
		SPAN_ARG(visit->authority), cli_colour(CLI_PLAIN), cli_colour(CLI_BOLD),
		what, cli_colour(CLI_PLAIN));
	for (enum phase p = 0; p <= PHASE_REQUEST; p++) {
		if (v.decided[p] == RULE_NONE)
			continue;
		const struct policy_rule rule = policy_rule(g->policy, v.decided[p]);
		text_out("  %-10s rule %.*s: %s\n", phase_name(p), SPAN_ARG(rule.name),
			rule.action->name);
	}
}

void
explain_rules(const struct gateway *g, const struct facts *f)
{
	char *room = mem_alloc(EXPLAIN_TEXT);
	struct text t = text_to(room, EXPLAIN_TEXT);
	policy_explain(&t, g->policy, f);
	text_out("\n");
	text_out_span(text_span(&t));
	if (t.cut)
		text_out("…\n");
	mem_free(room);
}

static bool
explain_visit(const struct settings *s, const struct cli_call *call, struct err *err)
{
	struct visit visit = {0};
	if (!cli_operand(call, 0)) {
		return err_set(
			err, ERR_USAGE, "which host or URL, or which --session?");
	}
	arena_init(&visit.arena, EXPLAIN_ARENA);
	const struct gateway *g = config_gateway(s, cli_get(call, "gateway"), err);
	bool ok = g && make_visit(&visit, call, g, err);
	if (ok) {
		print_verdict(g, &visit);
		explain_rules(g, &visit.facts);
	}
	arena_fini(&visit.arena);
	return ok;
}

/* A reason code as it stands on pages and in events. */
static bool
explain_code(const char *operand)
{
	enum err_code code = operand ? err_find(span_str(operand)) : ERR_NONE;
	if (code == ERR_NONE)
		return false;
	text_out("%s%s%s: %s\n%s\n", cli_colour(CLI_BOLD), err_id(code),
		cli_colour(CLI_PLAIN), err_sentence(code), err_hint(code));
	return true;
}

static enum cli_exit
run_explain(const struct cli_call *call)
{
	struct err err = {0};
	if (explain_code(cli_operand(call, 0)))
		return CLI_GOOD;
	struct settings *s = config_open(call);
	if (!s)
		return CLI_FAILED;
	bool ok = cli_get(call, "session") ? explain_session(s, call, &err)
					   : explain_visit(s, call, &err);
	config_close(s);
	return ok ? CLI_GOOD : cli_fail(&err);
}

const struct command command_explain = {
	.name = "explain",
	.operands = "[HOST[:PORT] | URL | CODE]",
	.summary = "what policy would do with a visit, and why",
	.help = "Takes a visit that nobody makes through the rules of a gateway and "
		"prints\n"
		"what would be decided in each phase, then every rule with the truth "
		"of its\n"
		"parts and the first thing that is missing. Nothing is connected to.\n"
		"A host alone stands for https://HOST/.\n"
		"\n"
		"A reason code of a page or an event, such as gate.untrusted, is told "
		"in words.\n"
		"With --session a session of the past and its requests are asked "
		"instead: what was\n"
		"decided then, and what today's rules say of what the events hold. "
		"What they do\n"
		"not hold, such as other header fields, is missing to the rules.",
	.examples =
		"sekisho explain www.example.org\n"
		"sekisho explain --client 10.1.2.3 -X POST https://paste.example/api\n"
		"sekisho explain --session 194e970b0b87d6db\n",
	.options = options,
	.most = 1,
	.run = run_explain,
};

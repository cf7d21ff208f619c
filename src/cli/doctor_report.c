// SPDX-License-Identifier: Apache-2.0
/*
 * doctor report: one text for the help desk.
 */
#include "base/json.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/doctor_priv.h"
#include "cli/doctor_tools.h"
#include "doctor/explain.h"
#include "doctor/report.h"
#include "doctor/round.h"

enum { NAME = 200, DATE = 32 };

static const struct cli_option options[] = {
	{"from", 'f', "FILE",
		"output of a tool that fails, explained (- is standard input)", false},
	{"store", 0, "FILE", "PEM roots in place of this machine's store, for hosts",
		false},
	{"public", 0, "FILE", "PEM roots that count as public, for hosts", false},
	{"ca", 0, "FILE", "the organisation's CA", false},
	{"root", 0, "DIR", "look at the system below this directory", false},
	DOCTOR_OPTIONS,
	{0},
};

/* Keys for JSON, and titles in each language; in the order of enum report_section. */
static const struct {
	const char *id;
	const char *title[2];
} sections[REPORT_SECTIONS] = {
	[REPORT_MACHINE] = {"machine", {"Machine", "機械"}},
	[REPORT_PROXY] = {"proxy", {"Proxy settings", "プロキシ設定"}},
	[REPORT_AGENTS] = {"agents", {"Agents that run", "動作中のエージェント"}},
	[REPORT_ROOTS] = {"roots", {"Trusted roots", "信頼するルート"}},
	[REPORT_HOSTS] = {"hosts", {"Hosts", "ホスト"}},
	[REPORT_OUTPUT] = {"output", {"Output of a tool", "ツールの出力"}},
	[REPORT_TOOLS] = {"tools", {"Tools", "ツール"}},
	[REPORT_FINDINGS] = {"findings", {"Findings", "所見"}},
};

struct desk {
	struct report *report; /* owned */
	bool brief;            /* only what a tired person needs */
	struct doctor_scene scene;
	enum language l;
	size_t findings;
};

static void
add(struct desk *d, enum report_section section, const char *name, const char *value)
{
	report_add(d->report, section, span_str(name), span_str(value));
}

/* ---- roots ---- */

static void
add_root(struct desk *d, const struct cert *c)
{
	char name[NAME];
	char value[REPORT_VALUE];
	struct text n = text_to(name, sizeof(name));
	struct text t = text_to(value, sizeof(value));

	cert_name_text(c->subject, &n);
	text_add(&t, "not on the public list; sha256 ");
	text_put_hex(&t, span_of(c->sha256, CERT_HASH), false);
	const struct issuer_row *row = issuer_of_name(c->subject);
	if (row)
		text_add(&t, "; %s (%s)", row->product, row->confidence);
	add(d, REPORT_ROOTS, name, value);
}

static void
add_roots(struct desk *d)
{
	const struct bundle *b = &d->scene.bundle;
	char value[NAME];
	size_t private = 0;

	for (size_t i = 0; i < b->os.n; i++) {
		if (!issuer_is_public(b->os.certs[i]->sha256)) {
			add_root(d, b->os.certs[i]);
			private++;
		}
	}
	text_format(value, sizeof(value),
		"%zu roots, %zu of them not on the public list", b->os.n, private);
	add(d, REPORT_ROOTS, b->os_path ? b->os_path : "store", value);
}

/* ---- hosts ---- */

static void
add_host(struct desk *d, const struct look_host *h)
{
	char say[REPORT_VALUE];
	struct text t = text_to(say, sizeof(say));

	look_sentence(h, d->l, &t);
	if (h->judged) {
		text_add(&t, "; issuer %s; root %s", h->issuer, h->root);
		if (h->root_sha256[0] && !h->public_root)
			text_add(&t, "; sha256 %s", h->root_sha256);
		text_add(&t, "; verdict %s", verdict_id(h->verdict.class));
	}
	if (h->probe->version[0]) {
		text_add(&t, "; %s %s %s", h->probe->version, h->probe->cipher,
			h->probe->alpn);
	}
	if (h->probe->proxy.host[0])
		text_add(&t, "; through %s", h->probe->proxy.shown);
	if (h->probe->err.code)
		text_add(&t, "; %s", h->probe->err.text);
	add(d, REPORT_HOSTS, h->probe->host, say);
	d->findings += look_is_finding(h->state);
}

static bool
add_hosts(const struct cli_call *call, struct desk *d, struct err *err)
{
	if (call->n_operands == 0)
		return true; /* the network is touched only when hosts are named */
	struct round *r = round_new();
	bool ok = true;
	for (size_t i = 0; ok && i < call->n_operands; i++)
		ok = round_add(r, call->operands[i], false, err);
	ok = ok &&
		round_lists(r, cli_get(call, "store"), cli_get(call, "public"), err) &&
		round_ask(r, false, err);
	for (size_t i = 0; ok && i < r->n; i++)
		add_host(d, &r->hosts[i]);
	round_free(r);
	return ok;
}

/* ---- a tool's output ---- */

static bool
add_output(const struct cli_call *call, struct desk *d, struct err *err)
{
	const char *path = cli_get(call, "from");
	struct explanation e;
	struct span text;

	if (!path)
		return true;
	if (!doctor_read_tail(path, PLAIN_MAX, &text, err))
		return false;
	explain_text(text, SPAN(""), &e);
	mem_free((void *)(uintptr_t)text.p);
	add(d, REPORT_OUTPUT, "tool", e.client ? e.client->client : "unknown");
	add(d, REPORT_OUTPUT, "class", e.class->class);
	add(d, REPORT_OUTPUT, "meaning", words_say(e.class, d->l));
	if (e.hidden)
		add(d, REPORT_OUTPUT, "hidden", words_get(WORD_HIDDEN, d->l));
	d->findings += !e.nothing;
	return true;
}

/* ---- tools ---- */

static void
add_tool(struct desk *d, const struct tool_view *v)
{
	char value[REPORT_VALUE];
	struct text t = text_to(value, sizeof(value));

	text_add(&t, "%s%strusts %s", v->version, v->version[0] ? "; " : "",
		tool_roots_text(v));
	for (size_t i = 0; i < v->n_sets; i++) {
		const struct tool_set *s = &v->sets[i];
		text_add(&t, "; %s=%s in %s%s", s->row->key, s->found.value,
			setting_where(&d->scene.home, &s->found),
			s->silenced ? " (ignored)" : "");
	}
	add(d, REPORT_TOOLS, v->row->name, value);
	for (size_t i = 0; i < v->n_findings; i++) {
		const struct tool_finding *f = &v->findings[i];
		text_format(value, sizeof(value), "%s: %s (%s)",
			tool_fault_word(f->fault), f->text, f->where ? f->where : "");
		add(d, REPORT_FINDINGS, v->row->name, value);
		d->findings++;
	}
}

static void
add_tools(struct desk *d)
{
	for (size_t i = 0; i < d->scene.n_tools; i++) {
		struct tool_view v;
		tool_look(&d->scene.home, &d->scene.bundle, d->scene.tools[i], &v);
		if (v.here)
			add_tool(d, &v);
	}
}

/* ---- answering ---- */

static void
print_json(const struct desk *d)
{
	const struct report *r = d->report;
	struct json_out j;

	json_init(&j, DOCTOR_JSON);
	json_object(&j, NULL);
	for (size_t s = 0; s < REPORT_SECTIONS; s++) {
		json_array(&j, sections[s].id);
		for (size_t i = 0; i < r->n; i++) {
			if (r->rows[i].section != s)
				continue;
			json_object(&j, NULL);
			json_str(&j, "name", r->rows[i].name);
			json_str(&j, "value", r->rows[i].value);
			json_end(&j);
		}
		json_end(&j);
	}
	json_uint(&j, "count", d->findings);
	json_bool(&j, "cut", r->cut);
	json_end(&j);
	cli_print_json(&j);
	json_fini(&j);
}

static void
print_section(const struct desk *d, size_t s)
{
	const struct report *r = d->report;
	bool first = true;

	for (size_t i = 0; i < r->n; i++) {
		if (r->rows[i].section != s)
			continue;
		if (first)
			text_out("%s\n", sections[s].title[d->l]);
		first = false;
		text_out("  %s: %s\n", r->rows[i].name, r->rows[i].value);
	}
}

static void
print_brief(const struct desk *d)
{
	static const enum report_section few[] = {
		REPORT_PROXY, REPORT_AGENTS, REPORT_ROOTS, REPORT_FINDINGS};
	bool ja = d->l == JAPANESE;
	for (size_t i = 0; i < COUNT_OF(few); i++)
		print_section(d, few[i]);
	text_out(ja ? "所見 %zu 件。\n" : "%zu findings.\n", d->findings);
	text_out(ja ? "次に: sekisho doctor look HOST...、doctor show TOOL、doctor "
		      "explain FILE\n"
		    : "next: sekisho doctor look HOST..., doctor show TOOL, doctor "
		      "explain FILE\n");
}

static void
print_text(const struct desk *d)
{
	if (d->brief) {
		print_brief(d);
		return;
	}
	for (size_t s = 0; s < REPORT_SECTIONS; s++)
		print_section(d, s);
	if (d->report->cut)
		text_out("...\n");
	text_out(d->l == JAPANESE
			? "秘密情報は *** に、ホームは ~ に置き換えました。\n"
			: "Secrets are shown as ***, the home directory as ~.\n");
}

static enum cli_exit
run_desk(const struct cli_call *call, struct desk *d)
{
	struct err err = {0};

	report_machine(d->report, "/proc");
	add_roots(d);
	if (!add_hosts(call, d, &err) || !add_output(call, d, &err))
		return cli_fail(&err);
	add_tools(d);
	if (cli_has(call, "json")) {
		print_json(d);
	} else {
		print_text(d);
	}
	return d->findings > 0 ? CLI_FAILED : CLI_GOOD;
}

static enum cli_exit
open_desk(const struct cli_call *call, bool brief)
{
	struct err err = {0};
	struct cli_call bare = *call;
	struct desk *d = mem_alloc(sizeof(*d));
	enum cli_exit code = CLI_USAGE;

	d->brief = brief;
	bare.n_operands = 0; /* ours are hosts, not tools */
	if (!doctor_language(call, &d->l, &err) ||
		!doctor_scene_open(&bare, &d->scene, &err)) {
		mem_free(d);
		return cli_fail(&err);
	}
	d->report = report_new(d->scene.home.dir);
	code = run_desk(call, d);
	report_free(d->report);
	doctor_scene_close(&d->scene);
	mem_free(d);
	return code;
}

static enum cli_exit
run_report(const struct cli_call *call)
{
	return open_desk(call, false);
}

static enum cli_exit
run_brief(const struct cli_call *call)
{
	return open_desk(call, true);
}

const struct command command_doctor = {
	.name = "doctor",
	.operands = "",
	.summary = "look this machine over: roots, proxies, agents, tools that fail",
	.help = "What stands out here, in a few lines: roots that are not public, "
		"proxy\n"
		"settings, inspecting agents, and what is wrong with the tools' "
		"settings.\n"
		"Nothing is sent and nothing is changed. From there go on: `doctor "
		"look`\n"
		"(is TLS inspected?), `explain` (a tool's message), `show`, `apply`,\n"
		"`verify`, `undo` (a tool's trust), `ca` (the organisation's CA), "
		"`report`\n"
		"(for the help desk). Exit code: 0 nothing found, 1 findings.",
	.examples = "sekisho doctor\n",
	.options = options,
	.run = run_brief,
};

const struct command command_doctor_report = {
	.name = "doctor report",
	.operands = "[HOST[:PORT]...]",
	.summary = "gather one text for the help desk, without secrets",
	.help = "The system, proxy settings, agents, roots that are not public, every "
		"tool\n"
		"with what it trusts and what is wrong with that; with hosts, what "
		"`doctor\n"
		"look` finds; with --from, what a tool's output means. Passwords and "
		"tokens\n"
		"are masked, the home directory is ~. The network is touched only "
		"when\n"
		"hosts are named. Exit code: 0 nothing found, 1 findings.",
	.examples = "sekisho doctor report > report.txt\n"
		    "sekisho doctor report www.example.com --from npm.log\n",
	.options = options,
	.most = CLI_MAX_OPERANDS,
	.run = run_report,
};

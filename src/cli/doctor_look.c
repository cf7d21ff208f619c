// SPDX-License-Identifier: Apache-2.0
/*
 * doctor look: whether TLS is inspected here, by whom, and for which hosts.
 */
#include "base/json.h"
#include "cli/commands.h"
#include "cli/doctor_priv.h"
#include "doctor/round.h"

enum { DEADLINE_S = 15, DEADLINE_MOST_S = 120, ANSWER_MAX = 1 << 20 };

static const struct cli_option options[] = {
	{"bad", 'b', "HOST",
		"a host that is broken on purpose: does the gateway say so?", true},
	{"direct", 'd', NULL, "compare with the way around the proxy", false},
	{"timeout", 't', "SECONDS", "for all hosts together [15]", false},
	{"store", 0, "FILE", "PEM roots in place of this machine's store", false},
	{"public", 0, "FILE",
		"PEM roots that count as public, in place of the carried list", false},
	DOCTOR_OPTIONS,
	{0},
};

/* Asked when none is named: unrelated owners, no service of ours. */
static const char *const usual_hosts[] = {
	"www.example.com", "www.wikipedia.org", "www.debian.org"};

struct look {
	struct round *r; /* owned */
	enum language l;
};

/* The usual ones are named before anything is sent. */
static bool
add_usual(struct round *r, struct err *err)
{
	for (size_t i = 0; i < COUNT_OF(usual_hosts); i++) {
		text_err("%s%s", i == 0 ? "asking " : ", ", usual_hosts[i]);
		if (!round_add(r, usual_hosts[i], false, err))
			return false;
	}
	text_err("\n");
	return true;
}

static bool
add_hosts(const struct cli_call *call, struct round *r, struct err *err)
{
	const char *bad;
	for (size_t i = 0; i < call->n_operands; i++) {
		if (!round_add(r, call->operands[i], false, err))
			return false;
	}
	for (size_t i = 0; (bad = cli_get_nth(call, "bad", i)) != NULL; i++) {
		if (!round_add(r, bad, true, err))
			return false;
	}
	return r->n > 0 || add_usual(r, err);
}

static bool
ask_all(const struct cli_call *call, struct round *r, struct err *err)
{
	uint64_t seconds = DEADLINE_S;

	if (!cli_number(call, "timeout", DEADLINE_MOST_S, &seconds, err))
		return false;
	r->within_ms = seconds * 1000;
	return add_hosts(call, r, err) &&
		round_lists(r, cli_get(call, "store"), cli_get(call, "public"), err) &&
		round_ask(r, cli_has(call, "direct"), err);
}

/* ---- answering ---- */

static void
json_host(struct json_out *j, const struct look_host *h)
{
	const struct probe *p = h->probe;
	char say[LOOK_LINE];
	struct text t = text_to(say, sizeof(say));

	look_sentence(h, ENGLISH, &t);
	json_str(j, "host", p->host);
	json_uint(j, "port", p->port);
	json_str(j, "state", look_id(h->state));
	json_str(j, "sentence", say);
	json_str(j, "product", h->product ? h->product->product : NULL);
	json_str(j, "confidence", h->product ? h->product->confidence : NULL);
	json_str(j, "issuer", h->issuer);
	json_str(j, "root", h->root);
	json_str(j, "root_sha256", h->root_sha256);
	json_bool(j, "public_root", h->public_root);
	json_bool(j, "trusted_here", h->judged && h->verdict.class == VERDICT_GOOD);
	json_str(j, "verdict", h->judged ? verdict_id(h->verdict.class) : NULL);
	json_str(j, "same_issuer_as", h->same ? h->same->probe->host : NULL);
}

static void
json_wire(struct json_out *j, const struct look_host *h)
{
	const struct probe *p = h->probe;
	json_str(j, "version", p->version);
	json_str(j, "cipher", p->cipher);
	json_str(j, "group", p->group);
	json_str(j, "alpn", p->alpn);
	json_bool(j, "sct", h->scts);
	json_bool(j, "ocsp_stapled", p->staple);
	json_bool(j, "aia", h->aia);
	json_bool(j, "crl", h->crl);
	json_int(j, "leaf_days", h->leaf_days);
	json_int(j, "leaf_age_days", h->leaf_age_days);
	json_uint(j, "chain", p->chain.n);
	json_str(j, "proxy", p->proxy.host[0] ? p->proxy.shown : NULL);
	json_int(j, "status", p->status);
	json_str(j, "error", p->err.code ? err_id(p->err.code) : NULL);
	json_str(j, "detail", p->err.code ? p->err.text : NULL);
}

struct count {
	size_t findings;
	size_t answers;
	size_t inspected;
	size_t bypassed;
};

static struct count
count_hosts(const struct look *k)
{
	struct count c = {0};
	for (size_t i = 0; i < k->r->n; i++) {
		enum look_state s = k->r->hosts[i].state;
		c.findings += look_is_finding(s);
		c.answers += look_is_answer(s);
		c.inspected += s == LOOK_INSPECTED || s == LOOK_INSPECTED_UNTRUSTED ||
			s == LOOK_LAUNDERED || s == LOOK_BAD_REFUSED;
		c.bypassed += s == LOOK_BYPASSED;
	}
	return c;
}

static void
print_json(const struct look *k)
{
	struct json_out j;
	struct count c = count_hosts(k);

	json_init(&j, ANSWER_MAX);
	json_object(&j, NULL);
	json_uint(&j, "inspected", c.inspected);
	json_uint(&j, "bypassed", c.bypassed);
	json_array(&j, "hosts");
	for (size_t i = 0; i < k->r->n; i++) {
		json_object(&j, NULL);
		json_host(&j, &k->r->hosts[i]);
		json_wire(&j, &k->r->hosts[i]);
		json_bool(&j, "bad", k->r->hosts[i].bad);
		if (k->r->n_direct > 0) {
			json_object(&j, "direct");
			json_host(&j, &k->r->direct[i]);
			json_end(&j);
		}
		json_end(&j);
	}
	json_end(&j);
	json_end(&j);
	cli_print_json(&j);
}

static void
print_line(const char *label, const char *value)
{
	if (value[0])
		doctor_print_block(label, span_str(value));
}

static void
print_root(const struct look *k, const struct look_host *h)
{
	char line[LOOK_LINE * 2];
	bool ja = k->l == JAPANESE;
	const char *good = ja ? "信頼" : "trusted";
	const char *not = ja ? "なし" : "not there";

	if (!h->judged)
		return;
	print_line(ja ? "発行者" : "issuer", h->issuer);
	print_line(ja ? "ルート" : "root", h->root);
	if (h->root_sha256[0] && !h->public_root)
		print_line("sha256", h->root_sha256);
	text_format(line, sizeof(line),
		ja ? "OSのストア: %s、公開リスト: %s" : "OS store: %s; public list: %s",
		h->verdict.class == VERDICT_GOOD ? good : verdict_id(h->verdict.class),
		h->public_root ? (ja ? "あり" : "there") : not );
	print_line(ja ? "信頼" : "trust", line);
	if (h->verdict.class != VERDICT_GOOD)
		print_line("", h->verdict.text);
}

static void
print_product(const struct look *k, const struct look_host *h)
{
	char line[LOOK_LINE];
	bool ja = k->l == JAPANESE;

	if (h->product && !h->public_root) {
		text_format(line, sizeof(line), "%s (%s, %s)", h->product->product,
			h->product->field, h->product->confidence);
		print_line(ja ? "製品" : "product", line);
	}
	if (h->same) {
		text_format(line, sizeof(line),
			ja ? "無関係な %s と同じ発行者"
			   : "the issuer of %s too, which is unrelated",
			h->same->probe->host);
		print_line(ja ? "同じ" : "same", line);
	}
}

static void
print_tls(const struct probe *p)
{
	char line[LOOK_LINE];
	struct text t = text_to(line, sizeof(line));
	const char *const parts[] = {
		p->version, p->cipher, p->group, p->alpn, p->staple ? "OCSP" : ""};

	for (size_t i = 0; p->version[0] && i < COUNT_OF(parts); i++) {
		if (parts[i][0])
			text_add(&t, "%s%s", t.n > 0 ? " " : "", parts[i]);
	}
	print_line("tls", line);
}

static void
print_wire(const struct look *k, const struct look_host *h)
{
	const struct probe *p = h->probe;
	char line[LOOK_LINE * 2];
	struct text t = text_to(line, sizeof(line));
	bool ja = k->l == JAPANESE;

	if (!h->public_root)
		look_differences(h, k->l, &t);
	print_line(ja ? "違い" : "differs", line);
	print_tls(p);
	if (p->proxy.host[0])
		print_line(ja ? "経由" : "proxy", p->proxy.shown);
	if (p->status) {
		text_format(line, sizeof(line), "HTTP %d", p->status);
		print_line(ja ? "応答" : "answer", line);
	}
	if (p->err.code)
		print_line(ja ? "誤り" : "error", p->err.text);
}

static const char *
colour_of(enum look_state s)
{
	if (s == LOOK_LAUNDERED)
		return cli_colour(CLI_RED);
	return cli_colour(look_is_finding(s) ? CLI_YELLOW : CLI_GREEN);
}

static void
print_host(const struct look *k, size_t i)
{
	const struct look_host *h = &k->r->hosts[i];
	char say[LOOK_LINE];
	struct text t = text_to(say, sizeof(say));

	look_sentence(h, k->l, &t);
	text_out("%s%s:%u%s  %s%s%s\n", cli_colour(CLI_BOLD), h->probe->host,
		h->probe->port, cli_colour(CLI_PLAIN), colour_of(h->state), say,
		cli_colour(CLI_PLAIN));
	print_root(k, h);
	print_product(k, h);
	print_wire(k, h);
	if (k->r->n_direct == 0)
		return;
	t = text_to(say, sizeof(say));
	look_sentence(&k->r->direct[i], k->l, &t);
	print_line(k->l == JAPANESE ? "直接" : "direct", say);
	print_line("", k->r->direct[i].issuer);
}

static void
print_text(const struct look *k)
{
	struct count c = count_hosts(k);
	for (size_t i = 0; i < k->r->n; i++)
		print_host(k, i);
	text_out(k->l == JAPANESE ? "%zu ホスト: 検査 %zu、バイパス %zu\n"
				  : "%zu hosts: %zu inspected, %zu bypassed\n",
		k->r->n, c.inspected, c.bypassed);
}

static enum cli_exit
answer(const struct cli_call *call, const struct look *k)
{
	struct count c = count_hosts(k);

	if (cli_has(call, "json")) {
		print_json(k);
	} else {
		print_text(k);
	}
	if (c.findings > 0)
		return CLI_FAILED;
	return c.answers > 0 ? CLI_GOOD : CLI_UNKNOWN;
}

static enum cli_exit
run_look(const struct cli_call *call)
{
	struct err err = {0};
	struct look k = {.r = round_new()};
	enum cli_exit code;

	if (!doctor_language(call, &k.l, &err) || !ask_all(call, k.r, &err)) {
		code = cli_fail(&err);
	} else {
		code = answer(call, &k);
	}
	round_free(k.r);
	return code;
}

const struct command command_doctor_look = {
	.name = "doctor look",
	.operands = "[HOST[:PORT]...]",
	.summary = "tell whether TLS is inspected here, by whom, and for which hosts",
	.help = "Asks each host as a browser would: one TLS handshake, and HEAD / "
		"where the\n"
		"answer may name the product. The chain is held against the public "
		"roots\n"
		"carried along and against this machine's store; hosts are held "
		"against\n"
		"each other, so name unrelated ones. HTTPS_PROXY and NO_PROXY are "
		"honoured.\n"
		"Without hosts three well-known ones are asked, and named before.\n"
		"--bad names a host whose certificate is broken on purpose: a gateway "
		"that\n"
		"makes it look good accepts bad servers for everybody behind it.\n"
		"Exit code: 0 nothing is inspected, 1 something is or is wrong, 3 no "
		"host\n"
		"could be reached.",
	.examples = "sekisho doctor look\n"
		    "sekisho doctor look www.example.com intranet.corp:8443 --direct\n"
		    "sekisho doctor look www.example.com --bad expired.example.com "
		    "--json\n",
	.options = options,
	.most = CLI_MAX_OPERANDS,
	.run = run_look,
};

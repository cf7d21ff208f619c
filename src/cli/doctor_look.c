// SPDX-License-Identifier: Apache-2.0
/*
 * doctor look: whether TLS is inspected here, by whom, and for which hosts.
 */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/doctor_priv.h"
#include "doctor/look.h"
#include "net/addr.h"

enum { HTTPS = 443, DEADLINE_S = 15, DEADLINE_MOST_S = 120, ANSWER_MAX = 1 << 20 };

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
	struct probe *probes[PROBES]; /* owned */
	struct look_host hosts[PROBES];
	size_t n;
	struct probe *direct_probes[PROBES]; /* owned; with --direct */
	struct look_host direct[PROBES];
	size_t n_direct;
	struct look_lists lists;
	struct chain public_roots;
	uint64_t deadline_ms; /* for one round of probes */
	enum language l;
};

/* ---- what is asked ---- */

/* "https://host:port/path" and "host:port" alike. */
static bool
read_target(struct span text, struct probe *p, struct err *err)
{
	struct span host = span_trim(text);
	if (span_starts(host, SPAN("https://")))
		host = span_from(host, 8);
	host = span_first(host, span_chr(host, '/'));
	if (!addr_split(host, HTTPS, &host, &p->port) || host.n >= PROBE_HOST ||
		!span_copy(p->host, sizeof(p->host), host)) {
		return err_set(err, ERR_USAGE, "%.*s is no host",
			SPAN_ARG(span_first(text, 64)));
	}
	span_lower((uint8_t *)p->host, span_str(p->host));
	for (const char *c = p->host; *c; c++) {
		bool fits = ascii_is_alpha((uint8_t)*c) ||
			ascii_is_digit((uint8_t)*c) || strchr(".-_:", *c);
		if (!fits)
			return err_set(err, ERR_USAGE, "%s is no host", p->host);
	}
	return true;
}

static bool
add_host(struct look *k, const char *text, bool bad, struct err *err)
{
	if (k->n == PROBES)
		return err_set(err, ERR_USAGE, "at most %d hosts at once", PROBES);
	struct probe *p = mem_alloc(sizeof(*p));
	k->probes[k->n] = p;
	k->hosts[k->n] = (struct look_host){.probe = p, .bad = bad};
	k->n++;
	p->talks = bad;
	return read_target(span_str(text), p, err) &&
		proxy_for(span_str(p->host), &p->proxy, err);
}

static bool
add_hosts(const struct cli_call *call, struct look *k, struct err *err)
{
	const char *bad;
	for (size_t i = 0; i < call->n_operands; i++) {
		if (!add_host(k, call->operands[i], false, err))
			return false;
	}
	for (size_t i = 0; (bad = cli_get_nth(call, "bad", i)) != NULL; i++) {
		if (!add_host(k, bad, true, err))
			return false;
	}
	for (size_t i = 0; k->n == 0 || (i > 0 && i < COUNT_OF(usual_hosts)); i++) {
		text_err("%s%s%s", i == 0 ? "asking " : ", ", usual_hosts[i],
			i + 1 == COUNT_OF(usual_hosts) ? "\n" : "");
		if (!add_host(k, usual_hosts[i], false, err))
			return false;
		if (i + 1 == COUNT_OF(usual_hosts))
			break;
	}
	return true;
}

static bool
read_lists(const struct cli_call *call, struct look *k, struct err *err)
{
	const char *public_file = cli_get(call, "public");
	const char *files[] = {cli_get(call, "store"), NULL};

	k->lists.now = clock_wall();
	k->lists.store = trust_new(files[0] == NULL, files, err);
	if (!k->lists.store)
		return false;
	if (public_file && !chain_load(&k->public_roots, public_file, err))
		return false;
	k->lists.public = public_file ? &k->public_roots : NULL;
	return true;
}

/* ---- asking ---- */

/* Hosts whose answers may name the product: one HEAD / each. */
static bool
hear_products(struct look *k, struct err *err)
{
	struct probe *list[PROBES];
	struct look_host *of[PROBES];
	size_t n = 0;
	for (size_t i = 0; i < k->n; i++) {
		struct look_host *h = &k->hosts[i];
		bool unnamed = h->judged && !h->public_root && !h->product && !h->bad;
		if (!unnamed)
			continue;
		list[n] = mem_alloc(sizeof(*list[n]));
		*list[n] = (struct probe){.port = h->probe->port,
			.proxy = h->probe->proxy,
			.talks = true};
		memcpy(list[n]->host, h->probe->host, PROBE_HOST);
		of[n++] = h;
	}
	bool ok = n == 0 || probe_all(list, n, clock_tick() + k->deadline_ms, err);
	for (size_t i = 0; i < n; i++) {
		if (ok)
			look_hear(of[i], list[i]);
		probe_fini(list[i]);
		mem_free(list[i]);
	}
	return ok;
}

static bool
ask_directly(struct look *k, struct err *err)
{
	for (size_t i = 0; i < k->n; i++) {
		struct probe *p = mem_alloc(sizeof(*p));
		*p = (struct probe){
			.port = k->probes[i]->port, .talks = k->probes[i]->talks};
		memcpy(p->host, k->probes[i]->host, PROBE_HOST);
		k->direct_probes[i] = p;
		k->direct[i] = (struct look_host){.probe = p, .bad = k->hosts[i].bad};
		k->n_direct++;
	}
	if (!probe_all(
		    k->direct_probes, k->n_direct, clock_tick() + k->deadline_ms, err))
		return false;
	look_judge(k->direct, k->n_direct, &k->lists);
	return true;
}

static bool
ask_all(const struct cli_call *call, struct look *k, struct err *err)
{
	uint64_t seconds = DEADLINE_S;
	if (!cli_number(call, "timeout", DEADLINE_MOST_S, &seconds, err))
		return false;
	k->deadline_ms = seconds * 1000;
	if (!probe_all(k->probes, k->n, clock_tick() + k->deadline_ms, err))
		return false;
	look_judge(k->hosts, k->n, &k->lists);
	if (!hear_products(k, err))
		return false;
	return !cli_has(call, "direct") || ask_directly(k, err);
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
	for (size_t i = 0; i < k->n; i++) {
		enum look_state s = k->hosts[i].state;
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
	for (size_t i = 0; i < k->n; i++) {
		json_object(&j, NULL);
		json_host(&j, &k->hosts[i]);
		json_wire(&j, &k->hosts[i]);
		json_bool(&j, "bad", k->hosts[i].bad);
		if (k->n_direct > 0) {
			json_object(&j, "direct");
			json_host(&j, &k->direct[i]);
			json_end(&j);
		}
		json_end(&j);
	}
	json_end(&j);
	json_end(&j);
	text_out_span(json_text(&j));
	text_out("\n");
	json_fini(&j);
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
print_wire(const struct look *k, const struct look_host *h)
{
	const struct probe *p = h->probe;
	char line[LOOK_LINE * 2];
	struct text t = text_to(line, sizeof(line));
	bool ja = k->l == JAPANESE;

	if (!h->public_root)
		look_differences(h, k->l, &t);
	print_line(ja ? "違い" : "differs", line);
	if (p->version[0]) {
		text_format(line, sizeof(line), "%s %s%s%s%s%s%s", p->version,
			p->cipher, p->group[0] ? " " : "", p->group,
			p->alpn[0] ? " " : "", p->alpn, p->staple ? " OCSP" : "");
		print_line("tls", line);
	}
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
	const struct look_host *h = &k->hosts[i];
	char say[LOOK_LINE];
	struct text t = text_to(say, sizeof(say));

	look_sentence(h, k->l, &t);
	text_out("%s%s:%u%s  %s%s%s\n", cli_colour(CLI_BOLD), h->probe->host,
		h->probe->port, cli_colour(CLI_PLAIN), colour_of(h->state), say,
		cli_colour(CLI_PLAIN));
	print_root(k, h);
	print_product(k, h);
	print_wire(k, h);
	if (k->n_direct == 0)
		return;
	t = text_to(say, sizeof(say));
	look_sentence(&k->direct[i], k->l, &t);
	print_line(k->l == JAPANESE ? "直接" : "direct", say);
	print_line("", k->direct[i].issuer);
}

static void
print_text(const struct look *k)
{
	struct count c = count_hosts(k);
	for (size_t i = 0; i < k->n; i++)
		print_host(k, i);
	text_out(k->l == JAPANESE ? "%zu ホスト: 検査 %zu、バイパス %zu\n"
				  : "%zu hosts: %zu inspected, %zu bypassed\n",
		k->n, c.inspected, c.bypassed);
}

static void
look_free(struct look *k)
{
	for (size_t i = 0; i < k->n; i++) {
		look_fini(&k->hosts[i]);
		probe_fini(k->probes[i]);
		mem_free(k->probes[i]);
	}
	for (size_t i = 0; i < k->n_direct; i++) {
		look_fini(&k->direct[i]);
		probe_fini(k->direct_probes[i]);
		mem_free(k->direct_probes[i]);
	}
	trust_free(k->lists.store);
	chain_fini(&k->public_roots);
	mem_free(k);
}

static enum cli_exit
run_look(const struct cli_call *call)
{
	struct err err = {0};
	struct look *k = mem_alloc(sizeof(*k));
	enum cli_exit code = CLI_GOOD;

	if (!doctor_language(call, &k->l, &err) || !add_hosts(call, k, &err) ||
		!read_lists(call, k, &err) || !ask_all(call, k, &err)) {
		look_free(k);
		return cli_fail(&err);
	}
	if (cli_has(call, "json"))
		print_json(k);
	else
		print_text(k);
	struct count c = count_hosts(k);
	if (c.findings > 0)
		code = CLI_FAILED;
	else if (c.answers == 0)
		code = CLI_UNKNOWN;
	look_free(k);
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

// SPDX-License-Identifier: Apache-2.0
/*
 * doctor explain: output of any tool in; cause, and the fix for that tool, out.
 */
#include <sys/stat.h>

#include "base/json.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/doctor_priv.h"
#include "doctor/explain.h"
#include "doctor/round.h"

enum { FIX_MAX = 2000, ANSWER_MAX = 65536 };

static const struct cli_option options[] = {
	{"client", 'c', "NAME",
		"the program that printed it [recognised by its output]", false},
	{"probe", 'p', "HOST", "ask this host when the text hides the reason", false},
	{"store", 0, "FILE", "PEM roots in place of this machine's store, for --probe",
		false},
	DOCTOR_OPTIONS,
	{0},
};

struct answer {
	const struct explanation *e;
	const char *client; /* as named by the user, or recognised; never NULL */
	enum language l;
	struct round *probed; /* owned; one host, or NULL */
};

/* ---- reading ---- */

static bool
is_file(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

/* The operands are a text themselves. */
static struct span
join_operands(const struct cli_call *call)
{
	size_t n = 0;
	for (size_t i = 0; i < call->n_operands; i++)
		n += span_str(call->operands[i]).n + 1;
	char *p = mem_alloc(n + 1);
	struct text t = text_to(p, n + 1);
	for (size_t i = 0; i < call->n_operands; i++) {
		text_put(&t, span_str(call->operands[i]));
		text_put(&t, SPAN("\n"));
	}
	return text_span(&t);
}

static bool
read_input(const struct cli_call *call, struct span *out, struct err *err)
{
	const char *first = cli_operand(call, 0);
	bool is_path = call->n_operands <= 1 &&
		(!first || span_eq(span_str(first), SPAN("-")) || is_file(first));
	if (is_path)
		return doctor_read_tail(first, PLAIN_MAX, out, err);
	*out = join_operands(call);
	return true;
}

/* ---- asking the host itself ---- */

/* What the host shows decides where the text did not. */
static bool
probe_host(const struct cli_call *call, struct explanation *e, struct answer *a,
	struct err *err)
{
	const char *host = cli_get(call, "probe");

	if (!host || !e->hidden)
		return true;
	a->probed = round_new();
	if (!round_add(a->probed, host, false, err) ||
		!round_lists(a->probed, cli_get(call, "store"), NULL, err) ||
		!round_ask(a->probed, false, err))
		return false;
	const char *class = round_class(&a->probed->hosts[0]);
	if (class) {
		e->class = explain_class(class);
		e->hidden = false;
		e->nothing = false;
		e->known = NULL;
		e->n_also = 0;
	}
	return true;
}

/* ---- answering ---- */

static struct span
fix_of(const struct answer *a, char dst[FIX_MAX])
{
	struct text t = text_to(dst, FIX_MAX);
	words_fix(&t, a->e->class, a->e->client, a->l);
	return span_trim(text_span(&t));
}

static void
add_near(struct json_out *j, const struct explanation *e)
{
	json_array(j, "nearest");
	for (size_t i = 0; i < e->n_near; i++) {
		json_str(j, NULL, e->near[i]->match);
	}
	json_end(j);
}

static void
add_also(struct json_out *j, const struct explanation *e)
{
	json_array(j, "also");
	for (size_t i = 0; i < e->n_also; i++)
		json_str(j, NULL, e->also[i]->class);
	json_end(j);
}

static void
add_probe(struct json_out *j, const struct answer *a)
{
	if (!a->probed) {
		json_null(j, "probe");
		return;
	}
	const struct look_host *h = &a->probed->hosts[0];
	json_object(j, "probe");
	json_str(j, "host", h->probe->host);
	json_str(j, "state", look_id(h->state));
	json_str(j, "verdict", h->judged ? verdict_id(h->verdict.class) : NULL);
	json_str(j, "issuer", h->issuer);
	json_str(j, "root", h->root);
	json_str(j, "root_sha256", h->root_sha256);
	json_end(j);
}

static void
print_json(const struct answer *a)
{
	const struct explanation *e = a->e;
	struct json_out j;
	char fix[FIX_MAX];

	json_init(&j, ANSWER_MAX);
	json_object(&j, NULL);
	json_str(&j, "client", a->client);
	json_str(&j, "class", e->class->class);
	json_bool(&j, "hidden", e->hidden);
	json_str(&j, "summary", words_say(e->class, a->l));
	json_str(&j, "cause", words_why(e->class, a->l));
	json_span(&j, "fix", fix_of(a, fix));
	json_str(&j, "check", e->client ? e->client->check : "");
	json_str(&j, "tool", e->client ? e->client->client : NULL);
	json_str(&j, "host", e->host);
	json_str(&j, "sign", e->sign ? e->sign->sign : NULL);
	add_also(&j, e);
	add_near(&j, e);
	add_probe(&j, a);
	json_end(&j);
	cli_print_json(&j);
}

/* The client's check and trap concern its list of CAs. */
static bool
wants_ca(const struct explanation *e)
{
	struct span fix = span_str(e->class->fix_en);
	return span_find(fix, SPAN("{ca}")) < fix.n;
}

static void
print_client(const struct answer *a)
{
	const struct client_row *c = a->e->client;
	if (!c || !wants_ca(a->e))
		return;
	if (c->check[0])
		doctor_print_block(words_get(WORD_CHECK, a->l), span_str(c->check));
	if (c->trap[0])
		doctor_print_block(words_get(WORD_TRAP, a->l), span_str(c->trap));
}

static void
print_hidden(const struct answer *a)
{
	const struct explanation *e = a->e;
	enum word w = e->nothing ? WORD_NOTHING
		: e->n_also      ? WORD_MORE_THAN_ONE
				 : WORD_HIDDEN;

	text_out("  %s\n", words_get(w, a->l));
	for (size_t i = 0; i < e->n_also; i++) {
		doctor_print_block(words_get(WORD_ALSO, a->l),
			span_str(words_say(e->also[i], a->l)));
	}
	for (size_t i = 0; i < e->n_near; i++) {
		doctor_print_block(
			words_get(WORD_NEAR, a->l), span_str(e->near[i]->match));
	}
	text_out("  %s: sekisho doctor look %s\n", words_get(WORD_PROBE, a->l),
		e->host[0] ? e->host : "HOST");
}

static void
print_probe(const struct answer *a)
{
	char line[LOOK_LINE * 2];
	struct text t = text_to(line, sizeof(line));
	if (!a->probed)
		return;
	const struct look_host *h = &a->probed->hosts[0];
	look_sentence(h, a->l, &t);
	doctor_print_block(h->probe->host, text_span(&t));
	if (h->judged) {
		t = text_to(line, sizeof(line));
		text_add(&t, "%s\n%s\n%s", h->verdict.text, h->issuer, h->root_sha256);
		doctor_print_block("", text_span(&t));
	}
}

/* Nobody knows this text: what is like it, and how to go on. */
static void
print_unknown(const struct answer *a)
{
	text_out("%s%s%s:\n", cli_colour(CLI_BOLD), a->client, cli_colour(CLI_PLAIN));
	print_probe(a);
	print_hidden(a);
}

static void
print_text(const struct answer *a)
{
	const struct explanation *e = a->e;
	char fix[FIX_MAX];

	if (e->nothing) {
		print_unknown(a);
		return;
	}

	text_out("%s%s%s: %s  %s(%s)%s\n", cli_colour(CLI_BOLD), a->client,
		cli_colour(CLI_PLAIN), words_say(e->class, a->l), cli_colour(CLI_DIM),
		e->class->class, cli_colour(CLI_PLAIN));
	doctor_print_block(
		words_get(WORD_WHY, a->l), span_str(words_why(e->class, a->l)));
	if (e->known && e->known->cause[0] && a->l == ENGLISH)
		doctor_print_block("", span_str(e->known->cause));
	doctor_print_block(words_get(WORD_FIX, a->l), fix_of(a, fix));
	print_client(a);
	print_probe(a);
	if (e->hidden)
		print_hidden(a);
	if (wants_ca(e)) {
		text_out("  %s%s\n  %s%s\n", cli_colour(CLI_DIM),
			words_get(WORD_FILES, a->l), words_get(WORD_NEVER_OFF, a->l),
			cli_colour(CLI_PLAIN));
	}
}

static const char *
client_name(const struct cli_call *call, const struct explanation *e)
{
	const char *asked = cli_get(call, "client");
	if (asked)
		return asked;
	return e->client ? e->client->client : "unknown";
}

static enum cli_exit
run_explain(const struct cli_call *call)
{
	struct err err = {0};
	struct span text;
	struct explanation e;
	struct answer a = {.e = &e};

	if (!doctor_language(call, &a.l, &err) || !read_input(call, &text, &err))
		return cli_fail(&err);
	explain_text(text, span_str(cli_get(call, "client")), &e);
	mem_free((void *)(uintptr_t)text.p);
	a.client = client_name(call, &e);
	enum cli_exit code = CLI_FAILED;
	if (!probe_host(call, &e, &a, &err)) {
		code = cli_fail(&err);
	} else if (cli_has(call, "json")) {
		print_json(&a);
	} else {
		print_text(&a);
	}
	round_free(a.probed);
	return code == CLI_FAILED && e.hidden && !err.code ? CLI_UNKNOWN : code;
}

const struct command command_doctor_explain = {
	.name = "doctor explain",
	.operands = "[FILE or - or TEXT...]",
	.summary = "tell what a tool's TLS failure means, and the cure for that tool",
	.help = "Reads what some program printed and names the class of the failure, "
		"why it\n"
		"happens, and what to do for the program that printed it, least "
		"invasive\n"
		"way first. Colours, wrapping, log prefixes, JSON escapes, "
		"translations and\n"
		"numeric codes do not matter; of long logs the last 256 KiB are read.\n"
		"Where the text hides the reason, the answer says so (hidden) and how "
		"to\n"
		"find it; --probe asks the host at once, and nothing else is sent. "
		"Exit code: 1 the failure is "
		"named,\n"
		"3 the text does not tell.",
	.examples = "npm ping 2>&1 | sekisho doctor explain\n"
		    "sekisho doctor explain build.log --client maven\n"
		    "sekisho doctor explain SELF_SIGNED_CERT_IN_CHAIN\n"
		    "sekisho doctor explain --json --client pip - < pip.log\n",
	.options = options,
	.most = CLI_MAX_OPERANDS,
	.run = run_explain,
};
